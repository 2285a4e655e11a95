"""The watch over one machine: what it pushes is acted on at once, what it is asked is the truth, one look at a time."""

import asyncio
import logging
from contextlib import aclosing
from dataclasses import replace
from typing import Any, cast

from equipment.drivers.base import (
    BUSY,
    Code,
    Driver,
    DriverError,
    MachineReport,
    Observation,
    Push,
    PushEvent,
    PushKind,
)
from jobs.lifecycle import services as lifecycle
from jobs.lifecycle.states import STARTED, State
from jobs.supervision import records, telling
from jobs.supervision.bench import Bench, Lease
from jobs.supervision.coordinator import Backoff, Contact, Coordinator
from jobs.supervision.errands import Errands
from jobs.supervision.facts import Decision, Facts, StartAgain, StartAsked, StopWrongFile, Unsure
from jobs.supervision.memory import Memory
from jobs.supervision.orders import Orders
from jobs.supervision.reconcile import LOST_AFTER_S, UNSURE_AFTER_S, decide, is_foreign, wants_file
from jobs.supervision.records import Heard, Situation

logger = logging.getLogger(__name__)

# What an event says of the machine's state, as far as it can be believed without a look.
_SAYS = {
    PushEvent.PRINT_STARTED: MachineReport.PRINTING,
    PushEvent.PRINT_PAUSED: MachineReport.PAUSED,
    PushEvent.PRINT_RESUMED: MachineReport.PRINTING,
    PushEvent.PRINT_DONE: MachineReport.FINISHING,
    PushEvent.PRINT_CANCELLED: MachineReport.CANCELLING,
}
# No answer for a while may be the line; these are answers, and waiting changes nothing.
_DEFINITE = frozenset({Code.BAD_KEY, Code.NOT_ALLOWED, Code.ADDRESS_FORBIDDEN, Code.NOT_OCTOPRINT})
HEARD_KEPT_EVERY_S = 12.0  # a sign of life is offered to the database so often; it writes every 30 s
EVENT_WINS_S = 1.0  # a regular report that comes so soon after an event may be older than it
TURNS = 4  # of deciding after one look: a start, then what follows from it
PUSHES_WAITING = 500  # then a machine that talks without end is not read from, and fills no memory
STEADY_S = 1.0  # a push channel that held so long is connected anew at once
AT_ONCE_S = 0.2  # so that a lab's machines do not knock together after its switch was restarted


class Watch:
    """One machine. ``step`` waits for the next thing and deals with it; tests call the parts."""

    def __init__(self, machine_id: str, driver: Driver, lease: Lease, bench: Bench) -> None:
        self.machine_id = machine_id
        self.driver = driver
        self.bench = bench
        self.lease = lease
        self.memory = Memory()
        self.coordinator = Coordinator(bench.chance, bench.monotonic())
        self.orders = Orders(machine_id, driver, lease, self.memory, self.coordinator, bench)
        self._inbox: asyncio.Queue[tuple[float, Push] | None] = asyncio.Queue()  # with the time of arrival
        self._room = asyncio.Semaphore(PUSHES_WAITING)
        self.errands = Errands(machine_id, driver, self.orders, bench, self.kick)
        self._trouble = ""
        self._told: telling.Told | None = None
        self._heard: tuple[Heard, float] | None = None
        self._event_at = self._looked_at = float("-inf")
        self._figures_at = self._progress_at = float("-inf")
        self._pushed: Observation | None = None
        self._last: Situation | None = None  # good enough for figures
        self._known_error_read = False

    # --- the loop ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Watch until cancelled. What goes wrong with one turn is logged and does not end the watch."""
        listening = asyncio.create_task(self._listen())
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
            await self._end(listening)

    async def _end(self, listening: "asyncio.Task[None]") -> None:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await self.errands.end()
        await self.driver.close()

    async def step(self) -> None:
        """Wait for a push, a kick or the time to look, and deal with it."""
        try:
            async with asyncio.timeout(self.coordinator.wait_s(self.bench.monotonic())):
                came = await self._inbox.get()
        except TimeoutError:
            await self.look()
            return
        if came is None:
            await self.settle()
        else:
            self._room.release()
            came_at, push = came
            await self.receive(push, came_at=came_at)

    def kick(self) -> None:
        """Say that something changed in the database: an order, a claim, a cancel."""
        self._inbox.put_nowait(None)
        self.errands.look_again()

    async def _listen(self) -> None:
        """Hold the push channel, connect it anew when it is lost: at once when it had held for a while."""
        backoff = Backoff(self.bench.chance)
        while True:
            connected_at = float("inf")
            channel = cast("Any", self.driver.watch())  # an asynchronous generator: it can be closed
            async with aclosing(channel):
                async for push in channel:
                    if push.kind is PushKind.CONNECTED:
                        connected_at = self.bench.monotonic()
                        backoff.worked()
                    await self._room.acquire()
                    self._inbox.put_nowait((self.bench.monotonic(), push))
            if self.bench.monotonic() - connected_at >= STEADY_S:
                await asyncio.sleep(self.bench.chance.uniform(0.0, AT_ONCE_S))
            else:
                await asyncio.sleep(backoff.failed())

    # --- what comes in ----------------------------------------------------------------------------------------

    async def receive(self, push: Push, *, came_at: float) -> None:
        """Deal with one message of the push channel, which came at ``came_at`` on the monotonic clock.

        Where messages pile up, an event that lay there before the last look was asked for says nothing new of the
        machine's state: believed after it, one pause would stand in the history as pause, resume, pause.
        """
        now = self.bench.monotonic()
        if push.kind is PushKind.LOST:
            self.coordinator.push_is_up = False
            await self.look()
        elif push.kind is PushKind.CONNECTED:
            self.coordinator.push_is_up = True
            await self.look(reconnected=True)
        elif push.kind is PushKind.STATE and push.observation is not None:
            await self._reported(push.observation)
        elif push.kind is PushKind.EVENT:
            self.memory.event(push, now)
            self._event_at = now
            if came_at > self._looked_at and self._believe(push, now):
                await self._tell_at_once(self.memory.seen)
                await self.settle()
            await self.look()

    def _believe(self, push: Push, now: float) -> bool:
        """Take an event of our own file for what it says, at once; the look that follows corrects it."""
        last, says = self.memory.seen, _SAYS.get(push.event) if push.event else None
        if (
            push.event is PushEvent.STATE_CHANGED
            and push.reason in BUSY
            and last is not None
            and last.is_busy
        ):
            says = MachineReport(push.reason)
        elif says is not None and not self.memory.is_followed(push.path):
            return False
        if says is None or last is None:
            return False
        path = push.path or last.path
        self.memory.look(
            replace(last, at=self.bench.clock(), report=says, path=path, origin="local", error=None), now
        )
        return True

    async def _reported(self, seen: Observation) -> None:
        """A regular report: figures, and a hint to look when it says something else than the last look."""
        last, before = self.memory.seen, self._pushed
        self._pushed = seen
        if last is None:
            await self.look()
            return
        if (seen.report, seen.path) != (last.report, last.path):
            # The same hint again changes nothing: the last look has seen more than it.
            if before is None or (seen.report, seen.path) != (before.report, before.path):
                if self.bench.monotonic() - self._event_at > EVENT_WINS_S:
                    await self._tell_at_once(seen)
                await self.look()
            return
        await self._tell_figures(seen)

    async def look(self, *, reconnected: bool = False) -> None:
        """Ask the machine, and act on what it says."""
        now = self.bench.monotonic()
        try:
            seen = await self.driver.observe()
        except DriverError as problem:
            self._trouble = problem.code
            self._log(self.coordinator.missed(self.bench.monotonic(), problem.code))
            self.memory.miss(self.bench.monotonic())
            if self.memory.silent_s < LOST_AFTER_S:
                self.coordinator.look_within(self.bench.monotonic(), 2 * UNSURE_AFTER_S)
            await self.settle()
            return
        contact = self.coordinator.heard(self.bench.monotonic())
        self._log(contact)
        self._trouble = ""
        self._looked_at = now
        first = not self.memory.looked
        self.memory.look(seen, max(now, self.bench.monotonic()))
        if seen.report is MachineReport.UNKNOWN:
            logger.warning("%s: says %r, which nobody understands", self.machine_id, seen.raw)
        found = await self._read()
        facts = self._facts(found)
        if wants_file(facts, reconnected=reconnected or first or contact is not None):
            try:
                assert facts.attempt is not None  # it is its file that is wanted
                self.memory.file_is(await self.driver.remote_file(facts.attempt.path))
            except DriverError as problem:
                logger.info("%s: what it remembers of our file is not known: %s", self.machine_id, problem)
        await self.settle(found)
        await self._tell_figures(seen)

    def _log(self, contact: Contact | None) -> None:
        if contact is None:
            return
        if contact.lost_s is None:
            logger.warning("%s: contact lost (%s)", self.machine_id, contact.reason)
        else:
            logger.info(
                "%s: contact is back after %.0f s (%s)", self.machine_id, contact.lost_s, contact.reason
            )

    # --- what follows -----------------------------------------------------------------------------------------

    async def settle(self, found: Situation | None = None) -> None:
        """Decide on what is known, tell it, write it, and begin what has to be begun."""
        for _ in range(TURNS):
            found = found or await self._read()
            if found.machine.lease_number != self.lease.number:
                return  # another process watches it by now: nothing is ours to say or to do
            facts = self._facts(found)
            decisions = decide(facts)
            heard = self._to_keep(facts)
            await self._tell_state(found, facts, decisions)
            keep = self._worth_keeping(heard)
            if keep is None and not decisions:
                break
            moved = await self.bench.db(records.keep, found, keep, decisions, at=self.bench.clock())
            if keep is not None:
                self._heard = (keep, self.bench.monotonic())
            self.memory.settled()
            self._begin_asked(decisions)
            found = None
            if not moved:
                break
            self.errands.tidy_soon()
        found = found or await self._read()
        self._expect(self._facts(found))
        self._begin(found)

    async def _read(self) -> Situation:
        found = await self.bench.db(records.situation, self.machine_id, at=self.bench.clock())
        attempt, known = found.attempt, found.live_try
        if not self._known_error_read:
            # What was dealt with before this process began is not dealt with again.
            self._known_error_read = True
            if found.machine.report == MachineReport.ERROR:
                self.memory.known_error = found.machine.report_error
        self.memory.follow(
            attempt.id if attempt else "",
            known.path if known else "",
            self.bench.monotonic(),
            stopping=known is not None and known.state is State.STOPPING,
            start_sent=known is not None and known.start_sent,
        )
        self._last = found
        return found

    def _facts(self, found: Situation) -> Facts:
        return self.memory.facts(
            found.live_try, found.kept, self.bench.monotonic(), order_holds=found.order_holds
        )

    def _to_keep(self, facts: Facts) -> Heard | None:
        """What the machine's row should say; None while nothing has been heard and silence is still short."""
        seen = facts.seen
        if seen is not None:
            return Heard(
                seen.report, seen.path or "" if seen.is_busy else "", is_foreign(facts), seen.error or ""
            )
        if not self.memory.looked:
            return None
        if facts.silent_s >= LOST_AFTER_S or self._trouble in _DEFINITE:
            return Heard("silent", error=self._trouble)
        return None

    def _worth_keeping(self, heard: Heard | None) -> Heard | None:
        if heard is None or self._heard is None:
            return heard
        before, at = self._heard
        return heard if heard != before or self.bench.monotonic() - at >= HEARD_KEPT_EVERY_S else None

    async def _tell_at_once(self, seen: Observation | None) -> None:
        """Tell what was just heard on the strength of the last situation: the look and the write come after."""
        if self._last is not None:
            facts = replace(self._facts(self._last), seen=seen)
            await self._tell_state(self._last, facts, decide(facts))

    async def _tell_state(self, found: Situation, facts: Facts, decisions: tuple[Decision, ...]) -> None:
        heard = self._to_keep(facts)
        if heard is None:
            return
        told = telling.as_told(found, heard, decisions)
        if told != self._told:
            self._told = told
            await telling.tell_state(found, told, self.bench.clock())

    async def _tell_figures(self, seen: Observation) -> None:
        now = self.bench.monotonic()
        if now - self._figures_at < telling.FIGURES_EVERY_S:
            return
        self._figures_at = now
        found = self._last or await self._read()
        await telling.tell_figures(found, seen, self.bench.clock())
        attempt = found.attempt
        if attempt is None or attempt.state not in STARTED or seen.path != attempt.remote_path:
            return
        self.bench.sampling.note(attempt.id, seen, at=self.bench.clock(), now=now)
        if seen.progress.percent is None or now - self._progress_at < telling.PROGRESS_KEPT_EVERY_S:
            return
        self._progress_at = now
        await self.bench.db(
            lifecycle.note_progress,
            attempt.id,
            percent=seen.progress.percent,
            seconds_left=seen.progress.seconds_left,
            at=self.bench.clock(),
        )

    def _expect(self, facts: Facts) -> None:
        """Look sooner while something is about to change, or while nobody knows."""
        now, attempt, seen = self.bench.monotonic(), facts.attempt, facts.seen
        if seen is None:
            return
        stopping = attempt is not None and attempt.state is State.STOPPING
        moved = attempt is not None and (attempt.state in STARTED or attempt.start_sent)
        unclear = moved and (seen.is_ready or seen.is_away or is_foreign(facts))
        if seen.is_changing or unclear or stopping:
            self.coordinator.expect_change(now, 2.0)

    # --- what is begun ----------------------------------------------------------------------------------------

    def _begin_asked(self, decisions: tuple[Decision, ...]) -> None:
        for decision in decisions:
            if isinstance(decision, StartAgain):
                self.errands.start_again()
            elif isinstance(decision, StopWrongFile):
                self.errands.stop_wrong_file()
            elif isinstance(decision, Unsure) and decision.why:
                logger.warning(
                    "%s: nobody knows what becomes of the print (%s)", self.machine_id, decision.why
                )

    def _begin(self, found: Situation) -> None:
        if not self.memory.looked:
            return  # after a power cut nothing is done before the machine was asked once
        if found.waiting and self.memory.start is not StartAsked.IN_FLIGHT:
            self.errands.carry_out(*found.waiting[0])
        self.errands.deliver(found.attempt)
        if self.memory.seen is not None and self.memory.seen.is_ready:
            self.errands.tidy()

    async def idle(self) -> None:
        """Wait for what was begun: the order, the upload, the tidying. For tests."""
        await self.errands.idle()
