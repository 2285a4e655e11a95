"""Several supervisors as processes: killed and frozen in turn, they leave no machine alone and start nothing twice."""

import asyncio
import os
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from equipment.machines.models import Machine
from fablab.core.errors import DomainError
from jobs.lifecycle import services as lifecycle
from jobs.lifecycle.models import Attempt, Order
from jobs.lifecycle.states import OrderState, State
from jobs.lifecycle.table import Action
from tests.builders_jobs import Cast, make_linked_machine
from tests.jobs.supervision.lab import Lab, connect
from tests.jobs.supervision.processes import Supervising, supervising

TAKEOVERS = int(os.environ.get("FABLAB_TAKEOVERS", "2"))  # 50 in the soak
SEED = int(os.environ.get("SEED", "1"))
ALONE_AT_MOST_S = 30.0
PRINT_S = 2


class Hall:
    """The supervisors of one test: at most one of them is frozen, and the dead are replaced."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._count = 0
        self.running: dict[str, Supervising] = {}

    def add(self) -> str:
        self._count += 1
        name = f"supervisor-{self._count}"
        self.running[name] = self._stack.enter_context(supervising(name))
        return name


@pytest.fixture
def hall() -> Iterator[Hall]:
    with ExitStack() as stack:
        yield Hall(stack)


def owners() -> dict[str, tuple[str, int]]:
    return {
        pk: (owner, number)
        for pk, owner, number in Machine.objects.values_list("pk", "lease_owner", "lease_number")
    }


def until_owned_by(names: set[str], seconds: float = 40.0) -> float:
    """Wait until each machine belongs to one of these; return how long that took."""
    begin = time.monotonic()
    while not all(owner in names for owner, _ in owners().values()):
        assert time.monotonic() - begin < seconds, f"{owners()} after {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - begin


def test_rel_5_each_machine_has_one_owner_and_a_killed_one_s_machines_pass_on_within_30_s(
    cast: Cast, hall: Hall
) -> None:
    for _ in range(5):
        connect(
            make_linked_machine(cast.site, cast.model, at=timezone.now(), lease_number=0),
            "http://127.0.0.1:9",
            "nobody-listens",
        )
    first, second = hall.add(), hall.add()
    until_owned_by({first, second})
    before = owners()

    dying = before[cast.machine.pk][0]
    (left,) = {first, second} - {dying}
    hall.running[dying].kill()

    assert until_owned_by({left}) <= ALONE_AT_MOST_S
    for pk, (owner, number) in owners().items():
        was, before_it = before[pk]
        assert (owner, number) == (left, before_it + 1 if was == dying else before_it)


@pytest.mark.octoprint
@pytest.mark.killed
async def test_case_8_killed_and_frozen_in_turn_supervisors_start_nothing_twice(lab: Lab, hall: Hall) -> None:
    print(f"SEED={SEED} FABLAB_TAKEOVERS={TAKEOVERS}")
    chance = random.Random(SEED)
    await asyncio.to_thread(hall.add)
    await asyncio.to_thread(hall.add)
    await lab.until(lab.machine, lambda found: found.report == "ready")
    at_work = asyncio.create_task(people_at_work(lab))
    try:
        for turn in range(TAKEOVERS):
            await lab.until(lab.machine, lambda found: found.lease_owner in hall.running)
            await something_is_asked(lab)
            await asyncio.sleep(chance.uniform(0.0, 0.3))  # somewhere in what follows from it
            machine = await lab.machine()
            lost = hall.running.pop(machine.lease_owner)
            begin = time.monotonic()
            await asyncio.to_thread(lost.kill if turn % 2 else partial(freeze_between_writes, lost))
            now = await lab.until(
                lab.machine, lambda found: found.lease_owner in hall.running, seconds=ALONE_AT_MOST_S
            )
            print(f"{turn}: alone for {time.monotonic() - begin:.1f} s")
            assert now.lease_number == machine.lease_number + 1
            if turn % 2:
                await asyncio.to_thread(hall.add)
            else:
                await asyncio.to_thread(lost.thaw)
                hall.running[machine.lease_owner] = lost
    finally:
        at_work.cancel()
        await asyncio.gather(at_work, return_exceptions=True)

    attempts = await lab.db(lambda: list(Attempt.objects.exclude(remote_path="")))
    assert attempts
    assert [one.remote_path for one in attempts if lab.starts(one.remote_path) > 1] == []
    begun = [one for one in attempts if one.started_at is not None]
    assert all(lab.starts(one.remote_path) == 1 for one in begun)
    assert await lab.db(Machine.objects.filter(out_of_order_since__isnull=False).count) == 0


def freeze_between_writes(running: Supervising) -> None:
    """Freeze a supervisor that does not hold SQLite's one lock: with it nobody at all could write.

    Several supervisors are for PostgreSQL, which ends the transaction of a client that says nothing for a while.
    """
    running.freeze()
    while not can_be_written():
        running.thaw()
        running.freeze()


def can_be_written() -> bool:
    if connection.vendor != "sqlite":
        return True
    with closing(
        sqlite3.connect(connection.settings_dict["NAME"], timeout=0.2, isolation_level=None)
    ) as line:
        try:
            line.execute("BEGIN IMMEDIATE")
            line.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return False
    return True


async def people_at_work(lab: Lab) -> None:
    """Somebody queues one object after the other, and presses start whenever the machine offers it."""
    job = await lab.queue(PRINT_S)
    while True:
        found = await lab.job(job)
        if found.state in (State.FINISHED, State.READY, State.FAILED, State.CANCELLED):
            job = await lab.queue(PRINT_S)
        elif found.state == State.LOADED:
            await lab.db(press_start, lab, job)
        await asyncio.sleep(0.05)


def press_start(lab: Lab, job: str) -> None:
    try:
        lifecycle.press(
            job, Action.START, actor=lab.cast.person("staff"), at=timezone.now(), plate_clear=True
        )
    except DomainError:
        return  # asked already, or nobody watches the machine just now: pressed again in a moment


async def something_is_asked(lab: Lab) -> None:
    """Wait until an order waits or is on its way: the worst moment to be taken away."""

    async def open_orders() -> int:
        waiting = Order.objects.filter(state__in=[OrderState.WAITING, OrderState.TAKEN])
        count: int = await lab.db(waiting.count)
        return count

    await lab.until(open_orders, bool, seconds=90)
