"""The one door to a job's state. Nothing else in the system writes ``Job.state`` (a test looks for other writers)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from equipment.certifications.queries import is_certified, may_send_machine_files
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine
from equipment.machines.outages import is_out_of_order
from equipment.machines.services import mark_plate
from equipment.machines.states import Plate
from equipment.sites.models import SiteRole
from equipment.sites.states import Role
from fablab.core.clock import local_day
from fablab.core.errors import Conflict, Malformed, NotAllowed, NotFound, Problem, Refused
from fablab.people.models import User
from jobs.inspection.findings import Finding
from jobs.inspection.judge import COMMANDING
from jobs.lifecycle import live
from jobs.lifecycle.models import Approval, Attempt, AttemptJob, Job, JobEvent, Order
from jobs.lifecycle.queries import Viewer, machine_vouches, may_have_started
from jobs.lifecycle.states import ON_MACHINE, UNSETTLED, OrderState, Source, State, Verb
from jobs.lifecycle.table import (
    MAX_ATTEMPTS,
    ORDER_LIFETIME_S,
    ROWS,
    Action,
    Guard,
    Row,
    Who,
)
from jobs.lifecycle.telling import tell_owner
from jobs.preparation.queries import findings_for
from jobs.preparation.states import PreparationState
from jobs.uploads.states import UploadState

_PARTS: dict[Source, frozenset[Who]] = {
    Source.MACHINE: frozenset({Who.MACHINE}),
    Source.DISPATCHER: frozenset({Who.DISPATCHER}),
    Source.POLICY: frozenset({Who.POLICY}),
    Source.SYSTEM: frozenset({Who.SYSTEM}),
}


def apply(
    job_id: str,
    action: Action,
    *,
    actor: User | None,
    source: Source,
    at: datetime,
    on: Machine | None = None,
    **details: Any,
) -> Job:
    """Move a job by one row of the table, with its event, in one transaction. Returns the job as it is then.

    ``on`` is the machine that a person takes a queued job to. ``details`` go into the history; ``reason`` (a code or
    words), ``attempt`` (id), ``seen_sha256`` and ``seen_version`` (what an instructor was shown) also decide.
    Raises ``NotFound``, ``NotAllowed``, ``Malformed`` (no reason given), ``Conflict`` (the job is in another state by
    now) or ``Refused`` with every guard that fails.
    """
    with transaction.atomic():
        _lock_machine_of(job_id)
        job = (
            Job.objects.select_for_update(of=("self",))
            .select_related("site", "upload", "machine_file", "machine_model__kind", "preparation", "machine")
            .filter(pk=job_id)
            .first()
        )
        if job is None:
            raise NotFound
        step = _Step(job, ROWS[action], actor, source, at, details, on)
        step.check()
        step.take()
        tell_owner(job, action, actor=actor, at=at)
    live.job_changed(job)
    return job


def _lock_machine_of(job_id: str) -> None:
    """Lock the machine that the job is on, before the job itself, as everybody does.

    Else a start that leaves right now is not seen, and the job counts as "surely not started" while it begins.
    """
    on = AttemptJob.objects.filter(job_id=job_id, live=True).values_list("attempt__machine_id", flat=True)
    machine_id = on.first()
    if machine_id is not None:
        lock_machine(machine_id)


class _Step:
    """One move: who, whether, and what follows from it."""

    def __init__(
        self,
        job: Job,
        row: Row,
        actor: User | None,
        source: Source,
        at: datetime,
        details: dict[str, Any],
        on: Machine | None = None,
    ) -> None:
        self.on = on
        self.job, self.row, self.actor, self.source, self.at, self.details = (
            job,
            row,
            actor,
            source,
            at,
            details,
        )
        self.part: AttemptJob | None = (
            AttemptJob.objects.select_related("attempt__machine").filter(job=job, live=True).first()
            if job.state in ON_MACHINE
            else None
        )

    @property
    def reason(self) -> str:
        return str(self.details.get("reason") or "").strip()

    @property
    def attempt(self) -> Attempt | None:
        return self.part.attempt if self.part else None

    @property
    def started(self) -> bool:
        return self.attempt is not None and may_have_started(self.attempt)

    @property
    def linked(self) -> bool:
        machine = self.attempt.machine if self.attempt else self.on or self.job.machine
        return machine is None or machine.linked

    # --- may it be? ---------------------------------------------------------------------------------------------

    def check(self) -> None:
        if State(self.job.state) not in self.row.frm:
            self._check_actor()  # who may never do this learns nothing of states
            raise Conflict(Problem("wrong_state", {"state": self.job.state, "action": self.row.action}))
        self._check_actor()
        if Guard.REASON in self.row.guards and not self.reason:
            raise Malformed(Problem("reason_missing", field="reason"))
        problems = [
            problem for guard in self.row.guards if guard in _GUARDS for problem in _GUARDS[guard](self)
        ]
        if problems:
            raise Refused(*problems)

    def _check_actor(self) -> None:
        if self.source is not Source.PERSON:
            if not _PARTS[self.source] & self.row.who:
                raise NotAllowed(Problem("not_allowed", {"action": self.row.action}))
            return
        if self.actor is None:
            raise NotAllowed(Problem("not_allowed", {"action": self.row.action}))
        parts = Viewer(self.actor, self.at).parts(self.job, linked=self.linked)
        if not parts:
            raise NotFound
        if not parts & self.row.who:
            raise NotAllowed(Problem("not_allowed", {"action": self.row.action}))
        settles = self.row.action in {Action.STOPPED, Action.FINISH, Action.FAIL}
        if settles and self.linked and self.attempt and machine_vouches(self.attempt, self.at):
            raise Refused("machine_says_otherwise")

    # --- then it is ---------------------------------------------------------------------------------------------

    def take(self) -> None:
        job, at = self.job, self.at
        was, to = State(job.state), self.row.target(started=self.started)
        _EFFECTS.get(self.row.action, _nothing)(self)
        job.state, job.state_at, job.version = to, at, job.version + 1
        job.reason = self._reason_to_keep()[:500]
        if was is State.QUEUED or to is State.QUEUED:
            job.waiting_for = []
        job.save()
        JobEvent.objects.create(
            job=job,
            version=job.version,
            action=self.row.action,
            from_state=was,
            to_state=to,
            actor=self.actor,
            source=self.source,
            at=at,
            details={**self.details, **({"attempt": self.attempt.pk} if self.attempt else {})},
        )
        if to not in ON_MACHINE and self.part is not None:
            self._leave_machine(to)

    def _reason_to_keep(self) -> str:
        """Return what people read as the reason: who cancelled when nobody said why."""
        if self.row.action in {Action.CANCEL, Action.ASK_STOP} and not self.reason:
            by_owner = self.actor is not None and self.actor.pk == self.job.owner_id
            return "by_owner" if by_owner else "by_lab"
        if self.row.action is Action.STOPPED and self.reason == "asked":
            return str(self.job.reason)  # who asked is what people want to know
        return self.reason

    def _leave_machine(self, to: State) -> None:
        """The job's part in the attempt is over; with its last part the attempt is."""
        assert self.part is not None
        attempt = self.part.attempt
        AttemptJob.objects.filter(pk=self.part.pk).update(live=False, outcome=_outcome(to))
        if not AttemptJob.objects.filter(attempt=attempt, live=True).exists():
            Attempt.objects.filter(pk=attempt.pk).update(
                ended_at=self.at, outcome=_outcome(to), unsure_since=None, unsure_why=""
            )
            Order.objects.filter(attempt=attempt, state__in=UNSETTLED).update(
                state=OrderState.EXPIRED, settled_at=self.at, outcome="attempt_ended"
            )
        if self.row.marks_plate and (self.row.action is not Action.FAIL or self.started):
            # A file that never got there, or never started, left nothing on the plate.
            mark_plate(lock_machine(attempt.machine_id), at=self.at, why=str(self.row.action))


def _outcome(state: State) -> str:
    return "released" if state is State.QUEUED else str(state)


# --- guards: each returns the problems it finds ----------------------------------------------------------------


def _prepared(step: _Step) -> list[Problem]:
    job = step.job
    if job.upload.state == UploadState.INSPECTING:
        return [Problem("preparation_not_ended")]
    state = job.preparation.state if job.preparation else None
    if state == PreparationState.RUNNING:
        return [Problem("preparation_not_ended")]
    if step.row.action is Action.APPROVE:
        if job.machine_file is None:
            return [Problem("needs_slicing")]
        if job.machine_file.state != UploadState.READY:
            return [Problem("preparation_not_ended")]
    return []


def _no_blocking_finding(step: _Step) -> list[Problem]:
    job = step.job
    if job.upload.state == UploadState.INSPECTING:
        return []  # said by the guard before
    found = [*findings_for(job.upload, job.machine_model, job.settings)]
    if job.preparation is not None and job.machine_file is None:
        found += [Finding.from_json(row) for row in job.preparation.findings]
    return [
        Problem(finding.code, dict(finding.params), "upload")
        for finding in found
        if finding.severity == "blocks"
    ]


def _certified(step: _Step) -> list[Problem]:
    job = step.job
    kind = job.machine_model.kind
    day = local_day(step.at, job.site.time_zone)
    problems = []
    if kind.needs_certificate and not is_certified(job.owner, kind.pk, job.site_id, day):
        problems.append(Problem("not_certified", {"kind": str(kind)}))
    if (
        job.upload.format in COMMANDING
        and job.upload.format in job.machine_model.formats
        and not may_send_machine_files(job.owner, kind.pk, job.site_id, day)
    ):
        problems.append(Problem("machine_files_not_allowed", {"kind": str(kind)}))
    return problems


def _not_own_job(step: _Step) -> list[Problem]:
    if step.actor is None or step.job.owner_id != step.actor.pk:
        return []
    instructors = SiteRole.objects.filter(site_id=step.job.site_id, role=Role.INSTRUCTOR).count()
    if step.job.site.self_approval and instructors == 1:
        return []
    raise NotAllowed("own_job")


def _same_file(step: _Step) -> list[Problem]:
    seen = step.details.get("seen_sha256")
    file = step.job.machine_file
    version = step.details.get("seen_version")
    if (file is not None and seen and seen != file.sha256) or version not in (None, step.job.version):
        return [Problem("file_changed")]
    return []


def approval_problem(job: Job, at: datetime, machine: Machine | None = None) -> Problem | None:
    """Say why the job's approval does not hold any more, or not for this ``machine``; else None (REQUIREMENTS 4.2)."""
    approval = job.approvals.filter(voided_at__isnull=True).first()
    if approval is None or job.machine_file is None:
        return Problem("approval_void", {"why": "none"})
    if (approval.model_sha256, approval.file_sha256) != (job.upload.sha256, job.machine_file.sha256):
        return Problem("approval_void", {"why": "file"})
    if (approval.machine_model_id, approval.profile) != (job.machine_model_id, job.machine_model.profile):
        return Problem("approval_void", {"why": "profile"})
    if approval.settings != job.settings:
        return Problem("approval_void", {"why": "settings"})
    kind = job.machine_model.kind
    day = local_day(at, job.site.time_zone)
    if kind.needs_certificate and not is_certified(job.owner, kind.pk, job.site_id, day):
        return Problem("approval_void", {"why": "certificate"})
    if not job.owner.is_active:
        return Problem("approval_void", {"why": "person"})
    if machine is not None and (machine.model_id, machine.site_id) != (job.machine_model_id, job.site_id):
        return Problem("approval_void", {"why": "machine"})
    return None


def _approval_valid(step: _Step) -> list[Problem]:
    if step.source is Source.MACHINE:
        return []  # a machine's report is a fact, whatever we think of its right to it
    machine = step.attempt.machine if step.attempt else None
    problem = approval_problem(step.job, step.at, machine)
    return [problem] if problem else []


def _surely_not_started(step: _Step) -> list[Problem]:
    return [Problem("may_have_started")] if step.started and not step.details.get("proven_idle") else []


def _attempts_left(step: _Step) -> list[Problem]:
    return [Problem("no_attempts_left")] if step.job.attempts_made >= MAX_ATTEMPTS else []


def _in_service(step: _Step) -> list[Problem]:
    if step.source is not Source.PERSON or step.attempt is None:
        return []  # a machine's report is a fact, whatever people say of the machine
    machine = step.attempt.machine
    if is_out_of_order(machine, step.at):
        return [Problem("machine_out_of_order_now", {"machine": machine.name})]
    return []


def _plate_clear(step: _Step) -> list[Problem]:
    if step.source is not Source.PERSON or step.attempt is None:
        return []  # a machine's report is a fact, whatever we think of its plate
    machine = step.attempt.machine
    if machine.model.kind.needs_plate and machine.plate != Plate.CLEAR:
        return [Problem("plate_to_clear", {"machine": machine.name})]
    return []


_GUARDS: dict[Guard, Callable[[_Step], list[Problem]]] = {
    Guard.PREPARED: _prepared,
    Guard.NO_BLOCKING_FINDING: _no_blocking_finding,
    Guard.CERTIFIED: _certified,
    Guard.NOT_OWN_JOB: _not_own_job,
    Guard.SAME_FILE: _same_file,
    Guard.APPROVAL_VALID: _approval_valid,
    Guard.SURELY_NOT_STARTED: _surely_not_started,
    Guard.ATTEMPTS_LEFT: _attempts_left,
    Guard.IN_SERVICE: _in_service,
    Guard.PLATE_CLEAR: _plate_clear,
}


# --- effects: what follows from a move, beside the state -------------------------------------------------------


def _nothing(step: _Step) -> None:
    """Most moves change the state alone."""


def _submitted(step: _Step) -> None:
    step.job.submitted_at = step.at


def _approved(step: _Step) -> None:
    job = step.job
    assert job.machine_file is not None  # the guard said so
    job.approvals.filter(voided_at__isnull=True).update(voided_at=step.at)
    Approval.objects.create(
        job=job,
        by=step.actor,
        policy=str(step.details.get("policy", "")),
        at=step.at,
        model_sha256=job.upload.sha256,
        file_sha256=job.machine_file.sha256,
        machine_model=job.machine_model,
        profile=job.machine_model.profile,
        settings=job.settings,
        report=job.machine_file.report or {},
        own_job=step.actor is not None and step.actor.pk == job.owner_id,
    )
    job.queued_at = step.at
    job.attempts_made = 0


def _voided(step: _Step) -> None:
    step.job.approvals.filter(voided_at__isnull=True).update(voided_at=step.at)
    step.job.queued_at = None


def _claimed(step: _Step) -> None:
    step.job.attempts_made += 1
    step.job.percent = step.job.seconds_left = step.job.progress_at = None


def _released(step: _Step) -> None:
    if step.details.get("blameless"):  # nobody came, or staff took it back: no try was made
        step.job.attempts_made = max(0, step.job.attempts_made - 1)


def _loaded(step: _Step) -> None:
    assert step.attempt is not None
    Attempt.objects.filter(pk=step.attempt.pk, loaded_at__isnull=True).update(loaded_at=step.at)


def _started(step: _Step) -> None:
    assert step.attempt is not None
    Attempt.objects.filter(pk=step.attempt.pk).update(started_at=step.at, unsure_since=None, unsure_why="")
    # Whatever is on the plate now, it is not empty any more: even a crash right here leaves "to clear" behind.
    mark_plate(lock_machine(step.attempt.machine_id), at=step.at, why="start")
    step.job.percent = 0.0
    step.job.progress_at = step.at


def _stop_asked(step: _Step) -> None:
    """A machine that may have moved is asked to stop; one that surely did not is left alone."""
    if step.attempt is None or not step.started or not step.linked:
        return
    Order.objects.filter(attempt=step.attempt, state=OrderState.WAITING).update(
        state=OrderState.EXPIRED, settled_at=step.at, outcome="stop_asked"
    )
    if Order.objects.filter(attempt=step.attempt, verb=Verb.STOP, state__in=UNSETTLED).exists():
        return  # one stop is on its way for the whole plate
    Order.objects.create(
        attempt=step.attempt,
        verb=Verb.STOP,
        lease_number=step.attempt.machine.lease_number,
        actor=step.actor,
        created_at=step.at,
        expires_at=step.at + timedelta(seconds=ORDER_LIFETIME_S),
    )


def _finished(step: _Step) -> None:
    step.job.percent, step.job.seconds_left, step.job.progress_at = 100.0, 0, step.at


def _shelved(step: _Step) -> None:
    taken = set(
        Job.objects.filter(site_id=step.job.site_id, state=State.READY)
        .exclude(shelf="")
        .values_list("shelf", flat=True)
    )
    step.job.shelf = next((place for place in step.job.site.shelves if place not in taken), "")
    step.details["shelf"] = step.job.shelf


def _collected(step: _Step) -> None:
    step.job.shelf = ""


_EFFECTS: dict[Action, Callable[[_Step], None]] = {
    Action.SUBMIT: _submitted,
    Action.APPROVE: _approved,
    Action.VOID: _voided,
    Action.CLAIM: _claimed,
    Action.RELEASE: _released,
    Action.LOAD: _loaded,
    Action.START: _started,
    Action.ASK_STOP: _stop_asked,
    Action.FINISH: _finished,
    Action.SHELVE: _shelved,
    Action.COLLECT: _collected,
}
