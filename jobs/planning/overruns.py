"""What runs longer than it may: into somebody's booking, or past closing time (REL-22)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from equipment.bookings.models import Booking
from equipment.bookings.states import LIVE
from equipment.machines.queries import in_use
from equipment.sites.queries import openings
from jobs.lifecycle.models import Attempt
from jobs.lifecycle.on_machines import live_attempts
from jobs.planning.facts import CHANGEOVER, HORIZON
from jobs.planning.queries import ends_at

AWAITED = timedelta(minutes=15)  # an estimate that is this much better takes a warning back, nothing less


@dataclass(frozen=True)
class Overrun:
    """A try that does not end in time.

    ``free_at``: when the machine is expected to be empty, None when nobody knows. ``booking`` is the next one on the
    machine when it runs into that, ``closes_at`` the closing time that it passes. ``settled``: it would be over in
    time by less than a quarter of an hour, so that nobody new is warned and no warning is taken back.
    """

    attempt_id: str
    machine_id: str
    machine_name: str
    site_id: str
    job_ids: tuple[str, ...]
    free_at: datetime | None
    booking: Booking | None
    closes_at: datetime | None
    settled: bool = False


def overruns(site_id: str, at: datetime) -> list[Overrun]:
    """Return what overruns at a site, soonest first. For its staff, and for warning who comes next."""
    return [one for one in near_overruns([site_id], at) if not one.settled]


def near_overruns(site_ids: Iterable[str] | None, at: datetime) -> list[Overrun]:
    """Return what overruns at these sites or all, and what nearly does; in a fixed number of queries."""
    machines = in_use()
    if site_ids is not None:
        machines = machines.filter(site_id__in=list(site_ids))
    running = machines.filter(attempts__ended_at__isnull=True, attempts__started_at__isnull=False)
    there = {machine.pk: machine for machine in running.distinct()}
    if not there:
        return []
    sites = {machine.site_id: machine.site for machine in there.values()}
    first, last = (at - timedelta(days=1)).date(), (at + timedelta(days=2)).date()
    opening = openings(sites.values(), first, last)
    bookings: dict[str, list[Booking]] = {}
    for row in Booking.objects.filter(
        machine_id__in=there, state__in=LIVE, end__gt=at, held_start__lt=at + HORIZON
    ).order_by("held_start"):
        bookings.setdefault(row.machine_id, []).append(row)
    found = []
    for machine_id, attempt in live_attempts(there).items():
        machine = there[machine_id]
        jobs = [part.job for part in attempt.parts.all() if part.live]
        owners = {job.owner_id for job in jobs}
        ends = ends_at(attempt, at)
        booking = _next(bookings.get(machine_id, []), attempt, owners)
        closes = opening[machine.site_id].closing(at)
        into = (
            None
            if booking is None
            else _late(None if ends is None else ends + CHANGEOVER, booking.held_start, at)
        )
        past = None if closes is None else _late(ends, closes, at)
        if into is None and past is None:
            continue
        found.append(
            Overrun(
                attempt_id=attempt.pk,
                machine_id=machine_id,
                machine_name=machine.name,
                site_id=machine.site_id,
                job_ids=tuple(job.pk for job in jobs),
                free_at=None if ends is None else ends + CHANGEOVER,
                booking=booking if into is not None else None,
                closes_at=closes if past else None,
                settled=not (into or past),
            )
        )
    return sorted(
        found, key=lambda one: (one.booking.start if one.booking else one.closes_at or at, one.attempt_id)
    )


def _next(bookings: Iterable[Booking], attempt: Attempt, owners: set[str]) -> Booking | None:
    """Return the next booking of somebody else that began, or begins, after the try did."""
    began = attempt.started_at or attempt.claimed_at
    return next((one for one in bookings if one.start > began and one.person_id not in owners), None)


def _late(free_at: datetime | None, limit: datetime, at: datetime) -> bool | None:
    """Say whether it ends after ``limit``: True surely, False nearly, None not. Nobody knows: when it is time."""
    if free_at is None:
        return True if at >= limit else None
    if free_at > limit:
        return True
    return False if free_at > limit - AWAITED else None
