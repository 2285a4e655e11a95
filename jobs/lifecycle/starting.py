"""Orders to start a machine: how far apart at a place with weak power (REL-22), and without a press (SEC-22)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from math import ceil

from django.db import transaction
from django.db.models import F, Max

from equipment.bookings.use import right_to_start, somebody_is_there
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine
from equipment.machines.outages import is_out_of_order
from equipment.machines.said import used_by_hand
from equipment.machines.states import AT_WORK, STARTED_BY_LINE, Driver, Report
from equipment.sites.models import Site
from equipment.sites.queries import open_until, present_people, roles_of
from equipment.sites.states import ON_DUTY_ROLES
from fablab.live import push
from fablab.people.models import User
from jobs.lifecycle import live
from jobs.lifecycle.apply import approval_problem
from jobs.lifecycle.models import Attempt, Job, JobEvent, Order
from jobs.lifecycle.queries import heard_lately, may_have_started
from jobs.lifecycle.states import OrderState, Source, State, Verb
from jobs.lifecycle.table import CLOCK_SKEW_S, ORDER_LIFETIME_S

AUTO_START = "auto_start"  # a line of an object's history
NOT_SENT = frozenset({OrderState.REFUSED, OrderState.EXPIRED})
GapRule = Callable[[Site, datetime], int]  # seconds between two starts at a place
_gap_rules: list[GapRule] = [lambda site, at: site.start_gap_s]


def stagger(rule: GapRule) -> None:
    """Have one more rule ask for seconds between two starts; the strictest counts. Called by ``apps.ready``."""
    if rule not in _gap_rules:
        _gap_rules.append(rule)


def seconds_to_wait(site: Site, at: datetime) -> int:
    """Return for how long no machine of a place may be started now, because another one just was.

    To be sure of the answer, hold the place's row (``hold_starts``).
    """
    gap = max(rule(site, at) for rule in _gap_rules)
    if gap == 0:
        return 0
    since, until = at - timedelta(seconds=gap), at + timedelta(seconds=CLOCK_SKEW_S)
    orders = Order.objects.filter(
        attempt__machine__site=site, verb=Verb.START, created_at__gt=since, created_at__lte=until
    ).exclude(state__in=NOT_SENT)
    begun = Attempt.objects.filter(machine__site=site, started_at__gt=since, started_at__lte=until)
    last = [
        orders.aggregate(last=Max("created_at"))["last"],
        begun.aggregate(last=Max("started_at"))["last"],
    ]
    starts = [start for start in last if start is not None]
    return max(0, ceil(gap - (at - max(starts)).total_seconds())) if starts else 0


def hold_starts(site: Site) -> None:
    """Let no two starts of a place be judged at once; inside a transaction, after the machine's lock."""
    Site.objects.select_for_update().get(pk=site.pk)


def write_order(attempt: Attempt, verb: Verb, machine: Machine, *, actor: User | None, at: datetime) -> Order:
    """Write what a machine is asked for; its lock is held. ``IntegrityError``: that is asked for already."""
    return Order.objects.create(
        attempt=attempt,
        verb=verb,
        plate_token=machine.plate_token if verb is Verb.START else "",
        lease_number=machine.lease_number,
        actor=actor,
        created_at=at,
        expires_at=at + timedelta(seconds=ORDER_LIFETIME_S),
    )


def hears(machine: Machine, at: datetime) -> bool:
    """Say whether the machine was heard lately enough for an order."""
    return heard_lately(machine, at) and machine.report not in {
        Report.SILENT,
        Report.NEVER,
        Report.DISCONNECTED,
        Report.UNKNOWN,
        Report.ERROR,
    }


def start_by_itself(attempt_id: str, *, lease_number: int, at: datetime) -> Order | None:
    """Ask a machine that opted in to start what lies ready on it, in the name of who confirmed its plate clear.

    None when anything speaks against it: nobody reads a refusal, and the next look asks again. Once for each try: a
    start that came to nothing is for people to see. What the calendar says is the caller's to judge.
    """
    machine_id = Attempt.objects.filter(pk=attempt_id).values_list("machine_id", flat=True).first()
    if machine_id is None:
        return None
    with transaction.atomic():
        machine = lock_machine(machine_id)
        attempt = Attempt.objects.select_for_update(of=("self",)).get(pk=attempt_id)
        parts = attempt.parts.filter(live=True).select_related(
            "job__site", "job__owner", "job__upload", "job__machine_file", "job__machine_model__kind"
        )
        jobs = [part.job for part in parts]
        if machine.lease_number != lease_number or not _may_start(machine, attempt, jobs, at):
            return None
        hold_starts(machine.site)
        if seconds_to_wait(machine.site, at):
            return None
        order = write_order(attempt, Verb.START, machine, actor=machine.plate_cleared_by, at=at)
        for job in jobs:
            _record(job, order, at)
    push.changed(*(f"job:{job.pk}" for job in jobs), f"machine:{machine.pk}")
    push.part_changed(f"board:{machine.site_id}", machine.pk)
    live.wake_supervision()
    return order


def _may_start(machine: Machine, attempt: Attempt, jobs: list[Job], at: datetime) -> bool:
    if not machine.auto_start or not machine.model.kind.remote_start:
        return False
    if Driver(machine.driver) not in STARTED_BY_LINE:
        return False
    if machine.needs_help_since is not None or is_out_of_order(machine, at):
        return False
    if machine.linked and (not hears(machine, at) or machine.report in AT_WORK):
        return False
    if not machine.linked and (used_by_hand(machine, at) or somebody_is_there(machine, at)):
        return False  # somebody's hands are there
    if attempt.ended_at is not None or may_have_started(attempt) or not jobs:
        return False
    if any(job.state != State.LOADED for job in jobs) or attempt.orders.filter(verb=Verb.START).exists():
        return False
    if not _cleared_on_duty(machine):
        return False
    if not right_to_start(machine, at) or any(approval_problem(job, at, machine) for job in jobs):
        return False
    return open_until(machine.site, at) is not None and present_people(machine.site_id, at).exists()


def _cleared_on_duty(machine: Machine) -> bool:
    """Say whether somebody of the place's instructors and staff confirmed the plate clear: they were there.

    Who makes their own work may empty their own plate, but nobody can prove that they stood there.
    """
    cleared_by = machine.plate_cleared_by
    return cleared_by is not None and bool(roles_of(cleared_by, machine.site_id) & ON_DUTY_ROLES)


def _record(job: Job, order: Order, at: datetime) -> None:
    Job.objects.filter(pk=job.pk).update(version=F("version") + 1)
    JobEvent.objects.create(
        job=job,
        version=job.version + 1,
        action=AUTO_START,
        from_state=job.state,
        to_state=job.state,
        actor=order.actor,
        source=Source.DISPATCHER,
        at=at,
        details={"auto": True, "order": order.pk, "attempt": order.attempt_id},
    )
