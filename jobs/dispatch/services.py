"""The next job for each idle machine: chosen, claimed, sent, given back. Nothing here enters the network."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from fablab.core.errors import DomainError
from jobs.dispatch.queries import PutOff, closed_sites, machines_now, waiting_jobs
from jobs.dispatch.rules import choose
from jobs.lifecycle import services as lifecycle
from jobs.lifecycle.models import Attempt
from jobs.lifecycle.queries import LiveAttempt
from jobs.lifecycle.states import ON_MACHINE, UNSETTLED, Source, State
from jobs.lifecycle.table import LOADED_LIFETIME_S, MAX_ATTEMPTS, Action

logger = logging.getLogger(__name__)

FOLDER = "fl"
REFUSES_FILE = "waiting_file_refused"
PUT_OFF_S = 300.0  # a machine that refuses a file is not asked again for so long


@dataclass(frozen=True)
class Claimed:
    """A job that was taken for a machine just now."""

    job_id: str
    machine_id: str
    attempt_id: str


def remote_name(attempt_id: str, sha256: str) -> str:
    """Return the file's name on a machine: ours, ASCII, one for each attempt, never a person's (REL-6)."""
    return f"{attempt_id}-{sha256[:8]}.gcode"


def look(leases: Mapping[str, int], *, at: datetime, put_off: PutOff | None = None) -> list[Claimed]:
    """Claim what can be claimed for the machines whose lease (number) this process holds; store why the rest waits.

    Repeatable: the same situation writes nothing. Somebody quicker, or an approval that does not hold any more, is no
    error: the next look sees it.
    """
    waiting = waiting_jobs(put_off or {})
    if not waiting:
        return []
    machines = machines_now({site for site, _ in waiting}, at)
    claimed: list[Claimed] = []
    for site in dict.fromkeys(site for site, _ in waiting):
        jobs = [job for where, job in waiting if where == site]
        for choice in choose(jobs, machines.get(site, []), at):
            if choice.machine_id is None:
                reasons = [reason.as_json() for reason in choice.reasons]
                lifecycle.note_waiting(choice.job_id, reasons, at=at)
            elif choice.machine_id in leases:
                attempt = _claim(choice.job_id, choice.machine_id, leases[choice.machine_id], at)
                if attempt is not None:
                    claimed.append(Claimed(choice.job_id, choice.machine_id, attempt.pk))
    return claimed


def _claim(job_id: str, machine_id: str, lease_number: int, at: datetime) -> Attempt | None:
    try:
        return lifecycle.claim(job_id, machine_id, lease_number=lease_number, at=at)
    except DomainError as refusal:
        logger.info("job %s was not claimed: %s", job_id, refusal.code)
        return None


def was_sent(attempt_id: str, *, remote_path: str, remote_sha1: str, remote_runs: int, at: datetime) -> bool:
    """Note that the file is on the machine, proven: sending → loaded. False when the attempt was over by then."""
    lifecycle.note_sent(
        attempt_id, remote_path=remote_path, remote_sha1=remote_sha1, remote_runs=remote_runs, at=at
    )
    return lifecycle.step_attempt(attempt_id, Action.LOAD, source=Source.DISPATCHER, at=at)


def was_not_sent(live: LiveAttempt, *, code: str, storage: bool, at: datetime) -> None:
    """Give a job back whose file did not get to the machine; after three tries it has failed.

    ``storage``: the machine has no room for the file or does not take it, which is no fault of the job: it stays in
    the queue (fault case 13), and the caller puts it off for this machine first (``PUT_OFF_S``).
    """
    # Perhaps a part of it, or all, is there: what is noted is removed later.
    built = f"{FOLDER}/{remote_name(live.id, live.file_sha256)}"
    lifecycle.note_sent(live.id, remote_path=built, remote_sha1="", remote_runs=0, at=at)
    if storage:
        give_back(live.id, why="storage_refused", blameless=True, at=at, code=code)
        return
    tries = (
        Attempt.objects.get(pk=live.id).parts.filter(live=True).values_list("job__attempts_made", flat=True)
    )
    if max(tries, default=0) >= MAX_ATTEMPTS:
        lifecycle.step_attempt(
            live.id, Action.FAIL, source=Source.MACHINE, at=at, reason="sending_failed", code=code
        )
    else:
        give_back(live.id, why="sending_failed", blameless=False, at=at, code=code)


def file_has_changed(live: LiveAttempt, *, at: datetime) -> None:
    """Take back an attempt whose stored file is not the approved one any more; nothing was sent, its approval ends."""
    with transaction.atomic():
        if give_back(live.id, why="file", blameless=True, at=at):
            for job_id in live.job_ids:
                lifecycle.apply(job_id, Action.VOID, actor=None, source=Source.SYSTEM, at=at, reason="file")


def give_back(attempt_id: str, *, why: str, blameless: bool, at: datetime, **details: str) -> bool:
    """Release an attempt that surely did not start. ``blameless``: it does not count as a try."""
    return lifecycle.step_attempt(
        attempt_id,
        Action.RELEASE,
        source=Source.DISPATCHER,
        at=at,
        reason=why,
        blameless=blameless,
        **details,
    )


def release_the_forgotten(machine_ids: list[str], *, at: datetime) -> list[str]:
    """Give back what was loaded and not started for half an hour, or when its site closed. Returns the machines.

    Looks for "at or before", so that a look that was missed only comes later (REL-12).
    """
    loaded = (
        Attempt.objects.filter(
            machine_id__in=machine_ids,
            ended_at__isnull=True,
            loaded_at__isnull=False,
            start_sent_at__isnull=True,
            started_at__isnull=True,
        )
        .exclude(orders__state__in=list(UNSETTLED))
        .select_related("machine__site")
        .prefetch_related("parts__job")
    )
    attempts = [
        attempt
        for attempt in loaded
        if all(part.job.state == State.LOADED for part in attempt.parts.all() if part.live)
    ]
    closed = closed_sites({attempt.machine.site for attempt in attempts}, at)
    machines = []
    for attempt in attempts:
        assert attempt.loaded_at is not None  # filtered
        late = at - attempt.loaded_at >= timedelta(seconds=LOADED_LIFETIME_S)
        if not late and attempt.machine.site_id not in closed:
            continue
        why = "not_started_in_time" if late else "closing"
        if give_back(attempt.pk, why=why, blameless=True, at=at):
            machines.append(attempt.machine_id)
    return machines


def is_still_wanted(attempt_id: str) -> bool:
    """Say whether an attempt is live: nobody cancelled or settled it meanwhile."""
    return Attempt.objects.filter(
        pk=attempt_id, ended_at__isnull=True, parts__live=True, parts__job__state__in=list(ON_MACHINE)
    ).exists()
