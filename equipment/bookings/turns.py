"""Whose turn is it, for which time, for how long? What the waiting list decides. Pure.

All moments are those at which a time became free or an offer ran out, not those at which somebody looked: who looks
late finds what who looked at once would have found.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fablab.core.clock import Span, grid_starts


@dataclass(frozen=True)
class Wish:
    """``minutes`` on a machine, somewhere within ``[from_, to)``."""

    from_: datetime
    to: datetime
    minutes: int

    def shortest(self, moment: datetime, min_minutes: int) -> int:
        """Return the fewest minutes that still help: of a span that runs already, what is left of it."""
        return self.minutes if moment < self.from_ else min(self.minutes, min_minutes)


def answer_before(moment: datetime, start: datetime, hold_minutes: int) -> datetime:
    """Return until when a time that is free since ``moment`` is held for whom it was offered to."""
    return min(moment + timedelta(minutes=hold_minutes), start)


def times_for(
    wish: Wish,
    free: Iterable[Span],
    *,
    moment: datetime,
    min_minutes: int,
    grid_minutes: int,
    zone: str,
    not_again: Sequence[Span] = (),
) -> Iterator[Span]:
    """Yield the times that could be offered, earliest first.

    ``free`` are spans in which a booking of that length fits, ``not_again`` what this person gave back or let go. A
    time begins on the grid and after ``moment``: nobody could answer for one that begins with the offer.
    """
    needed = wish.shortest(moment, min_minutes)
    for span in free:
        for start in grid_starts(span, grid_minutes, needed, zone):
            left = (min(span.end, wish.to) - start) // timedelta(minutes=1)
            if start <= moment or left < needed:
                continue
            time = Span(start, start + timedelta(minutes=min(wish.minutes, left)))
            if not any(one.start < time.end and time.start < one.end for one in not_again):
                yield time
