"""Many machines: the dead, the silent and the dripping cost the living nothing, and no thread waits for the network."""

import asyncio
import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import pytest
from django.db import connections
from django.utils import timezone
from pytest_django.fixtures import Settings

from bench.measure import Child
from equipment.drivers.web import Limits
from equipment.machines.models import Machine
from fablab.core.threads import DatabaseThreads
from jobs.lifecycle.states import State
from tests.builders_jobs import Cast, make_linked_machine
from tests.jobs.supervision.lab import Lab, connect, make_supervisor

DEAD = int(os.environ.get("FABLAB_DEAD", "54"))
LIVE = 2
CUTS = 6
DATABASE_THREAD = "database-of-the-fleet"
T = TypeVar("T")


async def test_rel_19_dead_silent_and_dripping_machines_cost_the_living_nothing(
    cast: Cast, settings: Settings
) -> None:
    with Child(["-m", "bench.fleet.crowd", str(LIVE), str(DEAD), "idle"]) as crowd:
        ports = crowd.hear()["ports"]
        settings.MACHINE_NETWORKS = [f"127.0.0.1:{port}" for port in ports]
        supervisor, bench, end = make_supervisor()
        lab = Lab(cast, None, bench, supervisor)  # type: ignore[arg-type]  # its machines are the crowd's

        def connect_all() -> list[str]:
            Machine.objects.filter(pk=cast.machine.pk).update(driver="handover")
            at = timezone.now()
            halls = [make_linked_machine(cast.site, cast.model, at=at) for _ in ports]
            for machine, port in zip(halls, ports, strict=True):
                connect(machine, f"http://127.0.0.1:{port}", "crowd")
            return [machine.pk for machine in halls]

        try:
            ids = await lab.db(connect_all)
            await supervisor.take_stock()
            assert len(supervisor.watches) == LIVE + DEAD

            async def reports(those: list[str]) -> set[str]:
                def read() -> set[str]:
                    return set(Machine.objects.filter(pk__in=those).values_list("report", flat=True))

                found: set[str] = await lab.db(read)
                return found

            await lab.until(lambda: reports(ids[:LIVE]), lambda found: found == {"ready"})
            await lab.until(lambda: reports(ids[LIVE:]), lambda found: found == {"silent"}, 90)
            backs = []
            for number in range(CUTS):
                crowd.say(cut=number % LIVE)
                backs.append((await asyncio.to_thread(crowd.hear))["back_s"])
            print(f"back after {[round(one, 2) for one in backs]} s with {DEAD} dead")
            assert max(backs) < Limits().answer  # less than one time-out of the silent ones
            assert await reports(ids[:LIVE]) == {"ready"}
        finally:
            await supervisor.close()
            end()


class Watched(DatabaseThreads):
    """Sees whether a call leaves a transaction open behind it."""

    left_open = 0
    calls = 0

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        def call() -> T:
            try:
                return fn(*args, **kwargs)
            finally:
                self.calls += 1
                self.left_open += any(one.in_atomic_block for one in connections.all(initialized_only=True))

        return super().submit(call)


@pytest.mark.octoprint
async def test_rel_20_no_transaction_spans_the_network(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = Watched(3, DATABASE_THREAD)
    lab.bench.threads = threads
    entered: list[str] = []

    class Socket(socket.socket):
        def connect(self, address: Any) -> None:
            entered.append(threading.current_thread().name)
            super().connect(address)

    monkeypatch.setattr(socket, "socket", Socket)
    try:
        await lab.watch()
        job = await lab.started(1)
        await lab.until_state(job, State.FINISHED)
        await lab.supervisor.close()
    finally:
        threads.shutdown()
    # Transactions live in the database's threads, and none of those ever opens a line; none outlives its call.
    assert entered
    assert not [name for name in entered if name.startswith(DATABASE_THREAD)]
    assert (threads.left_open, threads.calls > 20) == (0, True)
