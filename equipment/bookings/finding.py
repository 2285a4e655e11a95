"""Free times: of one machine, of many, the next ones, the nearest. Computed from hours, outages and bookings."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice

from equipment.bookings.facts import limits_of, terms_of, times_of
from equipment.bookings.free import FOREVER, MachineTimes, free_spans, nearest, offers
from equipment.bookings.models import Booking
from equipment.bookings.terms import Terms
from equipment.certifications.queries import certified_until, is_certified
from equipment.machines.models import Machine
from equipment.machines.queries import in_use
from fablab.core.clock import LAST_YEAR, Span, local_day, midnight, within
from fablab.people.models import User
from fablab.people.states import MINORS

USUAL_MINUTES = 60  # of a booking, unless told otherwise
ALTERNATIVES = 3


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


@dataclass(frozen=True)
class Outlook:
    """When a machine can be had: ``now`` by who stands there, ``first`` by who books it on the page for that."""

    now: bool
    first: datetime | None  # None: nothing is free within the horizon


@dataclass(frozen=True)
class _Known:
    """A machine, the terms it is booked on, and what is known of its time."""

    machine: Machine
    terms: Terms
    times: MachineTimes


def free_intervals(machine: Machine, from_: datetime, to: datetime, minutes: int | None = None) -> list[Span]:
    """Return when ``minutes`` (the shortest booking) fit on the machine, whoever asks and whenever."""
    return free_for_machines([machine], from_, to, minutes)[machine.pk]


def free_for_machines(
    machines: Sequence[Machine],
    from_: datetime,
    to: datetime,
    minutes: int | None = None,
    *,
    person: User | None = None,
) -> dict[str, list[Span]]:
    """Do as ``free_intervals`` for many machines in six queries, by machine id; as ``person`` may, when a minor."""
    return {
        machine_id: free_spans(one.times, from_, to, one.terms.min_minutes if minutes is None else minutes)
        for machine_id, one in _known(machines, from_, to, person=person).items()
    }


def bookable_intervals(
    viewer: User, machine: Machine, from_: datetime, to: datetime, minutes: int | None = None, *, at: datetime
) -> list[Span]:
    """Return the free times that this person could book by themself: notice, horizon and certificate included."""
    terms = terms_of([machine])
    mine = terms[machine.pk]
    earliest, latest = _bounds(machine, mine, at)
    from_, to = max(from_, earliest), min(to, latest + timedelta(days=1))
    if to <= from_:
        return []
    wanted = mine.min_minutes if minutes is None else minutes
    if not mine.min_minutes <= wanted <= mine.max_minutes:
        return []
    may_until = _may_use_until(viewer, machine, at)
    if may_until is None:
        return []
    to = min(to, may_until)
    if to <= from_:
        return []
    known = _known([machine], from_, to, terms=terms, person=viewer, at=at)[machine.pk]
    # A booking begins within the horizon and may end after it.
    return [span for span in free_spans(known.times, from_, to, wanted) if span.start < latest]


def _may_use_until(person: User, machine: Machine, at: datetime) -> datetime | None:
    """Return the end of the last day on which this person's certificate holds; None when it does not now."""
    kind, zone = machine.model.kind, machine.site.time_zone
    if not kind.needs_certificate:
        return FOREVER
    last = certified_until(person, kind.pk, machine.site_id, local_day(at, zone))
    if last is None or last.year > LAST_YEAR:
        return None if last is None else FOREVER
    return midnight(last + timedelta(days=1), zone)


def next_free(machine: Machine, at: datetime) -> datetime | None:
    """Return when the machine can next be had: now for a walk-up, else after the notice on the grid.

    None within the horizon.
    """
    return next_free_for_machines([machine], at)[machine.pk]


def next_free_for_machines(
    machines: Sequence[Machine], at: datetime, *, ready: Collection[str] | None = None
) -> dict[str, datetime | None]:
    """Do as ``next_free`` for many machines in six queries, by machine id.

    ``ready``: the machines that somebody could use this minute (None: all); the others are not offered now. What is
    not now lies on the grid, because only that can be booked.
    """
    found: dict[str, datetime | None] = {}
    for machine_id, one in _until_horizon(machines, at).items():
        earliest, latest = _bounds(one.machine, one.terms, at)
        minutes = one.terms.min_minutes
        now = ready is None or machine_id in ready
        if now and _fits_now(one, at):
            found[machine_id] = at
            continue
        later = offers(one.times, free_spans(one.times, earliest, latest, minutes), minutes)
        found[machine_id] = next((offer.start for offer in later), None)
    return found


def next_offers(
    machines: Sequence[Machine],
    minutes: int,
    *,
    at: datetime,
    from_: datetime | None = None,
    most: int = 6,
    person: User | None = None,
) -> list[Offer]:
    """Return the next times on the grid, over all these machines, earliest first; for ``person`` when a minor.

    A machine on whose terms ``minutes`` are too short or too long offers none.
    """
    begin = from_ or at
    known = _until_horizon(machines, at, begin, person=person)
    each = (_offers_of(one, minutes, at, begin) for one in known.values())
    # Of machines that are free at the same time the first as they were given: by name, on pages.
    return list(islice(merge(*each, key=lambda one: (one.start, one.end)), most))


def first_offers(
    machines: Sequence[Machine], at: datetime, *, person: User | None = None
) -> dict[str, datetime | None]:
    """Return the first time of each machine that the page for booking it offers, by machine id; None: none is free.

    Six queries for any number of machines.
    """
    return {machine_id: one.first for machine_id, one in outlook(machines, at, person=person).items()}


def outlook(
    machines: Sequence[Machine],
    at: datetime,
    *,
    person: User | None = None,
    ready: Collection[str] = (),
) -> dict[str, Outlook]:
    """Return by machine id whether it can be used this minute and when it can be booked: six queries for all.

    ``ready``: the machines that stand free; one that is booked, held, closed or, for a minor, without an instructor is
    not had now for all that.
    """
    found: dict[str, Outlook] = {}
    for machine_id, one in _until_horizon(machines, at, person=person).items():
        mine = _offers_of(one, one.terms.fitted(USUAL_MINUTES), at, at)
        now = machine_id in ready and _fits_now(one, at)
        found[machine_id] = Outlook(now, next((offer.start for offer in mine), None))
    return found


def free_around(
    machines: Sequence[Machine],
    from_: datetime,
    to: datetime,
    *,
    at: datetime,
    minutes: int = USUAL_MINUTES,
    person: User | None = None,
) -> list[Offer]:
    """Return each machine's first time on the grid that begins within ``[from_, to)``, earliest first.

    A machine on whose terms ``minutes`` are too short or too long is offered for the nearest length that it has. Six
    queries for any number of machines; for ``person`` when a minor.
    """
    begin = max(from_, at)
    if to <= begin or not machines:
        return []
    found = []
    # What begins before ``to`` may end after it.
    for one in _known(machines, begin, to + timedelta(days=1), person=person, at=at).values():
        mine = next(_offers_of(one, one.terms.fitted(minutes), at, begin), None)
        if mine is not None and mine.start < to:
            found.append(mine)
    return sorted(found, key=lambda offer: offer.start)


def free_at(
    machines: Sequence[Machine], start: datetime, end: datetime, *, person: User | None = None
) -> list[str]:
    """Return the ids of those machines whose time is free for all of ``[start, end)``, in the order given."""
    minutes = round((end - start).total_seconds() / 60)
    known = _known(machines, start, end, person=person)
    return [machine.pk for machine in machines if free_spans(known[machine.pk].times, start, end, minutes)]


def alternatives(
    machine: Machine,
    *,
    person: User,
    start: datetime,
    end: datetime,
    at: datetime,
    for_workshop: bool = False,
) -> list[Offer]:
    """Return up to three times that this person could book instead, nearest to the wish.

    Those of the same machine come first, then those of machines of the same model, then of the same kind, at the
    same site; none at which they have something else booked. None for somebody who may not use the kind: they would be
    refused there too. ``for_workshop`` asks none of this.
    """
    machines = _of_kind(machine)
    if for_workshop:
        return _nearest(_until_horizon(machines, at), machine, start, end, at)
    if not _certified(person, machine, start):
        return []
    busy = limits_of(person, machine, start=start, at=at).busy
    return _nearest(_until_horizon(machines, at, person=person), machine, start, end, at, busy)


def alternatives_for(bookings: Sequence[Booking], at: datetime) -> dict[str, list[Offer]]:
    """Do as ``alternatives`` for bookings that somebody has to give up, by booking id.

    They come with machine, site, model, kind and person. Eight queries for each kind of machine at a place; a minor's
    are looked up by themselves, because somebody must be there.
    """
    found: dict[str, list[Offer]] = {}
    known: dict[tuple[str, str], dict[str, _Known]] = {}
    for booking in bookings:
        machine = booking.machine
        if booking.person.age_band in MINORS:
            found[booking.pk] = alternatives(
                machine, person=booking.person, start=booking.start, end=booking.end, at=at
            )
            continue
        key = machine.site_id, machine.model.kind_id
        if key not in known:
            known[key] = _until_horizon(_of_kind(machine), at)
        found[booking.pk] = _nearest(known[key], machine, booking.start, booking.end, at)
    return found


def _of_kind(machine: Machine) -> list[Machine]:
    """Return the machine and, by name, all others of its kind at its place."""
    same_kind = in_use().filter(site_id=machine.site_id, model__kind_id=machine.model.kind_id)
    return [machine, *same_kind.exclude(pk=machine.pk).order_by("name")]


def _nearest(
    known: Mapping[str, _Known],
    machine: Machine,
    start: datetime,
    end: datetime,
    at: datetime,
    busy: Sequence[Span] = (),
) -> list[Offer]:
    """Return the times nearest to a wish: the machine's own first, then those of its model, then all.

    None of them meets ``busy``, what its person has booked elsewhere.
    """

    def farther(one: _Known) -> tuple[bool, bool]:
        return one.machine.pk != machine.pk, one.machine.model_id != machine.model_id

    wished = round((end - start).total_seconds() / 60)
    found: list[Offer] = []
    for one in sorted(known.values(), key=farther):
        spans = (
            Span(offer.start, offer.end)
            for offer in _offers_of(one, one.terms.fitted(wished), at, at)
            if not any(span.start < offer.end and offer.start < span.end for span in busy)
        )
        near = nearest(spans, start, ALTERNATIVES - len(found))
        found += [Offer(span.start, span.end, one.machine.pk) for span in near]
        if len(found) == ALTERNATIVES:
            break
    return found


def _bounds(machine: Machine, terms: Terms, at: datetime) -> tuple[datetime, datetime]:
    """Return the first and last moment at which a booking may begin, the last one excluded."""
    zone = machine.site.time_zone
    last_day = local_day(at, zone) + timedelta(days=terms.horizon_days + 1)
    return at + timedelta(minutes=terms.notice_minutes), midnight(last_day, zone)


def _known(
    machines: Sequence[Machine],
    from_: datetime,
    to: datetime,
    *,
    terms: Mapping[str, Terms] | None = None,
    person: User | None = None,
    at: datetime | None = None,
) -> dict[str, _Known]:
    terms = terms_of(machines) if terms is None else terms
    times = times_of(machines, from_, to, terms=terms, person=person, at=at)
    return {machine.pk: _Known(machine, terms[machine.pk], times[machine.pk]) for machine in machines}


def _until_horizon(
    machines: Sequence[Machine], at: datetime, from_: datetime | None = None, *, person: User | None = None
) -> dict[str, _Known]:
    """Read each machine's time up to where a booking that begins at the latest moment may end."""
    if not machines:
        return {}
    terms = terms_of(machines)
    to = max(_bounds(machine, terms[machine.pk], at)[1] for machine in machines) + timedelta(days=1)
    return _known(machines, from_ or at, to, terms=terms, person=person, at=at)


def _fits_now(one: _Known, at: datetime) -> bool:
    """Say whether the shortest booking fits from this very moment on."""
    shortest = one.terms.min_minutes
    spans = free_spans(one.times, at, at + timedelta(minutes=shortest), shortest)
    return any(span.start == at for span in spans)


def _offers_of(one: _Known, minutes: int, at: datetime, from_: datetime) -> Iterator[Offer]:
    if not one.terms.min_minutes <= minutes <= one.terms.max_minutes:
        return
    earliest, latest = _bounds(one.machine, one.terms, at)
    spans = free_spans(one.times, max(from_, earliest), latest + timedelta(days=1), minutes)
    for offer in offers(one.times, within(spans, earliest, latest + timedelta(minutes=minutes)), minutes):
        if offer.start < latest:
            yield Offer(offer.start, offer.end, one.machine.pk)


def _certified(person: User, machine: Machine, on: datetime) -> bool:
    kind = machine.model.kind
    day = local_day(on, machine.site.time_zone)
    return not kind.needs_certificate or is_certified(person, kind.pk, machine.site_id, day)
