"""Bookings from a spreadsheet: all of the table or nothing, under the rules of booking one by one (REL-23).

The same table again makes nothing twice: what stands there already is reported. Everything that is wrong is said at
once, each with its lines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from equipment.bookings import giving_way, guard, services
from equipment.bookings.conflicts import KEPT
from equipment.bookings.judging import Judged, Known, Wanted
from equipment.bookings.locks import lock_person
from equipment.bookings.models import Booking
from equipment.bookings.services import log_of, reasons_of
from equipment.bookings.sheet import Findings, Row, read
from equipment.bookings.states import HOLDING, BookingState
from equipment.machines.live import machine_changed
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine
from equipment.machines.queries import in_use
from equipment.sites.models import Site
from equipment.sites.queries import people_at, require_role
from equipment.sites.states import STAFF_ROLES, Role
from fablab.core.errors import Malformed, NotFound, Problem, Refused
from fablab.live import push
from fablab.people.models import User
from fablab.people.states import Level


@dataclass(frozen=True)
class Imported:
    """What was made, and how many rows stood there already."""

    made: tuple[Booking, ...]
    already: int


@dataclass(frozen=True)
class _Line:
    row: Row
    machine: Machine
    person: User

    @property
    def key(self) -> tuple[str, str, datetime, datetime]:
        return self.machine.pk, self.person.pk, self.row.start, self.row.end


@dataclass(frozen=True)
class _Asked:
    site: Site
    actor: User
    roles: frozenset[Role]
    reasons: Mapping[str, str]
    at: datetime


def import_bookings(
    content: bytes,
    *,
    site_id: str,
    actor: User,
    at: datetime,
    overrides: Sequence[Mapping[str, str]] = (),
) -> Imported:
    """Make the bookings of a table (``sheet``) at one place. For its staff; ``overrides`` as in ``book``.

    Raises ``NotFound``, ``NotAllowed``, and ``Malformed`` or ``Refused`` with every problem of every row, each with
    its ``lines``; then nothing was written.
    """
    site = Site.objects.filter(pk=site_id).first()
    if site is None:
        raise NotFound
    asked = _Asked(site, actor, require_role(actor, site_id, STAFF_ROLES), reasons_of(overrides), at)
    findings = Findings()
    lines = _understood(read(content, site.time_zone, findings), site, findings)
    misread = bool(findings)
    giving_way.write_down([line.machine for line in lines], at=at)
    new, already = _new(lines)
    _judge(asked, new, findings)
    if findings:
        raise (Malformed if misread else Refused)(*findings.problems())
    services.failpoint("judged")
    made = _write(asked, lines) if new else []
    for machine in {line.machine.pk: line.machine for line in new}.values():
        machine_changed(machine)
    push.changed(*{f"me:{booking.person_id}" for booking in made})
    return Imported(tuple(made), already)


def _understood(rows: Sequence[Row], site: Site, findings: Findings) -> list[_Line]:
    """Return the rows whose machine and person are of this place."""
    machines: dict[str, list[Machine]] = {}
    for machine in in_use().filter(site=site):
        for word in {machine.pk, machine.name}:
            machines.setdefault(word, []).append(machine)
    named = {row.person for row in rows}
    people = {one.username: one for one in people_at(site.pk).filter(username__in=named)}
    found: list[_Line] = []
    seen: set[Any] = set()
    for row in rows:
        known, person = machines.get(row.machine, []), people.get(row.person)
        if not known:
            findings.add(Problem("import_machine_unknown"), row.line, row.machine[:30])
        if len(known) > 1:
            findings.add(Problem("import_machine_twice"), row.line, row.machine[:30])
        if person is None:
            findings.add(Problem("import_person_unknown"), row.line, row.person[:30])
        elif person.level == Level.TICKET:
            findings.add(Problem("import_person_ticket"), row.line, row.person[:30])
        if len(known) != 1 or person is None or person.level == Level.TICKET:
            continue
        line = _Line(row, known[0], person)
        if line.key in seen:
            findings.add(Problem("import_twice"), row.line)
        else:
            seen.add(line.key)
            found.append(line)
    return found


def _new(lines: Sequence[_Line]) -> tuple[list[_Line], int]:
    """Return what does not stand there yet, and how much does."""
    if not lines:
        return [], 0
    given_back = Q(state=BookingState.HELD, ended_at__isnull=False)
    rows = Booking.objects.filter(
        machine__in={line.machine.pk for line in lines},
        start__gte=min(line.row.start for line in lines),
        start__lte=max(line.row.start for line in lines),
        state__in=[*HOLDING, BookingState.DONE],
    ).exclude(given_back)
    there = set(rows.values_list("machine_id", "person_id", "start", "end"))
    new = [line for line in lines if line.key not in there]
    return new, len(lines) - len(new)


def _judge(asked: _Asked, lines: Sequence[_Line], findings: Findings) -> list[tuple[_Line, Judged]]:
    """Run all rules on all rows, as if they were booked one after the other."""
    wanted = [
        Wanted(line.machine, line.person, line.row.start, line.row.end, line.row.title) for line in lines
    ]
    known = Known(
        asked.site, wanted, actor=asked.actor, roles=asked.roles, at=asked.at, overrides=asked.reasons
    )
    found = []
    for line, wish in zip(lines, wanted, strict=True):
        judged = known.judge(wish)
        for problem in judged.judgement.problems:
            among = problem.code == KEPT and not judged.in_the_way
            findings.add(Problem("import_overlaps") if among else problem, line.row.line)
        if not judged.judgement.problems:
            known.accept(judged)
            found.append((line, judged))
    return found


def _write(asked: _Asked, lines: Sequence[_Line]) -> list[Booking]:
    findings = Findings()
    try:
        with transaction.atomic():
            locked = {pk: lock_machine(pk) for pk in sorted({line.machine.pk for line in lines})}
            if any(machine.retired_at is not None for machine in locked.values()):
                raise Malformed(Problem("import_machine_unknown", {"what": "…", "lines": []}, "file"))
            people = {line.person.pk: line.person for line in lines if not line.row.title}
            for person_id in sorted(people):
                lock_person(people[person_id])
            fresh = [_Line(line.row, locked[line.machine.pk], line.person) for line in lines]
            new, _already = _new(fresh)
            judged = _judge(asked, new, findings)
            if not findings:
                services.failpoint("before_insert")
                rows = [_booking(asked, line, one) for line, one in judged]
                return Booking.objects.bulk_create(rows, batch_size=100)
    except IntegrityError as error:
        if guard.NAME not in str(error):
            raise
        raise Refused(Problem("slot_taken", {"lines": [], "what": ""}, "file")) from error
    raise Refused(*findings.problems())


def _booking(asked: _Asked, line: _Line, judged: Judged) -> Booking:
    return Booking(
        machine=line.machine,
        person=line.person,
        start=line.row.start,
        end=line.row.end,
        held_start=line.row.start,
        held_end=judged.judgement.held_end,
        # An entry made afterwards holds no machine and is never dispatched.
        state=BookingState.DONE if line.row.end <= asked.at else BookingState.CONFIRMED,
        title=line.row.title,
        overrides=log_of(judged.judgement, asked.reasons, asked.actor, asked.at),
        created_by=asked.actor,
        created_at=asked.at,
    )
