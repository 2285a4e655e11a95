"""What OctoPrint's own log says of every print, and whether each of our starts was allowed to happen (REL-14).

Knows nothing of this system but the names of its files on a machine: the judge of the starts shares no code and no
database with what it judges.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_LINE = re.compile(r"^(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) - (?P<what>.*)$")
_BEGAN = re.compile(r"Print job started - origin: (?P<origin>[^,]*), path: (?P<path>.*?), owner: ")
_DONE = re.compile(r"Print job done - ")
_CANCELLED = re.compile(r"Print job cancelled - ")
_STATE = re.compile(r'Changing monitoring state from "[^"]*" to "(?P<state>[^"]*)"')
_SERVER_BEGAN = re.compile(r"octoprint\.startup - INFO - Starting OctoPrint ")
_AT_WORK = ("Starting", "Printing", "Paus", "Resum", "Cancelling", "Finishing")
OURS = re.compile(r"^fl/(?P<attempt>[^/]+)-(?P<hash8>[0-9a-f]{8})\.gcode$")


class Ended(StrEnum):
    DONE = "done"
    CANCELLED = "cancelled"
    LOST = "lost"  # the printer or its server went away


@dataclass(frozen=True)
class Print:
    """One print as the server itself wrote it down. Times are the server's local clock, without a zone."""

    path: str
    began: datetime
    ended: datetime | None = None
    how: Ended | None = None

    @property
    def attempt(self) -> str | None:
        """Our attempt's id, None for what did not come from us."""
        found = OURS.match(self.path)
        return found["attempt"] if found else None

    @property
    def hash8(self) -> str | None:
        found = OURS.match(self.path)
        return found["hash8"] if found else None


@dataclass(frozen=True)
class Clearing:
    """A person said that the plate is empty: some time between these two. ``answered`` None: nobody knows when."""

    asked: datetime
    answered: datetime | None


def prints_in(log: str) -> list[Print]:
    """Read every print from the text of an ``octoprint.log``, oldest first.

    A print that the server's end cut off ends when the server is there again: nobody could know earlier.
    """
    found: list[Print] = []
    running: tuple[str, datetime] | None = None
    how = Ended.LOST

    def end(at: datetime) -> None:
        nonlocal running, how
        if running is not None:
            found.append(Print(*running, at, how))
        running, how = None, Ended.LOST

    for text in log.splitlines():
        line = _LINE.match(text)
        if line is None:
            continue
        at = datetime.strptime(line["at"], "%Y-%m-%d %H:%M:%S,%f")  # noqa: DTZ007 - the log has no zone
        what = line["what"]
        if start := _BEGAN.search(what):
            end(at)
            running = (start["path"], at)
        elif _SERVER_BEGAN.search(what):
            end(at)
        elif _DONE.search(what):
            how = Ended.DONE
        elif _CANCELLED.search(what):
            how = Ended.CANCELLED
        elif (state := _STATE.search(what)) and not state["state"].startswith(_AT_WORK):
            end(at)
    if running is not None:
        found.append(Print(*running))
    return found


def what_is_wrong(machine: str, prints: Sequence[Print], clearings: Iterable[Clearing]) -> list[str]:
    """Say of one machine which of our starts must not have happened; nothing wrong: an empty list.

    At most one start for each attempt; and for each start somebody said that the plate is empty after the print before
    it had ended, once for each start. What may have been said counts as said: the judge accuses only where it is sure.
    """
    wrong = [
        f"{machine}: {path} was started {times} times"
        for path, times in Counter(one.path for one in prints if one.attempt).items()
        if times > 1
    ]
    left = sorted(clearings, key=lambda one: one.asked)
    before: datetime | None = None
    for one in prints:
        if one.attempt:
            right = next((clearing for clearing in left if _allows(clearing, before, one.began)), None)
            if right is None:
                wrong.append(
                    f"{machine}: {one.path} was started at {one.began} on a plate that nobody cleared"
                )
            else:
                left.remove(right)
        before = one.ended or one.began
    return wrong


def _allows(clearing: Clearing, before: datetime | None, began: datetime) -> bool:
    fresh = before is None or clearing.answered is None or clearing.answered >= before
    return clearing.asked <= began and fresh
