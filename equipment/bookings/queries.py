"""Reads about bookings: the facts that rules ask, free times, and what each person sees of the calendar."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice

from django.db.models import Q, QuerySet
from django.utils.translation import get_language

from equipment.bookings.free import FOREVER, MachineTimes, free_spans, nearest, offers
from equipment.bookings.models import Booking
from equipment.bookings.rules import BookingFacts
from equipment.bookings.states import LIVE, BookingState
from equipment.certifications.queries import is_certified
from equipment.machines.models import Machine, MachineKind, Outage
from equipment.machines.queries import in_use, localized
from equipment.sites.queries import openings, power_cut_between, roles_by_site, site_ids_with_role
from equipment.sites.states import ON_DUTY_ROLES
from fablab.core.clock import Span, local_day, midnight, within
from fablab.core.errors import NotFound
from fablab.people.models import User

USUAL_MINUTES = 60  # of a booking, unless told otherwise
ALTERNATIVES = 3


# --- what the rules ask -----------------------------------------------------------------------------------


def facts_for(
    machine: Machine,
    *,
    person: User,
    actor: User,
    start: datetime,
    end: datetime,
    at: datetime,
    moving: Booking | None = None,
) -> BookingFacts:
    """Load all that the rules ask. ``machine`` comes with site, model and kind; ``moving`` is not in its own way.

    To be sure of the answer, hold the machine's lock.
    """
    kind = machine.model.kind
    day = local_day(start, machine.site.time_zone)  # "on the day itself"
    times = times_of([machine], start, end, leave_out=moving)[machine.pk]

    def may_use(who: User) -> bool:
        return not kind.needs_certificate or is_certified(who, kind.pk, machine.site_id, day)

    certified = may_use(person)
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
        notice_minutes=kind.notice_minutes,
        horizon_days=kind.horizon_days,
        min_minutes=kind.min_minutes,
        max_minutes=kind.max_minutes,
        buffer_minutes=kind.buffer_minutes,
        power_cut=power_cut_between(machine.site_id, start, end),
        actor_certified=certified if actor.pk == person.pk else not certified and may_use(actor),
    )


def times_of(
    machines: Sequence[Machine], from_: datetime, to: datetime, *, leave_out: Booking | None = None
) -> dict[str, MachineTimes]:
    """Return what is known of these machines' time, by machine id: five queries for any number of machines.

    The machines come with site, model and kind.
    """
    sites = {machine.site_id: machine.site for machine in machines}
    opening = openings(sites.values(), from_.date(), to.date())
    open_ = {site_id: tuple(known.spans(from_, to)) for site_id, known in opening.items()}
    longest_buffer = max((machine.model.kind.buffer_minutes for machine in machines), default=0)
    ids = [machine.pk for machine in machines]
    outages: dict[str, list[Span]] = {machine_id: [] for machine_id in ids}
    taken: dict[str, list[Span]] = {machine_id: [] for machine_id in ids}
    for outage in Outage.objects.filter(
        Q(end__isnull=True) | Q(end__gt=from_), machine__in=ids, start__lt=to
    ):
        outages[outage.machine_id].append(Span(outage.start, outage.end or FOREVER))
    booked = Booking.objects.filter(
        machine__in=ids,
        state__in=list(LIVE),
        held_end__gt=from_,
        held_start__lt=to + timedelta(minutes=longest_buffer),  # our buffer must end before it
    )
    if leave_out is not None:
        booked = booked.exclude(pk=leave_out.pk)
    for machine_id, start, end in booked.values_list("machine_id", "held_start", "held_end"):
        taken[machine_id].append(Span(start, end))
    for machine in machines:
        if machine.out_of_order_since is not None:
            outages[machine.pk].append(Span(machine.out_of_order_since, FOREVER))
    return {
        machine.pk: MachineTimes(
            zone=machine.site.time_zone,
            open=open_[machine.site_id],
            outages=tuple(outages[machine.pk]),
            taken=tuple(taken[machine.pk]),
            buffer_minutes=machine.model.kind.buffer_minutes,
            grid_minutes=machine.model.kind.grid_minutes,
        )
        for machine in machines
    }


# --- free times -------------------------------------------------------------------------------------------


@dataclass(frozen=True, order=True)
class Offer:
    """A time on a machine that could be booked."""

    start: datetime
    end: datetime
    machine_id: str

    def as_json(self) -> dict[str, str]:
        """Return the shape of API.md: times in UTC."""
        return {
            "machine": self.machine_id,
            "start": self.start.isoformat().replace("+00:00", "Z"),
            "end": self.end.isoformat().replace("+00:00", "Z"),
        }


def free_intervals(machine: Machine, from_: datetime, to: datetime, minutes: int | None = None) -> list[Span]:
    """Return when ``minutes`` (the kind's shortest booking) fit on the machine, whoever asks and whenever."""
    return free_for_machines([machine], from_, to, minutes)[machine.pk]


def free_for_machines(
    machines: Sequence[Machine], from_: datetime, to: datetime, minutes: int | None = None
) -> dict[str, list[Span]]:
    """Do as ``free_intervals`` for many machines in five queries, by machine id."""
    times = times_of(machines, from_, to)
    return {
        machine.pk: free_spans(
            times[machine.pk], from_, to, machine.model.kind.min_minutes if minutes is None else minutes
        )
        for machine in machines
    }


def bookable_intervals(
    viewer: User, machine: Machine, from_: datetime, to: datetime, minutes: int | None = None, *, at: datetime
) -> list[Span]:
    """Return the free times that this person could book by themself: notice, horizon and certificate included."""
    kind = machine.model.kind
    earliest, latest = _bounds(machine, at)
    from_, to = max(from_, earliest), min(to, latest + timedelta(days=1))
    if to <= from_:
        return []
    wanted = kind.min_minutes if minutes is None else minutes
    if not kind.min_minutes <= wanted <= kind.max_minutes:
        return []
    if not _certified(viewer, machine, at):
        return []
    found = free_intervals(machine, from_, to, wanted)
    # A booking begins within the horizon and may end after it.
    return [span for span in found if span.start < latest]


def next_free(machine: Machine, at: datetime) -> datetime | None:
    """Return when the machine can next be had: now for a walk-up, else after the notice on the kind's grid.

    None within the horizon.
    """
    return next_free_for_machines([machine], at)[machine.pk]


def next_free_for_machines(
    machines: Sequence[Machine], at: datetime, *, ready: Collection[str] | None = None
) -> dict[str, datetime | None]:
    """Do as ``next_free`` for many machines in five queries, by machine id.

    ``ready``: the machines that somebody could use this minute (None: all); the others are not offered now. What is
    not now lies on the kind's grid, because only that can be booked.
    """
    bounds = {machine.pk: _bounds(machine, at) for machine in machines}
    to = max((latest for _, latest in bounds.values()), default=at)
    found: dict[str, datetime | None] = {}
    for machine_id, (machine, times) in _with_times(machines, at, to).items():
        earliest, latest = bounds[machine_id]
        minutes = machine.model.kind.min_minutes
        now = ready is None or machine_id in ready
        if now and any(span.start == at for span in free_spans(times, at, latest, minutes)):
            found[machine_id] = at
            continue
        later = offers(times, free_spans(times, earliest, latest, minutes), minutes)
        found[machine_id] = next((offer.start for offer in later), None)
    return found


def next_offers(
    machines: Sequence[Machine], minutes: int, *, at: datetime, from_: datetime | None = None, most: int = 6
) -> list[Offer]:
    """Return the next times on the kind's grid, over all these machines, earliest first."""
    if not machines:
        return []
    to = max(_bounds(machine, at)[1] for machine in machines)
    known = _with_times(machines, from_ or at, to)
    each = (_offers_of(machine, times, minutes, at, from_ or at) for machine, times in known.values())
    return list(islice(merge(*each), most))


def usual_minutes(kind: MachineKind, wished: int = USUAL_MINUTES) -> int:
    """Return how long a booking is unless told otherwise: an hour, or ``wished``, within what the kind allows."""
    return int(min(max(wished, kind.min_minutes), kind.max_minutes))


def first_offers(machines: Sequence[Machine], at: datetime) -> dict[str, datetime | None]:
    """Return the first time of each machine that the page for booking it offers, by machine id; None: none is free.

    Five queries for any number of machines.
    """
    to = max((_bounds(machine, at)[1] for machine in machines), default=at)
    found: dict[str, datetime | None] = {}
    for machine_id, (machine, times) in _with_times(machines, at, to).items():
        mine = _offers_of(machine, times, usual_minutes(machine.model.kind), at, at)
        found[machine_id] = next((offer.start for offer in mine), None)
    return found


def alternatives(
    machine: Machine, *, person: User, start: datetime, end: datetime, at: datetime
) -> list[Offer]:
    """Return up to three times that this person could book instead, nearest to the wish.

    Those of the same machine come first, then those of machines of the same model, then of the same kind, at the
    same site. None for somebody who may not use the kind: they would be refused there too.
    """
    kind = machine.model.kind
    minutes = min(max(round((end - start).total_seconds() / 60), kind.min_minutes), kind.max_minutes)
    if not _certified(person, machine, start):
        return []
    same_kind = in_use().filter(site_id=machine.site_id, model__kind_id=kind.pk).order_by("name")
    others = sorted(same_kind.exclude(pk=machine.pk), key=lambda other: other.model_id != machine.model_id)
    known = _with_times([machine, *others], at, _bounds(machine, at)[1] + timedelta(days=1))
    found: list[Offer] = []
    for one, times in known.values():
        spans = (Span(offer.start, offer.end) for offer in _offers_of(one, times, minutes, at, at))
        near = nearest(spans, start, ALTERNATIVES - len(found))
        found += [Offer(span.start, span.end, one.pk) for span in near]
        if len(found) == ALTERNATIVES:
            break
    return found


def _bounds(machine: Machine, at: datetime) -> tuple[datetime, datetime]:
    """Return the first and last moment at which a booking of this kind may begin, the last one excluded."""
    kind, zone = machine.model.kind, machine.site.time_zone
    last_day = local_day(at, zone) + timedelta(days=kind.horizon_days + 1)
    return at + timedelta(minutes=kind.notice_minutes), midnight(last_day, zone)


def _with_times(
    machines: Sequence[Machine], from_: datetime, to: datetime
) -> dict[str, tuple[Machine, MachineTimes]]:
    times = times_of(machines, from_, to)
    return {machine.pk: (machine, times[machine.pk]) for machine in machines}


def _offers_of(
    machine: Machine, times: MachineTimes, minutes: int, at: datetime, from_: datetime
) -> Iterator[Offer]:
    earliest, latest = _bounds(machine, at)
    spans = free_spans(times, max(from_, earliest), latest + timedelta(days=1), minutes)
    for offer in offers(times, within(spans, earliest, latest + timedelta(minutes=minutes)), minutes):
        if offer.start < latest:
            yield Offer(offer.start, offer.end, machine.pk)


def _certified(person: User, machine: Machine, on: datetime) -> bool:
    kind = machine.model.kind
    day = local_day(on, machine.site.time_zone)
    return not kind.needs_certificate or is_certified(person, kind.pk, machine.site_id, day)


# --- who sees what ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CalendarEntry:
    """A time at which a machine is taken; ``booking`` only for who may see whose it is."""

    machine_id: str
    start: datetime
    end: datetime
    booking: Booking | None


def visible_bookings(viewer: User) -> QuerySet[Booking]:
    """Return one's own bookings, and all of the sites where one is instructor, staff or manager."""
    sites = site_ids_with_role(viewer, ON_DUTY_ROLES)
    return Booking.objects.filter(Q(person=viewer) | Q(machine__site_id__in=sites)).select_related(
        "machine__site", "machine__model__kind", "person", "created_by"
    )


def checked_in_now(machine_ids: Collection[str], at: datetime) -> set[str]:
    """Return those of these machines at which somebody is who has checked in."""
    now = Booking.objects.filter(
        machine_id__in=machine_ids, state=BookingState.IN_USE, start__lte=at, end__gt=at
    )
    return set(now.values_list("machine_id", flat=True))


def use_of(viewer: User, machine_id: str, at: datetime) -> Booking | None:
    """Return the booking in which somebody uses a machine just now, if this person may end it."""
    return (
        visible_bookings(viewer)
        .filter(machine_id=machine_id, state=BookingState.IN_USE, start__lte=at, end__gt=at)
        .order_by("start")
        .first()
    )


def booking_for(viewer: User, booking_id: str) -> Booking:
    """Return a booking. Raises ``NotFound`` when unknown or somebody else's."""
    found = visible_bookings(viewer).filter(pk=booking_id).first()
    if found is None:
        raise NotFound
    return found


def calendar(
    viewer: User, from_: datetime, to: datetime, *, machine_ids: Iterable[str] | None = None
) -> list[CalendarEntry]:
    """Return what is taken in ``[from_, to)`` on the machines of the person's sites: two queries.

    Of other people's bookings a member sees the time and nothing else.
    """
    roles = roles_by_site(viewer)
    shown = [state for state in BookingState if state not in {BookingState.CANCELLED, BookingState.NO_SHOW}]
    rows = Booking.objects.filter(
        machine__site_id__in=roles,
        machine__retired_at__isnull=True,
        state__in=shown,
        end__gt=from_,
        start__lt=to,
    ).select_related("machine__site", "machine__model__kind", "person", "created_by")
    if machine_ids is not None:
        rows = rows.filter(machine_id__in=list(machine_ids))
    return [
        CalendarEntry(
            row.machine_id,
            row.start,
            row.end,
            row if row.person_id == viewer.pk or roles[row.machine.site_id] & ON_DUTY_ROLES else None,
        )
        for row in rows.order_by("start", "pk")
    ]
