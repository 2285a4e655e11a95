"""Nobody came: released after the grace time, told kindly, excused by staff; and who came, or could not (UX-11)."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from equipment.bookings.absent import counted_absences, excuse, release_absent
from equipment.bookings.models import Booking, WaitingEntry
from equipment.bookings.services import book
from equipment.bookings.states import BookingState
from equipment.bookings.waiting import take
from equipment.machines.models import Machine, Outage
from equipment.sites.models import PowerCut
from equipment.sites.states import Role
from fablab.core.errors import DomainError, NotAllowed, NotFound, Refused
from fablab.core.models import Witness
from fablab.notices.queries import unread_of
from jobs.lifecycle.models import Attempt
from jobs.lifecycle.presence import work_seen
from jobs.lifecycle.states import State
from jobs.management.bookings import BookingDay
from tests.builders import (
    MONDAY,
    hours,
    make_booking,
    make_closure,
    make_machine,
    make_person,
    make_site,
    minutes,
)
from tests.builders_jobs import make_cast, make_job

pytestmark = pytest.mark.django_db
LONG_AGO, LATER = MONDAY - timedelta(days=30), MONDAY + hours(2)


def nobody(bookings: Sequence[Booking]) -> Collection[str]:
    return ()


def release(at: datetime, *, watched_since: datetime = LONG_AGO) -> int:
    return release_absent(at, watched_since=watched_since, spared=nobody)


def after(booking: Booking) -> Booking:
    return Booking.objects.select_related("machine__site", "machine__model__kind", "person").get(
        pk=booking.pk
    )


def test_the_rest_goes_to_who_waits_and_a_late_look_finds_the_same() -> None:
    found = []
    for look in (MONDAY + minutes(10), MONDAY + hours(20)):
        booking = make_booking(make_machine(make_site(grace_minutes=10, hold_minutes=30), "Ada"))
        site = booking.machine.site
        lea = make_person("Lea", site=site)
        WaitingEntry.objects.create(
            site=site, kind=booking.machine.model.kind, person=lea, from_time=MONDAY, to_time=MONDAY + hours(1),
            minutes=60, created_at=MONDAY - hours(1),
        )  # fmt: skip
        assert release(MONDAY + minutes(10) - timedelta(seconds=1)) == 0
        assert (release(look), release(look)) == (1, 0)
        gone = after(booking)
        held = Booking.objects.get(person=lea)
        found.append(
            (
                gone.state,
                gone.ended_at,
                gone.excused_at,
                held.start,
                held.end,
                held.hold_until,
                held.created_at,
            )
        )
        (notice,) = unread_of(booking.person)
        assert (notice.code, notice.at) == ("booking_released", MONDAY + minutes(10))
        if look < MONDAY + hours(1):
            taken = take(held.pk, actor=lea, at=MONDAY + minutes(29))
            assert (taken.state, taken.start, taken.end) == (
                BookingState.CONFIRMED,
                MONDAY + minutes(30),
                MONDAY + hours(1),
            )
        Booking.objects.all().delete()
    assert found[0] == found[1]
    assert found[0][:3] == (BookingState.NO_SHOW, MONDAY + minutes(10), None)


def test_what_is_no_absence_is_left_alone() -> None:
    def stands(machine: Machine, at: datetime = LATER, **fields: Any) -> None:
        booking = make_booking(machine, **fields)
        release(at)
        assert after(booking).state != BookingState.NO_SHOW, fields

    stands(make_machine(), state=BookingState.IN_USE)
    stands(make_machine(), title="Atelier broderie")
    stands(make_machine(), at=MONDAY + hours(24))  # nobody remembers
    stands(make_machine(make_site(grace_minutes=0)))
    desk = make_machine()  # somebody on duty has just booked it for who stands there
    stands(desk, created_by=make_person("Karim", Role.STAFF, site=desk.site), created_at=MONDAY)
    stands(make_machine(out_of_order_since=MONDAY + minutes(5)))
    repaired = make_machine()
    Outage.objects.create(machine=repaired, start=MONDAY - hours(1), end=MONDAY + minutes(1), reason="Buse")
    stands(repaired)
    closed = make_machine()
    make_closure(closed.site, MONDAY.date())
    stands(closed)
    dark = make_machine()
    PowerCut.objects.create(site=dark.site, start=MONDAY + minutes(9), end=MONDAY + hours(1))
    stands(dark)
    Witness.objects.create(at=MONDAY, doubted_since=MONDAY, why="stepped")
    stands(make_machine())


def test_what_was_moved_or_booked_after_its_start_has_its_grace_from_then() -> None:
    late = make_booking(start=MONDAY, created_at=MONDAY + minutes(4))
    moved = make_booking(start=MONDAY, changed_at=MONDAY + minutes(6))
    assert release(MONDAY + minutes(13)) == 0
    assert release(MONDAY + minutes(20)) == 2
    assert (after(late).ended_at, after(moved).ended_at) == (MONDAY + minutes(14), MONDAY + minutes(16))


def test_who_could_not_say_that_they_came_is_excused() -> None:
    noon = MONDAY + hours(2)
    day, over, now = BookingDay(), make_booking(start=noon - hours(2)), make_booking(start=noon)
    for seconds in (0, 60, 180, 700):  # a break of more than two minutes, then back
        day(noon + timedelta(seconds=seconds))
    assert (after(over).state, after(over).excused_at) == (BookingState.NO_SHOW, noon)
    assert unread_of(over.person) == []  # it is over, and nothing is held against them
    assert after(now).excused_at == noon + timedelta(seconds=700)
    later = make_booking(start=noon + minutes(15))
    at = noon + timedelta(seconds=700)
    while at < noon + minutes(26):
        day(at)
        at += minutes(1)
    assert (after(later).state, after(later).excused_at) == (BookingState.NO_SHOW, None)


def test_work_on_the_machine_says_that_somebody_came_or_could_not_begin() -> None:
    cast = make_cast(at=MONDAY)
    owner, machine = cast.person("owner"), cast.machine
    booking = make_booking(machine, owner)
    assert work_seen([booking]) == set()
    job = make_job(cast, state=State.QUEUED, at=MONDAY, booking=booking, machine=machine)
    assert work_seen([booking]) == {booking.pk}  # a linked machine: others start and empty it
    Machine.objects.filter(pk=machine.pk).update(driver="handover", address="")
    assert work_seen([after(booking)]) == set()
    running = make_job(cast, state=State.RUNNING, at=MONDAY - minutes(30), machine=machine)
    attempt = Attempt.objects.get(parts__job=running)
    for began, ended, seen in (
        (-10, -5, True), (-60, None, True), (-60, -20, False), (30, 40, True), (61, None, False),
    ):  # fmt: skip
        attempt.started_at = MONDAY + minutes(began)
        attempt.ended_at = None if ended is None else MONDAY + minutes(ended)
        attempt.save()
        assert bool(work_seen([after(booking)])) is seen, (began, ended)
    other = make_person(site=cast.site)
    type(job).objects.filter(pk=running.pk).update(owner=other)
    for began, ended, seen in ((-30, 5, True), (-30, -1, False), (20, None, False)):
        attempt.started_at = MONDAY + minutes(began)
        attempt.ended_at = None if ended is None else MONDAY + minutes(ended)
        attempt.save()
        assert bool(work_seen([after(booking)])) is seen, (began, ended)
    assert work_seen([]) == set()


def test_after_three_in_a_row_a_person_sees_an_instructor_who_unlocks_them() -> None:
    site = make_site()
    machine, lea = make_machine(site, "Ada"), make_person("Lea", site=site)
    staff, member = make_person("Karim", Role.STAFF, site=site), make_person(site=site)
    stranger = make_person("Max", Role.STAFF, site=make_site())
    missed = [make_booking(machine, lea, start=MONDAY + hours(number)) for number in range(3)]

    def may_book() -> list[str]:
        at = MONDAY + hours(5)
        try:
            book(
                person=lea, machine_id=machine.pk, start=at + hours(20), end=at + hours(21), actor=lea, at=at
            )
        except DomainError as error:
            return error.codes
        return []

    for number, _one in enumerate(missed):
        release(MONDAY + hours(number) + minutes(11))
    assert may_book() == ["paused_after_no_shows"]
    at = MONDAY + hours(5)
    assert [row.pk for row in counted_absences(staff, site.pk, at)] == [one.pk for one in reversed(missed)]
    for who, error in ((member, NotFound), (stranger, NotFound), (lea, NotAllowed)):
        with pytest.raises(error):
            excuse(missed[0].pk, actor=who, at=at)
    with pytest.raises(NotAllowed):
        counted_absences(member, site.pk, at)
    for _twice in range(2):
        assert excuse(missed[0].pk, actor=staff, at=at).excused_at == at
    assert len(counted_absences(staff, site.pk, at)) == 2
    assert may_book() == []
    with pytest.raises(Refused):
        excuse(make_booking(machine, lea, start=MONDAY + hours(6)).pk, actor=staff, at=at)
    make_booking(machine, lea, start=MONDAY + hours(4), state=BookingState.DONE)  # who came since starts anew
    assert counted_absences(staff, site.pk, at) == []
