"""The folder driver: a file appears, whole or not at all, where a machine or its computer looks for it."""

import asyncio
import hashlib
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from equipment.drivers.aside import aside, begin
from equipment.drivers.base import Capabilities, Code, Connection, DriverError, Probe, RemoteFile
from equipment.drivers.folder import names, shelf
from equipment.drivers.folder.shelf import Cancelled, Shelf
from equipment.drivers.folders import Folder, NotListed, parse_folder
from equipment.drivers.unable import Unable

CAPABILITIES = Capabilities(address=True, send=True)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes. No call waits longer."""

    answer: float = 10.0  # a look into the folder
    stall: float = 30.0  # without any byte written
    slowest: int = 32 * 1024  # bytes a second: a whole copy is limited by it, plus a minute


class FolderDriver(Unable):
    """One watched folder. Keeps the promises of `base.Driver`; its pitfalls are in QUALITY.md.

    The folder has no subfolders of ours, because machines do not look into them: what callers call a folder is
    left out of the path, and every file lies at the top under a short name (`names.short_name`).
    """

    def __init__(
        self, connection: Connection, *, limits: Limits | None = None, link: shelf.Link = shelf.link
    ) -> None:
        self._connection = connection
        self._limits = limits or Limits()
        self._link = link

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def place(self) -> str:
        return self._folder().path

    async def probe(self) -> Probe:
        """As promised: the folder is there, and we may write to it. A folder has no version and no account."""
        await self._look(lambda here: here.demand_writable())
        return Probe("", None, ())

    async def send(
        self,
        source: Path,
        folder: str,
        name: str,
        note: Mapping[str, str | int],
        on_progress: Callable[[int, int], None] | None = None,
    ) -> RemoteFile:
        """As promised. The file has its name only when all its bytes were read back and are the right ones.

        A note has no place in a folder and is left out.
        """
        where = self._folder()
        final = names.short_name(name)
        size, sha1 = await asyncio.to_thread(_measure, source)
        given_up = threading.Event()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(60 + size / self._limits.slowest):
                async with asyncio.timeout(self._limits.stall) as stall:

                    def moved(written: int) -> None:
                        if stall.expired():
                            return
                        stall.reschedule(loop.time() + self._limits.stall)
                        if on_progress is not None and written:
                            on_progress(written, size)

                    def tell(written: int) -> None:
                        with suppress(RuntimeError):  # the loop is closed
                            loop.call_soon_threadsafe(_unless(given_up, moved), written)

                    def copy() -> None:
                        with Shelf(where, self._link) as here:
                            here.put(source, final, sha1, size, given_up, tell)

                    await begin(where.path, copy)
        except TimeoutError as problem:
            # Whoever hangs there finds that it was given up before it shows the file.
            raise DriverError(Code.TIMED_OUT, certain=False) from problem
        except Cancelled as problem:
            raise DriverError(Code.TIMED_OUT) from problem
        finally:
            given_up.set()
        return _remote(final, size, sha1)

    async def remote_file(self, path: str) -> RemoteFile | None:
        name = names.short_name(path)
        size = await self._look(lambda here: here.size_of(name))
        if size is None:
            return None
        found = await self._look(lambda here: here.hash_of(name), seconds=60 + size / self._limits.slowest)
        return None if found is None else _remote(name, *found)

    async def list_folder(self, folder: str) -> tuple[RemoteFile, ...]:
        """All files that the machine can see, for the folder has no others."""
        listed = await self._look(lambda here: here.listed())
        return tuple(_remote(name, size, None) for name, size in listed)

    async def delete(self, path: str) -> None:
        name = names.short_name(path)
        await self._look(lambda here: here.remove(name))

    def _folder(self) -> Folder:
        try:
            return parse_folder(self._connection.address, self._connection.folders)
        except NotListed as problem:
            raise DriverError(Code.ADDRESS_FORBIDDEN, reason="not_listed") from problem
        except ValueError as problem:
            raise DriverError(Code.ADDRESS_INVALID, reason=str(problem)) from problem

    async def _look(self, call: Callable[[Shelf], T], *, seconds: float | None = None) -> T:
        where = self._folder()

        def looked() -> T:
            with Shelf(where, self._link) as here:
                return call(here)

        try:
            return await aside(where.path, self._limits.answer if seconds is None else seconds, looked)
        except TimeoutError as problem:
            raise DriverError(Code.TIMED_OUT) from problem


def _unless(given_up: threading.Event, call: Callable[[int], None]) -> Callable[[int], None]:
    def called(written: int) -> None:
        if not given_up.is_set():
            call(written)

    return called


def _measure(source: Path) -> tuple[int, str]:
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False))
        return file.tell(), digest.hexdigest()


def _remote(name: str, size: int | None, sha1: str | None) -> RemoteFile:
    return RemoteFile(name, size, sha1, None, 0, 0, None, None)
