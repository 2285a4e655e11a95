"""What supervision keeps of machines: what they said, and which supervisor owns them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from equipment.machines.foreign import note as note_foreign
from equipment.machines.live import machine_changed
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine
from equipment.machines.plate import mark_plate, other_filling, void_plate_token
from equipment.machines.record import log, write
from equipment.machines.states import AT_WORK, Report
from fablab.core.errors import NotFound

SEEN_EVERY = timedelta(seconds=30)  # how often a sign of life is written when nothing changed
# Signs of life are written that often; a look is due every 15 s, and another process takes over within 30 s.
UNWATCHED_AFTER = timedelta(seconds=90)
NOT_HEARD = frozenset({Report.SILENT, Report.NEVER})
LOST = NOT_HEARD | {Report.DISCONNECTED, Report.ERROR, Report.UNKNOWN}  # nobody knows what happens there


def hear(
    machine_id: str,
    *,
    report: str,
    path: str = "",
    foreign: bool = False,
    error: str = "",
    at: datetime,
    lease_number: int | None = None,
) -> bool:
    """Keep what a machine said of itself, or its silence; return whether that changed.

    The same again is not written, but for a sign of life every 30 seconds. The plate gate follows in the same
    transaction: work seen to begin or end means something on the plate, lost contact ends the right to start. So does
    a time in which nobody watched, whatever is said after it: while this program was off, somebody may have printed.
    A page that was opened before such a time shows another filling of the plate, whether there was a right or none.
    ``lease_number``: of who writes; what a process heard before it lost the machine is not written.
    """
    said = {
        "report": Report(str(report)),
        "report_path": path.replace("\0", "")[:255],
        "report_foreign": foreign,
        "report_error": error.replace("\0", "")[:300],
    }
    known = Machine.objects.filter(pk=machine_id).first()
    if known is None:
        raise NotFound
    if lease_number not in (None, known.lease_number):
        return False
    unwatched = said["report"] not in NOT_HEARD and _was_unwatched(known, at)
    if not unwatched and all(getattr(known, name) == value for name, value in said.items()):
        if said["report"] not in NOT_HEARD and (
            known.seen_at is None or abs(at - known.seen_at) >= SEEN_EVERY
        ):
            Machine.objects.filter(pk=machine_id).update(seen_at=at)
        return False
    with transaction.atomic():
        machine = lock_machine(machine_id)
        if lease_number not in (None, machine.lease_number):
            return False
        unwatched = said["report"] not in NOT_HEARD and _was_unwatched(machine, at)
        before, now = Report(machine.report), Report(str(report))
        changes, was_lost = now is not before, before in LOST
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
        if unwatched or (changes and was_lost and _lasted(machine, at)):
            void_plate_token(machine, at=at, why="unwatched")
        elif changes and was_lost and now in LOST:
            # What happened between two words that say nothing, nobody knows: only who cleared it just now was there.
            if _cleared_lately(machine, at):
                other_filling(machine)
            else:
                void_plate_token(machine, at=at, why="unwatched")
        elif now in LOST and not was_lost:
            void_plate_token(machine, at=at, why="contact_lost")
        note_foreign(machine, report=now, foreign=foreign, path=str(said["report_path"]), at=at)
    machine_changed(machine)
    return True


def _was_unwatched(machine: Machine, at: datetime) -> bool:
    """Say whether nobody heard the machine for too long, since its last sign of life or since somebody cleared it.

    A sign from ahead of the clock was written before that was put back: nobody knows how long ago.
    """
    signs = [sign for sign in (machine.seen_at, machine.plate_cleared_at) if sign is not None]
    return not any(abs(at - sign) <= UNWATCHED_AFTER for sign in signs)


def _cleared_lately(machine: Machine, at: datetime) -> bool:
    cleared = machine.plate_cleared_at
    return cleared is not None and abs(at - cleared) <= UNWATCHED_AFTER


def _lasted(machine: Machine, at: datetime) -> bool:
    """Say whether a lost report has stood for too long, and nobody has been there to clear the plate meanwhile."""
    signs = [sign for sign in (machine.report_since, machine.plate_cleared_at) if sign is not None]
    return not any(abs(at - sign) <= UNWATCHED_AFTER for sign in signs)


@dataclass(frozen=True, slots=True)
class Lease:
    """A machine's lease as it is written. ``until`` changes with every renewal: who watches it sees a sign of life."""

    owner: str
    number: int
    until: datetime | None

    @property
    def is_free(self) -> bool:
        """Nobody has it, or it was given back."""
        return not self.owner or self.until is None


def take_lease(
    machine_id: str, *, owner: str, at: datetime, seconds: float, lapsed: Lease | None = None
) -> int | None:
    """Become or stay the one supervisor of a machine; None while another one is.

    ``owner`` names one run of one process. The number grows with each new owner: an order that carries an older
    number is not sent (REL-5).

    ``lapsed`` is another's lease that has not been renewed for its whole length *on the taker's own clock that only
    runs forward*; it is taken only if it is still exactly that one. What the clock on the wall says decides nothing: a
    lease written an hour ahead, before the clock was put back, would lock the machine out for that hour, and a clock
    put forward would give a machine a second owner while the first still sends.
    """
    machine = Machine.objects.filter(pk=machine_id, retired_at__isnull=True)
    until = at + timedelta(seconds=seconds)
    free = Q(lease_owner="") | Q(lease_until__isnull=True)
    if lapsed is not None:
        free |= Q(lease_owner=lapsed.owner, lease_number=lapsed.number, lease_until=lapsed.until)
    with transaction.atomic():
        if not machine.filter(lease_owner=owner, lease_until__isnull=False).update(
            lease_until=until
        ) and not machine.filter(free).update(
            lease_owner=owner, lease_number=F("lease_number") + 1, lease_until=until
        ):
            return None
        return machine.values_list("lease_number", flat=True).first()


def keep_leases(owner: str, machine_ids: Collection[str], *, at: datetime, seconds: float) -> dict[str, int]:
    """Prolong the leases that are still this owner's; return their numbers by machine.

    One that could not be renewed in time and that nobody took meanwhile is still its owner's: nobody else was between.
    """
    mine = Machine.objects.filter(
        pk__in=machine_ids, retired_at__isnull=True, lease_owner=owner, lease_until__isnull=False
    )
    with transaction.atomic():
        mine.update(lease_until=at + timedelta(seconds=seconds))
        return dict(mine.values_list("pk", "lease_number"))


def drop_lease(machine_id: str, *, owner: str) -> bool:
    """Give a machine up, so that another supervisor need not wait; False when it was not this owner's."""
    held = Machine.objects.filter(pk=machine_id, lease_owner=owner)
    return held.update(lease_owner="", lease_until=None) > 0
