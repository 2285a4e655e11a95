""" "Rester plus longtemps": only while it is used, when nobody follows, and within the rules."""

from typing import Any

import pytest

from equipment.bookings.extending import extend, extensions
from equipment.bookings.models import Booking
from equipment.bookings.services import cancel
from equipment.bookings.states import BookingState
from equipment.machines.models import MachineKind, Outage
from equipment.machines.states import Plate
from equipment.sites.states import Role
from fablab.core.errors import DomainError, NotFound
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
AT = MONDAY + minutes(50)


def in_use(**kind: Any) -> Booking:
    machine = make_machine(
        make_site(), kind=make_kind(**kind), plate=Plate.CLEAR, plate_token="t", plate_cleared_at=AT
    )
    return make_booking(machine, state=BookingState.IN_USE)


def refused(booking: Booking, by: int = 30, **asked: Any) -> list[str]:
    with pytest.raises(DomainError) as refusal:
        given: dict[str, Any] = {"actor": booking.person, "at": AT} | asked
        extend(booking.pk, minutes=by, **given)
    return refusal.value.codes


def test_it_is_longer_by_what_is_free_before_the_next_and_the_right_to_start_is_untouched() -> None:
    booking = in_use(buffer_minutes=10)
    following = make_booking(booking.machine, start=booking.end + minutes(45))
    assert extensions(booking, AT) == [15, 30]
    assert refused(booking, 60) == ["slot_taken"]
    longer = extend(booking.pk, minutes=30, actor=booking.person, at=AT)
    assert (longer.end, longer.held_end) == (MONDAY + minutes(90), MONDAY + minutes(100))
    assert longer.version == booking.version + 1
    booking.machine.refresh_from_db()
    assert booking.machine.plate_token == "t"
    assert extensions(longer, AT) == []
    cancel(following.pk, actor=following.person, at=AT)
    assert extensions(longer, AT) == [15, 30]  # two hours at most
    helper = make_person("Karim", Role.INSTRUCTOR, site=booking.machine.site)
    assert extend(booking.pk, minutes=15, actor=helper, at=AT).end == MONDAY + minutes(105)


def test_rules_closing_outages_and_hours_of_the_week_stand_in_the_way() -> None:
    assert refused(in_use(max_minutes=60)) == ["too_long"]
    assert refused(in_use(weekly_minutes=80)) == ["quota_used"]
    late = in_use()
    Booking.objects.filter(pk=late.pk).update(
        start=MONDAY + hours(7),
        end=MONDAY + hours(8),
        held_start=MONDAY + hours(7),
        held_end=MONDAY + hours(8),
    )
    assert refused(late, at=MONDAY + hours(7.5)) == ["site_closed"]
    broken = in_use()
    Outage.objects.create(
        machine=broken.machine, start=MONDAY - hours(1), end=MONDAY + minutes(5), reason="Buse"
    )
    assert extensions(broken, AT) == [15, 30, 60]
    Outage.objects.create(
        machine=broken.machine, start=MONDAY + hours(1), end=MONDAY + hours(2), reason="Buse"
    )
    assert refused(broken) == ["machine_out_of_order"]


def test_only_what_is_used_now_and_only_by_those_who_may() -> None:
    booking = in_use()
    MachineKind.objects.update(
        needs_certificate=True
    )  # a right that ended meanwhile sends nobody away in the middle
    assert refused(booking, at=booking.end) == ["booking_over"]
    assert refused(booking, 20) == ["extension_unknown"]
    assert extensions(make_booking(start=MONDAY), AT) == []
    assert refused(make_booking(start=MONDAY)) == ["booking_not_begun"]
    with pytest.raises(NotFound):
        extend(booking.pk, minutes=15, actor=make_person(site=booking.machine.site), at=AT)
    assert extend(booking.pk, minutes=15, actor=booking.person, at=AT).end == booking.end + minutes(15)
