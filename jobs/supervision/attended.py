"""A machine that does not say what it does: files and starts go to it by line, and a person at it says the rest.

Nothing is concluded from its silence: it may be switched off until somebody needs it, and a line that is down says
nothing of the piece that lies on it.
"""

import asyncio
import logging

from equipment.drivers.base import Driver, DriverError
from equipment.machines import services as machines
from jobs.lifecycle.on_machines import LiveAttempt
from jobs.lifecycle.states import State, Verb
from jobs.supervision import records
from jobs.supervision.bench import Bench, Lease
from jobs.supervision.coordinator import Backoff, Coordinator
from jobs.supervision.errands import Errands
from jobs.supervision.facts import Why
from jobs.supervision.memory import Memory
from jobs.supervision.orders import Orders

logger = logging.getLogger(__name__)

REACH_EVERY_S = (8.0, 12.0)  # whoever presses start must have been heard within the last 45 s
GONE_AFTER_S = 20.0  # a plug that is pulled for a moment is no news
MAY_FLOW = frozenset({State.LOADED, State.RUNNING, State.PAUSED})  # the file goes on with its start
HEARD = "ready"
SILENT = "silent"


class Attended:
    """One machine. ``step`` waits for a change in the database or the time to try the line; tests call the parts."""

    def __init__(self, machine_id: str, driver: Driver, lease: Lease, bench: Bench) -> None:
        self.machine_id = machine_id
        self.driver = driver
        self.bench = bench
        self.lease = lease
        self.memory = Memory()
        self.coordinator = Coordinator(bench.chance, bench.monotonic())
        self.orders = Orders(machine_id, driver, lease, self.memory, self.coordinator, bench)
        self.errands = Errands(machine_id, driver, self.orders, bench, self.kick)
        self._news = asyncio.Event()
        self._reach_at = float("-inf")
        self._lost_at: float | None = None
        self._followed = ""

    async def run(self) -> None:
        """Watch until cancelled. What goes wrong with one turn is logged and does not end the watch."""
        backoff = Backoff(self.bench.chance)
        try:
            while True:
                try:
                    await self.step()
                    backoff.worked()
                except Exception:
                    logger.exception("%s: a turn of the watch failed", self.machine_id)
                    await asyncio.sleep(backoff.failed())
        finally:
            cut = self.orders.let_flow("")
            await self.errands.end()
            await self.driver.close()
            if cut:
                await self._end_in_doubt()

    async def step(self) -> None:
        """Wait for a kick or the time to try the line, and deal with it."""
        try:
            async with asyncio.timeout(max(0.0, self._reach_at - self.bench.monotonic())):
                await self._news.wait()
        except TimeoutError:
            await self.reach()
        self._news.clear()
        await self.settle()

    def kick(self) -> None:
        """Say that something changed in the database: an order, a claim, a cancel."""
        self._news.set()
        self.errands.look_again()

    async def reach(self) -> None:
        """Try the line, unless something goes over it: some machines take one connection at a time."""
        now = self.bench.monotonic()
        self._reach_at = now + self.bench.chance.uniform(*REACH_EVERY_S)
        problem = ""
        if not self.errands.order_is_out:
            try:
                await self.driver.probe()
            except DriverError as failed:
                problem = failed.code
        now = self.bench.monotonic()
        if not problem:
            if self._lost_at is not None:
                logger.info("%s: the line is there again after %.0f s", self.machine_id, now - self._lost_at)
            self._lost_at = None
            await self._keep(HEARD, "")
            return
        if self._lost_at is None:
            self._lost_at = now
            logger.warning("%s: the line is down (%s)", self.machine_id, problem)
        if now - self._lost_at >= GONE_AFTER_S or not await self._was_heard():
            await self._keep(SILENT, problem)

    async def _was_heard(self) -> bool:
        found = await self.bench.db(records.situation, self.machine_id, at=self.bench.clock())
        return found.machine.report == HEARD

    async def _keep(self, report: str, error: str) -> None:
        await self.bench.db(
            machines.hear,
            self.machine_id,
            report=report,
            error=error,
            at=self.bench.clock(),
            lease_number=self.lease.number,
        )

    async def settle(self) -> None:
        """Begin what has to be begun; what moves the job is said by a person, or by the bytes of an order."""
        # Asked first: what is read next may be older than the order's end, which looks again.
        flows = self.errands.order_is_out
        found = await self.bench.db(records.situation, self.machine_id, at=self.bench.clock())
        if found.machine.lease_number != self.lease.number:
            self.orders.let_flow("")
            return  # another process watches it now
        attempt = found.attempt
        self.orders.let_flow(attempt.id if attempt is not None and attempt.state in MAY_FLOW else "")
        if found.waiting:
            order_id, verb = found.waiting[0]
            self.errands.carry_out(order_id, Verb(verb))
        self.errands.deliver(attempt)
        if (attempt.id if attempt else "") != self._followed:
            self._followed = attempt.id if attempt else ""
            self.errands.tidy_soon()
        if self._lost_at is None and self.driver.capabilities.send:
            self.errands.tidy()  # what lies there belongs to one try each: who comes next is not in the way
        if not flows:
            await self._doubt(attempt)

    async def _doubt(self, attempt: LiveAttempt | None) -> None:
        """Say so when a file has gone into the machine and nobody knows how far: what has arrived may be made.

        It was broken off, or a process that ended since had sent it. It is never sent again by itself.
        """
        if attempt is None or not self.driver.capabilities.streams or attempt.start_sent_at is None:
            return
        if attempt.unsure_since is not None or attempt.state not in MAY_FLOW:
            return
        begun = attempt.state is not State.LOADED
        if begun and attempt.sent_bytes >= attempt.file_size:
            return  # it has all of it: a person says when it is made
        logger.warning("%s: nobody knows how much of the file the machine has made", self.machine_id)
        why = Why.LINE_BROKEN if begun else Why.START_UNPROVEN
        await self.bench.db(records.note_unsure, attempt.id, why, at=self.bench.clock())

    async def _end_in_doubt(self) -> None:
        """The watch ends and its line was cut: people read that at once, not when the next watch begins."""
        try:
            found = await self.bench.db(records.situation, self.machine_id, at=self.bench.clock())
            if found.machine.lease_number == self.lease.number:
                await self._doubt(found.attempt)
        except Exception:
            logger.exception("%s: the next watch says that the line was cut", self.machine_id)

    async def idle(self) -> None:
        """Wait for what was begun: the order, the upload, the tidying. For tests."""
        await self.errands.idle()
