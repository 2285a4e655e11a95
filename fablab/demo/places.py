"""Where the demonstration keeps its things, and on which ports it runs."""

import fcntl
import json
import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fablab.demo.octoprint_install import Failure
from fablab.demo.octoprint_server import HOST, is_free, write_private

PROJECT = Path(__file__).resolve().parents[2]
PRINTERS = 2
FIRST_PRINTER_PORT = 5100


@dataclass(frozen=True)
class Places:
    """``top`` is the folder of all data, ``var`` by default; the demonstration has a part of its own in it."""

    top: Path

    @property
    def data(self) -> Path:
        """Database, files and secrets of the demonstration; never those of an installation beside it."""
        return self.top / "demo"

    @property
    def octoprint(self) -> Path:
        return self.data / "octoprint"

    @property
    def summary(self) -> Path:
        """What programs read: url, accounts, printers."""
        return self.top / "demo.json"

    @property
    def kept(self) -> Path:
        """What must be the same at the next start: the accounts' password, the printers' ports."""
        return self.data / "kept.json"


def places() -> Places:
    return Places(Path(os.environ.get("FABLAB_VAR") or PROJECT / "var").resolve())


def hold(where: Places) -> IO[str]:
    """Take the demonstration's lock until the file is closed.

    :raises Failure: when a demonstration runs on this folder.
    """
    where.top.mkdir(parents=True, exist_ok=True)
    handle = (where.top / "demo.lock").open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise Failure(
            "The demonstration already runs here. End it with Ctrl-C where it was started."
        ) from None
    return handle


def empty(where: Places) -> None:
    """Forget everything: people, files, printers. OctoPrint itself stays installed."""
    shutil.rmtree(where.data, ignore_errors=True)
    where.summary.unlink(missing_ok=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def printer_ports(kept: list[int]) -> list[int]:
    """Return a port for each printer: the kept ones, the usual ones, or any, whichever is free."""
    wished = kept or list(range(FIRST_PRINTER_PORT, FIRST_PRINTER_PORT + PRINTERS))
    return [port if is_free(port) else free_port() for port in wished]


def read_kept(where: Places) -> dict[str, object]:
    try:
        content = json.loads(where.kept.read_text())
    except FileNotFoundError:
        return {}
    return content if isinstance(content, dict) else {}


def keep(where: Places, **values: object) -> None:
    write_private(where.kept, {**read_kept(where), **values})
