"""States of a booking."""

from enum import StrEnum


class BookingState(StrEnum):
    CONFIRMED = "confirmed"
    IN_USE = "in_use"
    DONE = "done"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


LIVE = frozenset({BookingState.CONFIRMED, BookingState.IN_USE})  # these hold the machine
