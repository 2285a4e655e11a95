"""Hours of use, the maintenance log, and whose turn it is."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from equipment.machines import maintenance
from equipment.machines.maintenance import (
    What,
    log_of,
    maintenance_due,
    note_maintenance,
    set_interval,
    use_of,
)
from equipment.machines.models import ForeignPrint, Machine
from equipment.sites.states import Role
from fablab.core.errors import Malformed, NotAllowed, NotFound
from fablab.people.models import User
from jobs.lifecycle.models import Attempt
from jobs.lifecycle.states import State
from tests.builders import MONDAY, hours, make_machine, make_person
from tests.builders_jobs import Cast, make_cast, make_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast(at=MONDAY)


@pytest.fixture
def staff(cast: Cast) -> User:
    return cast.person("staff")


def worked(cast: Cast, start: datetime, length: timedelta | None, machine: Machine | None = None) -> Attempt:
    """Have the machine try something from ``start`` on; without a length it still does."""
    job = make_job(
        cast, state=State.RUNNING if length is None else State.FINISHED, at=start, on=machine or cast.machine
    )
    attempt = Attempt.objects.get(parts__job=job)
    attempt.started_at = start
    attempt.ended_at = None if length is None else start + length
    attempt.save()
    return attempt


def use(cast: Cast, at: datetime = MONDAY) -> maintenance.Use:
    return use_of([cast.machine.pk], at)[cast.machine.pk]


def note(cast: Cast, staff: User, at: datetime = MONDAY, **more: Any) -> None:
    note_maintenance(cast.machine.pk, what=What.CLEANING, actor=staff, at=at, **more)


def test_a_new_machine_has_worked_for_no_time(cast: Cast) -> None:
    found = use(cast)

    assert (found.used, found.since_maintenance, found.last_at) == (timedelta(), timedelta(), None)
    assert not found.is_due


def test_hours_are_those_between_start_and_end_of_each_try(cast: Cast) -> None:
    worked(cast, MONDAY - hours(30), hours(2.5))
    worked(cast, MONDAY - hours(20), hours(4))

    assert use(cast).used == hours(6.5)


def test_what_runs_now_counts_until_now(cast: Cast) -> None:
    worked(cast, MONDAY - hours(2), None)

    assert use(cast).used == hours(2)
    assert use(cast, MONDAY + hours(1)).used == hours(3)


def test_a_file_that_was_sent_and_never_started_wears_nothing(cast: Cast) -> None:
    make_job(cast, state=State.LOADED, at=MONDAY)

    assert use(cast, MONDAY + hours(5)).used == timedelta()


def test_a_print_beside_the_queue_counts_once_somebody_said_it_is_theirs(cast: Cast) -> None:
    beside = ForeignPrint.objects.create(
        machine=cast.machine, began_at=MONDAY - hours(3), ended_at=MONDAY - hours(1)
    )
    worked(cast, MONDAY - hours(9), hours(1))
    assert use(cast).used == hours(1)

    beside.person, beside.adopted_at = cast.person("owner"), MONDAY
    beside.save()

    assert use(cast).used == hours(3)


def test_beside_prints_that_are_somebodys_those_that_are_nobodys_count_for_nothing(cast: Cast) -> None:
    owner = cast.person("owner")
    for began, length, person in ((9, 1, owner), (7, 1, owner), (5, 4, None)):
        ForeignPrint.objects.create(
            machine=cast.machine,
            began_at=MONDAY - hours(began),
            ended_at=MONDAY - hours(began - length),
            person=person,
            adopted_at=MONDAY if person else None,
        )

    assert use(cast).used == hours(2)


def test_after_maintenance_the_hours_since_begin_anew_and_the_whole_stays(cast: Cast, staff: User) -> None:
    worked(cast, MONDAY - hours(30), hours(5))
    note(cast, staff)
    worked(cast, MONDAY + hours(1), hours(2))

    found = use(cast, MONDAY + hours(10))

    assert (found.used, found.since_maintenance, found.last_at) == (hours(7), hours(2), MONDAY)


def test_work_that_goes_on_during_maintenance_is_counted_once(cast: Cast, staff: User) -> None:
    attempt = worked(cast, MONDAY - hours(3), None)
    note(cast, staff)
    Attempt.objects.filter(pk=attempt.pk).update(ended_at=MONDAY + hours(2))

    found = use(cast, MONDAY + hours(5))

    assert (found.used, found.since_maintenance) == (hours(5), hours(2))


def test_one_query_whatever_the_number_of_machines_and_tries(cast: Cast) -> None:
    machines = [cast.machine, *(make_machine(cast.site, model=cast.model) for _ in range(9))]
    for number, machine in enumerate(machines):
        worked(cast, MONDAY - hours(40), hours(number), machine)
        worked(cast, MONDAY - hours(20), hours(1), machine)

    with CaptureQueriesContext(connection) as queries:
        found = use_of([machine.pk for machine in machines], MONDAY)

    assert len(queries) == 1
    assert [found[machine.pk].used for machine in machines] == [hours(number + 1) for number in range(10)]


def test_a_machine_is_due_when_its_hours_have_passed(cast: Cast, staff: User) -> None:
    set_interval(cast.machine.pk, every_hours=10, actor=staff, at=MONDAY)
    worked(cast, MONDAY - hours(30), hours(9.9))
    assert maintenance_due(cast.site.pk, MONDAY) == []

    worked(cast, MONDAY - hours(10), hours(0.1))

    (due,) = maintenance_due(cast.site.pk, MONDAY)
    assert due[0] == cast.machine
    assert due[1].since_maintenance == hours(10)
    note(cast, staff)
    assert maintenance_due(cast.site.pk, MONDAY) == []


def test_who_waits_longest_stands_first_and_retired_ones_do_not_stand_there(cast: Cast, staff: User) -> None:
    other, gone = (make_machine(cast.site, model=cast.model) for _ in range(2))
    for machine, length in ((cast.machine, 12), (other, 20), (gone, 40)):
        set_interval(machine.pk, every_hours=10, actor=staff, at=MONDAY)
        worked(cast, MONDAY - hours(60), hours(length), machine)
    Machine.objects.filter(pk=gone.pk).update(retired_at=MONDAY)

    assert [machine for machine, _use in maintenance_due(cast.site.pk, MONDAY)] == [other, cast.machine]


def test_the_log_says_what_by_whom_and_after_how_many_hours(cast: Cast, staff: User) -> None:
    worked(cast, MONDAY - hours(30), hours(1.5))
    note(cast, staff, note="  Buse débouchée  ")

    (line,) = log_of(cast.machine)

    assert (line.what, line.note, line.by, line.at) == (What.CLEANING, "Buse débouchée", staff, MONDAY)
    assert line.used_seconds == 5400


def test_every_wrong_field_is_told_at_once(cast: Cast, staff: User) -> None:
    with pytest.raises(Malformed) as refusal:
        note_maintenance(cast.machine.pk, what="magic", note="x" * 301, actor=staff, at=MONDAY)

    assert {problem.code for problem in refusal.value.problems} == {
        "maintenance_what_unknown",
        "note_too_long",
    }


@pytest.mark.parametrize("wrong", [0, -1, 10_001])
def test_an_interval_lies_between_an_hour_and_ten_thousand(cast: Cast, staff: User, wrong: int) -> None:
    with pytest.raises(Malformed):
        set_interval(cast.machine.pk, every_hours=wrong, actor=staff, at=MONDAY)


@pytest.mark.parametrize("part", ["owner", "instructor"])
def test_only_staff_write_into_the_log(cast: Cast, part: str) -> None:
    with pytest.raises(NotAllowed):
        note(cast, cast.person(part))
    with pytest.raises(NotAllowed):
        set_interval(cast.machine.pk, every_hours=5, actor=cast.person(part), at=MONDAY)


def test_a_machine_that_is_gone_keeps_its_log_and_takes_no_new_line(cast: Cast, staff: User) -> None:
    Machine.objects.filter(pk=cast.machine.pk).update(retired_at=MONDAY)

    with pytest.raises(NotFound):
        note(cast, staff)


def test_staff_of_another_site_know_nothing_of_it(cast: Cast) -> None:
    stranger = make_person("Eva", Role.STAFF, site=cast.elsewhere)

    with pytest.raises((NotAllowed, NotFound)):
        note(cast, stranger)
