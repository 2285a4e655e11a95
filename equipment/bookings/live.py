"""Who is told that a booking changed. Bookings have no topic of their own: they show in machines, boards and ``me``."""

from equipment.bookings.models import Booking
from equipment.machines.live import machine_changed
from fablab.live import push


def booking_changed(booking: Booking) -> None:
    """Tell those who watch the machine, its site's board, and the person. After a write."""
    machine_changed(booking.machine)
    push.changed(f"me:{booking.person_id}")
