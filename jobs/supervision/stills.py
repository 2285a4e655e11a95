"""Fetches the camera stills that people asked for: carefully, a few at once, and never in the way of a watch.

A camera is a machine like any other: its address is checked at each connection, its answer is limited in size and
time, nothing redirects us, and what it sends is decoded in the sandbox only.
"""

import asyncio
import logging
import tempfile
from collections.abc import Collection
from pathlib import Path

from equipment.drivers.base import Code, Connection, DriverError
from equipment.drivers.web import Limits, Web
from equipment.machines.camera import camera_at
from equipment.machines.connection import allowed_networks
from jobs.inspection.photographs import redraw
from jobs.lifecycle import stills
from jobs.lifecycle.stills import AskedStill
from jobs.supervision.bench import Bench

logger = logging.getLogger(__name__)

LOOKED_EVERY_S = 1.0
AT_ONCE = 2  # decoding takes a processor
LIMITS = Limits(answer=10.0, body=8 * 1024 * 1024)


class Photographer:
    """The stills of one process."""

    def __init__(self, bench: Bench, limits: Limits = LIMITS) -> None:
        self._bench = bench
        self._limits = limits
        self._room = asyncio.Semaphore(AT_ONCE)
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def look(self, machine_ids: Collection[str]) -> None:
        """Begin what was asked of these machines, whose leases are ours."""
        self._under_way = {one: task for one, task in self._under_way.items() if not task.done()}
        if not machine_ids:
            return
        for asked in await self._bench.db(stills.asked_of, list(machine_ids)):
            if asked.id not in self._under_way:
                self._under_way[asked.id] = asyncio.create_task(self._take(asked))

    async def idle(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._under_way.values())

    async def close(self) -> None:
        """Let go of what is under way; whoever asked may ask again."""
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _take(self, asked: AskedStill) -> None:
        async with self._room:
            file, error = stills.file_for(asked.id), ""
            try:
                picture = await self._fetch(asked.address)
                if not await asyncio.to_thread(_keep, picture, stills.path_of(file)):
                    error = "no_picture"
            except DriverError as problem:
                error = problem.code.value
            except Exception:
                # The person waits for an answer, whatever it was that went wrong.
                logger.exception("%s: a still was not kept", asked.machine_id)
                error = "not_kept"
            at = self._bench.clock()
            settled = await self._bench.db(
                stills.settle, asked.id, file="" if error else file, error=error, at=at
            )
            if not settled and not error:
                stills.path_of(file).unlink(missing_ok=True)  # it came too late for whoever asked

    async def _fetch(self, address: str) -> bytes:
        try:
            camera = camera_at(address)
        except ValueError as problem:
            raise DriverError(Code.ADDRESS_INVALID) from problem
        web = Web(Connection(camera.base, "", allowed_networks()), headers={}, limits=self._limits)
        try:
            answer = await web.request("GET", camera.path)
        finally:
            await web.close()
        if answer.status != 200:
            raise DriverError(Code.ANSWER_UNREADABLE, status=answer.status)
        return answer.body


def _keep(picture: bytes, place: Path) -> bool:
    """Draw the picture anew at its place, which nobody but us may read."""
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix="still-") as folder:
        source = Path(folder) / "as-sent"
        source.write_bytes(picture)
        return redraw(source, place)
