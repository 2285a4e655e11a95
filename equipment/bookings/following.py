"""Changing or ending all dates of a series from one day on. One single date is an ordinary booking: ``services``.

What has begun or is over stays as it was. Where earlier dates stay, the series is split: each of the two says what its
own dates follow.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from equipment.bookings import giving_way, services
from equipment.bookings.conflicts import MISSING, Fate, choices_of, fate
from equipment.bookings.judging import Wanted
from equipment.bookings.live import booking_changed
from equipment.bookings.models import Booking, Series
from equipment.bookings.offering import time_was_freed
from equipment.bookings.series import (
    Done,
    Line,
    Plan,
    after_write,
    insert,
    know,
    line_of,
    refuse,
    stands,
    tell_all,
    write,
)
from equipment.bookings.series_queries import following, series_for
from equipment.bookings.series_wish import Asked, chosen_machines, may_give
from equipment.bookings.services import log_of, reasons_of
from equipment.bookings.states import BookingState
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine
from fablab.core.clock import local_day
from fablab.core.errors import Conflict, Malformed, Problem, Refused, collecting
from fablab.core.recurring import Occurrence, Weekly, occurrences
from fablab.notices import services as notices
from fablab.people.models import User

CHANGED, ENDED = "series_changed", "series_ended"
MOVED = ("machine", "start", "end", "held_start", "held_end", "state", "overrides", "version", "changed_at")


@dataclass(frozen=True)
class Change:
    """What is new from ``from_day`` on, a local day; None or nothing leaves it as it is.

    ``starts`` and ``ends`` as in ``Weekly``, ``days_later`` from -6 to 6; the rest as in ``series.Wish``.
    """

    from_day: date | None = None
    starts: int | None = None
    ends: int | None = None
    days_later: int = 0
    machine_ids: Sequence[str] = ()
    choices: Sequence[tuple[str, str]] = ()
    overrides: Sequence[Mapping[str, str]] = ()
    may_cancel: Collection[str] | None = None


def plan_change(series_id: str, change: Change, *, actor: User, at: datetime) -> Plan:
    """Return what would become of each date; nothing is written. Raises as ``change_following``."""
    return _shift(*_understood(series_id, change, actor, at)).plan


def change_following(series_id: str, change: Change, *, actor: User, at: datetime) -> Done:
    """Move all dates that have not begun together, to other hours, another day or other machines.

    A date that is left out (``skip``) keeps its old time. Raises ``NotFound``, ``NotAllowed``, ``Malformed``,
    ``Refused`` as ``make_series``, ``series_over`` when nothing is to come.
    """
    asked, series, change, targets = _understood(series_id, change, actor, at)
    giving_way.write_down(asked.machines, at=at)
    shift = _shift(asked, series, change, targets)
    refuse(shift.plan, at)
    services.failpoint("judged")

    def work(locked: Asked) -> Done | Plan:
        by_id = {machine.pk: machine for machine in locked.machines}
        new = _shift(locked, series, change, tuple(by_id[machine.pk] for machine in targets))
        if {one.machine_id for one in new.all} - set(by_id):
            raise Conflict("series_changed_meanwhile")
        return _write(locked, series, new) if stands(new.plan) else new.plan

    done = write(asked, work)
    tell_all(done, at)
    return done


def end_following(
    series_id: str, *, from_day: date | None = None, actor: User, at: datetime
) -> list[Booking]:
    """Cancel all dates from a local day on that have not begun; return them.

    Raises ``NotFound``, ``NotAllowed``, ``Refused``: ``series_over``.
    """
    series = series_for(actor, series_id)
    may_give(actor, series.site_id)
    known = {one.machine_id for one in _from(series, from_day, at)}
    with transaction.atomic():
        machines = [lock_machine(machine_id) for machine_id in sorted(known)]
        gone = [one for one in _from(series, from_day, at) if one.machine_id in known]
        if not gone:
            raise Refused("series_over")
        giving_way.cancel_for(gone, machines, at=at)
        last = local_day(gone[0].start, series.site.time_zone) - timedelta(days=1)
        Series.objects.filter(pk=series.pk).update(last_day=last)
        _tell(series, gone[0], ENDED, actor, at)
        for machine in machines:
            time_was_freed(machine.pk, at=at)
    for booking in gone:
        booking_changed(booking)
    return gone


# --- what is meant ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Shift:
    """``plan`` holds what moves, what is new, and what leaves; ``all`` is what follows, on the way to ``targets``."""

    plan: Plan
    all: tuple[Booking, ...]
    targets: tuple[Machine, ...]


def _understood(
    series_id: str, change: Change, actor: User, at: datetime
) -> tuple[Asked, Series, Change, tuple[Machine, ...]]:
    series = series_for(actor, series_id)
    roles = may_give(actor, series.site_id)
    problems: list[Problem] = []
    now = {one.machine_id: one.machine for one in _from(series, change.from_day, at)}
    targets = tuple(now.values())
    if change.machine_ids:
        targets = chosen_machines(change.machine_ids, actor, problems)
        if any(machine.site_id != series.site_id for machine in targets):
            problems.append(Problem("series_one_place", field="machines"))
    if not -6 <= change.days_later <= 6:
        problems.append(Problem("series_day_out_of_range", field="days_later"))
    rule = _rule(series, change, at)
    with collecting(problems):
        occurrences(rule, series.site.time_zone, within=(rule.first, rule.first))
    asked = Asked(
        actor=actor,
        roles=roles,
        person=series.person,
        machines=tuple({machine.pk: machine for machine in (*targets, *now.values())}.values()),
        dates=(),
        rule=rule,
        title=series.title,
        choices={},
        reasons={},
        may_cancel=change.may_cancel,
        at=at,
    )
    with collecting(problems):
        asked = asked.with_choices(choices_of(change.choices))
    with collecting(problems):
        asked = asked.with_reasons(reasons_of(change.overrides))
    if problems:
        raise Malformed(*problems)
    if not now:
        raise Refused("series_over")
    return asked, series, change, targets


def _rule(series: Series, change: Change, at: datetime) -> Weekly:
    """Return what the series says from then on."""
    first = max(change.from_day or local_day(at, series.site.time_zone), series.first_day)
    later = timedelta(days=change.days_later)
    return Weekly(
        weekdays=frozenset((weekday + change.days_later) % 7 for weekday in series.weekdays),
        starts=series.starts if change.starts is None else change.starts,
        ends=series.ends if change.ends is None else change.ends,
        first=first,
        last=max(series.last_day + later, first),
        every=series.every,
    )


def _from(series: Series, day: date | None, at: datetime) -> list[Booking]:
    zone = series.site.time_zone
    return [one for one in following(series, at) if day is None or local_day(one.start, zone) >= day]


# --- what would become of it --------------------------------------------------------------------------------------


def _shift(asked: Asked, series: Series, change: Change, targets: Sequence[Machine]) -> _Shift:
    bookings = _from(series, change.from_day, asked.at)
    zone = series.site.time_zone
    instead = _instead(bookings, targets)
    staying = [one for one in bookings if one.machine_id in instead]
    wanted: list[tuple[date, Machine, Wanted | None, Booking | None]] = []
    still: list[Booking] = []
    for booking in staying:
        machine = instead[booking.machine_id]
        there = _on(booking, asked.rule, change, zone)
        if there.start == booking.start and there.end == booking.end and machine.pk == booking.machine_id:
            still.append(booking)
        else:
            wanted.append((there.day, machine, _wanted(asked, series, machine, there), booking))
    there_already = {machine.pk for machine in instead.values()}
    days = {local_day(one.start, zone): one for one in bookings}
    for machine in targets:
        if machine.pk in there_already:
            continue
        for _day, booking in sorted(days.items()):
            there = _on(booking, asked.rule, change, zone)
            wanted.append((there.day, machine, _wanted(asked, series, machine, there), None))
    wanted.sort(key=lambda one: (one[0], one[1].name))
    lines = _settled(asked, wanted, still)
    leaving = tuple(one for one in bookings if one not in staying)
    plan = Plan(asked.site, asked.machines, asked.person, tuple(lines), leaving)
    return _Shift(plan, tuple(bookings), tuple(targets))


def _instead(bookings: Sequence[Booking], targets: Sequence[Machine]) -> dict[str, Machine]:
    """Return where each machine's dates go: those that stay, stay; the others go to the new ones in turn."""
    now = {one.machine_id: one.machine for one in bookings}
    found = {machine.pk: machine for machine in targets if machine.pk in now}
    going = [machine_id for machine_id in now if machine_id not in found]
    coming = [machine for machine in targets if machine.pk not in now]
    return {**found, **dict(zip(going, coming, strict=False))}


def _on(booking: Booking, rule: Weekly, change: Change, zone: str) -> Occurrence:
    """Return the new time of one date: on its own day, also where it was moved there by hand."""
    day = local_day(booking.start, zone) + timedelta(days=change.days_later)
    once = Weekly(frozenset({day.weekday()}), rule.starts, rule.ends, day, day)
    return occurrences(once, zone)[0]


def _wanted(asked: Asked, series: Series, machine: Machine, there: Occurrence) -> Wanted | None:
    if there.start is None or there.end is None:
        return None
    return Wanted(machine, asked.person, there.start, there.end, series.title)


def _settled(
    asked: Asked,
    wanted: Sequence[tuple[date, Machine, Wanted | None, Booking | None]],
    still: Sequence[Booking],
) -> list[Line]:
    """Decide until nothing changes: a date that is left out keeps its old time, which another one may have wanted."""
    moving = {booking.pk: booking for *_rest, booking in wanted if booking is not None}
    kept = list(still)
    while True:
        known = know(
            asked,
            [one for _day, _machine, one, _booking in wanted if one is not None],
            leave_out=[*moving, *(one.pk for one in still)],
        )
        for booking in kept:
            known.keep(booking.machine_id, booking.held_start, booking.held_end)
        lines = [
            line_of(known, asked, day, machine, one, booking)
            if one is not None
            else Line(
                day, machine, None, None, (Problem(MISSING),), fate([MISSING], asked.choices), None, booking
            )
            for day, machine, one, booking in wanted
        ]
        left = [line.moving for line in lines if line.fate is Fate.SKIP and line.moving is not None]
        if all(booking in kept for booking in left):
            return lines
        kept += [booking for booking in left if booking not in kept]


# --- writing ------------------------------------------------------------------------------------------------------


def _write(asked: Asked, series: Series, shift: _Shift) -> Done:
    services.failpoint("before_insert")
    plan, at = shift.plan, asked.at
    moved = [line for line in plan.made if line.moving is not None]
    new = [line for line in plan.made if line.moving is None]
    ids = [line.moving.pk for line in moved if line.moving is not None]
    # Out of each other's way first: one may go to where another one stood.
    Booking.objects.filter(pk__in=ids).update(state=BookingState.CANCELLED)
    told = giving_way.cancel_for(plan.making_way, asked.machines, at=at)
    giving_way.cancel_for(plan.leaving, asked.machines, at=at)
    series = _split(asked, series, shift)
    rows = [_moved(asked, line) for line in moved]
    for row in rows:  # one by one, so that no statement grows with the series
        Booking.objects.filter(pk=row.pk).update(**{name: getattr(row, name) for name in MOVED})
    Booking.objects.filter(pk__in=[one.pk for one in shift.all]).update(series=series)
    made = insert(asked, new, series)
    if rows:
        _tell(series, rows[0], CHANGED, asked.actor, at)
    after_write(asked.machines, [*plan.making_way, *shift.all], told, at=at)
    return Done(series, plan, (*rows, *made), tuple(told))


def _moved(asked: Asked, line: Line) -> Booking:
    assert line.judged is not None and line.moving is not None  # it moves, so it has a time
    booking, judged = line.moving, line.judged
    booking.machine = line.machine
    booking.start, booking.end = judged.wanted.start, judged.wanted.end
    booking.held_start, booking.held_end = judged.wanted.start, judged.judgement.held_end
    booking.state = BookingState.CONFIRMED
    log = log_of(judged.judgement, asked.reasons, asked.actor, asked.at)
    booking.overrides = [*booking.overrides, *log]
    booking.version += 1  # what ``newer`` does; the machine is locked
    booking.changed_at = asked.at
    return booking


def _split(asked: Asked, series: Series, shift: _Shift) -> Series:
    """Have the row say what follows; what was before keeps a row of its own."""
    zone = series.site.time_zone
    first = min(one.start for one in shift.all)
    day, rule = local_day(first, zone), asked.rule
    fields = {
        "weekdays": sorted(rule.weekdays),
        "starts": rule.starts,
        "ends": rule.ends,
        "first_day": max(rule.first, day),
        "last_day": max(rule.last, day),
        "every": series.every,
    }
    if not series.bookings.filter(start__lt=first).exists():
        Series.objects.filter(pk=series.pk).update(**fields)
        series.refresh_from_db()
    else:
        Series.objects.filter(pk=series.pk).update(last_day=day - timedelta(days=1))
        series = Series.objects.create(
            site=series.site,
            person=series.person,
            title=series.title,
            created_by=asked.actor,
            created_at=asked.at,
            **fields,
        )
    series.machines.set(shift.targets)
    return series


def _tell(series: Series, booking: Booking, code: str, actor: User, at: datetime) -> None:
    """Tell whose series it is, unless they did it themself."""
    if series.person_id == actor.pk:
        return
    notices.tell(
        [series.person_id],
        code,
        {
            "machine": booking.machine.name,
            "when": booking.start.isoformat(),
            "zone": booking.machine.site.time_zone,
        },
        key=f"{code}:{series.pk}:{at.isoformat()}",
        link="/reservations/",
        at=at,
    )
