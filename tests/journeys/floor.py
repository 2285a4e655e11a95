"""A lab's two printers with approved jobs ahead of need.

Nothing reaches a machine for 10 s after an approval; no test should have to wait for that again.
"""

import hashlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from tests.fakes.faulty_proxy import FaultyProxy
from tests.fixtures.octoprint import OctoPrint, Starter, starts_in_log
from tests.journeys.lab import Answer, Lab, eventually
from tests.journeys.shapes import square_lasting
from tests.journeys.steps import approved, hand_in, wait_state

AHEAD = 2  # jobs of each machine that wait behind the loaded one
ON_MACHINE = ("sending", "loaded", "running", "paused", "stopping")
MOVING = ("sending", "running", "paused", "stopping")


@dataclass(frozen=True)
class Loaded:
    """A job whose file lies on its machine. ``path`` is the file's there."""

    id: str
    path: str
    machine: str
    printer: OctoPrint

    def starts(self) -> int:
        """How often OctoPrint's own log says that exactly this file was started."""
        return [start.path for start in starts_in_log(self.printer)].count(self.path)


def our_files(printer: OctoPrint, content: bytes | None = None) -> list[str]:
    """Return the paths in our folder on a printer, or those with this content, by OctoPrint's own hash."""
    listing = printer.ask("/api/files/local?recursive=true")["files"]
    folder: dict[str, Any] = next((entry for entry in listing if entry["name"] == "fl"), {"children": []})
    wanted = None if content is None else hashlib.sha1(content, usedforsecurity=False).hexdigest()
    return [entry["path"] for entry in folder["children"] if wanted in (None, entry["hash"])]


class Floor:
    """Ada, reached directly, and Blaise, behind a proxy; Sami's approved jobs for both."""

    def __init__(self, lab: Lab, starter: Starter, proxy: FaultyProxy, closed_address: str) -> None:
        self.lab = lab
        self.starter = starter  # announces servers that come back after a kill
        self.proxy = proxy
        self.closed_address = closed_address  # an allowed one where nobody listens
        self.sami = lab.api("sami")
        site = lab.site_id(self.sami)
        machines = self.sami.get(f"/api/v1/machines/?site={site}")["results"]
        self.machine_ids: dict[str, str] = {machine["name"]: machine["id"] for machine in machines}
        self.printers = dict(zip(("Ada", "Blaise"), lab.printers, strict=True))
        self.contents: dict[str, bytes] = {}
        self._numbers = count(1)

    def queue(self, machine: str, seconds: float, *, padding: int = 0) -> str:
        """Have a print of about ``seconds`` approved for a machine. Returns the job's id."""
        number = next(self._numbers)
        content = square_lasting(seconds, f"; piece {number}", padding)
        job = hand_in(
            self.lab, self.sami, f"piece-{number}.gcode", content, machine=self.machine_ids[machine]
        )
        answer = self.sami.post(f"/api/v1/jobs/{job['id']}/submit/")
        assert answer.status == 200, answer
        approved(self.lab, job["id"])
        self.contents[job["id"]] = content
        return str(job["id"])

    def fill(self, *machines: str, seconds: float = 90) -> None:
        """See that enough jobs wait for these machines."""
        missing = [
            machine
            for machine in machines
            for _ in range(AHEAD + 1 - len(self.jobs(machine, "queued", "sending", "loaded")))
        ]
        with ThreadPoolExecutor(AHEAD * len(machines)) as people:
            list(people.map(lambda machine: self.queue(machine, seconds), missing))

    def jobs(self, machine: str, *states: str) -> list[dict[str, Any]]:
        """Return Sami's jobs for a machine in one of these states, newest first."""
        asked = "".join(f"&state={state}" for state in states)
        found = self.sami.get(f"/api/v1/jobs/?machine={self.machine_ids[machine]}{asked}")
        assert found.status == 200, found
        return list(found["results"])

    def loaded(self, machine: str) -> Loaded:
        """Return a job that is loaded on this machine, and see that others wait behind it."""
        self.fill(machine)
        job_id = eventually(
            f"a job is loaded on {machine}",
            lambda: next((job["id"] for job in self.jobs(machine, "loaded")), None),
            60,
        )
        return self.named(machine, job_id)

    def named(self, machine: str, job_id: str) -> Loaded:
        """Return a job that is loaded on this machine, by its id."""
        printer = self.printers[machine]
        files = our_files(printer, self.contents[job_id])
        assert len(files) == 1, f"exactly one file of an attempt: {files}"
        return Loaded(job_id, files[0], self.machine_ids[machine], printer)

    def machine(self, name: str, person: str = "karim") -> dict[str, Any]:
        return self.lab.api(person).get(f"/api/v1/machines/{self.machine_ids[name]}/")

    def job(self, job: Loaded | str) -> dict[str, Any]:
        job_id = job if isinstance(job, str) else job.id
        return self.sami.get(f"/api/v1/jobs/{job_id}/")

    def steps(self, job: Loaded) -> list[str]:
        """Return the actions of a job's history."""
        events = self.sami.get(f"/api/v1/jobs/{job.id}/events/")["results"]
        return [event["action"] for event in events]

    def press(self, job: Loaded, *, plate_clear: bool = True) -> Answer:
        """Press start as Karim. Returns the answer, with its status."""
        body = {"plate_clear": True} if plate_clear else {}
        return self.lab.api("karim").post(f"/api/v1/jobs/{job.id}/start/", body)

    def start(self, job: Loaded) -> None:
        """ "Plateau vide, lancer", as Karim, until it runs."""
        answer = self.press(job)
        assert answer.status == 202, answer
        wait_state(self.sami, job.id, "running")

    def started(self, machine: str) -> Loaded:
        job = self.loaded(machine)
        self.start(job)
        return job

    def rest(self) -> None:
        """End whatever prints; the next job is loaded then. Jobs that wait go on waiting."""
        if not self.lab.is_running():
            self.lab.start()
        self.proxy.heal()
        for name, printer in self.printers.items():
            printer.free()
            eventually(f"nothing moves on {name}", partial(self._nothing_moves, name), 60)

    def _nothing_moves(self, machine: str) -> bool:
        return not self.jobs(machine, *MOVING)

    def witness(self) -> None:
        """Say from OctoPrint's own logs that no file of ours was ever started twice."""
        for name, printer in self.printers.items():
            counted = Counter(start.path for start in starts_in_log(printer) if start.path.startswith("fl/"))
            twice = {path: times for path, times in counted.items() if times > 1}
            assert not twice, f"{name} started twice: {twice}"
