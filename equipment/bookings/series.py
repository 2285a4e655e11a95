"""Times that come back each week, for somebody or for a group, on one machine or several: looked at, then made.

What the rules say of every date on every machine is known before anything is written (``plan_series``); what is to
happen with each kind of conflict is said with the wish. ``make_series`` asks all of it again under the machines' locks
and writes everything or nothing.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction

from equipment.bookings import giving_way, guard, services
from equipment.bookings.conflicts import MISSING, Fate, fate
from equipment.bookings.finding import alternatives
from equipment.bookings.judging import Judged, Known, Wanted
from equipment.bookings.locks import lock_person
from equipment.bookings.models import Booking, Series
from equipment.bookings.offering import time_was_freed
from equipment.bookings.series_wish import Asked, Wish, understood
from equipment.bookings.services import OF_TIME, log_of
from equipment.bookings.states import BookingState
from equipment.machines.live import machine_changed
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine
from equipment.sites.models import Site
from fablab.core.errors import Malformed, Problem, Refused
from fablab.live import push
from fablab.people.models import User


@dataclass(frozen=True)
class Line:
    """One date on one machine. ``start`` is None where the clocks jump over all of it."""

    day: date
    machine: Machine
    start: datetime | None
    end: datetime | None
    problems: tuple[Problem, ...]
    fate: Fate
    judged: Judged | None = None
    moving: Booking | None = None

    @property
    def in_the_way(self) -> tuple[Booking, ...]:
        return self.judged.in_the_way if self.judged else ()

    def as_json(self) -> dict[str, Any]:
        """Return what programs read of it: times in UTC, codes without sentences."""
        return {
            "day": self.day.isoformat(),
            "machine": self.machine.pk,
            "start": _stamp(self.start),
            "end": _stamp(self.end),
            "fate": self.fate.value,
            "codes": [problem.code for problem in self.problems],
            "in_the_way": [booking.pk for booking in self.in_the_way],
        }


@dataclass(frozen=True)
class Plan:
    """What would become of every date on every machine, in order of time."""

    site: Site
    machines: tuple[Machine, ...]
    person: User
    lines: tuple[Line, ...]
    leaving: tuple[Booking, ...] = ()  # of the series itself: dates on a machine that it gives up

    def with_fate(self, *fates: Fate) -> list[Line]:
        return [line for line in self.lines if line.fate in fates]

    @property
    def made(self) -> list[Line]:
        return self.with_fate(Fate.MAKE, Fate.MAKE_ROOM)

    @property
    def making_way(self) -> list[Booking]:
        found = {one.pk: one for line in self.with_fate(Fate.MAKE_ROOM) for one in line.in_the_way}
        return list(found.values())


@dataclass(frozen=True)
class Done:
    """What was written: ``plan`` says of each date what became of it."""

    series: Series
    plan: Plan
    bookings: tuple[Booking, ...]
    cancelled: tuple[Booking, ...]


def plan_series(wish: Wish, *, actor: User, at: datetime) -> Plan:
    """Return what would become of each date; nothing is written and nothing is locked.

    Raises ``NotAllowed`` (members), ``Malformed`` with everything that cannot be meant at once.
    """
    return _plan(understood(wish, actor, at))


def make_series(wish: Wish, *, actor: User, at: datetime) -> Done:
    """Make the bookings of a series, all of them that ``choices`` do not leave out, or none.

    Raises as ``plan_series``, and ``Refused`` with every rule that nobody chose anything for,
    ``extra["occurrences"]`` (``Line.as_json``) and ``extra["alternatives"]`` to the first of them;
    ``series_nothing_left`` when all is left out.
    """
    asked = understood(wish, actor, at)
    giving_way.write_down(asked.machines, at=at)
    refuse(_plan(asked), at)
    services.failpoint("judged")
    done = write(asked, lambda locked: _make(locked, _plan(locked)))
    tell_all(done, at)
    return done


# --- what would become of it --------------------------------------------------------------------------------------


def _plan(asked: Asked) -> Plan:
    wanted = [
        (date_, machine, Wanted(machine, asked.person, date_.start, date_.end, asked.title))
        if date_.start is not None and date_.end is not None
        else (date_, machine, None)
        for date_ in asked.dates
        for machine in asked.machines
    ]
    known = know(asked, [one for _date, _machine, one in wanted if one is not None])
    lines = [
        line_of(known, asked, date_.day, machine, one)
        if one is not None
        else Line(date_.day, machine, None, None, (Problem(MISSING),), fate([MISSING], asked.choices))
        for date_, machine, one in wanted
    ]
    return Plan(asked.site, asked.machines, asked.person, tuple(lines))


def know(asked: Asked, wanted: Sequence[Wanted], *, leave_out: Collection[str] = ()) -> Known:
    """Read all that the rules ask for these times."""
    return Known(
        asked.site,
        wanted,
        actor=asked.actor,
        roles=asked.roles,
        at=asked.at,
        overrides=asked.reasons,
        leave_out=leave_out,
        given=True,
    )


def line_of(
    known: Known,
    asked: Asked,
    day: date,
    machine: Machine,
    wanted: Wanted,
    moving: Booking | None = None,
) -> Line:
    """Judge one time and decide what becomes of it; what is made stands in the way of what comes after it."""
    judged = known.judge(wanted)
    in_the_way = [booking.pk for booking in judged.in_the_way]
    becomes = fate(judged.codes, asked.choices, in_the_way, asked.may_cancel)
    if becomes in {Fate.MAKE, Fate.MAKE_ROOM}:
        known.accept(judged)
    return Line(day, machine, wanted.start, wanted.end, judged.judgement.problems, becomes, judged, moving)


def refuse(plan: Plan, at: datetime) -> None:
    """Raise what nobody chose anything for, each rule once, with every date."""
    if stands(plan):
        return
    refused = plan.with_fate(Fate.REFUSE)
    if not refused:
        raise Refused("series_nothing_left")
    problems = {problem.code: problem for line in refused for problem in line.problems}
    instead: list[dict[str, str]] = []
    first = next((line for line in refused if OF_TIME & {one.code for one in line.problems}), None)
    if first is not None and first.start is not None and first.end is not None:
        offers = alternatives(
            first.machine,
            person=plan.person,
            start=first.start,
            end=first.end,
            at=at,
            for_workshop=first.judged is not None and bool(first.judged.wanted.title),
        )
        instead = [offer.as_json() for offer in offers]
    raise Refused(
        *problems.values(),
        extra={"alternatives": instead, "occurrences": [line.as_json() for line in plan.lines]},
    )


# --- writing ------------------------------------------------------------------------------------------------------


def write(asked: Asked, work: Callable[[Asked], Done | Plan]) -> Done:
    """Run ``work`` with the machines locked, in the order of their ids, then the person: all of it or nothing.

    What ``work`` returns as a ``Plan`` it has not written, because something speaks against it.
    """
    try:
        with transaction.atomic():
            locked = {machine.pk: lock_machine(machine.pk) for machine in sorted(asked.machines, key=_id)}
            if any(machine.retired_at is not None for machine in locked.values()):
                raise Malformed(Problem("unknown_machine", field="machines"))
            if not asked.title:
                lock_person(asked.person)
            machines = tuple(locked[machine.pk] for machine in asked.machines)
            done = work(replace(asked, machines=machines))
            if isinstance(done, Done):
                return done
            refused = done
    except IntegrityError as error:
        if guard.NAME not in str(error):
            raise
        raise Refused("slot_taken", extra={"alternatives": [], "occurrences": []}) from error
    refuse(refused, asked.at)
    raise AssertionError("a plan that nothing speaks against was not written")


def _id(machine: Machine) -> str:
    return machine.pk


def stands(plan: Plan) -> bool:
    """Say whether it can be written as it is."""
    return bool(plan.made or plan.leaving) and not plan.with_fate(Fate.REFUSE)


def _make(asked: Asked, plan: Plan) -> Done | Plan:
    if not stands(plan):
        return plan
    services.failpoint("before_insert")
    rule = asked.rule
    series = Series.objects.create(
        site=asked.site,
        person=asked.person,
        title=asked.title,
        weekdays=sorted(rule.weekdays),
        starts=rule.starts,
        ends=rule.ends,
        first_day=rule.first,
        last_day=rule.last,
        every=rule.every,
        created_by=asked.actor,
        created_at=asked.at,
    )
    series.machines.set(asked.machines)
    told = giving_way.cancel_for(plan.making_way, asked.machines, at=asked.at)
    bookings = insert(asked, plan.made, series)
    after_write(asked.machines, plan.making_way, told, at=asked.at)
    return Done(series, plan, tuple(bookings), tuple(told))


def insert(asked: Asked, lines: Iterable[Line], series: Series) -> list[Booking]:
    """Write the bookings of these lines."""
    rows = []
    for line in lines:
        assert line.judged is not None  # it is made, so it has a time
        wanted, judgement = line.judged.wanted, line.judged.judgement
        rows.append(
            Booking(
                machine=line.machine,
                person=asked.person,
                start=wanted.start,
                end=wanted.end,
                held_start=wanted.start,
                held_end=judgement.held_end,
                # An entry made afterwards holds no machine and is never dispatched.
                state=BookingState.DONE if wanted.end <= asked.at else BookingState.CONFIRMED,
                title=asked.title,
                series=series,
                overrides=log_of(judgement, asked.reasons, asked.actor, asked.at),
                created_by=asked.actor,
                created_at=asked.at,
            )
        )
    return Booking.objects.bulk_create(rows, batch_size=100)


def after_write(
    machines: Iterable[Machine], freed: Iterable[Booking], told: Sequence[Booking], *, at: datetime
) -> None:
    """Tell whose time made way, and offer what is left of it to those who wait. In the same transaction."""
    giving_way.tell(told, at=at)
    for machine_id in sorted({booking.machine_id for booking in freed}):
        time_was_freed(machine_id, at=at)


def tell_all(done: Done, at: datetime) -> None:
    """Have the pages look again that show these machines, or this person's times."""
    for machine in done.plan.machines:
        machine_changed(machine)
    push.changed(f"me:{done.plan.person.pk}")


def _stamp(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at is not None else None
