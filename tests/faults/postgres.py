"""A PostgreSQL of a test's own, to be killed, restarted and locked. What it has acknowledged it keeps."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg

from tests.fixtures.services import free_port, wait_until

PROJECT = Path(__file__).resolve().parents[2]


def _command() -> ModuleType:
    """Load the command that has a PostgreSQL beside another: it knows where the programs are and who may run them."""
    loader = SourceFileLoader("with_postgres", str(PROJECT / ".ci" / "with-postgres"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


COMMAND = _command()
START_S = 60


class Postgres:
    """One cluster in a folder. ``kill`` is kill -9 of all of it; ``start`` begins it again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._password = secrets.token_urlsafe(16)
        self._who: dict[str, Any] = COMMAND.other_user()
        self._process: subprocess.Popen[bytes] | None = None
        self._make()

    @property
    def url(self) -> str:
        return f"postgres://fablab:{self._password}@127.0.0.1:{self.port}/postgres"

    def _make(self) -> None:
        password = self.folder / "password"
        password.write_text(self._password)
        if self._who:
            for path in (self.folder, password):
                os.chown(path, self._who["user"], self._who["group"])
        subprocess.run(
            [COMMAND.binary("initdb"), "-D", str(self.folder / "data"), "-U", "fablab", "-E", "UTF8",
             "--locale=C.UTF-8", "-A", "scram-sha-256", f"--pwfile={password}", "--no-sync"],
            cwd=self.folder, check=True, capture_output=True, timeout=START_S, **self._who,
        )  # fmt: skip

    def start(self) -> None:
        """Start it and wait until it takes connections, after a kill with what it had written down."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 100,
            # The computer is not cut off: what the kernel has is kept. What was acknowledged must be there by then.
            "fsync": "off",
            "synchronous_commit": "on",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [COMMAND.binary("postgres"), "-D", str(self.folder / "data"), *options],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=COMMAND.end_with_parent,
                **self._who,
            )
        wait_until(lambda: COMMAND.answers(self.port), START_S, "PostgreSQL takes connections")

    def kill(self) -> None:
        """kill -9 of the server and of every process that works for it."""
        assert self._process is not None
        leader = self._process.pid
        crowd = [int(child) for child in Path(f"/proc/{leader}/task/{leader}/children").read_text().split()]
        for number in (leader, *crowd):
            with suppress(ProcessLookupError):  # it ended with the others
                os.kill(number, signal.SIGKILL)
        self._process.wait(START_S)
        # They share memory that a new server must not find in use.
        wait_until(lambda: not any(map(_lives, crowd)), START_S, "PostgreSQL is gone")

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(START_S)

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Hold the whole of a table, as somebody's long maintenance might."""
        with psycopg.connect(self.url) as connection:
            connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield
            connection.rollback()

    def value(self, question: str) -> Any:
        """Return the one value that a query asks for, past all of our code."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute(question).fetchone()
        assert row is not None
        return row[0]


def _lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL in a folder of its own, ended and removed with the block."""
    # Not in pytest's folders: they are private, and PostgreSQL runs as another user than root.
    folder = Path(tempfile.mkdtemp(prefix="fablab-postgres-"))
    try:
        server = Postgres(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
