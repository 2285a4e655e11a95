"""An announced power cut: what it closes, who may announce it, who is told (``equipment.bookings.hit``)."""

from datetime import datetime

import pytest

from equipment.bookings import hit, obstacles
from equipment.bookings.finding import free_intervals
from equipment.bookings.services import book
from equipment.machines.models import Machine
from equipment.sites.models import PowerCut
from equipment.sites.queries import open_until, opening, power_cuts_to_come
from equipment.sites.states import Role
from fablab.core.clock import Span
from fablab.core.errors import Malformed, NotAllowed, NotFound, Refused
from fablab.notices.queries import unread_of
from tests.builders import MONDAY, hours, make_booking, make_linked_machine, make_person, make_site, minutes

pytestmark = pytest.mark.django_db

NOON = MONDAY + hours(2)  # 12:00 in Paris
ONE = NOON + hours(1)


@pytest.fixture
def machine() -> Machine:
    return make_linked_machine(make_site(), "Ada")


def announce(machine: Machine, start: datetime = NOON, end: datetime = ONE) -> PowerCut:
    staff = make_person("karim", Role.STAFF, site=machine.site)
    return hit.announce_power_cut(
        site_id=machine.site_id, start=start, end=end, reason="Travaux", actor=staff, at=MONDAY
    )


def test_the_place_counts_as_closed_while_the_power_is_cut(machine: Machine) -> None:
    closing = open_until(machine.site, MONDAY)
    announce(machine)
    spans = opening(machine.site, MONDAY, MONDAY + hours(10))
    assert closing is not None
    assert spans == [Span(MONDAY, NOON), Span(NOON + hours(1), closing)]
    assert open_until(machine.site, MONDAY) == NOON  # a print that would run into it is not started
    assert open_until(machine.site, NOON + minutes(5)) is None
    assert open_until(machine.site, NOON + hours(1)) == closing


def test_free_times_leave_it_out_and_a_booking_in_it_is_refused_with_the_reason(machine: Machine) -> None:
    announce(machine)
    free = free_intervals(machine, MONDAY, MONDAY + hours(10), 30)
    assert all(span.end <= NOON or span.start >= NOON + hours(1) for span in free)
    lea = make_person("lea", site=machine.site)
    with pytest.raises(Refused) as refusal:
        book(
            person=lea,
            machine_id=machine.pk,
            start=NOON - minutes(30),
            end=NOON + minutes(30),
            actor=lea,
            at=MONDAY,
        )
    (problem,) = refusal.value.problems
    assert (problem.code, problem.params) == ("site_closed", {"why": "power_cut"})


def test_those_who_booked_in_that_time_are_told_and_nobody_else(machine: Machine) -> None:
    inside = make_booking(machine, start=NOON + minutes(30), minutes=60)
    after = make_booking(machine, start=NOON + hours(3))
    elsewhere = make_booking(make_linked_machine(), start=NOON)
    announce(machine)
    (notice,) = unread_of(inside.person)
    assert (notice.code, notice.link) == ("booking_power_cut", f"/reservations/{inside.pk}/empechee/")
    assert notice.params["machine"] == "Ada"
    assert unread_of(after.person) == unread_of(elsewhere.person) == []
    assert obstacles.hit_by([inside, after, elsewhere], MONDAY) == {inside.pk: "power_cut"}


def test_a_cut_that_is_taken_back_opens_the_time_again_and_takes_its_message_back(machine: Machine) -> None:
    booking = make_booking(machine, start=NOON)
    cut = announce(machine)
    staff = cut.announced_by
    assert staff is not None
    assert hit.cancel_power_cut(cut.pk, actor=staff, at=MONDAY) == machine.site_id
    assert unread_of(booking.person) == []
    assert power_cuts_to_come(machine.site_id, MONDAY) == []
    assert open_until(machine.site, NOON) is not None


def test_cuts_to_come_are_listed_and_past_ones_are_not(machine: Machine) -> None:
    later = announce(machine, NOON + hours(24), NOON + hours(26))
    soon = announce(machine)
    assert power_cuts_to_come(machine.site_id, MONDAY) == [soon, later]
    assert power_cuts_to_come(machine.site_id, NOON + hours(1)) == [later]


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (NOON, NOON, "cut_ends_before_it_begins"),
        (MONDAY - hours(3), MONDAY - hours(1), "cut_is_over"),
        (NOON, NOON + hours(24 * 15), "cut_too_long"),
    ],
)
def test_a_cut_that_makes_no_sense_is_refused(
    machine: Machine, start: datetime, end: datetime, code: str
) -> None:
    with pytest.raises(Malformed) as refusal:
        announce(machine, start, end)
    assert refusal.value.codes == [code]


def test_only_the_places_staff_announce_and_cancel(machine: Machine) -> None:
    cut = announce(machine)
    member = make_person("lea", site=machine.site)
    instructor = make_person("ines", Role.INSTRUCTOR, site=machine.site)
    for actor in (member, instructor):
        with pytest.raises(NotAllowed):
            hit.cancel_power_cut(cut.pk, actor=actor, at=MONDAY)
        with pytest.raises(NotAllowed):
            hit.announce_power_cut(
                site_id=machine.site_id, start=NOON, end=NOON + hours(1), actor=actor, at=MONDAY
            )
    stranger = make_person("zoe", Role.STAFF, site=make_site())
    with pytest.raises(NotFound):
        hit.cancel_power_cut(cut.pk, actor=stranger, at=MONDAY)
