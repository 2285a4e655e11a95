"""A machine that reads the folder finds a file whole or not at all."""

import asyncio
import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from equipment.drivers.base import Code, DriverError
from equipment.drivers.folder import shelf
from equipment.drivers.folder.driver import Limits
from tests.equipment.drivers.folder.helpers import LIES_AS, NAME, Watched
from tests.fixtures.octoprint import PROJECT


def no_links(old: str, new: str, folder: int) -> None:
    """A share that knows no hard links, as FAT and many servers."""
    raise OSError(errno.EPERM, "Operation not permitted")


class Reader(threading.Thread):
    """The machine: looks into the folder all the time, and reads whatever it finds."""

    def __init__(self, watched: Watched) -> None:
        super().__init__()
        self._watched = watched
        self._enough = threading.Event()
        self.found: set[bytes] = set()
        self.growing: set[int] = set()

    def run(self) -> None:
        while not self._enough.is_set():
            for entry in list(self._watched.path.iterdir()):
                try:
                    if entry.name.endswith(".part"):
                        self.growing.add(entry.stat().st_size)
                    else:
                        self.found.add(entry.read_bytes())
                except FileNotFoundError:
                    pass  # renamed between the two looks

    def stop(self) -> None:
        self._enough.set()
        self.join(10)


@pytest.mark.parametrize("link", [shelf.link, no_links])
async def test_no_half_file_is_ever_seen_under_its_name_while_it_is_written_slowly(
    watched: Watched, design: Path, link: shelf.Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "CHUNK", 512)
    whole = await asyncio.to_thread(design.read_bytes)
    reader = Reader(watched)
    reader.start()
    try:
        for number in range(3):
            await watched.driver(link=link).send(design, "fl", f"{number}-{NAME}", {})
    finally:
        reader.stop()
    assert len(reader.growing) > 10, "the copy was watched while it grew"
    assert reader.found == {whole}
    assert len(watched.seen()) == 3
    assert watched.hidden() == []


@pytest.mark.parametrize("link", [shelf.link, no_links])
@pytest.mark.parametrize("there", ["file", "link", "folder"])
async def test_nothing_that_lies_there_is_written_over(
    watched: Watched, design: Path, link: shelf.Link, there: str, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"somebody's own")
    taken = watched.path / LIES_AS
    match there:
        case "file":
            taken.write_bytes(b"somebody's own")
        case "link":
            taken.symlink_to(elsewhere)
        case "folder":
            taken.mkdir()
    with pytest.raises(DriverError) as refused:
        await watched.driver(link=link).send(design, "fl", NAME, {})
    assert (refused.value.code, refused.value.certain) == (Code.FILE_DIFFERS, True)
    assert (watched.seen(), watched.hidden()) == ([LIES_AS], [])
    assert elsewhere.read_bytes() == b"somebody's own"
    assert taken.is_symlink() == (there == "link")


def test_a_copy_that_was_killed_leaves_nothing_to_be_seen_and_the_next_one_clears_up(
    watched: Watched, design: Path
) -> None:
    program = f"""
import asyncio, sys, time
from pathlib import Path, PurePosixPath
from equipment.drivers.base import Connection
from equipment.drivers.folder.driver import FolderDriver

def hang(old, new, folder):
    print("whole and hidden", flush=True)
    time.sleep(600)

driver = FolderDriver(Connection({str(watched.path)!r}, folders=(PurePosixPath({str(watched.root)!r}),)), link=hang)
asyncio.run(driver.send(Path({str(design)!r}), "fl", {NAME!r}, {{}}))
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=PROJECT
    ) as copying:
        assert copying.stdout is not None
        assert copying.stdout.readline() == "whole and hidden\n"
        copying.kill()
    assert watched.seen() == []
    assert len(watched.hidden()) == 1
    asyncio.run(watched.driver().send(design, "fl", NAME, {}))
    assert (watched.seen(), watched.hidden()) == ([LIES_AS], [])


async def test_what_was_left_a_day_ago_goes_and_what_is_not_ours_stays(
    watched: Watched, design: Path
) -> None:
    old, young, foreign = ".AAAA.DST.00000000.part", ".BBBB.DST.00000000.part", ".download.part"
    for name in (old, young, foreign):
        (watched.path / name).write_bytes(b"half")
    for name in (old, foreign):
        os.utime(watched.path / name, (1_000_000_000, 1_000_000_000))
    await watched.driver().send(design, "fl", NAME, {})
    assert watched.hidden() == sorted([young, foreign])


async def test_a_copy_that_is_given_up_shows_nothing_and_leaves_nothing(
    watched: Watched, design: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "CHUNK", 64)
    moved = asyncio.Event()
    copying = asyncio.ensure_future(
        watched.driver().send(design, "fl", NAME, {}, lambda written, total: moved.set())
    )
    await asyncio.wait_for(moved.wait(), 10)
    copying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await copying
    async with asyncio.timeout(10):
        while True:  # the thread finds that it was given up at its next piece
            if not watched.hidden():
                break
            await asyncio.sleep(0.01)
    assert watched.seen() == []


def test_a_folder_that_is_full_refuses_the_file_and_keeps_nothing_of_it(
    watched: Watched, design: Path
) -> None:
    """The kernel itself refuses: the process may not write files of that size."""
    program = f"""
import asyncio, resource
from pathlib import Path, PurePosixPath
from equipment.drivers.base import Connection, DriverError
from equipment.drivers.folder.driver import FolderDriver

resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
driver = FolderDriver(Connection({str(watched.path)!r}, folders=(PurePosixPath({str(watched.root)!r}),)))
try:
    asyncio.run(driver.send(Path({str(design)!r}), "fl", {NAME!r}, {{}}))
except DriverError as refused:
    print(refused)
"""
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=PROJECT, timeout=60
    )
    assert said.stdout == "storage_refused reason=full\n", said.stderr
    assert (watched.seen(), watched.hidden()) == ([], [])


async def test_bytes_that_come_back_otherwise_are_never_shown(
    watched: Watched, design: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stick that lies: what is read back is not what was written."""
    written = shelf.Shelf._write

    def spoiled(self: shelf.Shelf, source: Path, part: str, *more: object) -> None:
        written(self, source, part, *more)  # type: ignore[arg-type]  # handed through as they came
        with (watched.path / part).open("r+b") as file:
            file.seek(1000)
            file.write(b"?")

    monkeypatch.setattr(shelf.Shelf, "_write", spoiled)
    with pytest.raises(DriverError) as refused:
        await watched.driver().send(design, "fl", NAME, {})
    assert refused.value.code is Code.FILE_DIFFERS
    assert (watched.seen(), watched.hidden()) == ([], [])


async def test_a_share_that_hangs_costs_its_own_machine_a_time_out_and_the_others_nothing(
    watched: Watched, design: Path
) -> None:
    woken, hanging = threading.Event(), threading.Event()

    def hang(old: str, new: str, folder: int) -> None:
        hanging.set()
        woken.wait()
        shelf.link(old, new, folder)

    (watched.root / "other").mkdir()
    other = Watched(watched.root / "other", watched.root)
    dead = watched.driver(limits=Limits(stall=0.5), link=hang)
    sending = asyncio.ensure_future(dead.send(design, "fl", NAME, {}))
    try:
        await asyncio.to_thread(hanging.wait)
        assert (await other.driver().send(design, "fl", NAME, {})).path == LIES_AS
        assert not sending.done(), "nobody waited for the other"
        with pytest.raises(DriverError) as refused:
            await sending
        assert (refused.value.code, refused.value.certain) == (Code.TIMED_OUT, False)
    finally:
        woken.set()


async def test_a_large_file_on_a_slow_share_is_not_given_up_while_it_moves(
    watched: Watched, design: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Flushing and reading back count as moving: the whole lasts longer than one standstill may."""
    monkeypatch.setattr(shelf, "CHUNK", 64 * 1024)
    monkeypatch.setattr(shelf, "FLUSHED_EACH", 64 * 1024)
    flush = os.fdatasync

    def slowly(handle: int) -> None:
        threading.Event().wait(0.05)
        flush(handle)

    monkeypatch.setattr(os, "fdatasync", slowly)
    limits = Limits(stall=0.7)
    began = asyncio.get_running_loop().time()
    await watched.driver(limits=limits).send(design, "fl", NAME, {})
    assert asyncio.get_running_loop().time() - began > limits.stall
    assert watched.seen() == [LIES_AS]
