"""Files that arrive in several requests (tus 1.0): begun, continued where the line was cut, dropped. No database.

One is two files in its person's own folder: its bytes so far, and what was said of it at the beginning. How many bytes
there are is the size of the first, so that a killed process, a power cut and we ourselves can never disagree about it.
Whoever writes to one holds its file lock, which ends with its process.
"""

import fcntl
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from fablab.core import disk
from fablab.core.errors import Conflict, Malformed, NoRoom, NotFound, Problem, TooLarge, TooMany
from fablab.core.ids import ID_LENGTH, SAFE_SYMBOLS, new_id
from jobs.uploads.names import clean_name

PIECE_BYTES = 1024 * 1024
MOST_OPEN = 5  # of one person
ABANDONED_SECONDS = 600.0  # without a byte: when there are too many, the oldest of these makes room
KEPT_SECONDS = 24 * 3600.0  # after the last byte
ID = re.compile(f"[{SAFE_SYMBOLS}]{{{ID_LENGTH}}}")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Arriving:
    """A file on its way here: ``offset`` of ``size`` bytes are there. ``sha256`` is what it must be, or ""."""

    id: str
    name: str
    size: int
    sha256: str
    offset: int


def begin(person_id: str, *, name: str, size: int, sha256: str = "", may_replace: bool = True) -> Arriving:
    """Make room for a file of ``size`` bytes; the same file begun before (by its hash) is given again, as far as it is.

    It has the name that was said last. ``may_replace`` allows that an abandoned one makes room. Raises ``TooLarge``,
    ``Malformed``, ``TooMany``, ``NoRoom``.
    """
    if size > settings.UPLOAD_LIMIT_BYTES:
        most = settings.UPLOAD_LIMIT_BYTES // 1_000_000
        raise TooLarge(Problem("too_large", {"most_mb": most}, "file"))
    if size < 1:
        raise Malformed(Problem("empty_file", field="file"))
    if sha256 and not SHA256.fullmatch(sha256):
        raise Malformed(Problem("field_invalid", {"field": "sha256"}, "sha256"))
    folder, called = _folder(person_id), clean_name(name)
    with disk.full_is_no_room(), _locked_folder(folder):
        there = _there(folder)
        for one in there:
            if sha256 and (one.sha256, one.size) == (sha256, size):
                again = replace(one, name=called)
                if again != one:
                    _say(folder, again)
                return again
        if not disk.has_room(size):
            raise NoRoom("storage_full")
        if len(there) >= MOST_OPEN and not (may_replace and _dropped_one(folder)):
            raise TooMany("too_many_arriving")
        begun = Arriving(new_id(), called, size, sha256, 0)
        try:  # what was said of it first: without its bytes it is nobody's
            _say(folder, begun)
            os.close(os.open(folder / f"{begun.id}.part", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError:
            drop(person_id, begun.id)
            raise
    return begun


def find(person_id: str, arriving_id: str) -> Arriving:
    """Return the person's own file on its way. Raises ``NotFound`` for anybody else's and none."""
    path = _path(person_id, arriving_id)
    try:
        said = json.loads(path.with_suffix(".json").read_bytes())
        return Arriving(arriving_id, said["name"], said["size"], said["sha256"], path.stat().st_size)
    except (FileNotFoundError, ValueError, KeyError) as error:
        raise NotFound from error


def continue_at(person_id: str, arriving_id: str, *, offset: int, source: BinaryIO) -> int:
    """Append what ``source`` holds, and return how many bytes are there then, safe from a power cut.

    Raises ``Conflict``: ``arriving_moved_on`` when not just ``offset`` bytes are there, ``arriving_busy`` while
    somebody else appends; ``Malformed`` for more than was announced and ``NoRoom``, both with nothing
    appended.
    """
    with held(person_id, arriving_id) as (told, file):
        if offset != told.offset:
            raise Conflict(Problem("arriving_moved_on", {"offset": told.offset}))
        file.seek(offset)
        try:
            with disk.full_is_no_room():
                there = _append(file, source, offset, told.size)
        except (Malformed, NoRoom):
            # A source that broke off has brought what it has brought; too much, and no room, have brought nothing.
            file.truncate(offset)
            raise
    return there


def _append(file: BinaryIO, source: BinaryIO, offset: int, size: int) -> int:
    there = offset
    while piece := source.read(PIECE_BYTES):
        there += len(piece)
        if there > size:
            raise Malformed("arriving_too_long")
        if not disk.has_room(len(piece)):
            raise NoRoom("storage_full")
        rest = memoryview(piece)
        while rest:
            rest = rest[file.write(rest) :]
    os.fsync(file.fileno())
    return there


@contextmanager
def held(person_id: str, arriving_id: str) -> Iterator[tuple[Arriving, BinaryIO]]:
    """Keep others from writing to it for as long as the block runs. ``NotFound``, ``Conflict("arriving_busy")``."""
    path = _path(person_id, arriving_id)
    try:
        file = path.open("r+b", buffering=0)
    except FileNotFoundError as error:
        raise NotFound from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict("arriving_busy") from error
        yield find(person_id, arriving_id), file  # asked under the lock: dropped in between, it is not found


def still_coming(person_id: str, address: str) -> None:
    """Note that a piece for the file at ``address`` is under way: it is not abandoned. Nobody's is no error."""
    with suppress(NotFound, FileNotFoundError):
        os.utime(_path(person_id, address.rstrip("/").rpartition("/")[2]))


def drop(person_id: str, arriving_id: str) -> None:
    """Forget a file on its way; one that is gone already is no error."""
    path = _path(person_id, arriving_id)
    path.unlink(missing_ok=True)
    path.with_suffix(".json").unlink(missing_ok=True)
    path.with_suffix(".said").unlink(missing_ok=True)


def drop_all(person_id: str) -> None:
    """Forget all that is on its way from one person: nobody will send the rest."""
    with suppress(FileNotFoundError):
        shutil.rmtree(_folder(person_id))


def purge() -> int:
    """Remove what got no byte for a day; return how many files that were. Files' own ages are wall-clock.

    Ask ``fablab.core.witness`` first: by a clock that stands a year ahead everything would be old.
    """
    removed = 0
    for path in _root().glob("*/*"):
        if _age(path) > KEPT_SECONDS and _age(path.with_suffix(".part")) > KEPT_SECONDS:
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _dropped_one(folder: Path) -> bool:
    """Remove the person's own that was left longest ago, when that is long enough."""
    oldest = max(folder.glob("*.part"), key=_age)
    if _age(oldest) < ABANDONED_SECONDS:
        return False
    drop(folder.name, oldest.stem)
    return True


def _age(path: Path) -> float:
    """Return for how many seconds nothing was written to it; for ever, when it is not there."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _there(folder: Path) -> list[Arriving]:
    found = []
    for path in folder.glob("*.part"):
        with suppress(NotFound):
            found.append(find(folder.name, path.stem))
    return found


def _say(folder: Path, one: Arriving) -> None:
    """Keep what is said of it; whoever reads it meanwhile reads what was said before."""
    place = folder / f"{one.id}.json"
    written = place.with_suffix(".said")
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"name": one.name, "size": one.size, "sha256": one.sha256}, file)
    written.replace(place)


@contextmanager
def _locked_folder(folder: Path) -> Iterator[None]:
    """One after the other of this person's beginnings: each counts what the one before has made."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _root() -> Path:
    return Path(settings.MEDIA_ROOT) / "arriving"


def _folder(person_id: str) -> Path:
    return _root() / person_id


def _path(person_id: str, arriving_id: str) -> Path:
    if not ID.fullmatch(arriving_id):  # it becomes part of a path
        raise NotFound
    return _folder(person_id) / f"{arriving_id}.part"
