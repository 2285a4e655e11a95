"""Fault cases against what real OctoPrint servers said, of both releases: states and refusals to order."""

import time
from datetime import timedelta
from pathlib import Path

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from equipment.machines.states import Plate
from jobs.lifecycle.models import Job
from jobs.lifecycle.states import OrderState, State
from jobs.lifecycle.table import Action
from jobs.lifecycle.words import PAUSED_HELP
from jobs.supervision.reconcile import IDLE_PROOF_S, START_SEEN_WITHIN_S
from jobs.worklist.queries import worklist
from jobs.worklist.states import Need
from tests.fakes.faulty_proxy import Fault, FaultyProxy
from tests.jobs.supervision.conftest import MakeLab
from tests.jobs.supervision.lab import Lab
from tests.recorded.server import UPLOAD, RecordedServer

START = f"{UPLOAD}/"
HOURS = 14


async def test_case_6_a_start_that_is_lost_on_the_way_is_sent_once_more(
    recorded: RecordedServer, make_lab: MakeLab, tmp_path: Path
) -> None:
    with FaultyProxy(recorded.port) as proxy:
        lab = await make_lab(recorded.as_octoprint(tmp_path), port=proxy.port)
        await lab.watch()
        job = await lab.loaded()
        rule = proxy.fault(START, Fault.DROP_REQUEST)

        await lab.press(job, Action.START, plate_clear=True)
        await lab.until_state(job, State.RUNNING)

        assert (rule.hits, recorded.starts()) == (1, 1)
        assert len([line for line in proxy.requests if START in line]) == 2
        # Everything it looks at is asked for anew: no connection outlives the line.
        await lab.supervisor.close()


async def test_case_9_idle_reported_in_mid_print_ends_nothing_and_starts_nothing(
    recorded: RecordedServer, lab: Lab
) -> None:
    await lab.watch()
    job = await lab.started()
    behind = await lab.queue()

    await recorded.show("free", silently=True)
    for _ in range(5):
        await lab.watcher.look()
        await lab.supervisor.tick()
    assert ((await lab.job(job)).state, (await lab.job(behind)).state) == (State.RUNNING, State.QUEUED)

    await recorded.show("printing-late", silently=True)
    await lab.watcher.look()
    assert (await lab.attempt(job)).unsure_since is None
    assert await lab.history(job) == ["claim", "load", "start"]
    await recorded.show("finished")
    await lab.until_state(job, State.FINISHED)
    assert ((await lab.machine()).plate, recorded.starts()) == (Plate.TO_CLEAR, 1)


async def test_case_13_a_file_that_the_machine_refuses_leaves_its_job_in_the_queue_and_is_said(
    recorded: RecordedServer, lab: Lab
) -> None:
    """400 without a body, as OctoPrint refuses what is too large."""
    await lab.watch()
    job = await lab.queue()
    order = recorded.answer_next(UPLOAD, "upload-too-large", times=100)

    async def look() -> Job:
        await lab.supervisor.tick()
        return await lab.job(job)

    waiting = await lab.until(look, lambda found: found.waiting_for != [])
    assert [reason["code"] for reason in waiting.waiting_for] == ["waiting_file_refused"]
    assert (waiting.state, waiting.attempts_made, recorded.starts()) == (State.QUEUED, 0, 0)
    assert order.hits >= 1


async def test_case_26_a_start_answered_with_success_after_which_nothing_prints_is_no_start(
    recorded: RecordedServer, lab: Lab
) -> None:
    """The answer is the one to a start with nothing selected: 204, and the machine stays idle."""
    await lab.watch()
    job = await lab.loaded()
    order = recorded.answer_next(START, "nothing-selected")

    await lab.press(job, Action.START, plate_clear=True)
    await lab.until(lambda: lab.order(job), lambda found: found.settled_at is not None)
    assert (order.hits, (await lab.job(job)).state) == (1, State.LOADED)
    later(lab, seconds=START_SEEN_WITHIN_S + IDLE_PROOF_S)

    async def looked() -> bool:
        await lab.watcher.look()
        return (await lab.attempt(job)).start_sent_at is None

    await lab.until(looked, bool)
    assert ((await lab.job(job)).state, recorded.starts()) == (State.LOADED, 1)
    assert (await lab.machine()).plate_token == ""


async def test_case_26_a_file_that_is_taken_while_no_printer_is_connected_is_not_taken_for_a_print(
    recorded: RecordedServer, lab: Lab
) -> None:
    """201 with `effectivePrint` false; and 409 for the start, in words that say something else."""
    await lab.watch()
    order = recorded.answer_next(UPLOAD, "print-unconnected", acts=True)
    job = await lab.loaded()
    assert order.hits == 1

    await recorded.show("unconnected", silently=True)
    await lab.press(job, Action.START, plate_clear=True)
    refused = await lab.until(lambda: lab.order(job), lambda found: found.settled_at is not None)
    assert (refused.state, refused.outcome) == (OrderState.REFUSED, "printer_disconnected")
    assert ((await lab.job(job)).state, recorded.starts()) == (State.LOADED, 0)


async def test_case_27_a_printer_that_waits_for_somebody_says_who_is_needed_and_never_fails_of_itself(
    recorded: RecordedServer, lab: Lab
) -> None:
    """M600 in the file, filament run out, a pause that the printer asks for: each lasts a night."""
    await lab.watch()
    job = await lab.started()

    for night, pause in enumerate(("paused-m600", "paused-run-out", "paused-by-printer")):
        await recorded.show(pause)
        await lab.until_state(job, State.PAUSED)
        for hours in (1, HOURS / 2, HOURS):
            later(lab, seconds=(night * HOURS + hours) * 3600)
            await lab.watcher.look()
            await lab.supervisor.tick()
        found = await lab.job(job)
        assert (found.state, found.reason) == (State.PAUSED, "")
        assert await lab.db(page_of, lab, job) == (200, True)
        assert Need.PAUSED in await lab.db(needs_of, lab)

        await recorded.show("resumed")
        await lab.until_state(job, State.RUNNING)
    assert {*await lab.history(job)} == {"claim", "load", "start", "pause", "resume"}
    assert recorded.starts() == 1


async def test_case_28_a_halt_of_the_firmware_fails_the_job_and_holds_the_machine_for_staff(
    recorded: RecordedServer, lab: Lab
) -> None:
    await lab.watch()
    job = await lab.started()

    await recorded.show("halted")

    failed = await lab.until_state(job, State.FAILED)
    assert failed.reason == "firmware"
    machine = await lab.until(lab.machine, lambda found: found.out_of_order_since is not None)
    assert machine.plate == Plate.TO_CLEAR
    # Somebody connects the printer again: it stays out of order until staff say otherwise, and nothing starts.
    behind = await lab.queue()
    await recorded.show("free")
    await lab.watcher.look()
    await lab.supervisor.tick()
    assert (await lab.machine()).out_of_order_since is not None
    assert "waiting_out_of_order" in [reason["code"] for reason in (await lab.job(behind)).waiting_for]
    assert recorded.starts() == 1


def later(lab: Lab, *, seconds: float) -> None:
    """Move both clocks of supervision."""
    lab.bench.monotonic = lambda: time.monotonic() + seconds
    lab.bench.clock = lambda: timezone.now() + timedelta(seconds=seconds)


def page_of(lab: Lab, job: str) -> tuple[int, bool]:
    """The status of the owner's own page, and whether it says who is needed."""
    client = Client()
    client.force_login(lab.cast.person("owner"))
    answer = client.get(reverse("job", args=[job]))
    return answer.status_code, str(PAUSED_HELP) in answer.content.decode()


def needs_of(lab: Lab) -> set[str]:
    """What the work list of those on duty asks for."""
    tasks = worklist(lab.cast.person("staff"), str(lab.cast.site.pk), lab.bench.clock())
    return {task.entry.need for task in tasks}
