"""From the queue to the shelf on a real OctoPrint: claimed, sent, proven, started once, followed, ended, tidied."""

import asyncio

import pytest

from equipment.machines.states import Plate
from jobs.lifecycle.states import OrderState, State
from jobs.lifecycle.table import Action
from tests.jobs.supervision.lab import Lab

pytestmark = pytest.mark.octoprint


async def test_a_job_is_claimed_sent_started_once_and_finished(lab: Lab) -> None:
    await lab.watch()
    job = await lab.queue(3)

    await lab.supervisor.tick()
    await lab.until_state(job, State.LOADED)
    attempt = await lab.attempt(job)
    assert attempt.remote_path == f"fl/{attempt.pk}-{attempt.file_sha256[:8]}.gcode"
    assert lab.starts(attempt.remote_path) == 0

    await lab.press(job, Action.START, plate_clear=True)
    await lab.until_state(job, State.RUNNING)
    await lab.until(
        lambda: lab.job(job), lambda found: (found.percent or 0) > 0 or found.state == State.FINISHED
    )
    await lab.until_state(job, State.FINISHED)

    assert lab.starts(attempt.remote_path) == 1
    assert await lab.history(job) == ["claim", "load", "start", "finish"]
    order = await lab.order(job)
    assert order.state == OrderState.DONE
    machine = await lab.until(lab.machine, lambda found: found.report == "ready")
    assert (machine.plate, machine.plate_token, machine.report_foreign) == (Plate.TO_CLEAR, "", False)


async def test_pause_resume_and_stop_change_the_job_only_when_the_machine_reports(lab: Lab) -> None:
    await lab.watch()
    job = await lab.started(60)

    await lab.press(job, Action.PAUSE, by="owner")
    await lab.until_state(job, State.PAUSED)
    await lab.press(job, Action.RESUME)
    await lab.until_state(job, State.RUNNING)
    await lab.press(job, Action.ASK_STOP, by="owner")
    stopped = await lab.until_state(job, State.CANCELLED)

    assert stopped.reason == "by_owner"  # "Annulé (par toi)"
    assert await lab.history(job) == ["claim", "load", "start", "pause", "resume", "ask_stop", "stopped"]
    assert (await lab.machine()).plate == Plate.TO_CLEAR


async def test_case_7_fifty_presses_are_one_start_in_octoprints_log(lab: Lab) -> None:
    await lab.watch()
    job = await lab.loaded()
    path = (await lab.attempt(job)).remote_path

    answers = await asyncio.gather(
        *(lab.press(job, Action.START, plate_clear=True) for _ in range(50)), return_exceptions=True
    )
    await lab.until_state(job, State.RUNNING)

    assert sum(not isinstance(answer, BaseException) for answer in answers) == 1
    assert lab.starts(path) == 1


async def test_after_the_end_the_file_is_removed_from_the_machine(lab: Lab) -> None:
    await lab.watch()
    job = await lab.started(0.5)
    await lab.until_state(job, State.FINISHED)

    attempt = await lab.until(lambda: lab.attempt(job), lambda found: found.remote_deleted_at is not None)

    listing = await lab.ask("/api/files/local/fl?recursive=true")
    assert attempt.remote_path not in [entry["path"] for entry in listing["children"]]


async def test_case_24_a_plate_that_is_not_clear_is_refused_and_after_clearing_there_is_one_start(
    lab: Lab,
) -> None:
    await lab.watch()
    job = await lab.loaded()
    path = (await lab.attempt(job)).remote_path

    with pytest.raises(Exception, match="plate_to_clear"):
        await lab.press(job, Action.START)
    assert lab.starts(path) == 0

    await lab.press(job, Action.START, plate_clear=True)
    await lab.until_state(job, State.RUNNING)
    assert lab.starts(path) == 1
