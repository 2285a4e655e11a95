"""Files of forms while Django parses them: in the spool, where what a killed process leaves is swept away."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.core.files.uploadhandler import TemporaryFileUploadHandler

from fablab.core import disk
from fablab.core.errors import NoRoom

NO_ROOM = "fablab.no_room"  # in the WSGI environment: why the page could not be made


class SpooledFiles(TemporaryFileUploadHandler):
    """Raises ``NoRoom`` on a full disk, or where the rest is the database's, and notes it for the front.

    A form may be parsed where no view catches it.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        with self._told():
            super().new_file(*args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        with self._told():
            if not disk.has_room(len(raw_data)):
                raise NoRoom("storage_full")
            return super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> Any:
        with self._told():  # the last few bytes are written here
            return super().file_complete(file_size)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            with disk.full_is_no_room():
                yield
        except NoRoom:
            if self.request is not None:
                self.request.META[NO_ROOM] = True
            with suppress(OSError):  # closing writes what it holds back, once more
                self.upload_interrupted()  # Django leaves the half file to the garbage collector
            raise
