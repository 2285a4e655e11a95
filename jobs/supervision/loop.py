"""The long-running watch: which machines are ours, one watch for each, the lease that allows orders, the dispatcher.

Any number of processes may run this beside each other. A machine belongs to the one that holds its lease in the
database; losing it ends the watch, and with it every order, at once (REL-5).
"""

import asyncio
import hashlib
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from equipment.machines import services as machines
from fablab.core.ids import new_id
from fablab.core.threads import DatabaseThreads
from fablab.core.waking import bell, ring
from jobs.dispatch import services as dispatch
from jobs.lifecycle import samples
from jobs.lifecycle import services as lifecycle
from jobs.supervision import records
from jobs.supervision.attended import Attended
from jobs.supervision.bench import (
    LEASE_KEPT_EVERY_S,
    LEASE_MARGIN_S,
    LEASE_S,
    Bench,
    Lease,
    since_boot,
)
from jobs.supervision.claims import Claims
from jobs.supervision.coordinator import Backoff
from jobs.supervision.sampling import WRITTEN_EVERY_S
from jobs.supervision.stills import LOOKED_EVERY_S, Photographer
from jobs.supervision.watch import Watch

logger = logging.getLogger(__name__)

CENSUS_EVERY_S = 2.0
TICK_S = 1.0
THREADS = 4
BELL = "supervision"


@dataclass
class _Post:
    """A machine that is ours, as long as the lease holds."""

    connection: int
    lease: Lease
    watch: Watch | Attended
    task: "asyncio.Task[None]"


async def run(stop: asyncio.Event, *, owner: str | None = None) -> None:
    """Watch machines, carry out orders and dispatch jobs until ``stop`` is set.

    ``owner`` names this run in leases; see ``own_name``.
    """
    name = owner or own_name()
    threads = DatabaseThreads(THREADS, "supervision")
    ears = ThreadPoolExecutor(1, "supervision-bell")
    try:
        await Supervisor(name[:40], Bench(threads), ears).run(stop)
    finally:
        ring(BELL)
        ears.shutdown()
        await asyncio.to_thread(threads.shutdown)


def own_name() -> str:
    """Return the name under which this process holds leases.

    Beside others each run has its own. An installation of one process (its lock file says so) keeps its name, so that
    after a power cut it need not wait for its own lease to run out.
    """
    name = socket.gethostname()
    host = name[:15]
    if settings.REDIS_URL:
        return f"{host}-{os.getpid()}-{new_id()}"
    place = hashlib.sha256(f"{name} {_computer()} {settings.VAR_DIR}".encode()).hexdigest()[:12]
    return f"{host}-alone-{place}"


def _computer() -> str:
    """Return what tells computers of one name apart, where the system knows it (machine-id(5))."""
    try:
        return Path("/etc/machine-id").read_text().strip()
    except OSError:
        return ""


class Supervisor:
    """All machines of one process. The parts are functions that tests call one by one."""

    def __init__(self, owner: str, bench: Bench, ears: ThreadPoolExecutor) -> None:
        self.owner = owner
        self.bench = bench
        self.photographer = Photographer(bench)
        self._ears = ears
        self._posts: dict[str, _Post] = {}
        self._claims = Claims(owner)
        self._pulse: dict[str, object] = {}
        self._looks = dispatch.Memory()

    async def run(self, stop: asyncio.Event) -> None:
        parts = [
            asyncio.create_task(self._repeat("census", self.take_stock, CENSUS_EVERY_S)),
            asyncio.create_task(self._repeat("leases", self.keep_leases, LEASE_KEPT_EVERY_S)),
            asyncio.create_task(self._repeat("samples", self.keep_samples, WRITTEN_EVERY_S)),
            asyncio.create_task(self._repeat("stills", self.take_stills, LOOKED_EVERY_S)),
            asyncio.create_task(self._repeat("tick", self.tick, 0.0, self._wait_for_bell)),
        ]
        try:
            await stop.wait()
        finally:
            ring(BELL)
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
            await self.close()

    async def close(self) -> None:
        """End every watch and give the leases back, so that a successor need not wait."""
        for machine_id in list(self._posts):
            await self._leave(machine_id, drop=True)
        await self.photographer.close()
        try:
            await self.keep_samples()
        except Exception:
            logger.exception("supervision: the last points of the plots were not written")

    async def _repeat(
        self,
        name: str,
        part: Callable[[], Awaitable[object]],
        every_s: float,
        pause: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        """Do a part again and again; what goes wrong is logged, and tried again after a pause that grows."""
        backoff = Backoff(self.bench.chance)
        while True:
            try:
                await part()
                backoff.worked()
            except Exception:
                logger.exception("supervision: %s failed", name)
                await asyncio.sleep(backoff.failed())
                continue
            await (pause() if pause else asyncio.sleep(every_s))

    async def _wait_for_bell(self) -> None:
        rings = bell(BELL)
        await asyncio.get_running_loop().run_in_executor(self._ears, rings.wait, TICK_S)
        rings.clear()

    # --- which machines are ours --------------------------------------------------------------------------------

    @property
    def watches(self) -> dict[str, Watch | Attended]:
        return {machine_id: post.watch for machine_id, post in self._posts.items()}

    @property
    def leases(self) -> dict[str, int]:
        """Return the lease numbers of the machines that are ours now."""
        return {
            machine_id: post.lease.number for machine_id, post in self._posts.items() if post.lease.holds()
        }

    async def take_stock(self) -> None:
        """Begin to watch machines that were added or became free, end with those that were removed or changed."""
        census = await self.bench.db(records.census)
        there = {machine.id: machine.connection for machine in census}
        for machine_id, post in list(self._posts.items()):
            if there.get(machine_id) != post.connection or post.task.done():
                await self._leave(machine_id, drop=machine_id not in there)
        written = {machine.id: machine.lease for machine in census}
        wanted = self._claims.wanted(written, set(self._posts), since_boot())
        if not wanted:
            return
        until = since_boot() + LEASE_S - LEASE_MARGIN_S
        taken = await self.bench.db(
            records.take_machines, wanted, owner=self.owner, at=self.bench.clock(), seconds=LEASE_S
        )
        for machine_id, (number, driver) in taken.items():
            lease = Lease(number, until)
            kind = Watch if driver.capabilities.observe else Attended
            watch = kind(machine_id, driver, lease, self.bench)
            self._posts[machine_id] = _Post(there[machine_id], lease, watch, asyncio.create_task(watch.run()))

    async def _leave(self, machine_id: str, *, drop: bool) -> None:
        post = self._posts.pop(machine_id)
        post.lease.until = float("-inf")  # before anything is waited for: no order leaves any more
        post.task.cancel()
        await asyncio.gather(post.task, return_exceptions=True)
        if drop:
            try:
                await self.bench.db(machines.drop_lease, machine_id, owner=self.owner)
            except Exception:
                logger.exception("%s: the lease was not given back, it will run out", machine_id)

    async def keep_leases(self) -> None:
        """Prolong our leases; a machine whose lease was lost is left at once."""
        if not self._posts:
            return
        asked = {machine_id: post.lease for machine_id, post in self._posts.items()}
        until = since_boot() + LEASE_S - LEASE_MARGIN_S
        held = await self.bench.db(
            machines.keep_leases, self.owner, list(asked), at=self.bench.clock(), seconds=LEASE_S
        )
        lost = []
        for machine_id, lease in asked.items():
            post = self._posts.get(machine_id)
            if post is None or post.lease is not lease:
                continue
            if held.get(machine_id) == lease.number:
                lease.until = until
            else:
                lost.append(machine_id)
        for machine_id in lost:  # after all others were prolonged: leaving takes a moment each
            logger.warning("%s: the lease is lost, another process watches it now", machine_id)
            await self._leave(machine_id, drop=False)

    # --- what is kept for the plots ---------------------------------------------------------------------------------

    async def keep_samples(self) -> None:
        """Write the moments of all machines together; what cannot be written now is tried again."""
        waiting = self.bench.sampling.waiting()
        if waiting:
            await self.bench.db(samples.keep, waiting)
        self.bench.sampling.written(len(waiting), now=self.bench.monotonic())

    async def take_stills(self) -> None:
        """Fetch the camera pictures that people asked of our machines."""
        await self.photographer.look(self.leases)

    # --- what people and the queue want -------------------------------------------------------------------------

    async def tick(self) -> None:
        """Carry what changed in the database to the watches, and give idle machines their next job."""
        leases = self.leases
        try:
            await self.bench.db(self._look, leases)
        finally:  # orders go out, whatever the queue's look met
            await self._tell_watches(leases)

    async def _tell_watches(self, leases: dict[str, int]) -> None:
        pulse: dict[str, object] = dict(await self.bench.db(records.pulse, list(leases)))
        for machine_id, beat in pulse.items():
            if self._pulse.get(machine_id) != beat and machine_id in self._posts:
                self._posts[machine_id].watch.kick()
        self._pulse = pulse

    def _look(self, leases: dict[str, int]) -> None:
        at = self.bench.clock()
        lifecycle.expire_orders(at=at)
        dispatch.release_the_forgotten(list(leases), at=at)
        dispatch.look(leases, at=at, memory=self._looks)
