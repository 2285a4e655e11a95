"""How warm and how far an attempt was, over time: written in batches, thinned, read for its plot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Prefetch, Q

from fablab.core.errors import NotFound
from fablab.people.models import User
from jobs.lifecycle.models import Attempt, AttemptJob, AttemptSample, JobEvent
from jobs.lifecycle.queries import visible_jobs
from jobs.lifecycle.states import State
from jobs.lifecycle.thinning import MOST, Sample, thin

MOST_WHILE_RUNNING = 2 * MOST  # a print of three days is thinned on its way
LOOKED_AT_AGAIN = timedelta(days=2)  # how long after its end an attempt may still be thinned
BATCH = 500


def keep(samples: Sequence[tuple[str, Sample]]) -> int:
    """Write samples of any number of attempts in one transaction; return how many."""
    known = set(Attempt.objects.filter(pk__in={one for one, _ in samples}).values_list("pk", flat=True))
    rows = [
        AttemptSample(
            attempt_id=attempt_id,
            at=sample.at,
            percent=sample.percent,
            seconds_left=sample.seconds_left,
            heat={name: list(pair) for name, pair in sample.heat.items()},
        )
        for attempt_id, sample in samples
        if attempt_id in known
    ]
    AttemptSample.objects.bulk_create(rows, batch_size=BATCH)
    return len(rows)


def samples_of(attempt_id: str) -> list[Sample]:
    """Return the moments of an attempt in the order of time, few enough for a plot."""
    found = [_sample(row) for row in AttemptSample.objects.filter(attempt_id=attempt_id).order_by("at", "pk")]
    return [found[position] for position in thin(found)]


def pauses_of(seen: "SeenAttempt") -> list[tuple[datetime, datetime | None]]:
    """Return when an attempt was paused, in order; the last end is None while it still is."""
    found = seen.attempt
    events = JobEvent.objects.filter(job=seen.parts[0].job_id, at__gte=found.claimed_at).order_by("version")
    if found.ended_at is not None:
        events = events.filter(at__lte=found.ended_at)
    spans: list[tuple[datetime, datetime | None]] = []
    since: datetime | None = None
    for state, at in events.values_list("to_state", "at"):
        if state == State.PAUSED:
            since = since or at
        elif since is not None:
            spans.append((since, at))
            since = None
    return [*spans, (since, found.ended_at)] if since is not None else spans


def thin_all(at: datetime) -> int:
    """Thin every attempt that has too many points: ended lately, or running for long. Returns how many went."""
    crowded = (
        AttemptSample.objects.filter(
            Q(attempt__ended_at__isnull=True) | Q(attempt__ended_at__gt=at - LOOKED_AT_AGAIN)
        )
        .values_list("attempt_id", "attempt__ended_at")
        .annotate(count=Count("pk"))
        .filter(count__gt=MOST)
        .order_by()
    )
    due = [
        attempt_id
        for attempt_id, ended_at, count in crowded
        if ended_at is not None or count > MOST_WHILE_RUNNING
    ]
    return sum(_thin(attempt_id) for attempt_id in due)


def _thin(attempt_id: str) -> int:
    rows = list(AttemptSample.objects.filter(attempt_id=attempt_id).order_by("at", "pk"))
    kept = set(thin([_sample(row) for row in rows]))
    gone = [row.pk for position, row in enumerate(rows) if position not in kept]
    with transaction.atomic():
        for first in range(0, len(gone), BATCH):
            AttemptSample.objects.filter(pk__in=gone[first : first + BATCH]).delete()
    return len(gone)


def _sample(row: AttemptSample) -> Sample:
    heat = {str(name): (pair[0], pair[1]) for name, pair in row.heat.items()}
    return Sample(row.at, row.percent, row.seconds_left, heat)


@dataclass(frozen=True)
class SeenAttempt:
    """An attempt as one person sees it. ``parts`` are those of the jobs that this person sees, with their owners."""

    attempt: Attempt
    parts: tuple[AttemptJob, ...]


def attempt_for(viewer: User, attempt_id: str) -> SeenAttempt:
    """Return an attempt at a job that this person sees, with machine and site.

    On a common plate nobody reads of somebody else's object. Raises ``NotFound`` when unknown or not visible.
    """
    attempt = (
        Attempt.objects.select_related("machine__site", "machine__model__kind").filter(pk=attempt_id).first()
    )
    if attempt is None:
        raise NotFound
    parts = attempt.parts.filter(job__in=visible_jobs(viewer)).select_related("job__owner")
    seen = SeenAttempt(attempt, tuple(parts.order_by("job__number")))
    if not seen.parts:
        raise NotFound
    return seen


def attempts_on(machine_id: str, viewer: User, *, limit: int) -> list[Attempt]:
    """Return the newest attempts on a machine that carried a job which this person sees, with their parts."""
    parts = AttemptJob.objects.filter(job__in=visible_jobs(viewer)).select_related("job__owner")
    return list(
        Attempt.objects.filter(machine_id=machine_id, pk__in=parts.values("attempt_id"))
        .order_by("-claimed_at")
        .prefetch_related(Prefetch("parts", queryset=parts, to_attr="loaded_parts"))[:limit]
    )
