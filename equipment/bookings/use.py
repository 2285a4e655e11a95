"""A booking while the machine is used: coming, ending before the time, and a time that is over.

What people leave on a machine that reports nothing, nobody knows. So the right to start that somebody made by clearing
its plate ends when a use begins, and again when one ends: by a tap, by the clock, or given up.

A use that has ended still holds its machine for the kind's buffer: it stays live, with ``ended_at``, and is done after.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet

from equipment.bookings.live import booking_changed
from equipment.bookings.models import Booking, newer
from equipment.bookings.offering import serve_waiting
from equipment.bookings.queries import booking_for
from equipment.bookings.states import LIVE, BookingState
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine
from equipment.machines.plate import right_holds, void_plate_token
from fablab.core.errors import Refused
from fablab.people.models import User

EARLIEST_CHECK_IN = timedelta(minutes=15)


def check_in(booking_id: str, *, actor: User, at: datetime) -> Booking:
    """Record that the person came: from 15 minutes before the start to the end. May be repeated.

    Raises ``NotFound``, ``Refused``: ``booking_over``, ``booking_not_begun``.
    """
    booking = booking_for(actor, booking_id)
    if booking.state not in LIVE or booking.end <= at:
        raise Refused("booking_over")
    if at < booking.start - EARLIEST_CHECK_IN:
        raise Refused("booking_not_begun")
    came(booking, at=at)
    return booking_for(actor, booking_id)


def came(booking: Booking, *, at: datetime) -> Booking:
    """Write down that somebody came to their booking, unless it was moved to another day, or ended, meanwhile."""
    with transaction.atomic():
        machine = lock_machine(booking.machine_id)
        began = Booking.objects.filter(
            pk=booking.pk, state=BookingState.CONFIRMED, start__lte=at + EARLIEST_CHECK_IN, end__gt=at
        ).update(state=BookingState.IN_USE)
        if began:
            hands_were_there(machine, at)
    booking.refresh_from_db(fields=["state", "start", "end", "held_start", "held_end", "ended_at"])
    booking_changed(booking)
    return booking


def finish(booking_id: str, *, actor: User, at: datetime) -> Booking:
    """ "J’ai fini" before the time is over: what was used stays counted, the rest can be booked by others.

    By the person, or instructors and staff of the site. Raises ``NotFound``, ``Refused``: ``booking_over``,
    ``booking_not_begun`` for one that nobody has checked in to, or that begins later.
    """
    booking = booking_for(actor, booking_id)
    if booking.state not in LIVE or booking.end <= at:
        raise Refused("booking_over")
    if booking.state != BookingState.IN_USE or at < booking.start:
        raise Refused("booking_not_begun")
    with transaction.atomic():
        machine = lock_machine(booking.machine_id)
        finished = end_use(booking, at=at)
        if finished:
            hands_were_there(machine, at)
            serve_waiting(machine, at=at)
    if not finished:
        raise Refused("booking_over")
    booking = booking_for(actor, booking_id)
    booking_changed(booking)
    return booking


def end_use(booking: Booking, *, at: datetime, nothing_to_clear: BookingState = BookingState.DONE) -> bool:
    """End a use before its time; the buffer stays held after it. Without one it is ``nothing_to_clear`` at once.

    Under the machine's lock. False when it has ended already. What was used stays counted.
    """
    # As it was booked: the buffer may have grown since, and somebody may have booked what follows.
    buffer = booking.held_end - booking.end
    times = {}
    if buffer or nothing_to_clear is BookingState.DONE:
        # A time of no length is none: who walked up a moment ago has used a second of it.
        end = max(at.replace(microsecond=0), booking.start + timedelta(seconds=1))
        times = {"end": end, "held_end": end + buffer}
    ended = Booking.objects.filter(
        pk=booking.pk, state=BookingState.IN_USE, end__gt=at, ended_at__isnull=True
    ).update(state=BookingState.IN_USE if buffer else nothing_to_clear, ended_at=at, **times, **newer(at))
    return bool(ended)


def end_uses(at: datetime) -> int:
    """End every use whose time is over; return how many. Repeatable, two queries when there is none."""
    Booking.objects.filter(state=BookingState.IN_USE, ended_at__isnull=False, held_end__lte=at).update(
        state=BookingState.DONE
    )
    machines = set(_over(at).values_list("machine_id", flat=True))
    return sum(end_uses_there(machine_id, at=at) for machine_id in sorted(machines))


def end_uses_there(machine_id: str, *, at: datetime) -> int:
    """End the uses of one machine whose time is over; return how many. One query when there is none."""
    if not _over(at).filter(machine_id=machine_id).exists():
        return 0
    with transaction.atomic():
        machine = lock_machine(machine_id)
        ended = list(_over(at).filter(machine=machine).values_list("pk", flat=True))
        if ended:
            Booking.objects.filter(pk__in=ended).update(ended_at=F("end"))
            Booking.objects.filter(pk__in=ended, held_end__lte=at).update(state=BookingState.DONE)
            hands_were_there(machine, at)
    for booking in Booking.objects.filter(pk__in=ended).select_related("machine"):
        booking_changed(booking)
    return len(ended)


def right_to_start(machine: Machine, at: datetime) -> bool:
    """Say whether the plate is clear and the right to one start is still good, also when a use ended this very moment.

    ``machine.site`` must be loaded.
    """
    if not right_holds(machine, at):
        return False
    ended_since = _over(at).filter(machine=machine, end__gt=machine.plate_cleared_at)
    return machine.linked or not ended_since.exists()


def somebody_is_there(machine: Machine, at: datetime) -> bool:
    """Say whether somebody who has checked in, also a little early, has not gone yet."""
    here = Booking.objects.filter(
        machine=machine, state=BookingState.IN_USE, end__gt=at, ended_at__isnull=True
    )
    return here.exists()


def _over(at: datetime) -> QuerySet[Booking]:
    return Booking.objects.filter(state=BookingState.IN_USE, end__lte=at, ended_at__isnull=True)


def hands_were_there(machine: Machine, at: datetime) -> None:
    """Somebody used the machine, or begins to: its plate must be looked at anew. Called under the machine's lock."""
    if not machine.linked:  # another one says itself what happens to it
        void_plate_token(machine, at=at, why="in_use")
