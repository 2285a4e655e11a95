"""Reads the facts of a place, in a fixed number of queries, and who deals with what."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Min, Window
from django.db.models.functions import Coalesce, RowNumber

from equipment.machines import figures
from equipment.machines.asking import calls
from equipment.machines.maintenance import maintenance_due
from equipment.machines.models import Machine
from equipment.machines.queries import in_use, only_named
from equipment.machines.said import used_by_hand
from equipment.machines.states import AT_WORK, FED, STARTED_BY_LINE, WATCHED, Plate, Report
from equipment.sites.queries import require_role
from equipment.sites.states import ON_DUTY_ROLES
from fablab.core import disk, witness
from fablab.people.models import User
from jobs.lifecycle.lying import lying_on
from jobs.lifecycle.models import Attempt, Job, Order
from jobs.lifecycle.on_machines import last_ends, last_orders, live_attempts
from jobs.lifecycle.states import STARTED, UNSETTLED, OrderState, State, Verb
from jobs.planning.overruns import overruns
from jobs.recovery.models import Interruption
from jobs.recovery.queries import interrupted_jobs, open_interruption
from jobs.worklist.models import Handling
from jobs.worklist.rules import (
    PICK_UP_AFTER,
    CallNow,
    Entry,
    JobNow,
    MachineNow,
    SiteNow,
    TryNow,
    entries,
    open_to,
)

LOST = frozenset({Report.SILENT, Report.NEVER, Report.UNKNOWN, Report.DISCONNECTED, Report.ERROR})
NOT_DONE = frozenset({OrderState.REFUSED, OrderState.UNKNOWN, OrderState.EXPIRED})
FAILED_SHOWN = 30


@dataclass(frozen=True)
class Handled:
    """Who said "Je m'en occupe", and until when it holds."""

    person_id: str
    name: str
    until: datetime


@dataclass(frozen=True)
class Task:
    """An entry of the list, and who deals with it."""

    entry: Entry
    handled: Handled | None


def worklist(viewer: User, site_id: str, at: datetime) -> list[Task]:
    """Return what needs a hand at a site, most urgent first, for those on duty there: what this person can do.

    Raises ``NotFound``, ``NotAllowed``.
    """
    return worklist_and_digest(viewer, site_id, at)[0]


def worklist_and_digest(viewer: User, site_id: str, at: datetime) -> tuple[list[Task], str]:
    """Return this person's list, and the digest of the whole one, which everybody's pages watch.

    Raises ``NotFound``, ``NotAllowed``.
    """
    roles = require_role(viewer, site_id, ON_DUTY_ROLES)
    tasks = _tasks_at(site_id, at)
    mine = {entry.key for entry in open_to((task.entry for task in tasks), roles)}
    return [task for task in tasks if task.entry.key in mine], digest(tasks)


def digest(tasks: Iterable[Task]) -> str:
    """Return something that differs when the list says something else: what pages watch."""
    said = [
        f"{task.entry.key} {task.entry.need} {task.entry.machine_id} {task.entry.why} {task.entry.count} "
        f"{[job.number for job in task.entry.lies_there]} {task.entry.plate_number} "
        f"{task.handled.person_id if task.handled else ''}"
        for task in tasks
    ]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]


def digest_at(site_id: str, at: datetime) -> str:
    """Return the digest of a site's list. Asks nobody who is looking."""
    return digest(_tasks_at(site_id, at))


def _tasks_at(site_id: str, at: datetime) -> list[Task]:
    handled = handlings(site_id, at)
    return [Task(entry, _holds(handled.get(entry.key), entry)) for entry in entries_at(site_id, at)]


def entries_at(site_id: str, at: datetime) -> list[Entry]:
    """Return the entries of a site. Asks nobody who is looking."""
    return entries(site_id, _site_now(site_id, at))


def handlings(site_id: str, at: datetime) -> Mapping[str, Handling]:
    """Return who deals with what, by the entry's key; lapsed ones are left out."""
    rows = Handling.objects.filter(site_id=site_id, until__gt=at).select_related("person")
    return {row.key: row for row in rows}


def _holds(row: Handling | None, entry: Entry) -> Handled | None:
    """What was taken before the entry began was another one of the same kind: that one has ended."""
    if row is None or (entry.since is not None and row.since < entry.since):
        return None
    return Handled(row.person_id, row.person.display_name, row.until)


# --- facts --------------------------------------------------------------------------------------------------------


def _site_now(site_id: str, at: datetime) -> SiteNow:
    why = witness.doubt(at) or ""
    disk_why, disk_since = disk.short_of_room(at) or ("", None)
    interruption = open_interruption(site_id)
    there = Job.objects.filter(site_id=site_id)
    failed = list(
        there.filter(state=State.FAILED).select_related("owner").order_by("-state_at")[:FAILED_SHOWN]
    )
    old = there.filter(state=State.READY, state_at__lte=at - PICK_UP_AFTER).select_related("owner")
    to_decide = there.filter(state=State.SUBMITTED).aggregate(
        count=Count("pk"), since=Min(Coalesce("submitted_at", "state_at"))
    )
    where = _last_machines([job.pk for job in failed])
    return SiteNow(
        at=at,
        machines=_machines_now(site_id, _queue(site_id), at),
        clock_why=why,
        clock_since=witness.doubted_since() if why else None,
        disk_why=disk_why,
        disk_since=disk_since,
        interrupted_since=interruption.noticed_at if interruption else None,
        interrupted=_in(interruption, at),
        calls=[
            CallNow(
                one.pk,
                one.person.display_name,
                one.at,
                one.machine_id or "",
                one.machine.name if one.machine else "",
            )
            for one in calls(site_id, at)
        ],
        failed=[(_job(job), *where.get(job.pk, ("", ""))) for job in failed],
        on_shelf=[_job(job) for job in old.order_by("state_at")],
        to_decide=to_decide["count"],
        to_decide_since=to_decide["since"],
    )


def _in(interruption: Interruption | None, at: datetime) -> frozenset[str]:
    if interruption is None:
        return frozenset()
    return frozenset(one.job.pk for one in interrupted_jobs(interruption, at) if one.choices)


def _last_machines(job_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    rows = Attempt.objects.filter(jobs__in=job_ids).order_by("claimed_at")
    return {
        job_id: (machine_id, name)
        for job_id, machine_id, name in rows.values_list("jobs", "machine_id", "machine__name")
    }


@dataclass(frozen=True)
class _Queue:
    """What waits at a place, counted: however long the queue is, only the first for each goal is read."""

    for_model: Mapping[str, int]
    for_machine: Mapping[str, int]
    heads: Sequence[Job]  # in the order of the queue

    def waited_by(self, machine: Machine, *, only_named: bool) -> int:
        return (0 if only_named else self.for_model.get(machine.model_id, 0)) + self.for_machine.get(
            machine.pk, 0
        )

    def first_for(self, machine: Machine) -> Job | None:
        return next((job for job in self.heads if _could_go(job, machine)), None)


def _queue(site_id: str) -> _Queue:
    queued = Job.objects.filter(site_id=site_id, state=State.QUEUED, machine_file__isnull=False)
    for_model: Counter[str] = Counter()
    for_machine: Counter[str] = Counter()
    goals = queued.order_by().values_list("machine_id", "machine_model_id").annotate(count=Count("pk"))
    for machine_id, model_id, count in goals:
        if machine_id is None:
            for_model[model_id] += count
        else:
            for_machine[machine_id] += count
    since = Coalesce("queued_at", "state_at")
    place = Window(
        RowNumber(),
        partition_by=[F("machine_id"), F("machine_model_id")],
        order_by=[F("priority").desc(), since.asc(), F("number").asc()],
    )
    heads = queued.annotate(place=place).filter(place=1).select_related("owner")
    return _Queue(for_model, for_machine, list(heads.order_by("-priority", since, "number")))


def _machines_now(site_id: str, queue: _Queue, at: datetime) -> list[MachineNow]:
    machines = list(in_use().filter(site_id=site_id))
    ids = [machine.pk for machine in machines]
    attempts = live_attempts(ids)
    orders = last_orders([attempt.pk for attempt in attempts.values()])
    ends = last_ends(ids)
    late = {
        one.attempt_id: one.booking.start if one.booking else one.closes_at for one in overruns(site_id, at)
    }
    due = {machine.pk for machine, _use in maintenance_due(site_id, at)}
    apart = only_named(machines)
    there = lying_on(ids)
    found = []
    for machine in machines:
        attempt = attempts.get(machine.pk)
        lost = _lost_since(machine, at)
        report = Report(machine.report)
        found.append(
            MachineNow(
                id=machine.pk,
                name=machine.name,
                linked=machine.linked,
                out_of_order=machine.out_of_order_since is not None,
                plate_to_clear=machine.model.kind.needs_plate and machine.plate == Plate.TO_CLEAR,
                plate_number=machine.plate_number,
                plate_word=machine.model.kind.by_hand.plate_word,
                plate_since=ends.get(machine.pk),
                lies_there=tuple(_job(job) for job in there.get(machine.pk, ())),
                unreachable_since=lost,
                trouble=(machine.report_error or str(report)) if lost else "",
                help_since=machine.needs_help_since,
                help_why=machine.needs_help_why,
                on_it=_try(attempt, orders, late.get(attempt.pk), at) if attempt else None,
                at_work=(machine.linked and report in AT_WORK) or used_by_hand(machine, at),
                waited_by=queue.waited_by(machine, only_named=machine.pk in apart),
                carried=machine.driver not in FED | STARTED_BY_LINE,
                maintenance_due=machine.pk in due,
                next_job=_job(first) if (first := queue.first_for(machine)) is not None else None,
            )
        )
    return found


def _could_go(job: Job, machine: Machine) -> bool:
    if job.machine_id is not None:
        return job.machine_id == machine.pk
    return job.machine_model_id == machine.model_id


def _lost_since(machine: Machine, at: datetime) -> datetime | None:
    """Return since when a machine with a line is not heard or not understood; None when all is well."""
    if machine.driver not in WATCHED:
        return None
    report = Report(machine.report)
    if not machine.linked:
        return machine.report_since if report in {Report.SILENT, Report.ERROR} else None
    if report in LOST:
        return machine.report_since or machine.seen_at or at
    return figures.seen_at(machine) or at if figures.is_stale(machine, at) else None


def _try(
    attempt: Attempt, orders: Mapping[str, Order], overruns_at: datetime | None, at: datetime
) -> TryNow | None:
    jobs = [part.job for part in attempt.parts.all() if part.live]
    if not jobs:
        return None
    job = jobs[0]
    order = orders.get(attempt.pk)
    asked = order if order is not None and order.verb == Verb.START else None
    start = asked if asked is not None and asked.state in NOT_DONE else None
    # An order that nobody takes stays "waiting" while nothing supervises: its time is over all the same.
    under_way = asked is not None and asked.state in UNSETTLED and asked.expires_at > at
    minutes = (attempt.machine_file.report or {}).get("minutes")
    began = attempt.started_at if State(job.state) in STARTED else None
    return TryNow(
        job=_job(job),
        more=len(jobs) - 1,
        asked=under_way or (start is None and attempt.start_sent_at is not None),
        unsure_since=attempt.unsure_since,
        unsure_why=attempt.unsure_why,
        refused=start.outcome or "expired" if start is not None else "",
        refused_at=start.settled_at if start is not None else None,
        overruns_at=overruns_at,
        ends_at=began + timedelta(minutes=minutes) if began is not None and minutes is not None else None,
    )


def _job(job: Job) -> JobNow:
    return JobNow(job.pk, job.number, job.title, job.owner.display_name, State(job.state), job.state_at)
