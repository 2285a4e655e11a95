"""Machines that do not say what they do: files and starts go there by line, and nothing is concluded from silence."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath

import pytest
from django.utils import timezone

from equipment.drivers.addresses import parse_allowed
from equipment.drivers.base import Connection, Driver
from equipment.drivers.folder.driver import FolderDriver
from equipment.drivers.rawtcp.driver import RawTcpDriver
from equipment.machines.models import Machine
from fablab.core.threads import DatabaseThreads
from jobs.lifecycle import services as lifecycle
from jobs.lifecycle.models import Attempt, Job, JobEvent, Order
from jobs.lifecycle.states import OrderState, State
from jobs.lifecycle.table import Action
from jobs.supervision.attended import GONE_AFTER_S, Attended
from jobs.supervision.bench import Bench, Lease
from tests.builders_jobs import Cast, make_job, make_upload

PATIENCE_S = 20.0
HPGL = b"IN;SP1;" + b"PA100,100;PD200,200;" * 20_000


@pytest.fixture
def bench() -> Iterator[Bench]:
    threads = DatabaseThreads(2, "attended-test")
    yield Bench(threads)
    threads.shutdown()


class Cutter:
    """A port that makes what is written to it; it may cut the line after some bytes."""

    def __init__(self) -> None:
        self.port = 0
        self.taken = b""
        self.cut_after = 0
        self.ended = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got = b""
        while part := await reader.read(4096):
            got += part
            if self.cut_after and len(got) >= self.cut_after:
                writer.transport.abort()
                break
        if got:
            self.taken += got
            self.ended.set()
        writer.close()


@asynccontextmanager
async def cutting() -> AsyncIterator[Cutter]:
    cutter = Cutter()
    server = await asyncio.start_server(cutter.serve, "127.0.0.1", 0)
    cutter.port = int(server.sockets[0].getsockname()[1])
    try:
        yield cutter
    finally:
        server.close()


def watch_over(cast: Cast, driver: Driver, bench: Bench) -> Attended:
    return Attended(cast.machine.pk, driver, Lease(1, float("inf")), bench)


def cutter_watch(cast: Cast, cutter: Cutter, bench: Bench) -> Attended:
    allowed = parse_allowed([f"127.0.0.1:{cutter.port}"])
    return watch_over(
        cast, RawTcpDriver(Connection(f"tcp://127.0.0.1:{cutter.port}", allowed=allowed)), bench
    )


def claimed(cast: Cast, driver: str, content: bytes) -> str:
    """A job that was claimed for a machine of this kind. Returns its id."""
    at = timezone.now()
    Machine.objects.filter(pk=cast.machine.pk).update(driver=driver, report="never", seen_at=None)
    file = make_upload(cast.person("owner"), at=at, format="hpgl", origin="prepared", content=content)
    return str(make_job(cast, state=State.SENDING, at=at, machine_file=file).pk)


def press_start(cast: Cast, job: str) -> Order | None:
    return lifecycle.press(
        job, Action.START, actor=cast.person("staff"), at=timezone.now(), plate_clear=True
    )[1]


def report() -> str:
    return Machine.objects.get().report


async def loaded(cast: Cast, watch: Attended, bench: Bench, job: str) -> None:
    await watch.reach()
    await watch.settle()
    await watch.idle()
    assert (await bench.db(Job.objects.get, pk=job)).state == State.LOADED


async def test_a_cutter_s_file_waits_here_and_goes_over_the_line_with_the_start(
    cast: Cast, bench: Bench
) -> None:
    job = await bench.db(claimed, cast, "rawtcp", HPGL)
    async with cutting() as cutter, asyncio.timeout(PATIENCE_S):
        watch = cutter_watch(cast, cutter, bench)
        await loaded(cast, watch, bench, job)
        assert cutter.taken == b""

        assert await bench.db(press_start, cast, job) is not None
        await watch.settle()
        await watch.idle()
        await cutter.ended.wait()
    assert cutter.taken == HPGL
    order = await bench.db(Order.objects.get)
    assert (order.state, order.outcome) == (OrderState.DONE, "accepted")
    event = await bench.db(JobEvent.objects.get, job_id=job, action="start")
    assert (event.source, event.details["accepted"]) == ("machine", True)
    assert (await bench.db(Job.objects.get, pk=job)).state == State.RUNNING


async def test_a_line_that_breaks_in_the_middle_leaves_it_to_a_person_and_nothing_is_sent_again(
    cast: Cast, bench: Bench
) -> None:
    job = await bench.db(claimed, cast, "rawtcp", HPGL)
    async with cutting() as cutter, asyncio.timeout(PATIENCE_S):
        cutter.cut_after = 10_000
        watch = cutter_watch(cast, cutter, bench)
        await loaded(cast, watch, bench, job)
        await bench.db(press_start, cast, job)
        await watch.settle()
        await watch.idle()
        await cutter.ended.wait()
        taken = cutter.taken
        for _ in range(3):
            await watch.reach()
            await watch.settle()
            await watch.idle()
        attempt = await bench.db(Attempt.objects.get)
        assert (attempt.unsure_why, attempt.ended_at) == ("line_broken", None)
        assert attempt.start_sent_at is not None
        assert cutter.taken == taken


async def test_a_start_that_a_dead_process_had_sent_is_never_sent_again(cast: Cast, bench: Bench) -> None:
    job = await bench.db(claimed, cast, "rawtcp", HPGL)
    async with cutting() as cutter, asyncio.timeout(PATIENCE_S):
        await loaded(cast, cutter_watch(cast, cutter, bench), bench, job)
        order = await bench.db(press_start, cast, job)
        assert order is not None
        # As it is when a process dies between its note and its first byte.
        await bench.db(lifecycle.take_order, order.pk, lease_number=1, at=timezone.now())
        attempt = await bench.db(Attempt.objects.get)
        await bench.db(lifecycle.note_start_sent, attempt.pk, at=timezone.now())

        successor = cutter_watch(cast, cutter, bench)
        await successor.reach()
        await successor.settle()
        await successor.idle()
        assert cutter.taken == b""
    assert (await bench.db(Attempt.objects.get)).unsure_why == "start_unproven"


async def test_a_start_that_reaches_nobody_surely_did_not_happen(cast: Cast, bench: Bench) -> None:
    job = await bench.db(claimed, cast, "rawtcp", HPGL)
    async with cutting() as cutter:
        watch = cutter_watch(cast, cutter, bench)
        await loaded(cast, watch, bench, job)
    await bench.db(press_start, cast, job)
    await watch.settle()
    await watch.idle()
    order, attempt = await bench.db(Order.objects.get), await bench.db(Attempt.objects.get)
    assert (order.state, attempt.start_sent_at, attempt.unsure_why) == (OrderState.REFUSED, None, "")
    assert (await bench.db(Job.objects.get, pk=job)).state == State.LOADED


async def test_a_folder_gets_the_file_and_a_person_says_the_rest(
    cast: Cast, bench: Bench, tmp_path: Path
) -> None:
    job = await bench.db(claimed, cast, "folder", HPGL)
    connection = Connection(str(tmp_path), folders=(PurePosixPath(tmp_path),))
    watch = watch_over(cast, FolderDriver(connection), bench)
    await loaded(cast, watch, bench, job)
    (file,) = await asyncio.to_thread(lambda: list(tmp_path.iterdir()))
    assert await asyncio.to_thread(file.read_bytes) == HPGL
    assert (await bench.db(Attempt.objects.get)).remote_path == file.name


async def test_a_line_that_is_down_is_told_after_a_while_and_ends_nothing(cast: Cast, bench: Bench) -> None:
    clock = {"now": 0.0}
    bench.monotonic = lambda: clock["now"]
    job = await bench.db(claimed, cast, "rawtcp", HPGL)
    async with cutting() as cutter:
        watch = cutter_watch(cast, cutter, bench)
        await loaded(cast, watch, bench, job)
        assert await bench.db(report) == "ready"
    await watch.reach()
    assert await bench.db(report) == "ready"  # somebody may have switched it off and on
    clock["now"] = GONE_AFTER_S
    await watch.reach()
    assert await bench.db(report) == "silent"
    clock["now"] = 3600.0
    await watch.reach()
    await watch.settle()
    assert (await bench.db(Job.objects.get, pk=job)).state == State.LOADED
