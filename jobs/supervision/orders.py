"""Orders on their way to a machine: proven possible, taken once, sent once, never after their time, never retried.

``Orders._send_start`` is the only place in the system that starts a machine.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from equipment.drivers.base import Driver, DriverError
from equipment.drivers.leaving import NotLeft, only_while
from jobs.dispatch.services import file_has_changed, give_back
from jobs.lifecycle.models import Order
from jobs.lifecycle.on_machines import LiveAttempt
from jobs.lifecycle.states import OrderState, Verb
from jobs.supervision import failpoints, records
from jobs.supervision.bench import Bench, Lease, sha256_of, since_boot
from jobs.supervision.coordinator import Coordinator
from jobs.supervision.facts import StartAsked, Why
from jobs.supervision.flow import Cut, Flow
from jobs.supervision.memory import Memory
from jobs.supervision.reconcile import START_SEEN_WITHIN_S, why_not_start

logger = logging.getLogger(__name__)


class Orders:
    """Carries out the orders for one machine, one at a time."""

    def __init__(
        self,
        machine_id: str,
        driver: Driver,
        lease: Lease,
        memory: Memory,
        coordinator: Coordinator,
        bench: Bench,
    ) -> None:
        self._machine_id = machine_id
        self._driver = driver
        self._lease = lease
        self._memory = memory
        self._coordinator = coordinator
        self._bench = bench
        self._flow: Flow | None = None
        self._may_flow = ""  # the try whose file may flow

    async def carry_out(self, order_id: str, verb: Verb) -> None:
        """Carry out one waiting order, or settle it with the reason why nothing was sent."""
        found = await self._bench.db(records.situation, self._machine_id, at=self._bench.clock())
        if found.machine.lease_number != self._lease.number:
            return  # it is for the process that watches the machine now
        attempt, known = found.attempt, found.live_try
        if attempt is None or known is None:
            await self._settle(order_id, OrderState.REFUSED, "attempt_ended")
            return
        if not self._driver.capabilities.observe:
            await self._carry_out_blind(order_id, verb, attempt)
            return
        try:
            seen = await self._driver.observe()
            if verb is Verb.START:
                file = await self._driver.remote_file(known.path) if known.path else None
        except DriverError as problem:
            await self._settle(order_id, OrderState.REFUSED, problem.code)
            return
        if verb is not Verb.START:
            if not seen.is_busy or seen.path != known.path:
                await self._settle(
                    order_id, OrderState.REFUSED, "other_file" if seen.is_busy else "not_printing"
                )
                self._coordinator.look_now(self._bench.monotonic())
                return
            await self._send(order_id, verb)
            return
        refusal = why_not_start(known, seen, file)
        if refusal:
            await self._settle(order_id, OrderState.REFUSED, refusal)
            if refusal in (Why.FILE_MISSING, Why.FILE_DIFFERS):
                await self._bench.db(
                    give_back, attempt.id, why=refusal, blameless=True, at=self._bench.clock()
                )
            return
        order = await self._take(order_id)
        if order is not None:
            failpoints.passing(failpoints.BEFORE_START_SENT)
            self._memory.start_went(StartAsked.IN_FLIGHT, self._bench.monotonic())
            await self._send_start(order, attempt)

    async def _carry_out_blind(self, order_id: str, verb: Verb, attempt: LiveAttempt) -> None:
        """A start for a machine that takes the file with it and says nothing of itself; it takes no other order."""
        if verb is not Verb.START or not self._driver.capabilities.streams:
            await self._settle(order_id, OrderState.REFUSED, "not_supported")
            return
        try:
            found = await asyncio.to_thread(sha256_of, attempt.file_path)
        except OSError:
            logger.exception("%s: our own file of attempt %s cannot be read", self._machine_id, attempt.id)
            await self._settle(order_id, OrderState.REFUSED, "file_unreadable")
            return
        if found != attempt.file_sha256:
            await self._settle(order_id, OrderState.REFUSED, Why.FILE_DIFFERS)
            await self._bench.db(file_has_changed, attempt, at=self._bench.clock())
            return
        order = await self._take(order_id)
        if order is not None:
            failpoints.passing(failpoints.BEFORE_START_SENT)
            await self._send_start(order, attempt)

    async def start_again(self) -> None:
        """Send the one new start after the first was proven not to have arrived, if its order still holds."""
        found = await self._bench.db(records.situation, self._machine_id, at=self._bench.clock())
        order = await self._bench.db(
            records.start_order_that_holds,
            self._machine_id,
            lease_number=self._lease.number,
            at=self._bench.clock(),
        )
        if order is None or found.attempt is None:
            return
        logger.info("%s: the start did not arrive, it is sent once more", self._machine_id)
        self._memory.start_again(self._bench.monotonic())
        await self._send_start(order, found.attempt)

    async def stop_wrong_file(self) -> None:
        """Ask the machine to stop what it prints instead of our file. Best effort, once."""
        self._memory.stop_for_wrong_file()
        logger.error("%s: prints another file after our start, it is asked to stop", self._machine_id)
        found = await self._bench.db(records.situation, self._machine_id, at=self._bench.clock())
        if found.machine.lease_number != self._lease.number:
            return
        try:
            with only_while(self._lease.holds):
                await self._driver.stop()
        except NotLeft:
            logger.warning("%s: that stop was held back, the machine is another's by now", self._machine_id)
        except DriverError as problem:
            logger.warning("%s: that stop did not work: %s", self._machine_id, problem)

    def let_flow(self, attempt_id: str) -> bool:
        """Let a file go on with its start for this try alone ("" for none), now and later.

        Returns whether a line was cut for it.
        """
        self._may_flow = attempt_id
        if self._flow is None or self._flow.attempt_id == attempt_id:
            return False
        logger.info("%s: the line is cut", self._machine_id)
        self._flow.cut()
        return True

    async def _send_start(self, order: Order, attempt: LiveAttempt) -> None:
        bench, memory = self._bench, self._memory
        flow = Flow(order, attempt, self._lease, bench) if self._driver.capabilities.streams else None
        self._flow = flow
        try:
            with only_while(self._right_of(order, flow)):
                starting = self._driver.start(
                    attempt.remote_path, attempt.file_path, flow.taken if flow else None
                )
                await (flow.carry(starting) if flow else starting)
        except NotLeft:
            await self._not_started(order, self._why_held_back(flow))
            return
        except OSError:
            logger.exception("%s: our own file of attempt %s cannot be read", self._machine_id, attempt.id)
            await self._not_started(order, "file_unreadable")
            return
        except DriverError as problem:
            if problem.certain:
                await self._not_started(order, problem.code)
                return
            logger.warning("%s: nobody knows whether the start arrived: %s", self._machine_id, problem)
            memory.start_went(StartAsked.UNKNOWN, bench.monotonic())
            if flow is not None:  # no look will ever tell: a person does
                await self._settle(order.pk, OrderState.UNKNOWN, problem.code)
        except Cut:
            await self._settle(order.pk, OrderState.UNKNOWN, "answer_lost")
        except Exception:
            memory.start_went(
                StartAsked.UNKNOWN, bench.monotonic()
            )  # or no order would leave any more, a stop neither
            raise
        else:
            failpoints.passing(failpoints.AFTER_START_ACCEPTED)
            memory.start_went(StartAsked.ACCEPTED, bench.monotonic())
            await self._settle(order.pk, OrderState.DONE, "accepted")
        finally:
            self._flow = None
        self._coordinator.expect_change(bench.monotonic(), START_SEEN_WITHIN_S)
        self._coordinator.look_now(bench.monotonic())

    def _right_of(self, order: Order, flow: Flow | None = None) -> Callable[[], bool]:
        """Return what is asked right before the bytes leave: still our machine, and still within the order's time.

        Both by a clock that nobody sets and that no sleep stops: a process frozen between taking and sending sends
        nothing when it wakes, even if the first thing that it does then is to renew its lease.
        """
        deadline = since_boot() + _seconds_left(order, self._bench.clock())

        def holds() -> bool:
            return self._lease.holds() and since_boot() < deadline and self._is_wanted(flow)

        return holds

    def _is_wanted(self, flow: Flow | None) -> bool:
        return flow is None or flow.attempt_id == self._may_flow

    def _why_held_back(self, flow: Flow | None = None) -> str:
        if not self._lease.holds():
            return "lease_lost"
        return "expired" if self._is_wanted(flow) else "stop_asked"

    async def _not_started(self, order: Order, why: str) -> None:
        self._memory.start_went(StartAsked.NOT, self._bench.monotonic())
        await self._bench.db(
            records.start_surely_not_sent, order.pk, order.attempt_id, outcome=why, at=self._bench.clock()
        )

    async def _send(self, order_id: str, verb: Verb) -> None:
        order = await self._take(order_id)
        if order is None:
            return
        send: dict[Verb, Callable[[], Awaitable[None]]] = {
            Verb.PAUSE: self._driver.pause,
            Verb.RESUME: self._driver.resume,
            Verb.STOP: self._driver.stop,
        }
        try:
            with only_while(self._right_of(order)):
                await send[verb]()
        except NotLeft:
            await self._settle(order_id, OrderState.REFUSED, self._why_held_back())
        except DriverError as problem:
            state = OrderState.REFUSED if problem.certain else OrderState.UNKNOWN
            await self._settle(order_id, state, problem.code)
        else:
            await self._settle(order_id, OrderState.DONE, "accepted")
        # A pause takes as long as the command that runs, minutes while heating.
        self._coordinator.expect_change(self._bench.monotonic(), 60)
        self._coordinator.look_now(self._bench.monotonic())

    async def _take(self, order_id: str) -> Order | None:
        """Take an order, if the machine is still ours by the database too."""
        return await self._bench.db(
            records.take, order_id, lease_number=self._lease.number, at=self._bench.clock()
        )

    async def _settle(self, order_id: str, state: OrderState, outcome: str) -> None:
        await self._bench.db(records.settle, order_id, state=state, outcome=outcome, at=self._bench.clock())


def _seconds_left(order: Order, at: datetime) -> float:
    """Never more than an order's whole lifetime: the clock may have been put back since it was written."""
    return min((order.expires_at - at).total_seconds(), (order.expires_at - order.created_at).total_seconds())
