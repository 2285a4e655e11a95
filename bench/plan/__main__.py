"""The queue plan of a large lab, beside sorting as many tuples. ``python -m bench.plan --help``"""

import argparse
import gc
import math
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.measure import circumstances, keep, milliseconds
from fablab.core.clock import Span
from jobs.planning.facts import Held, MachineNow, Waiting
from jobs.planning.plan import plan

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DAYS = 14
MODELS = 8
PEOPLE = 3000
MATERIALS = ("PLA", "PETG")
OPEN = tuple(
    Span(AT + timedelta(days=day, hours=-1), AT + timedelta(days=day, hours=8)) for day in range(DAYS)
)


def machines(count: int, bookings: int, chance: random.Random) -> list[MachineNow]:
    """Return machines of a few models, each with bookings over two weeks, some told what is in them."""
    found = []
    for number in range(count):
        held: list[Held] = []
        for booking in range(bookings):
            begins = AT + timedelta(days=chance.randrange(DAYS), minutes=30 * chance.randrange(14))
            hold = Held(
                f"{number}-{booking}", f"p{chance.randrange(PEOPLE)}", begins, begins + timedelta(hours=1)
            )
            if all(hold.end <= other.start or other.end <= hold.start for other in held):
                held.append(hold)
        found.append(
            MachineNow(
                id=f"m{number}",
                name=f"Machine {number}",
                model_id=f"model{number % MODELS}",
                formats=frozenset({"gcode"}),
                open=OPEN,
                taken=chance.random() < 0.5,
                free_at=AT + timedelta(minutes=chance.randrange(300)),
                material=chance.choice(("", *MATERIALS)),
                held=tuple(sorted(held, key=lambda hold: hold.start)),
            )
        )
    return found


def jobs(count: int, chance: random.Random) -> list[Waiting]:
    return [
        Waiting(
            id=f"j{number}",
            owner_id=f"p{chance.randrange(PEOPLE)}",
            model_id=f"model{chance.randrange(MODELS)}",
            queued_at=AT - timedelta(minutes=chance.randrange(20_000)),
            approved_at=AT - timedelta(days=1),
            length=timedelta(minutes=chance.randrange(10, 300)),
            material=chance.choice(MATERIALS),
        )
        for number in range(count)
    ]


def processor_time(work: Callable[[], object]) -> float:
    """Return the seconds of this process's own processor time: others use this machine too."""
    gc.collect()
    began = time.process_time()
    work()
    return time.process_time() - began


def measured(count: int, there: list[MachineNow], runs: int, seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    waiting = jobs(count, chance)
    used = {one.owner_id: timedelta(hours=chance.randrange(20)) for one in waiting}
    # What every queue has to do at the least: bring as many jobs into order.
    keys = [(-one.priority, chance.random(), one.queued_at, one.id) for one in waiting]
    planned, sorted_ = [], []
    for _ in range(runs):  # in turns: a machine that others use drifts
        planned.append(processor_time(lambda: plan(waiting, there, AT, used=used)))
        sorted_.append(processor_time(lambda: sorted(keys)))
    places = plan(waiting, there, AT, used=used).values()
    return {
        "jobs": count,
        "plan_ms": milliseconds(planned),
        "sorting_ms": milliseconds(sorted_),
        "begin_now": sum(not place.reasons for place in places),
        "beyond_two_weeks": sum(place.expected_start is None for place in places),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.plan", description=__doc__)
    parser.add_argument("--machines", type=int, default=200)
    parser.add_argument("--bookings", type=int, default=10, help="of each machine, in two weeks (10)")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    there = machines(min(1000, arguments.machines), arguments.bookings, random.Random(arguments.seed))
    small, large = (measured(count, there, arguments.runs, arguments.seed) for count in (1_000, 10_000))
    growth = large["plan_ms"]["p50"] / small["plan_ms"]["p50"]
    allowed = 10 * math.log(10_000) / math.log(1_000)
    result = {
        **circumstances(),
        "seed": arguments.seed,
        "machines": len(there),
        "bookings": sum(len(one.held) for one in there),
        "small": small,
        "large": large,
        "growth": round(growth, 2),
        "growth_of_n_log_n": round(allowed, 2),
        "times_sorting": round(large["plan_ms"]["p50"] / large["sorting_ms"]["p50"], 1),
    }
    for row in (small, large):
        print(
            f"{row['jobs']:>6} jobs  plan {row['plan_ms']['p50']:>7} ms (p95 {row['plan_ms']['p95']}),"
            f"  sorting {row['sorting_ms']['p50']} ms,  begin now {row['begin_now']}"
        )
    print(
        f"growth {result['growth']} (n log n: {result['growth_of_n_log_n']}), kept in {keep('plan', result)}"
    )


if __name__ == "__main__":
    main()
