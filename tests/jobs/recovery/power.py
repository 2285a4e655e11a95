"""A lab whose machines were at work when the power went."""

from datetime import datetime

from equipment.machines.models import Machine
from equipment.machines.states import Report
from jobs.lifecycle.models import Attempt, Job
from jobs.lifecycle.services import step_attempt
from jobs.lifecycle.states import Source, State
from jobs.lifecycle.table import Action
from tests.builders_jobs import Cast, make_job, make_linked_machine


def machine_at_work(cast: Cast, title: str, at: datetime, *, percent: float = 40.0) -> Job:
    """Have a machine of its own print an object, and be heard doing so."""
    machine = make_linked_machine(
        cast.site, cast.model, at=at, name=f"Machine de {title}", report=Report.PRINTING
    )
    job = make_job(cast, state=State.RUNNING, at=at, on=machine, title=title)
    Job.objects.filter(pk=job.pk).update(percent=percent)
    attempt = Attempt.objects.get(machine=machine)
    Machine.objects.filter(pk=machine.pk).update(report_path=attempt.remote_path)
    return job


def machine_of(job: Job) -> Machine:
    return Machine.objects.get(attempts__parts__job=job)


def falls_silent(job: Job) -> None:
    Machine.objects.filter(pk=machine_of(job).pk).update(report=Report.SILENT)


def goes_on(job: Job, at: datetime) -> None:
    """Have the machine be heard at its work again."""
    Machine.objects.filter(pk=machine_of(job).pk).update(seen_at=at)


def comes_back_idle(job: Job, at: datetime, *, why: str = "lost") -> None:
    """Have the machine be heard again, without the print: supervision says that it is lost."""
    machine = machine_of(job)
    attempt = Attempt.objects.get(machine=machine, ended_at__isnull=True)
    step_attempt(attempt.pk, Action.FAIL, source=Source.MACHINE, at=at, reason=why)
    Machine.objects.filter(pk=machine.pk).update(report=Report.READY, report_path="", seen_at=at)
