"""The database itself refuses overlapping live bookings, by any door, on PostgreSQL and on SQLite (REL-8)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import product

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import IntegrityError, connection, models, transaction
from django.db.migrations.operations import AlterField
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from equipment.bookings.checks import overlapping_bookings_are_impossible
from equipment.bookings.guard import NAME, GuardedAlter, RaiseGuard, drop_guard, guard_stands, raise_guard
from equipment.bookings.models import Booking
from equipment.bookings.states import HOLDING, BookingState
from equipment.machines.models import Machine
from fablab.core.ids import new_id
from tests.builders import MONDAY, hours, make_booking, make_machine, make_person, minutes

INSERT = """
    INSERT INTO equipment_booking
        (id, code, machine_id, person_id, start, "end", held_start, held_end, state, overrides, created_at)
    VALUES (%s, 'A7K2Q9', %s, %s, %s, %s, %s, %s, %s, '[]', %s)
"""


def insert(machine: Machine, start: datetime | str, end: datetime | str, state: str = "confirmed") -> str:
    """Write a booking past all code of ours, without a buffer; return its id."""
    booking_id, person = new_id(), make_person(site=machine.site)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INSERT, [booking_id, machine.pk, person.pk, start, end, start, end, state, MONDAY])
    return booking_id


def update(booking_id: str, column: str, value: datetime | str) -> None:
    assert column in {"machine_id", "held_start", "held_end", "state"}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE equipment_booking SET {column} = %s WHERE id = %s", [value, booking_id])


# --- raw SQL ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("start", "end"),
    [
        (0, 60),  # the same time
        (-30, 1),  # one minute at the beginning
        (59, 90),  # one minute at the end
        (20, 40),  # inside
        (-30, 90),  # around
    ],
)
def test_an_overlapping_row_is_refused_by_name_whoever_writes_it(start: int, end: int) -> None:
    machine = make_machine()
    insert(machine, MONDAY, MONDAY + hours(1))
    with pytest.raises(IntegrityError, match=NAME):
        insert(machine, MONDAY + minutes(start), MONDAY + minutes(end))
    assert Booking.objects.count() == 1


@pytest.mark.django_db
def test_intervals_that_touch_are_allowed_and_so_is_another_machine() -> None:
    machine = make_machine()
    insert(machine, MONDAY, MONDAY + hours(1))
    insert(machine, MONDAY + hours(1), MONDAY + hours(2))
    insert(machine, MONDAY - hours(1), MONDAY)
    insert(make_machine(), MONDAY, MONDAY + hours(1))
    assert Booking.objects.count() == 4


@pytest.mark.django_db
@pytest.mark.parametrize(("first", "second"), list(product(BookingState, BookingState)))
def test_only_two_bookings_that_hold_a_machine_exclude_each_other(
    first: BookingState, second: BookingState
) -> None:
    machine = make_machine()
    insert(machine, MONDAY, MONDAY + hours(1), first)
    if first in HOLDING and second in HOLDING:
        with pytest.raises(IntegrityError, match=NAME):
            insert(machine, MONDAY, MONDAY + hours(1), second)
    else:
        insert(machine, MONDAY, MONDAY + hours(1), second)


@pytest.mark.django_db
def test_an_update_of_time_state_or_machine_is_refused_like_an_insert() -> None:
    machine, other = make_machine(), make_machine()
    insert(machine, MONDAY, MONDAY + hours(1))
    later = insert(machine, MONDAY + hours(1), MONDAY + hours(2))
    cancelled = insert(machine, MONDAY, MONDAY + hours(1), "cancelled")
    elsewhere = insert(other, MONDAY, MONDAY + hours(1))
    for booking_id, column, value in (
        (later, "held_start", MONDAY + minutes(59)),
        (cancelled, "state", "confirmed"),
        (elsewhere, "machine_id", machine.pk),
    ):
        with pytest.raises(IntegrityError, match=NAME):
            update(booking_id, column, value)
    update(later, "held_end", MONDAY + hours(3))  # a row is never in its own way
    update(later, "state", "in_use")


@pytest.mark.django_db
def test_the_held_time_counts_and_not_the_booked_one() -> None:
    booking = make_booking(start=MONDAY, minutes=60, held_end=MONDAY + minutes(75))
    with pytest.raises(IntegrityError, match=NAME):
        insert(booking.machine, MONDAY + minutes(74), MONDAY + hours(2))
    insert(booking.machine, MONDAY + minutes(75), MONDAY + hours(2))


@pytest.mark.django_db
def test_saving_by_the_orm_is_refused_too() -> None:
    booking = make_booking(start=MONDAY)
    with pytest.raises(IntegrityError, match=NAME), transaction.atomic():
        make_booking(booking.machine, start=MONDAY + minutes(30))
    with pytest.raises(IntegrityError, match=NAME), transaction.atomic():
        Booking.objects.bulk_create(
            [
                Booking(
                    machine=booking.machine,
                    person=booking.person,
                    start=booking.start,
                    end=booking.end,
                    held_start=booking.start,
                    held_end=booking.end,
                    created_at=MONDAY,
                )
            ]
        )


@pytest.mark.django_db
def test_times_are_compared_as_times_also_when_they_are_written_in_another_form() -> None:
    machine = make_machine()
    make_booking(machine, start=MONDAY)  # 9:00 to 10:00 in UTC, written by Django
    for start, end in (
        ("2026-11-23T09:59:00+00:00", "2026-11-23T11:00:00+00:00"),
        ("2026-11-23T10:59:00+01:00", "2026-11-23T12:00:00+01:00"),
        ("2026-11-22 23:00:00-09:00", "2026-11-23 00:01:00-09:00"),
        ("2026-11-23 09:59:59.999+00:00", "2026-11-24 00:00:00+00:00"),
    ):
        with pytest.raises(IntegrityError, match=NAME):
            insert(machine, start, end)
    insert(machine, "2026-11-23T10:00:00+00:00", "2026-11-23T12:00:00+01:00")
    insert(machine, "2026-11-23T11:00:00+00:00", "2026-11-23T12:00:00.500+00:00")
    insert(machine, "2026-11-23 12:00:00.500+00:00", "2029-01-01T00:00:00+00:00")
    with pytest.raises(IntegrityError, match=NAME):
        insert(machine, MONDAY + timedelta(days=700), MONDAY + timedelta(days=701))


# --- migrations -------------------------------------------------------------------------------------------


@pytest.fixture
def guard_comes_back(transactional_db: None) -> Iterator[None]:
    """Let a test lose the guard: the next one finds it standing."""
    yield
    raise_guard(connection, _execute)


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def run(operation: Operation, *, backwards: bool = False) -> None:
    """Run one operation as a migration would, and back again if asked."""
    before = ProjectState.from_apps(apps)
    after = before.clone()
    operation.state_forwards("equipment", after)
    with connection.schema_editor() as editor:
        if backwards:
            operation.database_backwards("equipment", editor, after, before)
        else:
            operation.database_forwards("equipment", editor, before, after)


def longer_code() -> AlterField:
    return AlterField("booking", "code", models.CharField(max_length=12))


def found_by_the_check() -> list[str | None]:
    return [message.id for message in overlapping_bookings_are_impossible(None, databases=["default"])]


@pytest.mark.django_db
def test_the_guard_stands_from_the_first_migrations_on() -> None:
    assert guard_stands(connection)
    assert found_by_the_check() == []


def test_an_alteration_wrapped_in_guarded_alter_keeps_the_guard_there_and_back(
    guard_comes_back: None,
) -> None:
    machine = make_machine()
    insert(machine, MONDAY, MONDAY + hours(1))
    for operation in (
        GuardedAlter(longer_code()),
        # a column that the guard itself speaks of
        GuardedAlter(AlterField("booking", "held_end", models.DateTimeField(null=True))),
    ):
        for backwards in (False, True):
            run(operation, backwards=backwards)
            assert guard_stands(connection)
            with pytest.raises(IntegrityError, match=NAME):
                insert(machine, MONDAY, MONDAY + hours(1))
    assert found_by_the_check() == []


def test_an_alteration_without_it_loses_the_guard_on_sqlite_and_the_check_says_so(
    guard_comes_back: None,
) -> None:
    run(longer_code())
    try:
        lost = connection.vendor == "sqlite"
        assert guard_stands(connection) is not lost
        assert found_by_the_check() == (["equipment.E001"] if lost else [])
    finally:
        run(longer_code(), backwards=True)


def test_a_missing_guard_stops_the_check_command_and_its_migration_puts_it_up_again(
    guard_comes_back: None,
) -> None:
    drop_guard(connection, _execute)
    assert found_by_the_check() == ["equipment.E001"]
    with pytest.raises(SystemCheckError, match="GuardedAlter"):
        call_command("check", databases=["default"])
    run(RaiseGuard())
    assert found_by_the_check() == []
    run(RaiseGuard())  # standing already: nothing to do
    assert guard_stands(connection)
    run(RaiseGuard(), backwards=True)
    assert not guard_stands(connection)


def test_the_guard_cannot_be_put_up_over_bookings_that_overlap_already_on_postgresql(
    guard_comes_back: None,
) -> None:
    """Which is why it stands from the first migration on; SQLite's triggers look at new rows only."""
    machine = make_machine()
    drop_guard(connection, _execute)
    insert(machine, MONDAY, MONDAY + hours(1))
    double = insert(machine, MONDAY, MONDAY + hours(1))
    if connection.vendor == "postgresql":
        with pytest.raises(IntegrityError, match=NAME):
            run(RaiseGuard())
    else:
        run(RaiseGuard())
        with pytest.raises(IntegrityError, match=NAME):
            update(double, "held_end", MONDAY + hours(2))
    Booking.objects.filter(pk=double).delete()
