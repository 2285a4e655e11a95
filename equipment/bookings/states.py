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
GIVEN_BACK = frozenset({BookingState.CANCELLED, BookingState.NO_SHOW})


def shown(state: str, *, ended: bool) -> BookingState:
    """Return what people read: a use that has ended is over, also while the machine is held for the kind's buffer.

    And what was given back is given back, also while its owner may still change their mind.
    """
    known = BookingState(state)
    if not ended:
        return known
    return {BookingState.IN_USE: BookingState.DONE, BookingState.HELD: BookingState.CANCELLED}.get(
        known, known
    )
