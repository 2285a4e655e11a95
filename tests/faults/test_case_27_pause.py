"""A printer that waits for somebody, filament out or door open (case 27): however long, it is paused and not failed."""

import asyncio
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.lifecycle.states import State
from tests.jobs.supervision.lab import Lab

pytestmark = pytest.mark.octoprint

HOURS = 14


async def test_case_27_a_pause_of_many_hours_is_no_failure(lab: Lab) -> None:
    await lab.watch()
    job = await lab.started(60)
    await asyncio.to_thread(lab.server.gcode, "!!DEBUG:action_pause")
    await lab.until_state(job, State.PAUSED)

    lab.bench.monotonic = lambda: time.monotonic() + HOURS * 3600
    lab.bench.clock = lambda: timezone.now() + timedelta(hours=HOURS)
    for _ in range(5):
        await lab.watcher.look()
        await lab.supervisor.tick()

    assert (await lab.job(job)).state == State.PAUSED
    assert await lab.history(job) == ["claim", "load", "start", "pause"]
    await lab.ask("/api/job", {"command": "pause", "action": "resume"})
    await lab.until_state(job, State.RUNNING)
