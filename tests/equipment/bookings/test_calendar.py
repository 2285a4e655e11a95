"""What each person sees of what is booked, and what those on duty read of days and weeks."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from equipment.bookings.queries import booking_for, visible_bookings
from equipment.bookings.states import BookingState
from equipment.bookings.timetable import Entry, entries_of, lines_of
from equipment.machines.models import Machine, Outage
from equipment.sites.states import Role
from fablab.core.clock import Span
from fablab.core.errors import NotFound
from fablab.people.models import User
from tests.builders import MONDAY, hours, make_booking, make_machine, make_person, make_site

pytestmark = pytest.mark.django_db
DAY = (MONDAY, MONDAY + hours(24))


def of(machine: Machine) -> list[Entry]:
    return entries_of([machine.pk], *DAY)[machine.pk]


def test_a_member_sees_their_own_bookings_and_nobody_elses() -> None:
    machine = make_machine()
    member = make_person("Léa", site=machine.site)
    own = make_booking(machine, member, start=MONDAY)
    other = make_booking(machine, start=MONDAY + hours(2))
    assert list(visible_bookings(member)) == [own]
    with pytest.raises(NotFound):
        booking_for(member, other.pk)


@pytest.mark.parametrize("role", [Role.INSTRUCTOR, Role.STAFF, Role.MANAGER])
def test_those_on_duty_see_whose_bookings_they_are_at_their_site_and_no_other(role: Role) -> None:
    booking = make_booking(start=MONDAY)
    make_booking(make_machine(), start=MONDAY)
    person = make_person("P", role, site=booking.machine.site)
    assert list(visible_bookings(person)) == [booking]


def test_somebody_without_a_role_sees_nothing() -> None:
    make_booking(start=MONDAY)
    assert not visible_bookings(make_person()).exists()


def test_a_days_entries_say_when_whose_and_what_it_is_by_now() -> None:
    machine = make_machine()
    lea = make_person("Léa", site=machine.site)
    used = make_booking(machine, lea, start=MONDAY, state=BookingState.IN_USE, ended_at=MONDAY + hours(1))
    group = make_booking(machine, lea, start=MONDAY + hours(2), title="Atelier broderie")
    make_booking(machine, lea, start=MONDAY + hours(24))
    make_booking(machine, lea, start=MONDAY - hours(1))
    first, second = of(machine)
    assert first == (used.pk, used.start, used.end, BookingState.DONE, used.code, "", "Léa")
    assert (second.booking_id, second.state, second.title) == (
        group.pk,
        BookingState.CONFIRMED,
        "Atelier broderie",
    )
    User.objects.filter(pk=lea.pk).update(display_name="", erased_at=MONDAY)
    with override("fr"):
        assert {entry.who for entry in of(machine)} == {"Personne effacée"}


def test_what_was_given_back_does_not_stand_in_the_calendar() -> None:
    machine = make_machine()
    for state in (BookingState.CANCELLED, BookingState.NO_SHOW):
        make_booking(machine, start=MONDAY, state=state)
    make_booking(machine, start=MONDAY, state=BookingState.HELD, ended_at=MONDAY)
    kept = make_booking(machine, start=MONDAY + hours(3), state=BookingState.HELD)
    assert [(entry.booking_id, entry.state) for entry in of(machine)] == [(kept.pk, BookingState.HELD)]


def test_a_places_lines_are_its_machines_in_use_by_kind_and_name_with_what_is_out_of_order() -> None:
    site = make_site()
    second, first = make_machine(site, "B"), make_machine(site, "A", model=None)
    make_machine(site, "C", retired_at=MONDAY)
    make_machine(make_site())
    Outage.objects.create(machine=first, start=MONDAY - hours(1), end=MONDAY + hours(1))
    Outage.objects.create(machine=first, start=MONDAY + hours(5))
    Outage.objects.create(machine=first, start=MONDAY - hours(9), end=MONDAY)
    found = {line.machine_id: line for line in lines_of(site.pk, *DAY)}
    assert set(found) == {first.pk, second.pk}
    assert found[first.pk].out == [Span(MONDAY, MONDAY + hours(1)), Span(MONDAY + hours(5), DAY[1])]
    assert (found[second.pk].out, found[second.pk].kind) == ([], second.model.kind.name)


def test_a_week_of_a_hundred_and_ten_machines_is_two_questions_and_one_of_old_years_not_one_row_more() -> (
    None
):
    site = make_site()
    for _ in range(110):
        machine = make_machine(site)
        make_booking(machine, start=MONDAY)
        make_booking(machine, start=MONDAY - hours(24 * 400), state=BookingState.DONE)
    with CaptureQueriesContext(connection) as queries:
        lines = lines_of(site.pk, *DAY)
        entries = entries_of([line.machine_id for line in lines], *DAY)
    assert (len(lines), sum(map(len, entries.values())), len(queries)) == (110, 110, 2)
