"""The only place that runs a reader or an outside program on somebody's file: bounded, alone, gone afterwards.

Each run has its own process group and its own empty folder, limits on memory, processor, file size, open files and
wall time, no network and no writing elsewhere where the kernel allows it, a capped output, and dies with its parent.
"""

import contextlib
import json
import os
import selectors
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from .codes import finding
from .findings import Report
from .layout import Layout
from .limits import Frame

GIB = 1024**3
MIB = 1024**2
PROJECT = Path(__file__).resolve().parents[2]
CONFINE = Path(__file__).with_name("confine.py")
PNG = b"\x89PNG\r\n\x1a\n"
PICTURE_BYTES = 4 * MIB
BARE_BYTES = 128 * MIB


@dataclass(frozen=True, slots=True)
class Completed:
    """How a run ended. `returncode` is negative for a signal; `stopped` says why we ended it: "", "time", "output"."""

    returncode: int
    stdout: bytes
    stderr: bytes
    seconds: float
    stopped: str = ""

    @property
    def ok(self) -> bool:
        return self.returncode == 0 and not self.stopped


def run_program(
    argv: Sequence[str],
    *,
    cwd: Path,
    seconds: float,
    memory: int = 2 * GIB,
    output_limit: int = 1 * MIB,
    file_bytes: int = 400 * MIB,
    given: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> Completed:
    """Runs `argv` (its first word an absolute path) inside `cwd`, the one folder it may write to.

    `given` is its standard input (at most 32 kB). Raises OSError only when not even the launcher could start.
    """
    began = time.monotonic()
    asked = {
        "parent": os.getpid(),
        "memory": memory,
        "cpu_seconds": max(1, int(seconds) + 1),
        "file_bytes": file_bytes,
    }
    surroundings = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "HOME": str(cwd),
        "TMPDIR": str(cwd),
        **(environment or {}),
    }
    process = subprocess.Popen(  # noqa: S603 - fixed argument lists, never a shell, no text of a person
        [sys.executable, "-I", "-S", str(CONFINE), json.dumps(asked), *argv],
        cwd=cwd,
        env=surroundings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        assert process.stdin and process.stdout and process.stderr
        try:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(given[: 32 * 1024])
                process.stdin.close()
            out, err, stopped = _listen(
                process, process.stdout, process.stderr, began + seconds, output_limit
            )
        finally:
            # The leader is not reaped yet, so its number still names this group and no other.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        returncode = process.wait()
    return Completed(returncode, out, err, time.monotonic() - began, stopped)


def _listen(
    process: subprocess.Popen[bytes], stdout: IO[bytes], stderr: IO[bytes], deadline: float, output_limit: int
) -> tuple[bytes, bytes, str]:
    """Collects both outputs until the leader ends, the deadline passes or one output grows too long."""
    heard: dict[str, bytearray] = {"out": bytearray(), "err": bytearray()}
    ended = os.pidfd_open(process.pid)
    stopped = ""
    with selectors.DefaultSelector() as selector:
        selector.register(ended, selectors.EVENT_READ, "ended")
        for stream, name in ((stdout, "out"), (stderr, "err")):
            os.set_blocking(stream.fileno(), False)
            selector.register(stream, selectors.EVENT_READ, name)
        running = True
        while running and not stopped:
            left = deadline - time.monotonic()
            events = selector.select(max(left, 0.0))
            if not events and left <= 0:
                stopped = "time"
            for key, _ in events:
                if key.data == "ended":
                    running = False
                elif not _hear(key.fd, heard[key.data], output_limit):
                    selector.unregister(key.fileobj)
                if len(heard["out"]) > output_limit or len(heard["err"]) > output_limit:
                    stopped = "output"
    os.close(ended)
    for stream, name in ((stdout, "out"), (stderr, "err")):
        while len(heard[name]) <= output_limit and _hear(stream.fileno(), heard[name], output_limit):
            pass
    return bytes(heard["out"][:output_limit]), bytes(heard["err"][:output_limit]), stopped


def _hear(fd: int, into: bytearray, output_limit: int) -> bool:
    """One read. False when there is nothing more to come now."""
    try:
        piece = os.read(fd, min(65536, output_limit + 1))
    except BlockingIOError:
        return False
    into += piece
    return bool(piece)


def inspect_file(
    source: Path,
    name: str,
    picture: Path | None = None,
    *,
    bare: Path | None = None,
    layout: Layout | None = None,
    frames: Iterable[Frame] = (),
    seconds: float = 60.0,
    memory: int = 2 * GIB,
) -> Report:
    """Reads `source`, called `name` by the person who sent it, in a child process.

    Draws `picture` (PNG) if it can, an embroidery in the smallest of `frames` that holds it, and writes the bare
    geometry of a sound file to `bare`: a model's triangles as binary STL, a drawing's lines as HPGL, laid out as
    `layout` says (not written when it does not fit).

    Never raises for bad input: a crash, a time-out or a death by memory is a report with the finding `unreadable`.
    A picture is written only for a file that could be read.
    """
    with tempfile.TemporaryDirectory(prefix="inspect-") as folder:
        request = {
            "source": str(source.resolve()),
            "name": name,
            "picture": picture is not None,
            "frames": [[one.name, one.width_mm, one.height_mm] for one in frames],
            "bare": (layout or Layout()).as_json() if bare is not None else None,
        }
        done = run_program(
            [sys.executable, "-P", "-s", "-B", "-m", "jobs.inspection.child"],
            cwd=Path(folder),
            seconds=seconds,
            memory=memory,
            file_bytes=BARE_BYTES if bare else PICTURE_BYTES,
            given=json.dumps(request).encode(),
            environment={"PYTHONPATH": str(PROJECT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )
        report = _answer(done)
        if picture is not None and not take(Path(folder) / "picture.png", picture, PNG, PICTURE_BYTES):
            report = replace(report, facts={**report.facts, "pictured": False})
        if bare is not None:
            take(Path(folder) / "bare", bare, b"", BARE_BYTES)
        return report


def _answer(done: Completed) -> Report:
    """The report the child gave, also when its picture failed afterwards; else a report of how it ended."""
    try:
        return Report.from_json(json.loads(done.stdout))
    except (KeyError, TypeError, ValueError, RecursionError):
        slow = done.stopped == "time" or done.returncode in (-signal.SIGXCPU, -signal.SIGKILL)
        why = "too_complex" if done.stopped == "output" else "too_slow" if slow else "crashed"
        return Report("", findings=(finding("unreadable", why=why),))


def take(made: Path, to: Path, begins: bytes, most: int) -> bool:
    """Moves what the child made out of its folder, when it is an ordinary file of that kind and no link elsewhere."""
    try:
        handle = os.open(made, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    with os.fdopen(handle, "rb") as stream:
        told = os.fstat(handle)
        if not stat.S_ISREG(told.st_mode) or told.st_size > most or stream.read(len(begins)) != begins:
            return False
        stream.seek(0)
        to.parent.mkdir(parents=True, exist_ok=True)
        with to.open("wb") as out:
            shutil.copyfileobj(stream, out)
    return True
