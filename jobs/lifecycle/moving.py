"""Staff move a waiting object, with a reason: to the front, to the end, back among the others, to another machine."""

from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.db.models import Max, Min

from equipment.bookings.models import Booking
from equipment.machines.models import Machine
from equipment.machines.queries import in_use
from fablab.core.errors import Conflict, Malformed, NotAllowed, Problem
from fablab.live import push
from fablab.people.models import User
from jobs.lifecycle import live
from jobs.lifecycle.models import Job, JobEvent
from jobs.lifecycle.queries import Viewer, job_for
from jobs.lifecycle.states import EDITABLE, Source, State
from jobs.lifecycle.table import Who
from jobs.lifecycle.telling import tell_of_move

MOVE = "move"  # a line of an object's history
FURTHEST = 1000  # priorities end somewhere; nobody moves one queue so often


class Spot(StrEnum):
    """Where in the queue of its machine model."""

    FIRST = "first"
    LAST = "last"
    USUAL = "usual"  # by turns, share and age again


def move(
    job_id: str,
    *,
    actor: User,
    at: datetime,
    reason: str,
    place: str | None = None,
    machine_id: str | None = None,
) -> Job:
    """Move a queued job in the queue, or to another machine of its model, or both. Its owner reads who and why.

    The approval stays: it is bound to the model, not to the machine. A booking of another machine is untied. Raises
    ``NotFound``, ``NotAllowed`` (staff only), ``Malformed`` with every problem, ``Conflict("wrong_state")``.
    """
    job = job_for(actor, job_id)
    if Who.STAFF not in Viewer(actor, at).parts(job, linked=True):
        raise NotAllowed(Problem("not_allowed", {"action": MOVE}))
    spot, machine = _asked(job, place, machine_id, reason)
    with transaction.atomic():
        job = Job.objects.select_for_update(of=("self",)).select_related("booking").get(pk=job_id)
        if job.state != State.QUEUED:
            raise Conflict(Problem("wrong_state", {"state": job.state, "action": MOVE}))
        details: dict[str, object] = {"reason": reason.strip()[:300]}
        if spot is not None:
            job.priority = _priority(job, spot)
            details["place"] = spot
        if machine is not None:
            job.machine = machine
            details["machine"] = machine.name
            if job.booking is not None and job.booking.machine_id != machine.pk:
                job.booking = None
        job.version += 1
        job.save(update_fields=["priority", "machine", "booking", "version"])
        _record(job, actor, at, details)
        tell_of_move(job, machine, actor=actor, at=at, reason=str(details["reason"]))
    live.job_changed(job)
    waiting = Job.objects.filter(
        site_id=job.site_id, machine_model_id=job.machine_model_id, state=State.QUEUED
    )
    push.changed(
        *(f"job:{other}" for other in waiting.values_list("pk", flat=True))
    )  # their places moved too
    return job_for(actor, job_id)


def follow_booking(booking_id: str, other: Booking, *, actor: User, at: datetime) -> int:
    """Tie the waiting objects of a booking to the one that took its place; returns how many.

    What was approved for one model does not go to another: such an object stays for its old machine.
    """
    with transaction.atomic():
        jobs = list(
            Job.objects.select_for_update(of=("self",)).filter(
                booking_id=booking_id, state__in=EDITABLE, machine_model_id=other.machine.model_id
            )
        )
        for job in jobs:
            job.machine, job.booking = other.machine, other
            job.version += 1
            job.save(update_fields=["machine", "booking", "version"])
            _record(job, actor, at, {"machine": other.machine.name, "booking": other.pk})
    for job in jobs:
        live.job_changed(job)
    return len(jobs)


def _record(job: Job, actor: User, at: datetime, details: dict[str, object]) -> None:
    JobEvent.objects.create(
        job=job,
        version=job.version,
        action=MOVE,
        from_state=job.state,
        to_state=job.state,
        actor=actor,
        source=Source.PERSON,
        at=at,
        details=details,
    )


def _asked(
    job: Job, place: str | None, machine_id: str | None, reason: str
) -> tuple[Spot | None, Machine | None]:
    problems = []
    if not reason.strip():
        problems.append(Problem("reason_missing", field="reason"))
    if place is not None and place not in {*Spot}:
        problems.append(Problem("not_a_choice", {"choices": ", ".join(Spot)}, "place"))
    machine = None
    if machine_id is not None:
        same = in_use().filter(site_id=job.site_id, model_id=job.machine_model_id)
        machine = same.filter(pk=machine_id).first()
        if machine is None:
            problems.append(Problem("unknown_machine", field="machine"))
    if place is None and machine_id is None:
        problems.append(Problem("nowhere_to_move", field="place"))
    if problems:
        raise Malformed(*problems)
    return (Spot(place) if place is not None else None), machine


def _priority(job: Job, spot: Spot) -> int:
    """Return the priority that brings the job there, before or behind all that wait for the same model now."""
    if spot is Spot.USUAL:
        return 0
    others = Job.objects.filter(
        site_id=job.site_id, machine_model_id=job.machine_model_id, state=State.QUEUED
    ).exclude(pk=job.pk)
    found = others.aggregate(highest=Max("priority"), lowest=Min("priority"))
    if spot is Spot.FIRST:
        return min(max(found["highest"] or 0, 0) + 1, FURTHEST)
    return max(min(found["lowest"] or 0, 0) - 1, -FURTHEST)
