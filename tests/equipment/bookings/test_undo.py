""" "Annuler" and, for ten seconds, "Le reprendre": the time is offered to others only after that (J16)."""

from datetime import timedelta

import pytest

from equipment.bookings.giving_back import give_back, take_back
from equipment.bookings.models import WaitingEntry
from equipment.bookings.offering import end_whiles
from equipment.bookings.services import book
from equipment.bookings.states import BookingState
from equipment.machines.models import MachineKind
from equipment.sites.states import Role
from fablab.core.errors import DomainError, NotFound, Refused
from fablab.core.models import Witness
from tests.builders import MONDAY, hours, make_booking, make_person, minutes

pytestmark = pytest.mark.django_db


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def test_for_ten_seconds_it_is_nobody_elses_then_it_is() -> None:
    booking = make_booking(start=MONDAY + hours(1))
    lea = booking.person
    other = make_person(site=booking.machine.site)

    def try_it(at: timedelta) -> list[str]:
        try:
            book(person=other, machine_id=booking.machine_id, start=booking.start, end=booking.end, actor=other,
                 at=MONDAY + at)  # fmt: skip
        except DomainError as error:
            return error.codes
        return []

    MachineKind.objects.update(notice_minutes=90)  # grown since; who takes back what was theirs is not asked
    given = give_back(booking.pk, actor=lea, at=MONDAY)
    assert (given.state, given.shown_state) == (BookingState.HELD, BookingState.CANCELLED)
    with pytest.raises(Refused):
        give_back(booking.pk, actor=lea, at=MONDAY + seconds(1))
    assert take_back(booking.pk, actor=lea, at=MONDAY + seconds(9)).state == BookingState.CONFIRMED
    with pytest.raises(Refused):
        take_back(booking.pk, actor=lea, at=MONDAY + seconds(9))
    MachineKind.objects.update(notice_minutes=0)
    give_back(booking.pk, actor=lea, at=MONDAY + minutes(1))
    assert try_it(seconds(69)) == ["slot_taken"]
    with pytest.raises(NotFound):
        take_back(booking.pk, actor=other, at=MONDAY + seconds(61))
    with pytest.raises(Refused) as refusal:  # nobody has looked at the clock since
        take_back(booking.pk, actor=lea, at=MONDAY + seconds(70))
    assert refusal.value.codes == ["undo_over"]
    assert try_it(seconds(70)) == []
    booking.refresh_from_db()
    assert (booking.state, booking.ended_at) == (BookingState.CANCELLED, MONDAY + minutes(1))


def test_after_ten_seconds_it_is_held_for_who_waits() -> None:
    booking = make_booking(start=MONDAY + hours(1))
    lea = make_person("Lea", site=booking.machine.site)
    entry = WaitingEntry.objects.create(
        site=booking.machine.site, kind=booking.machine.model.kind, person=lea, from_time=booking.start,
        to_time=booking.end, minutes=60, created_at=MONDAY,
    )  # fmt: skip
    give_back(booking.pk, actor=booking.person, at=MONDAY)
    assert (end_whiles(MONDAY + seconds(9)), end_whiles(MONDAY + seconds(12))) == (0, 1)
    entry.refresh_from_db()
    assert entry.booking is not None and entry.booking.hold_until == MONDAY + seconds(10) + minutes(30)


def test_what_was_filled_meanwhile_stands_in_the_way() -> None:
    booking = make_booking(start=MONDAY + hours(1))
    give_back(booking.pk, actor=booking.person, at=MONDAY)
    make_booking(person=booking.person, start=MONDAY + hours(1))
    with pytest.raises(Refused) as refusal:
        take_back(booking.pk, actor=booking.person, at=MONDAY + seconds(5))
    assert refusal.value.codes == ["person_busy"]


def test_what_was_given_back_counts_no_more_in_the_hours_of_the_week() -> None:
    booking = make_booking(start=MONDAY + hours(1))
    lea = booking.person
    MachineKind.objects.update(weekly_minutes=60)
    give_back(booking.pk, actor=lea, at=MONDAY)
    book(person=lea, machine_id=booking.machine_id, start=MONDAY + hours(4), end=MONDAY + hours(5), actor=lea,
         at=MONDAY + seconds(3))  # fmt: skip
    with pytest.raises(Refused) as refusal:
        take_back(booking.pk, actor=lea, at=MONDAY + seconds(5))
    assert refusal.value.codes == ["quota_used"]


def test_what_others_give_back_what_is_in_use_and_what_no_clock_would_end_goes_at_once() -> None:
    booking = make_booking(start=MONDAY + hours(1))
    staff = make_person("Karim", Role.STAFF, site=booking.machine.site)
    assert give_back(booking.pk, actor=staff, at=MONDAY).state == BookingState.CANCELLED
    used = make_booking(start=MONDAY, state=BookingState.IN_USE)
    assert give_back(used.pk, actor=used.person, at=MONDAY + minutes(9)).state == BookingState.CANCELLED
    Witness.objects.create(at=MONDAY, doubted_since=MONDAY, why="stepped")
    other = make_booking(start=MONDAY + hours(1))
    assert give_back(other.pk, actor=other.person, at=MONDAY).state == BookingState.CANCELLED
