"""What every endpoint stands on."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import ErrorDetail, UnsupportedMediaType, ValidationError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from fablab.api.authentication import BearerAuthentication, PageAuthentication, SignedIn
from fablab.api.paging import QUERY_FIELDS
from fablab.api.parsing import AlwaysJson, StrictJson
from fablab.api.schema import Described
from fablab.api.throttling import PerPerson
from fablab.core import idempotency
from fablab.core.idempotency import Given
from fablab.core.models import IdempotentAnswer
from fablab.people.models import User

KEPT_HEADERS = ("Location",)


class _AnsweredBefore(Exception):
    def __init__(self, given: Given) -> None:
        self.given = given


class Endpoint(APIView):
    """One address. ``self.at`` is the time of the request, the only clock that services get.

    A POST with ``Idempotency-Key`` counts once (``fablab.core.idempotency``), unless ``counts_once`` is False.
    """

    # The token first: its challenge makes a 401 of "not signed in".
    authentication_classes: Sequence[type[BaseAuthentication]] = (
        BearerAuthentication,
        PageAuthentication,
    )
    permission_classes: Any = (SignedIn,)
    throttle_classes = (PerPerson,)
    parser_classes: Any = (StrictJson,)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = AlwaysJson
    schema = Described()

    at: datetime
    counts_once: ClassVar[bool] = True
    in_pages: ClassVar[bool] = False  # GET pages through a list by cursor
    _reserved: IdempotentAnswer | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.at = timezone.now()
        super().initial(request, *args, **kwargs)
        if request.method in SAFE_METHODS:
            return
        has_body = (request.META.get("CONTENT_LENGTH") or "0") != "0"
        # Asked here, because reading a form for its CSRF token would make it look like an empty body.
        if has_body and AlwaysJson().select_parser(request, self.get_parsers()) is None:
            raise UnsupportedMediaType(request.content_type)
        key = request.headers.get("Idempotency-Key")
        if key is not None and self.counts_once and request.user.is_authenticated:
            digest = idempotency.digest_of_request(request._request)
            reserved = idempotency.reserve(request.user.pk, key, digest, self.at)
            if isinstance(reserved, Given):
                raise _AnsweredBefore(reserved)
            self._reserved = reserved

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, _AnsweredBefore):
            kept = exc.given.answer
            return Response(kept["body"], status=exc.given.status, headers=dict(kept["headers"]))
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        reserved, self._reserved = self._reserved, None
        if reserved is not None:
            if response.status_code < 400:
                body = json.loads(JSONRenderer().render(response.data)) if response.data is not None else None
                headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
                idempotency.keep(reserved, response.status_code, {"body": body, "headers": headers})
            else:
                idempotency.release(reserved)
        return response

    @property
    def person(self) -> User:
        """Return who asks; the permission has made sure that somebody does."""
        person = self.request.user
        assert isinstance(person, User)
        return person


S = TypeVar("S", bound="Serializer[Any]")


def body_of(request: Request, shape: type[S], *, partial: bool = False) -> dict[str, Any]:
    """Return the checked body. Raises ``ValidationError`` with everything that is wrong with it."""
    read = shape(data=request.data if request.data is not None else {}, partial=partial)
    read.is_valid(raise_exception=True)
    return dict(read.validated_data)


def query_of(
    request: Request, shape: type[S], *, lists: bool = False, several: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the checked parameters of an address; ``several`` may stand more than once.

    ``lists`` allows what pages through a list. Raises ``ValidationError``.
    """
    given: dict[str, Any] = {}
    twice: dict[str, Any] = {}
    for name, values in request.query_params.lists():
        if lists and name in QUERY_FIELDS:
            continue
        if name in several:
            given[name] = values
        elif len(values) > 1:
            twice[name] = [ErrorDetail("field_twice", "field_twice")]
        else:
            given[name] = values[0]
    if twice:
        raise ValidationError(twice)
    read = shape(data=given)
    read.is_valid(raise_exception=True)
    return dict(read.validated_data)


def created(body: Mapping[str, Any], location: str) -> Response:
    return Response(body, status=201, headers={"Location": location})
