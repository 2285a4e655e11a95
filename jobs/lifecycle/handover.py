"""The handover: at a machine without a link the person who stands there is the link (``Who.OPERATOR``).

They take the next object to the machine: claimed and loaded in one transaction, for the file is in their hands. From
then on ``press`` takes their word for a fact: started, paused, finished, failed, stopped. The plate gate is the same.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from equipment.bookings.models import Booking
from equipment.bookings.states import LIVE
from equipment.bookings.walk_up import walk_up
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine
from equipment.machines.outages import is_out_of_order
from equipment.machines.queries import machine_for
from equipment.machines.record import write
from equipment.machines.states import WATCHED, Driver
from fablab.core.errors import Conflict, Problem, Refused
from fablab.live import push
from fablab.people.models import User
from jobs.lifecycle.apply import apply, approval_problem
from jobs.lifecycle.attempts import begin_attempt, is_for_another
from jobs.lifecycle.models import Attempt, Job
from jobs.lifecycle.queries import job_for
from jobs.lifecycle.states import Source, State
from jobs.lifecycle.table import APPROVAL_UNDO_S, Action


def take(
    job_id: str,
    machine_id: str,
    *,
    actor: User,
    at: datetime,
    objections: Callable[[], Sequence[Problem]] = tuple,
) -> Job:
    """Take a queued job to a machine whose files are carried by hand: queued → sending → loaded at once.

    ``objections`` are asked under the machine's lock: what the plan knows against it (``planning.services.take_now``).

    Raises ``NotFound`` for a job or machine that the actor does not see, ``NotAllowed`` for who may not operate it,
    ``Refused`` with every reason why it cannot be taken there now, and ``Conflict`` when somebody was quicker
    (``wrong_state``, ``machine_taken``) or the approval does not hold (``approval_void``: it is to be looked at again).
    """
    job = job_for(actor, job_id)
    machine_for(actor, machine_id)
    problem = approval_problem(job, at)
    if problem is not None and job.state == State.QUEUED:
        apply(job_id, Action.VOID, actor=None, source=Source.SYSTEM, at=at, reason=problem.params["why"])
        raise Conflict(problem)
    try:
        with transaction.atomic():
            machine = lock_machine(machine_id)
            against = objections()
            apply(
                job_id,
                Action.CLAIM,
                actor=actor,
                source=Source.PERSON,
                at=at,
                on=machine,
                machine=machine.name,
            )
            problems = [*_why_not(job_for(actor, job_id), machine, at), *against]
            if problems:
                raise Refused(*problems)
            begin_attempt(job_id, machine, at=at)
            # What is done there has a name now, and who takes it puts in what it needs.
            write(machine, in_use_since=None, **_put_in(job, machine))
            apply(job_id, Action.LOAD, actor=actor, source=Source.PERSON, at=at)
    except IntegrityError as reason:
        raise Conflict(Problem("machine_taken")) from reason
    push.changed(f"machine:{machine_id}")
    push.part_changed(f"board:{job.site_id}", machine_id)
    return job_for(actor, job_id)


def _put_in(job: Job, machine: Machine) -> dict[str, str]:
    """Return what lies in the machine from now on: the plan asks no other matter or frame of who comes next."""
    wanted = {name: str(job.settings.get(name) or "")[:40] for name in ("material", "frame")}
    return {name: value for name, value in wanted.items() if value and value != getattr(machine, name)}


def _why_not(job: Job, machine: Machine, at: datetime) -> list[Problem]:
    """Return every reason why this job cannot be taken to this machine now."""
    problems = []
    approval = job.approvals.filter(voided_at__isnull=True).first()
    if approval is not None and at < approval.at + timedelta(seconds=APPROVAL_UNDO_S):
        problems.append(Problem("approved_just_now", {"seconds": APPROVAL_UNDO_S}))
    if Driver(machine.driver) in WATCHED:
        problems.append(Problem("machine_fed_by_line", {"machine": machine.name}))
    wanted = not is_for_another(job.pk, machine.pk)
    fits = (machine.model_id, machine.site_id) == (job.machine_model_id, job.site_id)
    if machine.retired_at is not None or not fits or not wanted:
        problems.append(Problem("other_machine", {"machine": machine.name}))
    elif job.machine_file is not None and job.machine_file.format not in machine.model.formats:
        problems.append(Problem("not_a_machine_file", {"formats": ", ".join(machine.model.formats)}))
    if is_out_of_order(machine, at):
        problems.append(Problem("machine_out_of_order_now", {"machine": machine.name}))
    if Attempt.objects.filter(machine=machine, ended_at__isnull=True).exists():
        problems.append(Problem("machine_taken"))
    elif (
        Booking.objects.filter(machine=machine, state__in=LIVE, held_start__lte=at, held_end__gt=at)
        .exclude(person=job.owner_id)
        .exists()
    ):
        problems.append(Problem("booked_by_other", {"machine": machine.name}))
    return problems


def use_now(
    *, person: User, machine_id: str, at: datetime, overrides: Sequence[Mapping[str, str]] = ()
) -> Booking:
    """ "Je l'utilise maintenant": book from now on, and be there (J2). Only a machine on which no job lies.

    Raises what ``walk_up`` raises, and ``Conflict("machine_taken")``.
    """
    machine = machine_for(person, machine_id)
    if Attempt.objects.filter(machine=machine, ended_at__isnull=True).exists():
        raise Conflict(Problem("machine_taken"))
    return walk_up(person=person, machine_id=machine_id, at=at, overrides=overrides)
