"""A person's bookings in their own calendar program: one secret address, valid calendars, a UID for life (SEC-25)."""

from datetime import datetime

import pytest
from icalendar import Calendar, Event

from equipment.bookings import feeds, ical
from equipment.bookings.models import Booking, CalendarFeed
from equipment.bookings.services import cancel, move
from equipment.bookings.states import BookingState
from equipment.bookings.use import finish
from fablab.core.errors import NotFound
from fablab.people.models import User
from tests.builders import MONDAY, hours, make_booking, make_machine, make_person, make_site, minutes

pytestmark = pytest.mark.django_db


def read(person: User, at: datetime = MONDAY) -> list[Event]:
    """Return the events as a strict parser reads them."""
    body = ical.calendar(
        feeds.bookings_in_feed(person, at),
        name="Mes réservations",
        language="fr",
        code_line=lambda one: f"Code : {one.code}",
        address=lambda one: f"https://lab.example/reservations/{one.pk}/",
    )
    assert b"\r\n" in body
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    found = Calendar.from_ical(body)
    assert found.errors == []
    events: list[Event] = list(found.events)
    assert all(event.errors == [] for event in events)
    return events


def one(events: list[Event]) -> Event:
    (event,) = events
    return event


def test_a_booking_keeps_its_uid_over_every_change_and_its_sequence_grows() -> None:
    booking = make_booking(start=MONDAY + hours(1))
    before = one(read(booking.person))
    assert before["SEQUENCE"] == 0
    move(
        booking.pk,
        start=MONDAY + hours(3),
        end=MONDAY + hours(4),
        actor=booking.person,
        at=MONDAY + minutes(1),
    )
    moved = one(read(booking.person))
    assert (moved["UID"], moved["SEQUENCE"], moved["STATUS"]) == (before["UID"], 1, "CONFIRMED")
    assert moved["DTSTART"].dt == MONDAY + hours(3)
    assert moved["LAST-MODIFIED"].dt == moved["DTSTAMP"].dt == MONDAY + minutes(1)
    cancel(booking.pk, actor=booking.person, at=MONDAY + minutes(2))
    gone = one(read(booking.person))
    assert (gone["UID"], gone["SEQUENCE"], gone["STATUS"]) == (before["UID"], 2, "CANCELLED")
    assert gone["TRANSP"] == "TRANSPARENT"


def test_who_ends_early_frees_the_rest_in_their_calendar_too() -> None:
    booking = make_booking(start=MONDAY, state=BookingState.IN_USE)
    finish(booking.pk, actor=booking.person, at=MONDAY + minutes(20))
    event = one(read(booking.person))
    assert (event["DTEND"].dt, event["SEQUENCE"]) == (MONDAY + minutes(20), 1)


def test_times_are_utc_and_names_with_commas_quotes_and_arabic_come_out_as_they_went_in() -> None:
    site = make_site("Le Lab; «Nord», آلة", address="1, rue des Fleurs\n93400 Saint-Ouen")
    machine = make_machine(site, 'Rouge, la "grande" \\ 3D ' + "é" * 80)
    booking = make_booking(machine, make_person(site=site), start=MONDAY + hours(1))
    event = one(read(booking.person))
    assert event["SUMMARY"] == f"{machine.name} – {site.name}"
    assert event["LOCATION"] == site.address
    assert event.to_ical().count(b"Z\r\n") >= 5  # UTC, which needs no table of time zones
    assert event["DTSTART"].dt == booking.start


def test_only_ones_own_bookings_of_the_last_month_and_to_come_are_in_it() -> None:
    person = make_person()
    site = make_site()
    for other in (make_person(), person):
        make_booking(make_machine(site), other, start=MONDAY + hours(1))
    make_booking(make_machine(site), person, start=MONDAY - feeds.KEPT - hours(2), state=BookingState.DONE)
    assert [event["UID"].split("@")[0] for event in read(person)] == [
        Booking.objects.get(person=person, start__gt=MONDAY).pk
    ]


def test_nothing_to_show_is_a_valid_calendar_too() -> None:
    assert read(make_person()) == []


def test_the_address_is_whose_it_is_until_it_is_changed_removed_or_they_leave() -> None:
    person = make_person()
    first = feeds.open_feed(person, at=MONDAY)
    assert feeds.address_of(person) == first
    assert feeds.person_of(first) == person
    second = feeds.open_feed(person, at=MONDAY)
    assert feeds.person_of(second) == person
    feeds.close_feed(person)
    feeds.close_feed(person)
    left = feeds.open_feed(make_person(is_active=False), at=MONDAY)
    for dead in (
        first,
        second,
        left,
        f"{second}x",
        second.replace(".", ".."),
        CalendarFeed.objects.get().pk,
        "",
    ):
        with pytest.raises(NotFound):
            feeds.person_of(dead)
