"""A simulated machine through the whole supervision: ordered, watched and ended like a printer, and forgetful."""

from collections.abc import AsyncIterator

import pytest
from django.utils import timezone

from equipment.drivers.base import Push, PushEvent, PushKind
from equipment.drivers.simulated import driver as simulated
from equipment.machines.states import Plate
from jobs.lifecycle import services as lifecycle
from jobs.lifecycle.models import AttemptSample
from jobs.lifecycle.states import State
from jobs.lifecycle.table import Action
from jobs.supervision import reconcile
from tests.builders_jobs import Cast
from tests.jobs.supervision.line_lab import LineLab, line_lab

SHORT = b";TIME:180\nG28\n"  # three seconds of a machine that lives sixty times as fast
LONG = b";TIME:36000\nG28\n"


@pytest.fixture
async def lab(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LineLab]:
    monkeypatch.setattr(simulated, "_machines", {})
    async with line_lab(cast, "simulated", "simulated://quick") as one:
        await one.watch()
        yield one


async def started(lab: LineLab, content: bytes) -> str:
    job = await lab.put_loaded(content)
    read = await lab.read(job)
    assert (read.job, read.machine) == ("plate_to_clear", "needs_clearing")
    await lab.press(job, Action.START, plate_clear=True)
    await lab.until_state(job, State.RUNNING)
    return job


async def test_from_the_queue_to_the_shelf_it_is_started_once_and_tells_the_rest_itself(lab: LineLab) -> None:
    job = await started(lab, SHORT)
    read = await lab.read(job)
    assert (read.job, read.machine, read.asked) == ("running", "busy", ())
    assert not {"finish", "stopped", "fail"} & read.actions  # it is heard: nobody settles it by hand

    await lab.until_state(job, State.FINISHED)
    await lab.supervisor.keep_samples()
    attempt = await lab.attempt(job)
    points = await lab.db(lambda: list(AttemptSample.objects.filter(attempt=attempt)))
    assert points

    await lab.until(lab.machine, lambda found: found.report == "ready")
    read = await lab.read(job)
    assert (read.job, read.machine) == ("finished", "needs_clearing")
    await lab.until(lambda: lab.attempt(job), lambda found: found.remote_deleted_at is not None)

    def clear() -> None:
        lifecycle.clear_plate(lab.cast.machine.pk, actor=lab.cast.person("staff"), at=timezone.now())

    await lab.db(clear)
    read = await lab.read(job)
    assert (read.job, read.machine) == ("ready", "free")
    assert await lab.history(job) == ["claim", "load", "start", "finish", "shelve"]


async def test_pause_resume_and_stop_change_the_object_only_when_the_machine_reports(lab: LineLab) -> None:
    job = await started(lab, LONG)
    await lab.press(job, Action.PAUSE, by="owner")
    await lab.until_state(job, State.PAUSED)
    await lab.press(job, Action.RESUME)
    await lab.until_state(job, State.RUNNING)
    await lab.press(job, Action.ASK_STOP, by="owner")
    stopped = await lab.until_state(job, State.CANCELLED)
    assert stopped.reason == "by_owner"
    assert await lab.history(job) == ["claim", "load", "start", "pause", "resume", "ask_stop", "stopped"]
    assert (await lab.machine()).plate == Plate.TO_CLEAR


async def test_an_event_from_before_the_last_look_moves_nothing_back(lab: LineLab) -> None:
    job = await started(lab, LONG)
    await lab.press(job, Action.PAUSE, by="owner")
    await lab.until_state(job, State.PAUSED)
    path = (await lab.attempt(job)).remote_path
    late = Push(PushKind.EVENT, event=PushEvent.PRINT_RESUMED, path=path)
    await lab.watcher.receive(late, came_at=float("-inf"))
    assert (await lab.job(job)).state == State.PAUSED
    assert await lab.history(job) == ["claim", "load", "start", "pause"]


async def test_a_restart_in_mid_print_is_a_power_cut_and_nothing_starts_again_by_itself(
    lab: LineLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "IDLE_IS_END_S", 4.0)
    job = await started(lab, LONG)
    await lab.until(lab.machine, lambda found: found.report == "printing")
    simulated._machines.clear()  # the process that held it in its memory has ended
    await lab.restart()

    await lab.until_read(job, lambda found: found.job == "unsure" and found.machine == "unreachable")
    ended = await lab.until_state(job, State.FAILED)
    assert ended.reason == "lost"
    await lab.supervisor.tick()
    await lab.supervisor.watches[lab.cast.machine.pk].idle()
    machine = await lab.until(lab.machine, lambda found: found.report == "ready")
    assert (machine.plate, machine.plate_token) == (Plate.TO_CLEAR, "")
    assert (await lab.job(job)).state == State.FAILED  # an instructor may have it made again
    assert (await lab.read(job)).machine == "needs_clearing"
