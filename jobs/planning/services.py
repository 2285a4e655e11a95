"""Telling people what the plan means for them, and ways out."""

from datetime import datetime

from django.db import transaction

from equipment.bookings import services as bookings
from equipment.bookings.locks import lock_person
from equipment.bookings.models import Booking
from equipment.bookings.queries import booking_for
from equipment.machines.locks import lock_machine
from fablab.core.clock import local_time
from fablab.core.errors import Problem
from fablab.core.times import next_quarter
from fablab.notices import services as notices
from fablab.notices.queries import standing
from fablab.people.models import User
from jobs.lifecycle.handover import take
from jobs.lifecycle.models import Job
from jobs.lifecycle.moving import follow_booking
from jobs.planning.overruns import Overrun, near_overruns
from jobs.planning.queries import against_taking

OVERRUN = "overrun_booking"
OVERRUN_OPEN = "overrun_booking_open"  # nobody knows until when


def warn_of_overruns(at: datetime) -> int:
    """Tell the next person of each machine that is not free in time, once; take back what is no longer so.

    Repeatable. Returns how many messages are new.
    """
    near = [one for one in near_overruns(None, at) if one.booking is not None]
    told = 0
    for one in near:
        if not one.settled and one.booking is not None:
            told += _warn(one, one.booking, at)
    true = {_key(one.attempt_id, one.booking.pk) for one in near if one.booking is not None}
    for key in (standing(OVERRUN) | standing(OVERRUN_OPEN)) - true:
        notices.withdraw(key)
    return told


def _warn(one: Overrun, booking: Booking, at: datetime) -> int:
    zone = booking.machine.site.time_zone
    return notices.tell(
        [booking.person_id],
        OVERRUN if one.free_at is not None else OVERRUN_OPEN,
        {"machine": one.machine_name, "time": _around(one.free_at, zone) if one.free_at else ""},
        key=_key(one.attempt_id, booking.pk),
        link=f"/reservations/{booking.pk}/retard/",
        at=at,
    )


def _around(moment: datetime, zone: str) -> str:
    """Return the wall time, up to the next quarter of an hour: nobody is told to come too early (UX-12)."""
    return f"{local_time(next_quarter(moment, zone), zone):%H:%M}"


def _key(attempt_id: str, booking_id: str) -> str:
    return f"overrun:{attempt_id}:{booking_id}"


def take_now(job_id: str, machine_id: str, *, actor: User, at: datetime) -> Job:
    """Take a queued job to a machine that people feed, unless the plan says that it is not the time for that.

    Raises what ``lifecycle.take`` raises; ``Refused`` carries the plan's reasons beside the others.
    """
    return take(
        job_id,
        machine_id,
        actor=actor,
        at=at,
        objections=lambda: [
            Problem(reason.code, dict(reason.params)) for reason in against_taking(job_id, machine_id, at)
        ],
    )


def take_other_time(
    booking_id: str, *, machine_id: str, start: datetime, end: datetime, actor: User, at: datetime
) -> Booking:
    """Give up a booked time for another, perhaps on another machine; what was to be made in it goes along.

    All or nothing: who does not get the new time keeps what they had; and what they had does not stand in their own
    way. Raises what ``book``, ``move`` and ``cancel`` raise.
    """
    booking = booking_for(actor, booking_id)
    if machine_id == booking.machine_id:
        return bookings.move(booking_id, start=start, end=end, actor=actor, at=at)
    with transaction.atomic():
        for one in sorted(
            {machine_id, booking.machine_id}
        ):  # of two who change places, neither waits for the other
            lock_machine(one)
        lock_person(booking.person)  # before who waits is asked for what is given up
        bookings.cancel(booking_id, actor=actor, at=at)
        other = bookings.book(
            person=booking.person,
            machine_id=machine_id,
            start=start,
            end=end,
            actor=actor,
            at=at,
            title=booking.title,
            series=booking.series,
        )
        follow_booking(booking_id, other, actor=actor, at=at)
    return other
