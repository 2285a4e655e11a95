"""Loads what the plan needs, in a fixed number of queries."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from equipment.machines.models import Machine
from equipment.machines.states import STALE_AFTER_S, Report
from jobs.lifecycle.models import Job
from jobs.lifecycle.queries import live_attempts
from jobs.lifecycle.states import State
from jobs.planning.plan import CHANGEOVER, Bench, Place, Waiting, plan

_UNHEARD = {Report.SILENT, Report.NEVER, Report.DISCONNECTED, Report.UNKNOWN, Report.ERROR}


def site_plan(site_id: str, at: datetime) -> Mapping[str, Place]:
    """Return the place of every queued job of a site, by job."""
    jobs = (
        Job.objects.filter(site_id=site_id, state=State.QUEUED, queued_at__isnull=False)
        .select_related("machine_file")
        .order_by()
    )
    machines = list(Machine.objects.filter(site_id=site_id, retired_at__isnull=True))
    attempts = live_attempts(machine.pk for machine in machines)
    benches = []
    for machine in machines:
        attempt = attempts.get(machine.pk)
        benches.append(
            Bench(
                machine.pk,
                machine.model_id,
                _free_at(machine, [part.job for part in attempt.parts.all()] if attempt else [], at),
            )
        )
    return plan([_waiting(job) for job in jobs], benches, at)


def _waiting(job: Job) -> Waiting:
    assert job.queued_at is not None  # filtered
    report = (job.machine_file.report if job.machine_file else None) or {}
    return Waiting(
        job_id=job.pk,
        owner_id=job.owner_id,
        machine_model_id=job.machine_model_id,
        machine_id=job.machine_id,
        minutes=report.get("minutes"),
        priority=job.priority,
        queued_at=job.queued_at,
    )


def _free_at(machine: Machine, on_it: list[Job], at: datetime) -> datetime | None:
    """Say when a machine is free again, or None when nobody can know."""
    if machine.out_of_order_since is not None or machine.report_foreign:
        return None
    if machine.linked and (
        machine.report in _UNHEARD
        or machine.seen_at is None
        or (at - machine.seen_at).total_seconds() > 30 + STALE_AFTER_S
    ):
        return None
    if not on_it:
        return at
    seconds = [job.seconds_left for job in on_it]
    if any(left is None for left in seconds):
        return None
    return at + timedelta(seconds=max(left for left in seconds if left is not None)) + CHANGEOVER
