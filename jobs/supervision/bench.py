"""What all watches of one process share: database threads, clocks, the lease, the pool of uploads."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
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


@dataclass
class Lease:
    """The right to give orders to a machine, ``until`` on the clock ``since_boot``: a process that was frozen sees that
    it is over, whatever it does first when it wakes.
    """

    number: int
    until: float

    def holds(self) -> bool:
        return since_boot() < self.until


@dataclass
class Bench:
    """Shared by the watches of one process.

    ``put_off``: (job, machine) → (code, until) for machines that refused a job's file; this process remembers it.
    """

    threads: Executor
    chance: Random = field(default_factory=Random)
    clock: Callable[[], datetime] = timezone.now
    monotonic: Callable[[], float] = time.monotonic
    uploads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(UPLOADS_AT_ONCE))
    put_off: dict[tuple[str, str], tuple[str, datetime]] = field(default_factory=dict)
    sampling: Sampling = field(default_factory=Sampling)

    async def db(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a short database call in a thread that keeps its connection."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, partial(call, *args, **kwargs))
