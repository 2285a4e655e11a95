"""Bookings as calendar programs read them: RFC 5545, with the names and refresh times of RFC 7986.

Times are written in UTC, which every program understands without a table of time zones. A booking keeps its UID for
life; its SEQUENCE grows when it is moved, ended or given back, and what was given back is said to be cancelled: who
imported it once gets rid of it.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event, vText

from equipment.bookings.models import Booking
from equipment.bookings.states import BookingState

ASKED_EVERY = timedelta(hours=1)  # how often programs are asked to look; they look as often as they like
GIVEN_BACK = frozenset({BookingState.CANCELLED, BookingState.NO_SHOW})
UID_DOMAIN = "fablab"


def calendar(
    bookings: Iterable[Booking],
    *,
    name: str = "",
    language: str,
    code_line: Callable[[Booking], str],
    address: Callable[[Booking], str],
) -> bytes:
    """Return a calendar of these bookings, which come with machine and site.

    ``name`` is the calendar's own, of a feed; ``code_line`` what its description says, ``address`` its page here.
    """
    found = Calendar()
    found.add("prodid", f"-//fablab//{language.upper()}")
    found.add("version", "2.0")
    found.add("calscale", "GREGORIAN")
    if name:
        found.add("method", "PUBLISH")
        found.add("name", name)
        found.add("x-wr-calname", name)
        found.add("refresh-interval", ASKED_EVERY, parameters={"VALUE": "DURATION"})
        found.add("x-published-ttl", vText("PT1H"))
    for booking in bookings:
        found.add_component(_event(booking, code_line(booking), address(booking)))
    written: bytes = found.to_ical()
    return written


def _event(booking: Booking, description: str, address: str) -> Event:
    machine = booking.machine
    event = Event()
    event.add("uid", f"{booking.pk}@{UID_DOMAIN}")
    event.add("sequence", booking.version)
    event.add("dtstamp", _changed_at(booking))
    event.add("last-modified", _changed_at(booking))
    event.add("created", booking.created_at.astimezone(UTC))
    event.add("dtstart", booking.start.astimezone(UTC))
    event.add("dtend", booking.end.astimezone(UTC))
    event.add("summary", f"{machine.name} – {machine.site.name}")
    event.add("location", machine.site.address or machine.site.name)
    event.add("description", description)
    event.add("url", address)
    event.add("status", "CANCELLED" if booking.state in GIVEN_BACK else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if booking.state in GIVEN_BACK else "OPAQUE")
    return event


def _changed_at(booking: Booking) -> datetime:
    return (booking.changed_at or booking.created_at).astimezone(UTC)
