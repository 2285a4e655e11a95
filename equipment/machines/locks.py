"""The one door to a machine's lock.

Take it before reading what a decision rests on, whenever the decision and its write must be one: booking, plate,
claim, lease. Always machine before job, so that two writers never wait for each other. Nothing enters the network
while it is held. On SQLite the lock is the whole database's write lock, taken at the start of the transaction
(``transaction_mode = IMMEDIATE``): keep the transaction short.
"""

from django.db import transaction

from equipment.machines.models import Machine
from fablab.core.errors import NotFound
from fablab.core.prepared import Prepared


def lock_machine(machine_id: str) -> Machine:
    """Return the machine as it is now, locked until the transaction ends.

    Raises ``NotFound`` for an unknown one, ``RuntimeError`` outside a transaction: the lock would end at once.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("lock_machine outside a transaction")
    found = _LOCKED(machine_id)
    if not found:
        raise NotFound
    return found[0]


_LOCKED = Prepared(
    # No key changes under it, so a row that only points at the machine may be written meanwhile: nobody who holds
    # a job and names a machine waits for somebody who holds that machine and wants the job.
    lambda machine_id: (
        Machine.objects.select_for_update(of=("self",), no_key=True)
        .select_related("site", "model__kind")
        .filter(pk=machine_id)
    )
)


def lock_machines_of(site_id: str) -> list[Machine]:
    """Lock every machine of a site, in the order of their ids: what follows holds for each booking made there.

    Raises ``RuntimeError`` outside a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("lock_machines_of outside a transaction")
    return list(Machine.objects.select_for_update(no_key=True).filter(site_id=site_id).order_by("pk"))
