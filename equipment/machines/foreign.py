"""Prints that did not come through the queue: noted while they run, so that somebody can say "C'est moi"."""

from datetime import datetime

from django.db.models import QuerySet

from equipment.machines.models import ForeignPrint, Machine
from equipment.machines.states import AT_WORK, Report
from fablab.core.errors import NotFound
from fablab.live import push
from fablab.notices import services as notices
from fablab.people.models import User

BROKE_OFF = frozenset({Report.DISCONNECTED, Report.ERROR})
NOT_AN_END = frozenset({Report.SILENT, Report.NEVER, Report.UNKNOWN})


def note(machine: Machine, *, report: Report, foreign: bool, path: str, at: datetime) -> None:
    """Open a row when a foreign print is heard, close it when that is over; the caller holds the lock.

    Its end clears no plate: that was marked when the work was seen to end. Silence ends nothing, for the print may go
    on. Whoever said "C'est moi" is told of the end.
    """
    known = ForeignPrint.objects.filter(machine=machine, ended_at__isnull=True).first()
    if report in AT_WORK and foreign:
        if known is not None and path and known.path and known.path != path:
            _end(known, "unknown", at)  # another file: the one before ended while nobody heard
            known = None
        if known is None:
            ForeignPrint.objects.create(machine=machine, path=path, began_at=at)
        elif path and not known.path:
            ForeignPrint.objects.filter(pk=known.pk).update(path=path)
    elif known is not None and report not in NOT_AN_END:
        # That a machine stands still is not how it went: only the person can see that.
        _end(known, "failed" if report in BROKE_OFF else "unknown", at)


def _end(one: ForeignPrint, outcome: str, at: datetime) -> None:
    ForeignPrint.objects.filter(pk=one.pk, ended_at__isnull=True).update(ended_at=at, outcome=outcome)
    if one.person_id is not None:
        notices.tell(
            [one.person_id],
            "foreign_print_ended",
            {"machine": one.machine.name},
            key=f"foreign:{one.pk}:ended",
            at=at,
            link="/objets/",
        )
    push.changed(f"machine:{one.machine_id}")


def now_on(machine_id: str) -> ForeignPrint | None:
    """Return what runs on a machine now and did not come through the queue."""
    return (
        ForeignPrint.objects.select_related("person", "machine__site", "machine__model__kind")
        .filter(machine_id=machine_id, ended_at__isnull=True)
        .first()
    )


def of_person(person: User, *, most: int = 10) -> QuerySet[ForeignPrint]:
    """Return what a person said "C'est moi" to, newest first: for "Mes objets"."""
    found = ForeignPrint.objects.filter(person=person).select_related("machine__site", "machine__model__kind")
    return found.order_by("-began_at")[:most]


def get(foreign_id: str) -> ForeignPrint:
    """Return one. Raises ``NotFound``. For services: the caller asks who may see it."""
    found = ForeignPrint.objects.select_related("machine__site", "machine__model__kind").filter(pk=foreign_id)
    one = found.first()
    if one is None:
        raise NotFound
    return one
