"""What an erasure takes away, and what stands in its way."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from equipment.bookings.models import Booking
from equipment.bookings.states import HOLDING
from equipment.machines.models import ForeignPrint, Maintenance, Outage
from equipment.sites.models import Site, SiteRole
from equipment.sites.states import Role
from fablab.core.errors import Problem
from fablab.people.models import User
from jobs.erasure.rules import TYPED
from jobs.lifecycle.models import Attempt, Job, JobEvent
from jobs.lifecycle.states import ON_MACHINE, OPEN, State
from jobs.uploads.models import Upload

# What is not made yet, or would have to be made again: nobody waits for it any more.
WAITING = OPEN | {State.FAILED, State.SENDING, State.LOADED}
UNDER_WAY = WAITING | ON_MACHINE  # what was said of such an object is still to be read


@dataclass(frozen=True)
class WhatGoes:
    """What a person reads before they decide: how much is cancelled, what goes on, and why it cannot be now."""

    waiting: int
    running: int
    bookings: int
    words: bool  # said of machines, or of others' objects that are not over
    problems: tuple[Problem, ...]


def what_goes(person: User, at: datetime) -> WhatGoes:
    """Return what erasing this person now would cancel, and every reason against it."""
    states = list(Job.objects.filter(owner=person).values_list("state", flat=True))
    return WhatGoes(
        waiting=sum(state in WAITING for state in states),
        running=sum(state in ON_MACHINE - WAITING for state in states),
        bookings=bookings_to_come(person, at).count(),
        words=_said_for_others(person),
        problems=why_not(person),
    )


def why_not(person: User) -> tuple[Problem, ...]:
    """Return every reason why a person cannot be erased now: each site that would be left without a manager."""
    managed = Site.objects.filter(roles__person=person, roles__role=Role.MANAGER)
    others = SiteRole.objects.filter(role=Role.MANAGER, person__is_active=True).exclude(person=person)
    alone = managed.exclude(pk__in=others.values("site_id")).order_by("name")
    return tuple(Problem("last_manager_here", {"site": site.name}) for site in alone)


def _said_for_others(person: User) -> bool:
    of_others = JobEvent.objects.filter(actor=person, job__state__in=UNDER_WAY).exclude(job__owner=person)
    return (
        Outage.objects.filter(created_by=person).exists()
        or Maintenance.objects.filter(by=person).exclude(note="").exists()
        or of_others.filter(details__has_any_keys=TYPED).exists()
    )


def bookings_to_come(person: User, at: datetime) -> QuerySet[Booking]:
    """Return the person's bookings that still hold a machine."""
    return Booking.objects.filter(person=person, state__in=HOLDING, end__gt=at)


def waiting_jobs(person: User) -> QuerySet[Job]:
    return Job.objects.filter(owner=person, state__in=WAITING)


def files_of(person: User) -> QuerySet[Upload]:
    """Return every file that is theirs, or was made or attached for an object of theirs."""
    jobs = Job.objects.filter(owner=person)
    return Upload.objects.filter(
        Q(owner=person)
        | Q(pk__in=jobs.values("upload_id"))
        | Q(pk__in=jobs.filter(machine_file__isnull=False).values("machine_file_id"))
        | Q(pk__in=jobs.filter(preparation__result__isnull=False).values("preparation__result_id"))
        | Q(pk__in=Attempt.objects.filter(jobs__owner=person).values("machine_file_id"))
    )


def needed_by_others(person: User) -> set[str]:
    """Return the ids of those files that are in somebody else's object, too."""
    ids = files_of(person).values("pk")
    jobs = Job.objects.exclude(owner=person)
    attempts = Attempt.objects.filter(parts__job__in=jobs, machine_file__in=ids)
    return {
        *jobs.filter(upload__in=ids).values_list("upload_id", flat=True),
        *jobs.filter(machine_file__in=ids)
        .values_list("machine_file_id", flat=True)
        .exclude(machine_file=None),
        *jobs.filter(preparation__result__in=ids).values_list("preparation__result_id", flat=True),
        *attempts.values_list("machine_file_id", flat=True),
    } - {None}


def something_is_left(person: User) -> bool:
    """Say whether a machine still works for them: its end is awaited, and so is the end of what it needs."""
    return (
        Job.objects.filter(owner=person, state__in=UNDER_WAY).exists()
        or ForeignPrint.objects.filter(person=person, ended_at__isnull=True).exists()
    )
