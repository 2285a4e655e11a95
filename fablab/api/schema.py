"""How endpoints are described: every error answer, every way to sign in, the fields of every answer."""

from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS

from fablab.api.errors import CONTENT_TYPE
from fablab.api.paging import MOST


class ProblemPart(serializers.Serializer[Any]):
    code = serializers.CharField()
    field = serializers.CharField(required=False)
    detail = serializers.CharField()
    params = serializers.DictField()


class ProblemOut(serializers.Serializer[Any]):
    """RFC 9457: everything that is wrong, at once."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    problems = ProblemPart(many=True)


ERRORS = {
    400: "Not understood.",
    401: "Not signed in.",
    403: "Visible, but not yours to do this to.",
    404: "Unknown, or not visible.",
    409: "Refused by a rule, or overtaken by events.",
    413: "Too large.",
    415: "Another content type is wanted.",
    429: "Too often.",
    503: "Busy for a moment.",
    507: "No room left here.",
}
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Sending the same request twice with the same key does it once. Kept for 24 hours.",
)


LIMIT = OpenApiParameter(
    "limit", {"type": "integer", "minimum": 1, "maximum": MOST}, description="Rows a page."
)
CURSOR = OpenApiParameter("cursor", str, description='Taken from "next" or "previous".')


class Described(AutoSchema):
    """Adds to each operation what all of them have in common."""

    def get_override_parameters(self) -> list[Any]:
        given = list(super().get_override_parameters())
        if self.method == "POST" and getattr(self.view, "counts_once", False):
            given.append(IDEMPOTENCY_KEY)
        if self.method == "GET" and getattr(self.view, "in_pages", False):
            given += [LIMIT, CURSOR]
        return given

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        # Below extend_schema, which says only what a success looks like.
        answers: dict[str, Any] = super()._get_response_bodies(direction)
        for status, meaning in ERRORS.items():
            if status in {413, 415, 507} and self.method in SAFE_METHODS:
                continue
            if str(status) not in answers:
                problem = OpenApiResponse(ProblemOut, description=meaning)
                answers[str(status)] = self._get_response_for_code(  # type: ignore[no-untyped-call]  # untyped library
                    problem, str(status), [CONTENT_TYPE], direction
                )
        return dict(sorted(answers.items()))

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/v1/").split("/")[0]]


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the library is untyped
    target_class = "fablab.api.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


class PageScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the library is untyped
    target_class = "fablab.api.authentication.PageAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        from django.conf import settings

        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class StrictScheme(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # the library is untyped
    """A request holds these fields and no others."""

    target_class = "fablab.api.fields.Strict"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        described = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)  # type: ignore[no-untyped-call]  # untyped library
        return {**described, "additionalProperties": False}


class MomentScheme(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # the library is untyped
    target_class = "fablab.api.fields.Moment"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, str]:
        return {"type": "string", "format": "date-time"}
