"""What comes back every week at the same hours of the site's own clock: series of bookings, hours of duty.

Pure. A rule speaks of wall time only, so that 10:00 stays 10:00 when clocks change; each occurrence gets the offset of
its own day (REL-9). On the nights of a change it means what opening hours mean (``clock.wall_span``): whoever is on
duty "from 22:00 to 02:30" stays while the poster on the door says open, and a machine is held for as long as the clock
on the wall stands between the two times.

* A start that the clock jumps over begins at the jump, an end that it jumps over ends at the jump: nobody stands at
  the door an hour longer than the clock says, and what remains of the time is still theirs.
* A start that comes twice is the first, an end that comes twice is the second: who comes at the first 02:15 finds the
  machine, who stays until the second 02:30 is not put out. An end at the very time to which the clocks go back is the
  first: a night until 02:00 is as long as any other.
* Only where all of it is jumped over, nothing is left of that day: ``series_time_missing``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from fablab.core.clock import DAY_MINUTES, FIRST_YEAR, LAST_YEAR, wall_span
from fablab.core.errors import Malformed, Problem

MOST = 200  # occurrences at once; four a week for a year
LONGEST_PAUSE = 52  # weeks from one to the next
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Weekly:
    """Each of ``weekdays`` (Monday is 0) from ``first`` to ``last``, both included, but on ``except_days``.

    ``starts`` is a minute of the local day, ``ends`` one of that day or the next (at most 2880). ``every`` second,
    third ... week counts from the week of ``first``; weeks begin on Monday.
    """

    weekdays: frozenset[int]
    starts: int
    ends: int
    first: date
    last: date
    every: int = 1
    except_days: frozenset[date] = frozenset()


@dataclass(frozen=True)
class Occurrence:
    """One of a series: ``[start, end)`` in UTC, or the code of why there is none on this ``day``, then both None."""

    day: date
    start: datetime | None
    end: datetime | None
    problem: str | None = None


def occurrences(rule: Weekly, zone: str, within: tuple[date, date] | None = None) -> list[Occurrence]:
    """Return what ``rule`` means on the clock of ``zone``, in order; no day at all is an empty list.

    ``within`` looks only at these local days, both included, however long the rule runs; weeks are still counted from
    the rule's own beginning. Raises ``Malformed`` with everything that is wrong with the rule at once, and with
    ``series_too_long`` where there were more than ``MOST``.
    """
    problems = list(_problems(rule))
    if problems:
        raise Malformed(*problems)
    first, last = (rule.first, rule.last) if within is None else within
    found: list[Occurrence] = []
    for day in _days(rule, max(first, rule.first), min(last, rule.last)):
        if len(found) == MOST:
            raise Malformed(Problem("series_too_long", {"most": MOST}, "last"))
        found.append(_on(day, rule, zone))
    return found


def _on(day: date, rule: Weekly, zone: str) -> Occurrence:
    span = wall_span(day, rule.starts, rule.ends, zone)
    if span.start < span.end:
        return Occurrence(day, span.start, span.end)
    return Occurrence(day, None, None, "series_time_missing")


def _days(rule: Weekly, first: date, last: date) -> Iterator[date]:
    origin = rule.first - timedelta(days=rule.first.weekday())
    skipped = max(0, (first - origin).days // 7 // rule.every)
    monday = origin + skipped * rule.every * WEEK
    while monday <= last:
        for weekday in sorted(rule.weekdays):
            day = monday + timedelta(days=weekday)
            if first <= day <= last and day not in rule.except_days:
                yield day
        monday += rule.every * WEEK


def _problems(rule: Weekly) -> Iterator[Problem]:
    if not rule.weekdays or not rule.weekdays <= frozenset(range(7)):
        yield Problem("series_without_weekday", field="weekdays")
    if not 0 <= rule.starts < DAY_MINUTES or not rule.starts < rule.ends <= 2 * DAY_MINUTES:
        yield Problem("series_hours_make_no_sense", field="ends")
    if rule.last < rule.first:
        yield Problem("series_ends_before_it_begins", field="last")
    for name, day in (("first", rule.first), ("last", rule.last)):
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            yield Problem("series_year_out_of_range", {"first": FIRST_YEAR, "last": LAST_YEAR}, name)
    if not 1 <= rule.every <= LONGEST_PAUSE:
        yield Problem("series_every_out_of_range", {"most": LONGEST_PAUSE}, "every")
