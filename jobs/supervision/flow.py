"""A file on its way into a machine that makes what it takes: a start that lasts as long as the work, and can be cut."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from jobs.lifecycle.models import Order
from jobs.lifecycle.on_machines import LiveAttempt
from jobs.supervision import records
from jobs.supervision.bench import Bench, Lease

logger = logging.getLogger(__name__)

TAKEN_NOTED_EVERY_S = 1.0
LEASE_ASKED_EVERY_S = 1.0  # by a clock that a computer's sleep does not stop: timers stand still in it


class Cut(Exception):
    """The line was cut from here: what was taken until then may have been made, the rest never arrives."""


class Flow:
    """One start with its file. What the machine has taken is noted while it takes it; the first byte is the start."""

    def __init__(self, order: Order, attempt: LiveAttempt, lease: Lease, bench: Bench) -> None:
        self._order = order
        self.attempt_id = attempt.id
        self._attempt = attempt
        self._lease = lease
        self._bench = bench
        self._work: asyncio.Task[None] | None = None
        self._count = 0
        self._begun = False
        self._noted_at = float("-inf")
        self._note: asyncio.Task[None] | None = None

    def cut(self) -> None:
        """Close the line now: not one byte more."""
        if self._work is not None:
            self._work.cancel()

    def taken(self, count: int, total: int) -> None:
        """Hear from the driver how many bytes the machine has taken; never two notes at a time."""
        self._count = count
        now = self._bench.monotonic()
        busy = self._note is not None and not self._note.done()
        if busy or (self._begun and now - self._noted_at < TAKEN_NOTED_EVERY_S):
            return
        self._noted_at = now
        self._note = asyncio.create_task(self._tell_and_forgive())

    async def carry(self, starting: Coroutine[Any, Any, None]) -> None:
        """Let it flow to its end, and no longer than the machine is ours: whoever has it then could not stop it.

        Raises what the driver raises, and ``Cut``.
        """
        self._work = work = asyncio.create_task(starting)
        try:
            while not work.done():
                await asyncio.wait({work}, timeout=LEASE_ASKED_EVERY_S)
                if not work.done() and not self._lease.holds():
                    logger.warning("%s: no longer ours, the line is cut", self._attempt.machine_id)
                    work.cancel()
                    await asyncio.wait({work})
        finally:
            work.cancel()
            await asyncio.wait({work})
            if self._note is not None:
                await asyncio.wait({self._note})
        if work.cancelled():
            raise Cut
        work.result()
        self._count = self._attempt.file_size
        await self._tell()

    async def _tell(self) -> None:
        begins, count = not self._begun, self._count
        await self._bench.db(
            records.line_has_taken,
            self._order.pk,
            self._attempt.id,
            count,
            begins=begins,
            at=self._bench.clock(),
        )
        self._begun = True

    async def _tell_and_forgive(self) -> None:
        """A count that was not written is written with the next; what was never written makes nobody sure."""
        try:
            await self._tell()
        except Exception:
            logger.exception("%s: what it has taken was not noted", self._attempt.machine_id)
