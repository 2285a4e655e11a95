"""What is on machines, and what waits for them, read for dispatch and supervision: no viewer, a machine asks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db.models import Max, OuterRef, Prefetch, Subquery
from django.db.models.fields.json import KT

from jobs.lifecycle.models import Approval, Attempt, AttemptJob, Job, Order
from jobs.lifecycle.states import UNSETTLED, OrderState, State


@dataclass(frozen=True)
class LiveAttempt:
    """What supervision must know of the try that is on a machine now."""

    id: str
    machine_id: str
    site_id: str
    job_ids: tuple[str, ...]
    state: State  # of its jobs; of the least advanced one when they differ
    remote_path: str
    remote_sha1: str
    remote_runs: int
    file_path: Path
    file_sha256: str
    file_size: int
    file_format: str
    lease_number: int
    claimed_at: datetime
    loaded_at: datetime | None
    start_sent_at: datetime | None
    started_at: datetime | None
    unsure_since: datetime | None
    unsure_why: str
    sent_bytes: int  # stored there, or taken with the start


_ADVANCE = (State.SENDING, State.LOADED, State.RUNNING, State.PAUSED, State.STOPPING)


def _live(attempt: Attempt) -> LiveAttempt:
    jobs = [part.job for part in attempt.parts.all() if part.live]
    states = [State(job.state) for job in jobs]
    return LiveAttempt(
        id=attempt.pk,
        machine_id=attempt.machine_id,
        site_id=attempt.machine.site_id,
        job_ids=tuple(job.pk for job in jobs),
        state=min(states, key=_ADVANCE.index) if states else State.LOADED,
        remote_path=attempt.remote_path,
        remote_sha1=attempt.remote_sha1,
        remote_runs=attempt.remote_runs,
        file_path=attempt.machine_file.path,
        file_sha256=attempt.file_sha256,
        file_size=attempt.machine_file.size,
        file_format=attempt.machine_file.format,
        lease_number=attempt.lease_number,
        claimed_at=attempt.claimed_at,
        loaded_at=attempt.loaded_at,
        start_sent_at=attempt.start_sent_at,
        started_at=attempt.started_at,
        unsure_since=attempt.unsure_since,
        unsure_why=attempt.unsure_why,
        sent_bytes=attempt.sent_bytes,
    )


def live_attempt(machine_id: str) -> LiveAttempt | None:
    """Return the try that is on this machine now. Supervision reads it at every look: large columns stay unread."""
    parts = (
        AttemptJob.objects.filter(live=True)
        .select_related("job")
        .only("attempt_id", "live", "number", "job__state")
    )
    attempt = (
        Attempt.objects.filter(machine_id=machine_id, ended_at__isnull=True)
        .select_related("machine", "machine_file")
        .defer("machine_file__report")
        .prefetch_related(Prefetch("parts", parts))
        .first()
    )
    return _live(attempt) if attempt else None


def live_attempts(machine_ids: Iterable[str]) -> Mapping[str, Attempt]:
    """Return the live tries of many machines, by machine."""
    found = (
        Attempt.objects.filter(machine_id__in=list(machine_ids), ended_at__isnull=True)
        .select_related("machine", "machine_file")
        .prefetch_related("parts__job__owner")
    )
    return {attempt.machine_id: attempt for attempt in found}


def undeleted_remote_files(machine_id: str) -> list[tuple[str, str]]:
    """Return (attempt, path) of files that are still on the machine after their end."""
    return list(
        Attempt.objects.filter(machine_id=machine_id, ended_at__isnull=False, remote_deleted_at__isnull=True)
        .exclude(remote_path="")
        .order_by("ended_at")
        .values_list("pk", "remote_path")[:50]
    )


def waiting_orders(machine_id: str) -> list[Order]:
    """Return the orders for this machine that nobody has taken, oldest first."""
    return list(
        Order.objects.filter(attempt__machine_id=machine_id, state=OrderState.WAITING)
        .select_related("attempt")
        .order_by("created_at")
    )


def open_orders(attempt_id: str) -> list[Order]:
    """Return the orders that are not settled yet: pages say "Pause demandée"."""
    return list(Order.objects.filter(attempt_id=attempt_id, state__in=UNSETTLED).order_by("created_at"))


def last_orders(attempt_ids: Iterable[str]) -> Mapping[str, Order]:
    """Return the newest order of each try, by try: pages say when it was refused, and why."""
    found = Order.objects.filter(attempt_id__in=list(attempt_ids)).order_by("created_at")
    return {order.attempt_id: order for order in found}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A queued job as planning and dispatch see it."""

    job_id: str
    owner_id: str
    site_id: str
    machine_id: str | None  # the machine it names
    machine_model_id: str
    booking_id: str | None
    format: str
    minutes: float | None
    nozzle_mm: float | None  # what its file was made for
    material: str
    frame: str
    approved_at: datetime | None
    queued_at: datetime
    priority: int
    waiting_for: list[dict[str, Any]]


def queued(site_ids: Iterable[str] | None = None) -> list[Candidate]:
    """Return the queued jobs of these sites, or of all, that have a machine file; in one query, in no order.

    Only what is needed is read of the files' reports: thousands may wait.
    """
    jobs = Job.objects.filter(
        state=State.QUEUED, machine_file__isnull=False, queued_at__isnull=False
    ).order_by()
    if site_ids is not None:
        jobs = jobs.filter(site_id__in=list(site_ids))
    valid = Approval.objects.filter(job=OuterRef("pk"), voided_at__isnull=True).values("at")[:1]
    rows = jobs.values_list(
        "pk",
        "owner_id",
        "site_id",
        "machine_id",
        "machine_model_id",
        "booking_id",
        "machine_file__format",
        "machine_file__report__minutes",
        "machine_file__report__facts__nozzle_mm",
        KT("settings__material"),
        KT("settings__frame"),  # as text: "100" is a name
        Subquery(valid),
        "queued_at",
        "priority",
        "waiting_for",
    )
    return [_candidate(*row) for row in rows]


def _candidate(*row: Any) -> Candidate:
    told, (minutes, nozzle, material, frame), rest = row[:7], row[7:11], row[11:]
    return Candidate(
        *(*told, _number(minutes), _number(nozzle), str(material or ""), str(frame or ""), *rest)
    )


def _number(given: Any) -> float | None:
    return float(given) if isinstance(given, (int, float)) and not isinstance(given, bool) else None


def last_ends(machine_ids: Iterable[str]) -> Mapping[str, datetime]:
    """Return when each machine last ended a try: the longest idle one is chosen first."""
    rows = (
        Attempt.objects.filter(machine_id__in=list(machine_ids), ended_at__isnull=False)
        .values("machine_id")
        .annotate(last=Max("ended_at"))
    )
    return {row["machine_id"]: row["last"] for row in rows}
