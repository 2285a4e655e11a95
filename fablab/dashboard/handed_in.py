"""The file of a form: in the form itself, or arrived before it in pieces (upload.js). One door for both."""

from typing import Any, BinaryIO, cast

from django.http import HttpRequest

from fablab.core.errors import Malformed, NotFound, Problem
from fablab.dashboard.requests import Here
from jobs.uploads.services import receive, receive_arrived

ARRIVED = "arrived"  # the field that the script puts in the file's place


def receive_file(request: HttpRequest, asked: Here) -> Any:
    """Return the stored upload. Raises ``Malformed`` for no file and an empty one, and what ``receive`` raises."""
    arrived = request.POST.get(ARRIVED)
    if arrived:
        try:
            return receive_arrived(arrived, owner=asked.person, at=asked.at)
        except NotFound as error:
            raise Malformed(Problem("file_missing", field="file")) from error
    file = request.FILES.get("file")
    if file is None or file.file is None:
        raise Malformed(Problem("file_missing", field="file"))
    if not file.size:
        raise Malformed(Problem("empty_file", field="file"))
    return receive(cast("BinaryIO", file.file), name=file.name or "", owner=asked.person, at=asked.at)
