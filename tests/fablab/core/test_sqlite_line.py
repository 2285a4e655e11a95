"""Writers of an SQLite database stand in line within a process; the turn passes on however a transaction ends."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest
from django.db import OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

pytestmark = pytest.mark.django_db(transaction=True)

Connect = Callable[[], BaseDatabaseWrapper]


@pytest.fixture
def connect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """Return how a thread gets its connection to a database of this test, whatever the others are on."""
    handler = ConnectionHandler(
        {
            "default": {
                "ENGINE": "fablab.core.sqlite3",
                "NAME": str(tmp_path / "line.sqlite3"),
                "OPTIONS": {
                    "transaction_mode": "IMMEDIATE",
                    "timeout": 0.2,
                    "init_command": "PRAGMA journal_mode=WAL;",
                },
            }
        }
    )
    monkeypatch.setattr(transaction, "connections", handler)
    with handler["default"].cursor() as cursor:
        cursor.execute("CREATE TABLE counted (number INTEGER)")
    yield lambda: handler["default"]
    handler.close_all()


def written(connect: Connect) -> list[int]:
    with connect().cursor() as cursor:
        return [number for (number,) in cursor.execute("SELECT number FROM counted ORDER BY number")]


def test_many_at_once_are_all_served_although_the_wait_of_each_is_short(connect: Connect) -> None:
    together = Barrier(8)

    def count(number: int) -> None:
        together.wait(10)
        try:
            for turn in range(10):
                with transaction.atomic(), connect().cursor() as cursor:
                    cursor.execute("INSERT INTO counted VALUES (%s)", [10 * number + turn])
        finally:
            connect().close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(count, range(8)))
    assert written(connect) == list(range(80))


def test_who_waits_too_long_reads_what_sqlite_says_and_has_taken_nothing(connect: Connect) -> None:
    begun, end = Event(), Event()

    def hold() -> None:
        try:
            with transaction.atomic(), connect().cursor() as cursor:
                cursor.execute("INSERT INTO counted VALUES (1)")
                begun.set()
                end.wait(10)
        finally:
            connect().close()

    with ThreadPoolExecutor(1) as threads:
        holding = threads.submit(hold)
        assert begun.wait(10)
        with pytest.raises(OperationalError, match="database is locked"), transaction.atomic():
            pytest.fail("two write at once")
        assert written(connect) == []  # reading waits for nobody
        end.set()
        holding.result(10)
    with transaction.atomic(), connect().cursor() as cursor:
        cursor.execute("INSERT INTO counted VALUES (2)")
    assert written(connect) == [1, 2]


@pytest.mark.parametrize("how", ["rolled back", "closed within", "refused by another process"])
def test_the_turn_passes_on_when_a_transaction_is(how: str, connect: Connect) -> None:
    if how == "rolled back":
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            raise ZeroDivisionError
    elif how == "closed within":
        with transaction.atomic():
            connect().close()
    else:
        # A connection that stands in no line is to us as another process.
        other = sqlite3.connect(connect().settings_dict["NAME"], isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"), transaction.atomic():
            pytest.fail("two write at once")
        other.close()

    def write() -> None:
        with transaction.atomic(), connect().cursor() as cursor:
            cursor.execute("INSERT INTO counted VALUES (3)")
        connect().close()

    with ThreadPoolExecutor(1) as threads:
        threads.submit(write).result(10)
    assert written(connect) == [3]
