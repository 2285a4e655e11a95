"""Bytes on disk: received beside their place, hashed, then put there in one step. No database."""

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from fablab.core import disk
from fablab.core.errors import NoRoom, Problem, Refused, TooLarge
from fablab.core.ids import new_id
from jobs.inspection.formats import gcode
from jobs.inspection.registry import HEAD_BYTES
from jobs.inspection.signatures import ending

PIECE_BYTES = 1024 * 1024
PARTIALS_KEPT_SECONDS = 24 * 3600
GCODE_ENDINGS = {"gcode", "gco", "g"}


@dataclass(frozen=True)
class Received:
    """A whole file in the antechamber: its path there, its SHA-256 and its size in bytes."""

    path: Path
    sha256: str
    size: int


def antechamber() -> Path:
    """Return the folder of files that are still arriving; on the same disk as their place, so a move is one step."""
    folder = Path(settings.MEDIA_ROOT) / "incoming"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def receive_bytes(source: BinaryIO, name: str, sha256: str = "", *, brought: bool = False) -> Received:
    """Copy ``source`` into the antechamber, limited in size, hashed, safe from a power cut.

    Lines of G-code that hold somebody's printer key are left out before hashing (SEC-4). Raises ``TooLarge``,
    ``NoRoom``, or ``Refused("file_damaged")`` when ``sha256`` is given and is not what came; nothing is left behind
    then. What people ``brought`` leaves the database its room; what we make of it may use the rest.
    """
    partial = antechamber() / f"{new_id()}.part"
    cleaned = partial.with_suffix(".clean")
    with disk.full_is_no_room(), _nothing_left(partial, cleaned):
        received = _copy(source, partial, brought)
        if sha256 and received.sha256 != sha256:
            raise Refused("file_damaged")
        if _may_be_gcode(partial, name):
            # Made by us first: the mode must be private from its first byte.
            os.close(os.open(cleaned, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            if gcode.strip_secrets(partial, cleaned):
                cleaned.replace(partial)
                received = _measure(partial)
            else:
                cleaned.unlink()
    return received


@contextmanager
def _nothing_left(*paths: Path) -> Iterator[None]:
    """Remove these when the block is not ended well."""
    try:
        yield
    except BaseException:
        for path in paths:
            path.unlink(missing_ok=True)
        raise


def put(received: Received, place: Path) -> None:
    """Move a received file to its place for good. Raises ``NoRoom``."""
    with disk.full_is_no_room():
        _put(received, place)


def _put(received: Received, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    received.path.replace(place)
    _sync(place.parent)


def old_folders() -> dict[str, Path]:
    """Return the folders of stored files that were made a day ago and earlier, by their upload's id.

    Files' own ages are wall-clock: ask ``fablab.core.witness`` first.
    """
    latest, found = time.time() - PARTIALS_KEPT_SECONDS, {}
    for folder in (Path(settings.MEDIA_ROOT) / "uploads").glob("*/*"):
        with suppress(FileNotFoundError):
            if folder.stat().st_mtime < latest:
                found[folder.name] = folder
    return found


def remove(folder: Path) -> None:
    """Remove an upload's folder with everything in it; a missing one is no error."""
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _copy(source: BinaryIO, target: Path, brought: bool) -> Received:
    digest, size, most = hashlib.sha256(), 0, settings.UPLOAD_LIMIT_BYTES
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        while piece := source.read(PIECE_BYTES):
            size += len(piece)
            if size > most:
                raise TooLarge(Problem("too_large", {"most_mb": most // 1_000_000}, "file"))
            if brought and not disk.has_room(len(piece)):
                raise NoRoom("storage_full")
            digest.update(piece)
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())
    return Received(target, digest.hexdigest(), size)


def _measure(path: Path) -> Received:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
        digest = hashlib.file_digest(stream, "sha256")
    return Received(path, digest.hexdigest(), path.stat().st_size)


def _may_be_gcode(path: Path, name: str) -> bool:
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    return ending(name) in GCODE_ENDINGS or gcode.sniff(head)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def purge_partials() -> int:
    """Remove what a killed process left half received a day ago (case 14); return how many files that were.

    Files' own ages are wall-clock: ask ``fablab.core.witness`` first.
    """
    oldest, removed = time.time() - PARTIALS_KEPT_SECONDS, 0
    for partial in antechamber().iterdir():
        with suppress(FileNotFoundError):
            if partial.stat().st_mtime < oldest:
                partial.unlink()
                removed += 1
    return removed
