"""Objects of a person who is erased: what waits is cancelled, what runs goes on, and none says whose it was."""

from contextlib import suppress
from datetime import datetime

from django.db import transaction

from equipment.machines.locks import lock_machine
from fablab.core.errors import Conflict
from fablab.people.models import User
from jobs.erasure.queries import UNDER_WAY, waiting_jobs
from jobs.erasure.rules import OF_JOBS, kept_details, kept_report, kept_settings, words_in
from jobs.lifecycle import live
from jobs.lifecycle.models import Approval, AttemptJob, Job, JobEvent
from jobs.lifecycle.queries import may_have_started
from jobs.lifecycle.services import apply
from jobs.lifecycle.states import OPEN, Source, State
from jobs.lifecycle.table import Action
from jobs.lifecycle.words import CANCELLED_BY, FAILURES, REASONS

OUR_REASONS = frozenset({*REASONS, *FAILURES, *CANCELLED_BY})


def cancel_waiting(person: User, *, at: datetime) -> None:
    """Cancel what has not begun. What may have begun goes on: nobody stops a machine from afar for this.

    Somebody may be quicker with an object; the next pass finds it where it is then.
    """
    for job_id in list(waiting_jobs(person).values_list("pk", flat=True)):
        with suppress(Conflict):
            _cancel(job_id, person, at)


def _cancel(job_id: str, person: User, at: datetime) -> None:
    with transaction.atomic():
        parts = AttemptJob.objects.filter(job_id=job_id, live=True)
        machine_id = parts.values_list("attempt__machine_id", flat=True).first()
        if machine_id is not None:
            lock_machine(machine_id)
        part = parts.select_related("attempt").first()
        state = State(Job.objects.values_list("state", flat=True).get(pk=job_id))
        if state in OPEN | {State.FAILED}:
            apply(job_id, Action.CANCEL, actor=person, source=Source.PERSON, at=at)
        elif (
            part is not None and state in {State.SENDING, State.LOADED} and not may_have_started(part.attempt)
        ):
            # Surely not started: cancelled at once, and supervision takes the file off the machine.
            apply(job_id, Action.ASK_STOP, actor=person, source=Source.PERSON, at=at)


def forget_words(person: User, *, others_read: bool) -> bool:
    """Blank all that somebody wrote in or about the person's objects, and what they wrote about others'.

    ``others_read``: whose object is not over, "À corriger" above all, still has to read what was said of it. Returns
    whether such words stay for now.
    """
    for job in Job.objects.filter(owner=person):
        plain = {
            "title": str(job.number),
            "note": "",
            "reason": job.reason if job.reason in OUR_REASONS else "",
            "settings": kept_settings(job.settings),
        }
        if any(getattr(job, name) != value for name, value in plain.items()):
            Job.objects.filter(pk=job.pk).update(**plain)
            live.job_changed(job)
    for approval in Approval.objects.filter(job__owner=person):
        report, settings = kept_report(approval.report or None) or {}, kept_settings(approval.settings)
        if (approval.report, approval.settings) != (report, settings):
            Approval.objects.filter(pk=approval.pk).update(report=report, settings=settings)
    left = False
    events = JobEvent.objects.filter(job__owner=person) | JobEvent.objects.filter(actor=person)
    for event in events.select_related("job").iterator():
        details = kept_details(event.details, OF_JOBS, OUR_REASONS)
        if details == event.details:
            continue
        job, said = event.job, words_in(event.details, OUR_REASONS)
        if job.owner_id != person.pk and job.state in UNDER_WAY and said and others_read:
            left = True
            continue
        JobEvent.objects.filter(pk=event.pk).update(details=details)
        if job.reason in said:  # why it ended stands with the object, too
            Job.objects.filter(pk=job.pk).update(reason="")
            live.job_changed(job)
    return left
