"""A machine goes out of order while people have booked it (``equipment.bookings.hit``)."""

import pytest

from equipment.bookings import hit
from equipment.bookings.states import BookingState
from equipment.machines.models import Machine
from equipment.sites.states import Role
from fablab.core.errors import Refused
from fablab.notices.queries import unread_of
from fablab.notices.services import mark_seen
from fablab.people.models import User
from tests.builders import MONDAY, hours, make_booking, make_linked_machine, make_person, make_site

pytestmark = pytest.mark.django_db


@pytest.fixture
def machine() -> Machine:
    return make_linked_machine(make_site(), "Ada")


@pytest.fixture
def staff(machine: Machine) -> User:
    return make_person("karim", Role.STAFF, site=machine.site)


def test_everybody_who_has_booked_it_is_told_once_with_the_way_to_their_booking(
    machine: Machine, staff: User
) -> None:
    coming = make_booking(machine, start=MONDAY + hours(24))
    over = make_booking(machine, start=MONDAY - hours(3))
    cancelled = make_booking(machine, start=MONDAY + hours(30), state=BookingState.CANCELLED)
    hit.put_out_of_order(machine.pk, actor=staff, reason="La buse est bouchée.", at=MONDAY)
    (notice,) = unread_of(coming.person)
    assert (notice.code, notice.link) == ("booking_out_of_order", f"/reservations/{coming.pk}/empechee/")
    assert unread_of(over.person) == unread_of(cancelled.person) == []
    hit.put_out_of_order(machine.pk, actor=None, reason="Elle le dit aussi.", at=MONDAY)
    assert len(unread_of(coming.person)) == 1


def test_what_was_refused_tells_nobody(machine: Machine, staff: User) -> None:
    hit.put_out_of_order(machine.pk, actor=staff, reason="Cassée", at=MONDAY)
    later = make_booking(machine, start=MONDAY + hours(24))
    with pytest.raises(Refused):
        hit.put_out_of_order(machine.pk, actor=staff, reason="Cassée", at=MONDAY)
    assert unread_of(later.person) == []


def test_who_read_it_is_told_that_the_machine_works_again_and_others_never_hear_of_it(
    machine: Machine, staff: User
) -> None:
    read, unread = (make_booking(machine, start=MONDAY + hours(n)) for n in (24, 26))
    hit.put_out_of_order(machine.pk, actor=staff, reason="Cassée", at=MONDAY)
    mark_seen(read.person, unread_of(read.person)[0].pk, at=MONDAY)
    hit.back_in_service(machine.pk, actor=staff, at=MONDAY + hours(1))
    assert [notice.code for notice in unread_of(read.person)] == ["booking_machine_back"]
    assert unread_of(unread.person) == []


def test_a_booking_says_that_its_machine_is_out_of_order_as_long_as_it_is(
    machine: Machine, staff: User
) -> None:
    booking = make_booking(machine, start=MONDAY + hours(24))
    assert hit.hit_by([booking], MONDAY) == {}
    booking.machine = hit.put_out_of_order(machine.pk, actor=staff, reason="Cassée", at=MONDAY)
    assert hit.hit_by([booking], MONDAY) == {booking.pk: "out_of_order"}
    assert hit.hit_by([booking], booking.end) == {}
