"""Moving a booking: the rules of a new one, without standing in one's own way; and checking in."""

import pytest

from equipment.bookings.services import move
from equipment.bookings.states import BookingState
from equipment.bookings.use import check_in
from equipment.sites.states import Role
from fablab.core.errors import NotFound, Refused
from tests.builders import (
    MONDAY,
    hours,
    make_booking,
    make_kind,
    make_machine,
    make_person,
    make_site,
    minutes,
)

pytestmark = pytest.mark.django_db


def test_a_booking_moves_also_over_its_own_old_time_and_keeps_its_code() -> None:
    machine = make_machine(kind=make_kind(buffer_minutes=10))
    booking = make_booking(machine, start=MONDAY + hours(1))
    moved = move(
        booking.pk, start=MONDAY + hours(1.5), end=MONDAY + hours(3), actor=booking.person, at=MONDAY
    )
    assert (moved.pk, moved.code) == (booking.pk, booking.code)
    assert (moved.start, moved.end) == (MONDAY + hours(1.5), MONDAY + hours(3))
    assert moved.held_end == moved.end + minutes(10)


def test_a_move_is_refused_by_the_rules_of_a_new_booking_and_changes_nothing() -> None:
    machine = make_machine()
    make_booking(machine, start=MONDAY + hours(3))
    booking = make_booking(machine, start=MONDAY + hours(1))
    with pytest.raises(Refused) as refusal:
        move(booking.pk, start=MONDAY + hours(3), end=MONDAY + hours(8.5), actor=booking.person, at=MONDAY)
    assert refusal.value.codes == ["site_closed", "too_long", "slot_taken"]
    assert len(refusal.value.extra["alternatives"]) == 3
    booking.refresh_from_db()
    assert booking.start == MONDAY + hours(1)


def test_a_member_in_whose_name_a_workshop_stands_moves_it_within_what_limits_a_person() -> None:
    machine = make_machine()
    workshop = make_booking(machine, start=MONDAY + hours(1), title="Atelier")
    start, end = MONDAY + hours(1), MONDAY + hours(5)
    with pytest.raises(Refused) as refusal:
        move(workshop.pk, start=start, end=end, actor=workshop.person, at=MONDAY)
    assert refusal.value.codes == ["too_long"]
    teacher = make_person("Ines", Role.INSTRUCTOR, site=machine.site)
    assert move(workshop.pk, start=start, end=end, actor=teacher, at=MONDAY).end == end


@pytest.mark.parametrize("state", sorted(set(BookingState) - {BookingState.CONFIRMED}))
def test_only_a_booking_that_has_not_begun_moves(state: BookingState) -> None:
    booking = make_booking(start=MONDAY + hours(1), state=state)
    with pytest.raises(Refused) as refusal:
        move(booking.pk, start=MONDAY + hours(2), end=MONDAY + hours(3), actor=booking.person, at=MONDAY)
    assert refusal.value.codes == ["booking_over"]


@pytest.mark.parametrize(
    ("role", "may"),
    [(Role.MEMBER, False), (Role.INSTRUCTOR, True), (Role.STAFF, True), (Role.MANAGER, True)],
)
@pytest.mark.parametrize("here", [True, False])
def test_those_on_duty_at_the_site_move_and_check_in_for_others(role: Role, may: bool, here: bool) -> None:
    booking = make_booking(start=MONDAY)
    actor = make_person("P", role, site=booking.machine.site if here else make_site())
    if may and here:
        assert check_in(booking.pk, actor=actor, at=MONDAY).state == BookingState.IN_USE
    else:
        with pytest.raises(NotFound):
            check_in(booking.pk, actor=actor, at=MONDAY)
        with pytest.raises(NotFound):
            move(booking.pk, start=MONDAY + hours(2), end=MONDAY + hours(3), actor=actor, at=MONDAY)


def test_people_check_in_from_a_quarter_of_an_hour_before_the_start_to_the_end() -> None:
    booking = make_booking(start=MONDAY + hours(1))
    with pytest.raises(Refused) as refusal:
        check_in(booking.pk, actor=booking.person, at=MONDAY + minutes(44))
    assert refusal.value.codes == ["booking_not_begun"]
    assert check_in(booking.pk, actor=booking.person, at=MONDAY + minutes(45)).state == BookingState.IN_USE
    assert check_in(booking.pk, actor=booking.person, at=MONDAY + hours(1)).state == BookingState.IN_USE
    with pytest.raises(Refused) as refusal:
        check_in(booking.pk, actor=booking.person, at=MONDAY + hours(2))
    assert refusal.value.codes == ["booking_over"]
