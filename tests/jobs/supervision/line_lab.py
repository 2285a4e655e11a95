"""A lab with one machine behind another kind of line than OctoPrint's, its real counterpart, and what people read."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from equipment.machines.models import Machine
from fablab.api.shapes import job_shape, machine_shape
from fablab.dashboard import present
from jobs.lifecycle.models import JobEvent
from jobs.lifecycle.queries import Viewer, job_for
from jobs.lifecycle.states import State
from jobs.lifecycle.table import Action
from tests.builders_jobs import Cast, make_job, make_upload
from tests.jobs.supervision.lab import Lab, make_supervisor


@dataclass(frozen=True)
class Read:
    """What people read of an object and of its machine, and what staff may press."""

    job: str  # the headline's look: its state, or unsure, or plate_to_clear
    machine: str
    percent: float | None
    asked: tuple[str, ...]
    actions: frozenset[str]


@dataclass
class LineLab(Lab):
    """The lab's one machine has another driver. ``content``: of the next file; ``minutes``: its estimate."""

    format: str = "gcode"
    minutes: float = 30.0
    ends: list[Callable[[], None]] = field(default_factory=list)

    async def put(self, content: bytes, **fields: Any) -> str:
        """Put an approved job with this file into the queue. Returns its id."""

        def make() -> str:
            at = timezone.now()
            report = {"format": self.format, "size_mm": [20, 20, 20], "minutes": self.minutes, "findings": []}
            owner = self.cast.person("owner")
            file = make_upload(
                owner, at=at, format=self.format, origin="prepared", content=content, report=report
            )
            job = make_job(self.cast, state=State.QUEUED, at=at, machine_file=file, **fields)
            job.approvals.update(at=at - timedelta(seconds=60))
            return str(job.pk)

        job_id: str = await self.db(make)
        return job_id

    async def put_loaded(self, content: bytes) -> str:
        """Have dispatch bring a job to the machine, as far as that goes before somebody starts it."""
        job_id = await self.put(content)
        await self.supervisor.tick()
        await self.until_state(job_id, State.LOADED)
        return job_id

    async def read(self, job_id: str, by: str = "staff") -> Read:
        """Return what this person reads now."""

        def look() -> Read:
            at, person = timezone.now(), self.cast.person(by)
            viewer = Viewer(person, at)
            job = job_for(person, job_id)
            shape = job_shape(job, viewer)
            code, _ = present.job_headline(shape, reader_id=person.pk, zone=job.site.time_zone)
            machine = Machine.objects.select_related("model__kind", "site").get(pk=self.cast.machine.pk)
            on_board = machine_shape(machine, at=at, staff=True)
            return Read(
                str(code),
                str(on_board["state"]),
                shape["progress"]["percent"],
                tuple(str(order["verb"]) for order in shape["orders"]),
                frozenset(shape["actions"]),
            )

        found: Read = await self.db(look)
        return found

    async def until_read(self, job_id: str, wanted: Callable[[Read], bool]) -> Read:
        found: Read = await self.until(lambda: self.read(job_id), wanted)
        return found

    async def claims(self, job_id: str) -> int:
        """How often the job was taken for a machine."""

        def count() -> int:
            return JobEvent.objects.filter(job_id=job_id, action=Action.CLAIM).count()

        found: int = await self.db(count)
        return found

    async def restart(self) -> None:
        """Another run of the supervision follows this one, with the same name."""
        await self.supervisor.close()
        self.supervisor, self.bench, end = make_supervisor()
        self.ends.append(end)
        await self.supervisor.take_stock()


@asynccontextmanager
async def line_lab(cast: Cast, driver: str, address: str, **more: Any) -> AsyncIterator[LineLab]:
    """A lab whose machine is behind ``address``; nothing watches it before ``watch``."""
    supervisor, bench, end = make_supervisor()
    lab = LineLab(cast, None, bench, supervisor, **more)  # type: ignore[arg-type]  # no OctoPrint here
    lab.ends.append(end)

    def connect() -> None:
        Machine.objects.filter(pk=cast.machine.pk).update(
            driver=driver, address=address, sealed_key="", report="never", seen_at=None
        )
        cast.machine.model.formats = [lab.format]
        cast.machine.model.save()

    try:
        await lab.db(connect)
        yield lab
    finally:
        await lab.supervisor.close()
        for end in lab.ends:
            end()
