"""Giving a booked time back: what happens, and who may."""

from datetime import timedelta

import pytest

from equipment.bookings.services import book, cancel
from equipment.bookings.states import HOLDING, BookingState
from equipment.sites.states import Role
from fablab.core.errors import NotFound, Refused
from tests.builders import MONDAY, hours, make_booking, make_machine, make_person, make_site

pytestmark = pytest.mark.django_db


def test_a_cancelled_booking_says_when_and_its_time_can_be_booked_again() -> None:
    booking = make_booking(start=MONDAY + hours(1))
    cancelled = cancel(booking.pk, actor=booking.person, at=MONDAY)
    assert (cancelled.state, cancelled.ended_at) == (BookingState.CANCELLED, MONDAY)
    other = make_person(site=booking.machine.site)
    again = book(
        person=other,
        machine_id=booking.machine_id,
        start=booking.start,
        end=booking.end,
        actor=other,
        at=MONDAY,
    )
    assert again.state == BookingState.CONFIRMED


def test_the_rest_of_a_booking_that_runs_can_be_given_back() -> None:
    booking = make_booking(start=MONDAY, state=BookingState.IN_USE)
    assert cancel(booking.pk, actor=booking.person, at=MONDAY + hours(0.5)).state == BookingState.CANCELLED


def test_a_past_booking_cannot_be_cancelled() -> None:
    booking = make_booking(start=MONDAY)
    for later in (hours(1), timedelta(days=9)):
        with pytest.raises(Refused) as refusal:
            cancel(booking.pk, actor=booking.person, at=MONDAY + later)
        assert refusal.value.codes == ["booking_over"]


@pytest.mark.parametrize("state", sorted(set(BookingState) - HOLDING))
def test_an_ended_booking_cannot_be_cancelled(state: BookingState) -> None:
    booking = make_booking(start=MONDAY + hours(1), state=state)
    with pytest.raises(Refused) as refusal:
        cancel(booking.pk, actor=booking.person, at=MONDAY)
    assert refusal.value.codes == ["booking_over"]
    booking.refresh_from_db()
    assert booking.state == state


@pytest.mark.parametrize(
    ("role", "may"),
    [(Role.MEMBER, False), (Role.INSTRUCTOR, True), (Role.STAFF, True), (Role.MANAGER, True)],
)
def test_those_on_duty_cancel_for_others_and_to_members_others_bookings_are_unknown(
    role: Role, may: bool
) -> None:
    booking = make_booking(start=MONDAY + hours(1))
    actor = make_person("P", role, site=booking.machine.site)
    if may:
        assert cancel(booking.pk, actor=actor, at=MONDAY).state == BookingState.CANCELLED
    else:
        with pytest.raises(NotFound):
            cancel(booking.pk, actor=actor, at=MONDAY)
    booking.refresh_from_db()
    assert (booking.state == BookingState.CANCELLED) is may


@pytest.mark.parametrize("role", list(Role))
def test_a_booking_of_another_site_is_unknown_to_every_role(role: Role) -> None:
    booking = make_booking(start=MONDAY + hours(1))
    stranger = make_person("P", role, site=make_site())
    with pytest.raises(NotFound):
        cancel(booking.pk, actor=stranger, at=MONDAY)


def test_who_is_no_member_any_more_can_still_give_their_time_back() -> None:
    machine = make_machine()
    person = make_person("Léa")
    booking = make_booking(machine, person, start=MONDAY + hours(1))
    assert cancel(booking.pk, actor=person, at=MONDAY).state == BookingState.CANCELLED
