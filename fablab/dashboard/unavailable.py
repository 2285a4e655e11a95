"""While the database is away or locked, a page says so in words and keeps what was typed (fault case 11)."""

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import get_token
from django.template.loader import get_template

logger = logging.getLogger(__name__)

Answering = Callable[[HttpRequest], HttpResponseBase]
RETRY_SECONDS = 5
NOT_REPEATED = frozenset({"csrfmiddlewaretoken"})
SECRETS = ("password", "key")  # parts of names of fields that no page may show again


class Unavailable:
    """Middleware: a view that lost its database answers 503; a form can be sent again from that page as it was."""

    def __init__(self, get_response: Answering) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponse | None:
        if not isinstance(problem, (OperationalError, InterfaceError)):
            return None
        logger.warning("%s: the database did not answer: %s", request.path, type(problem).__name__)
        # Without the request: the frame around every page would ask the database who is signed in.
        said = get_template("errors/503.html").render(
            {
                "kept": kept_fields(request),
                "address": request.get_full_path(),
                "csrf_token": get_token(request),
            }
        )
        return HttpResponse(said, status=503, headers={"Retry-After": str(RETRY_SECONDS)})


def kept_fields(request: HttpRequest) -> list[tuple[str, str]] | None:
    """Return a form's fields as they were sent; None when there was no form, or one that cannot be shown again.

    A file cannot be put back into a page, and a password must not: people go back to their own form then.
    """
    if request.method != "POST" or request.FILES:
        return None
    sent = [
        (name, str(value))
        for name, values in request.POST.lists()
        for value in values
        if name not in NOT_REPEATED
    ]
    return None if any(secret in name for name, _ in sent for secret in SECRETS) else sent
