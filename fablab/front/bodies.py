"""Takes a request's body in before a page thread is taken, however slowly it trickles."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import IO, Any

from fablab.core import disk as disks
from fablab.front.limits import Limits
from fablab.front.room import Door
from fablab.front.spool import StorageFull, nameless_file, write_all

Receive = Callable[[], Awaitable[Any]]


class TooLarge(Exception):
    """``limit`` is how many bytes would have been allowed."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


class BrokenOff(Exception):
    """The body did not come to its end. ``came`` is what did come, where that was to be kept; close it."""

    came: "Body | None" = None


class TooSlow(BrokenOff):
    """Nothing came for too long, or next to nothing."""


class ClientGone(BrokenOff):
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

    def __init__(self, stream: IO[bytes], size: int, door: Door | None = None) -> None:
        self.stream = stream
        self.size = size
        self._door = door

    def close(self) -> None:
        self.stream.close()
        if self._door is not None:
            self._door.close()


class Line:
    """Where a body comes in. Who knows that nothing more will come gives it up, and need not wait for ``idle``."""

    def __init__(self, receive: Receive, idle: float) -> None:
        self._receive = receive
        self._idle = idle
        self._waiting: asyncio.Timeout | None = None
        self._given_up = False

    def give_up(self) -> None:
        """Have the one who waits find it too slow now. What came until then has come."""
        self._given_up = True
        if self._waiting is not None:
            self._waiting.reschedule(asyncio.get_running_loop().time())

    async def next(self) -> tuple[bytes, bool]:
        """Return what comes next, and whether there is more. Raises ``TooSlow``, ``ClientGone``."""
        if self._given_up:
            raise TooSlow
        try:
            async with asyncio.timeout(self._idle) as self._waiting:
                event = await self._receive()
        except TimeoutError:
            raise TooSlow from None
        finally:
            self._waiting = None
        if event["type"] == "http.disconnect":
            raise ClientGone
        return event.get("body", b""), event.get("more_body", False)


class _Holding:
    """Bytes that come in: in memory first, in a nameless file when they get many."""

    def __init__(self, limits: Limits, disk: Executor, door: Door) -> None:
        self._limits = limits
        self._disk = disk
        self._door = door
        self._held = bytearray()
        self._file: IO[bytes] | None = None
        self.size = 0

    async def add(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self._held += chunk
        if len(self._held) > self._limits.body_in_memory:
            await self._write()

    async def whole(self) -> Body:
        """Return everything so far, and hold nothing any more."""
        if self._file is None:
            return Body(io.BytesIO(bytes(self._held)), self.size)
        await self._write()
        self._file.seek(0)
        body, self._file = Body(self._file, self.size, self._door), None
        return body

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        if self._file is None:
            await self._door.open(len(self._held), self._disk)
            self._file = await loop.run_in_executor(self._disk, nameless_file, self._limits.spool)
        data, self._held = bytes(self._held), bytearray()
        self._door.take(len(data))
        await loop.run_in_executor(self._disk, _write_above_the_floor, self._file, data)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._door.close()


def _write_above_the_floor(file: IO[bytes], data: bytes) -> None:
    if not disks.has_room(len(data)):
        raise StorageFull("what is left is the database's")
    write_all(file, data)


async def take_in(
    line: Line,
    path: str,
    declared: int | None,
    limits: Limits,
    disk: Executor,
    door: Door,
    *,
    keep_part: bool = False,
) -> Body:
    """Receive a whole body: a small one into memory, a larger one, through the ``door``, into a nameless file.

    With ``keep_part`` what came before the line broke is handed on with the error.

    :raises TooLarge: at once when ``declared`` (the Content-Length) says so, else at the first byte too many.
    :raises TooSlow: after ``idle`` seconds without a byte, or too few in a window.
    :raises ClientGone: when the client cuts off.
    :raises StorageFull: when the disk is full, or has no more than the database needs.
    :raises Unknown: when it is no small one and nobody is signed in; at once when ``declared`` says so.
    :raises Crowded: when too much is being received.
    """
    limit = limits.largest_body(path)
    if declared is not None and declared > limit:
        raise TooLarge(limit)
    if declared is not None and declared > limits.body_in_memory:
        await door.open(declared, disk)
    loop = asyncio.get_running_loop()
    pace = Pace(limits, loop.time())
    holding = _Holding(limits, disk, door)
    try:
        more = True
        while more:
            chunk, more = await line.next()
            if holding.size + len(chunk) > limit:
                raise TooLarge(limit)
            await holding.add(chunk)
            if more:
                pace.came(len(chunk), loop.time())
                await door.came(loop.time(), disk)
        return await holding.whole()
    except BrokenOff as error:
        if keep_part:
            error.came = await holding.whole()
        raise
    finally:
        holding.close()
