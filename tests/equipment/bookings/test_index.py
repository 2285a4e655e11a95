"""However many bookings a machine has had, only those that still hold it are looked at (SQLite tells what it uses)."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from equipment.bookings.facts import terms_of, times_of
from equipment.bookings.guard import TRIGGERS
from tests.builders import MONDAY, make_machine


@pytest.mark.django_db
def test_free_times_and_the_guard_find_what_holds_a_machine_by_the_index_of_live_bookings() -> None:
    machine = make_machine()
    with CaptureQueriesContext(connection) as queries:
        times_of([machine], MONDAY, MONDAY + timedelta(days=14), terms=terms_of([machine]))
    if connection.vendor == "sqlite":  # what PostgreSQL has prepared it does not show
        [asked] = [one["sql"] for one in queries if 'FROM "equipment_booking"' in one["sql"]]
        assert "IN ('confirmed', 'held', 'in_use')" in asked  # as in the index: else it is not used
        with connection.cursor() as cursor:
            cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [TRIGGERS[0]])
            [(trigger,)] = cursor.fetchall()
            inner = trigger.partition("EXISTS (")[2].rpartition(");")[0]
            for sql in (asked, re.sub(r"NEW\.\w+", "'2026-11-23'", inner)):
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
                assert "booking_live_span" in str(cursor.fetchall())
