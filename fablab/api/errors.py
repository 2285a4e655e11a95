"""One error format for everything: RFC 9457, all problems at once, sentences in the caller's language."""

import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from fablab.core.errors import DomainError, NotFound, Problem
from fablab.core.words import say_problem

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 1

# Django REST framework's word for what is wrong with a field, and ours.
FIELD_CODES = {
    "required": "field_required",
    "null": "field_required",
    "blank": "field_required",
    "empty": "field_required",
    "max_length": "field_too_long",
    "max_string_length": "field_too_long",
    "max_value": "out_of_range",
    "min_value": "out_of_range",
    "invalid_choice": "not_a_choice",
}
OWN_CODES = {
    "unknown_field",
    "field_twice",
    "time_zone_missing",
    "cursor_invalid",
    "too_large",
    "file_missing",
}


def document(
    status: int, problems: Iterable[Problem], extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the body of a problem answer."""
    told = [
        {
            "code": problem.code,
            **({"field": problem.field} if problem.field else {}),
            "detail": say_problem(problem),
            "params": dict(problem.params),
        }
        for problem in problems
    ]
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": told[0]["detail"],
        "code": told[0]["code"],
        **(extra or {}),
        "problems": told,
    }


def handle(error: Exception, context: Mapping[str, Any]) -> Response:
    """Turn any exception into a problem answer. What nobody expected is logged, and told without its inside."""
    status, problems, extra, headers = _understood(error, context)
    set_rollback()
    response = Response(document(status, problems, extra), status=status, headers=headers)
    response.content_type = CONTENT_TYPE
    return response


def unknown_address(request: HttpRequest, rest: str = "") -> JsonResponse:
    """Answer for an address under ``/api/`` that leads nowhere."""
    return JsonResponse(document(404, NotFound().problems), status=404, content_type=CONTENT_TYPE)


Understood = tuple[int, Iterable[Problem], Mapping[str, Any], dict[str, str]]


def _understood(error: Exception, context: Mapping[str, Any]) -> Understood:
    if isinstance(error, DomainError):
        headers = {}
        if error.status == 429:
            headers["Retry-After"] = str(error.extra.get("retry_after", RETRY_SECONDS))
        return error.status, error.problems, error.extra, headers
    if isinstance(error, exceptions.APIException):
        return _from_framework(error)
    if isinstance(error, Http404):
        return 404, NotFound().problems, {}, {}
    if isinstance(error, PermissionDenied):
        return 403, [Problem("not_allowed")], {}, {}
    if isinstance(error, RequestDataTooBig):
        return 413, [Problem("too_large", {"most_mb": 1})], {}, {}
    if isinstance(error, (SuspiciousOperation, BadRequest, MultiPartParserError, UnreadablePostError)):
        return 400, [Problem("json_invalid")], {}, {}
    if isinstance(error, OperationalError):
        logger.warning("the database did not answer: %s", type(error).__name__)
        return 503, [Problem("busy")], {}, {"Retry-After": str(RETRY_SECONDS)}
    logger.error("an API view failed", exc_info=error)
    return 500, [Problem("server_error")], {}, {}


def _from_framework(error: exceptions.APIException) -> Understood:
    headers: dict[str, str] = {}
    if isinstance(error, exceptions.ValidationError):
        return 400, list(_field_problems(error.get_full_details())), {}, {}
    if isinstance(error, exceptions.NotAuthenticated):
        return error.status_code, [Problem("not_signed_in")], {}, _challenge(error)
    if isinstance(error, exceptions.AuthenticationFailed):
        return error.status_code, [Problem("token_invalid")], {}, _challenge(error)
    if isinstance(error, exceptions.Throttled):
        seconds = max(1, round(getattr(error, "wait", None) or 1))
        return 429, [Problem("too_often", {"seconds": seconds})], {}, {"Retry-After": str(seconds)}
    if isinstance(error, exceptions.PermissionDenied):
        code = error.detail.code if isinstance(error.detail, exceptions.ErrorDetail) else ""
        told = code if code in {"token_reads_only", "csrf_failed"} else ""
        return 403, [Problem(told or "not_allowed")], {}, {}
    codes = {
        404: "not_found",
        405: "method_not_allowed",
        415: "media_type_not_supported",
    }
    return error.status_code, [Problem(codes.get(error.status_code, "json_invalid"))], {}, headers


def _challenge(error: exceptions.APIException) -> dict[str, str]:
    asked = getattr(error, "auth_header", None)
    return {"WWW-Authenticate": asked} if asked else {}


def _field_problems(details: Any, field: str | None = None) -> Iterable[Problem]:
    """Walk what a serializer says is wrong, to one flat list with dotted field names."""
    if isinstance(details, list):
        for each in details:
            yield from _field_problems(each, field)
    elif set(details) == {"message", "code"} and isinstance(details["code"], str):
        yield _field_problem(str(details["message"]), details["code"], field)
    else:
        for name, inside in details.items():
            if name == "non_field_errors":
                yield from _field_problems(inside, field)
            else:
                yield from _field_problems(inside, f"{field}.{name}" if field else str(name))


def _field_problem(message: str, code: str, field: str | None) -> Problem:
    params: dict[str, Any] = {"field": field or ""}
    ours = code if code in OWN_CODES else FIELD_CODES.get(code, "field_invalid")
    if field is None and ours == "field_invalid":
        return Problem("json_invalid")
    # Strict fields say their limits as the message, because only they know them.
    for part in message.split("|") if ours in {"field_too_long", "out_of_range", "not_a_choice"} else ():
        name, is_limit, value = part.partition("=")
        if is_limit:
            params[name] = value
    return Problem(ours, params, field)
