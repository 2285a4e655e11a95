"""Supervisors as processes of their own, on the database and files of the test: to be killed, frozen and replaced."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

PROJECT = Path(__file__).resolve().parents[3]
PROGRAM = """
import asyncio, signal, sys
import django
django.setup()
from jobs.supervision import loop

async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await loop.run(stop, owner=sys.argv[1])

asyncio.run(main())
"""
END_S = 20


def database_url() -> str:
    """The test's own database, as another process reaches it."""
    kept = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{kept['NAME']}"
    return f"postgres://{kept['USER']}:{kept['PASSWORD']}@{kept['HOST']}:{kept['PORT']}/{kept['NAME']}"


class Supervising:
    """One running supervisor."""

    def __init__(self, owner: str, failpoint: str, before: str = "") -> None:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "fablab.settings",
            "DATABASE_URL": database_url(),
            "FABLAB_VAR": str(settings.VAR_DIR),
            "MACHINE_NETWORKS": ",".join(settings.MACHINE_NETWORKS),
            "DEBUG_FAILPOINTS": "true",
            "FABLAB_FAILPOINT": failpoint,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", before + PROGRAM, owner],
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
        )

    def killed_itself(self) -> bool:
        return self.process.poll() == -signal.SIGKILL

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(END_S)

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)


@contextmanager
def supervising(owner: str = "one", *, failpoint: str = "", before: str = "") -> Iterator[Supervising]:
    """A supervisor that ends with the block. The same owner's name is the same installation, started again.

    ``before``: Python that the process runs first.
    """
    running = Supervising(owner, failpoint, before)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.thaw()
            running.process.terminate()
            try:
                running.process.wait(END_S)
            finally:
                running.process.kill()
