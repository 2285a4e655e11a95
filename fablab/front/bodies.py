"""Takes a request's body in before a page thread is taken, however slowly it trickles."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import IO, Any

from fablab.front.limits import Limits
from fablab.front.spool import nameless_file, write_all

Receive = Callable[[], Awaitable[Any]]


class TooLarge(Exception):
    """``limit`` is how many bytes would have been allowed."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


class TooSlow(Exception):
    """Nothing came for too long, or next to nothing."""


class ClientGone(Exception):
    """The client cut the connection before it had sent everything."""


class Pace:
    """Notes how fast a body comes; ``idle`` is checked by whoever waits."""

    def __init__(self, limits: Limits, now: float) -> None:
        self._limits = limits
        self._since = now
        self._bytes = 0

    def came(self, count: int, now: float) -> None:
        """:raises TooSlow: when a whole window brought next to nothing."""
        self._bytes += count
        if now - self._since >= self._limits.window:
            if self._bytes < self._limits.window_bytes:
                raise TooSlow
            self._since, self._bytes = now, 0


class Body:
    """A request's body, ready to be read from the start. ``close`` gives its room back."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self.stream = stream
        self.size = size

    def close(self) -> None:
        self.stream.close()


async def take_in(receive: Receive, path: str, declared: int | None, limits: Limits, disk: Executor) -> Body:
    """Receive a whole body: a small one into memory, a larger one into a nameless file.

    :raises TooLarge: at once when ``declared`` (the Content-Length) says so, else at the first byte too many.
    :raises TooSlow: after ``idle`` seconds without a byte, or too few in a window.
    :raises ClientGone: when the client cuts off.
    :raises StorageFull: when the disk is full.
    """
    limit = limits.largest_body(path)
    if declared is not None and declared > limit:
        raise TooLarge(limit)
    loop = asyncio.get_running_loop()
    pace = Pace(limits, loop.time())
    file: IO[bytes] | None = None
    held = bytearray()
    size = 0
    try:
        more = True
        while more:
            try:
                async with asyncio.timeout(limits.idle):
                    event = await receive()
            except TimeoutError:
                raise TooSlow from None
            if event["type"] == "http.disconnect":
                raise ClientGone
            chunk = event.get("body", b"")
            more = event.get("more_body", False)
            size += len(chunk)
            if size > limit:
                raise TooLarge(limit)
            if more:
                pace.came(len(chunk), loop.time())
            held += chunk
            full = len(held) > limits.body_in_memory
            if file is None and full:
                file = await loop.run_in_executor(disk, nameless_file, limits.spool)
            if file is not None and (full or not more):
                data, held = bytes(held), bytearray()
                await loop.run_in_executor(disk, write_all, file, data)
        if file is None:
            return Body(io.BytesIO(bytes(held)), size)
        file.seek(0)
        body, file = Body(file, size), None
        return body
    finally:
        if file is not None:
            file.close()
