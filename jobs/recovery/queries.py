"""What was interrupted at a place, and what follows for starts."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from equipment.machines.states import AT_WORK, Report
from equipment.sites.models import Site
from equipment.sites.queries import require_role
from equipment.sites.states import ON_DUTY_ROLES
from fablab.core.witness import clock_is_trusted
from fablab.people.models import User
from jobs.lifecycle.models import Attempt, AttemptJob, Job
from jobs.lifecycle.queries import machine_vouches, may_have_started, visible_jobs, with_all_that_pages_show
from jobs.lifecycle.states import STARTED, State
from jobs.lifecycle.table import MAX_ATTEMPTS
from jobs.recovery.models import Interruption
from jobs.recovery.rules import DEFAULT_GAP_S, GAP_KEPT, LATELY, LOSSES, choices_for, most_likely, now_of
from jobs.recovery.states import Now, Outcome

LOST_SHOWN = 30


def open_interruption(site_id: str) -> Interruption | None:
    """Return what is to be settled at a site. Asks nobody who is looking."""
    return Interruption.objects.filter(site_id=site_id, settled_at__isnull=True).first()


def may_start_by_itself(site_id: str, at: datetime) -> bool:
    """Say whether a machine of the site may be started without a press now, as far as clock and power go."""
    return open_interruption(site_id) is None and clock_is_trusted(at)


def start_gap(site: Site, at: datetime) -> int:
    """Return the seconds that two starts at a site must lie apart: its own, and some after a power cut."""
    if site.start_gap_s:
        return site.start_gap_s
    after_a_cut = Interruption.objects.filter(site=site).filter(
        Q(settled_at__isnull=True) | Q(settled_at__gt=at - GAP_KEPT, settled_at__lte=at)
    )
    return DEFAULT_GAP_S if after_a_cut.exists() else 0


@dataclass(frozen=True)
class Interrupted:
    """One object that was on a machine. ``job`` comes with upload and owner, ``machine_name`` is where it was."""

    job: Job
    machine_id: str
    machine_name: str
    linked: bool
    now: Now
    choices: tuple[Outcome, ...]
    chosen: Outcome | None


def interruption_for(viewer: User, site_id: str) -> Interruption | None:
    """Return what is to be settled at a site, for those on duty there. Raises ``NotFound``, ``NotAllowed``."""
    require_role(viewer, site_id, ON_DUTY_ROLES)
    return open_interruption(site_id)


def lost_lately(viewer: User, site_id: str, at: datetime) -> list[Job]:
    """Return the failed objects that a machine of the site lost within the last hours, the latest first.

    For those on duty there, with all that pages show. Raises ``NotFound``, ``NotAllowed``.
    """
    require_role(viewer, site_id, ON_DUTY_ROLES)
    lost = visible_jobs(viewer).filter(
        site_id=site_id, state=State.FAILED, reason__in=LOSSES, state_at__gt=at - LATELY
    )
    return list(with_all_that_pages_show(lost).order_by("-state_at")[:LOST_SHOWN])


def interrupted_jobs(interruption: Interruption, at: datetime) -> list[Interrupted]:
    """Return the objects that were on the site's machines then, those to decide first, then in the queue's order.

    A fixed number of queries. Who may see them is asked by ``interruption_for``.
    """
    parts = list(
        AttemptJob.objects.filter(
            Q(attempt__ended_at__isnull=True) | Q(attempt__ended_at__gte=interruption.began_at),
            job__site_id=interruption.site_id,
            attempt__claimed_at__lte=interruption.noticed_at,
        )
        .exclude(attempt__started_at__isnull=True, attempt__start_sent_at__isnull=True)
        .select_related("attempt__machine", "job__upload", "job__owner", "job__machine_model__kind")
    )
    tries: dict[str, int] = {}
    rows = AttemptJob.objects.filter(job_id__in={part.job_id for part in parts})
    for job_id, number in rows.values_list("job_id", "number"):
        tries[job_id] = max(tries.get(job_id, 0), number)
    found = []
    for part in parts:
        job, machine = part.job, part.attempt.machine
        now = now_of(
            State(job.state),
            started=part.live and may_have_started(part.attempt),
            vouched=machine.linked and machine_vouches(part.attempt, at),
            last_try=part.number == tries[job.pk],
        )
        if now is None:
            continue
        left = job.attempts_made < MAX_ATTEMPTS
        found.append(
            Interrupted(
                job=job,
                machine_id=machine.pk,
                machine_name=machine.name,
                linked=machine.linked,
                now=now,
                choices=choices_for(now, tries_left=left, started=job.state in STARTED),
                # One that was at work when it was last heard, and was not asked since, may well go on.
                chosen=most_likely(
                    now,
                    tries_left=left,
                    told=machine.linked and Report(machine.report) not in AT_WORK,
                    linked=machine.linked,
                ),
            )
        )
    return sorted(
        found, key=lambda one: (not one.choices, one.job.queued_at or one.job.created_at, one.job.number)
    )


def unsure_machines(site_id: str) -> list[str]:
    """Return the names of a site's machines of which nobody knows what became of the objects on them."""
    unsure = Attempt.objects.filter(
        machine__site_id=site_id, ended_at__isnull=True, unsure_since__isnull=False
    )
    return list(unsure.order_by("machine__name").values_list("machine__name", flat=True))
