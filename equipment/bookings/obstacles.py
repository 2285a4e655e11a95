"""What stands in the way of bookings that exist: outages, announced power cuts, closed days; and ways around it.

Nobody's booking is taken away by any of them. It stays until its person moves it or gives it back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from equipment.bookings.company import alone_among
from equipment.bookings.finding import ALTERNATIVES, Offer, next_offers
from equipment.bookings.free import FOREVER
from equipment.bookings.models import Booking
from equipment.bookings.states import HOLDING, LIVE
from equipment.machines.models import Machine, Outage
from equipment.machines.outages import until_when
from equipment.machines.queries import in_use
from equipment.sites.models import Closure, PowerCut, Site
from equipment.sites.queries import Opening, opening_of, openings
from fablab.core.clock import Closed, Span, midnight

OUT_OF_ORDER, POWER_CUT, CLOSED, ALONE = "out_of_order", "power_cut", "closed", "alone"
DAY = timedelta(days=1)
OF_EACH = 2  # times of one machine: a choice of machines, not of half hours
LOOKED_AT = 40


@dataclass(frozen=True)
class Obstacle:
    """Why a booking cannot take place as things stand. ``until``: None when nobody knows."""

    why: str
    reason: str = ""
    until: datetime | None = None
    outage: Outage | None = None


def to_come(at: datetime) -> QuerySet[Booking]:
    """Return all bookings that somebody has and that are not over, with machine, model, kind and site."""
    return (
        Booking.objects.filter(state__in=list(LIVE), end__gt=at)
        .select_related("machine__site", "machine__model__kind", "person")
        .order_by("start", "pk")
    )


# --- what is hit --------------------------------------------------------------------------------------------------


def hit_by(bookings: Iterable[Booking], at: datetime) -> dict[str, str]:
    """Return, by booking id, why a coming booking cannot be used: out_of_order, power_cut, closed, alone.

    ``alone``: somebody must be there with them, and nobody is.
    """
    return {booking_id: one.why for booking_id, one in obstacles(bookings, at).items()}


def obstacles(bookings: Iterable[Booking], at: datetime) -> dict[str, Obstacle]:
    """Return what stands in the way of each coming booking that is hit, by its id.

    ``bookings`` come with their person, their machine and its site. None when nothing is to come, at most six queries;
    thirteen more for each place where one of them relies on somebody being there.
    """
    coming = [one for one in bookings if one.state in LIVE and one.end > at]
    if not coming:
        return {}
    found = _closed_days(coming, at)
    cuts = PowerCut.objects.filter(site_id__in={one.machine.site_id for one in coming}, end__gt=at)
    for cut in cuts.order_by("start"):
        for one in coming:
            if cut.site_id == one.machine.site_id and _overlap(Span(cut.start, cut.end), one):
                found[one.pk] = Obstacle(POWER_CUT, cut.reason, cut.end)
    outages: dict[str, list[Outage]] = {}
    rows = Outage.objects.filter(
        Q(end__isnull=True) | Q(end__gt=at), machine__in={one.machine_id for one in coming}
    )
    for outage in rows.order_by("start"):
        outages.setdefault(outage.machine_id, []).append(outage)
    for one in coming:
        mine = outages.get(one.machine_id, [])
        for outage in mine:
            until = until_when(outage, at)
            if _overlap(Span(outage.start, until or FOREVER), one):
                found[one.pk] = Obstacle(OUT_OF_ORDER, outage.reason, until, outage)
        if one.machine.out_of_order_since is not None and all(outage.end is not None for outage in mine):
            found[one.pk] = Obstacle(OUT_OF_ORDER, one.machine.out_of_order_reason)
    for site in {one.machine.site for one in coming}:
        there = [one for one in coming if one.machine.site_id == site.pk and not one.title and one.start > at]
        for one in alone_among(there, site):
            found.setdefault(one.pk, Obstacle(ALONE))
    return found


def hit_if_out(machine: Machine, start: datetime, end: datetime, at: datetime) -> list[Booking]:
    """Return the bookings that an outage of this time hits, or would hit, in order of time. One query."""
    return list(to_come(at).filter(machine=machine, start__lt=end, end__gt=start))


def hit_if_closed(site: Site, first_day: date, last_day: date, at: datetime) -> list[Booking]:
    """Return the bookings that closing these local days hits, or would hit, in order of time.

    From midnight to midnight, and the night after the last day as far as it belongs to that day's hours.
    """
    zone = site.time_zone
    begins, ends = midnight(first_day, zone), midnight(last_day + 2 * DAY, zone)
    rows = list(to_come(at).filter(machine__site_id=site.pk, start__lt=ends, end__gt=begins))
    if not rows:
        return []
    known = opening_of(site, min(one.start for one in rows) - DAY, max(one.end for one in rows) + DAY)
    closed = Closed(first_day, last_day)
    known = replace(known, closures=tuple({*known.closures, closed}))
    return [one for one in rows if _is_closed(one, known, closed)]


def _closed_days(coming: Sequence[Booking], at: datetime) -> dict[str, Obstacle]:
    sites = {one.machine.site_id: one.machine.site for one in coming}
    first, last = min(one.start for one in coming).date(), max(one.end for one in coming).date()
    rows = list(
        Closure.objects.filter(site__in=sites, last_day__gte=first - 2 * DAY, first_day__lte=last + DAY)
    )
    if not rows:
        return {}
    with_closures = [sites[site_id] for site_id in sorted({row.site_id for row in rows})]
    known = openings(with_closures, first - DAY, last + DAY)
    found = {}
    for one in coming:
        for row in rows:
            closed = Closed(row.first_day, row.last_day)
            if row.site_id == one.machine.site_id and _is_closed(one, known[row.site_id], closed):
                zone = one.machine.site.time_zone
                found[one.pk] = Obstacle(CLOSED, row.reason, midnight(row.last_day + DAY, zone))
    return found


def _is_closed(one: Booking, known: Opening, closed: Closed) -> bool:
    """Say whether these days, which ``known`` holds, are why a booking lies outside the opening hours."""
    if _inside(one, known):
        return False
    days = Span(midnight(closed.first_day, known.zone), midnight(closed.last_day + DAY, known.zone))
    others = replace(known, closures=tuple(other for other in known.closures if other != closed))
    return _overlap(days, one) or _inside(one, others)


def _inside(one: Booking, known: Opening) -> bool:
    spans = known.spans(one.start - DAY, one.end + DAY)
    return any(span.start <= one.start and one.end <= span.end for span in spans)


def _overlap(span: Span, one: Booking) -> bool:
    return span.start < one.end and one.start < span.end


# --- ways around it -----------------------------------------------------------------------------------------------


def other_times(booking: Booking, at: datetime, *, own_from: datetime | None) -> list[Offer]:
    """Return up to three times that the booking's person could take instead, the earliest first.

    From the booked time on: of machines of the same kind at the same place, and from ``own_from`` on of the machine
    itself (None: nobody knows when it can be had). As long as the booked one, at no time at which the person has
    another booking. A fixed number of queries.
    """
    machine = booking.machine
    minutes = round((booking.end - booking.start).total_seconds() / 60)
    wanted = max(at, booking.start)
    same_kind = (
        in_use().filter(site_id=machine.site_id, model__kind_id=machine.model.kind_id).order_by("name")
    )
    others = [one for one in same_kind if one.pk != machine.pk]
    person, busy = booking.person, _busy(booking, wanted)

    def offered(machines: Sequence[Machine], from_: datetime) -> list[Offer]:
        found = next_offers(machines, minutes, at=at, from_=from_, most=LOOKED_AT, person=person)
        return [
            one for one in found if not any(span.start < one.end and one.start < span.end for span in busy)
        ]

    own = offered([machine], max(wanted, own_from))[:1] if own_from is not None else []
    elsewhere = _of_each(offered(others, wanted)) if others else []
    return sorted([*elsewhere[: ALTERNATIVES - len(own)], *own])


def _busy(booking: Booking, from_: datetime) -> list[Span]:
    rows = Booking.objects.filter(
        person=booking.person_id, state__in=list(HOLDING), ended_at__isnull=True, end__gt=from_
    ).exclude(pk=booking.pk)
    return [Span(start, end) for start, end in rows.values_list("start", "end")]


def _of_each(offers: Iterable[Offer]) -> list[Offer]:
    kept: list[Offer] = []
    for offer in offers:
        if sum(other.machine_id == offer.machine_id for other in kept) < OF_EACH:
            kept.append(offer)
    return kept
