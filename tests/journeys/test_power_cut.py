"""A power cut takes the server and every OctoPrint in mid-print; all of it is settled on one screen."""

import os
import signal
import subprocess
import sys
from functools import partial

import pytest

from tests.fixtures.octoprint import PROJECT
from tests.journeys.floor import Floor
from tests.journeys.lab import eventually
from tests.journeys.steps import wait_state

pytestmark = [pytest.mark.octoprint, pytest.mark.killed]

# What a night does to a database that nobody writes: its last sign of life grows old.
TWENTY_MINUTES_LATER = """
from datetime import timedelta
from django.db.models import F
from fablab.core.models import Witness
assert Witness.objects.update(at=F("at") - timedelta(minutes=20)) == 1
"""


def power_goes(floor: Floor) -> None:
    """kill -9 of everything at once; nothing is written for twenty minutes."""
    for printer in floor.printers.values():
        os.kill(printer.pid, signal.SIGKILL)
    floor.lab.kill()
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", TWENTY_MINUTES_LATER],
        cwd=PROJECT,
        env=floor.lab.environment,
        check=True,
    )


def power_returns(floor: Floor) -> None:
    again = {printer.url: printer for printer in (floor.starter.next_server() for _ in floor.printers)}
    floor.printers = {name: again[printer.url] for name, printer in floor.printers.items()}
    floor.lab.start()


def test_prints_that_a_power_cut_ended_are_shown_settled_at_once_and_come_first_again(floor: Floor) -> None:
    jobs = [floor.started("Ada"), floor.started("Blaise")]
    karim = floor.lab.api("karim")
    here = f"/api/v1/sites/{floor.lab.site_id(floor.sami)}/interruption/"
    assert karim.get(here)["began_at"] is None

    power_goes(floor)
    power_returns(floor)

    for job in jobs:
        assert wait_state(floor.sami, job.id, "failed", seconds=60)["reason"] == "lost"
    found = {one["job"]["id"]: one for one in karim.get(here)["jobs"]}
    assert {job_id: (one["now"], one["likely"]) for job_id, one in found.items()} == {
        job.id: ("lost", "again") for job in jobs
    }
    needs = karim.get(here.replace("interruption", "worklist"))["results"]
    assert needs[0]["need"] == "interrupted"

    for name in floor.printers:
        eventually(f"the next one lies ready on {name}", partial(floor.jobs, name, "loaded"), 60)
    outcomes = [{"job": job_id, "outcome": one["likely"]} for job_id, one in found.items()]
    settled = karim.post(f"{here}settle/", {"outcomes": outcomes})

    assert (settled.status, settled["done"]) == (200, True), settled
    for job in jobs:
        # Older than all that wait: what lay ready there meanwhile makes way.
        wait_state(floor.sami, job.id, "loaded", seconds=60)
        assert job.starts() == 1
    assert all(floor.machine(name)["plate"] == "to_clear" for name in floor.printers)
    assert karim.get(here)["began_at"] is None
