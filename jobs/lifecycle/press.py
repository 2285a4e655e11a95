"""What a person presses: an act where the person's word is the fact, an order where a machine must answer."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from equipment.bookings.use import end_uses_there, right_to_start
from equipment.machines import services as machines
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine
from equipment.machines.outages import is_out_of_order
from equipment.machines.states import AT_WORK, STARTED_BY_LINE, Driver
from equipment.sites.queries import is_on_site, open_until
from fablab.core.errors import Conflict, NotAllowed, NotFound, Problem, Refused
from fablab.core.witness import clock_is_trusted
from fablab.live import push
from fablab.people.models import User
from jobs.lifecycle import live
from jobs.lifecycle.apply import apply, approval_problem
from jobs.lifecycle.lying import lying_on
from jobs.lifecycle.models import Attempt, AttemptJob, Job, Order
from jobs.lifecycle.queries import HELPING_ROLES, Viewer, job_for, live_part, may_have_started
from jobs.lifecycle.starting import hears, hold_starts, seconds_to_wait, write_order
from jobs.lifecycle.states import Source, State, Verb
from jobs.lifecycle.table import ROWS, Action

PERSONS_ACTIONS = frozenset(Action) - {Action.CLAIM, Action.SHELVE}


def press(
    job_id: str,
    action: Action,
    *,
    actor: User,
    at: datetime,
    reason: str = "",
    plate_clear: bool = False,
    seen_sha256: str = "",
    seen_version: int | None = None,
    words: str = "",
    machine: str = "",
    seen_plate: int | None = None,
) -> tuple[Job, Order | None]:
    """Do what a person asks of a job. Returns the job as it is then, and the order when a machine must answer.

    ``plate_clear`` with ``start`` is "Plateau vide, lancer", said of ``machine`` (its id): when the job has gone to
    another one since, nobody has looked at that plate; ``seen_plate`` as in ``clear_plate``.
    ``seen_sha256`` and ``seen_version`` are the file and the job
    that an instructor was shown; ``words`` are a person's own, beside the ``reason``.
    Raises what ``apply`` raises; for orders also ``Refused`` with every reason at once, and
    ``Conflict("already_asked")`` when somebody else was quicker.
    """
    job = job_for(actor, job_id)
    if action not in PERSONS_ACTIONS:
        raise NotAllowed(Problem("not_allowed", {"action": action}))
    part = live_part(job)
    if machine and part is not None and part.attempt.machine_id != machine:
        raise Conflict(Problem("wrong_state", {"state": job.state, "action": action}))
    if plate_clear and part is not None:
        # By itself: what is refused is rolled back, and the number that a fresh page shows would never be right.
        _note_ended_uses(part.attempt.machine_id, at)
    if part is not None and _is_asked_by_line(part.attempt.machine, action):
        asked = _order(
            job, part.attempt, action, actor=actor, at=at, plate_clear=plate_clear, seen_plate=seen_plate
        )
        return job_for(actor, job_id), asked
    details: dict[str, Any] = {}
    if reason:
        details["reason"] = reason
    if seen_sha256:
        details["seen_sha256"] = seen_sha256
    if seen_version is not None:
        details["seen_version"] = seen_version
    if words.strip():
        details["words"] = words.strip()[:300]
    if action is Action.RELEASE:
        details["blameless"] = True
    with transaction.atomic():  # what is refused leaves no plate behind that nobody asked to be clear
        if part is not None and action is Action.START and plate_clear:
            clear_plate(part.attempt.machine_id, actor=actor, at=at, seen_plate=seen_plate)
        apply(job_id, action, actor=actor, source=Source.PERSON, at=at, **details)
    job = job_for(actor, job_id)
    order: Order | None = None
    if action is Action.ASK_STOP and job.state == State.STOPPING:
        order = Order.objects.filter(attempt__parts__job=job, verb=Verb.STOP).order_by("-created_at").first()
    return job, order


def _is_asked_by_line(machine: Machine, action: Action) -> bool:
    """Say whether a machine must answer for this, or the person at it does."""
    if action is Action.START:
        return Driver(machine.driver) in STARTED_BY_LINE
    return machine.linked and action in {Action.PAUSE, Action.RESUME}


def _order(
    job: Job,
    attempt: Attempt,
    action: Action,
    *,
    actor: User,
    at: datetime,
    plate_clear: bool,
    seen_plate: int | None,
) -> Order:
    row = ROWS[action]
    assert row.verb is not None  # start, pause and resume have one
    viewer = Viewer(actor, at)
    parts = viewer.parts(job, linked=True)
    if not parts & row.ordered_by:
        raise NotAllowed(Problem("not_allowed", {"action": action}))
    if State(job.state) not in row.frm or (action is Action.START and job.state != State.LOADED):
        code = "already_started" if action is Action.START and job.state == State.RUNNING else "wrong_state"
        raise Conflict(Problem(code, {"state": job.state, "action": action}))
    try:
        with transaction.atomic():
            machine = lock_machine(attempt.machine_id)
            attempt.refresh_from_db(fields=["start_sent_at", "started_at"])
            if action is Action.START and may_have_started(attempt):
                # The one before was accepted and the machine has not reported yet: its plate is not cleared anew.
                raise Conflict(Problem("already_started", {"state": job.state, "action": action}))
            problems = _why_not(machine, job, action, viewer, at, plate_clear=plate_clear)
            if problems:
                raise Refused(*problems)
            if action is Action.START and plate_clear:
                machine = clear_plate(machine.pk, actor=actor, at=at, seen_plate=seen_plate)
            order = write_order(attempt, row.verb, machine, actor=actor, at=at)
    except IntegrityError as reason:
        raise Conflict("already_asked") from reason
    push.changed(f"job:{job.pk}", f"machine:{machine.pk}", f"board:{machine.site_id}")
    live.wake_supervision()
    return order


def _why_not(
    machine: Machine, job: Job, action: Action, viewer: Viewer, at: datetime, *, plate_clear: bool
) -> list[Problem]:
    """Return every reason why this order must not be given now."""
    problems = []
    if action in {Action.START, Action.RESUME} and not viewer.is_on_site(job.site_id):
        problems.append(Problem("not_on_site"))
    if not hears(machine, at):
        problems.append(Problem("machine_unreachable", {"machine": machine.name}))
    if action is Action.START:
        if open_until(job.site, at) is None:
            problems.append(Problem("closed_now"))
        if not machine.model.kind.remote_start:
            problems.append(Problem("no_remote_start"))
        if is_out_of_order(machine, at):
            problems.append(Problem("machine_out_of_order_now", {"machine": machine.name}))
        if machine.report in AT_WORK:
            problems.append(Problem("machine_working", {"machine": machine.name}))
        if not plate_clear and not right_to_start(machine, at):
            problems.append(Problem("plate_to_clear", {"machine": machine.name}))
        problem = approval_problem(job, at, machine)
        if problem is not None:
            problems.append(problem)
        hold_starts(job.site)
        seconds = seconds_to_wait(job.site, at)
        if seconds:
            problems.append(Problem("start_gap", {"seconds": seconds}))
    return problems


def clear_plate(machine_id: str, *, actor: User, at: datetime, seen_plate: int | None = None) -> Machine:
    """Record that a person on site has emptied the plate; finished jobs go to the shelf in the same transaction.

    ``seen_plate`` is the ``plate_number`` that the person was shown: a page that was left open says nothing of what was
    made there since. Raises ``NotFound``, ``NotAllowed`` (no role for it here), ``Refused``: ``not_on_site``,
    ``machine_working``; ``Conflict("plate_used_since")``.
    """
    _note_ended_uses(machine_id, at)
    with transaction.atomic():
        machine = lock_machine(machine_id)
        viewer = Viewer(actor, at)
        roles = viewer.roles_at(machine.site_id)
        if not roles:
            raise NotFound
        own = not (roles & HELPING_ROLES) and _own_work(machine, viewer)
        if not roles & HELPING_ROLES and not own:
            raise NotAllowed(Problem("not_allowed", {"action": "clear_plate"}))
        problems = []
        if not own and not is_on_site(actor, machine.site_id, at):
            problems.append(Problem("not_on_site"))
        if machine.report in AT_WORK or _started_without_link(machine):
            problems.append(Problem("machine_working", {"machine": machine.name}))
        if problems:
            raise Refused(*problems)
        if seen_plate is not None and seen_plate != machine.plate_number:
            raise Conflict(Problem("plate_used_since", {"machine": machine.name}))
        machine = machines.clear_plate(machine, actor=actor, at=at, own_work=own)
        finished = Job.objects.filter(
            # Made here: a try that failed here before says nothing of where the object lies.
            state=State.FINISHED,
            parts__attempt__machine=machine,
            parts__outcome=State.FINISHED,
        ).distinct()
        for job in finished.order_by("state_at"):
            apply(job.pk, Action.SHELVE, actor=actor, source=Source.SYSTEM, at=at, machine=machine.name)
    push.changed(f"machine:{machine.pk}", f"board:{machine.site_id}")
    return machine


def _note_ended_uses(machine_id: str, at: datetime) -> None:
    if clock_is_trusted(at):  # by one that stands ahead, people who are still there would be said to be gone
        end_uses_there(machine_id, at=at)


def _own_work(machine: Machine, viewer: Viewer) -> bool:
    """Say whether this person makes their own objects here, and nothing that is somebody else's lies there."""
    if machine.linked or not viewer.operates(machine.model.kind, machine.site):
        return False
    lies_there = Q(live=True) | Q(job__state=State.FINISHED, outcome=State.FINISHED)
    owners = set(
        AttemptJob.objects.filter(lies_there, attempt__machine=machine).values_list(
            "job__owner_id", flat=True
        )
    )
    owners |= {job.owner_id for job in lying_on([machine.pk]).get(machine.pk, ())}  # failed ones, too
    return owners == {viewer.person.pk}


def _started_without_link(machine: Machine) -> bool:
    return Attempt.objects.filter(machine=machine, ended_at__isnull=True, started_at__isnull=False).exists()
