"""In which order jobs are made, and about when. Pure: facts in, places out.

Order: staff priority, then turns (everybody's oldest waiting job before anybody's second), then age. So nobody waits
behind two jobs of one person. Expected starts assume that machines are emptied and started without delay: they are
rough, and none is given where a time is unknown.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Waiting:
    """A queued job. ``minutes`` is its stated making time, None when nobody knows."""

    job_id: str
    owner_id: str
    machine_model_id: str
    machine_id: str | None  # only this one
    minutes: float | None
    priority: int
    queued_at: datetime


@dataclass(frozen=True)
class Place:
    """``number`` counts from 1 within the site's queue; ``machine_id`` is where it would go as things stand."""

    job_id: str
    number: int
    machine_id: str | None
    expected_start: datetime | None


@dataclass(frozen=True)
class Bench:
    """A machine as the plan sees it: when it is free again, None when nobody can say (out of order, not heard)."""

    machine_id: str
    machine_model_id: str
    free_at: datetime | None


CHANGEOVER = timedelta(minutes=10)  # emptying the plate and starting the next one


def in_order(jobs: Iterable[Waiting]) -> list[Waiting]:
    """Return the jobs in the order in which they are to be made."""
    turns: Counter[str] = Counter()
    keyed = []
    for job in sorted(jobs, key=lambda job: (-job.priority, job.queued_at, job.job_id)):
        keyed.append((-job.priority, turns[job.owner_id], job.queued_at, job.job_id, job))
        turns[job.owner_id] += 1
    return [key[-1] for key in sorted(keyed, key=lambda key: key[:-1])]


def plan(jobs: Iterable[Waiting], machines: Sequence[Bench], now: datetime) -> Mapping[str, Place]:
    """Return each job's place, by job. n jobs on m machines take n log n + n m steps."""
    free: dict[str, datetime | None] = {
        bench.machine_id: max(bench.free_at, now) if bench.free_at else None for bench in machines
    }
    models = {bench.machine_id: bench.machine_model_id for bench in machines}
    places: dict[str, Place] = {}
    for number, job in enumerate(in_order(jobs), start=1):
        fitting = [
            (free_at, machine)
            for machine, free_at in free.items()
            if free_at is not None
            and (machine == job.machine_id if job.machine_id else models[machine] == job.machine_model_id)
        ]
        if not fitting:
            places[job.job_id] = Place(job.job_id, number, None, None)
            continue
        start, machine = min(fitting)
        places[job.job_id] = Place(job.job_id, number, machine, start)
        # Behind a job of unknown length nobody can be told a time.
        free[machine] = (
            start + timedelta(minutes=job.minutes) + CHANGEOVER if job.minutes is not None else None
        )
    return places
