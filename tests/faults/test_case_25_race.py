"""Another client at the same machine, at the worst moment (case 25): our start starts our file or nothing."""

import asyncio

import pytest

from jobs.lifecycle.states import OrderState, State
from jobs.lifecycle.table import Action
from tests.fakes.faulty_proxy import Fault, FaultyProxy
from tests.fixtures.octoprint import OctoPrint, gcode_lasting, starts_in_log
from tests.jobs.supervision.conftest import MakeLab
from tests.jobs.supervision.lab import Lab

pytestmark = pytest.mark.octoprint

START = "POST /api/files/local/fl/"
ACCEPTED = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def print_something_else(lab: Lab, seconds: float = 60) -> None:
    await asyncio.to_thread(lab.server.upload, "autre.gcode", gcode_lasting(seconds))
    await lab.ask("/api/files/local/autre.gcode", {"command": "select", "print": True})
    await asyncio.to_thread(lab.server.await_state, "Printing")


async def test_case_25_another_client_is_quicker_and_our_start_starts_nothing_else(
    make_lab: MakeLab, octoprint: OctoPrint
) -> None:
    with FaultyProxy(octoprint.port) as proxy:
        lab = await make_lab(octoprint, port=proxy.port)
        await lab.watch()
        job = await lab.loaded(20)
        path = (await lab.attempt(job)).remote_path
        before = len(starts_in_log(octoprint))
        rule = proxy.fault(START, Fault.DELAY, seconds=2)

        await lab.press(job, Action.START, plate_clear=True)
        await asyncio.to_thread(rule.hit.wait, 20)
        await print_something_else(lab)

        order = await lab.until(lambda: lab.order(job), lambda found: found.settled_at is not None)
        assert (order.state, order.outcome) == (OrderState.REFUSED, "busy")
        await lab.until(lab.machine, lambda found: found.report_foreign)
        assert ((await lab.job(job)).state, lab.starts(path)) == (State.LOADED, 0)
        assert len(starts_in_log(octoprint)) == before + 1


async def test_case_25_another_print_after_our_accepted_start_is_asked_to_stop_once(
    make_lab: MakeLab, octoprint: OctoPrint
) -> None:
    with FaultyProxy(octoprint.port) as proxy:
        lab = await make_lab(octoprint, port=proxy.port)
        await lab.watch()
        job = await lab.loaded(20)
        path = (await lab.attempt(job)).remote_path
        await asyncio.to_thread(octoprint.upload, "autre.gcode", gcode_lasting(60))
        rule = proxy.fault(START, Fault.ANSWER, body=ACCEPTED)

        await lab.press(job, Action.START, plate_clear=True)
        await asyncio.to_thread(rule.hit.wait, 20)
        await lab.ask("/api/files/local/autre.gcode", {"command": "select", "print": True})

        await lab.until_unsure(job, "wrong_file")
        await asyncio.to_thread(octoprint.await_state, "Operational")
        assert len([line for line in proxy.passed_on if line.startswith("POST /api/job")]) == 1
        assert lab.starts(path) == 0
