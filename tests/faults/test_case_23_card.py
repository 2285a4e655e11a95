"""A print from the printer's own card (case 23): it did not come through the queue, whatever it is called."""

import asyncio

import pytest

from equipment.machines.states import Plate
from jobs.lifecycle.states import State
from jobs.lifecycle.table import Action
from tests.fixtures.octoprint import gcode_lasting
from tests.jobs.supervision.lab import Lab

pytestmark = pytest.mark.octoprint


async def test_case_23_a_print_from_the_printers_own_card_is_foreign_even_under_our_files_name(
    lab: Lab,
) -> None:
    await lab.watch()
    job = await lab.loaded(20)
    path = (await lab.attempt(job)).remote_path
    card = lab.server.basedir / "virtualSd"
    (card / "carte.gco").write_bytes(gcode_lasting(60))
    await lab.ask("/api/printer/sd", {"command": "refresh"})
    await asyncio.to_thread(_print_from_card, lab, "carte.gco")

    machine = await lab.until(lab.machine, lambda found: found.report_foreign)
    assert machine.plate == Plate.TO_CLEAR
    with pytest.raises(Exception, match="machine_working"):
        await lab.press(job, Action.START, plate_clear=True)
    assert ((await lab.job(job)).state, lab.starts(path)) == (State.LOADED, 0)


def _print_from_card(lab: Lab, name: str) -> None:
    listing = lab.server.ask("/api/files/sdcard")["files"]
    path = next(entry["path"] for entry in listing if entry["name"].lower() == name)
    lab.server.ask(f"/api/files/sdcard/{path}", {"command": "select", "print": True})
