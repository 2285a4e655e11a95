"""Which machines a process watches: taken by lease, picked up and dropped within seconds, none of them a burden."""

import asyncio
import logging
from datetime import timedelta

import pytest
from django.utils import timezone

from equipment.machines.models import Machine
from jobs.lifecycle.models import Job, Order
from jobs.lifecycle.states import OrderState, State, Verb
from jobs.lifecycle.table import Action
from jobs.supervision import loop, records
from tests.builders_jobs import make_linked_machine
from tests.fakes.faulty_proxy import Fault, FaultyProxy
from tests.fixtures.octoprint import OctoPrint, StartServers
from tests.jobs.supervision.conftest import MakeLab
from tests.jobs.supervision.lab import Lab, connect, make_supervisor

pytestmark = pytest.mark.octoprint


async def test_a_machine_that_is_added_changed_or_removed_is_noticed_at_the_next_census(lab: Lab) -> None:
    await lab.supervisor.take_stock()
    first = lab.watcher

    def change(**fields: object) -> None:
        Machine.objects.filter(pk=lab.cast.machine.pk).update(**fields)

    await lab.db(change, connection_number=2)
    await lab.supervisor.take_stock()
    await lab.supervisor.take_stock()
    assert lab.watcher is not first

    await lab.db(change, retired_at=timezone.now())
    await lab.supervisor.take_stock()
    assert lab.supervisor.watches == {}
    assert (await lab.machine()).lease_owner == ""


async def test_rel_5_a_machine_belongs_to_one_process_and_a_lost_lease_ends_its_watch_at_once(
    lab: Lab,
) -> None:
    await lab.watch()
    other, _, end = make_supervisor("other")
    try:
        await other.take_stock()
        assert other.watches == {}

        def pass_on() -> None:
            Machine.objects.filter(pk=lab.cast.machine.pk).update(lease_until=None)

        await lab.db(pass_on)
        await other.take_stock()
        assert list(other.watches) == [lab.cast.machine.pk]
        await lab.supervisor.keep_leases()
        assert lab.supervisor.watches == {}
        assert lab.supervisor.leases == {}
    finally:
        await other.close()
        end()


async def test_an_order_for_a_machine_that_another_process_watches_is_left_to_it(lab: Lab) -> None:
    await lab.watch()
    job = await lab.loaded()
    watcher = lab.watcher

    def pass_on_and_press() -> str:
        machine = Machine.objects.get(pk=lab.cast.machine.pk)
        machine.lease_number += 1
        machine.lease_owner = "other"
        machine.save()
        at = timezone.now()
        order = Order.objects.create(
            attempt_id=machine.attempts.get().pk,
            verb=Verb.START,
            lease_number=machine.lease_number,
            created_at=at,
            expires_at=at + timedelta(seconds=60),
        )
        return order.pk

    order_id = await lab.db(pass_on_and_press)
    await watcher.orders.carry_out(order_id, Verb.START)
    assert await lab.db(records.take, order_id, lease_number=watcher.lease.number, at=timezone.now()) is None

    assert (await lab.order(job)).state == OrderState.WAITING
    assert (await lab.attempt(job)).start_sent_at is None


async def test_case_8_a_lease_that_ran_out_while_we_were_frozen_lets_no_start_leave(lab: Lab) -> None:
    await lab.watch()
    job = await lab.loaded()
    path = (await lab.attempt(job)).remote_path
    lab.watcher.lease.until = float("-inf")

    await lab.press(job, Action.START, plate_clear=True)
    await lab.watcher.idle()

    order = await lab.until(lambda: lab.order(job), lambda found: found.settled_at is not None)
    assert (order.state, order.outcome) == (OrderState.REFUSED, "lease_lost")
    assert lab.starts(path) == 0
    assert (await lab.attempt(job)).start_sent_at is None


async def test_the_whole_supervision_runs_and_ends_when_it_is_told_to(lab: Lab) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(loop.run(stop, owner="whole"))
    try:
        await lab.until(lab.machine, lambda found: found.report == "ready")
        job = await lab.queue(20)
        await lab.until_state(job, State.LOADED)
    finally:
        stop.set()
        async with asyncio.timeout(20):
            await running
    assert (await lab.machine()).lease_owner == ""


async def test_rel_20_a_machine_that_answers_nothing_delays_no_other(
    make_lab: MakeLab, octoprint: OctoPrint
) -> None:
    with FaultyProxy(octoprint.port) as proxy:
        proxy.fault(" ", Fault.SWALLOW_REQUEST, times=None)
        lab = await make_lab(octoprint, also=(proxy.port,))

        def add_the_silent() -> None:
            for _ in range(5):
                machine = make_linked_machine(lab.cast.site, lab.cast.model, at=timezone.now())
                connect(machine, proxy.url, octoprint.operator_key)

        await lab.db(add_the_silent)
        await lab.watch()
        assert len(lab.supervisor.watches) == 6
        job = await lab.started(1)
        async with asyncio.timeout(9):  # less than one time-out of the silent ones
            await lab.until_state(job, State.FINISHED)


async def test_contact_lost_in_mid_print_is_one_line_in_the_log_and_the_print_goes_on(
    make_lab: MakeLab, octoprint: OctoPrint, caplog: pytest.LogCaptureFixture
) -> None:
    with FaultyProxy(octoprint.port) as proxy:
        lab = await make_lab(octoprint, port=proxy.port)
        await lab.watch()
        job = await lab.started(60)
        with caplog.at_level(logging.INFO, "jobs.supervision"):
            proxy.fault(" ", Fault.DROP_REQUEST, times=None)
            proxy.cut_all()
            await lab.until_unsure(job, "silent")
            assert (await lab.job(job)).state == State.RUNNING
            await lab.until(lab.machine, lambda found: found.report == "silent")
            proxy.heal()
            await lab.until(lambda: lab.attempt(job), lambda found: found.unsure_since is None)
        said = [record.getMessage() for record in caplog.records]
        assert len([line for line in said if "contact lost" in line]) == 1
        assert len([line for line in said if "contact is back" in line]) == 1
        assert await lab.history(job) == ["claim", "load", "start"]


async def test_an_end_that_came_while_the_line_was_cut_is_inferred_from_the_machines_count(
    make_lab: MakeLab, octoprint: OctoPrint
) -> None:
    with FaultyProxy(octoprint.port) as proxy:
        lab = await make_lab(octoprint, port=proxy.port)
        await lab.watch()
        job = await lab.started(2)
        proxy.fault(" ", Fault.DROP_REQUEST, times=None)
        proxy.cut_all()
        await lab.until_unsure(job, "silent")
        await asyncio.to_thread(octoprint.await_state, "Operational")
        proxy.heal()
        await lab.until_state(job, State.FINISHED)
        assert await lab.history(job) == ["claim", "load", "start", "finish"]


async def test_case_29_a_revoked_key_is_found_although_the_push_channel_stays_open(
    make_lab: MakeLab, octoprint_servers: StartServers
) -> None:
    (server,) = octoprint_servers()
    lab = await make_lab(server)
    await lab.watch()
    keys = (await lab.ask("/api/plugin/appkeys?all=true"))["keys"]
    operators = next(key for key in keys if key["user_id"] == "operator")

    await lab.ask(
        "/api/plugin/appkeys", {"command": "revoke", "app": operators["app_id"], "user": "operator"}
    )

    machine = await lab.until(lab.machine, lambda found: found.report == "silent", seconds=60)
    assert machine.report_error == "bad_key"
    assert machine.plate_token == ""


async def test_case_13_an_upload_that_octoprint_refuses_leaves_the_job_in_the_queue(
    make_lab: MakeLab, octoprint_servers: StartServers
) -> None:
    (server,) = octoprint_servers(max_upload=200)
    lab = await make_lab(server)
    await lab.watch()
    job = await lab.queue(60)

    async def look() -> Job:
        await lab.supervisor.tick()
        return await lab.job(job)

    waiting = await lab.until(look, lambda found: found.waiting_for != [])
    assert [reason["code"] for reason in waiting.waiting_for] == ["waiting_file_refused"]
    assert (waiting.state, waiting.attempts_made) == (State.QUEUED, 0)
    assert await lab.history(job) == ["claim", "release"]
