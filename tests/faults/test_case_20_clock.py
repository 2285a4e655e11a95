"""The computer's clock jumps an hour, or a machine's stands in 1970 (case 20).

The shifted process is a real one, started with another time; what it counts in is the monotonic clock, which nobody
shifts. The shift is done in the process (Django's clock and ``time.time``), not in the system.
"""

import json
import re
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.lifecycle import services as lifecycle
from jobs.lifecycle.states import OrderState, State
from jobs.lifecycle.table import Action
from tests.fakes.faulty_proxy import Fault, FaultyProxy
from tests.faults.storm import as_http
from tests.fixtures.octoprint import OctoPrint
from tests.jobs.supervision.conftest import MakeLab
from tests.jobs.supervision.lab import Lab
from tests.jobs.supervision.processes import supervising

pytestmark = [pytest.mark.octoprint, pytest.mark.killed]

SHIFTED = """
import time
from datetime import timedelta
from django.utils import timezone
_now, _time, SHIFT_S = timezone.now, time.time, {seconds}
timezone.now = lambda: _now() + timedelta(seconds=SHIFT_S)
time.time = lambda: _time() + SHIFT_S
"""


@pytest.mark.parametrize("hours", [1, -1])
async def test_case_20_a_process_whose_clock_jumped_an_hour_sends_no_start_that_was_asked_for_before(
    lab: Lab, hours: int
) -> None:
    with supervising() as before:
        await lab.until(lab.machine, lambda found: found.report == "ready")
        job = await lab.queue(20)
        await lab.until_state(job, State.LOADED)
        path = (await lab.attempt(job)).remote_path
        before.kill()

    def press() -> None:
        lifecycle.press(
            job, Action.START, actor=lab.cast.person("staff"), at=timezone.now(), plate_clear=True
        )

    await lab.db(press)
    with supervising(before=SHIFTED.format(seconds=hours * 3600)):
        order = await lab.until(lambda: lab.order(job), lambda found: found.settled_at is not None)
        assert order.state == OrderState.EXPIRED
        assert lab.starts(path) == 0


async def test_case_20_a_machine_that_says_1970_is_followed_like_any_other(
    make_lab: MakeLab, octoprint: OctoPrint
) -> None:
    with FaultyProxy(octoprint.port) as proxy:
        lab = await make_lab(octoprint, port=proxy.port)
        await lab.watch()
        job = await lab.loaded(3)
        path = (await lab.attempt(job)).remote_path
        said = await lab.ask(f"/api/files/local/{path}")
        old = as_http(re.sub(rb'"date": ?[0-9.]+', b'"date": 12', json.dumps(said).encode()))
        proxy.fault(rf"GET /api/files/local/{path} ", Fault.ANSWER, body=old)
        began = time.monotonic()

        await lab.press(job, Action.START, plate_clear=True)
        await lab.until_state(job, State.FINISHED)

        attempt = await lab.attempt(job)
        assert lab.starts(path) == 1
        assert attempt.started_at is not None and attempt.ended_at is not None
        assert attempt.ended_at - attempt.started_at < timedelta(seconds=time.monotonic() - began)
        assert timezone.now() - attempt.started_at < timedelta(minutes=5)
