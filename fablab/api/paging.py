"""Lists in pages by cursor: a row that is added meanwhile neither repeats nor hides another."""

from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import QuerySet
from rest_framework.exceptions import ErrorDetail, NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

PAGE, MOST = 50, 200
QUERY_FIELDS = {"cursor", "limit"}


class Cursors(CursorPagination):
    """``?limit=`` up to 200; ``next`` and ``previous`` are whole addresses."""

    page_size = PAGE

    def __init__(self, *ordering: str) -> None:
        super().__init__()
        self.ordering = ordering

    def get_page_size(self, request: Request) -> int:
        given = request.query_params.get("limit", str(PAGE))
        if not (given.isascii() and given.isdigit() and len(given) < 6 and 1 <= int(given) <= MOST):
            raise ValidationError({"limit": [ErrorDetail(f"least=1|most={MOST}", "max_value")]})
        return int(given)

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: APIView) -> tuple[str, ...]:
        return tuple(self.ordering)

    def decode_cursor(self, request: Request) -> Any:
        """Read a cursor of ours; the framework's own reader takes nearly anything."""
        given = request.query_params.get(self.cursor_query_param)
        if given is not None:
            try:
                parts = parse_qs(b64decode(given, validate=True).decode("ascii"), strict_parsing=True)
            except ValueError as error:
                raise NotFound from error
            if not set(parts) <= {"o", "r", "p"} or "\0" in "".join(parts.get("p", ())):
                raise NotFound
        return super().decode_cursor(request)

    def page_of(self, rows: QuerySet[Any], request: Request, view: APIView) -> list[Any]:
        """Return one page of rows. Raises ``ValidationError``: ``cursor_invalid``."""
        try:
            return self.paginate_queryset(rows, request, view=view) or []
        except (NotFound, DjangoValidationError, ValueError, TypeError, OverflowError) as error:
            raise ValidationError({"cursor": "cursor_invalid"}, code="cursor_invalid") from error

    def answer(self, results: list[Any]) -> Response:
        return Response(
            {"next": self.get_next_link(), "previous": self.get_previous_link(), "results": results}
        )


def whole_list(results: list[Any]) -> Response:
    """Return a list that is always short enough for one page, in the same form."""
    return Response({"next": None, "previous": None, "results": results})
