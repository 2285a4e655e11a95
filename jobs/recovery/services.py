"""Noticing that a place was interrupted, and settling all of it at once."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction

from equipment.sites.live import board_changed
from equipment.sites.queries import require_role, roles_by_site
from equipment.sites.states import ON_DUTY_ROLES
from fablab.core import witness
from fablab.core.errors import Conflict, DomainError, Malformed, NotAllowed, Problem
from fablab.people.models import User
from jobs.lifecycle.models import Attempt
from jobs.lifecycle.on_machines import live_attempts
from jobs.lifecycle.press import press
from jobs.lifecycle.queries import machine_vouches, may_have_started
from jobs.lifecycle.states import State
from jobs.lifecycle.table import Action
from jobs.recovery.models import Interruption
from jobs.recovery.queries import Interrupted, interrupted_jobs, open_interruption
from jobs.recovery.rules import LOSSES, TOGETHER, lost_together, was_interrupted
from jobs.recovery.states import Now, Outcome

logger = logging.getLogger(__name__)

CLOCK_SHOWN_FOR_S = 120.0  # a time that somebody says yes to was read within this
REASON = "lost"  # what staff's "Raté" says of work that a cut ended


# --- noticing -----------------------------------------------------------------------------------------------------


def notice_absence(
    *, last_sign: datetime | None, computer_started: datetime, at: datetime
) -> list[Interruption]:
    """Open an interruption for each site that had work on its machines while nobody watched; at our own start.

    ``last_sign`` is the latest time that the installation remembers, ``computer_started`` when this computer did.
    """
    if last_sign is None or not was_interrupted(
        silent_for=at - last_sign, computer_restarted=computer_started > last_sign
    ):
        return []
    moved = Attempt.objects.filter(ended_at__isnull=True).exclude(
        started_at__isnull=True, start_sent_at__isnull=True
    )
    sites = set(moved.values_list("machine__site_id", flat=True))
    return [found for site_id in sorted(sites) if (found := _open(site_id, began_at=last_sign, at=at))]


def notice_losses(at: datetime) -> list[Interruption]:
    """Open an interruption for each site whose machines lost their work together; looked for every few seconds."""
    failed = (
        Attempt.objects.filter(
            ended_at__gt=at - TOGETHER,
            ended_at__lte=at,
            outcome=State.FAILED,
            parts__job__state=State.FAILED,
            parts__job__reason__in=LOSSES,
        )
        .values_list("machine__site_id", "machine_id", "ended_at")
        .distinct()
    )
    lost: dict[str, dict[str, datetime]] = {}
    for site_id, machine_id, ended_at in failed:
        assert ended_at is not None  # filtered
        lost.setdefault(site_id, {})[machine_id] = ended_at
    found = []
    for site_id, machines in lost.items():
        opened = _lost_at(site_id, machines, at)
        if opened is not None:
            found.append(opened)
    return found


def _lost_at(site_id: str, machines: Mapping[str, datetime], at: datetime) -> Interruption | None:
    last = Interruption.objects.filter(site_id=site_id).order_by("-noticed_at").first()
    if last is not None and last.settled_at is None:
        return None
    settled = last.settled_at if last is not None else None
    fresh = {machine: ended for machine, ended in machines.items() if settled is None or ended > settled}
    if len(fresh) < 2:
        return None
    working = Attempt.objects.filter(
        machine__site_id=site_id, ended_at__isnull=True, started_at__isnull=False
    ).select_related("machine")
    heard = Counter(machine_vouches(attempt, at) for attempt in working if attempt.machine.linked)
    if not lost_together(lost=len(fresh), silent=heard[False], alive=heard[True]):
        return None
    return _open(site_id, began_at=min(fresh.values()), at=at)


def _open(site_id: str, *, began_at: datetime, at: datetime) -> Interruption | None:
    try:
        with transaction.atomic():
            # By a clock that went back both ends would stand the wrong way round.
            opened = Interruption.objects.create(
                site_id=site_id, began_at=min(began_at, at), noticed_at=max(began_at, at)
            )
    except IntegrityError:
        return None  # one is open already: it takes in what was lost since
    logger.warning("site %s was interrupted since %s", site_id, began_at)
    board_changed(site_id)
    return opened


# --- settling -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settled:
    """What came of one press. ``refused`` says, by job, what stood in the way; the others are as was said."""

    done: bool  # nothing is left to decide: the interruption is over
    refused: Mapping[str, DomainError] = field(default_factory=dict)
    missing: tuple[str, ...] = ()  # jobs that nobody said anything of: they came in since the page was made


def settle(site_id: str, choices: Mapping[str, str], *, actor: User, at: datetime) -> Settled:
    """Do what was said of every interrupted object, each by itself: one that is refused leaves the others.

    ``choices`` gives an outcome for each job id. An object is never left half done. What goes back into the queue
    keeps its place. Raises ``NotFound``, ``NotAllowed`` (who is on duty), ``Conflict``: ``nothing_interrupted``,
    ``Malformed``: an outcome that an object cannot have.
    """
    require_role(actor, site_id, ON_DUTY_ROLES)
    interruption = open_interruption(site_id)
    if interruption is None:
        raise Conflict("nothing_interrupted")
    open_jobs = [one for one in interrupted_jobs(interruption, at) if one.choices]
    wrong = [
        Problem("outcome_unknown", {"title": one.job.title}, one.job.pk)
        for one in open_jobs
        if one.job.pk in choices and choices[one.job.pk] not in one.choices
    ]
    if wrong:
        raise Malformed(*wrong)
    refused: dict[str, DomainError] = {}
    for one in open_jobs:
        if one.job.pk in choices:
            try:
                _carry_out(one, Outcome(choices[one.job.pk]), actor, at)
            except DomainError as error:
                refused[one.job.pk] = error
    _make_way([one for one in open_jobs if choices.get(one.job.pk) == Outcome.AGAIN], actor, at)
    missing = tuple(one.job.pk for one in open_jobs if one.job.pk not in choices)
    done = not refused and not missing
    if done:
        Interruption.objects.filter(pk=interruption.pk, settled_at__isnull=True).update(
            settled_at=at, settled_by=actor
        )
    board_changed(site_id)
    return Settled(done, refused, missing)


def _carry_out(one: Interrupted, outcome: Outcome, actor: User, at: datetime) -> None:
    """Lead one object to what was said of it, or change nothing."""
    live = one.now is Now.UNKNOWN
    steps: list[tuple[Action, str]] = []
    match outcome:
        case Outcome.AGAIN:
            steps = [*([(Action.FAIL, REASON)] if live else []), (Action.REQUEUE, "")]
        case Outcome.STOP:
            steps = [(Action.FAIL, REASON)] if live else []
        case Outcome.DONE:
            steps = [(Action.FINISH, "")]
        case Outcome.LEAVE:
            return
    with transaction.atomic():
        for action, reason in steps:
            press(one.job.pk, action, actor=actor, at=at, reason=reason)


def _make_way(again: Sequence[Interrupted], actor: User, at: datetime) -> None:
    """Give back what was laid ready meanwhile on the machines of older objects: these keep their order."""
    older = {one.machine_id: one.job.queued_at for one in again}
    for machine_id, attempt in live_attempts(older).items():
        queued_at = older[machine_id]
        for job in [part.job for part in attempt.parts.all() if part.live]:
            if may_have_started(attempt) or queued_at is None or (job.queued_at or at) <= queued_at:
                continue
            try:
                press(job.pk, Action.RELEASE, actor=actor, at=at, reason="cut_before")
            except DomainError as refusal:
                logger.info("job %s keeps its machine: %s", job.pk, refusal.code)


# --- the clock ----------------------------------------------------------------------------------------------------


def confirm_clock(*, actor: User, at: datetime) -> bool:
    """Believe the clock again on the word of somebody on duty anywhere here. False when nobody doubted it.

    Raises ``NotAllowed``.
    """
    sites = [site_id for site_id, roles in roles_by_site(actor).items() if roles & ON_DUTY_ROLES]
    if not sites:
        raise NotAllowed("not_allowed")
    confirmed = witness.confirm(person_id=actor.pk, at=at)
    if confirmed:
        for site_id in sites:
            board_changed(site_id)
    return confirmed
