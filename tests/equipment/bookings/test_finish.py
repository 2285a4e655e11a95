""" "J’ai fini" before the time is over: the rest is free for others, what was used stays counted."""

from datetime import datetime

import pytest

from equipment.bookings.models import Booking
from equipment.bookings.services import cancel
from equipment.bookings.states import BookingState
from equipment.bookings.use import check_in, finish
from equipment.bookings.walk_up import walk_up
from equipment.machines.models import MachineKind
from equipment.sites.states import Role
from fablab.core.errors import NotFound, Refused
from tests.builders import MONDAY, hours, make_booking, make_person, minutes

pytestmark = pytest.mark.django_db


def in_use(start: datetime = MONDAY) -> Booking:
    return make_booking(start=start, state=BookingState.IN_USE)


def test_the_rest_can_be_booked_and_what_was_used_stays_counted() -> None:
    booking = in_use()
    done = finish(booking.pk, actor=booking.person, at=MONDAY + minutes(20))
    assert (done.state, done.end, done.ended_at) == (
        BookingState.DONE,
        MONDAY + minutes(20),
        MONDAY + minutes(20),
    )
    other = make_person(site=booking.machine.site)
    later = MONDAY + minutes(21)
    assert walk_up(person=other, machine_id=booking.machine_id, at=later).start == later


def test_who_walked_up_this_very_second_can_end_it_too() -> None:
    booking = in_use()
    assert finish(booking.pk, actor=booking.person, at=MONDAY).end > booking.start


@pytest.mark.parametrize("role", [Role.INSTRUCTOR, Role.STAFF, Role.MANAGER])
def test_those_on_duty_end_it_for_somebody_who_left(role: Role) -> None:
    booking = in_use()
    helper = make_person("P", role, site=booking.machine.site)
    assert finish(booking.pk, actor=helper, at=MONDAY + minutes(1)).state == BookingState.DONE


def test_to_other_members_it_is_unknown() -> None:
    booking = in_use()
    with pytest.raises(NotFound):
        finish(booking.pk, actor=make_person(site=booking.machine.site), at=MONDAY)


def test_what_has_not_begun_or_is_over_is_refused() -> None:
    early, over = make_booking(start=MONDAY + hours(1)), in_use()
    for booking, code in ((early, "booking_not_begun"), (over, "booking_over")):
        with pytest.raises(Refused) as refusal:
            finish(
                booking.pk, actor=booking.person, at=MONDAY + (hours(1) if booking is over else minutes(0))
            )
        assert refusal.value.codes == [code]
    twice = in_use()
    finish(twice.pk, actor=twice.person, at=MONDAY + minutes(1))
    with pytest.raises(Refused) as refusal:
        finish(twice.pk, actor=twice.person, at=MONDAY + minutes(2))
    assert refusal.value.codes == ["booking_over"]


def test_who_checked_in_before_the_time_gives_it_back_instead() -> None:
    booking = make_booking(start=MONDAY + minutes(10))
    check_in(booking.pk, actor=booking.person, at=MONDAY)
    with pytest.raises(Refused) as refusal:
        finish(booking.pk, actor=booking.person, at=MONDAY)
    assert refusal.value.codes == ["booking_not_begun"]
    assert cancel(booking.pk, actor=booking.person, at=MONDAY).state == BookingState.CANCELLED


def test_a_buffer_that_grew_since_the_booking_takes_nothing_from_the_next_one() -> None:
    booking = in_use()
    following = make_booking(booking.machine, start=booking.end)
    MachineKind.objects.update(buffer_minutes=30)
    done = finish(booking.pk, actor=booking.person, at=booking.end - minutes(10))
    assert (done.end, done.held_end) == (booking.end - minutes(10), booking.end - minutes(10))
    assert following.held_start == booking.end
