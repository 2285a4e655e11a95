"""What was done to keep a machine well, how many hours it has worked, and whose turn it is.

Hours are what the machine really did: attempts from the machine's start to its end, and prints that did not come
through the queue once somebody said "C'est moi".
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import DurationField, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Greatest

from equipment.machines.live import machine_changed
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine, Maintenance
from equipment.machines.record import log, write
from equipment.sites.queries import require_role
from equipment.sites.states import STAFF_ROLES
from fablab.core.errors import Malformed, NotFound, Problem
from fablab.people.models import User

NOTE_LENGTH = 300
MOST_HOURS = 10_000
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class What(StrEnum):
    """What was done. The words are ``equipment.machines.words.MAINTENANCE``."""

    CLEANING = "cleaning"
    NOZZLE = "nozzle"
    BELT = "belt"
    NEEDLE = "needle"
    BLADE = "blade"
    OIL = "oil"
    OTHER = "other"


@dataclass(frozen=True)
class Use:
    """How long a machine has worked. ``every_hours`` is None where nobody set an interval."""

    machine_id: str
    used: timedelta
    since_maintenance: timedelta
    last_at: datetime | None
    every_hours: int | None

    @property
    def is_due(self) -> bool:
        """Whether it has worked its interval since the last line of its log."""
        return self.every_hours is not None and self.since_maintenance >= timedelta(hours=self.every_hours)


def use_of(machine_ids: Collection[str], at: datetime) -> dict[str, Use]:
    """Return the use of machines, by id, in one query. Work that is going on counts until ``at``."""
    return _measured(Machine.objects.filter(pk__in=machine_ids), at)


def maintenance_due(site_id: str, at: datetime) -> list[tuple[Machine, Use]]:
    """Return the machines of a site that ask for maintenance, with their use, the longest overdue first."""
    asking = {
        machine.pk: machine
        for machine in Machine.objects.filter(
            site_id=site_id, retired_at__isnull=True, maintenance_every_hours__isnull=False
        ).select_related("model__kind")
    }
    due = [(asking[use.machine_id], use) for use in use_of(list(asking), at).values() if use.is_due]
    return sorted(due, key=lambda pair: pair[1].since_maintenance, reverse=True)


def _measured(machines: QuerySet[Machine], at: datetime) -> dict[str, Use]:
    # A line of the log knows the hours until then, so that only what came after it is added up.
    last = Maintenance.objects.filter(machine=OuterRef("pk")).order_by("-at", "-pk")
    rows = (
        machines.annotate(
            last_at=Coalesce(Subquery(last.values("at")[:1]), Value(NEVER)),
            last_used=Coalesce(Subquery(last.values("used_seconds")[:1]), Value(0)),
        )
        .annotate(
            tried=_worked("attempts", "started_at", at),
            foreign=_worked("foreign_prints", "began_at", at, foreign_prints__adopted_at__isnull=False),
        )
        .values_list("pk", "maintenance_every_hours", "last_at", "last_used", "tried", "foreign")
    )
    found = {}
    for machine_id, every, last_at, last_used, tried, foreign in rows:
        since = tried + foreign
        known = None if last_at == NEVER else last_at
        found[machine_id] = Use(machine_id, timedelta(seconds=last_used) + since, since, known, every)
    return found


def _worked(relation: str, began: str, at: datetime, **only: Any) -> Coalesce:
    """Add up what a machine did after the last line of its log, through a relation of its table."""
    ended = f"{relation}__ended_at"
    late = Q(**{f"{ended}__gt": OuterRef("last_at")}) | Q(**{f"{ended}__isnull": True})
    # What never began has no time; PostgreSQL's GREATEST would count it from the beginning of all.
    only[f"{relation}__{began}__isnull"] = False
    spans = (
        # One filter: a second one would join the table again, and pair each row with every other.
        Machine.objects.filter(late, pk=OuterRef("pk"), **only)
        .values("pk")
        .annotate(
            worked=Sum(
                Coalesce(F(ended), Value(at)) - Greatest(F(f"{relation}__{began}"), OuterRef("last_at")),
                output_field=DurationField(),
            )
        )
    )
    return Coalesce(Subquery(spans.values("worked")), Value(timedelta()), output_field=DurationField())


def log_of(machine: Machine, *, limit: int = 50) -> list[Maintenance]:
    """Return the newest lines of a machine's maintenance log. For those on duty: the caller asks who may see it."""
    return list(machine.maintenance.select_related("by")[:limit])


def note_maintenance(machine_id: str, *, what: str, note: str = "", actor: User, at: datetime) -> Maintenance:
    """Write a line into the log: what was done, now, by this person.

    Raises ``NotFound``, ``NotAllowed`` (staff only), ``Malformed``: ``maintenance_what_unknown``, ``note_too_long``.
    """
    with transaction.atomic():
        machine = _for_staff(machine_id, actor)
        problems = []
        if what not in set(What):
            problems.append(Problem("maintenance_what_unknown", field="what"))
        if len(note.strip()) > NOTE_LENGTH:
            problems.append(Problem("note_too_long", field="note"))
        if problems:
            raise Malformed(*problems)
        used = use_of([machine.pk], at)[machine.pk].used
        line = Maintenance.objects.create(
            machine=machine,
            what=what,
            note=note.strip(),
            used_seconds=max(0, round(used.total_seconds())),
            by=actor,
            at=at,
        )
        log(machine, "maintained", actor, at, {"what": what})
        write(machine)  # those who watch look again
    machine_changed(machine)
    return line


def set_interval(machine_id: str, *, every_hours: int | None, actor: User, at: datetime) -> Machine:
    """Say after how many hours of work the machine asks for maintenance; None: never.

    Raises ``NotFound``, ``NotAllowed`` (staff only), ``Malformed``: ``interval_out_of_range``.
    """
    if every_hours is not None and not 1 <= every_hours <= MOST_HOURS:
        raise Malformed(Problem("interval_out_of_range", {"most": MOST_HOURS}, "every_hours"))
    with transaction.atomic():
        machine = _for_staff(machine_id, actor)
        write(machine, maintenance_every_hours=every_hours)
        log(machine, "interval_set", actor, at, {"hours": every_hours})
    machine_changed(machine)
    return machine


def _for_staff(machine_id: str, actor: User) -> Machine:
    machine = lock_machine(machine_id)
    if machine.retired_at is not None:
        raise NotFound
    require_role(actor, machine.site_id, STAFF_ROLES)
    return machine
