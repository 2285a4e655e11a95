"""A lab whose machines are real OctoPrint servers, and the supervisor that watches them: for tests."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from equipment.machines.models import Machine
from fablab.core.sealed import seal
from fablab.core.threads import DatabaseThreads
from jobs.lifecycle import services as lifecycle
from jobs.lifecycle.models import Attempt, Job, JobEvent, Order
from jobs.lifecycle.states import State
from jobs.lifecycle.table import Action
from jobs.supervision.bench import Bench
from jobs.supervision.loop import Supervisor
from jobs.supervision.watch import Watch
from tests.builders_jobs import Cast, make_job, make_upload
from tests.fixtures.octoprint import OctoPrint, gcode_lasting, starts_in_log

PATIENCE_S = 40.0


@dataclass
class Lab:
    """``cast.machine`` stands for ``server``; nothing watches it before ``watch``."""

    cast: Cast
    server: OctoPrint
    bench: Bench
    supervisor: Supervisor
    jobs: list[str] = field(default_factory=list)

    @property
    def watcher(self) -> Watch:
        found = self.supervisor.watches[self.cast.machine.pk]
        assert isinstance(found, Watch)  # the machine reports itself
        return found

    async def db(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await self.bench.db(call, *args, **kwargs)

    async def watch(self) -> None:
        """Begin to watch, and wait until the machine was heard."""
        await self.supervisor.take_stock()
        await self.until(lambda: self.machine(), lambda machine: machine.report != "never")

    async def queue(self, seconds: float = 20, *, approved_ago: float = 60, **fields: Any) -> str:
        """Put an approved job into the queue, whose print takes about so long. Returns its id."""

        def make() -> str:
            at = timezone.now()
            content = gcode_lasting(seconds, f"; job {len(self.jobs)} of {self.cast.machine.pk}")
            file = make_upload(
                self.cast.person("owner"), at=at, format="gcode", origin="prepared", content=content
            )
            job = make_job(self.cast, state=State.QUEUED, at=at, machine_file=file, **fields)
            job.approvals.update(at=at - timedelta(seconds=approved_ago))
            return str(job.pk)

        job_id: str = await self.db(make)
        self.jobs.append(job_id)
        return job_id

    async def loaded(self, seconds: float = 20) -> str:
        """Have a job's file on the machine, ready for somebody to press start. Returns the job's id."""
        job_id = await self.queue(seconds)
        await self.supervisor.tick()
        await self.until_state(job_id, State.LOADED)
        return job_id

    async def press(self, job_id: str, action: Action, *, by: str = "staff", **more: Any) -> Order | None:
        """A person presses a button; supervision looks at once."""

        def pressed() -> Order | None:
            return lifecycle.press(job_id, action, actor=self.cast.person(by), at=timezone.now(), **more)[1]

        order: Order | None = await self.db(pressed)
        await self.supervisor.tick()
        return order

    async def started(self, seconds: float = 20) -> str:
        """Have a job running. Returns its id."""
        job_id = await self.loaded(seconds)
        await self.press(job_id, Action.START, plate_clear=True)
        await self.until_state(job_id, State.RUNNING)
        return job_id

    # --- what is so ---------------------------------------------------------------------------------------------

    async def machine(self) -> Machine:
        found: Machine = await self.db(Machine.objects.get, pk=self.cast.machine.pk)
        return found

    async def job(self, job_id: str) -> Job:
        found: Job = await self.db(Job.objects.get, pk=job_id)
        return found

    async def attempt(self, job_id: str) -> Attempt:
        found: Attempt = await self.db(Attempt.objects.filter(jobs=job_id).latest, "claimed_at")
        return found

    async def order(self, job_id: str, verb: str = "start") -> Order:
        found: Order = await self.db(
            Order.objects.filter(attempt__jobs=job_id, verb=verb).latest, "created_at"
        )
        return found

    async def history(self, job_id: str) -> list[str]:
        def read() -> list[str]:
            events = JobEvent.objects.filter(job_id=job_id).order_by("version")
            return list(events.values_list("action", flat=True))

        found: list[str] = await self.db(read)
        return found

    def starts(self, path: str) -> int:
        """How often OctoPrint's own log says that this file was started."""
        return [start.path for start in starts_in_log(self.server)].count(path)

    async def until(
        self,
        read: Callable[[], Awaitable[Any]],
        wanted: Callable[[Any], bool],
        seconds: float = PATIENCE_S,
    ) -> Any:
        """Read until it is as wanted. Fails with what was read last."""
        deadline = time.monotonic() + seconds
        while True:
            last = await read()
            if wanted(last):
                return last
            if time.monotonic() > deadline:
                raise AssertionError(f"not as wanted after {seconds} s: {getattr(last, '__dict__', last)}")
            await asyncio.sleep(0.02)

    async def until_state(self, job_id: str, *states: State, seconds: float = PATIENCE_S) -> Job:
        found: Job = await self.until(lambda: self.job(job_id), lambda job: job.state in states, seconds)
        return found

    async def until_unsure(self, job_id: str, why: str = "", seconds: float = PATIENCE_S) -> Attempt:
        found: Attempt = await self.until(
            lambda: self.attempt(job_id),
            lambda one: one.unsure_since is not None and why in ("", one.unsure_why),
            seconds,
        )
        return found

    async def ask(self, path: str, command: dict[str, Any] | None = None) -> Any:
        """What another person does in OctoPrint's own pages."""
        return await asyncio.to_thread(self.server.ask, path, command)


def connect(machine: Machine, url: str, key: str) -> None:
    """Give a machine the address and key of a server."""
    Machine.objects.filter(pk=machine.pk).update(
        address=url, sealed_key=seal(key), report="never", seen_at=None
    )
    machine.refresh_from_db()


def make_supervisor(name: str = "test") -> tuple[Supervisor, Bench, Callable[[], None]]:
    """A supervisor whose parts a test calls. The last of the three ends its threads."""
    threads = DatabaseThreads(3, "supervision-test")
    ears = ThreadPoolExecutor(1)
    bench = Bench(threads)

    def end() -> None:
        ears.shutdown()
        threads.shutdown()

    return Supervisor(name, bench, ears), bench, end
