"""One process beside the server, on the same database: fills it, counts, and measures what needs no HTTP.

python -m bench.booking.inside        (all by commands on standard input, one JSON answer for each)
"""

import json
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

import django

RUNS = 9


def timed(work: Callable[[], Any], runs: int = RUNS) -> dict[str, Any]:
    """Return the number of queries, and times and processor time of some calls, after a first one to warm up."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    captured: AbstractContextManager[Any] = CaptureQueriesContext(connection)
    with captured as queries:
        work()
    count = len(queries)
    took, used = [], []
    for _ in range(runs):
        began, cpu = time.perf_counter(), time.process_time()
        work()
        took.append((time.perf_counter() - began) * 1000)
        used.append((time.process_time() - cpu) * 1000)
    return {
        "queries": count,
        "ms": round(median(took), 2),
        "worst_ms": round(max(took), 2),
        "cpu_ms": round(median(used), 2),  # of this process: says more where others use the machine
    }


class Inside:
    """Answers commands. ``at`` is the moment of the whole run."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.lab: dict[str, Any] = {}

    def make(self, **_: Any) -> dict[str, Any]:
        from bench.booking.seed import free_days, hours_of, make_lab

        self.lab = make_lab(self.at)
        return {**self.lab, "hours": [hour.isoformat() for hour in hours_of(self.at, free_days(self.at))]}

    def grow(self, *, count: int, seed: int, **_: Any) -> dict[str, Any]:
        """Remove what was booked by the benchmark, and have ``count`` bookings; the database may tidy up."""
        from django.db import connection

        from bench.booking.seed import grow_to

        self._booked().delete()
        grow_to(count, self.at, seed)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        return {"bookings": self._all().count()}

    def booked(self, **_: Any) -> dict[str, Any]:
        """Return how many live bookings the benchmark has made, and how many pairs of them overlap."""
        rows = self._booked().filter(state="confirmed").order_by("machine_id", "held_start")
        spans = list(rows.values_list("machine_id", "held_start", "held_end"))
        overlaps = sum(one[0] == other[0] and other[1] < one[2] for one, other in pairwise(spans))
        return {"live": len(spans), "overlaps": overlaps}

    def bare_inserts(self, *, count: int, **_: Any) -> dict[str, Any]:
        """Insert ``count`` rows as a booking writes them, each in its own transaction, and nothing else."""
        from django.db import connection, transaction
        from django.db.models.sql import InsertQuery

        from bench.booking.seed import PEOPLE, free_days, hours_of
        from equipment.bookings.models import Booking
        from fablab.people.models import User

        people = list(
            User.objects.filter(username__startswith="person-").values_list("pk", flat=True)[:PEOPLE]
        )
        hours = list(hours_of(self.at, free_days(self.at)))
        machines = self.lab["machines"]
        statements = []
        for number in range(count):
            start = hours[number // len(machines)]
            end = start + timedelta(hours=1)
            row = Booking(
                machine_id=machines[number % len(machines)],
                person_id=people[number % PEOPLE],
                created_by_id=people[number % PEOPLE],
                start=start, end=end, held_start=start, held_end=end, created_at=self.at,
            )  # fmt: skip
            query = InsertQuery(Booking)
            query.insert_values(Booking._meta.concrete_fields, [row])
            statements += query.get_compiler(connection=connection).as_sql()
        with connection.cursor() as cursor:
            began = time.perf_counter()
            for sql, values in statements:
                with transaction.atomic():
                    cursor.execute(sql, values)
            took = time.perf_counter() - began
        self._booked().delete()
        return {"count": count, "per_second": round(count / took, 1)}

    def reads(self, **_: Any) -> dict[str, Any]:
        """Measure the calendar's week of all machines, and when 50 machines are next free, in 14 days."""
        from django.conf import settings
        from django.test import Client

        from equipment.bookings.finding import first_offers, next_free_for_machines, next_offers
        from equipment.machines.queries import in_use

        client = Client(HTTP_HOST="localhost")
        client.cookies[settings.SESSION_COOKIE_NAME] = self.lab["session"]
        first, last = self._week()
        in_week = self._all().filter(start__gte=first, start__lt=last)

        def page(address: str) -> Callable[[], None]:
            def ask() -> None:
                answer = client.get(address)
                if answer.status_code != 200:
                    raise RuntimeError(f"{address}: {answer.status_code}")

            return ask

        def fifty() -> list[Any]:
            return list(in_use().order_by("name")[:50])

        machines = fifty()
        return {
            "week_page": timed(page(f"/calendrier/semaine/?jour={first + timedelta(days=1):%Y-%m-%d}")),
            "bare_rows": timed(lambda: list(in_week.values_list("machine_id", "person_id", "start", "end"))),
            "small_page": timed(page("/donnees/")),
            "next_offers": timed(lambda: next_offers(machines, 60, at=self.at)),
            "first_offers": timed(lambda: first_offers(machines, self.at)),
            "next_free": timed(lambda: next_free_for_machines(machines, self.at)),
            "fifty_machines": timed(fifty),
        }

    def _all(self) -> Any:
        from equipment.bookings.models import Booking

        return Booking.objects.all()

    def _week(self) -> tuple[datetime, datetime]:
        from bench.booking.seed import ZONE, week_days
        from fablab.core.clock import local_day, midnight

        today, days = local_day(self.at, ZONE), week_days(self.at)
        first, last = (midnight(today + timedelta(days=day), ZONE) for day in (days.start, days.stop))
        return first, last

    def _booked(self) -> Any:
        first, last = self._week()
        return self._all().filter(start__gt=self.at).exclude(start__gte=first, start__lt=last)


def main() -> None:
    django.setup()
    inside: Inside | None = None
    for line in sys.stdin:
        command = json.loads(line)
        inside = inside or Inside(datetime.fromisoformat(command["at"]))
        print(json.dumps(getattr(inside, command.pop("do"))(**command)), flush=True)


if __name__ == "__main__":
    main()
