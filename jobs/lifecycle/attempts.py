"""The physical tries: claimed, sent, reported on, ended. Called by dispatch and supervision."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from equipment.bookings.states import LIVE
from equipment.bookings.use import right_to_start
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine
from equipment.machines.outages import is_out_of_order
from equipment.machines.services import void_plate_token
from fablab.core.errors import Conflict, NotFound, Problem
from fablab.live import push
from jobs.lifecycle.apply import apply, approval_problem
from jobs.lifecycle.models import Attempt, AttemptJob, Job, Order
from jobs.lifecycle.states import OrderState, Source, State, Verb
from jobs.lifecycle.table import CLOCK_SKEW_S, Action, steps_for

SKEW = timedelta(seconds=CLOCK_SKEW_S)


def claim(job_id: str, machine_id: str, *, lease_number: int, at: datetime) -> Attempt:
    """Take a queued job for a machine: queued → sending, with a new attempt, in one transaction.

    Raises ``Conflict`` when somebody was quicker (``wrong_state``, ``machine_taken``), when the machine's lease has
    passed on (``lease_lost``), when somebody sent it to another machine (``moved_elsewhere``), or when the approval no
    longer holds (``approval_void``: the job then went back to ``submitted``).
    """
    job = (
        Job.objects.select_related("site", "owner", "upload", "machine_file", "machine_model__kind")
        .filter(pk=job_id)
        .first()
    )
    if job is None:
        raise NotFound
    problem = approval_problem(job, at)
    if problem is not None and job.state == State.QUEUED:
        apply(job_id, Action.VOID, actor=None, source=Source.SYSTEM, at=at, reason=problem.params["why"])
        raise Conflict(problem)
    try:
        with transaction.atomic():
            machine = lock_machine(machine_id)
            if machine.lease_number != lease_number:
                raise Conflict("lease_lost")
            problem = approval_problem(job, at, machine)
            if problem is not None:
                raise Conflict(problem)  # it became another model, or the job goes to another site by now
            apply(job_id, Action.CLAIM, actor=None, source=Source.DISPATCHER, at=at, machine=machine.name)
            if is_for_another(job_id, machine_id):
                raise Conflict("moved_elsewhere")  # since the plan was made
            attempt = begin_attempt(job_id, machine, at=at)
    except IntegrityError as reason:
        raise Conflict(Problem("machine_taken")) from reason
    push.changed(f"machine:{machine_id}")
    return attempt


def is_for_another(job_id: str, machine_id: str) -> bool:
    """Say whether a job, or the time booked for it, is for one machine alone, and that is not this one."""
    named = Q(machine__isnull=False) & ~Q(machine=machine_id)
    booked = Q(machine__isnull=True, booking__state__in=LIVE) & ~Q(booking__machine=machine_id)
    return Job.objects.filter(named | booked, pk=job_id).exists()


def begin_attempt(job_id: str, machine: Machine, *, at: datetime) -> Attempt:
    """Make the try of a job that was claimed just now; in the same transaction. ``machine`` is locked."""
    job = Job.objects.select_related("machine_file").get(pk=job_id)
    assert job.machine_file is not None  # an approval without one does not hold
    attempt = Attempt.objects.create(
        machine=machine,
        machine_file=job.machine_file,
        file_sha256=job.machine_file.sha256,
        lease_number=machine.lease_number,
        claimed_at=at,
    )
    AttemptJob.objects.create(attempt=attempt, job=job, number=job.parts.count() + 1)
    return attempt


def step_attempt(
    attempt_id: str,
    action: Action,
    *,
    source: Source,
    at: datetime,
    reason: str = "",
    **details: Any,
) -> bool:
    """Apply what a machine reported, or the dispatcher did, to every live job of the attempt; in one transaction.

    Late, double and missed reports are sorted out by ``table.steps_for``: a missed start is written first, marked
    ``inferred``. Returns whether anything changed. Raises what ``apply`` raises for other moves.
    """
    changed = False
    with transaction.atomic():
        machine_id = Attempt.objects.filter(pk=attempt_id).values_list("machine_id", flat=True).first()
        if machine_id is None:
            return False
        lock_machine(machine_id)  # always machine before attempt and job, so that two writers never cross
        attempt = Attempt.objects.select_for_update(of=("self",)).get(pk=attempt_id)
        if attempt.ended_at is not None:
            return False
        for part in attempt.parts.filter(live=True).select_related("job"):
            steps = steps_for(action, State(part.job.state))
            for step in steps:
                given = {**details, **({"reason": reason} if reason else {})}
                if step is not action:
                    given["inferred"] = True
                apply(part.job_id, step, actor=None, source=source, at=at, **given)
                changed = True
    if changed:
        push.changed(f"machine:{attempt.machine_id}")
    return changed


def note_sending(attempt_id: str, sent_bytes: int) -> None:
    """Note how many bytes of the file have left for the machine."""
    Attempt.objects.filter(pk=attempt_id, loaded_at__isnull=True).update(sent_bytes=sent_bytes)


def note_taken(attempt_id: str, taken_bytes: int) -> None:
    """Note how many bytes have gone into a machine that makes what arrives."""
    Attempt.objects.filter(pk=attempt_id, ended_at__isnull=True, start_sent_at__isnull=False).update(
        sent_bytes=taken_bytes
    )


def note_sent(attempt_id: str, *, remote_path: str, remote_sha1: str, remote_runs: int, at: datetime) -> None:
    """Note where the file lies on the machine, its hash there, and how often the machine has printed it so far."""
    Attempt.objects.filter(pk=attempt_id).update(
        remote_path=remote_path, remote_sha1=remote_sha1, remote_runs=remote_runs
    )


def note_start_sent(attempt_id: str, *, at: datetime) -> None:
    """Note, before it leaves, that a start is being sent: from now on nobody may say "surely not started"."""
    Attempt.objects.filter(pk=attempt_id).update(start_sent_at=at)


def note_not_started(attempt_id: str, *, at: datetime) -> None:
    """Note that the start which was sent has been proven not to have happened: the file is loaded, as before."""
    with transaction.atomic():
        Attempt.objects.filter(pk=attempt_id, started_at__isnull=True).update(
            start_sent_at=None, unsure_since=None, unsure_why=""
        )
    _attempt_changed(attempt_id)


def note_unsure(attempt_id: str, why: str, *, at: datetime) -> None:
    """Note that nobody knows what becomes of this try (``why``: a code); with an empty ``why``, that we do again."""
    if why:
        changed = Attempt.objects.filter(
            Q(unsure_since__isnull=True) | ~Q(unsure_why=why), pk=attempt_id, ended_at__isnull=True
        ).update(unsure_since=at, unsure_why=why)
    else:
        changed = Attempt.objects.filter(pk=attempt_id, unsure_since__isnull=False).update(
            unsure_since=None, unsure_why=""
        )
    if changed:
        _attempt_changed(attempt_id)


def note_progress(attempt_id: str, *, percent: float | None, seconds_left: int | None, at: datetime) -> None:
    """Keep the last known progress of the attempt's jobs; the live messages carry every one."""
    Job.objects.filter(parts__attempt_id=attempt_id, parts__live=True).update(
        percent=percent, seconds_left=seconds_left, progress_at=at
    )


def note_remote_deleted(attempt_id: str, *, at: datetime) -> None:
    """Note that the file is gone from the machine."""
    Attempt.objects.filter(pk=attempt_id).update(remote_deleted_at=at)


def note_put_off(attempt_id: str, code: str) -> None:
    """Note that the machine is not to be asked for this file again for a while, and why (``planning.guards``)."""
    Attempt.objects.filter(pk=attempt_id).update(put_off=code)


def note_waiting(site_id: str, reasons: Mapping[str, list[dict[str, Any]]], *, at: datetime) -> int:
    """Keep why queued jobs of a site do not move: for each one ``{"code", "params"}`` per failed guard.

    In few writes however many they are: those that wait for the same reasons together. Returns how many changed.
    """
    alike: dict[str, list[str]] = {}
    for job_id, why in reasons.items():
        alike.setdefault(json.dumps(why, sort_keys=True), []).append(job_id)
    changed = 0
    with transaction.atomic():
        # Two processes that look at once take the rows in one order: groups differ between them, and would cross.
        waiting = Job.objects.filter(pk__in=list(reasons)).order_by("pk")
        list(waiting.select_for_update(of=("self",)).values_list("pk", flat=True))
        for job_ids in alike.values():
            changed += Job.objects.filter(pk__in=job_ids, state=State.QUEUED).update(
                waiting_for=reasons[job_ids[0]]
            )
    if changed:
        push.changed(*(f"job:{job_id}" for job_id in reasons), f"queue:{site_id}")
    return changed


def _attempt_changed(attempt_id: str) -> None:
    attempt = Attempt.objects.select_related("machine").get(pk=attempt_id)
    push.changed(
        *(f"job:{job}" for job in attempt.parts.values_list("job_id", flat=True)),
        f"machine:{attempt.machine_id}",
        f"board:{attempt.machine.site_id}",
    )


# --- orders, as supervision takes them --------------------------------------------------------------------------


def take_order(order_id: str, *, lease_number: int, at: datetime) -> Order | None:
    """Take a waiting order for sending, or settle it as not to be sent and return None.

    One conditional update: of two takers one wins. A start uses up its plate token in the same transaction, so that
    no second start can ever stand on the same clearing (REL-17).
    """
    with transaction.atomic():
        order = Order.objects.select_related("attempt").filter(pk=order_id).first()
        if order is None or order.state != OrderState.WAITING:
            return None
        machine = lock_machine(order.attempt.machine_id)
        refusal = _refusal(order, machine, lease_number, at)
        if refusal:
            state = OrderState.EXPIRED if refusal == "expired" else OrderState.REFUSED
            settle_order(order_id, state=state, outcome=refusal, at=at)
            return None
        if not Order.objects.filter(pk=order_id, state=OrderState.WAITING).update(
            state=OrderState.TAKEN, taken_at=at
        ):
            return None
        if order.verb == Verb.START:
            void_plate_token(machine, at=at, why="start")
        order.state, order.taken_at = OrderState.TAKEN, at
    return order


def _refusal(order: Order, machine: Machine, lease_number: int, at: datetime) -> str:
    """Say why an order must not be sent, or nothing."""
    if order.expires_at <= at or order.created_at > at + SKEW:
        return "expired"
    if order.lease_number != machine.lease_number or order.lease_number != lease_number:
        return "lease_lost"
    if order.attempt.ended_at is not None:
        return "attempt_ended"
    if order.verb != Verb.START:
        return ""
    parts = order.attempt.parts.filter(live=True).select_related(
        "job__site", "job__owner", "job__upload", "job__machine_file", "job__machine_model__kind"
    )
    jobs = [part.job for part in parts]
    if not jobs or any(job.state != State.LOADED for job in jobs):
        return "not_loaded"
    if is_out_of_order(machine, at):
        return "out_of_order"
    if not right_to_start(machine, at) or machine.plate_token != order.plate_token:
        return "plate_token"
    if any(approval_problem(job, at, machine) for job in jobs):
        return "approval_void"
    return ""


def settle_order(order_id: str, *, state: OrderState, outcome: str, at: datetime) -> None:
    """Note what became of an order; a settled one stays as it is."""
    changed = Order.objects.filter(pk=order_id, state__in=[OrderState.WAITING, OrderState.TAKEN]).update(
        state=state, outcome=outcome[:40], settled_at=at
    )
    if changed:
        _attempt_changed(Order.objects.values_list("attempt_id", flat=True).get(pk=order_id))


def expire_orders(*, at: datetime) -> int:
    """Expire what nobody took in time, and what was taken and never settled. Returns how many."""
    over = Q(expires_at__lte=at) | Q(created_at__gt=at + SKEW)
    late = list(Order.objects.filter(over, state=OrderState.WAITING).values_list("pk", flat=True))
    for order_id in late:
        settle_order(order_id, state=OrderState.EXPIRED, outcome="expired", at=at)
    lost = list(Order.objects.filter(over, state=OrderState.TAKEN).values_list("pk", flat=True))
    for order_id in lost:
        settle_order(order_id, state=OrderState.UNKNOWN, outcome="answer_lost", at=at)
    return len(late) + len(lost)
