"""A file through an open line, piece by piece, until the machine has taken all of it."""

import array
import asyncio
import fcntl
import os
import socket
import termios
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from equipment.drivers.base import Code, DriverError

CHUNK = 16 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes. A cutter takes nothing while its buffer is full, for as long as it cuts."""

    connect: float = 3.0
    stall: float = 15 * 60.0  # without any byte taken
    whole: float = 8 * 3600.0
    parting: float = 2.0  # for a last word, after all was taken
    look: float = 0.2  # how often the system is asked what the machine has taken
    said: int = 64 * 1024  # bytes that the machine may say; they are not read
    ahead: int = (
        64 * 1024
    )  # bytes that this computer holds for the machine; what is not taken can still be cut off


async def pour(
    file: BinaryIO, line: socket.socket, limits: Limits, on_progress: Callable[[int, int], None] | None
) -> None:
    """Write all, close our half, wait until the other side has it. Raises DriverError.

    An error is certain only when the system took no byte from us.
    """
    pouring = _Pouring(line, limits, os.fstat(file.fileno()).st_size, on_progress)
    try:
        async with asyncio.timeout(limits.whole):
            await pouring.run(file)
    except TimeoutError as problem:
        raise DriverError(Code.TIMED_OUT, certain=not pouring.written) from problem
    except DriverError as problem:
        raise DriverError(problem.code, certain=not pouring.written, **problem.params) from problem


class _Pouring:
    def __init__(
        self,
        line: socket.socket,
        limits: Limits,
        total: int,
        on_progress: Callable[[int, int], None] | None,
    ) -> None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.ahead)
        self._line = line
        self._limits = limits
        self._total = total
        self._on_progress = on_progress
        self._loop = asyncio.get_running_loop()
        self.written = 0  # taken by this computer's system
        self._taken = 0  # confirmed by the other side's
        self._alive = self._loop.time()  # when it last took something
        self._hearing: asyncio.Future[None] = self._loop.create_future()

    async def run(self, file: BinaryIO) -> None:
        self._hearing = asyncio.ensure_future(self._hear())
        try:
            await self._write_all(file)
            await self._part()
        finally:
            self._hearing.cancel()
            with suppress(asyncio.CancelledError, DriverError):
                await self._hearing

    async def _write_all(self, file: BinaryIO) -> None:
        while chunk := await self._next(file):
            await self._write(chunk)
        if self.written != self._total:  # it changed meanwhile: never pretend that this is the whole
            raise DriverError(Code.FILE_DIFFERS)

    @staticmethod
    async def _next(file: BinaryIO) -> bytes:
        try:
            return await asyncio.to_thread(file.read, CHUNK)
        except OSError as problem:
            raise DriverError(Code.FILE_DIFFERS) from problem

    async def _write(self, chunk: bytes) -> None:
        rest = memoryview(chunk)
        while rest:
            try:
                count = self._line.send(rest)
            except (BlockingIOError, InterruptedError):
                await self._room()
                continue
            except OSError as problem:
                raise DriverError(Code.ANSWER_LOST) from problem
            rest = rest[count:]
            self.written += count
            self._count()

    async def _room(self) -> None:
        """Wait until this computer can hold more for the machine."""
        room: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_writer(self._line, _settle, room)
        try:
            while not room.done():
                await self._look(room)
        finally:
            self._loop.remove_writer(self._line)

    async def _part(self) -> None:
        """Close our half, and wait until nothing of ours is under way; then a moment for a last word."""
        try:
            self._line.shutdown(socket.SHUT_WR)
        except OSError as problem:
            raise DriverError(Code.ANSWER_LOST) from problem
        while self._untaken() and not self._hearing.done():
            await self._look()
        await asyncio.wait({self._hearing}, timeout=self._limits.parting)
        self._demand_no_loss()
        self._count()

    async def _look(self, *events: "asyncio.Future[None]") -> None:
        """Wait a moment, or for an event. Raises when the machine hung up, or took nothing for too long."""
        waiting = {event for event in (*events, self._hearing) if not event.done()}
        await asyncio.wait(waiting, timeout=self._limits.look, return_when=asyncio.FIRST_COMPLETED)
        self._demand_no_loss()
        self._count()
        if self._loop.time() - self._alive > self._limits.stall:
            raise TimeoutError

    def _demand_no_loss(self) -> None:
        if self._hearing.done():
            self._hearing.result()  # that it closed its half is no loss: it may still take what we send

    async def _hear(self) -> None:
        """Take what the machine says, so that it never waits for us; ends when it closes its half."""
        said = 0
        while True:
            try:
                part = await self._loop.sock_recv(self._line, 4096)
            except OSError as problem:
                raise DriverError(Code.ANSWER_LOST) from problem
            if not part:
                return
            said += len(part)
            if said > self._limits.said:
                raise DriverError(Code.ANSWER_TOO_LARGE)

    def _untaken(self) -> int:
        """Bytes of ours that the other side's system has not confirmed."""
        found = array.array("i", [0])
        fcntl.ioctl(self._line, termios.TIOCOUTQ, found)
        return found[0]

    def _count(self) -> None:
        taken = min(self.written - self._untaken(), self._total)
        if taken > self._taken:
            self._taken, self._alive = taken, self._loop.time()
            if self._on_progress is not None:
                self._on_progress(taken, self._total)


def _settle(event: "asyncio.Future[None]") -> None:
    if not event.done():
        event.set_result(None)
