"""Supervisors as processes of their own, on the database and files of the test: to be killed, frozen and replaced.

They are forked from one process that has read the program once: to read it anew takes longer than most of what is
tested. That process has touched neither database nor network when it forks.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, get_context
from multiprocessing.process import BaseProcess
from unittest.mock import patch

from django.conf import settings
from django.db import connection

from tests.jobs.supervision.late_supervisor import supervise_after
from tests.jobs.supervision.one_supervisor import supervise

FORKED, ANEW = get_context("forkserver"), get_context("spawn")
FORKED.set_forkserver_preload([supervise.__module__])
END_S = 20


def database_url() -> str:
    """The test's own database, as another process reaches it."""
    kept = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{kept['NAME']}"
    return f"postgres://{kept['USER']}:{kept['PASSWORD']}@{kept['HOST']}:{kept['PORT']}/{kept['NAME']}"


def _environment() -> dict[str, str]:
    """The same for a whole run of pytest: database and files stay."""
    return {
        "DJANGO_SETTINGS_MODULE": "fablab.settings",
        "DATABASE_URL": database_url(),
        "FABLAB_VAR": str(settings.VAR_DIR),
        "DEBUG_FAILPOINTS": "true",
    }


class Supervising:
    """One running supervisor."""

    def __init__(self, owner: str, failpoint: str, before: str = "") -> None:
        given = (owner, failpoint, list(settings.MACHINE_NETWORKS))
        with patch.dict(os.environ, _environment()):
            forkserver.ensure_running()
            self._process: BaseProcess = (
                ANEW.Process(target=supervise_after, args=(before, *given))
                if before
                else FORKED.Process(target=supervise, args=given)
            )
            self._process.start()

    def killed_itself(self) -> bool:
        return self._process.exitcode == -signal.SIGKILL

    def kill(self) -> None:
        self._process.kill()
        self._process.join(END_S)

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def end(self) -> None:
        """Have it end in good order, or else by force."""
        if self._process.is_alive():
            self.thaw()
            self._process.terminate()
            self._process.join(END_S)
            self._process.kill()
            self._process.join(END_S)
        self._process.close()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)


@contextmanager
def supervising(owner: str = "one", *, failpoint: str = "", before: str = "") -> Iterator[Supervising]:
    """A supervisor that ends with the block. The same owner's name is the same installation, started again.

    ``before``: Python that the process runs first.
    """
    running = Supervising(owner, failpoint, before)
    try:
        yield running
    finally:
        running.end()
