"""Who is there for a booking that relies on somebody: an instructor for minors, and whoever answers for a person."""

from collections.abc import Iterable

from equipment.bookings.facts import must_be_watched
from equipment.bookings.models import Booking
from equipment.sites.models import Site
from equipment.sites.rota import duty_spans, supervised
from equipment.sites.states import ON_DUTY_ROLES
from fablab.core.clock import Span, within


def alone_among(bookings: Iterable[Booking], site: Site) -> list[Booking]:
    """Return those of these bookings of one place for which nobody is there by the rota, nor says they are."""
    relying = [one for one in bookings if _relies(one)]
    if not relying:
        return []
    from_, to = min(one.start for one in relying), max(one.end for one in relying)
    there = supervised(site, from_, to)
    by_person = (
        duty_spans(site, from_, to, ON_DUTY_ROLES)
        if any(accompanied_by(one) is not None for one in relying)
        else {}
    )
    found = []
    for one in relying:
        watched = not must_be_watched(one.machine, one.person) or _covers(there, one)
        who = accompanied_by(one)
        if not watched or (who is not None and not _covers(by_person.get(who, []), one)):
            found.append(one)
    return found


def accompanied_by(booking: Booking) -> str | None:
    """Return the id of who answers for a person that may not use the machine alone; None when they may."""
    return next((one.get("by") for one in booking.overrides if one.get("code") == "not_certified"), None)


def _relies(booking: Booking) -> bool:
    return must_be_watched(booking.machine, booking.person) or accompanied_by(booking) is not None


def _covers(spans: Iterable[Span], booking: Booking) -> bool:
    return within(spans, booking.start, booking.end) == [Span(booking.start, booking.end)]
