"""The only way to a stored file: rights were asked by the view, and nothing in the file can run in a browser."""

from pathlib import Path

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import content_disposition_header

from fablab.core.errors import NotFound
from fablab.front.bridge import FileWrapper


def send_file(request: HttpRequest, path: Path, *, name: str, content_type: str) -> HttpResponseBase:
    """Return a file as a download. Raises ``NotFound`` when it was removed.

    The front streams it without holding a page's thread; a plain WSGI server reads it itself.
    """
    if not path.is_file():
        raise NotFound
    response: HttpResponseBase
    if request.META.get("wsgi.file_wrapper") is FileWrapper:
        response = HttpResponse(headers={"X-Send-File": str(path), "Content-Type": content_type})
    else:
        response = FileResponse(path.open("rb"), content_type=content_type)
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "private, no-store"
    return response
