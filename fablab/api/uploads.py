"""Files: handed in, looked at, fetched again. There is no other way to a file."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from fablab.api import out
from fablab.api.fields import Strict
from fablab.api.files import send_file
from fablab.api.paging import Cursors
from fablab.api.shapes import stamp
from fablab.api.sites import NoQuery
from fablab.api.views import Endpoint, created, query_of
from fablab.core.errors import Malformed, NotFound, Problem
from jobs.inspection.findings import Report
from jobs.uploads.queries import own_uploads, upload_for
from jobs.uploads.services import receive
from jobs.uploads.words import say_finding

FILE = {(200, "application/octet-stream"): OpenApiTypes.BINARY}
PICTURE = {(200, "image/png"): OpenApiTypes.BINARY}


def upload_shape(upload: Any) -> Mapping[str, Any]:
    return {
        "id": upload.pk,
        "name": upload.name,
        "sha256": upload.sha256,
        "size": upload.size,
        "origin": upload.origin,
        "state": upload.state,
        "created_at": stamp(upload.created_at),
        "report": report_shape(upload) if upload.report else None,
    }


def report_shape(upload: Any) -> Mapping[str, Any]:
    report = Report.from_json(upload.report)
    told = report.as_json()
    return {
        "format": report.format,
        "size_mm": told["size_mm"],
        "minutes": report.minutes,
        "material": told["material"],
        "findings": [{**finding.as_json(), "detail": say_finding(finding)} for finding in report.findings],
        "thumbnail": f"/api/v1/uploads/{upload.pk}/thumbnail/" if upload.has_picture else None,
    }


class UploadIn(Strict):
    file = serializers.FileField()


class Uploads(Endpoint):
    in_pages = True
    parser_classes = (MultiPartParser,)

    @extend_schema(operation_id="upload_list", responses=out.page_of(out.UploadOut))
    def get(self, request: Request) -> Response:
        query_of(request, NoQuery, lists=True)
        pages = Cursors("-created_at", "pk")
        return pages.answer(
            [upload_shape(row) for row in pages.page_of(own_uploads(self.person), request, self)]
        )

    @extend_schema(
        operation_id="upload_send", request={"multipart/form-data": UploadIn}, responses={201: out.UploadOut}
    )
    def post(self, request: Request) -> Response:
        file = the_file(request)
        upload = receive(file.file, name=str(file.name), owner=self.person, at=self.at)
        return created(upload_shape(upload), f"/api/v1/uploads/{upload.pk}/")


def the_file(request: Request) -> Any:
    """Return the one part called ``file``. Raises ``Malformed`` for any other, and for a second one."""
    form, files = request._request.POST, request._request.FILES
    others = sorted({*form, *files} - {"file", "csrfmiddlewaretoken"})
    problems = [Problem("unknown_field", {"field": name[:80]}, name[:80]) for name in others]
    given = files.getlist("file")
    if len(given) > 1 or (given and "file" in form):
        problems.append(Problem("field_twice", {"field": "file"}, "file"))
    elif not given:
        problems.append(Problem("file_missing", field="file"))
    if problems:
        raise Malformed(*problems)
    return given[0]


class UploadDetail(Endpoint):
    @extend_schema(operation_id="upload", responses=out.UploadOut)
    def get(self, request: Request, upload_id: str) -> Response:
        return Response(upload_shape(upload_for(self.person, upload_id)))


class UploadFile(Endpoint):
    @extend_schema(operation_id="upload_file", responses=FILE)
    def get(self, request: Request, upload_id: str) -> HttpResponseBase:
        upload = upload_for(self.person, upload_id)
        return send_file(
            request._request, upload.path, name=upload.name, content_type="application/octet-stream"
        )


class UploadThumbnail(Endpoint):
    """Our own drawing of the file, never a picture from inside it."""

    @extend_schema(operation_id="upload_thumbnail", responses=PICTURE)
    def get(self, request: Request, upload_id: str) -> HttpResponseBase:
        upload = upload_for(self.person, upload_id)
        if not upload.has_picture:
            raise NotFound
        return send_file(
            request._request, upload.picture_path, name=f"{upload.pk}.png", content_type="image/png"
        )
