"""Whether there is room for what people bring (fault case 12): asked of the disks, and of the last refusal.

The same for everybody and cheap enough for every page: one call a folder, nothing is stored but the age of one empty
file. Only disks of this computer are seen; a PostgreSQL elsewhere watches its own.
"""

import errno
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from django.conf import settings
from django.db import connection

from fablab.core.errors import NoRoom

logger = logging.getLogger(__name__)

REFUSAL_COUNTS = timedelta(
    hours=1
)  # a quota is not seen from here: what it refused must be told by its refusal
FLOOR_PART = 5  # of DISK_LOW_BYTES: what people bring leaves that much to the database
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Short(StrEnum):
    """Why room is short."""

    LOW = "disk_low"  # nearly full: gone when room is back
    REFUSED = "disk_refused"  # the disk has room, and yet a file was refused: a quota, a limit of the process


def short_of_room(at: datetime) -> tuple[Short, datetime | None] | None:
    """Return why room is short and since when (None: nobody knows), or None when there is enough."""
    if any(_free(folder) < settings.DISK_LOW_BYTES for folder in _folders()):
        return Short.LOW, None
    try:
        refused = datetime.fromtimestamp(_mark().stat().st_mtime, UTC)
    except FileNotFoundError:
        return None
    return (Short.REFUSED, refused) if abs(at - refused) < REFUSAL_COUNTS else None


def has_room(more: int = 0) -> bool:
    """Return whether ``more`` bytes of what people bring leave enough to the database and to what runs already."""
    floor = settings.DISK_LOW_BYTES // FLOOR_PART
    return all(_free(folder) - more >= floor for folder in _folders())


@contextmanager
def full_is_no_room() -> Iterator[None]:
    """Have a full disk, a quota or the process's limit within the block be a noted ``NoRoom("storage_full")``."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        note_refusal()
        raise NoRoom("storage_full") from error


def note_refusal() -> None:
    """Remember that something was refused for lack of room. Never raises: whoever calls has trouble enough."""
    if any(_free(folder) < settings.DISK_LOW_BYTES for folder in _folders()):
        return  # that is seen without a mark, and ends by itself
    try:
        _mark().touch()  # an empty file needs no room
        os.utime(_mark(), (now := time.time(), now))
    except OSError as error:
        logger.error("A refusal for lack of room could not be noted: %s", error)


def _mark() -> Path:
    return Path(settings.VAR_DIR) / "no-room"


def _folders() -> set[Path]:
    """Return the folders that must have room: files, what is being received, the database where it is a file."""
    folders = {Path(settings.MEDIA_ROOT), Path(settings.VAR_DIR) / "spool"}
    if connection.vendor == "sqlite":
        folders.add(Path(str(connection.settings_dict["NAME"])).parent)
    return folders


def _free(folder: Path) -> int:
    """Return the bytes that this process may still write there; a folder that is not made yet is asked above."""
    while True:
        try:
            disk = os.statvfs(folder)
        except FileNotFoundError:
            folder = folder.parent
            continue
        return disk.f_bavail * disk.f_frsize
