"""States of a booking."""

from enum import StrEnum


class BookingState(StrEnum):
    HELD = "held"  # kept for one person for a stated while; nobody has said yes or no
    CONFIRMED = "confirmed"
    IN_USE = "in_use"
    DONE = "done"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


LIVE = frozenset({BookingState.CONFIRMED, BookingState.IN_USE})  # somebody's own time
HOLDING = LIVE | {BookingState.HELD}  # nobody else can have the machine: what the database guards
