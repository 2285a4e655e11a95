"""What is done to the folder itself: blocking, by handles, never by a path that somebody could bend meanwhile.

A share need not know hard links, `O_TMPFILE` or how to rename without overwriting, so a file grows under a
hidden name ending in `.part`, which machines do not read, and gets its own name when it is whole.
"""

import errno
import hashlib
import os
import re
import secrets
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from equipment.drivers.base import Code, DriverError
from equipment.drivers.folders import Folder

CHUNK = 128 * 1024  # bytes
FLUSHED_EACH = 4 * 1024 * 1024  # bytes
MOST_LISTED = 1000  # files
FORGOTTEN_AFTER_S = 24 * 3600  # an unfinished copy of ours that nobody came back to
PART = re.compile(r"\.([A-Z0-9]{1,8}\.[A-Z0-9]{1,3})\.[0-9a-f]{8}\.part")

Link = Callable[[str, str, int], None]
"""Give a file a second name in the same folder, by the folder's handle; refuses a name that is taken."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_WRITE_REFUSED = {errno.EROFS, errno.EACCES, errno.EPERM}
_NAME_REFUSED = {errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.EISDIR}
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL}


class Cancelled(Exception):
    """Whoever asked has gone; nothing was shown."""


class SourceUnreadable(OSError):
    """Our own file cannot be read: no trouble of the machine."""


def link(old: str, new: str, folder: int) -> None:
    os.link(old, new, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)


class Shelf:
    """The open folder, for one piece of work in one thread. Raises DriverError for all that is wrong with it."""

    def __init__(self, where: Folder, link: Link) -> None:
        self._where = where
        self._link = link
        self._handle = -1

    def __enter__(self) -> Self:
        with _said(reading=True):
            self._handle = self._open()
        return self

    def __exit__(self, *problem: object) -> None:
        os.close(self._handle)

    def _open(self) -> int:
        """Walk down from the listed folder; below it no link is followed, wherever it leads."""
        handle = os.open(self._where.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for piece in self._where.below:
            try:
                if stat.S_ISLNK(os.stat(piece, dir_fd=handle, follow_symlinks=False).st_mode):
                    raise DriverError(Code.ADDRESS_FORBIDDEN, reason="link")
                further = os.open(
                    piece, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle
                )
            finally:
                os.close(handle)
            handle = further
        return handle

    def demand_writable(self) -> None:
        """Raises `folder_read_only` when a copy would fail for that. Writes nothing."""
        with _said():
            if os.fstatvfs(self._handle).f_flag & os.ST_RDONLY:
                raise OSError(errno.EROFS, "read only")
            if not os.access(".", os.W_OK | os.X_OK, dir_fd=self._handle, effective_ids=True):
                raise OSError(errno.EACCES, "no right to write")

    def size_of(self, name: str) -> int | None:
        """Bytes; `None` when no file lies there. A link or a folder of that name is no file."""
        with _said(reading=True):
            try:
                found = os.stat(name, dir_fd=self._handle, follow_symlinks=False)
            except FileNotFoundError:
                return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def hash_of(self, name: str, alive: Callable[[int], None] = lambda count: None) -> tuple[int, str] | None:
        """Size and SHA-1, by reading it all; `None` when no file lies there. `alive(0)` is called all the while."""
        if self.size_of(name) is None:
            return None
        with _said(reading=True):
            try:
                handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._handle)
            except FileNotFoundError:
                return None
            digest, size = hashlib.sha1(usedforsecurity=False), 0
            with os.fdopen(handle, "rb", buffering=0) as file:
                while chunk := file.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    alive(0)
            return size, digest.hexdigest()

    def listed(self) -> list[tuple[str, int]]:
        """Names and sizes of the files that a machine sees, by name; at most `MOST_LISTED`."""
        found: list[tuple[str, int]] = []
        with _said(reading=True), os.scandir(self._handle) as entries:
            for entry in entries:
                if entry.name.startswith(".") or not entry.is_file(follow_symlinks=False):
                    continue
                with suppress(FileNotFoundError):  # taken away while we look
                    found.append((entry.name, entry.stat(follow_symlinks=False).st_size))
                if len(found) == MOST_LISTED:
                    break
        return sorted(found)

    def remove(self, name: str) -> None:
        """Take a file away, and what was left of copies of it."""
        with _said():
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=self._handle)
            self._sweep(name)

    def put(
        self,
        source: Path,
        name: str,
        sha1: str,
        size: int,
        given_up: threading.Event,
        tell: Callable[[int], None],
    ) -> None:
        """Make `source` appear as `name`, whole, or leave everything as it was.

        `tell(written)` counts bytes; with 0 it only says that something moves.
        Raises DriverError, `Cancelled`, `SourceUnreadable`.
        """
        if (lying := self.hash_of(name, tell)) is not None:
            if lying != (size, sha1):
                raise DriverError(Code.FILE_DIFFERS)
            return
        part = f".{name}.{secrets.token_hex(4)}.part"
        with _said():
            self._sweep(name)
            try:
                self._write(source, part, given_up, tell)
                if self.hash_of(part, tell) != (size, sha1):
                    raise DriverError(Code.FILE_DIFFERS)
                if given_up.is_set():
                    raise Cancelled
                self._show(part, name)
            finally:
                with suppress(OSError):  # it has its name already, or the folder has gone
                    os.unlink(part, dir_fd=self._handle)
            self._settle()

    def _write(self, source: Path, part: str, given_up: threading.Event, tell: Callable[[int], None]) -> None:
        handle = os.open(
            part,
            os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC,
            0o666,  # the machine reads it as another user; the process's mask decides how far
            dir_fd=self._handle,
        )
        with os.fdopen(handle, "wb", buffering=0) as file:
            written = flushed = 0
            for chunk in _chunks_of(source):
                rest = memoryview(chunk)
                while rest:
                    if given_up.is_set():
                        raise Cancelled
                    count = file.write(rest) or 0
                    rest = rest[count:]
                    written += count
                    tell(written)
                if written - flushed >= FLUSHED_EACH:
                    # Bit by bit: one flush at the end of a large file would seem to hang on a slow share.
                    os.fdatasync(file.fileno())
                    flushed = written
                    tell(0)
            os.fsync(file.fileno())
            # So that reading it back asks the folder, not this computer's memory of what was written.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def _show(self, part: str, name: str) -> None:
        try:
            self._link(part, name, self._handle)
        except FileExistsError as problem:
            raise DriverError(Code.FILE_DIFFERS) from problem
        except OSError as problem:
            if problem.errno not in _NO_LINKS:
                raise
            # A rename replaces what lies there, whatever it is, so look first. The name is this attempt's own.
            with suppress(FileNotFoundError):
                os.stat(name, dir_fd=self._handle, follow_symlinks=False)
                raise DriverError(Code.FILE_DIFFERS) from problem
            os.rename(part, name, src_dir_fd=self._handle, dst_dir_fd=self._handle)

    def _settle(self) -> None:
        """Keep the new name over a power cut, where the file system can."""
        with suppress(OSError):
            os.fsync(self._handle)

    def _sweep(self, name: str) -> None:
        """Remove what is left of copies: of this file all, for only one copies it; of others what is a day old."""
        newest = os.fstat(self._handle).st_mtime  # the folder's own clock: ours may differ
        with os.scandir(self._handle) as entries:
            parts = [entry for entry in entries if PART.fullmatch(entry.name)]
        for entry in parts:
            match = PART.fullmatch(entry.name)
            with suppress(FileNotFoundError):
                age = newest - entry.stat(follow_symlinks=False).st_mtime
                if (match is not None and match[1] == name) or age > FORGOTTEN_AFTER_S:
                    os.unlink(entry.name, dir_fd=self._handle)


def _chunks_of(source: Path) -> Iterator[bytes]:
    try:
        with source.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except OSError as problem:
        raise SourceUnreadable(problem.errno, "our own file cannot be read") from problem


@contextmanager
def _said(*, reading: bool = False) -> Iterator[None]:
    """What the system's words mean for a machine's folder."""
    try:
        yield
    except SourceUnreadable:
        raise
    except OSError as problem:
        raise _meaning(problem, reading) from problem


def _meaning(problem: OSError, reading: bool) -> DriverError:
    number = problem.errno
    if number in _FULL:
        return DriverError(Code.STORAGE_REFUSED, reason="full")
    if number in _WRITE_REFUSED:
        return DriverError(Code.FOLDER_UNREADABLE if reading else Code.FOLDER_READ_ONLY)
    if number in _NAME_REFUSED:
        return DriverError(Code.STORAGE_REFUSED, reason="name")
    if number == errno.ETIMEDOUT:
        return DriverError(Code.TIMED_OUT)
    if number == errno.ELOOP:
        return DriverError(Code.ADDRESS_FORBIDDEN, reason="link")
    # Not there, not a folder, a share whose server went away (ENOTCONN, ESTALE, EIO, EHOSTDOWN).
    return DriverError(Code.FOLDER_MISSING, reason=errno.errorcode.get(number or 0, "unknown").lower())
