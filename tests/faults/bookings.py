"""Twenty people who book, cancel and move at random while the site and its database are killed (REL-13).

What each was told is written down with the times of asking and answering; ``found_wrong`` compares it with the rows of
the database, read past all of this system's code. Who was not answered may have got it or not.
"""

import http.client
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from tests.journeys.lab import Answer, Api, Lab

CLIENTS = 20
DAYS = 4
NO_ANSWER = (OSError, http.client.HTTPException)
LIVE = ("confirmed", "in_use")

Row = tuple[str, str, datetime, datetime, str]  # id, machine, start, end, state


@dataclass
class Wish:
    """What somebody last asked of one booking. ``sure``: they were answered."""

    state: str
    start: datetime
    sure: bool = True
    before: tuple[str, datetime] | None = None  # state and start that also count while nobody was answered


@dataclass
class Crowd:
    """The people, and what they were told."""

    lab: Lab
    seed: int
    machines: list[str]
    kill: Callable[[Random], None]
    told: dict[str, Wish] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    kills: int = 0
    surprises: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ended: threading.Event = field(default_factory=threading.Event)

    def rage(self, seconds: float) -> None:
        """Have everybody at it for so long; somebody kills something every few seconds."""
        persons = [self.lab.api(name) for name in ("sami", "lea", "karim", "ines")]
        deadline = time.monotonic() + seconds
        chance = Random(f"{self.seed} kills")
        with ThreadPoolExecutor(CLIENTS) as pool:
            work = [
                pool.submit(self._client, number, persons[number % len(persons)]) for number in range(CLIENTS)
            ]
            try:
                while time.monotonic() < deadline:
                    self._ended.wait(chance.uniform(1, 6))
                    self.kill(chance)
                    self.kills += 1
            finally:
                self._ended.set()
        for one in work:
            one.result()

    def _client(self, number: int, person: Api) -> None:
        chance = Random(f"{self.seed} client {number}")
        mine: list[str] = []
        while not self._ended.is_set():
            roll = chance.random()
            if roll < 0.6 or not mine:
                self._book(person, chance, mine)
            elif roll < 0.8:
                self._cancel(person, mine.pop(chance.randrange(len(mine))))
            else:
                self._move(person, chance.choice(mine), chance)

    def _book(self, person: Api, chance: Random, mine: list[str]) -> None:
        start = a_time(chance)
        answer = self._post(
            person, "/api/v1/bookings/", {"machine": chance.choice(self.machines), **span(start)}
        )
        if answer is None:
            return
        if answer.status == 201:
            with self._lock:
                self.told[answer["id"]] = Wish("confirmed", start)
            mine.append(answer["id"])

    def _cancel(self, person: Api, booking: str) -> None:
        wish = self.told[booking]
        self._ask(person, booking, "cancel", Wish("cancelled", wish.start, before=(wish.state, wish.start)))

    def _move(self, person: Api, booking: str, chance: Random) -> None:
        wish, start = self.told[booking], a_time(chance)
        self._ask(
            person,
            booking,
            "move",
            Wish("confirmed", start, before=(wish.state, wish.start)),
            span(start),
        )

    def _ask(self, person: Api, booking: str, verb: str, wanted: Wish, body: object = None) -> None:
        if not self.told[booking].sure:
            return  # nobody knows what it is by now: it is left alone
        answer = self._post(person, f"/api/v1/bookings/{booking}/{verb}/", body)
        if answer is None:
            wanted.sure = False
            self.told[booking] = wanted
        elif answer.status == 200:
            self.told[booking] = wanted

    def _post(self, person: Api, path: str, body: object) -> Answer | None:
        """Return an answer; None when there was none, or one that says nothing of what was asked."""
        try:
            answer = person.post(path, body)
        except NO_ANSWER:
            self.unanswered += 1
            self._ended.wait(0.5)
            return None
        if answer.status >= 500:
            if answer.status != 503:
                self.surprises.append(f"{path}: {answer.status}")
            self.unanswered += 1
            return None
        if answer.status not in (200, 201):
            self.refused["+".join(problem["code"] for problem in answer["problems"])] += 1
        return answer

    def found_wrong(self, rows: list[Row]) -> list[str]:
        """Return what must not be so, given every row of the table."""
        wrong = list(self.surprises)
        there = {row[0]: row for row in rows}
        for booking, wish in self.told.items():
            row = there.get(booking)
            if row is None:
                wrong.append(f"{booking} was confirmed and does not exist")
                continue
            allowed = {(wish.state, wish.start)}
            if not wish.sure and wish.before:
                allowed.add(wish.before)
            if (row[4], row[2]) not in allowed:
                wrong.append(f"{booking} is {row[4]} at {row[2]}, and somebody was told {allowed}")
        extra = sum(booking not in self.told for booking in there)
        if extra > self.unanswered:
            wrong.append(f"{extra} bookings that nobody was promised, {self.unanswered} were not answered")
        return wrong + overlaps(rows)

    def said(self) -> str:
        """What happened, in one line."""
        states = Counter(wish.state for wish in self.told.values())
        return (
            f"seed {self.seed}: {len(self.told)} bookings {dict(states)}, refused {dict(self.refused)}, "
            f"{self.unanswered} not answered, {self.kills} kills"
        )


def overlaps(rows: list[Row]) -> list[str]:
    """Return each pair of live bookings of one machine that overlap."""
    found = []
    for machine in {row[1] for row in rows}:
        live = sorted((row for row in rows if row[1] == machine and row[4] in LIVE), key=lambda row: row[2])
        found += [f"{one[0]} and {two[0]} overlap" for one, two in pairwise(live) if one[3] > two[2]]
    return found


def a_time(chance: Random) -> datetime:
    """A start on the grid, in the next days: few enough that people often want the same."""
    day = datetime.now(UTC) + timedelta(days=chance.randint(1, DAYS))
    return day.replace(hour=chance.randint(8, 19), minute=chance.choice([0, 30]), second=0, microsecond=0)


def span(start: datetime) -> dict[str, str]:
    return {"start": start.isoformat(), "end": (start + timedelta(minutes=60)).isoformat()}


def rows_of_sqlite(path: Path) -> list[Row]:
    """Read every booking from the file itself."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        found = connection.execute(
            "SELECT id, machine_id, start, end, state FROM equipment_booking"
        ).fetchall()
    return [(one, machine, _utc(start), _utc(end), state) for one, machine, start, end, state in found]


def _utc(text: Any) -> datetime:
    return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)
