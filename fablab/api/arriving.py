"""Files that come in several requests, as tus 1.0 has it: begun, asked how far they are, continued, finished.

What is kept of a piece whose line was cut is the front's; here a piece is whole.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import IO, Any, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from fablab.api import out
from fablab.api.uploads import upload_shape
from fablab.api.views import Endpoint, created
from fablab.core.errors import Malformed, Problem
from jobs.uploads import arriving
from jobs.uploads.services import begin_arriving, receive_arrived

HOME = "/api/v1/uploads/resumable/"
MOST_DIGITS = 18
OFFSET, LENGTH, METADATA = "Upload-Offset", "Upload-Length", "Upload-Metadata"
VERSION = {"Tus-Resumable": "1.0.0"}


def _header(name: str, description: str, *, required: bool = True) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, required=required, description=description)


class Octets(BaseParser):
    """A piece of a file, read by the view as it comes."""

    media_type = "application/offset+octet-stream"

    def parse(self, stream: IO[Any], media_type: str | None = None, context: Any = None) -> Any:
        return stream


def arriving_shape(one: arriving.Arriving) -> Mapping[str, Any]:
    return {"id": one.id, "name": one.name, "size": one.size, "offset": one.offset}


def _number(request: Request, name: str) -> int:
    """Return a header's number. Raises ``Malformed`` when it is missing or none."""
    text = request.headers.get(name, "")
    if not text:
        raise Malformed(Problem("field_required", {"field": name}, name))
    if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS):
        raise Malformed(Problem("field_invalid", {"field": name}, name))
    return int(text)


def _metadata(request: Request) -> dict[str, str]:
    """Return what is said of the file: names with values in base64. Raises ``Malformed``."""
    said: dict[str, str] = {}
    for pair in request.headers.get(METADATA, "").split(","):
        name, _, value = pair.strip().partition(" ")
        try:
            said[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise Malformed(Problem("field_invalid", {"field": METADATA}, METADATA)) from error
    return said


class ArrivingFiles(Endpoint):
    @extend_schema(
        operation_id="upload_begin",
        request=None,
        responses={201: out.ArrivingOut},
        parameters=[
            _header(LENGTH, "The file's size in bytes."),
            _header(
                METADATA,
                "filename BASE64,sha256 BASE64 (of the hexadecimal digest): checked at the end. With it, the same file "
                "begun before is given again.",
                required=False,
            ),
        ],
        description="The tus 1.0 protocol, extensions creation and termination.",
    )
    def post(self, request: Request) -> Response:
        said = _metadata(request)
        begun = begin_arriving(
            owner=self.person,
            name=said.get("filename", ""),
            size=_number(request, LENGTH),
            sha256=said.get("sha256", ""),
        )
        headers = {**VERSION, OFFSET: str(begun.offset), "Location": f"{HOME}{begun.id}/"}
        return Response(arriving_shape(begun), status=201, headers=headers)


class ArrivingFile(Endpoint):
    counts_once = False  # the offset is what makes it count once

    def get_parsers(self) -> list[BaseParser]:
        # Without a request when the schema is made.
        piece = self.request is not None and self.request.method == "PATCH"
        return [Octets()] if piece else list(super().get_parsers())

    def head(self, request: Request, arriving_id: str) -> Response:
        """How far it is."""
        one = arriving.find(self.person.pk, arriving_id)
        return Response(headers={**VERSION, OFFSET: str(one.offset), LENGTH: str(one.size)})

    @extend_schema(
        operation_id="upload_continue",
        request={Octets.media_type: bytes},
        responses={204: None},
        parameters=[
            _header(OFFSET, "How many bytes are there already, as HEAD says; 409 when it is another number.")
        ],
    )
    def patch(self, request: Request, arriving_id: str) -> Response:
        there = arriving.continue_at(
            self.person.pk,
            arriving_id,
            offset=_number(request, OFFSET),
            source=cast("Any", request._request),  # read as it comes, never whole into memory
        )
        return Response(status=204, headers={**VERSION, OFFSET: str(there)})

    @extend_schema(operation_id="upload_drop", responses={204: None})
    def delete(self, request: Request, arriving_id: str) -> Response:
        arriving.find(self.person.pk, arriving_id)
        arriving.drop(self.person.pk, arriving_id)
        return Response(status=204, headers=VERSION)


class FinishArriving(Endpoint):
    @extend_schema(operation_id="upload_finish", request=None, responses={201: out.UploadOut})
    def post(self, request: Request, arriving_id: str) -> Response:
        upload = receive_arrived(arriving_id, owner=self.person, at=self.at)
        return created(upload_shape(upload), f"/api/v1/uploads/{upload.pk}/")
