"""A machine that reads a folder, from the queue to the shelf: a real folder, and people who say the rest."""

import asyncio
import errno
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path, PurePosixPath

import pytest
from django.conf import settings as configured
from django.utils import timezone

from equipment.drivers.base import Connection
from equipment.drivers.folder.driver import FolderDriver
from equipment.machines.models import Machine
from jobs.lifecycle import services as lifecycle
from jobs.lifecycle.states import State
from jobs.lifecycle.table import Action
from jobs.planning import guards
from jobs.supervision import attended, records
from jobs.supervision.failpoints import AFTER_UPLOAD
from tests.builders_jobs import Cast
from tests.jobs.supervision.line_lab import LineLab, line_lab
from tests.jobs.supervision.processes import supervising

DESIGN = b"LA:colette\r" + bytes(range(256)) * 2000


@pytest.fixture
def folder(cast: Cast) -> Path:
    """Below the one that an installation lists when nothing is said; another process finds it too."""
    path = Path(configured.VAR_DIR) / "machines" / cast.machine.pk
    path.mkdir(parents=True)
    return path


@pytest.fixture
async def lab(cast: Cast, folder: Path) -> AsyncIterator[LineLab]:
    async with line_lab(cast, "folder", str(folder), format="dst") as one:
        yield one


def lies_there(folder: Path) -> list[bytes]:
    """What the machine sees: whole files, and no other names."""
    return [entry.read_bytes() for entry in folder.iterdir() if not entry.name.startswith(".")]


def names(folder: Path) -> list[str]:
    """All that lies in it, hidden or not."""
    return [entry.name for entry in folder.iterdir()]


async def reasons(lab: LineLab, job: str) -> list[str]:
    return [str(reason["code"]) for reason in (await lab.job(job)).waiting_for]


async def trouble(lab: LineLab) -> tuple[str, str]:
    found = await lab.machine()
    return found.report, found.report_error


async def test_from_the_queue_to_the_shelf_by_the_words_of_who_stands_there(
    lab: LineLab, folder: Path
) -> None:
    await lab.watch()
    job = await lab.put_loaded(DESIGN)
    assert lies_there(folder) == [DESIGN]
    attempt = await lab.attempt(job)
    assert names(folder) == [attempt.remote_path]
    read = await lab.read(job)
    assert (read.job, read.machine) == ("plate_to_clear", "needs_clearing")
    assert "start" in read.actions

    with pytest.raises(Exception, match="plate_to_clear"):
        await lab.press(job, Action.START)
    assert await lab.press(job, Action.START, plate_clear=True) is None  # a word, no order
    read = await lab.read(job)
    assert (read.job, read.machine, read.asked) == ("running", "busy", ())

    await lab.press(job, Action.FINISH)
    read = await lab.read(job)
    assert (read.job, read.machine) == ("finished", "needs_clearing")
    await lab.until(lambda: lab.attempt(job), lambda found: found.remote_deleted_at is not None)
    assert lies_there(folder) == []

    def clear() -> None:
        lifecycle.clear_plate(lab.cast.machine.pk, actor=lab.cast.person("staff"), at=timezone.now())

    await lab.db(clear)
    read = await lab.read(job)
    assert (read.job, read.machine) == ("ready", "free")
    assert await lab.history(job) == ["claim", "load", "start", "finish", "shelve"]


async def test_a_folder_that_has_gone_is_no_try_and_the_file_follows_when_it_is_back(
    lab: LineLab, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attended, "REACH_EVERY_S", (600.0, 600.0))
    # What is heard of the folder holds it back.
    monkeypatch.setitem(guards.PUT_OFF_FOR, guards.NOT_REACHED, timedelta())
    await lab.watch()
    await asyncio.to_thread(folder.rmdir)
    job = await lab.put(DESIGN)
    await lab.supervisor.tick()
    await lab.until(lambda: trouble(lab), lambda found: found == ("silent", "folder_missing"))
    await lab.until_state(job, State.QUEUED)
    for _ in range(5):
        await lab.supervisor.tick()
    found = await lab.job(job)
    assert (found.state, found.attempts_made, await lab.claims(job)) == (State.QUEUED, 0, 1)
    assert await reasons(lab, job) == ["waiting_unreachable"]
    # The machine itself is there: people may go on with a stick.
    assert (await lab.read(job)).machine == "needs_clearing"

    await asyncio.to_thread(folder.mkdir)
    watch = lab.supervisor.watches[lab.cast.machine.pk]
    assert isinstance(watch, attended.Attended)
    await watch.reach()
    await lab.supervisor.tick()
    await lab.until_state(job, State.LOADED)
    assert lies_there(folder) == [DESIGN]


@pytest.mark.parametrize(
    ("number", "reason", "said"),
    [
        (errno.ENOSPC, "waiting_file_refused", ("ready", "")),
        (errno.EROFS, "waiting_unreachable", ("silent", "folder_read_only")),
    ],
)
async def test_case_13_a_folder_that_takes_no_file_puts_the_job_off_with_the_reason_and_it_stays_queued(
    lab: LineLab,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    reason: str,
    said: tuple[str, str],
) -> None:
    def refuses(old: str, new: str, there: int) -> None:
        raise OSError(number, "the system says no")

    def driver_for(machine: Machine) -> FolderDriver:
        allowed = (PurePosixPath(folder.parent),)
        return FolderDriver(Connection(machine.address, folders=allowed), link=refuses)

    monkeypatch.setattr(records, "driver_for", driver_for)
    monkeypatch.setattr(attended, "REACH_EVERY_S", (600.0, 600.0))
    await lab.watch()
    job = await lab.put(DESIGN)
    await lab.supervisor.tick()
    await lab.until(lambda: lab.attempt(job), lambda found: found.ended_at is not None)
    for _ in range(5):
        await lab.supervisor.tick()
    assert await reasons(lab, job) == [reason]
    assert await trouble(lab) == said
    found = await lab.job(job)
    assert (found.state, found.attempts_made, await lab.claims(job)) == (State.QUEUED, 0, 1)
    assert names(folder) == []


@pytest.mark.killed
async def test_case_3_killed_after_the_copy_the_file_is_found_and_there_is_one_of_it(
    lab: LineLab, folder: Path
) -> None:
    with supervising("test", failpoint=AFTER_UPLOAD) as running:

        async def dead() -> bool:
            return running.killed_itself()

        job = await lab.put(DESIGN)
        await lab.until(dead, bool)
    assert lies_there(folder) == [DESIGN]
    assert (await lab.job(job)).state == State.SENDING

    await lab.supervisor.take_stock()
    await lab.until_state(job, State.LOADED)
    assert lies_there(folder) == [DESIGN]
    assert await lab.claims(job) == 1
