"""What runs longer than it may: the next person is told once, with ways out; staff see it (REL-22)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from equipment.bookings.models import Booking
from equipment.bookings.states import BookingState
from equipment.machines.models import Machine
from fablab.core.errors import Refused
from fablab.core.words import say
from fablab.notices.models import Notice
from jobs.dispatch import services as dispatch
from jobs.lifecycle.models import Attempt, Job
from jobs.lifecycle.services import step_attempt
from jobs.lifecycle.states import Source, State
from jobs.lifecycle.table import Action
from jobs.planning.overruns import overruns
from jobs.planning.services import take_other_time, warn_of_overruns
from tests.builders import MONDAY, make_booking, make_person, minutes
from tests.builders_jobs import Cast, make_cast, make_job, make_linked_machine

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast(at=MONDAY)


def running(cast: Cast, left: int | None, machine: Machine | None = None) -> Job:
    """``left``: minutes that the machine says it still needs."""
    job = make_job(cast, state=State.RUNNING, at=MONDAY, on=machine or cast.machine)
    Job.objects.filter(pk=job.pk).update(
        seconds_left=None if left is None else left * 60, progress_at=MONDAY, percent=10
    )
    return job


def booked(cast: Cast, in_minutes: int, **fields: object) -> Booking:
    person = cast.person("other_member")
    return make_booking(cast.machine, person, start=MONDAY + minutes(in_minutes), **fields)  # type: ignore[arg-type]


def told(cast: Cast) -> list[Notice]:
    return list(Notice.objects.filter(person=cast.person("other_member")).order_by("at"))


def test_who_booked_next_is_told_once_until_about_when_and_where_the_ways_out_are(cast: Cast) -> None:
    running(cast, left=55)
    booking = booked(cast, 60)
    assert warn_of_overruns(MONDAY) == 1
    assert warn_of_overruns(MONDAY + minutes(1)) == 0
    (notice,) = told(cast)
    assert notice.link == f"/reservations/{booking.pk}/retard/"
    # 10:00 in Paris, 55 minutes and ten to empty the plate: 11:05, said as a quarter past.
    assert notice.params == {"machine": cast.machine.name, "time": "11:15"}
    assert "11:15" in say(notice.code, notice.params)


def test_what_ends_in_time_with_the_plate_emptied_warns_nobody(cast: Cast) -> None:
    running(cast, left=50)
    booked(cast, 60)
    assert warn_of_overruns(MONDAY) == 0
    assert overruns(cast.site.pk, MONDAY) == []


def test_a_warning_is_taken_back_when_it_is_no_longer_so_and_not_for_a_minute_more_or_less(
    cast: Cast,
) -> None:
    job = running(cast, left=55)
    booked(cast, 60)
    warn_of_overruns(MONDAY)
    Job.objects.filter(pk=job.pk).update(seconds_left=49 * 60)
    warn_of_overruns(MONDAY)
    assert len(told(cast)) == 1
    Job.objects.filter(pk=job.pk).update(seconds_left=30 * 60)
    warn_of_overruns(MONDAY)
    assert told(cast) == []


def test_when_the_object_is_finished_nothing_is_left_to_read(cast: Cast) -> None:
    running(cast, left=55)
    booked(cast, 60)
    warn_of_overruns(MONDAY)
    step_attempt(Attempt.objects.get().pk, Action.FINISH, source=Source.MACHINE, at=MONDAY + minutes(50))
    warn_of_overruns(MONDAY + minutes(50))
    assert told(cast) == []


@pytest.mark.parametrize("state", [BookingState.CANCELLED, BookingState.NO_SHOW, BookingState.DONE])
def test_a_booking_that_holds_nothing_any_more_warns_nobody(cast: Cast, state: BookingState) -> None:
    running(cast, left=55)
    booked(cast, 60, state=state)
    assert warn_of_overruns(MONDAY) == 0


def test_ones_own_object_in_ones_own_booking_is_no_overrun(cast: Cast) -> None:
    running(cast, left=90)
    make_booking(cast.machine, cast.person("owner"), start=MONDAY + minutes(60))
    assert warn_of_overruns(MONDAY) == 0


def test_when_nobody_knows_how_long_it_takes_it_is_said_at_the_booked_time(cast: Cast) -> None:
    running(cast, left=None)
    Attempt.objects.get().machine_file.__class__.objects.update(report={"minutes": None})
    booked(cast, 60)
    assert warn_of_overruns(MONDAY + minutes(59)) == 0
    assert warn_of_overruns(MONDAY + minutes(60)) == 1
    assert told(cast)[0].code == "overrun_booking_open"


def test_staff_read_what_runs_past_closing_and_into_whose_booking(cast: Cast) -> None:
    cast.site.opening_hours.update(opens=0, closes=12 * 60)  # it is 10:00 there
    job = running(cast, left=150)
    booking = booked(cast, 60)
    (one,) = overruns(cast.site.pk, MONDAY)
    assert (one.machine_id, one.job_ids, one.booking) == (cast.machine.pk, (job.pk,), booking)
    assert one.closes_at == MONDAY + timedelta(hours=2)
    assert one.free_at == MONDAY + minutes(160)


def test_supervision_warns_twice_a_minute(cast: Cast) -> None:
    running(cast, left=55)
    memory = dispatch.Memory()
    dispatch.look({}, at=MONDAY, memory=memory)
    booked(cast, 60)
    dispatch.look({}, at=MONDAY + timedelta(seconds=29), memory=memory)
    assert told(cast) == []
    dispatch.look({}, at=MONDAY + timedelta(seconds=30), memory=memory)
    assert len(told(cast)) == 1


def test_another_time_on_another_machine_takes_the_waiting_object_along(cast: Cast) -> None:
    running(cast, left=55)
    booking = make_booking(cast.machine, cast.person("owner"), start=MONDAY + minutes(60))
    other = make_linked_machine(cast.site, cast.model, at=MONDAY)
    job = make_job(cast, state=State.QUEUED, at=MONDAY, machine=cast.machine, booking=booking)
    taken = take_other_time(
        booking.pk,
        machine_id=other.pk,
        start=booking.start,
        end=booking.end,
        actor=cast.person("owner"),
        at=MONDAY,
    )
    booking.refresh_from_db()
    job.refresh_from_db()
    assert (booking.state, taken.machine, taken.state) == (
        BookingState.CANCELLED,
        other,
        BookingState.CONFIRMED,
    )
    assert (job.machine, job.booking, job.state) == (other, taken, State.QUEUED)


def test_who_does_not_get_the_other_time_keeps_what_they_had(cast: Cast) -> None:
    booking = booked(cast, 60)
    other = make_linked_machine(cast.site, cast.model, at=MONDAY)
    make_booking(other, make_person(site=cast.site), start=booking.start)
    with pytest.raises(Refused):
        take_other_time(
            booking.pk,
            machine_id=other.pk,
            start=booking.start,
            end=booking.end,
            actor=cast.person("other_member"),
            at=MONDAY,
        )
    booking.refresh_from_db()
    assert booking.state == BookingState.CONFIRMED


def test_looking_for_overruns_takes_as_many_queries_for_ten_machines_as_for_one(cast: Cast) -> None:
    counts = []
    running(cast, left=55)
    booked(cast, 60)
    for more in (0, 9):
        for _ in range(more):
            machine = make_linked_machine(cast.site, cast.model, at=MONDAY)
            running(cast, 55, machine)
            make_booking(machine, make_person(site=cast.site), start=MONDAY + minutes(60))
        with CaptureQueriesContext(connection) as queries:
            found = overruns(cast.site.pk, MONDAY)
        assert len(found) == 1 + more
        counts.append(len(queries))
    assert counts[0] == counts[1]
