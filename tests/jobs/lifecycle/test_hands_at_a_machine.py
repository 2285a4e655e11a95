"""At a machine that reports nothing, hands may leave something each time a use begins or ends (REL-17)."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from equipment.bookings.models import Booking
from equipment.bookings.services import book, cancel
from equipment.bookings.states import BookingState
from equipment.bookings.use import check_in, end_uses, finish, right_to_start
from equipment.machines import said
from equipment.machines.models import Machine, MachineKind
from equipment.machines.states import USED_AT_MOST
from fablab.core.errors import Conflict, Refused
from fablab.core.models import Witness
from jobs.dispatch.starting import start_what_lies_ready
from jobs.lifecycle.press import clear_plate
from jobs.lifecycle.states import State
from tests.builders import MONDAY, make_booking, minutes
from tests.builders_jobs import Cast, make_cast, make_job, make_linked_machine

pytestmark = pytest.mark.django_db
CAME, CLEARED, ENDS, AFTER = MONDAY, MONDAY + minutes(5), MONDAY + minutes(70), MONDAY + minutes(71)


@pytest.fixture
def cast() -> Cast:
    cast = make_cast(at=MONDAY)
    cast.model.formats = ["gcode"]
    cast.model.save()
    return cast


@pytest.fixture
def cutter(cast: Cast) -> Machine:
    """One that is started by line and never says what happens to it; it may start by itself."""
    return make_linked_machine(
        cast.site, cast.model, at=MONDAY, driver="rawtcp", address="10.0.0.9:9100", auto_start=True
    )


def used(cast: Cast, machine: Machine) -> Booking:
    """Somebody comes a little early to a time that ends at ``ENDS``."""
    booking = make_booking(machine, cast.person("other_member"), start=MONDAY + minutes(10), minutes=60)
    return check_in(booking.pk, actor=booking.person, at=CAME)


def clears(cast: Cast, machine: Machine, at: datetime, **seen: int) -> Machine:
    return clear_plate(machine.pk, actor=cast.person("staff"), at=at, **seen)


def by_a_tap(cast: Cast, machine: Machine, booking: Booking) -> None:
    finish(booking.pk, actor=booking.person, at=MONDAY + minutes(50))


def given_up(cast: Cast, machine: Machine, booking: Booking) -> None:
    cancel(booking.pk, actor=booking.person, at=MONDAY + minutes(7))


def by_the_clock(cast: Cast, machine: Machine, booking: Booking) -> None:
    pass


def by_the_clock_and_noted(cast: Cast, machine: Machine, booking: Booking) -> None:
    assert end_uses(ENDS) == 1


ENDINGS = [by_a_tap, given_up, by_the_clock, by_the_clock_and_noted]
Ending = Callable[[Cast, Machine, Booking], None]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_plate_cleared_during_a_use_gives_no_right_after_it(
    cast: Cast, cutter: Machine, ending: Ending
) -> None:
    booking = used(cast, cutter)
    clears(cast, cutter, CLEARED)
    make_job(cast, state=State.LOADED, at=MONDAY, on=cutter)
    ending(cast, cutter, booking)
    Machine.objects.filter(pk=cutter.pk).update(seen_at=AFTER)
    cutter.refresh_from_db()
    assert not right_to_start(cutter, AFTER)
    assert start_what_lies_ready({cutter.pk: cutter.lease_number}, at=AFTER) == []


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_page_opened_during_a_use_clears_nothing_after_it(
    cast: Cast, cutter: Machine, ending: Ending
) -> None:
    booking = used(cast, cutter)
    cutter.refresh_from_db()
    shown = cutter.plate_number
    ending(cast, cutter, booking)
    with pytest.raises(Conflict) as refusal:
        clears(cast, cutter, AFTER, seen_plate=shown)
    assert refusal.value.codes == ["plate_used_since"]
    cutter.refresh_from_db()  # the page that comes with the refusal is a fresh one
    assert right_to_start(clears(cast, cutter, AFTER, seen_plate=cutter.plate_number), AFTER)


def test_nothing_starts_by_itself_while_somebody_uses_the_machine(cast: Cast, cutter: Machine) -> None:
    used(cast, cutter)
    clears(cast, cutter, CLEARED)
    make_job(cast, state=State.LOADED, at=MONDAY, on=cutter)
    Machine.objects.filter(pk=cutter.pk).update(seen_at=CLEARED)
    assert start_what_lies_ready({cutter.pk: cutter.lease_number}, at=MONDAY + minutes(20)) == []


def test_hands_that_staff_told_of_leave_a_plate_to_look_at_whether_somebody_says_when_they_go_or_not(
    cast: Cast, cutter: Machine
) -> None:
    said.take_in_use(cutter.pk, actor=cast.person("staff"), at=CAME)
    machine = clears(cast, cutter, CLEARED)
    late = CAME + USED_AT_MOST
    machine.site.opening_hours.update(opens=0, closes=24 * 60)
    assert right_to_start(machine, CLEARED)
    assert not right_to_start(machine, late)
    said.set_free(cutter.pk, actor=cast.person("staff"), at=CLEARED + timedelta(minutes=1))
    cutter.refresh_from_db()
    assert cutter.plate_token == ""


def test_uses_that_are_over_are_done_and_those_that_go_on_are_not(cast: Cast, cutter: Machine) -> None:
    over = used(cast, cutter)
    other = make_linked_machine(cast.site, cast.model, at=MONDAY)
    going_on = make_booking(other, cast.person("owner"), start=MONDAY, minutes=90, state=BookingState.IN_USE)
    missed = make_booking(other, cast.person("owner"), start=MONDAY - minutes(90), minutes=60)
    assert (end_uses(ENDS), end_uses(ENDS)) == (1, 0)
    for booking in (over, going_on, missed):
        booking.refresh_from_db()
    assert (over.state, over.ended_at) == (BookingState.DONE, ENDS)
    assert (going_on.state, missed.state) == (BookingState.IN_USE, BookingState.CONFIRMED)


def test_the_buffer_after_a_use_is_held_however_it_ended_and_people_read_that_it_is_over(
    cast: Cast, cutter: Machine
) -> None:
    MachineKind.objects.update(buffer_minutes=20)
    cutter.refresh_from_db()
    booking = make_booking(cutter, cast.person("owner"), start=MONDAY, minutes=60, state=BookingState.IN_USE)
    end_uses(booking.end)
    booking.refresh_from_db()
    assert (booking.state, booking.shown_state) == (BookingState.IN_USE, BookingState.DONE)
    with pytest.raises(Refused) as refusal:
        book(
            person=cast.person("owner"),
            machine_id=cutter.pk,
            start=booking.end,
            end=booking.end + minutes(30),
            actor=cast.person("owner"),
            at=booking.end,
        )
    assert "slot_taken" in refusal.value.codes
    end_uses(booking.held_end)
    booking.refresh_from_db()
    assert booking.state == BookingState.DONE


def test_a_clock_that_is_doubted_ends_nobodys_use_and_a_plate_can_be_cleared_all_the_same(
    cast: Cast, cutter: Machine
) -> None:
    booking = used(cast, cutter)
    Witness.objects.create(at=AFTER, doubted_since=AFTER, why="stepped")
    machine = clears(cast, cutter, AFTER)
    booking.refresh_from_db()
    assert (booking.state, booking.ended_at) == (BookingState.IN_USE, None)
    assert right_to_start(machine, AFTER)


def test_who_checked_in_early_is_there_already(cast: Cast, cutter: Machine) -> None:
    used(cast, cutter)
    clears(cast, cutter, CLEARED)
    make_job(cast, state=State.LOADED, at=MONDAY, on=cutter)
    Machine.objects.filter(pk=cutter.pk).update(seen_at=CLEARED)
    assert start_what_lies_ready({cutter.pk: cutter.lease_number}, at=CLEARED) == []
