"""Answers that combine rooms: a machine with its job and next free time, a job with its place in the plan.

The same functions feed REST answers, live snapshots and pages, so that they never disagree. Every list is loaded in a
fixed number of queries.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from equipment.bookings.finding import next_free_for_machines
from equipment.bookings.queries import checked_in_now
from equipment.machines import figures
from equipment.machines.models import Machine, Outage
from equipment.machines.outages import running
from equipment.machines.said import help_needed, used_by_hand
from equipment.machines.states import STREAMED, Condition, Driver, Plate, Report, condition_of
from equipment.sites.queries import without_power
from fablab.core.words import say
from jobs.lifecycle.models import Attempt, AttemptJob, Job, Order
from jobs.lifecycle.on_machines import live_attempts
from jobs.lifecycle.queries import (
    Viewer,
    actions_for,
    attempts_of,
    by_the_clock,
    findings_of,
    live_part,
    may_have_started,
)
from jobs.lifecycle.states import MADE, ON_MACHINE, STARTED, UNSETTLED, State
from jobs.planning.facts import Place
from jobs.planning.queries import site_plan
from jobs.planning.words import say_reason

Shape = dict[str, Any]
# States in which somebody who is there can use the machine this minute.
USABLE = frozenset({Condition.FREE, Condition.NEEDS_CLEARING})
AT_WORK_SHOWN = frozenset(
    {Condition.BUSY, Condition.NEEDS_HELP}
)  # a machine that needs help may go on working


def stamp(at: datetime | None) -> str | None:
    """Return a time as RFC 3339 in UTC, to the millisecond."""
    if at is None:
        return None
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- machines ----------------------------------------------------------------------------------------------------


def condition(
    machine: Machine,
    attempt: Attempt | None,
    at: datetime,
    *,
    staff: bool,
    used: bool = False,
    outage: Outage | None = None,
) -> Condition:
    """Return what people see of a machine, or its staff. ``machine.model.kind`` must be loaded.

    ``used``: somebody has checked in there. ``outage``: the one that lasts now, also a planned one.
    """
    return condition_of(
        linked=machine.linked,
        out_of_order=machine.out_of_order_since is not None or outage is not None,
        plate=Plate(machine.plate),
        needs_plate=machine.model.kind.needs_plate,
        report=Report(machine.report),
        stale=figures.is_stale(machine, at),
        live_attempt=attempt is not None,
        foreign=machine.report_foreign,
        started=attempt is not None and attempt.started_at is not None,
        unsure=attempt is not None and attempt.unsure_since is not None,
        needs_help=help_needed(machine, staff=staff),
        in_use=used or used_by_hand(machine, at),
        waits_for_line=(
            attempt is not None and attempt.started_at is None and Driver(machine.driver) in STREAMED
        ),
    )


def machine_shapes(
    machines: Iterable[Machine], *, at: datetime, staff: bool | Mapping[str, bool], free_times: bool = True
) -> list[Shape]:
    """Return machines as programs and pages see them.

    ``staff`` says, for all or by site id, whether the staff's shape is wanted: with the job on the machine,
    temperatures, connection and its troubles. Machines come with ``model__kind`` and ``site`` loaded.
    """
    machines = list(machines)
    attempts = live_attempts(machine.pk for machine in machines)
    # A machine with a link says itself whether it works; at another one, people do.
    used = checked_in_now([machine.pk for machine in machines if not machine.linked], at)
    out = running([machine.pk for machine in machines], at)
    ready = [
        machine.pk
        for machine in machines
        if condition(
            machine,
            attempts.get(machine.pk),
            at,
            staff=False,
            used=machine.pk in used,
            outage=out.get(machine.pk),
        )
        in USABLE
    ]
    dark = without_power((machine.site_id for machine in machines), at)
    free = next_free_for_machines(machines, at, ready=ready) if free_times else {}
    orders = _open_orders([attempt.pk for attempt in attempts.values()])
    return [
        _machine_shape(
            machine,
            attempts.get(machine.pk),
            orders,
            at,
            staff=staff if isinstance(staff, bool) else staff.get(machine.site_id, False),
            next_free_at=free.get(machine.pk),
            used=machine.pk in used,
            no_power=machine.site_id in dark,
            outage=out.get(machine.pk),
        )
        for machine in machines
    ]


def machine_shape(machine: Machine, *, at: datetime, staff: bool) -> Shape:
    """Return one machine's shape."""
    return machine_shapes([machine], at=at, staff=staff)[0]


def _machine_shape(
    machine: Machine,
    attempt: Attempt | None,
    orders: Mapping[str, list[Order]],
    at: datetime,
    *,
    staff: bool,
    next_free_at: datetime | None,
    used: bool,
    no_power: bool,
    outage: Outage | None,
) -> Shape:
    kind = machine.model.kind
    latest = figures.latest(machine.pk)
    jobs = [part.job for part in attempt.parts.all() if part.live] if attempt else []
    now = condition(machine, attempt, at, staff=staff, used=used, outage=outage)
    shape: Shape = {
        "id": machine.pk,
        "name": machine.name,
        "site": machine.site_id,
        "kind": {"id": kind.pk, "slug": kind.slug, "name": kind.name, "icon": kind.icon},
        "model": {"id": machine.model_id, "name": machine.model.name},
        "driver": machine.driver,
        "state": now,
        "no_power": no_power,
        "plate": machine.plate,
        "plate_number": machine.plate_number,
        "needs_plate": kind.needs_plate,
        "plate_word": kind.by_hand.plate_word,
        "seen_at": stamp(figures.seen_at(machine)),
        "next_free": stamp(next_free_at),
        "out_of_order_reason": machine.out_of_order_reason or (outage.reason if outage else "") or None,
        "progress": _machine_progress(machine, latest, attempt, at) if now in AT_WORK_SHOWN else None,
        "material": machine.material or None,
        "nozzle_mm": machine.nozzle_mm,
        "frame": machine.frame or None,
    }
    if staff:
        shape |= {
            "report": machine.report,
            "trouble": machine.report_error or None,
            "address": machine.address or None,
            "has_key": bool(machine.sealed_key),
            "auto_start": machine.auto_start,
            "may_overrun": machine.may_overrun,
            "plate_cleared_at": stamp(machine.plate_cleared_at),
            "temperatures": (
                {name: dict(values) for name, values in latest.temperatures.items()} if latest else {}
            ),
            "current_jobs": [
                {
                    "id": job.pk,
                    "number": job.number,
                    "title": job.title,
                    "owner": job.owner.display_name,
                    "state": job.state,
                }
                for job in jobs
            ],
            "orders": [order_shape(order) for order in orders.get(attempt.pk, [])] if attempt else [],
            "unsure": attempt.unsure_why or None if attempt else None,
            "needs_help": {"why": machine.needs_help_why, "since": stamp(machine.needs_help_since)}
            if machine.needs_help_since
            else None,
            "in_use": used or used_by_hand(machine, at),
        }
        shape["current_job"] = shape["current_jobs"][0] if shape["current_jobs"] else None
    return shape


def _machine_progress(
    machine: Machine, latest: figures.Figures | None, attempt: Attempt | None, at: datetime
) -> Shape | None:
    if latest is not None and latest.percent is not None:
        progress: Shape = latest.as_patch()["progress"]
        return progress
    jobs = [part.job for part in attempt.parts.all() if part.live] if attempt else []
    if attempt is not None and not machine.linked:
        return next((_job_progress(job, attempt, at) for job in jobs if job.state in STARTED), None)
    known = next((job for job in jobs if job.percent is not None), None)
    return _job_progress(known, None, at) if known else None


def _open_orders(attempt_ids: Sequence[str]) -> dict[str, list[Order]]:
    found: dict[str, list[Order]] = {}
    for order in Order.objects.filter(attempt_id__in=attempt_ids, state__in=UNSETTLED):
        found.setdefault(order.attempt_id, []).append(order)
    return found


def order_shape(order: Order) -> Shape:
    """Return an order as its asker sees it; ``outcome`` is null while the machine has not answered."""
    return {
        "verb": order.verb,
        "state": order.state,
        "expires_at": stamp(order.expires_at),
        "outcome": order.outcome or None,
    }


# --- jobs --------------------------------------------------------------------------------------------------------


def job_shapes(jobs: Iterable[Job], viewer: Viewer | None) -> list[Shape]:
    """Return jobs loaded by ``with_all_that_pages_show``. Without a viewer there are no ``actions``."""
    jobs = list(jobs)
    at = viewer.at if viewer else timezone.now()
    plans: dict[str, Mapping[str, Place]] = {
        site: site_plan(site, at) for site in {job.site_id for job in jobs if job.state == State.QUEUED}
    }
    live = [part.attempt_id for job in jobs for part in attempts_of(job) if part.live]
    orders = _open_orders(live)
    return [_job_shape(job, viewer, at, plans.get(job.site_id, {}).get(job.pk), orders) for job in jobs]


def job_shape(job: Job, viewer: Viewer | None) -> Shape:
    """Return one job's shape."""
    return job_shapes([job], viewer)[0]


def job_is_unsure(job: Job, at: datetime) -> bool:
    """Say whether people must read "On vérifie la machine" for this job (UX-5)."""
    part = live_part(job)
    if part is None or job.state not in ON_MACHINE:
        return False
    if part.attempt.unsure_since is not None:
        return True
    machine = part.attempt.machine
    silent = machine.report in {Report.SILENT, Report.UNKNOWN, Report.DISCONNECTED, Report.ERROR}
    return machine.linked and may_have_started(part.attempt) and (silent or figures.is_stale(machine, at))


def _job_shape(
    job: Job, viewer: Viewer | None, at: datetime, place: Place | None, orders: Mapping[str, list[Order]]
) -> Shape:
    part = live_part(job)
    machine = part.attempt.machine if part else job.machine
    last = attempts_of(job)[-1:]
    if machine is None and last and job.state in MADE | {State.FAILED}:
        machine = last[0].attempt.machine
    guide = job.machine_model.kind.by_hand
    shape: Shape = {
        "id": job.pk,
        "number": job.number,
        "title": job.title,
        "owner": {"id": job.owner_id, "name": job.owner.display_name},
        "site": job.site_id,
        "state": job.state,
        "state_at": stamp(job.state_at),
        "unsure": job_is_unsure(job, at),
        "reason": job.reason or None,
        "machine": {
            "id": machine.pk,
            "name": machine.name,
            "plate": machine.plate,
            "plate_number": machine.plate_number,
            "needs_plate": job.machine_model.kind.needs_plate,
            "plate_word": guide.plate_word,
            "out_of_order": machine.out_of_order_since is not None,
            "linked": machine.linked,
        }
        if machine
        else None,
        "machine_model": {"id": job.machine_model_id, "name": job.machine_model.name},
        "booking": job.booking_id,
        "settings": job.settings,
        "note": job.note,
        "upload": {"id": job.upload_id, "name": job.upload.name, "state": job.upload.state},
        "preparation": preparation_shape(job),
        "findings": [
            {**finding.as_json(), "detail": say(finding.code, finding.params)} for finding in findings_of(job)
        ],
        "progress": _job_progress(job, part.attempt if part else None, at),
        "place": place.number if place else None,
        "expected_start": stamp(place.expected_start) if place else None,
        "planned_machine": (
            {"id": place.machine_id, "name": place.machine_name} if place and place.machine_id else None
        ),
        "waiting_for": [
            {**reason, "detail": say_reason(reason["code"], reason.get("params") or {}, guide)}
            for reason in _waiting(job, place)
        ],
        "shelf": job.shelf or None,
        "attempts": [attempt_shape(part) for part in attempts_of(job)],
        "orders": [order_shape(order) for order in orders.get(part.attempt_id, [])] if part else [],
        "version": job.version,
        "created_at": stamp(job.created_at),
    }
    if viewer is not None:
        shape["actions"] = [action.replace("_", "-") for action in actions_for(job, viewer)]
    return shape


def _waiting(job: Job, place: Place | None) -> Sequence[Shape]:
    """Return why a job waits: what dispatch noted, else what the plan says while nobody has looked."""
    noted: list[Shape] = job.waiting_for
    return noted or ([reason.as_json() for reason in place.reasons] if place else [])


def _job_progress(job: Job, attempt: Attempt | None, at: datetime) -> Shape:
    """Return how far a job is; where no machine says so, by the clock and the file's own estimate."""
    percent, left, known_at = job.percent, job.seconds_left, job.progress_at
    if attempt is not None and job.state in STARTED and not attempt.machine.linked:
        percent, left = by_the_clock(attempt, at)
        known_at = at
    if attempt is not None and job.state == State.SENDING:
        size = attempt.machine_file.size
        percent, left, known_at = (100 * attempt.sent_bytes / size if size else None), None, at
    return {
        "percent": None if percent is None else round(percent, 1),
        "minutes_left": None if left is None else -(-left // 60),
        "estimated": True,  # a printer counts bytes, not time
        "at": stamp(known_at),
    }


def attempt_shape(part: AttemptJob) -> Shape:
    """Return one physical try of a job."""
    attempt = part.attempt
    return {
        "id": attempt.pk,
        "number": part.number,
        "machine": {"id": attempt.machine_id, "name": attempt.machine.name},
        "claimed_at": stamp(attempt.claimed_at),
        "loaded_at": stamp(attempt.loaded_at),
        "started_at": stamp(attempt.started_at),
        "ended_at": stamp(attempt.ended_at),
        "outcome": part.outcome or None,
    }


def preparation_shape(job: Job) -> Shape:
    """Return how far the machine file is: none (the file goes as it is), running, ready, failed, needs_slicing."""
    preparation = job.preparation
    if preparation is None:
        return {"state": "none", "report": None}
    report = preparation.result.report if preparation.result else None
    return {"state": preparation.state, "report": report, "tool": preparation.tool or None}
