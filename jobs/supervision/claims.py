"""Which machines a supervisor should take. Pure: leases as they are written go in, and the time since boot.

A lease has lapsed when the one who looks has seen it unchanged for its whole length (see ``take_lease`` for why the
clock on the wall is not asked). So a newcomer waits once for the length of a lease before it takes over from the dead,
except where the lease was given back, or is its own.
"""

from collections.abc import Mapping, Set
from math import ceil

from equipment.machines.services import Lease
from jobs.supervision.bench import LEASE_S

SHARED_S = 3.0  # a free machine is left so long to those who have fewer


class Claims:
    """What one supervisor has seen of all leases."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._seen: dict[str, tuple[Lease, float]] = {}

    def wanted(self, leases: Mapping[str, Lease], ours: Set[str], now: float) -> dict[str, Lease | None]:
        """Return the machines to take now; with the other's lease where it has lapsed.

        ``ours``: machines that this supervisor watches. Up to its share it takes what is free at once, the rest only
        when nobody else did.
        """
        self._seen = {
            machine_id: self._seen[machine_id]
            if machine_id in self._seen and self._seen[machine_id][0] == lease
            else (lease, now)
            for machine_id, lease in leases.items()
        }
        others = {
            lease.owner
            for lease, since in self._seen.values()
            if not lease.is_free and lease.owner != self._owner and now - since < LEASE_S
        }
        share = ceil(len(leases) / (len(others) + 1))
        found: dict[str, Lease | None] = {}
        for machine_id, (lease, since) in self._seen.items():
            if machine_id in ours:
                continue
            mine = lease.owner == self._owner
            free = lease.is_free or mine
            if not free and now - since < LEASE_S:
                continue
            waited = now - since - (0.0 if free else LEASE_S)
            if mine or len(ours) + len(found) < share or waited >= SHARED_S:
                found[machine_id] = None if free else lease
        return found
