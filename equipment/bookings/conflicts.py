"""Many times at once: which are made, which are left out, which make way, and when nothing is done at all. Pure.

Whoever asks says for each kind of conflict, by the code of its rule, what is to happen; of what they said nothing, one
is enough to refuse the whole.
"""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

from equipment.bookings.rules import CODES
from fablab.core.errors import Malformed, Problem

TAKEN = "slot_taken"  # by bookings that could make way
KEPT = "slot_kept"  # by what makes way for nobody: somebody is there, or has been promised it
MISSING = "series_time_missing"  # the clocks jump over all of it


class Choice(StrEnum):
    """What is to happen where a kind of conflict is found."""

    REFUSE = "refuse"  # then nothing at all is written
    SKIP = "skip"  # this date on this machine is left out
    CANCEL = "cancel"  # what is in the way makes way; only for ``TAKEN``


class Fate(StrEnum):
    """What becomes of one date on one machine."""

    MAKE = "make"
    MAKE_ROOM = "make_room"  # made, and what was in the way is cancelled
    SKIP = "skip"
    REFUSE = "refuse"


Choices = Mapping[str, Choice]


def choices_of(given: Iterable[tuple[str, str]]) -> dict[str, Choice]:
    """Return choices by code. Raises ``Malformed`` with every pair that makes no sense."""
    chosen: dict[str, Choice] = {}
    problems = []
    for code, wanted in given:
        known = code in CODES | {KEPT, MISSING} and wanted in set(Choice)
        if not known or (wanted == Choice.CANCEL and code != TAKEN):
            problems.append(Problem("series_choice_unknown", {"code": code, "choice": wanted}, "choices"))
        else:
            chosen[code] = Choice(wanted)
    if problems:
        raise Malformed(*problems)
    return chosen


def fate(
    codes: Collection[str],
    choices: Choices,
    in_the_way: Collection[str] = (),
    may_cancel: Collection[str] | None = None,
) -> Fate:
    """Return what becomes of a time against which ``codes`` speak.

    ``may_cancel``: the bookings whose cancelling was shown and agreed to; None agrees to all. One that came since
    then makes way for nobody before somebody has looked.
    """
    said = {choices.get(code, Choice.REFUSE) for code in codes}
    if not said:
        return Fate.MAKE
    if Choice.REFUSE in said:
        return Fate.REFUSE
    if Choice.SKIP in said:
        return Fate.SKIP
    agreed = may_cancel is None or set(in_the_way) <= set(may_cancel)
    return Fate.MAKE_ROOM if agreed else Fate.REFUSE
