"""Many times judged at once, as ``facts_for`` and ``judge`` would one by one, in a fixed number of queries.

What a time asks is read once for all machines, people and days; each accepted time then stands in the way of the next
ones as if it were written already.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q

from equipment.bookings.conflicts import KEPT, TAKEN
from equipment.bookings.facts import (
    Limits,
    assembled,
    counted,
    must_be_watched,
    own_times,
    terms_of,
    times_of,
    week_of,
)
from equipment.bookings.free import MachineTimes
from equipment.bookings.models import Booking
from equipment.bookings.rules import Judgement, judge
from equipment.bookings.states import HOLDING, BookingState
from equipment.certifications.models import Certificate
from equipment.machines.models import Machine
from equipment.sites.models import PowerCut, Site
from equipment.sites.rota import supervised
from equipment.sites.states import Role
from fablab.core.clock import Span, local_day
from fablab.core.errors import Problem
from fablab.people.models import User

_A_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Wanted:
    """A time on a machine for somebody, or for a group (``title``)."""

    machine: Machine
    person: User
    start: datetime
    end: datetime
    title: str = ""


@dataclass(frozen=True)
class Judged:
    """What the rules say of it, and the bookings in its way; ``slot_kept`` when one of those makes way for nobody."""

    wanted: Wanted
    judgement: Judgement
    in_the_way: tuple[Booking, ...]

    @property
    def codes(self) -> list[str]:
        return [problem.code for problem in self.judgement.problems]


def makes_way(booking: Booking, at: datetime) -> bool:
    """Say whether a booking can be cancelled for a series: what has begun, and a promised time, never are."""
    given_back = booking.state == BookingState.HELD and booking.ended_at is not None
    return (booking.state == BookingState.CONFIRMED and booking.start > at) or given_back


@dataclass(frozen=True, order=True)
class _Held:
    """A machine's held time; ``booking`` is None for one that is only accepted yet."""

    start: datetime
    end: datetime
    booking: Any = None


class Known:
    """All that was read of one place for these times, and what was accepted since.

    ``leave_out``: bookings that move, and are not in their own way. ``given``: a series that the place gives, for
    which neither the horizon nor the number of open bookings counts.
    """

    def __init__(
        self,
        site: Site,
        wanted: Sequence[Wanted],
        *,
        actor: User,
        roles: Collection[Role],
        at: datetime,
        overrides: Collection[str] = (),
        leave_out: Collection[str] = (),
        given: bool = False,
    ) -> None:
        self.site, self.at, self.actor, self.roles, self.overrides = site, at, actor, roles, overrides
        self._given = given
        machines = {one.machine.pk: one.machine for one in wanted}
        people = {one.person.pk: one.person for one in wanted if not one.title}
        self._from = min((one.start for one in wanted), default=at)
        self._to = max((one.end for one in wanted), default=at)
        self._terms = terms_of(list(machines.values()))
        self._times = times_of(list(machines.values()), self._from, self._to, terms=self._terms, at=at)
        self._open = {pk: list(times.open) for pk, times in self._times.items()}
        self._held = self._read_held(machines, leave_out)
        weeks = Span(self._from - _A_WEEK, self._to + _A_WEEK)
        self._own: dict[str, list[Mapping[str, Any]]] = {pk: [] for pk in people}
        for row in own_times(people.values(), weeks, at) if people else ():
            if row["pk"] not in leave_out:
                self._own[row["person_id"]].append(row)
        self._certificates = self._read_certificates([*people, actor.pk])
        self._cuts = [
            Span(cut.start, cut.end)
            for cut in PowerCut.objects.filter(site=site, end__gt=self._from, start__lt=self._to)
        ]
        watched = any(must_be_watched(one.machine, one.person, bool(one.title)) for one in wanted)
        self._watched = supervised(site, self._from, self._to) if watched else []

    def judge(self, wanted: Wanted) -> Judged:
        """Run all rules on one of the times."""
        machine, terms = wanted.machine, self._terms[wanted.machine.pk]
        if self._given:
            terms = replace(terms, horizon_days=10**6, open_bookings=None)
        buffer = timedelta(minutes=terms.buffer_minutes)
        near = _overlapping(self._held[machine.pk], wanted.start, wanted.end + buffer)
        for_workshop = bool(wanted.title)
        certified = for_workshop or self._certified(wanted.person, wanted)
        own = self.actor.pk == wanted.person.pk
        facts = assembled(
            machine,
            wanted.person,
            wanted.start,
            wanted.end,
            self.at,
            terms=terms,
            times=self._around(wanted, near),
            limits=self._limits(wanted),
            certified=certified,
            actor_certified=certified if own else not certified and self._certified(self.actor, wanted),
            power_cut=any(cut.start < wanted.end and wanted.start < cut.end for cut in self._cuts),
            watched=self._watched if must_be_watched(machine, wanted.person, for_workshop) else (),
            for_workshop=for_workshop,
        )
        judgement = judge(facts, self.overrides, self.roles)
        in_the_way = tuple(held.booking for held in near if held.booking is not None)
        if any(held.booking is None or not makes_way(held.booking, self.at) for held in near):
            judgement = replace(judgement, problems=tuple(map(_kept, judgement.problems)))
        return Judged(wanted, judgement, in_the_way)

    def accept(self, judged: Judged) -> None:
        """Count a time as taken from here on."""
        wanted = judged.wanted
        held = self._held[wanted.machine.pk]
        held[:] = [one for one in held if one.booking not in judged.in_the_way or one.booking is None]
        self.keep(wanted.machine.pk, wanted.start, judged.judgement.held_end)
        if wanted.title:
            return
        self._own[wanted.person.pk].append(
            {
                "start": wanted.start,
                "end": wanted.end,
                "state": BookingState.CONFIRMED if wanted.end > self.at else BookingState.DONE,
                "title": "",
                "series_id": "" if self._given else None,
                "hold_until": None,
                "excused_at": None,
                "ended_at": None,
                "machine__site_id": wanted.machine.site_id,
                "machine__model__kind_id": wanted.machine.model.kind_id,
            }
        )

    def keep(self, machine_id: str, start: datetime, held_end: datetime) -> None:
        """Count a held time as taken that makes way for nobody."""
        held = self._held.setdefault(machine_id, [])
        insort(held, _Held(start, held_end), key=lambda one: one.start)

    # --- what was read ----------------------------------------------------------------------------------------

    def _read_held(
        self, machines: Mapping[str, Machine], leave_out: Collection[str]
    ) -> dict[str, list[_Held]]:
        longest = timedelta(minutes=max((one.buffer_minutes for one in self._terms.values()), default=0))
        found: dict[str, list[_Held]] = {pk: [] for pk in machines}
        rows = Booking.objects.filter(
            machine__in=list(machines),
            state__in=list(HOLDING),
            held_end__gt=self._from,
            held_start__lt=self._to + longest,
        )
        for booking in rows.select_related("person").order_by("held_start"):
            if booking.pk not in leave_out:
                found[booking.machine_id].append(_Held(booking.held_start, booking.held_end, booking))
        return found

    def _read_certificates(self, people: Iterable[str]) -> dict[tuple[str, str], list[date | None]]:
        found: dict[tuple[str, str], list[date | None]] = {}
        rows = Certificate.objects.filter(
            Q(until__isnull=True) | Q(until__gte=local_day(self._from, self.site.time_zone)),
            person__in=set(people),
            site=self.site,
            revoked_at__isnull=True,
        )
        for person, kind, until in rows.values_list("person_id", "kind_id", "until"):
            found.setdefault((person, kind), []).append(until)
        return found

    def _certified(self, person: User, wanted: Wanted) -> bool:
        kind = wanted.machine.model.kind
        day = local_day(wanted.start, self.site.time_zone)  # "on the day itself"
        held = self._certificates.get((person.pk, kind.pk), ())
        return not kind.needs_certificate or any(until is None or until >= day for until in held)

    def _limits(self, wanted: Wanted) -> Limits:
        if wanted.title:
            return Limits((), 0, 0, 0)
        week = week_of(wanted.start, self.site.time_zone)
        return counted(self._own[wanted.person.pk], wanted.machine, week, self.at)

    def _around(self, wanted: Wanted, near: Iterable[_Held]) -> MachineTimes:
        """Return what touches this one time: the rules look through all that they are given."""
        times = self._times[wanted.machine.pk]
        open_ = self._open[wanted.machine.pk]
        last = bisect_right(open_, wanted.start, key=lambda span: span.start)
        return replace(
            times,
            open=tuple(open_[max(0, last - 1) : last]),
            taken=tuple(Span(held.start, held.end) for held in near),
        )


def _overlapping(held: Sequence[_Held], start: datetime, end: datetime) -> list[_Held]:
    """Return those of a machine's held times that overlap; they are in order and apart from each other."""
    found: list[_Held] = []
    for one in reversed(held[: bisect_left(held, end, key=lambda each: each.start)]):
        if one.end <= start:
            break
        found.append(one)
    return found[::-1]


def _kept(problem: Problem) -> Problem:
    return Problem(KEPT) if problem.code == TAKEN else problem
