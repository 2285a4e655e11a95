"""Files of forms while Django parses them: in the spool, where what a killed process leaves is swept away."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.files.uploadhandler import TemporaryFileUploadHandler

from fablab.core.disk import full_is_no_room
from fablab.core.errors import NoRoom

NO_ROOM = "fablab.no_room"  # in the WSGI environment: why the page could not be made


class SpooledFiles(TemporaryFileUploadHandler):
    """Raises ``NoRoom`` on a full disk, and notes it for the front: a form may be parsed where no view catches it."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        with self._told():
            super().new_file(*args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        with self._told():
            return super().receive_data_chunk(raw_data, start)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            with full_is_no_room():
                yield
        except NoRoom:
            self.upload_interrupted()  # Django leaves the half file to the garbage collector
            if self.request is not None:
                self.request.META[NO_ROOM] = True
            raise
