"""Loads what dispatch decides on: a fixed number of queries, however many jobs and machines there are."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from equipment.bookings.models import Booking
from equipment.bookings.states import LIVE
from equipment.machines.models import Machine, Outage
from equipment.machines.queries import watched_machines
from equipment.machines.states import AT_WORK, STALE_AFTER_S, Report
from equipment.sites.models import Site
from equipment.sites.queries import openings
from jobs.dispatch.rules import Held, MachineNow, Waiting
from jobs.lifecycle.queries import Candidate, claimable, last_ends, live_attempts
from jobs.planning.plan import Waiting as Planned
from jobs.planning.plan import in_order

SEEN_WITHIN_S = 30 + STALE_AFTER_S  # ``seen_at`` is written every 30 s at the latest
HORIZON = timedelta(days=7)  # no print is longer
UNHEARD = frozenset({Report.SILENT, Report.NEVER, Report.UNKNOWN, Report.DISCONNECTED, Report.ERROR})

PutOff = Mapping[tuple[str, str], tuple[str, datetime]]  # (job, machine) -> (code, until)


def waiting_jobs(put_off: PutOff) -> list[tuple[str, Waiting]]:
    """Return (site, queued job) for every job with a machine file, in the order of the queue."""
    candidates = {candidate.job_id: candidate for candidate in claimable()}
    order = in_order(
        Planned(
            job_id=one.job_id,
            owner_id=one.owner_id,
            machine_model_id=one.machine_model_id,
            machine_id=one.machine_id,
            minutes=one.minutes,
            priority=one.priority,
            queued_at=one.queued_at,
        )
        for one in candidates.values()
        if one.queued_at is not None
    )
    ids = {one.booking_id for one in candidates.values() if one.booking_id}
    bookings = {
        booking.pk: booking for booking in (Booking.objects.filter(pk__in=ids, state__in=LIVE) if ids else ())
    }
    return [
        (candidates[planned.job_id].site_id, _waiting(candidates[planned.job_id], bookings, put_off))
        for planned in order
    ]


def _waiting(one: Candidate, bookings: Mapping[str, Booking], put_off: PutOff) -> Waiting:
    booking = bookings.get(one.booking_id or "")
    return Waiting(
        id=one.job_id,
        owner_id=one.owner_id,
        model_id=one.machine_model_id,
        machine_id=one.machine_id,
        format=one.format,
        approved_at=one.approved_at,
        length=timedelta(minutes=one.minutes) if one.minutes is not None else None,
        own_booking=_held(booking) if booking else None,
        booked_machine_id=booking.machine_id if booking else None,
        put_off={machine: value for (job, machine), value in put_off.items() if job == one.job_id},
    )


def _held(booking: Booking) -> Held:
    return Held(booking.pk, booking.person_id, booking.start, booking.held_end)


def machines_now(site_ids: Iterable[str], at: datetime) -> dict[str, list[MachineNow]]:
    """Return the linked machines of these sites, by site."""
    machines = list(watched_machines().filter(site_id__in=list(site_ids)))
    ids = [machine.pk for machine in machines]
    attempts = live_attempts(ids)
    idle = last_ends(ids)
    sites = {machine.site_id: machine.site for machine in machines}
    closing = _closing_times(sites.values(), at)
    held: dict[str, list[Held]] = {}
    for booking in Booking.objects.filter(
        machine_id__in=ids, state__in=LIVE, held_end__gt=at, held_start__lt=at + HORIZON
    ).order_by("held_start"):
        hold = Held(booking.pk, booking.person_id, booking.held_start, booking.held_end)
        held.setdefault(booking.machine_id, []).append(hold)
    outages: dict[str, list[tuple[datetime, datetime | None]]] = {}
    for outage in Outage.objects.filter(machine_id__in=ids, start__lt=at + HORIZON).exclude(end__lte=at):
        outages.setdefault(outage.machine_id, []).append((outage.start, outage.end))
    found: dict[str, list[MachineNow]] = {}
    for machine in machines:
        found.setdefault(machine.site_id, []).append(
            MachineNow(
                id=machine.pk,
                name=machine.name,
                model_id=machine.model_id,
                formats=frozenset(machine.model.formats),
                in_service=machine.out_of_order_since is None,
                heard=is_heard(machine, at),
                ready=machine.report == Report.READY,
                foreign=machine.report_foreign and Report(machine.report) in AT_WORK,
                taken=machine.pk in attempts,
                closes_at=closing.get(machine.site_id),
                held=tuple(held.get(machine.pk, ())),
                outages=tuple(outages.get(machine.pk, ())),
                idle_since=idle.get(machine.pk),
            )
        )
    return found


def is_heard(machine: Machine, at: datetime) -> bool:
    """Say whether the machine was heard lately, and what it said was understood."""
    return (
        Report(machine.report) not in UNHEARD
        and machine.seen_at is not None
        and (at - machine.seen_at).total_seconds() < SEEN_WITHIN_S
    )


def _closing_times(sites: Iterable[Site], at: datetime) -> dict[str, datetime]:
    there = list(sites)
    found = {}
    # Local days differ from UTC's, and hours may reach past midnight.
    days = openings(there, (at - timedelta(days=1)).date(), (at + HORIZON).date()) if there else {}
    for site in there:
        closes = days[site.pk].closing(at)
        if closes is not None:
            found[site.pk] = closes
    return found


def closed_sites(sites: Iterable[Site], at: datetime) -> set[str]:
    """Return which of these sites are closed now."""
    there = list(sites)
    still_open = _closing_times(there, at)
    return {site.pk for site in there} - set(still_open)
