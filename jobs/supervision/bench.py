"""What all watches of one process share: database threads, clocks, the lease, the pool of uploads."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import ParamSpec, TypeVar

from django.utils import timezone

from jobs.supervision.sampling import Sampling

P = ParamSpec("P")
T = TypeVar("T")

UPLOADS_AT_ONCE = 4  # refilled as each ends; a slow machine delays no other (REL-20)


LEASE_S = 20.0  # another takes a machine over when its owner has shown no sign of life for so long
LEASE_MARGIN_S = 3.0  # and its owner stops sending so long before: clocks do not run alike
LEASE_KEPT_EVERY_S = 5.0


def since_boot() -> float:
    """Seconds of the clock that leases are measured by: no one sets it, and it runs on while a computer sleeps.

    ``time.monotonic`` stands still then: a lid that was closed for an hour would wake with a lease that still holds.
    """
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def sha256_of(path: Path) -> str:
    """Read a stored file once more: what changed on disk goes nowhere (SEC-8). Blocks: for a thread."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass
class Lease:
    """The right to give orders to a machine, ``until`` on the clock ``since_boot``: a process that was frozen sees that
    it is over, whatever it does first when it wakes.
    """

    number: int
    until: float

    def holds(self) -> bool:
        return since_boot() < self.until


class Places:
    """A number of places, given in the order in which they were asked for."""

    def __init__(self, count: int) -> None:
        self._free = asyncio.Semaphore(count)
        self.waiting = 0

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Wait for a place and hold it during the block."""
        self.waiting += 1
        try:
            await self._free.acquire()
        finally:
            self.waiting -= 1
        try:
            yield
        finally:
            self._free.release()


@dataclass
class Bench:
    """Shared by the watches of one process."""

    threads: Executor
    chance: Random = field(default_factory=Random)
    clock: Callable[[], datetime] = timezone.now
    monotonic: Callable[[], float] = time.monotonic
    uploads: "Places" = field(default_factory=lambda: Places(UPLOADS_AT_ONCE))
    sampling: Sampling = field(default_factory=Sampling)

    async def db(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a short database call in a thread that keeps its connection."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, partial(call, *args, **kwargs))
