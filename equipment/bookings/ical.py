"""Bookings as calendar programs read them: RFC 5545, with the names and refresh times of RFC 7986.

Times are written in UTC, which every program understands without a table of time zones. A booking keeps its UID for
life; its SEQUENCE grows when it is moved, ended or given back, and what was given back is said to be cancelled: who
imported it once gets rid of it. Without METHOD, which means that programs may keep their own copy, DTSTAMP is when the
booking was last changed: the same bookings make the same calendar to the last byte.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event, Timezone, TimezoneStandard, vText

from equipment.bookings.models import Booking
from equipment.bookings.states import GIVEN_BACK, BookingState

ASKED_EVERY = timedelta(hours=1)  # how often programs are asked to look; they look as often as they like
UID_DOMAIN = "fablab"


@dataclass(frozen=True)
class Told:
    """What a booking is called in a calendar program, what is said of it, and its page here."""

    summary: str
    description: str
    url: str


Telling = Callable[[Booking], Told]


def calendar(bookings: Iterable[Booking], *, told: Telling, language: str, name: str = "") -> bytes:
    """Return a calendar of these bookings, which come with machine and site. ``name``: its own, of a feed."""
    found = Calendar()
    found.add("prodid", f"-//fablab//{language.upper()}")
    found.add("version", "2.0")
    found.add("calscale", "GREGORIAN")
    if name:
        found.add("name", _text(name))
        found.add("x-wr-calname", _text(name))
        found.add("refresh-interval", ASKED_EVERY, parameters={"VALUE": "DURATION"})
        found.add("x-published-ttl", vText("PT1H"))
    for booking in bookings:
        found.add_component(_event(booking, told(booking)))
    if not found.subcomponents:
        found.add_component(_nothing())
    written: bytes = found.to_ical()
    return written


def _event(booking: Booking, told: Told) -> Event:
    site = booking.machine.site
    given_back = booking.shown_state in GIVEN_BACK
    sure = "TENTATIVE" if booking.state == BookingState.HELD else "CONFIRMED"
    changed_at = (booking.changed_at or booking.created_at).astimezone(UTC)
    event = Event()
    event.add("uid", f"{booking.pk}@{UID_DOMAIN}")
    event.add("sequence", booking.version)
    event.add("dtstamp", changed_at)
    event.add("last-modified", changed_at)
    event.add("created", booking.created_at.astimezone(UTC))
    event.add("dtstart", booking.start.astimezone(UTC))
    event.add("dtend", booking.end.astimezone(UTC))
    event.add("summary", _text(told.summary))
    event.add("location", _text(site.address or site.name))
    event.add("description", _text(told.description))
    event.add("url", told.url)
    event.add("status", "CANCELLED" if given_back else sure)
    event.add("transp", "TRANSPARENT" if given_back else "OPAQUE")
    return event


def _text(text: str) -> str:
    """Return a text without the signs that no calendar may hold; line ends stay."""
    return "".join(sign for sign in text if sign == "\n" or (sign >= " " and sign != "\x7f"))


def _nothing() -> Timezone:
    """Return what stands in a calendar without bookings: the standard wants one component at least."""
    always = TimezoneStandard()
    always.add("dtstart", datetime(1970, 1, 1))  # noqa: DTZ001  # the standard wants the zone's own clock
    always.add("tzoffsetfrom", timedelta())
    always.add("tzoffsetto", timedelta())
    utc = Timezone()
    utc.add("tzid", "Etc/UTC")
    utc.add_component(always)
    return utc
