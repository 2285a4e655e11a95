"""Machines go out of order and places close while people have booked (``equipment.bookings.hit``, ``obstacles``)."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from equipment.bookings import hit, obstacles, services
from equipment.bookings.models import Booking, WaitingEntry
from equipment.bookings.states import BookingState
from equipment.machines.models import Machine
from equipment.sites.states import Role
from fablab.core.errors import Refused
from fablab.notices.queries import unread_of
from fablab.notices.services import mark_seen
from fablab.people.models import User
from tests.builders import MONDAY, hours, make_booking, make_linked_machine, make_person, make_site, minutes

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
    assert obstacles.hit_by([booking], MONDAY) == {}
    booking.machine = hit.put_out_of_order(machine.pk, actor=staff, reason="Cassée", at=MONDAY)
    assert obstacles.hit_by([booking], MONDAY) == {booking.pk: "out_of_order"}
    assert obstacles.hit_by([booking], booking.end) == {}


def codes_of(person: User) -> list[str]:
    return sorted(notice.code for notice in unread_of(person))


def test_a_planned_outage_tells_those_it_hits_once_and_when_it_shrinks_those_it_lets_go(
    machine: Machine, staff: User
) -> None:
    first, last, after = (make_booking(machine, start=MONDAY + hours(n)) for n in (24, 26, 28))
    outage = hit.plan_outage(
        machine.pk,
        start=MONDAY + hours(24),
        end=MONDAY + hours(28),
        reason="Révision",
        actor=staff,
        at=MONDAY,
    )
    assert [codes_of(one.person) for one in (first, last, after)] == [["booking_outage"]] * 2 + [[]]
    mark_seen(last.person, unread_of(last.person)[0].pk, at=MONDAY)
    hit.end_outage(outage.pk, end=MONDAY + hours(26), actor=staff, at=MONDAY)
    assert [codes_of(one.person) for one in (first, last)] == [["booking_outage"], ["booking_machine_back"]]
    assert obstacles.hit_by([first, last, after], MONDAY) == {first.pk: "out_of_order"}
    assert [one.pk for one in obstacles.hit_if_out(machine, outage.start, after.start, MONDAY)] == [
        first.pk,
        last.pk,
    ]


def test_nobody_is_told_that_it_works_again_while_something_else_stands_in_the_way(
    machine: Machine, staff: User
) -> None:
    booking = make_booking(machine, start=MONDAY + hours(24))
    day = booking.start.date()
    closure = hit.close_site(
        site_id=machine.site_id, first_day=day, last_day=day, reason="Pont", actor=staff, at=MONDAY
    )
    hit.put_out_of_order(machine.pk, actor=staff, reason="Cassée", at=MONDAY)
    assert codes_of(booking.person) == ["booking_closed", "booking_out_of_order"]
    for notice in unread_of(booking.person):
        mark_seen(booking.person, notice.pk, at=MONDAY)
    hit.back_in_service(machine.pk, actor=staff, at=MONDAY + hours(1))
    assert codes_of(booking.person) == []
    booking = Booking.objects.select_related("machine__site").get(pk=booking.pk)
    (found,) = obstacles.obstacles([booking], MONDAY).values()
    assert (found.why, found.reason) == ("closed", "Pont")
    hit.open_again(closure.pk, actor=staff, at=MONDAY + hours(2))
    assert codes_of(booking.person) == ["booking_open_again"]
    assert obstacles.hit_by([booking], MONDAY) == {}


def test_a_guess_tells_only_those_before_it_and_when_it_was_wrong_the_others_too(
    machine: Machine, staff: User
) -> None:
    soon, later = (make_booking(machine, start=MONDAY + hours(n)) for n in (2, 26))
    hit.put_out_of_order(
        machine.pk, actor=staff, reason="Carte mère", at=MONDAY, expected_end=MONDAY + hours(20)
    )
    machine.refresh_from_db()
    assert (codes_of(soon.person), codes_of(later.person)) == (["booking_out_of_order"], [])
    assert set(obstacles.hit_by([soon, later], MONDAY)) == {soon.pk}
    assert hit.tell_of_wrong_guesses(MONDAY + hours(19)) == 0
    assert [hit.tell_of_wrong_guesses(MONDAY + hours(20)) for _ in range(2)] == [1, 0]
    assert codes_of(later.person) == ["booking_out_of_order"]
    assert set(obstacles.hit_by([soon, later], MONDAY + hours(20))) == {later.pk}
    mark_seen(later.person, unread_of(later.person)[0].pk, at=MONDAY)
    (outage,) = machine.outages.all()
    for guess, said in ((25, ["booking_expected_back"]), (30, ["booking_expected_back"])):
        hit.expect_back(outage.pk, expected_end=MONDAY + hours(guess), actor=staff, at=MONDAY + hours(21))
        assert codes_of(later.person) == said
        assert (later.pk in obstacles.hit_by([later], MONDAY + hours(21))) is (guess == 30)


def test_closed_days_hit_all_from_midnight_on_and_the_night_that_belongs_to_the_last() -> None:
    """Open from noon to two in the morning."""
    site = make_site(opens=[(12 * 60, 26 * 60)], zone="Indian/Reunion")
    machine = make_linked_machine(site, "Ada")
    staff = make_person("karim", Role.STAFF, site=site)
    closed = date(2026, 11, 25)
    midnight = datetime(2026, 11, 25, tzinfo=ZoneInfo("Indian/Reunion"))
    eve, noon, night = midnight - minutes(90), midnight + hours(14), midnight + hours(24.5)
    bookings = [make_booking(machine, start=at.astimezone(UTC)) for at in (eve, noon, night)]
    weekly = make_booking(machine, bookings[1].person, start=(noon + hours(7)).astimezone(UTC))
    hit.close_site(site_id=site.pk, first_day=closed, last_day=closed, actor=staff, at=MONDAY)
    assert [codes_of(one.person) for one in bookings] == [[], ["booking_closed"] * 2, ["booking_closed"]]
    assert set(obstacles.hit_by([*bookings, weekly], MONDAY)) == {
        bookings[1].pk,
        bookings[2].pk,
        weekly.pk,
    }


def test_what_is_free_again_is_offered_to_who_waits_for_it(machine: Machine, staff: User) -> None:
    outage = hit.plan_outage(
        machine.pk,
        start=MONDAY,
        end=MONDAY + hours(8),
        reason="Révision",
        actor=staff,
        at=MONDAY,
    )
    lea = make_person("lea", site=machine.site)
    WaitingEntry.objects.create(
        site=machine.site,
        kind=machine.model.kind,
        person=lea,
        from_time=MONDAY + hours(2),
        to_time=MONDAY + hours(4),
        minutes=60,
        created_at=MONDAY,
    )
    hit.end_outage(outage.pk, actor=staff, at=MONDAY + hours(1))
    assert Booking.objects.get(person=lea).state == BookingState.HELD


def test_other_times_are_the_persons_own_choice_of_machines_and_never_two_at_once(
    machine: Machine, staff: User
) -> None:
    other = make_linked_machine(machine.site, "Bleue", model=machine.model)
    booking = make_booking(machine, start=MONDAY + hours(1))
    make_booking(other, booking.person, start=MONDAY + hours(2))
    hit.plan_outage(
        machine.pk, start=MONDAY, end=MONDAY + hours(5), reason="Révision", actor=staff, at=MONDAY
    )
    found = obstacles.other_times(booking, MONDAY, own_from=booking.start)
    assert [(one.machine_id, one.start - MONDAY) for one in found] == [
        (other.pk, hours(1)),
        (other.pk, hours(3)),
        (machine.pk, hours(5)),
    ]


@pytest.mark.parametrize("what", ["outage", "closed"])
def test_who_books_at_that_very_moment_is_refused_or_told_and_never_forgotten(
    machine: Machine, staff: User, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    lea, zoe = (make_person(name, site=machine.site) for name in ("lea", "zoe"))
    start = MONDAY + hours(24)

    def meanwhile() -> None:
        if what == "outage":
            hit.plan_outage(
                machine.pk, start=start, end=start + hours(6), reason="Révision", actor=staff, at=MONDAY
            )
        else:
            day = start.date()
            hit.close_site(site_id=machine.site_id, first_day=day, last_day=day, actor=staff, at=MONDAY)

    def wish(person: User, later: int) -> Booking:
        return services.book(
            person=person,
            machine_id=machine.pk,
            start=start + hours(later),
            end=start + hours(later + 1),
            actor=person,
            at=MONDAY,
        )

    wish(lea, 0)
    monkeypatch.setattr(services, "failpoint", lambda point: meanwhile() if point == "judged" else None)
    with pytest.raises(Refused) as refusal:
        wish(zoe, 2)
    expected = {"outage": "machine_out_of_order", "closed": "site_closed"}[what]
    assert refusal.value.codes == [expected]
    assert (len(codes_of(lea)), codes_of(zoe)) == (1, [])
