"""Files without a name: what is spooled vanishes with its process, its request or its client, whatever happens."""

import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from fablab.core.disk import FULL

LEFT_OVER = 24 * 3600.0  # seconds


class StorageFull(Exception):
    """The disk, the quota or the process's file-size limit is used up."""


def nameless_file(folder: Path) -> IO[bytes]:
    """Return a new unbuffered file in ``folder`` that no directory lists.

    :raises StorageFull: when there is no room even for that.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return tempfile.TemporaryFile(dir=folder, buffering=0)
    except OSError as error:
        raise _translated(error) from error


def write_all(file: IO[bytes], data: bytes) -> None:
    """Write everything.

    :raises StorageFull: when there is no room.
    """
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        raise _translated(error) from error


def _translated(error: OSError) -> Exception:
    return StorageFull(str(error)) if error.errno in FULL else error


def sweep(folder: Path) -> int:
    """Remove what an earlier process left in the spool, a day old and older; return how many files that were.

    Ours have no name and need no sweeping; the form parser's temporary files, which live here too, have one.
    """
    removed = 0
    if folder.is_dir():
        for path in folder.iterdir():
            with suppress(FileNotFoundError):  # somebody else's, and gone meanwhile
                if path.is_file() and time.time() - path.stat().st_mtime > LEFT_OVER:
                    path.unlink()
                    removed += 1
    return removed
