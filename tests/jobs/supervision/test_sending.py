"""Files on their way to machines: four at a time, ended when unwanted, no place held for ever, nothing left behind."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from typing import cast as as_type

import pytest
from django.utils import timezone

from equipment.drivers.addresses import parse_allowed
from equipment.drivers.base import Capabilities, Code, Connection, Driver, DriverError, RemoteFile
from equipment.drivers.octoprint.driver import OctoPrintDriver
from fablab.api.shapes import job_shape
from fablab.core.threads import DatabaseThreads
from jobs.lifecycle import services as lifecycle
from jobs.lifecycle.models import Attempt, Job
from jobs.lifecycle.on_machines import LiveAttempt, live_attempt, undeleted_remote_files
from jobs.lifecycle.states import State
from jobs.lifecycle.table import Action
from jobs.supervision import records
from jobs.supervision.bench import UPLOADS_AT_ONCE, Bench, Lease
from jobs.supervision.coordinator import Coordinator
from jobs.supervision.errands import Errands
from jobs.supervision.memory import Memory
from jobs.supervision.orders import Orders
from jobs.supervision.sending import PACE_OVER_S, send, sweep, tidy
from tests.builders_jobs import Cast, make_job, make_linked_machine, make_upload

LARGE = 32 * 1024 * 1024
PATIENCE_S = 20.0


@pytest.fixture
def bench() -> Iterator[Bench]:
    threads = DatabaseThreads(2, "sending-test")
    yield Bench(threads)
    threads.shutdown()


class Machine:
    """Takes a file when told to, and remembers what became of each."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.taking = asyncio.Event()
        self.progress: Callable[[int, int], None] | None = None
        self.files: dict[str, str] = {}

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(send=True, observe=True)

    async def send(
        self,
        source: Path,
        folder: str,
        name: str,
        note: Mapping[str, str | int],
        on_progress: Callable[[int, int], None] | None = None,
    ) -> RemoteFile:
        self.progress = on_progress
        self.taking.set()
        await self.go_on.wait()
        return RemoteFile(f"{folder}/{name}", 4, "0" * 40, "lab", 0, 0, None, None)

    async def list_folder(self, folder: str) -> tuple[RemoteFile, ...]:
        return tuple(RemoteFile(path, 1, None, None, 0, 0, None, None) for path in self.files)

    async def delete(self, path: str) -> None:
        if self.files[path] == "printing":
            raise DriverError(Code.BUSY)
        del self.files[path]


def on_its_way(cast: Cast, content: bytes = b"G28\n", **fields: Any) -> LiveAttempt:
    at = timezone.now()
    file = make_upload(cast.person("owner"), at=at, format="gcode", origin="prepared", content=content)
    job = make_job(cast, state=State.SENDING, at=at, machine_file=file, **fields)
    found = live_attempt(Attempt.objects.get(jobs=job).machine_id)
    assert found is not None
    return found


def cancel(live: LiveAttempt, cast: Cast) -> None:
    lifecycle.press(live.job_ids[0], Action.ASK_STOP, actor=cast.person("owner"), at=timezone.now())


def errands_for(driver: object, live: LiveAttempt, bench: Bench) -> Errands:
    machine = as_type("Driver", driver)
    coordinator = Coordinator(bench.chance, 0.0)
    orders = Orders(live.machine_id, machine, Lease(1, float("inf")), Memory(), coordinator, bench)
    return Errands(live.machine_id, machine, orders, bench, lambda: None)


async def until(holds: Callable[[], bool]) -> None:
    while True:
        if holds():
            return
        await asyncio.sleep(0.01)


class Sipping:
    """A server that takes the first bytes and then nothing, until it is told to read what was sent to it."""

    def __init__(self) -> None:
        self.begun, self.read_on, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.bytes = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while part := await reader.read(65536):
                self.bytes += len(part)
                self.begun.set()
                await self.read_on.wait()
        self.ended.set()
        writer.close()


@asynccontextmanager
async def sipping() -> AsyncIterator[Sipping]:
    there = Sipping()
    server = await asyncio.start_server(there.serve, "127.0.0.1", 0)
    there.port = int(server.sockets[0].getsockname()[1])
    try:
        yield there
    finally:
        server.close()


async def test_a_job_that_is_cancelled_hangs_up_on_a_slow_machine_at_once_and_its_half_file_is_noted(
    cast: Cast, bench: Bench
) -> None:
    live = await bench.db(on_its_way, cast, b"G1 X1\n" * (LARGE // 6))
    async with sipping() as server, asyncio.timeout(PATIENCE_S):
        allowed = parse_allowed([f"127.0.0.1:{server.port}"])
        driver = OctoPrintDriver(Connection(f"http://127.0.0.1:{server.port}", "key", allowed))
        errands = errands_for(driver, live, bench)
        errands.deliver(live)
        await server.begun.wait()
        await bench.db(cancel, live, cast)
        errands.look_again()
        await errands.idle()  # the machine takes nothing, and nobody waits for it
        server.read_on.set()
        await server.ended.wait()
        await driver.close()
        assert server.bytes < LARGE
    assert (await bench.db(Job.objects.get)).state == State.CANCELLED
    assert await bench.db(undeleted_remote_files, live.machine_id) == [
        (live.id, f"fl/{live.id}-{live.file_sha256[:8]}.gcode")
    ]


async def test_rel_20_four_machines_are_sent_to_at_once_and_each_end_lets_the_next_one_in(
    cast: Cast, bench: Bench
) -> None:
    def queue() -> list[LiveAttempt]:
        at = timezone.now()
        halls = [make_linked_machine(cast.site, cast.model, at=at) for _ in range(UPLOADS_AT_ONCE + 2)]
        return [on_its_way(cast, on=machine) for machine in halls]

    tries = await bench.db(queue)
    machines = [Machine() for _ in tries]
    sending = [
        asyncio.create_task(send(as_type("Driver", machine), live, bench))
        for machine, live in zip(machines, tries, strict=True)
    ]
    async with asyncio.timeout(PATIENCE_S):
        await until(lambda: sum(machine.taking.is_set() for machine in machines) == UPLOADS_AT_ONCE)
        assert bench.uploads.waiting == 2
        next(machine for machine in machines if machine.taking.is_set()).go_on.set()
        await until(lambda: sum(machine.taking.is_set() for machine in machines) == UPLOADS_AT_ONCE + 1)
        assert bench.uploads.waiting == 1
        for machine in machines:
            machine.go_on.set()
        await asyncio.gather(*sending)
    assert set(await bench.db(lambda: list(Job.objects.values_list("state", flat=True)))) == {State.LOADED}


async def test_a_machine_that_takes_a_file_very_slowly_gives_its_place_to_one_that_waits(
    cast: Cast, bench: Bench
) -> None:
    clock = {"now": 0.0}
    bench.monotonic = lambda: clock["now"]
    live = await bench.db(on_its_way, cast)
    machine = Machine()
    sending = asyncio.create_task(send(as_type("Driver", machine), live, bench))
    async with asyncio.timeout(PATIENCE_S):
        await machine.taking.wait()
        assert machine.progress is not None
        clock["now"] = PACE_OVER_S
        machine.progress(1000, LARGE)  # nobody waits: it has all the time
        bench.uploads.waiting = 1
        clock["now"] = 2 * PACE_OVER_S
        machine.progress(2000, LARGE)
        await sending
    job = await bench.db(Job.objects.get)
    assert (job.state, job.attempts_made) == (State.QUEUED, 0)  # no fault of the job


async def test_people_see_how_much_of_the_file_has_left(cast: Cast, bench: Bench) -> None:
    live = await bench.db(on_its_way, cast, b"G28\n" * 100)
    machine = Machine()
    sending = asyncio.create_task(send(as_type("Driver", machine), live, bench))

    def all_of_it_has_left() -> bool:
        return bool(job_shape(Job.objects.get(), None)["progress"]["percent"] == 100.0)

    async with asyncio.timeout(PATIENCE_S):
        await machine.taking.wait()
        assert machine.progress is not None
        machine.progress(400, 400)  # the last bytes are always told
        while True:  # the note is written beside the transfer
            if await bench.db(all_of_it_has_left):
                break
            await asyncio.sleep(0.01)
        machine.go_on.set()
        await sending


async def test_a_file_that_was_on_its_way_when_its_process_died_goes_when_its_try_was_cancelled_meanwhile(
    cast: Cast, bench: Bench
) -> None:
    live = await bench.db(on_its_way, cast)
    machine = Machine()
    sending = asyncio.create_task(send(as_type("Driver", machine), live, bench))
    async with asyncio.timeout(PATIENCE_S):
        await machine.taking.wait()
        machine.files = {f"fl/{live.id}-{live.file_sha256[:8]}.gcode": ""}  # all of it came there
        sending.cancel()  # nothing is said to the database any more
        await asyncio.gather(sending, return_exceptions=True)
    known = await bench.db(records.situation, live.machine_id, at=timezone.now())
    assert known.live_try is not None
    assert known.live_try.path == ""  # nobody takes it for stored there before that is proven

    await bench.db(cancel, live, cast)
    assert await tidy(as_type("Driver", machine), live.machine_id, bench) == 1
    assert machine.files == {}


async def test_nothing_is_tidied_away_beside_a_file_on_its_way(cast: Cast, bench: Bench) -> None:
    live = await bench.db(on_its_way, cast)
    machine = Machine()
    errands = errands_for(machine, live, bench)
    async with asyncio.timeout(PATIENCE_S):
        errands.deliver(live)
        await machine.taking.wait()
        await bench.db(cancel, live, cast)
        errands.tidy()  # the database says that it is over; the last bytes are still to come
        machine.files = {f"fl/{live.id}-{live.file_sha256[:8]}.gcode": ""}
        errands.look_again()
        await errands.idle()
        errands.tidy()
        await errands.idle()
    assert machine.files == {}
    assert await bench.db(undeleted_remote_files, live.machine_id) == []


async def test_a_file_that_arrives_after_its_try_has_ended_is_found_by_the_sweep(
    cast: Cast, bench: Bench
) -> None:
    live = await bench.db(on_its_way, cast)
    machine = Machine()
    await bench.db(cancel, live, cast)
    machine.files = {f"fl/{live.id}-{live.file_sha256[:8]}.gcode": ""}
    assert await tidy(as_type("Driver", machine), live.machine_id, bench) == 0
    assert await sweep(as_type("Driver", machine), live.machine_id, bench)
    assert machine.files == {}


async def test_priv_6_what_bears_our_name_and_is_no_live_trys_is_removed_and_nothing_else(
    cast: Cast, bench: Bench
) -> None:
    live = await bench.db(on_its_way, cast)
    machine = Machine()
    ours, orphan = f"fl/{live.id}-0123abcd.gcode", "fl/0000000000000a-0123abcd.gcode"
    theirs = ("fl/benchy.gcode", "fl/0000000000000b.gcode", "vase.gcode")
    machine.files = dict.fromkeys([ours, orphan, *theirs], "")
    assert await sweep(as_type("Driver", machine), live.machine_id, bench)
    assert set(machine.files) == {ours, *theirs}


async def test_what_cannot_be_removed_now_is_looked_for_again(cast: Cast, bench: Bench) -> None:
    machine = Machine()
    machine.files = {"fl/0000000000000a-0123abcd.gcode": "printing"}
    assert not await sweep(as_type("Driver", machine), cast.machine.pk, bench)
    assert machine.files
