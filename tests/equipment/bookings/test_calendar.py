"""What each person sees of what is booked."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from equipment.bookings.queries import booking_for, calendar, visible_bookings
from equipment.bookings.states import BookingState
from equipment.sites.states import Role
from fablab.core.errors import NotFound
from tests.builders import MONDAY, hours, make_booking, make_machine, make_person, make_site

pytestmark = pytest.mark.django_db


def test_a_member_sees_that_a_machine_is_taken_and_not_by_whom() -> None:
    machine = make_machine()
    member = make_person("Léa", site=machine.site)
    own = make_booking(machine, member, start=MONDAY)
    other = make_booking(machine, start=MONDAY + hours(2))
    found = calendar(member, MONDAY, MONDAY + hours(24))
    assert [(entry.start, entry.end, entry.booking) for entry in found] == [
        (own.start, own.end, own),
        (other.start, other.end, None),
    ]
    assert list(visible_bookings(member)) == [own]
    with pytest.raises(NotFound):
        booking_for(member, other.pk)


@pytest.mark.parametrize("role", [Role.INSTRUCTOR, Role.STAFF, Role.MANAGER])
def test_those_on_duty_see_whose_bookings_they_are_at_their_site_and_no_other(role: Role) -> None:
    booking = make_booking(start=MONDAY)
    make_booking(make_machine(), start=MONDAY)
    person = make_person("P", role, site=booking.machine.site)
    found = calendar(person, MONDAY, MONDAY + hours(24))
    assert [entry.booking for entry in found] == [booking]
    assert list(visible_bookings(person)) == [booking]


def test_somebody_without_a_role_sees_nothing() -> None:
    make_booking(start=MONDAY)
    assert calendar(make_person(), MONDAY, MONDAY + hours(24)) == []


def test_what_was_cancelled_or_released_does_not_stand_in_the_calendar() -> None:
    machine = make_machine()
    for state in (BookingState.CANCELLED, BookingState.NO_SHOW):
        make_booking(machine, start=MONDAY, state=state)
    assert calendar(make_person(site=machine.site), MONDAY, MONDAY + hours(24)) == []


def test_one_machines_calendar_is_that_machines_alone() -> None:
    site = make_site()
    one, other = make_machine(site), make_machine(site)
    make_booking(one, start=MONDAY)
    make_booking(other, start=MONDAY)
    found = calendar(make_person(site=site), MONDAY, MONDAY + hours(24), machine_ids=[one.pk])
    assert [entry.machine_id for entry in found] == [one.pk]


@pytest.mark.parametrize("count", [3, 110])
def test_a_calendar_costs_two_queries_for_any_number_of_machines(count: int) -> None:
    site = make_site()
    staff = make_person("Karim", Role.STAFF, site=site)
    for _ in range(count):
        make_booking(make_machine(site), start=MONDAY)
    with CaptureQueriesContext(connection) as queries:
        found = calendar(staff, MONDAY, MONDAY + hours(24))
        read = [
            (entry.booking.person.display_name, entry.booking.machine.name)
            for entry in found
            if entry.booking
        ]
    assert (len(read), len(queries)) == (count, 2)
