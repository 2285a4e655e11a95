"""OctoPrint is upgraded in place (case 29): another release on the same address, with the same files and keys."""

import asyncio
import logging
from pathlib import Path

import pytest

from equipment.machines.models import Machine
from equipment.machines.states import Plate
from fablab.demo.octoprint_install import installed_python
from jobs.lifecycle.states import State
from jobs.lifecycle.table import Action
from tests.builders import make_machine
from tests.fixtures.octoprint import READY_SECONDS, OctoPrint, Starter, free_ports
from tests.jobs.supervision.conftest import MakeLab
from tests.jobs.supervision.lab import connect
from tests.recorded.answers import RELEASES

pytestmark = pytest.mark.octoprint


def started(release: str, port: int, folder: Path) -> tuple[Starter, OctoPrint]:
    """A server of a release on a port, with whatever lies in a folder."""
    arguments = ["--base-port", str(port), "--data-dir", str(folder), "--octoprint-version", release]
    starter = Starter(arguments)
    return starter, starter.next_server(READY_SECONDS)


async def test_case_29_an_octoprint_that_is_upgraded_in_place_comes_back_by_itself_and_is_said_lost_once(
    make_lab: MakeLab, octoprint: OctoPrint, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old, new = RELEASES
    for release in RELEASES:  # fetching it takes a minute where it never was, and is not what is tried here
        await asyncio.to_thread(installed_python, release)
    port = free_ports(1)
    starter, server = await asyncio.to_thread(started, old, port, tmp_path)
    try:
        lab = await make_lab(server, also=(octoprint.port,))
        beside = await lab.db(another_machine, lab.cast.machine, octoprint)
        with caplog.at_level(logging.INFO, "jobs.supervision"):
            await lab.watch()
            job = await lab.loaded()
            await asyncio.to_thread(starter.end)
            lost = await lab.until(lab.machine, lambda found: found.report == "silent")
            assert lost.report_error == "connection_refused"

            starter, server = await asyncio.to_thread(started, new, port, tmp_path)
            await lab.until(lab.machine, lambda found: found.report == "ready")
        lines = [one.getMessage() for one in caplog.records if "contact" in one.getMessage()]
        assert [("lost" in line, "back" in line) for line in lines if lab.cast.machine.pk in line] == [
            (True, False),
            (False, True),
        ]
        assert not [line for line in lines if beside in line]
        assert (await lab.db(Machine.objects.get, pk=beside)).report == "ready"

        # What was brought to the old one lies in the new one: it is read back, and it prints after a new clearing.
        machine = await lab.machine()
        assert (machine.plate, (await lab.job(job)).state) == (Plate.TO_CLEAR, State.LOADED)
        await lab.supervisor.keep_leases()  # as its process does all the time: an upgrade takes a while
        await lab.press(job, Action.START, plate_clear=True)
        await lab.until_state(job, State.RUNNING)
        assert (await lab.ask("/api/version"))["server"] == new
    finally:
        await asyncio.to_thread(starter.end)


def another_machine(machine: Machine, server: OctoPrint) -> str:
    """A second machine of the same lab, which stands for another server. Its id."""
    other = make_machine(machine.site, model=machine.model, name="Blaise", driver=machine.driver)
    connect(other, server.url, server.operator_key)
    return str(other.pk)
