"""Changes of clocks from 2024 to 2035, and a slow second opinion on what a site's clock shows, minute by minute.

The changes are found in the tables of zones that this process uses (``fablab.core.zones``), none is written down here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from fablab.core.clock import Closed, Hours, Span

Mask = NDArray[np.bool_]
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ZONES = (
    "Europe/Paris",
    "Africa/Tunis",
    "Indian/Mayotte",
    "Indian/Reunion",
    "America/Martinique",
    "Africa/Casablanca",
    "Africa/Dakar",
)
# What the labs' own zones do not do, others do: half an hour, two hours, a midnight that is missing or comes twice, the
# hour before midnight, a quarter of an hour past the full one, two changes more a year around Ramadan.
STRANGE = (
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Africa/Cairo",
    "America/Havana",
    "America/Nuuk",
    "Pacific/Chatham",
    "Asia/Gaza",
)


@dataclass(frozen=True)
class Change:
    """Clocks go from ``before`` to ``after`` (wall times) at the instant ``at``."""

    zone: str
    at: datetime
    before: datetime
    after: datetime

    @property
    def minutes(self) -> int:
        """By how much the clocks move; less than nothing when they are set back."""
        return (self.after - self.before) // MINUTE


def wall(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def changes_of(zone: str) -> list[Change]:
    """Return all changes of a zone's clocks in these twelve years."""
    tz, found = ZoneInfo(zone), []
    days = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
    offsets = [day.astimezone(tz).utcoffset() for day in days]
    for day, offset, following in zip(days, offsets, offsets[1:], strict=False):
        if offset != following:
            moments = (day + minute * MINUTE for minute in range(1, 1441))
            at = next(one for one in moments if one.astimezone(tz).utcoffset() != offset)
            found.append(Change(zone, at, wall(at - MINUTE, zone) + MINUTE, wall(at, zone)))
    return found


CHANGES = [change for zone in ZONES for change in changes_of(zone)]
STRANGE_CHANGES = [change for zone in STRANGE for change in changes_of(zone)[:4]]
JUMPS = [change for change in (*CHANGES, *STRANGE_CHANGES) if change.minutes > 0]
SETBACKS = [change for change in (*CHANGES, *STRANGE_CHANGES) if change.minutes < 0]
# Each change, and two nights in each zone whose clocks stand still then.
NIGHTS = [(change.zone, change.at) for change in (*CHANGES, *STRANGE_CHANGES)] + [
    (zone, at)
    for zone in ZONES
    for at in (datetime(2025, 3, 30, 1, tzinfo=UTC), datetime(2034, 10, 29, 1, tzinfo=UTC))
    if not any(change.zone == zone and abs(change.at - at) < timedelta(days=9) for change in CHANGES)
]
BEFORE, AFTER = timedelta(days=5), timedelta(days=5)


class Minutes:
    """What the clock shows at each minute of ten days around one night, read off one after the other."""

    def __init__(self, zone: str, night: datetime) -> None:
        self.zone, self.start = zone, night - BEFORE
        tz, count = ZoneInfo(zone), (BEFORE + AFTER) // MINUTE
        shown = [(self.start + minute * MINUTE).astimezone(tz) for minute in range(count)]
        self.day = np.array([one.toordinal() for one in shown])
        self.minute = np.array([one.hour * 60 + one.minute for one in shown])

    def place(self, at: datetime) -> int:
        """Return which minute of these days ``at`` is."""
        return (at - self.start) // MINUTE

    def at(self, place: int) -> datetime:
        return self.start + place * MINUTE

    def inside(self, spans: Iterable[Span]) -> Mask:
        found = np.zeros(len(self.day), dtype=bool)
        for span in spans:
            found[max(0, self.place(span.start)) : max(0, self.place(span.end))] = True
        return found

    def spans(self, inside: Mask) -> list[Span]:
        """Return the minutes that are true, as few spans as possible."""
        edges = np.flatnonzero(np.diff(np.concatenate(([False], inside, [False])).astype(int))).tolist()
        return [
            Span(self.at(start), self.at(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)
        ]

    def standing(self, day: date, starts: int, ends: int) -> slice:
        """Return from the first to the last minute at which the clock stands between two minutes of ``day``."""
        reading = (self.day - day.toordinal()) * 1440 + self.minute
        places = np.flatnonzero((starts <= reading) & (reading < ends))
        return slice(int(places[0]), int(places[-1]) + 1) if places.size else slice(0, 0)

    def open(self, hours: Sequence[Hours], closures: Sequence[Closed], cuts: Sequence[Span]) -> Mask:
        found = np.zeros(len(self.day), dtype=bool)
        shut = {
            day
            for closure in closures
            for day in range(closure.first_day.toordinal(), closure.last_day.toordinal() + 1)
        }
        for number in np.unique(self.day):
            day = date.fromordinal(int(number))
            for one in hours:
                if one.weekday == day.weekday() and number not in shut:
                    found[self.standing(day, one.opens, one.closes)] = True
        return found & ~np.isin(self.day, list(shut)) & ~self.inside(cuts)


@cache
def minutes_of(zone: str, night: datetime) -> Minutes:
    return Minutes(zone, night)


@dataclass(frozen=True)
class World:
    """A site by chance around one night: its rules, and a stretch of time ``[from_, to)`` that somebody asks about."""

    seed: int
    minutes: Minutes
    hours: tuple[Hours, ...]
    closures: tuple[Closed, ...]
    cuts: tuple[Span, ...]
    from_: datetime
    to: datetime
    chance: Random

    @property
    def zone(self) -> str:
        return self.minutes.zone

    @property
    def said(self) -> str:
        """What to read when a test fails."""
        return f"seed {self.seed}, {self.zone} around {self.minutes.start + BEFORE}: {self.hours}, {self.closures}"

    def open(self) -> Mask:
        asked = self.minutes.inside([Span(self.from_, self.to)])
        return self.minutes.open(self.hours, self.closures, self.cuts) & asked

    def some_spans(self, most: int, longest: int) -> tuple[Span, ...]:
        """Return some spans around the night, overlapping as it happens."""
        middle = self.minutes.start + BEFORE
        return tuple(some_span(middle, self.chance, longest) for _ in range(self.chance.randint(0, most)))


def some_span(middle: datetime, chance: Random, longest: int) -> Span:
    start = middle + chance.randint(-36 * 60, 36 * 60) * MINUTE
    return Span(start, start + chance.randint(1, longest) * MINUTE)


def world(seed: int) -> World:
    """Return the world of this seed; consecutive seeds go through all nights."""
    chance = Random(seed)
    zone, night = NIGHTS[seed % len(NIGHTS)]
    around = [0, 60, 90, 120, 135, 150, 180, 210, 1380, 1410]  # where clocks change
    hours = []
    for _ in range(chance.randint(1, 8)):
        opens = chance.choice([*around, chance.randrange(1440), 540])
        closes = chance.choice([*(one + 1440 for one in around), 2880, opens + chance.randint(1, 1440)])
        hours.append(Hours(chance.randrange(7), opens, closes))
    if chance.random() < 0.4:
        hours = [
            Hours(weekday, *chance.choice([(0, 1440), (0, 2880), (540, 1080), (1200, 1560)]))
            for weekday in range(7)
        ]
    today = wall(night, zone).date()
    closures = []
    for _ in range(chance.choice([0, 1, 1, 2])):
        first = today + timedelta(days=chance.choice([-2, -1, 0, 0, 0, 1, 2]))
        closures.append(Closed(first, first + timedelta(days=chance.choice([0, 0, 1, 2]))))
    cuts = [some_span(night, chance, 300) for _ in range(chance.choice([0, 0, 1, 3]))]
    from_ = night - chance.randint(0, 40 * 60) * MINUTE
    to = from_ + chance.choice([60, 600, 1380, 1440, 1500, 48 * 60]) * MINUTE
    return World(seed, minutes_of(zone, night), tuple(hours), tuple(closures), tuple(cuts), from_, to, chance)
