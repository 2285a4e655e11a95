"""Nobody came: after the place's grace time the rest goes to who waits, then to all. Told kindly, never in public.

A late look finds what a look in time would have found: the time went back ``grace_minutes`` after its start. What
could not be used (machine out of order, place closed, no power) is no absence; nor is what others know to have been
used (``spared``). What happened while this program did not run is released and excused: who came could not say so.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from equipment.bookings.facts import NO_SHOWS_COUNT_FOR, terms_of, times_of
from equipment.bookings.live import booking_changed
from equipment.bookings.models import Booking, newer
from equipment.bookings.offering import let_run_out, offer
from equipment.bookings.queries import booking_for
from equipment.bookings.rules import WALK_UP
from equipment.bookings.states import BookingState
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine
from equipment.sites.queries import require_role, roles_of
from equipment.sites.states import ON_DUTY_ROLES
from fablab.core.errors import NotAllowed, Refused
from fablab.core.witness import clock_is_trusted
from fablab.notices import services as notices
from fablab.people.models import User

RELEASED = "booking_released"
LEFT_ALONE_AFTER = timedelta(hours=24)  # what is older tells nobody anything any more
Spared = Callable[[Sequence[Booking]], Collection[str]]


def release_absent(at: datetime, *, watched_since: datetime, spared: Spared) -> int:
    """Release every time to which nobody came by ``at``; return how many. One query when there is none.

    ``watched_since``: since when this program runs without a break; a booking that began before is excused.
    ``spared`` returns the ids of those among some bookings at which work was seen. Nothing is released by a clock that
    is not believed.
    """
    due = sorted(_due(at), key=lambda one: (_moment(one), one.pk))
    if not due or not clock_is_trusted(at):
        return 0
    kept = spared(due)
    released = 0
    for booking in due:
        if booking.pk not in kept:
            released += _release(booking, at, excused=booking.start < watched_since)
    return released


def excuse(booking_id: str, *, actor: User, at: datetime) -> Booking:
    """Have a time that nobody came to not count; who has too many may book again then. May be repeated.

    By instructors and staff of the site. Raises ``NotFound``, ``NotAllowed``, ``Refused``: ``not_an_absence``.
    """
    booking = booking_for(actor, booking_id)
    if not roles_of(actor, booking.machine.site_id) & ON_DUTY_ROLES:
        raise NotAllowed("absences_by_staff")
    if booking.state != BookingState.NO_SHOW:
        raise Refused("not_an_absence")
    Booking.objects.filter(pk=booking.pk, excused_at__isnull=True).update(excused_at=at)
    booking_changed(booking)
    return booking_for(actor, booking_id)


def counted_absences(viewer: User, site_id: str, at: datetime) -> list[Booking]:
    """Return what counts against people of a place, person by person, the latest first. For those on duty there.

    What was used since takes back what was not: the same as in ``facts.counted``. Raises ``NotFound``, ``NotAllowed``.
    """
    require_role(viewer, site_id, ON_DUTY_ROLES)
    rows = Booking.objects.filter(
        machine__site_id=site_id,
        state__in=[BookingState.NO_SHOW, BookingState.DONE],
        start__gt=at - NO_SHOWS_COUNT_FOR,
        person__in=Booking.objects.filter(
            state=BookingState.NO_SHOW, excused_at__isnull=True, start__gt=at - NO_SHOWS_COUNT_FOR
        ).values("person_id"),
    ).select_related("machine__site", "machine__model__kind", "person")
    counted: dict[str, list[Booking]] = {}
    for row in rows.order_by("start", "pk"):
        if row.state == BookingState.DONE:
            counted[row.person_id] = []
        elif row.excused_at is None:
            counted.setdefault(row.person_id, []).append(row)
    return [row for _person, mine in sorted(counted.items()) for row in reversed(mine)]


# --- inside -------------------------------------------------------------------------------------------------------


def _due(at: datetime) -> list[Booking]:
    """Return the bookings of single people whose grace time is over. Those of groups are the place's own.

    Whose booking was made for them as it began stands at the desk.
    """
    begun = Booking.objects.filter(
        state=BookingState.CONFIRMED, title="", start__lte=at, start__gt=at - LEFT_ALONE_AFTER
    ).select_related("machine__site", "machine__model__kind", "person")
    return [
        one
        for one in begun
        if one.machine.site.grace_minutes and _moment(one) <= at and not _made_at_the_desk(one)
    ]


def _made_at_the_desk(booking: Booking) -> bool:
    by_another = booking.created_by_id is not None and booking.created_by_id != booking.person_id
    return by_another and booking.created_at >= booking.start - WALK_UP


def _moment(booking: Booking) -> datetime:
    """Return when the grace time is over: it begins anew for what was booked or moved after its own start."""
    since = max(booking.start, booking.created_at, booking.changed_at or booking.created_at)
    return since + timedelta(minutes=booking.machine.site.grace_minutes)


def _release(booking: Booking, at: datetime, *, excused: bool) -> bool:
    moment = _moment(booking)
    let_run_out(moment)  # first what ran out before: order is kept, however late anybody looks
    with transaction.atomic():
        machine = lock_machine(booking.machine_id)
        if not _could_be_used(machine, booking.start, moment):
            return False
        released = Booking.objects.filter(
            pk=booking.pk, state=BookingState.CONFIRMED, start=booking.start, end=booking.end
        ).update(
            state=BookingState.NO_SHOW, ended_at=moment, excused_at=at if excused else None, **newer(moment)
        )
        if not released:
            return False
        if not excused or booking.end > at:
            _tell(booking, moment)
        offer(machine, moment)
    booking_changed(booking)
    return True


def _could_be_used(machine: Machine, start: datetime, until: datetime) -> bool:
    times = times_of([machine], start, until, terms=terms_of([machine]))[machine.pk]
    hindered = any(outage.start < until and start < outage.end for outage in times.outages)
    return not hindered and any(span.start <= start and until <= span.end for span in times.open)


def _tell(booking: Booking, moment: datetime) -> None:
    notices.tell(
        [booking.person_id],
        RELEASED,
        {
            "machine": booking.machine.name,
            "when": booking.start.isoformat(),
            "zone": booking.machine.site.time_zone,
        },
        key=f"{RELEASED}:{booking.pk}",
        link=f"/reservations/{booking.pk}/",
        at=moment,
    )
