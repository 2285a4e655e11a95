"""Pictures and files of objects: who asks is checked each time, and nothing in a file can run in a browser."""

from django.http import HttpRequest, HttpResponseBase

from fablab.api.files import send_file
from fablab.core.errors import NotFound
from fablab.dashboard.requests import here, signed_in
from jobs.lifecycle.queries import job_for
from jobs.uploads.queries import upload_for

PICTURE_KEPT_S = 3600  # in the person's own browser: a picture of a file never changes


@signed_in
def upload_picture(request: HttpRequest, upload_id: str) -> HttpResponseBase:
    """The picture that was drawn of a file."""
    upload = upload_for(here(request).person, upload_id)
    answer = send_file(request, upload.picture_path, name="image.png", content_type="image/png")
    answer.headers["Cache-Control"] = f"private, max-age={PICTURE_KEPT_S}"
    return answer


@signed_in
def source_file(request: HttpRequest, job_id: str) -> HttpResponseBase:
    """The file as the person handed it in."""
    upload = job_for(here(request).person, job_id).upload
    return send_file(request, upload.path, name=upload.name, content_type="application/octet-stream")


@signed_in
def machine_file(request: HttpRequest, job_id: str) -> HttpResponseBase:
    """The file that the machine gets, or would get."""
    upload = job_for(here(request).person, job_id).machine_file
    if upload is None:
        raise NotFound
    return send_file(request, upload.path, name=upload.name, content_type="application/octet-stream")
