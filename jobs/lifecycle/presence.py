"""Whether somebody came to the time they booked, as far as work on the machine tells."""

from collections.abc import Sequence
from datetime import timedelta

from equipment.bookings.models import Booking
from equipment.bookings.use import EARLIEST_CHECK_IN
from jobs.lifecycle.models import Attempt, Job
from jobs.lifecycle.states import ON_MACHINE, State

AWAITED = ON_MACHINE | {State.QUEUED}


def work_seen(bookings: Sequence[Booking]) -> set[str]:
    """Return the ids of those bookings that are not to be released: two queries for any number.

    Work was done there in this time: the person's own, so they came; somebody else's, so they could not begin. Or an
    object of theirs waits for this booking on a linked machine, which is started and emptied by others.
    """
    by_machine: dict[str, list[Booking]] = {}
    for booking in bookings:
        by_machine.setdefault(booking.machine_id, []).append(booking)
    if not by_machine:
        return set()
    first = min(booking.start for booking in bookings) - EARLIEST_CHECK_IN
    begun = Attempt.objects.filter(machine_id__in=by_machine, started_at__isnull=False).exclude(
        ended_at__lte=first
    )
    seen: set[str] = set()
    for machine_id, began, ended, owner_id in begun.values_list(
        "machine_id", "started_at", "ended_at", "parts__job__owner_id"
    ):
        for booking in by_machine[machine_id]:
            own = owner_id == booking.person_id
            since = booking.start - (EARLIEST_CHECK_IN if own else timedelta())
            until = booking.end if own else booking.start + _grace(booking)
            if began is not None and began < until and (ended is None or ended > since):
                seen.add(booking.pk)
    awaited = Job.objects.filter(booking__in=[one.pk for one in bookings], state__in=AWAITED)
    linked = {one.pk for one in bookings if one.machine.linked}
    return seen | (linked & {pk for pk in awaited.values_list("booking_id", flat=True) if pk})


def _grace(booking: Booking) -> timedelta:
    return timedelta(minutes=booking.machine.site.grace_minutes)
