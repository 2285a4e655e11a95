"""Free times, computed from opening hours, outages and bookings; there are no slot rows. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fablab.core.clock import Span, grid_starts, merged, within, without

FOREVER = datetime(9999, 12, 31, tzinfo=UTC)  # an outage that nobody knows the end of


@dataclass(frozen=True)
class MachineTimes:
    """What is known of one machine's time. ``taken`` are held times of live bookings, buffers included."""

    zone: str
    open: tuple[Span, ...]
    outages: tuple[Span, ...]
    taken: tuple[Span, ...]
    buffer_minutes: int
    grid_minutes: int
    supervised: tuple[Span, ...] | None = None  # where somebody must be there: only then, within the opening


def free_spans(times: MachineTimes, from_: datetime, to: datetime, minutes: int) -> list[Span]:
    """Return, in order, the spans within ``[from_, to)`` in which ``minutes`` fit.

    Every booking of that length or longer inside such a span breaks no rule of time: its buffer ends before the next
    booking begins, also where that lies beyond ``to``.
    """
    buffer = timedelta(minutes=times.buffer_minutes)
    held = [Span(span.start - buffer, span.end) for span in times.taken]
    open_ = within(merged(times.open), from_, to)
    if times.supervised is not None:
        watched = merged(times.supervised)
        open_ = [part for span in open_ for part in within(watched, span.start, span.end)]
    spans = without(open_, [*times.outages, *held])
    return [span for span in spans if span.end - span.start >= timedelta(minutes=minutes)]


def offers(times: MachineTimes, spans: Iterable[Span], minutes: int) -> Iterable[Span]:
    """Yield what can be offered to people: ``minutes`` from each point of the kind's grid inside ``spans``."""
    for span in spans:
        for start in grid_starts(span, times.grid_minutes, minutes, times.zone):
            yield Span(start, start + timedelta(minutes=minutes))


def nearest(found: Iterable[Span], wanted: datetime, most: int) -> Sequence[Span]:
    """Return the ``most`` offers that begin nearest to ``wanted``, in order of time."""
    chosen = sorted(found, key=lambda offer: (abs(offer.start - wanted), offer.start))[:most]
    return sorted(chosen)
