"""A start that is answered with success and starts nothing (case 26): the answer proves nothing, the machine does."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.lifecycle.states import State
from jobs.lifecycle.table import Action
from jobs.supervision.reconcile import IDLE_PROOF_S, START_SEEN_WITHIN_S
from tests.fakes.faulty_proxy import Fault, FaultyProxy
from tests.fixtures.octoprint import OctoPrint
from tests.jobs.supervision.conftest import MakeLab

pytestmark = pytest.mark.octoprint

START = "POST /api/files/local/fl/"
ACCEPTED = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def test_case_26_an_accepted_start_after_which_nothing_prints_is_no_start(
    make_lab: MakeLab, octoprint: OctoPrint
) -> None:
    with FaultyProxy(octoprint.port) as proxy:
        lab = await make_lab(octoprint, port=proxy.port)
        await lab.watch()
        job = await lab.loaded(20)
        path = (await lab.attempt(job)).remote_path
        rule = proxy.fault(START, Fault.ANSWER, body=ACCEPTED)

        await lab.press(job, Action.START, plate_clear=True)
        await lab.until(lambda: lab.order(job), lambda found: found.settled_at is not None)
        assert (rule.hits, (await lab.job(job)).state, lab.starts(path)) == (1, State.LOADED, 0)
        passed = START_SEEN_WITHIN_S + IDLE_PROOF_S
        lab.bench.monotonic = lambda: time.monotonic() + passed
        lab.bench.clock = lambda: timezone.now() + timedelta(seconds=passed)

        async def looked() -> bool:
            await lab.watcher.look()
            return (await lab.attempt(job)).start_sent_at is None

        await lab.until(looked, bool)
        assert ((await lab.job(job)).state, lab.starts(path)) == (State.LOADED, 0)
        # The clearing of the plate was used up, and nothing was sent again by itself.
        assert (await lab.machine()).plate_token == ""
        assert len([line for line in proxy.requests if START in line]) == 1
