"""No text of ours holds the sign NUL. PostgreSQL refuses a question that does, which would read as our fault.

Programs' requests are checked field by field, with problems in their own form (``fablab.api``); pages' addresses and
forms here.
"""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase

Answering = Callable[[HttpRequest], HttpResponseBase]


def no_nul_in_addresses(get_response: Answering) -> Answering:
    """Middleware: an address with NUL in it is nobody's; answered 400 before anything is asked of the database."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith("/api/"):
            return get_response(request)
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("NUL in an address")
        return get_response(request)

    return answer


def refuse_nul_in_form(request: HttpRequest) -> None:
    """Raise ``BadRequest`` for a form with NUL in a field; no browser lets a person type one."""
    if any("\0" in str(value) for _, values in request.POST.lists() for value in values):
        raise BadRequest("NUL in a form")
