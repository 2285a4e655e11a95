"""The raw TCP driver: what is written to the machine's port is made at once (JetDirect, usually port 9100)."""

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from equipment.drivers import tcp
from equipment.drivers.base import Capabilities, Code, Connection, DriverError, Probe
from equipment.drivers.leaving import demand_leave
from equipment.drivers.rawtcp.stream import Limits, pour
from equipment.drivers.unable import Unable

CAPABILITIES = Capabilities(address=True, start=True, streams=True)
USUAL_PORT = 9100


class RawTcpDriver(Unable):
    """One cutter or plotter behind a port. Keeps the promises of `base.Driver`; its pitfalls are in QUALITY.md.

    It says nothing of what it does, and nobody can stop it by line: what it has taken, it makes.
    """

    def __init__(self, connection: Connection, *, limits: Limits | None = None) -> None:
        self._connection = connection
        self._limits = limits or Limits()
        self._starting = False

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def place(self) -> str:
        where = self._port()
        tcp.check_port(where, self._connection.allowed)
        return where.text

    async def probe(self) -> Probe:
        """As promised: somebody listens there. Nothing is written, so nothing is made and nobody says a name."""
        line = await self._connect()
        line.close()
        return Probe("", None, ())

    async def start(
        self,
        path: str,
        source: Path | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """As promised. Certain only when no byte can have left: the connection failed, or took nothing."""
        if source is None:
            raise DriverError(Code.FILE_MISSING)
        if self._starting:
            raise DriverError(Code.BUSY)
        self._starting = True
        try:
            file = await asyncio.to_thread(_opened, source)
            with file:
                await self._stream(file, on_progress)
        finally:
            self._starting = False

    async def _stream(self, file: BinaryIO, on_progress: Callable[[int, int], None] | None) -> None:
        line = await self._connect()
        whole = False
        try:
            demand_leave()
            await pour(file, line, self._limits, on_progress)
            whole = True
        finally:
            # Cut short, nothing more may reach the machine from what this computer still holds.
            if whole:
                line.close()
            else:
                tcp.cut(line)

    async def _connect(self) -> socket.socket:
        return await tcp.connect(self._port(), self._connection.allowed, self._limits.connect)

    def _port(self) -> tcp.Port:
        try:
            return tcp.parse_port(self._connection.address, USUAL_PORT)
        except ValueError as problem:
            raise DriverError(Code.ADDRESS_INVALID, reason=str(problem)) from problem


def _opened(source: Path) -> BinaryIO:
    file = source.open("rb")
    with suppress(OSError):  # only a hint
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
    return file
