"""Loads what the plan needs, in a fixed number of queries, however many jobs, machines and sites there are."""

import logging
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q, Sum

from equipment.bookings.models import Booking
from equipment.bookings.states import HOLDING, LIVE
from equipment.machines.models import Machine, Outage
from equipment.machines.queries import in_use, only_named
from equipment.machines.said import FAULT_TOLD, used_by_hand
from equipment.machines.states import AT_WORK, STALE_AFTER_S, WATCHED, Driver, Report
from equipment.sites.models import Site
from equipment.sites.queries import openings
from fablab.core.clock import Span, opening_spans
from jobs.lifecycle.models import Attempt, AttemptJob, Job
from jobs.lifecycle.on_machines import Candidate, last_ends, live_attempts, queued
from jobs.lifecycle.states import STARTED, State
from jobs.planning.facts import CHANGEOVER, HORIZON, Held, MachineNow, Place, Reason, Waiting
from jobs.planning.guards import BUSY, PUT_OFF_FOR, could_take, why_not
from jobs.planning.order import SHARE_DAYS
from jobs.planning.plan import plan

logger = logging.getLogger(__name__)

SEEN_WITHIN_S = 30 + STALE_AFTER_S  # ``seen_at`` is written every 30 s at the latest
UNHEARD = frozenset({Report.SILENT, Report.NEVER, Report.UNKNOWN, Report.DISCONNECTED, Report.ERROR})

MOST_MINUTES = 60 * 24 * 60  # a file may say what it likes
# What the plan holds against a job at a machine to which a person is about to take it.
AGAINST_TAKING = frozenset(
    {
        "waiting_needs_help",
        "waiting_closed",
        "waiting_too_long",
        BUSY,
        "waiting_own_booking",
        "waiting_next_booking",
        "waiting_closing_time",
        "waiting_power_cut",
    }
)


@dataclass(frozen=True)
class Outlook:
    """One site as the plan sees it."""

    jobs: Mapping[str, Waiting]
    machines: tuple[MachineNow, ...]
    used: Mapping[str, timedelta] = field(default_factory=dict)
    on_machines: Mapping[tuple[str, str], int] = field(default_factory=dict)
    stored: Mapping[str, Sequence[Mapping[str, object]]] = field(default_factory=dict)  # reasons noted so far

    def plan(self, at: datetime) -> Mapping[str, Place]:
        """Return each job's place, in the order of the queue."""
        return plan(self.jobs.values(), self.machines, at, used=self.used, on_machines=self.on_machines)


def site_plan(site_id: str, at: datetime) -> Mapping[str, Place]:
    """Return the place of every queued job of a site, by job, in the order of the queue."""
    found = outlooks(at, site_ids=[site_id]).get(site_id)
    return found.plan(at) if found else {}


def pulse() -> dict[str, Hashable]:
    """Return, for each site where jobs wait, something that differs when its queue or machines have changed.

    Two queries, whatever waits; bookings, hours and silence it does not see.
    """
    jobs = {
        site: (count, versions, latest)
        for site, count, versions, latest in Job.objects.filter(state=State.QUEUED)
        .order_by()
        .values_list("site_id")
        .annotate(Count("pk"), Sum("version"), Max("queued_at"))
    }
    if not jobs:
        return {}
    machines = {
        site: (versions, count)
        for site, versions, count in Machine.objects.filter(site_id__in=jobs, retired_at__isnull=True)
        .order_by()
        .values_list("site_id")
        .annotate(Sum("version"), Count("pk"))
    }
    return {site: (beat, machines.get(site)) for site, beat in jobs.items()}


def outlooks(at: datetime, *, site_ids: Iterable[str] | None = None) -> dict[str, Outlook]:
    """Return the sites where jobs wait (of these, or all), by id; one query when nobody waits anywhere."""
    candidates = queued(site_ids)
    if not candidates:
        return {}
    sites = {one.site_id for one in candidates}
    bookings = _bookings({one.booking_id for one in candidates if one.booking_id})
    attempts, machines = machines_now(sites, at)
    used = _used(sites, at)
    put_off = _put_off(sites, at)
    found = {}
    for site_id in sorted(sites):
        there = [one for one in candidates if one.site_id == site_id]
        found[site_id] = Outlook(
            jobs={one.job_id: _waiting(one, bookings, put_off.get(one.job_id, {})) for one in there},
            machines=tuple(machines.get(site_id, ())),
            used=used,
            on_machines=_turns(attempts),
            stored={one.job_id: one.waiting_for for one in there},
        )
    return found


def _turns(attempts: Iterable[Attempt]) -> Mapping[tuple[str, str], int]:
    jobs = [part.job for attempt in attempts for part in attempt.parts.all() if part.live]
    return Counter((job.owner_id, job.machine_model_id) for job in jobs)


def _bookings(ids: set[str]) -> dict[str, Booking]:
    """Return those that still are somebody's time. After "J’ai fini" only the buffer is left, and it is nobody's."""
    running = Booking.objects.filter(pk__in=ids, state__in=LIVE, ended_at__isnull=True)
    return {row.pk: row for row in running} if ids else {}


def _waiting(
    one: Candidate, bookings: Mapping[str, Booking], put_off: Mapping[str, tuple[str, datetime]]
) -> Waiting:
    booking = bookings.get(one.booking_id or "")
    return Waiting(
        id=one.job_id,
        owner_id=one.owner_id,
        model_id=one.machine_model_id,
        queued_at=one.queued_at,
        format=one.format,
        machine_id=one.machine_id,
        approved_at=one.approved_at,
        length=timedelta(minutes=min(one.minutes, MOST_MINUTES)) if one.minutes is not None else None,
        priority=one.priority,
        material=one.material,
        nozzle_mm=one.nozzle_mm,
        frame=one.frame,
        own_booking=(
            Held(booking.pk, booking.person_id, booking.start, booking.held_end) if booking else None
        ),
        booked_machine_id=booking.machine_id if booking else None,
        put_off=put_off,
    )


def _put_off(site_ids: Iterable[str], at: datetime) -> dict[str, dict[str, tuple[str, datetime]]]:
    """Return which machines are not asked for a job's file just now: job → machine → (code, until)."""
    rows = Attempt.objects.filter(
        machine__site_id__in=list(site_ids), ended_at__gt=at - max(PUT_OFF_FOR.values())
    ).exclude(put_off="")
    found: dict[str, dict[str, tuple[str, datetime]]] = {}
    for job_id, machine_id, code, ended_at in rows.order_by("ended_at").values_list(
        "jobs", "machine_id", "put_off", "ended_at"
    ):
        if ended_at is not None:  # filtered
            found.setdefault(job_id, {})[machine_id] = (code, ended_at + PUT_OFF_FOR[code])
    return found


def _used(site_ids: Iterable[str], at: datetime) -> dict[str, timedelta]:
    """Return the machine time of the last days of everybody who waits at these sites."""
    since = at - timedelta(days=SHARE_DAYS)
    waiting = Job.objects.filter(site_id__in=list(site_ids), state=State.QUEUED).values("owner_id")
    rows = AttemptJob.objects.filter(
        Q(attempt__ended_at__isnull=True) | Q(attempt__ended_at__gt=since),
        attempt__started_at__isnull=False,
        job__owner_id__in=waiting,
    ).values_list("job__owner_id", "attempt_id", "attempt__started_at", "attempt__ended_at")
    # Several objects of one person on one plate took the machine once.
    tries = {(owner, attempt): (began, ended) for owner, attempt, began, ended in rows if began}
    used: dict[str, timedelta] = {}
    for (owner, _), (began, ended) in tries.items():
        time = max((min(ended, at) if ended else at) - max(began, since), timedelta())
        used[owner] = used.get(owner, timedelta()) + time
    return used


# --- machines -----------------------------------------------------------------------------------------------------


def machines_now(
    site_ids: Iterable[str], at: datetime
) -> tuple[Sequence[Attempt], dict[str, list[MachineNow]]]:
    """Return the live tries at these sites, and their machines that take files, by site."""
    machines = list(in_use().filter(site_id__in=list(site_ids), model__kind__takes_files=True).order_by("pk"))
    ids = [machine.pk for machine in machines]
    attempts = live_attempts(ids)
    idle = last_ends(ids)
    open_ = _opening({machine.site_id: machine.site for machine in machines}, at)
    held, outages = _held(ids, at), _outages(ids, at)
    named = only_named(machines)
    found: dict[str, list[MachineNow]] = {}
    for machine in machines:
        attempt = attempts.get(machine.pk)
        now = MachineNow(
            id=machine.pk,
            name=machine.name,
            model_id=machine.model_id,
            formats=frozenset(machine.model.formats),
            open=open_[machine.site_id][0],
            by_line=Driver(machine.driver) in WATCHED,
            only_named=machine.pk in named,
            in_service=machine.out_of_order_since is None,
            # Anybody may tell a fault; what stops the queue is the word of somebody on duty.
            needs_help=machine.needs_help_since is not None and machine.needs_help_why != FAULT_TOLD,
            heard=is_heard(machine, at),
            ready=_is_ready(machine, at),
            foreign=machine.report_foreign and Report(machine.report) in AT_WORK,
            taken=attempt is not None,
            free_at=free_at(attempt, at) if attempt is not None else None,
            may_overrun=machine.may_overrun,
            material=machine.material,
            nozzle_mm=machine.nozzle_mm,  # another than the model's, whose own an instructor has looked at
            frame=machine.frame,
            plate_clear=machine.plate == "clear" or not machine.model.kind.needs_plate,
            idle_since=idle.get(machine.pk),
            held=tuple(held.get(machine.pk, ())),
            outages=tuple(outages.get(machine.pk, ())),
            cuts=open_[machine.site_id][1],
        )
        found.setdefault(machine.site_id, []).append(now)
    return list(attempts.values()), found


def is_heard(machine: Machine, at: datetime) -> bool:
    """Say whether the machine was heard lately and understood; of one that reports nothing, whether its line is up."""
    report = Report(machine.report)
    if not machine.linked:
        return Driver(machine.driver) not in WATCHED or report not in {Report.SILENT, Report.ERROR}
    return (
        report not in UNHEARD
        and machine.seen_at is not None
        and (at - machine.seen_at).total_seconds() < SEEN_WITHIN_S
    )


def _is_ready(machine: Machine, at: datetime) -> bool:
    return machine.report == Report.READY if machine.linked else not used_by_hand(machine, at)


def free_at(attempt: Attempt, at: datetime) -> datetime | None:
    """Return when a machine is expected to be empty again after this try, or None when nobody can know."""
    ends = ends_at(attempt, at)
    return None if ends is None else ends + CHANGEOVER


def ends_at(attempt: Attempt, at: datetime) -> datetime | None:
    """Return when a live try is expected to end, never before now: by the machine's word, else by its file's estimate.

    Loaded with ``live_attempts``. A try that has not begun counts from now.
    """
    ends = []
    for job in (part.job for part in attempt.parts.all() if part.live):
        minutes = (attempt.machine_file.report or {}).get("minutes")
        if State(job.state) in STARTED and job.seconds_left is not None:
            ends.append((job.progress_at or at) + timedelta(seconds=job.seconds_left))
        elif minutes is not None:
            ends.append((attempt.started_at or at) + timedelta(minutes=minutes))
        else:
            return None
    return max([at, *ends])


def _opening(sites: Mapping[str, Site], at: datetime) -> dict[str, tuple[tuple[Span, ...], tuple[Span, ...]]]:
    """Return opening hours and announced power cuts by site, each for itself: what waits is told which it is."""
    # Local days differ from UTC's, and hours may reach past midnight.
    first, last, until = (at - timedelta(days=1)).date(), (at + HORIZON).date(), at + HORIZON
    found = {}
    for site_id, known in (openings(sites.values(), first, last) if sites else {}).items():
        hours = opening_spans(known.hours, known.closures, known.zone, at, until)
        cuts = sorted(cut for cut in known.cuts if cut.end > at and cut.start < until)
        found[site_id] = (tuple(hours), tuple(cuts))
    return found


def _held(ids: Sequence[str], at: datetime) -> dict[str, list[Held]]:
    found: dict[str, list[Held]] = {}
    rows = Booking.objects.filter(
        machine_id__in=ids, state__in=HOLDING, held_end__gt=at, held_start__lt=at + HORIZON
    ).order_by("held_start")
    for row in rows.only("machine_id", "person_id", "held_start", "held_end", "state", "ended_at"):
        # What is only kept for somebody, and the buffer after a use, are nobody's time to begin in.
        owner = row.person_id if row.state in LIVE and row.ended_at is None else ""
        hold = Held(row.pk, owner, row.held_start, row.held_end)
        found.setdefault(row.machine_id, []).append(hold)
    return found


def _outages(ids: Sequence[str], at: datetime) -> dict[str, list[tuple[datetime, datetime | None]]]:
    found: dict[str, list[tuple[datetime, datetime | None]]] = {}
    rows = Outage.objects.filter(machine_id__in=ids, start__lt=at + HORIZON).exclude(end__lte=at)
    for machine, start, end in rows.order_by("start").values_list("machine_id", "start", "end"):
        found.setdefault(machine, []).append((start, end))
    return found


# --- for the page at a machine ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Next:
    """A job that waits and could go to a machine. ``reasons``: why not now; empty, it may be taken there."""

    job_id: str
    place: Place
    reasons: tuple[Reason, ...]


def next_for_machine(machine_id: str, at: datetime) -> list[Next]:
    """Return the queued jobs that may be made on this machine, in the order of the queue.

    What the person who stands there takes is the first one without reasons. A job that the plan sends to another
    machine which is free is among them: at that one somebody will take it too, and whoever is first is right.
    """
    return next_for_machines([machine_id], at).get(machine_id, [])


def next_for_machines(machine_ids: Collection[str], at: datetime) -> dict[str, list[Next]]:
    """Do as ``next_for_machine`` for many, by machine id: each site is read and planned once.

    A site whose queue cannot be planned has none.
    """
    sites = Machine.objects.filter(pk__in=machine_ids).values_list("site_id", flat=True)
    found: dict[str, list[Next]] = {}
    for site_id, outlook in outlooks(at, site_ids=set(sites)).items():
        try:
            places = outlook.plan(at)
        except Exception:  # one site's queue holds up no other site
            logger.exception("the queue of site %s could not be planned", site_id)
            continue
        for machine in outlook.machines:
            if machine.id in machine_ids:
                found[machine.id] = [
                    Next(job_id, place, why_not(outlook.jobs[job_id], machine, at))
                    for job_id, place in places.items()
                    if could_take(outlook.jobs[job_id], machine)
                ]
    return found


def against_taking(job_id: str, machine_id: str, at: datetime) -> tuple[Reason, ...]:
    """Return why a queued job is not to be taken to this machine now, as far as time and the machine's state say so.

    What it fits is not asked: who takes it puts that in. Nor is what ``lifecycle.take`` says itself.
    """
    found = outlooks(at, site_ids=Job.objects.filter(pk=job_id).values_list("site_id", flat=True))
    for outlook in found.values():
        machine = next((one for one in outlook.machines if one.id == machine_id), None)
        if machine is not None and job_id in outlook.jobs:
            said = why_not(outlook.jobs[job_id], machine, at)
            asked = AGAINST_TAKING - ({BUSY} if machine.taken else set())
            return tuple(reason for reason in said if reason.code in asked)
    return ()
