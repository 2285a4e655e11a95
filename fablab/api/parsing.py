"""Request bodies: JSON read strictly, and an answer that is always JSON."""

import json
from collections.abc import Iterable, Mapping
from typing import IO, Any

from rest_framework.exceptions import ErrorDetail, ParseError, ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

MOST_NESTED = 20


class StrictJson(BaseParser):
    """UTF-8 JSON without NaN, without a key that stands twice, and not nested without end."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        context = parser_context or {}
        # Django's own door to the body: it refuses what is too large for memory.
        body = context["request"]._request.body
        try:
            value = json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise ParseError from error
        if _depth(value) > MOST_NESTED:
            raise ParseError
        return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValidationError({name: [ErrorDetail("field_twice", "field_twice")]})
        found[name] = value
    return found


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _depth(value: Any) -> int:
    deepest, layer = 0, [value]
    while layer:
        deepest += 1
        inside: list[Any] = []
        for each in layer:
            if isinstance(each, dict):
                inside += each.values()
            elif isinstance(each, list):
                inside += each
        layer = inside
    return deepest


class AlwaysJson(BaseContentNegotiation):
    """Whatever a client says it prefers: there is one form of an answer."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        given = (request.content_type or "").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == given), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        [only] = renderers
        return only, str(only.media_type)
