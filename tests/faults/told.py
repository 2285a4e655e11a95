"""What people were told of bookings and outages, and when they asked and were answered, held against the rows (REL-13).

Rows are read past all of this system's code. Who was not answered may have got it or not; of two who asked at the same
moment either may have come last.
"""

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

HOLDING = ("held", "confirmed", "in_use")
NEVER = float("inf")
# What a row may say when its last word was this one. A use ends by itself, and keeps its buffer first; a time that was
# given back, or was only offered, is cancelled when its while is over.
MEANS = {
    "confirmed": {"confirmed"},
    "in_use": {"in_use", "done"},
    "awaited": {"confirmed", "in_use", "done", "no_show"},  # now, and perhaps not seen to have come
    "cancelled": {"cancelled"},
    "given_back": {"held", "cancelled"},
    "offered": {"held", "cancelled"},
}
FINAL = frozenset({"cancelled"})


class Row(NamedTuple):
    """A booking as it stands in the table."""

    id: str
    machine: str
    start: datetime
    end: datetime
    held_start: datetime
    held_end: datetime
    state: str
    created_by: str | None  # nobody: it was offered to somebody who waited


class OutageRow(NamedTuple):
    id: str
    machine: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True)
class Said:
    """A booking as somebody was told that it is, or wanted it. ``sure``: they were answered. None: anything.

    ``asked`` and ``answered`` are of one clock. ``judged``: the rules were asked for this time.
    """

    state: str
    machine: str | None
    start: datetime | None
    end: datetime | None
    asked: float
    answered: float
    sure: bool = True
    judged: bool = False

    def agrees(self, row: Row) -> bool:
        wanted = (self.machine, self.start, self.end)
        same = all(
            want in (None, is_) for want, is_ in zip(wanted, (row.machine, row.start, row.end), strict=True)
        )
        return same and row.state in MEANS[self.state]


@dataclass
class Outage:
    """An outage that was announced. One that is ended before it begins never will: it has no length.

    ``over``: when it ended, as was answered, to the millisecond; ``perhaps_over``: nobody was answered.
    """

    machine: str
    start: datetime
    end: datetime
    answered: float
    end_asked: float = NEVER
    over: datetime | None = None
    perhaps_over: bool = False

    def agrees(self, row: OutageRow) -> bool:
        if row.machine != self.machine or row.end is None:
            return False
        if self.over is not None:
            return row.start == row.end and timedelta(0) <= row.end - self.over < timedelta(milliseconds=1)
        return (row.start, row.end) == (self.start, self.end) or (self.perhaps_over and row.start == row.end)


@dataclass
class Told:
    """Everything that anybody was told."""

    bookings: dict[str, list[Said]] = field(default_factory=lambda: defaultdict(list))
    outages: dict[str, Outage] = field(default_factory=dict)
    # Of each call that was not answered: whether a row may come from it.
    lost: list[Callable[[Row], bool]] = field(default_factory=list)
    lost_outages: list[tuple[str, datetime]] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def say(self, booking: str, said: Said) -> None:
        with self._lock:
            self.bookings[booking].append(said)

    def found_wrong(self, rows: Sequence[Row], outages: Sequence[OutageRow]) -> list[str]:
        """Return what must not be so, given every row of both tables."""
        wrong = list(self.surprises)
        there = {row.id: row for row in rows}
        for booking, said in self.bookings.items():
            row = there.get(booking)
            may = may_be_last(said)
            if row is None:
                wrong += [f"{booking} was promised and does not exist"] if any(s.sure for s in said) else []
            elif any(one.agrees(row) for one in may):
                continue
            elif any(s.sure for s in said) or not self._may_be_there(row):
                wrong.append(f"{row}, and somebody was told {may}")
        for row in rows:
            if row.id not in self.bookings and not self._may_be_there(row):
                wrong.append(f"{row}, which nobody was promised")
        return wrong + self._of_outages(outages) + self._let_in() + overlaps(rows)

    def _may_be_there(self, row: Row) -> bool:
        offered = row.created_by is None and row.state in MEANS["offered"]
        return offered or any(may_come_from(row) for may_come_from in self.lost)

    def _of_outages(self, rows: Iterable[OutageRow]) -> list[str]:
        there = {row.id: row for row in rows}
        wrong = []
        for name, outage in self.outages.items():
            row = there.pop(name, None)
            if row is None or not outage.agrees(row):
                wrong.append(f"outage {name} was told as {outage}, and is {row}")
        unknown = [row for row in there.values() if (row.machine, row.start) not in self.lost_outages]
        return wrong + [f"{row}, which nobody announced" for row in unknown]

    def _let_in(self) -> list[str]:
        """Return times that the rules let in although an outage stood there before they were asked for, and after."""
        return [
            f"{booking} was let in into {outage}: {said}"
            for outage in self.outages.values()
            for booking, all_said in self.bookings.items()
            for said in all_said
            if said.judged and said.sure and said.machine == outage.machine
            if outage.answered < said.asked and said.answered < outage.end_asked
            if said.start and said.end and said.start < outage.end and outage.start < said.end
        ]


def may_be_last(said: Sequence[Said]) -> list[Said]:
    """Return which of these may be the last word: nothing that was answered was asked after it; the end is the end."""
    final = [one for one in said if one.sure and one.state in FINAL]
    if final:
        return final
    known = [one for one in said if one.sure]
    found = [one for one in said if not any(later.asked > one.answered for later in known)]
    # Only offered, and whether it was taken nobody knows.
    return found if known else [*found, Said("offered", None, None, None, 0, 0)]


def overlaps(rows: Sequence[Row]) -> list[str]:
    """Return each pair of bookings that hold one machine at one time, buffers included."""
    found = []
    for machine in {row.machine for row in rows}:
        holding = sorted(
            (row for row in rows if row.machine == machine and row.state in HOLDING),
            key=lambda row: row.held_start,
        )
        found += [f"{a.id} and {b.id} overlap" for a, b in pairwise(holding) if a.held_end > b.held_start]
    return found


# --- rows ---------------------------------------------------------------------------------------------------------

BOOKINGS = (
    'SELECT id, machine_id, start, "end", held_start, held_end, state, created_by_id FROM equipment_booking'
)
OUTAGES = 'SELECT id, machine_id, start, "end" FROM equipment_outage'


def rows_of_sqlite(path: Path) -> tuple[list[Row], list[OutageRow]]:
    """Read both tables from the file itself."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        bookings = connection.execute(BOOKINGS).fetchall()
        outages = connection.execute(OUTAGES).fetchall()
    return (
        [Row(*one[:2], *[_utc(time) for time in one[2:6]], *one[6:]) for one in bookings],
        [
            OutageRow(str(one), machine, _utc(start), _utc(end) if end else None)
            for one, machine, start, end in outages
        ],
    )


def rows_of_postgresql(url: str) -> tuple[list[Row], list[OutageRow]]:
    with psycopg.connect(url) as connection:
        bookings = connection.execute(BOOKINGS).fetchall()
        outages = connection.execute(OUTAGES).fetchall()
    return [Row(*row) for row in bookings], [OutageRow(str(one), *rest) for one, *rest in outages]


def _utc(text: Any) -> datetime:
    return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)
