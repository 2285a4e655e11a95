"""What the rules ask, read at one moment: the machine's time and terms, and what limits the person."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils.translation import get_language

from equipment.bookings.free import FOREVER, MachineTimes
from equipment.bookings.models import Booking, BookingTerms
from equipment.bookings.rules import BookingFacts
from equipment.bookings.states import HOLDING, BookingState
from equipment.bookings.terms import NAMES, Source, Terms, resolve
from equipment.certifications.queries import is_certified
from equipment.machines.models import Machine, Outage
from equipment.machines.outages import until_when
from equipment.machines.queries import localized
from equipment.sites.models import Site
from equipment.sites.queries import openings, power_cut_between
from equipment.sites.rota import supervised
from fablab.core.clock import Span, local_day, midnight
from fablab.core.prepared import Prepared
from fablab.people.models import User
from fablab.people.states import MINORS

NO_SHOWS_COUNT_FOR = timedelta(days=60)


@dataclass(frozen=True)
class Limits:
    """What a person has already. ``used_minutes`` and ``open_now`` are of one kind at one place."""

    busy: tuple[Span, ...]
    used_minutes: int
    open_now: int
    no_shows: int


def facts_for(
    machine: Machine,
    *,
    person: User,
    actor: User,
    start: datetime,
    end: datetime,
    at: datetime,
    moving: Booking | None = None,
    for_workshop: bool = False,
) -> BookingFacts:
    """Load all that the rules ask. ``machine`` comes with site, model and kind; ``moving`` is not in its own way.

    To be sure of the answer, hold the machine's lock, and the person's.
    """
    kind, site = machine.model.kind, machine.site
    day = local_day(start, site.time_zone)  # "on the day itself"
    known = terms_of([machine])
    times = times_of([machine], start, end, terms=known, leave_out=moving, at=at)[machine.pk]
    terms = known[machine.pk]

    def may_use(who: User) -> bool:
        return not kind.needs_certificate or is_certified(who, kind.pk, machine.site_id, day)

    certified = for_workshop or may_use(person)
    inside = any(span.start <= start and end <= span.end for span in times.open)
    return assembled(
        machine,
        person,
        start,
        end,
        at,
        terms=terms,
        times=times,
        limits=limits_of(person, machine, start=start, at=at, leave_out=moving),
        certified=certified,
        actor_certified=certified if actor.pk == person.pk else not certified and may_use(actor),
        power_cut=not inside
        and power_cut_between(machine.site_id, start, end),  # only asked why it is closed
        watched=supervised(site, start, end) if must_be_watched(machine, person, for_workshop) else (),
        for_workshop=for_workshop,
    )


def must_be_watched(machine: Machine, person: User, for_workshop: bool = False) -> bool:
    """Say whether an instructor must be there: with a minor, and with anybody at such a kind."""
    return (person.age_band in MINORS or machine.model.kind.needs_instructor) and not for_workshop


def assembled(
    machine: Machine,
    person: User,
    start: datetime,
    end: datetime,
    at: datetime,
    *,
    terms: Terms,
    times: MachineTimes,
    limits: Limits,
    certified: bool,
    actor_certified: bool,
    power_cut: bool,
    watched: Iterable[Span],
    for_workshop: bool,
) -> BookingFacts:
    """Lay together what was read for one time on a machine. ``watched``: when an instructor is there."""
    kind = machine.model.kind
    return BookingFacts(
        at=at,
        start=start,
        end=end,
        zone=times.zone,
        open=times.open,
        outages=times.outages,
        taken=times.taken,
        certified=certified,
        kind_name=localized(kind.names, get_language() or "fr"),
        notice_minutes=terms.notice_minutes,
        horizon_days=terms.horizon_days,
        min_minutes=terms.min_minutes,
        max_minutes=terms.max_minutes,
        buffer_minutes=terms.buffer_minutes,
        grid_minutes=terms.grid_minutes,
        power_cut=power_cut,
        actor_certified=actor_certified,
        busy=limits.busy,
        weekly_minutes=terms.weekly_minutes,
        used_minutes=limits.used_minutes,
        open_bookings=terms.open_bookings,
        open_now=limits.open_now,
        minor=person.age_band in MINORS,
        needs_instructor=kind.needs_instructor,
        supervised=tuple(watched),
        no_shows=limits.no_shows,
        no_shows_before_pause=machine.site.no_shows_before_pause,
        for_workshop=for_workshop,
    )


# --- what limits a person -----------------------------------------------------------------------------------------


def limits_of(
    person: User, machine: Machine, *, start: datetime, at: datetime, leave_out: Booking | None = None
) -> Limits:
    """Return what counts against one more booking of this person that begins at ``start``. One query."""
    week = week_of(start, machine.site.time_zone)
    return counted(own_times([person], week, at, leave_out=leave_out), machine, week, at)


def week_of(start: datetime, zone: str) -> Span:
    """Return the local week, Monday to Sunday, in which hours count together."""
    monday = local_day(start, zone) - timedelta(days=local_day(start, zone).weekday())
    return Span(midnight(monday, zone), midnight(monday + timedelta(days=7), zone))


def own_times(
    people: Collection[User], weeks: Span, at: datetime, *, leave_out: Booking | None = None
) -> list[dict[str, Any]]:
    """Return all that may limit these people's bookings that begin within ``weeks``, in order of time. One query."""
    rows = _OWN([person.pk for person in people], at, at - NO_SHOWS_COUNT_FOR, weeks.start, weeks.end)
    named = (dict(zip(_LIMITING, row, strict=True)) for row in rows)
    return [row for row in named if leave_out is None or row["pk"] != leave_out.pk]


_LIMITING = (
    "pk", "person_id", "start", "end", "state", "title", "series_id", "hold_until", "excused_at", "ended_at",
    "machine__site_id", "machine__model__kind_id",
)  # fmt: skip
_OWN = Prepared(
    lambda people, at, no_shows_from, week_starts, week_ends: (
        Booking.objects.filter(
            Q(end__gt=at, state__in=list(HOLDING))
            | Q(start__gte=week_starts, start__lt=week_ends, state__in=[*HOLDING, BookingState.DONE])
            | Q(state__in=[BookingState.NO_SHOW, BookingState.DONE], start__gt=no_shows_from),
            person__in=people,
        )
        .order_by("start")
        .values_list(*_LIMITING)
    )
)


def counted(rows: Iterable[Mapping[str, Any]], machine: Machine, week: Span, at: datetime) -> Limits:
    """Return what one person's ``own_times`` come to for one more booking of this machine in ``week``.

    Hours count in their local week, whether used or still to come; times of workshops count for nobody, and those of
    series not as bookings at once: the place gave them.
    Times not come to count for two months, since the last one that was used, unless somebody excused them.
    """
    kind_id = machine.model.kind_id
    busy: list[Span] = []
    used = open_now = no_shows = 0
    for row in rows:
        over = row["ended_at"] is not None or (row["hold_until"] is not None and row["hold_until"] <= at)
        if row["state"] == BookingState.HELD and over:
            continue  # given back, or its while is over, also where nobody has written it down yet
        here = row["machine__site_id"] == machine.site_id
        counts = here and row["machine__model__kind_id"] == kind_id and not row["title"]
        live = row["state"] in HOLDING and row["ended_at"] is None
        if live and row["end"] > at:
            busy.append(Span(row["start"], row["end"]))
            open_now += counts and row["start"] > at and row["series_id"] is None
        if counts and week.start <= row["start"] < week.end and row["state"] != BookingState.NO_SHOW:
            used += round((row["end"] - row["start"]).total_seconds() / 60)
        if here and row["start"] > at - NO_SHOWS_COUNT_FOR:
            if row["state"] == BookingState.NO_SHOW and row["excused_at"] is None:
                no_shows += 1
            elif row["state"] == BookingState.DONE:
                no_shows = 0
    return Limits(tuple(busy), used, open_now, no_shows)


# --- machines' time and terms -------------------------------------------------------------------------------------


def terms_of(machines: Sequence[Machine]) -> dict[str, Terms]:
    """Return on what terms these machines are booked, by machine id. One query; they come with model and kind."""
    return {machine_id: terms for machine_id, (terms, _) in terms_with_sources(machines).items()}


def terms_with_sources(machines: Sequence[Machine]) -> dict[str, tuple[Terms, dict[str, Source]]]:
    """Do as ``terms_of``, with who set each term."""
    of_site: dict[tuple[str, str], dict[str, int | None]] = {}
    of_machine: dict[str, dict[str, int | None]] = {}
    kinds, sites = (
        {machine.model.kind_id for machine in machines},
        {machine.site_id for machine in machines},
    )
    rows = _SAID(sorted(kinds), [machine.pk for machine in machines], sorted(sites)) if machines else ()
    for site_id, kind_id, machine_id, *values in rows:
        said = dict(zip(NAMES, values, strict=True))
        if machine_id is None:
            of_site[site_id, kind_id] = said
        else:
            of_machine[machine_id] = said
    found = {}
    for machine in machines:
        kind = machine.model.kind
        found[machine.pk] = resolve(
            {name: getattr(kind, name) for name in NAMES},
            of_site.get((machine.site_id, kind.pk), {}),
            of_machine.get(machine.pk, {}),
        )
    return found


_SAID = Prepared(
    lambda kinds, machines, sites: BookingTerms.objects.filter(
        Q(machine__isnull=True, kind__in=kinds) | Q(machine__in=machines), site__in=sites
    ).values_list("site_id", "kind_id", "machine_id", *NAMES)
)


def times_of(
    machines: Sequence[Machine],
    from_: datetime,
    to: datetime,
    *,
    terms: Mapping[str, Terms],
    leave_out: Booking | None = None,
    person: User | None = None,
    at: datetime | None = None,
) -> dict[str, MachineTimes]:
    """Return what is known of these machines' time, by machine id: five queries for any number of machines.

    The machines come with site, model and kind. ``at`` is now, where ``from_`` may be later: a guess when a machine is
    back counts for nothing once it is over. With ``person``, a minor's, and for kinds that nobody uses alone,
    only what an instructor is there for is open (six queries more for each place).
    """
    sites = {machine.site_id: machine.site for machine in machines}
    opening = openings(sites.values(), from_.date(), to.date())
    open_ = {site_id: tuple(known.spans(from_, to)) for site_id, known in opening.items()}
    minor = person is not None and person.age_band in MINORS
    guarded = {machine.pk for machine in machines if minor or machine.model.kind.needs_instructor}
    watched = _watched(
        {machine.site_id: machine.site for machine in machines if machine.pk in guarded}.values(), from_, to
    )
    longest_buffer = max((terms[machine.pk].buffer_minutes for machine in machines), default=0)
    ids = [machine.pk for machine in machines]
    outages: dict[str, list[Span]] = {machine_id: [] for machine_id in ids}
    taken: dict[str, list[Span]] = {machine_id: [] for machine_id in ids}
    told: set[str] = set()  # of these it is known why they are out of order, and perhaps until when
    for outage in _OUTAGES(ids, from_, to):
        outages[outage.machine_id].append(Span(outage.start, until_when(outage, at or from_) or FOREVER))
        told |= {outage.machine_id} if outage.end is None else set()
    # Our buffer must end before the next one begins.
    for pk, machine_id, start, end in _TAKEN(ids, from_, to + timedelta(minutes=longest_buffer)):
        if leave_out is None or pk != leave_out.pk:
            taken[machine_id].append(Span(start, end))
    for machine in machines:
        if machine.out_of_order_since is not None and machine.pk not in told:
            outages[machine.pk].append(Span(machine.out_of_order_since, FOREVER))
    return {
        machine.pk: MachineTimes(
            zone=machine.site.time_zone,
            open=open_[machine.site_id],
            outages=tuple(outages[machine.pk]),
            taken=tuple(taken[machine.pk]),
            buffer_minutes=terms[machine.pk].buffer_minutes,
            grid_minutes=terms[machine.pk].grid_minutes,
            supervised=watched[machine.site_id] if machine.pk in guarded else None,
        )
        for machine in machines
    }


_OUTAGES = Prepared(
    lambda machines, from_, to: Outage.objects.filter(
        Q(end__isnull=True) | Q(end__gt=from_), machine__in=machines, start__lt=to
    )
)
_TAKEN = Prepared(
    lambda machines, from_, to: Booking.objects.filter(
        machine__in=machines,
        # A time kept for somebody counts until it is written down that its while is over: never shown free too early.
        state__in=sorted(HOLDING),  # in this order they stand in the index
        held_end__gt=from_,
        held_start__lt=to,
    ).values_list("pk", "machine_id", "held_start", "held_end")
)


def _watched(sites: Iterable[Site], from_: datetime, to: datetime) -> dict[str, tuple[Span, ...]]:
    return {site.pk: tuple(supervised(site, from_, to)) for site in sites}
