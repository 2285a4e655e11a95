"""Real processes killed and frozen at the worst moments, on a real OctoPrint: nothing starts twice, nothing is lost."""

import asyncio
import os

import pytest
from django.utils import timezone

from equipment.machines.models import Machine
from jobs.lifecycle import services as lifecycle
from jobs.lifecycle.states import OrderState, State
from jobs.lifecycle.table import Action
from jobs.supervision.failpoints import AFTER_START_ACCEPTED, AFTER_UPLOAD, BEFORE_START_SENT
from tests.jobs.supervision.lab import Lab
from tests.jobs.supervision.processes import Supervising, supervising

pytestmark = [pytest.mark.octoprint, pytest.mark.killed]

TIMES = int(os.environ.get("FABLAB_KILLS", "1"))  # 200 in the soak
AGAIN = pytest.mark.parametrize("time", range(TIMES))


async def heard(lab: Lab) -> None:
    await lab.until(lab.machine, lambda found: found.report == "ready")


async def death(lab: Lab, running: Supervising) -> None:
    async def look() -> bool:
        return running.killed_itself()

    await lab.until(look, bool)


async def press(lab: Lab, job: str, *, plate_clear: bool = True) -> None:
    def pressed() -> None:
        lifecycle.press(
            job,
            Action.START,
            actor=lab.cast.person("staff"),
            at=timezone.now(),
            plate_clear=plate_clear,
        )

    await lab.db(pressed)


async def files_of(lab: Lab, attempt_id: str) -> list[str]:
    listing = await lab.ask("/api/files/local?recursive=true")
    folders = [entry["children"] for entry in listing["files"] if entry["name"] == "fl"]
    return [entry["path"] for folder in folders for entry in folder if attempt_id in entry["path"]]


@AGAIN
async def test_case_3_killed_after_the_upload_the_file_is_found_and_there_is_one_of_it(
    lab: Lab, time: int
) -> None:
    with supervising(failpoint=AFTER_UPLOAD) as first:
        await heard(lab)
        job = await lab.queue(20)
        await death(lab, first)
    attempt = await lab.attempt(job)
    assert (await lab.job(job)).state == State.SENDING

    with supervising():
        await lab.until_state(job, State.LOADED)
        assert (await lab.attempt(job)).pk == attempt.pk
        path = (await lab.attempt(job)).remote_path
        assert await files_of(lab, attempt.pk) == [path]
        assert lab.starts(path) == 0
        await press(lab, job, plate_clear=True)
        await lab.until_state(job, State.RUNNING)
        assert lab.starts(path) == 1


@AGAIN
@pytest.mark.parametrize("successor", ["itself", "another"])
async def test_case_3_killed_right_before_the_start_a_person_is_asked_again(
    lab: Lab, time: int, successor: str
) -> None:
    """Nobody knows what the machine went through meanwhile: it may have begun and lost its power."""
    with supervising(failpoint=BEFORE_START_SENT) as first:
        await heard(lab)
        job = await lab.queue(20)
        await lab.until_state(job, State.LOADED)
        path = (await lab.attempt(job)).remote_path
        await press(lab, job, plate_clear=True)
        await death(lab, first)
    assert (await lab.order(job)).state == OrderState.TAKEN
    assert lab.starts(path) == 0
    if successor == "another":
        await lab.db(_lease_runs_out, lab)

    with supervising("another") if successor == "another" else supervising():
        order = await lab.until(lambda: lab.order(job), lambda found: found.state == OrderState.UNKNOWN)
        assert order.outcome == "start_not_seen"
        assert (await lab.attempt(job)).start_sent_at is None
        assert ((await lab.job(job)).state, lab.starts(path)) == (State.LOADED, 0)
        await press(lab, job, plate_clear=True)
        await lab.until_state(job, State.RUNNING)
        assert lab.starts(path) == 1


@AGAIN
async def test_case_4_killed_after_the_start_was_accepted_the_print_is_adopted(lab: Lab, time: int) -> None:
    with supervising(failpoint=AFTER_START_ACCEPTED) as first:
        await heard(lab)
        job = await lab.queue(20)
        await lab.until_state(job, State.LOADED)
        path = (await lab.attempt(job)).remote_path
        await press(lab, job, plate_clear=True)
        await death(lab, first)

    with supervising():
        await lab.until_state(job, State.RUNNING)
        await lab.until(lambda: lab.order(job), lambda found: found.state == OrderState.DONE)
        assert lab.starts(path) == 1


async def test_killed_in_mid_print_the_end_that_nobody_saw_is_found(lab: Lab) -> None:
    with supervising() as first:
        await heard(lab)
        job = await lab.queue(3)
        await lab.until_state(job, State.LOADED)
        path = (await lab.attempt(job)).remote_path
        await press(lab, job, plate_clear=True)
        await lab.until_state(job, State.RUNNING)
        first.kill()
    await asyncio.to_thread(lab.server.await_state, "Operational")

    with supervising():
        await lab.until_state(job, State.FINISHED)
        assert lab.starts(path) == 1


async def test_case_8_a_second_supervisor_idles_and_the_first_frozen_and_resumed_sends_nothing(
    lab: Lab,
) -> None:
    with supervising("first") as first:
        await heard(lab)
        job = await lab.queue(20)
        await lab.until_state(job, State.LOADED)
        path = (await lab.attempt(job)).remote_path
        number = (await lab.machine()).lease_number
        with supervising("second"):
            await asyncio.to_thread(first.freeze)
            assert (await lab.machine()).lease_owner == "first"
            await lab.db(_lease_runs_out, lab)
            await lab.until(lab.machine, lambda found: found.lease_owner == "second")
            assert (await lab.machine()).lease_number == number + 1
            await press(lab, job, plate_clear=True)
            await asyncio.to_thread(first.thaw)
            await lab.until_state(job, State.RUNNING)
            await lab.until(lab.machine, lambda found: found.report == "printing")
            assert lab.starts(path) == 1
            assert (await lab.machine()).lease_owner == "second"


def _lease_runs_out(lab: Lab) -> None:
    """As if the other had watched it lapse: nobody need wait for that here."""
    Machine.objects.filter(pk=lab.cast.machine.pk).update(lease_until=None)
