"""What else speaks of a person who is erased: rights, messages, kept answers, what they wrote of machines and times."""

import json
from contextlib import suppress
from datetime import datetime

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from equipment.bookings.feeds import close_feeds
from equipment.bookings.models import Booking, Series
from equipment.bookings.services import cancel
from equipment.bookings.waiting import forget_waits
from equipment.certifications.models import Certificate
from equipment.machines import photos
from equipment.machines.asking import take_back
from equipment.machines.models import ForeignPrint, Machine, MachineEvent
from equipment.sites.models import PowerCut, Shift, ShiftChange
from fablab.core.errors import NotFound, Refused
from fablab.core.models import IdempotentAnswer
from fablab.notices.models import Notice
from fablab.people.models import User
from jobs.erasure.queries import bookings_to_come, files_of
from jobs.erasure.rules import OF_MACHINES, SOMEBODY, kept_details, mentions
from jobs.lifecycle.models import Job
from jobs.worklist.models import Handling


def give_times_back(person: User, *, at: datetime) -> None:
    """Cancel the bookings that still hold a machine; the times of all of them stay."""
    for booking_id in list(bookings_to_come(person, at).values_list("pk", flat=True)):
        with suppress(Refused, NotFound):  # over, or cancelled by somebody else just now
            cancel(booking_id, actor=person, at=at)


def forget(person: User) -> None:
    """Remove what is theirs alone; blank what they typed in what the place keeps.

    What they wrote of a machine is the machine's and stays: somebody may burn themselves on it (``mentions``).
    """
    Certificate.objects.filter(person=person).delete()
    Shift.objects.filter(person=person).delete()
    ShiftChange.objects.filter(person=person).delete()
    Notice.objects.filter(person=person).delete()
    Handling.objects.filter(person=person).delete()
    take_back(person)
    close_feeds(person)
    forget_waits(person)
    photos.forget_of(person)
    _forget_answers(person)
    for event in MachineEvent.objects.filter(actor=person).iterator():
        details = kept_details(event.details, OF_MACHINES)
        if details != event.details:
            MachineEvent.objects.filter(pk=event.pk).update(details=details)
    _forget_foreign_prints(person)
    PowerCut.objects.filter(announced_by=person).update(reason="")
    _forget_overrides(person)
    _forget_titles(person)


def _forget_foreign_prints(person: User) -> None:
    """Remove what machines called the files; the last one may still stand with a machine that fell silent since."""
    over = ForeignPrint.objects.filter(person=person, ended_at__isnull=False)
    for machine_id, path in over.exclude(path="").values_list("machine_id", "path"):
        silent = Machine.objects.filter(pk=machine_id, report_path=path)
        silent.exclude(foreign_prints__ended_at__isnull=True).update(report_path="")
    over.update(path="")


def _forget_overrides(person: User) -> None:
    """Blank why a rule was set aside: all that was said of the person's times, and what they said of others'."""
    told = Booking.objects.exclude(overrides=[]).annotate(text=Cast("overrides", TextField()))
    theirs = (
        Q(person=person) | Q(created_by=person) | Q(text__contains=person.pk)
    )  # who moved one stands within
    for booking in told.filter(theirs):
        plain = [
            {**one, "reason": ""}
            if person.pk in {booking.person_id, one.get("by", booking.created_by_id)}
            else one
            for one in booking.overrides
        ]
        if plain != booking.overrides:
            Booking.objects.filter(pk=booking.pk).update(overrides=plain)


def _forget_titles(person: User) -> None:
    """Remove what came back for them alone; a group's time stays one, without what they called it."""
    Series.objects.filter(person=person, title="").delete()
    for rows in (Series.objects.all(), Booking.objects.all()):
        theirs = rows.filter(Q(person=person) | Q(created_by=person))
        theirs.exclude(title__in=["", SOMEBODY]).update(title=SOMEBODY)


def _forget_answers(person: User) -> None:
    """Answers that are kept for a day show objects as they were, to whoever asked for something there."""
    ids = {
        person.pk,
        *Job.objects.filter(owner=person).values_list("pk", flat=True),
        *files_of(person).values_list("pk", flat=True),
        *Booking.objects.filter(person=person).values_list("pk", flat=True),
    }
    IdempotentAnswer.objects.filter(person=person).delete()
    for kept in IdempotentAnswer.objects.exclude(answer=None).iterator():
        if mentions(json.dumps(kept.answer), ids):
            kept.delete()
