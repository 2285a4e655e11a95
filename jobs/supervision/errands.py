"""What has been begun for one machine and must not hold up its watch: an order, a file on its way, tidying up."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from equipment.drivers.base import Driver
from jobs.dispatch import services as dispatch
from jobs.lifecycle.on_machines import LiveAttempt
from jobs.lifecycle.states import State, Verb
from jobs.supervision.bench import Bench
from jobs.supervision.coordinator import Backoff
from jobs.supervision.orders import Orders
from jobs.supervision.sending import send, sweep, tidy

logger = logging.getLogger(__name__)

TIDY_EVERY_S = 60.0
SWEEP_EVERY_S = 24 * 3600.0  # PRIV-6
GRACE_S = 3.0  # for an order on its way when the watch ends


class Errands:
    """One of each kind at a time. The end of each has the watch look at the database again (``kick``)."""

    def __init__(
        self, machine_id: str, driver: Driver, orders: Orders, bench: Bench, kick: Callable[[], None]
    ) -> None:
        self._machine_id = machine_id
        self._driver = driver
        self._orders = orders
        self._bench = bench
        self._kick = kick
        self._order: asyncio.Task[None] | None = None
        self._sending: asyncio.Task[None] | None = None
        self._tidying: asyncio.Task[None] | None = None
        self._news = asyncio.Event()  # of the database, for the file on its way
        self._sends_badly = Backoff(bench.chance)
        self._send_from = float("-inf")
        self._tidied_at = self._swept_at = float("-inf")

    @property
    def order_is_out(self) -> bool:
        return not _is_free(self._order)

    def carry_out(self, order_id: str, verb: Verb) -> None:
        if _is_free(self._order):
            self._order = self._begin(self._orders.carry_out(order_id, verb))

    def start_again(self) -> None:
        if _is_free(self._order):
            self._order = self._begin(self._orders.start_again())

    def stop_wrong_file(self) -> None:
        if _is_free(self._order):
            self._order = self._begin(self._orders.stop_wrong_file())

    def deliver(self, attempt: LiveAttempt | None) -> None:
        """Have the attempt's file on its way, if that is where it should be."""
        if attempt is None or attempt.state is not State.SENDING or not _is_free(self._sending):
            return
        if self._bench.monotonic() >= self._send_from:
            self._sending = self._begin(self._deliver(attempt))

    def look_again(self) -> None:
        """Something changed in the database: perhaps the file on its way is not wanted any more."""
        self._news.set()

    async def _deliver(self, attempt: LiveAttempt) -> None:
        """What nobody foresaw is tried again after a pause that grows, not in the same moment."""
        try:
            await self._send_while_wanted(attempt)
        except Exception:
            self._send_from = self._bench.monotonic() + self._sends_badly.failed()
            raise
        self._sends_badly.worked()

    async def _send_while_wanted(self, attempt: LiveAttempt) -> None:
        """Send until it is there or nobody wants it: a cancel ends the transfer now, not after it."""
        sending = asyncio.create_task(send(self._driver, attempt, self._bench))
        try:
            while not sending.done():
                self._news.clear()
                news = asyncio.create_task(self._news.wait())
                await asyncio.wait({sending, news}, return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
                if not sending.done() and not await self._bench.db(dispatch.is_still_wanted, attempt.id):
                    logger.info("%s: the file on its way is not wanted any more", self._machine_id)
                    return
            await sending
        finally:
            if not sending.done():
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)

    def tidy_soon(self) -> None:
        """An attempt may have ended: its file can go."""
        self._tidied_at = float("-inf")

    def tidy(self) -> None:
        """Remove what is over from the machine, once a minute; look for what is nobody's once a day.

        Not beside a file on its way: one that nobody wants any more is removed after it was cut off, not before.
        """
        now = self._bench.monotonic()
        if not _is_free(self._sending):
            return
        if now - self._tidied_at >= TIDY_EVERY_S and _is_free(self._tidying):
            self._tidied_at = now
            self._tidying = self._begin(self._tidy(now))

    async def _tidy(self, now: float) -> None:
        await tidy(self._driver, self._machine_id, self._bench)
        if now - self._swept_at >= SWEEP_EVERY_S and await sweep(self._driver, self._machine_id, self._bench):
            self._swept_at = now

    def _begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        async def guarded() -> None:
            try:
                await work
            except Exception:
                logger.exception("%s: something that was begun failed", self._machine_id)
            self._kick()

        return asyncio.create_task(guarded())

    @property
    def _tasks(self) -> "list[asyncio.Task[None]]":
        return [task for task in (self._order, self._sending, self._tidying) if task is not None]

    async def idle(self) -> None:
        """Wait for what was begun. For tests."""
        await asyncio.gather(*self._tasks)

    async def end(self) -> None:
        """Give an order on its way a moment, then end everything."""
        if self._order is not None and not self._order.done():
            await asyncio.wait({self._order}, timeout=GRACE_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _is_free(task: "asyncio.Task[None] | None") -> bool:
    return task is None or task.done()
