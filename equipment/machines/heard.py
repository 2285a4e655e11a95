"""What supervision keeps of machines: what they said, and which supervisor owns them."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from equipment.machines.live import machine_changed
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine
from equipment.machines.plate import mark_plate, void_plate_token
from equipment.machines.queries import leases_held
from equipment.machines.record import log, write
from equipment.machines.states import AT_WORK, Report
from fablab.core.errors import NotFound

SEEN_EVERY = timedelta(seconds=30)  # how often a sign of life is written when nothing changed
NOT_HEARD = frozenset({Report.SILENT, Report.NEVER})
LOST = NOT_HEARD | {Report.DISCONNECTED, Report.ERROR, Report.UNKNOWN}  # nobody knows what happens there


def hear(
    machine_id: str, *, report: str, path: str = "", foreign: bool = False, error: str = "", at: datetime
) -> bool:
    """Keep what a machine said of itself, or its silence; return whether that changed.

    The same again is not written, but for a sign of life every 30 seconds. The plate gate follows in the same
    transaction: work seen to begin or end means something on the plate, lost contact ends the right to start.
    """
    said = {
        "report": Report(str(report)),
        "report_path": path.replace("\0", "")[:255],
        "report_foreign": foreign,
        "report_error": error.replace("\0", "")[:300],
    }
    known = Machine.objects.filter(pk=machine_id).values(*said, "seen_at").first()
    if known is None:
        raise NotFound
    if all(known[name] == value for name, value in said.items()):
        if said["report"] not in NOT_HEARD and (
            known["seen_at"] is None or known["seen_at"] <= at - SEEN_EVERY
        ):
            Machine.objects.filter(pk=machine_id).update(seen_at=at)
        return False
    with transaction.atomic():
        machine = lock_machine(machine_id)
        before, now = Report(machine.report), Report(str(report))
        news: dict[str, Any] = dict(said)
        if now not in NOT_HEARD:
            news["seen_at"] = at
        if now is not before:
            news["report_since"] = at
            log(
                machine,
                "report",
                None,
                at,
                {"from": before, "to": now, "error": said["report_error"]},
                "machine",
            )
        write(machine, **news)
        if (now in AT_WORK) is not (before in AT_WORK):
            mark_plate(machine, at=at, why="work_seen" if now in AT_WORK else "work_ended")
        elif now in LOST:
            void_plate_token(machine, at=at, why="contact_lost")
    machine_changed(machine)
    return True


def take_lease(machine_id: str, *, owner: str, at: datetime, seconds: float) -> int | None:
    """Become or stay the one supervisor of a machine; None while another one is.

    ``owner`` names one run of one process. The number grows with each new owner, and when a lapsed lease is taken
    again: an order that carries an older number is not sent (REL-5).
    """
    until = at + timedelta(seconds=seconds)
    mine = Machine.objects.filter(
        pk=machine_id, retired_at__isnull=True, lease_owner=owner, lease_until__gt=at
    )
    free = Machine.objects.filter(
        Q(lease_until__isnull=True) | Q(lease_until__lte=at), pk=machine_id, retired_at__isnull=True
    )
    with transaction.atomic():
        if not mine.update(lease_until=until) and not free.update(
            lease_owner=owner, lease_number=F("lease_number") + 1, lease_until=until
        ):
            return None
        return Machine.objects.values_list("lease_number", flat=True).get(pk=machine_id)


def keep_leases(owner: str, machine_ids: Collection[str], *, at: datetime, seconds: float) -> set[str]:
    """Prolong the leases that this owner still holds; return the machines whose they are. A lapsed one is lost."""
    with transaction.atomic():
        Machine.objects.filter(
            pk__in=machine_ids, retired_at__isnull=True, lease_owner=owner, lease_until__gt=at
        ).update(lease_until=at + timedelta(seconds=seconds))
        return leases_held(owner, machine_ids, at)


def drop_lease(machine_id: str, *, owner: str) -> bool:
    """Give a machine up, so that another supervisor need not wait; False when it was not this owner's."""
    held = Machine.objects.filter(pk=machine_id, lease_owner=owner)
    return held.update(lease_owner="", lease_until=None) > 0
