"""Machines that start by themselves what lies ready on a plate that a person confirmed clear (SEC-22). Opt-in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from equipment.bookings.states import LIVE
from equipment.machines.states import Plate
from jobs.lifecycle import services as lifecycle
from jobs.lifecycle.models import Attempt, Order
from jobs.planning.facts import Held, MachineNow, Waiting
from jobs.planning.guards import UNDO, why_not
from jobs.planning.queries import machines_now
from jobs.recovery.queries import may_start_by_itself


def start_what_lies_ready(leases: Mapping[str, int], *, at: datetime) -> list[Order]:
    """Order the starts that nobody need press for, on the machines whose lease this process holds.

    Only where the machine opted in, its kind may be started from afar, the lab is open and somebody on duty is there,
    the plate was confirmed clear, the clock is believed, no power cut is being settled, and the file's time fits
    before closing, the next booking and any announced power cut. One query when nothing lies ready.
    """
    ready = list(
        Attempt.objects.filter(
            machine_id__in=list(leases),
            machine__auto_start=True,
            machine__plate=Plate.CLEAR,  # else a person comes first, and nothing more is read until then
            ended_at__isnull=True,
            loaded_at__isnull=False,
            start_sent_at__isnull=True,
            started_at__isnull=True,
        )
        .select_related("machine", "machine_file")
        .prefetch_related("parts__job__booking")
        .order_by("loaded_at")
    )
    sites = {attempt.machine.site_id for attempt in ready}
    sites = {site for site in sites if may_start_by_itself(site, at)}
    if not sites:
        return []
    _, there = machines_now(sites, at)
    machines = {machine.id: machine for some in there.values() for machine in some}
    orders = []
    for attempt in ready:
        machine = machines.get(attempt.machine_id)
        if machine is None or any(_stands_against(one, machine, at) for one in _waiting(attempt, at)):
            continue
        order = lifecycle.start_by_itself(attempt.pk, lease_number=leases[attempt.machine_id], at=at)
        if order is not None:
            orders.append(order)
    return orders


def _stands_against(job: Waiting, machine: MachineNow, at: datetime) -> bool:
    return bool(why_not(job, replace(machine, taken=False), at))  # what takes it is this very job


def _waiting(attempt: Attempt, at: datetime) -> Sequence[Waiting]:
    """Return the objects on the plate as the plan's guards ask about them: as if they waited still."""
    report = attempt.machine_file.report or {}
    minutes = report.get("minutes")
    found = []
    for job in (part.job for part in attempt.parts.all() if part.live):
        booking = job.booking
        if booking is not None and (booking.state not in LIVE or booking.ended_at is not None):
            booking = None  # given up, or over: its buffer is nobody's time
        found.append(
            Waiting(
                id=job.pk,
                owner_id=job.owner_id,
                model_id=job.machine_model_id,
                queued_at=job.queued_at or at,
                format=attempt.machine_file.format,
                approved_at=at - UNDO,  # whether it holds is asked under the machine's lock
                length=timedelta(minutes=minutes) if minutes is not None else None,
                material=job.settings.get("material") or "",
                nozzle_mm=(report.get("facts") or {}).get("nozzle_mm"),
                frame=job.settings.get("frame") or "",
                own_booking=(
                    Held(booking.pk, booking.person_id, booking.start, booking.held_end)
                    if booking is not None and booking.machine_id == attempt.machine_id
                    else None
                ),
                booked_machine_id=booking.machine_id if booking is not None else None,
            )
        )
    return found
