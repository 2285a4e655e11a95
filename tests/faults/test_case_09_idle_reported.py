"""A machine that says for two seconds that it is idle, in the middle of a print (case 9), as OctoPrint words it."""

import pytest

from jobs.lifecycle.states import State
from jobs.lifecycle.table import Action
from tests.fakes.faulty_proxy import Fault, FaultyProxy
from tests.faults.storm import IDLE, as_http
from tests.fixtures.octoprint import OctoPrint
from tests.jobs.supervision.conftest import MakeLab

pytestmark = pytest.mark.octoprint


async def test_case_9_idle_reported_in_mid_print_is_no_end_and_no_next_start(
    make_lab: MakeLab, octoprint: OctoPrint
) -> None:
    with FaultyProxy(octoprint.port) as proxy:
        lab = await make_lab(octoprint, port=proxy.port)
        await lab.watch()
        job = await lab.started(60)
        behind = await lab.queue(20)
        rules = [
            proxy.fault(pattern, Fault.ANSWER, times=None, body=as_http(said))
            for pattern, said in IDLE.items()
        ]

        for _ in range(5):
            await lab.watcher.look()
            await lab.supervisor.tick()
        assert all(rule.hits >= 5 for rule in rules)
        assert ((await lab.job(job)).state, (await lab.job(behind)).state) == (State.RUNNING, State.QUEUED)
        with pytest.raises(Exception, match=r"already_started|wrong_state|machine_working"):
            await lab.press(job, Action.START, plate_clear=True)
        proxy.heal()

        await lab.watcher.look()
        await lab.until(lambda: lab.attempt(job), lambda found: found.unsure_since is None)
        assert await lab.history(job) == ["claim", "load", "start"]
        assert lab.starts((await lab.attempt(job)).remote_path) == 1
