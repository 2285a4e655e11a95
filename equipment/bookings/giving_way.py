"""Bookings that make way for what the place needs: cancelled, and their people told at once, with other times."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from equipment.bookings.finding import alternatives_for
from equipment.bookings.live import booking_changed
from equipment.bookings.models import Booking, newer
from equipment.bookings.offering import over, time_was_freed
from equipment.bookings.states import BookingState
from equipment.machines.models import Machine
from fablab.core.clock import local_day
from fablab.notices import services as notices

GAVE_WAY = "booking_gave_way"  # with _1, _2, _3: so many other times are named
NAMED = ("first", "second", "third")


def cancel_for(bookings: Iterable[Booking], machines: Iterable[Machine], *, at: datetime) -> list[Booking]:
    """Cancel bookings that have not begun; return those whose people are to be told. Under the machines' locks."""
    known = {machine.pk: machine for machine in machines}
    going = {booking.pk: booking for booking in bookings}
    Booking.objects.filter(pk__in=list(going)).update(state=BookingState.CANCELLED, ended_at=at, **newer(at))
    for booking in going.values():
        booking.machine = known[booking.machine_id]
    # What was given back a moment ago is nobody's loss.
    return [booking for booking in going.values() if booking.state == BookingState.CONFIRMED]


def write_down(machines: Iterable[Machine], *, at: datetime) -> None:
    """Write down whose while is over on these machines, so that nothing looks taken that is not."""
    met = over(at).filter(machine__in=[machine.pk for machine in machines])
    for machine_id in sorted(set(met.values_list("machine_id", flat=True))):
        time_was_freed(machine_id, at=at)


def tell(bookings: Sequence[Booking], *, at: datetime) -> None:
    """Tell people that their time was cancelled, and when it can be had instead.

    After what took their place is written, in the same transaction: nobody loses a time without a word.
    """
    instead = alternatives_for(bookings, at)
    for booking in bookings:
        offers = instead[booking.pk]
        code = f"{GAVE_WAY}_{len(offers)}" if offers else GAVE_WAY
        named: dict[str, Any] = {
            name: offer.start.isoformat() for name, offer in zip(NAMED, offers, strict=False)
        }
        zone = booking.machine.site.time_zone
        shown = local_day(offers[0].start if offers else booking.start, zone)
        notices.tell(
            [booking.person_id],
            code,
            {"machine": booking.machine.name, "when": booking.start.isoformat(), "zone": zone, **named},
            key=f"{GAVE_WAY}:{booking.pk}",
            link=f"/reserver/{booking.machine.model.kind.slug}/?machine={booking.machine_id}&jour={shown}",
            at=at,
        )
        booking_changed(booking)
