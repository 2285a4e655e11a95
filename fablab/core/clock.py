"""The site's own clock: local days, opening hours, and the two nights a year on which clocks change.

Pure. Instants are aware datetimes in UTC; a *wall time* is a naive datetime as the clock on the site's wall shows it.
Rules (hours, closures, the grid of offered times) speak of wall time, everything else of instants. A wall time is
converted with the offset of its own day, never with today's (REL-9).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from fablab.core.errors import Malformed, Problem

DAY_MINUTES = 1440
FIRST_YEAR, LAST_YEAR = (
    1970,
    2200,
)  # nobody books outside these, and arithmetic at the calendar's ends overflows
CLOSING_LOOK_AHEAD = timedelta(days=7)  # a site that never closes has no closing time to find


class Span(NamedTuple):
    """``[start, end)`` in UTC."""

    start: datetime
    end: datetime

    @property
    def minutes(self) -> float:
        return (self.end - self.start).total_seconds() / 60


class Hours(NamedTuple):
    """One opening span of one weekday (Monday is 0), in minutes of the wall clock; ``closes`` may pass 1440."""

    weekday: int
    opens: int
    closes: int


class Closed(NamedTuple):
    """Local days without opening, both ends included."""

    first_day: date
    last_day: date


class NoSuchLocalTime(Malformed):
    """The clocks jump over this wall time. ``suggestion`` is the first wall time that exists after it."""

    def __init__(self, wall: datetime, suggestion: datetime) -> None:
        self.suggestion = suggestion
        super().__init__(
            Problem("no_such_local_time", {"asked": f"{wall:%H:%M}", "suggestion": f"{suggestion:%H:%M}"})
        )


class TwiceLocalTime(Malformed):
    """The clocks are set back over this wall time: it comes twice, and nobody said which one is meant."""

    def __init__(self, wall: datetime) -> None:
        super().__init__(Problem("local_time_twice", {"asked": f"{wall:%H:%M}"}))


def local_time(at: datetime, zone: str) -> datetime:
    """Return the same instant on the site's clock (aware)."""
    return at.astimezone(ZoneInfo(zone))


def local_day(at: datetime, zone: str) -> date:
    """Return the day that the site's calendar shows at this instant."""
    return local_time(at, zone).date()


def instants_of(wall: datetime, zone: str) -> tuple[datetime, ...]:
    """Return the instants at which the wall clock shows ``wall``: one, or none or two when the clocks change."""
    tz = ZoneInfo(zone)
    found = []
    for fold in (0, 1):
        instant = wall.replace(tzinfo=tz, fold=fold).astimezone(UTC)
        if instant.astimezone(tz).replace(tzinfo=None) == wall and instant not in found:
            found.append(instant)
    return tuple(sorted(found))


def local_to_utc(wall: datetime, zone: str, *, second: bool | None = None) -> datetime:
    """Return the instant of a wall time that a person typed.

    ``second`` says which one is meant when the clock shows it twice: False the first, True the one after the change.
    Raises ``NoSuchLocalTime`` (with a suggestion) and ``TwiceLocalTime``; in doubt nothing is guessed.
    """
    found = instants_of(wall, zone)
    if not found:
        after = _change_over(wall, zone).astimezone(ZoneInfo(zone))
        raise NoSuchLocalTime(wall, after.replace(tzinfo=None))
    if len(found) == 2 and second is None:
        raise TwiceLocalTime(wall)
    return found[-1] if second else found[0]


def midnight(day: date, zone: str) -> datetime:
    """Return the instant at which a local day begins."""
    return _begin(datetime.combine(day, time()), zone)


def wall_span(day: date, starts: int, ends: int, zone: str) -> Span:
    """Return the time from the first to the last moment at which the clock stands between two minutes of a local day.

    ``ends`` may pass 1440. So a time that the clock jumps over is the moment of the jump, and of an hour that comes
    twice both count: who closes at 2:30 closes when it is 2:30 for the second time, and who closes at 2:00,
    when the clocks go back from 3:00 to 2:00, at the first 2:00. Nothing is left (``start == end``) of a span that is
    jumped over as a whole.
    """
    return Span(_begin(_wall(day, starts), zone), _end(_wall(day, ends), zone))


def opening_spans(
    hours: Iterable[Hours],
    closures: Iterable[Closed],
    zone: str,
    from_: datetime,
    to: datetime,
    cuts: Iterable[Span] = (),
) -> list[Span]:
    """Return when the site is open within ``[from_, to)``, in order, merged where spans touch, cut at both ends.

    When clocks change, ``wall_span`` says what the hours mean. A closed day is closed from midnight to midnight, also
    for a span that began the evening before; a span that would begin on it does not begin. ``cuts`` are left out:
    power cuts.
    """
    if to <= from_:
        return []
    by_weekday: dict[int, list[Hours]] = {}
    for one in hours:
        by_weekday.setdefault(one.weekday, []).append(one)
    # From the day before: "closes" may lie as late as the end of the next day.
    first, last = local_day(from_, zone) - timedelta(days=1), local_day(to, zone)
    # Only these days of a closure: one "until the year 9999" ends where the calendar does.
    closed = [
        Closed(max(closure.first_day, first), min(closure.last_day, last))
        for closure in closures
        if closure.first_day <= last and first <= closure.last_day
    ]
    found = []
    for day in _days(first, last):
        if any(closure.first_day <= day <= closure.last_day for closure in closed):
            continue
        for one in by_weekday.get(day.weekday(), []):
            found.append(wall_span(day, one.opens, one.closes, zone))
    shut = [
        Span(midnight(closure.first_day, zone), midnight(closure.last_day + timedelta(days=1), zone))
        for closure in closed
    ]
    return within(without(merged(found), [*shut, *cuts]), from_, to)


def is_open(hours: Iterable[Hours], closures: Iterable[Closed], zone: str, at: datetime) -> bool:
    """Say whether the site is open at this instant."""
    return bool(opening_spans(hours, closures, zone, at, at + timedelta(microseconds=1)))


def closing_after(
    hours: Iterable[Hours],
    closures: Iterable[Closed],
    zone: str,
    at: datetime,
    cuts: Iterable[Span] = (),
) -> datetime | None:
    """Return when the site closes that is open now, at most seven days ahead; None when it is closed now."""
    spans = opening_spans(hours, closures, zone, at, at + CLOSING_LOOK_AHEAD, cuts)
    return spans[0].end if spans and spans[0].start == at else None


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return the same time in order, as few spans as possible: overlapping and touching ones become one."""
    found: list[Span] = []
    for span in sorted(spans):
        if span.end <= span.start:
            continue
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


def within(spans: Iterable[Span], from_: datetime, to: datetime) -> list[Span]:
    """Return what of ``spans`` lies in ``[from_, to)``."""
    cut = (Span(max(span.start, from_), min(span.end, to)) for span in spans)
    return [span for span in cut if span.start < span.end]


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """Return ``spans`` (in order, apart from each other) minus ``taken``."""
    rest: list[Span] = []
    holes = merged(taken)
    first = 0  # both are in order: what ended before this span is looked at no more
    for span in spans:
        start = span.start
        while first < len(holes) and holes[first].end <= start:
            first += 1
        number = first
        while number < len(holes) and holes[number].start < span.end:
            hole = holes[number]
            if hole.start > start:
                rest.append(Span(start, hole.start))
            start = hole.end
            number += 1
        if start < span.end:
            rest.append(Span(start, span.end))
    return rest


def grid_starts(span: Span, grid_minutes: int, minutes: int, zone: str) -> Iterator[datetime]:
    """Yield the instants in ``span`` where the wall clock stands on the grid and ``minutes`` more fit into it.

    The grid counts from local midnight. A wall time that comes twice is offered twice, one that is skipped never.
    """
    last = span.end - timedelta(minutes=minutes)
    for day in _days(local_day(span.start, zone), local_day(span.end, zone)):
        yield from (at for at in _grid_of_day(day, max(1, grid_minutes), zone) if span.start <= at <= last)


@lru_cache(maxsize=2048)
def _grid_of_day(day: date, grid: int, zone: str) -> tuple[datetime, ...]:
    walls = (
        datetime.combine(day, time()) + timedelta(minutes=minute) for minute in range(0, DAY_MINUTES, grid)
    )
    return tuple(sorted(instant for wall in walls for instant in instants_of(wall, zone)))


def _days(first: date, last: date) -> Sequence[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _wall(day: date, minute: int) -> datetime:
    return datetime.combine(day, time()) + timedelta(minutes=minute)


def _begin(wall: datetime, zone: str) -> datetime:
    """Return the first moment at which the clock shows ``wall`` or, where it jumps over it, a later time."""
    found = instants_of(wall, zone)
    return found[0] if found else _change_over(wall, zone)


def _end(wall: datetime, zone: str) -> datetime:
    """Return the moment after the last one at which the clock shows a time before ``wall``."""
    found = instants_of(wall, zone)
    if len(found) == 2:
        # Clocks that go back to this very time have shown everything before it already.
        return found[1] if _shows(found[1] - timedelta(microseconds=1), zone) < wall else found[0]
    return found[0] if found else _change_over(wall, zone)


def _shows(at: datetime, zone: str) -> datetime:
    return local_time(at, zone).replace(tzinfo=None)


def _change_over(wall: datetime, zone: str) -> datetime:
    """Return the instant at which the clocks jump over ``wall``, to the second."""
    tz = ZoneInfo(zone)
    # Read with the offset after and before the jump, the same wall time lies before and after it.
    early = wall.replace(tzinfo=tz, fold=1).astimezone(UTC)
    late = wall.replace(tzinfo=tz, fold=0).astimezone(UTC)
    before = early.astimezone(tz).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=int((late - early).total_seconds()) // 2)
        if middle.astimezone(tz).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)
