"""Sending twice does once (REL-10): programs send ``Idempotency-Key``, forms a hidden field.

The first request with a key reserves it. What comes later with the same key and the same content gets the first
one's answer, without anything being done again; other content is a conflict. A refusal changed nothing, so it is not
kept: the same key may try again. A request that died in the middle is never repeated by itself, because nobody knows
whether it was done.
"""

import functools
import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Concatenate, ParamSpec

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from fablab.core.errors import Conflict, Malformed, Problem
from fablab.core.ids import new_token
from fablab.core.models import IdempotentAnswer

FIELD = "idempotency_key"  # the hidden field of forms
KEPT = timedelta(hours=24)
KEY = re.compile(r"[\x21-\x7e]{1,80}")
WAIT_SECONDS = 5.0  # for the first of two that came together
LOOK_SECONDS = 0.05
PIECE_BYTES = 1024 * 1024
NOT_CONTENT = {FIELD, "csrfmiddlewaretoken"}

P = ParamSpec("P")


@dataclass(frozen=True)
class Given:
    """The answer that the first request was given."""

    status: int
    answer: Mapping[str, Any]


def reserve(person_id: str, key: str, digest: str, at: datetime) -> IdempotentAnswer | Given:
    """Reserve a key for this request, or return the answer that an earlier one with the same content was given.

    Raises ``Malformed`` for a key that is none, ``Conflict``: ``idempotency_key_reused`` for other content,
    ``still_working`` while the first one is not done after some seconds.
    """
    if not KEY.fullmatch(key):
        raise Malformed("idempotency_key_invalid")
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            with transaction.atomic():
                return IdempotentAnswer.objects.create(
                    person_id=person_id, key=key, request_digest=digest, created_at=at
                )
        except IntegrityError:
            first = IdempotentAnswer.objects.filter(person_id=person_id, key=key).first()
        if first is None:  # refused in between, so the key is free again
            continue
        if first.created_at <= at - KEPT:
            first.delete()
            continue
        if first.request_digest != digest:
            raise Conflict("idempotency_key_reused")
        if first.status is not None:
            return Given(first.status, first.answer or {})
        if time.monotonic() > deadline:
            raise Conflict(Problem("still_working"))
        time.sleep(LOOK_SECONDS)


def keep(reserved: IdempotentAnswer, status: int, answer: Mapping[str, Any]) -> None:
    """Keep the answer to a request that did something."""
    IdempotentAnswer.objects.filter(pk=reserved.pk).update(status=status, answer=dict(answer))


def release(reserved: IdempotentAnswer) -> None:
    """Free the key of a request that changed nothing."""
    IdempotentAnswer.objects.filter(pk=reserved.pk).delete()


def forget_answers(at: datetime) -> int:
    """Remove answers older than a day; return how many."""
    return IdempotentAnswer.objects.filter(created_at__lte=at - KEPT).delete()[0]


def digest_of_request(request: HttpRequest) -> str:
    """Return the SHA-256 of what a request asks for: method, path, and body.

    Forms are read field by field, because a boundary differs each time and a file must not fill the memory.
    """
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if request.content_type in {"multipart/form-data", "application/x-www-form-urlencoded"}:
        for name, values in sorted(request.POST.lists()):
            if name not in NOT_CONTENT:
                digest.update(repr((name, values)).encode("utf-8", "surrogatepass"))
        for name, files in sorted(request.FILES.lists()):
            for file in files:
                digest.update(repr((name, file.name, file.size)).encode("utf-8", "surrogatepass"))
                for piece in file.chunks(PIECE_BYTES):
                    digest.update(piece)
                file.seek(0)
    else:
        digest.update(request.body)
    return digest.hexdigest()


# --- forms ------------------------------------------------------------------------------------------------------


def once_field() -> SafeString:
    """Return the hidden field that makes a form count once; made anew each time the form is shown."""
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, new_token())


def once(
    view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Let a page's POST count once for each form that was shown.

    A redirect is success and is kept; the second request is sent to the same place. A form that is shown again with
    its mistakes is no success: its key stays free. Raises what ``reserve`` raises.
    """

    @functools.wraps(view)
    def counted(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        key = request.POST.get(FIELD, "") if request.method == "POST" else ""
        if not key or not request.user.is_authenticated:
            return view(request, *args, **kwargs)
        reserved = reserve(request.user.pk, key, digest_of_request(request), timezone.now())
        if isinstance(reserved, Given):
            return HttpResponseRedirect(reserved.answer["location"])
        try:
            response = view(request, *args, **kwargs)
        except BaseException:
            release(reserved)
            raise
        if isinstance(response, HttpResponse) and 300 <= response.status_code < 400:
            keep(reserved, response.status_code, {"location": response.headers["Location"]})
        else:
            release(reserved)
        return response

    return counted
