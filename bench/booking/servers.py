"""The servers that are measured, and the database and Redis beside them; all end with the benchmark."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.live.__main__ import port_of
from bench.measure import PROJECT, Child, answering, end_with_parent

# A database that keeps what it has acknowledged, as an installation's does; says its address and waits.
POSTGRES = (
    str(PROJECT / ".ci" / "with-postgres"), "--durable", "python3", "-c",
    "import os, sys; print(os.environ['DATABASE_URL'], flush=True); sys.stdin.read()",
)  # fmt: skip


@contextmanager
def postgres(log: Path) -> Iterator[str]:
    """Run a PostgreSQL of our own; yield its URL."""
    with Child(POSTGRES, log=log) as child:
        yield child.line().strip()
        assert child.process.stdin is not None
        child.process.stdin.close()  # what waits in it ends, and it with that
        child.process.wait(30)


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Run a Redis of our own that keeps nothing; yield its URL."""
    program = shutil.which("redis-server")
    if program is None:
        raise RuntimeError("redis-server is missing. On Debian: apt-get install redis-server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
         "--dir", str(folder)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, preexec_fn=end_with_parent,
    )  # fmt: skip
    try:
        answering(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(15)


@contextmanager
def serving(count: int, env: dict[str, str], folder: Path) -> Iterator[tuple[list[Child], list[int]]]:
    """Run ``manage.py serve`` so many times, as an installation does; yield the processes and their ports."""
    children: list[Child] = []
    try:
        for number in range(count):
            log = folder / f"serve-{number}.log"
            children.append(Child(["manage.py", "serve", "--port", "0"], env=env, log=log).__enter__())
        yield children, [port_of(child) for child in children]
    finally:
        for child in children:
            child.__exit__()
