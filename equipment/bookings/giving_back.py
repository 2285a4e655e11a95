""" "Annuler" on a page: for ten seconds the time is kept for whom it was, and offered to others only then (J16)."""

from datetime import datetime, timedelta

from django.db import transaction

from equipment.bookings.facts import facts_for
from equipment.bookings.live import booking_changed
from equipment.bookings.locks import lock_person
from equipment.bookings.models import Booking, newer
from equipment.bookings.queries import booking_for
from equipment.bookings.rules import judge
from equipment.bookings.services import cancel
from equipment.bookings.states import BookingState
from equipment.machines.locks import lock_machine
from fablab.core.errors import Refused
from fablab.core.witness import clock_is_trusted
from fablab.people.models import User

UNDO = timedelta(seconds=10)
# What somebody may have filled in these seconds with another time. Everything else was asked when they booked.
ASKED_AGAIN = frozenset({"person_busy", "quota_used"})


def give_back(booking_id: str, *, actor: User, at: datetime) -> Booking:
    """Give a time back so that its owner may still change their mind for ten seconds; raises as ``cancel``.

    What somebody else gives back, what is in use, and anything while the clock is not believed (the ten seconds would
    not end) goes at once.
    """
    booking = booking_for(actor, booking_id)
    undoable = booking.person_id == actor.pk and booking.state == BookingState.CONFIRMED
    if not undoable or not clock_is_trusted(at):
        return cancel(booking_id, actor=actor, at=at)
    with transaction.atomic():
        lock_machine(booking.machine_id)
        given = Booking.objects.filter(pk=booking.pk, state=BookingState.CONFIRMED, end__gt=at).update(
            state=BookingState.HELD, ended_at=at, hold_until=at + UNDO, **newer(at)
        )
    if not given:
        raise Refused("booking_over")
    booking = booking_for(actor, booking_id)
    booking_changed(booking)
    return booking


def take_back(booking_id: str, *, actor: User, at: datetime) -> Booking:
    """ "Le reprendre", within the ten seconds, whether or not anybody has looked at the clock since.

    Raises ``NotFound``, ``Refused``: ``undo_over``, ``person_busy``, ``quota_used``.
    """
    booking = booking_for(actor, booking_id)
    if booking.person_id != actor.pk or not still_undoable(booking, at):
        raise Refused("undo_over")
    with transaction.atomic():
        machine = lock_machine(booking.machine_id)
        lock_person(actor)
        facts = facts_for(
            machine,
            person=actor,
            actor=actor,
            start=booking.start,
            end=booking.end,
            at=at,
            moving=booking,
            for_workshop=bool(booking.title),
        )
        problems = [problem for problem in judge(facts).problems if problem.code in ASKED_AGAIN]
        if problems:
            raise Refused(*problems)
        taken = Booking.objects.filter(
            pk=booking.pk, state=BookingState.HELD, ended_at__isnull=False, hold_until__gt=at
        ).update(state=BookingState.CONFIRMED, ended_at=None, hold_until=None, **newer(at))
    if not taken:
        raise Refused("undo_over")
    booking = booking_for(actor, booking_id)
    booking_changed(booking)
    return booking


def still_undoable(booking: Booking, at: datetime) -> bool:
    """Say whether a time that was given back can still be taken back."""
    held = booking.state == BookingState.HELD and booking.ended_at is not None
    return held and booking.hold_until is not None and at < booking.hold_until
