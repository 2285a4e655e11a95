"""Bookings in one's own calendar program: secret addresses, valid calendars, a UID for life (SEC-25)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from equipment.bookings import feeds, ical
from equipment.bookings.absent import release_absent
from equipment.bookings.extending import extend
from equipment.bookings.giving_back import give_back, take_back
from equipment.bookings.models import Booking, CalendarFeed
from equipment.bookings.services import cancel, move
from equipment.bookings.states import BookingState
from equipment.bookings.use import check_in, finish
from equipment.machines.models import Machine
from equipment.sites.models import Site, SiteRole
from equipment.sites.states import Role
from fablab.core.errors import NotAllowed, NotFound
from fablab.people.models import User
from tests.builders import MONDAY, hours, make_booking, make_machine, make_person, make_site, minutes
from tests.equipment.bookings.rfc5545 import Wrong, events_in

pytestmark = pytest.mark.django_db


def written(bookings: list[Booking], summary: str = "", description: str = "") -> bytes:
    return ical.calendar(
        bookings,
        told=lambda one: ical.Told(
            summary or f"{one.machine.name} – {one.machine.site.name}",
            description or f"Code : {one.code}",
            f"https://lab.example/reservations/{one.pk}/",
        ),
        name="Mes réservations",
        language="fr",
    )


def parsed(body: bytes) -> list[Any]:
    """Return the events as the library reads them; nothing in the calendar may surprise it, nor our own reading."""
    own = events_in(body)
    found = Calendar.from_ical(body)
    events = list(found.events)
    assert [*found.errors, *(error for event in events for error in event.errors)] == []
    assert [str(event["UID"]) for event in events] == [event["UID"] for event in own]
    return events


def in_feed(person: User, machine: Machine | None = None) -> list[Any]:
    return parsed(written(feeds.bookings_in(CalendarFeed(person=person, machine=machine), MONDAY)))


def one(events: list[Any]) -> Any:
    (event,) = events
    return event


def test_a_booking_keeps_its_uid_over_every_change_and_its_sequence_grows() -> None:
    booking = make_booking(start=MONDAY + hours(1))
    before = one(in_feed(booking.person))
    assert before["SEQUENCE"] == 0
    assert before["DTSTAMP"].dt == booking.created_at
    move(
        booking.pk,
        start=MONDAY + hours(3),
        end=MONDAY + hours(4),
        actor=booking.person,
        at=MONDAY + minutes(1),
    )
    moved = one(in_feed(booking.person))
    assert (moved["UID"], moved["SEQUENCE"], moved["STATUS"]) == (before["UID"], 1, "CONFIRMED")
    assert moved["DTSTART"].dt == MONDAY + hours(3)
    assert moved["LAST-MODIFIED"].dt == moved["DTSTAMP"].dt == MONDAY + minutes(1)
    cancel(booking.pk, actor=booking.person, at=MONDAY + minutes(2))
    gone = one(in_feed(booking.person))
    assert (gone["UID"], gone["SEQUENCE"], gone["STATUS"]) == (before["UID"], 2, "CANCELLED")
    assert gone["TRANSP"] == "TRANSPARENT"


def test_whatever_happens_to_a_booking_calendar_programs_see_a_newer_one_with_the_same_uid() -> None:
    site = make_site(grace_minutes=10)
    booking = make_booking(make_machine(site), start=MONDAY + hours(1))
    lea, pk = booking.person, booking.pk
    uid = one(in_feed(lea))["UID"]

    def now() -> tuple[int, str, datetime, datetime]:
        event = one(in_feed(lea))
        assert event["UID"] == uid
        return event["SEQUENCE"], event["STATUS"], event["DTSTART"].dt, event["DTEND"].dt

    begin, end = MONDAY + hours(1), MONDAY + hours(2)
    give_back(pk, actor=lea, at=MONDAY)
    assert now() == (1, "CANCELLED", begin, end)
    take_back(pk, actor=lea, at=MONDAY + timedelta(seconds=5))
    assert now() == (2, "CONFIRMED", begin, end)
    check_in(pk, actor=lea, at=begin)
    assert now() == (2, "CONFIRMED", begin, end)  # nothing that a calendar shows
    extend(pk, minutes=15, actor=lea, at=begin + minutes(5))
    assert now() == (3, "CONFIRMED", begin, end + minutes(15))
    finish(pk, actor=lea, at=begin + minutes(20))
    assert now() == (4, "CONFIRMED", begin, begin + minutes(20))

    missed = make_booking(make_machine(site), start=begin)
    release_absent(begin + minutes(11), watched_since=MONDAY, spared=lambda due: ())
    event = one(in_feed(missed.person))
    assert (event["SEQUENCE"], event["STATUS"]) == (1, "CANCELLED")

    kept = make_booking(make_machine(site), start=begin, state=BookingState.HELD)
    assert one(in_feed(kept.person))["STATUS"] == "TENTATIVE"


@settings(max_examples=60)
@given(name=st.text(max_size=90), place=st.text(max_size=200), words=st.text(max_size=300))
def test_whatever_people_call_things_the_calendar_is_valid_and_says_it(
    name: str, place: str, words: str
) -> None:
    site = Site(name="Le Lab", address=place)
    booking = Booking(
        machine=Machine(name=name, site=site), start=MONDAY, end=MONDAY + hours(1), created_at=MONDAY
    )
    event = one(parsed(written([booking], summary=f"a{name}", description=f"a{words}")))

    def readable(text: str) -> str:
        return "".join(sign for sign in text if sign == "\n" or (sign >= " " and sign != "\x7f"))

    assert str(event["SUMMARY"]) == readable(f"a{name}")
    assert str(event["DESCRIPTION"]) == readable(f"a{words}")
    assert str(event["LOCATION"]) == readable(place or site.name)
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (booking.start, booking.end)


def test_only_ones_own_bookings_of_the_last_month_and_to_come_are_in_it() -> None:
    person = make_person()
    site = make_site()
    for other in (make_person(), person):
        make_booking(make_machine(site), other, start=MONDAY + hours(1))
    make_booking(make_machine(site), person, start=MONDAY - feeds.KEPT - hours(2), state=BookingState.DONE)
    assert [event["UID"].split("@")[0] for event in in_feed(person)] == [
        Booking.objects.get(person=person, start__gt=MONDAY).pk
    ]


def test_nothing_to_show_is_a_valid_calendar_too() -> None:
    assert in_feed(make_person()) == []


def test_a_machines_feed_is_for_those_on_duty_and_dead_when_their_role_ends() -> None:
    site = make_site()
    machine = make_machine(site)
    staff, member = make_person(None, Role.STAFF, site=site), make_person(site=site)
    taken = make_booking(machine, member, start=MONDAY + hours(1))
    make_booking(make_machine(site), member, start=MONDAY + hours(1))
    address = feeds.open_feed(staff, at=MONDAY, machine_id=machine.pk)
    own = feeds.open_feed(staff, at=MONDAY)
    assert feeds.feed_at(address).machine == machine
    assert one(in_feed(staff, machine))["UID"] == f"{taken.pk}@fablab"
    with pytest.raises(NotAllowed):
        feeds.open_feed(member, at=MONDAY, machine_id=machine.pk)
    with pytest.raises(NotFound):
        feeds.open_feed(make_person(None, Role.STAFF, site=make_site()), at=MONDAY, machine_id=machine.pk)
    SiteRole.objects.filter(person=staff).update(role=Role.MEMBER)
    with pytest.raises(NotFound):
        feeds.feed_at(address)
    assert feeds.feed_at(own).person == staff


def test_an_address_is_whose_it_is_until_it_is_changed_removed_or_they_leave() -> None:
    person = make_person()
    first = feeds.open_feed(person, at=MONDAY)
    assert feeds.address_of(person) == first
    assert feeds.feed_at(first).person == person
    second = feeds.open_feed(person, at=MONDAY)
    assert feeds.feed_at(second).person == person
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
            feeds.feed_at(dead)


BROKEN = (
    (b"\r\n", b"\n"),
    (b"END:VEVENT\r\n", b""),
    (b"SUMMARY:", b"SUMMARY:" + b"x" * 80),
    (b"SUMMARY:a", b"SUMMARY:a;"),
    (b"SUMMARY:a", b"SUMMARY:\x01"),
    (b"VERSION:2.0\r\n", b""),
    (b"UID:", b"UIDS:"),
    (b"DTEND:20", b"DTEND:19"),
    (b"DTSTART:20", b"DTSTART:x"),
    (b"STATUS:CONFIRMED", b"STATUS:GONE"),
    (b"END:VEVENT", b"SEQUENCE:1\r\nEND:VEVENT"),
)


def test_our_own_reading_of_the_standard_sees_each_fault() -> None:
    booking = make_booking(start=MONDAY)
    body = written([booking], summary="a")
    assert len(events_in(body)) == 1
    for good, bad in BROKEN:
        assert good in body
        with pytest.raises(Wrong):
            events_in(body.replace(good, bad))
    with pytest.raises(Wrong):
        events_in(written([booking, booking]))
