"""Whether this computer's clock is to be believed (REL-22, fault case 20).

After a power cut a small computer without a battery wakes in the past, and a wrong clock would start machines at
night, release bookings and delete what is to be kept. So the installation remembers the latest time it has seen, and
while its clock is in doubt nothing happens by itself. A doubt ends when the clock is ahead of that memory again and
the operating system says that it is synchronised, or when a person looks at a watch and says yes.

``judge`` is pure. ``look`` is called about once a second by the process that serves or supervises, and is the only
one that raises or ends a doubt; ``clock_is_trusted`` is what others ask.
"""

import ctypes
import logging
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from fablab.core.models import Witness

logger = logging.getLogger(__name__)

EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)  # nothing of this was written before
TOLERANCE = timedelta(minutes=2)  # by which a clock is set right without a word
WRITTEN_EVERY = timedelta(seconds=30)
BOOT_COUNTS_FOR_S = 10 * 60.0  # so long after the computer's start an unsynchronised clock is doubted


class Why(StrEnum):
    """Why the clock is not believed."""

    BEFORE_RELEASE = "before_release"  # 1970
    BEFORE_WITNESS = "before_witness"  # earlier than what we have seen already
    STEPPED = "stepped"  # jumped while we ran
    UNSYNCHRONISED = "unsynchronised"  # the computer was off, and nobody told it the time since


@dataclass(frozen=True)
class Reading:
    """What the computer says. ``running_s`` counts since its start and never jumps; ``synchronised`` None: unknown."""

    at: datetime
    running_s: float
    synchronised: bool | None


def judge(
    now: Reading, before: Reading | None, *, seen: datetime | None, doubted: bool, why: str = ""
) -> str:
    """Return why the clock is not to be believed, or nothing.

    ``before`` is this process's last reading, ``seen`` the latest time that the installation remembers, ``doubted``
    and ``why`` what counted until now.
    """
    if now.at < EARLIEST:
        return Why.BEFORE_RELEASE
    if seen is not None and now.at < seen - TOLERANCE:
        return Why.BEFORE_WITNESS
    if before is not None and _jumped(before, now):
        return Why.STEPPED
    if doubted:
        trusted_again = now.synchronised is True and (seen is None or now.at >= seen)
        return "" if trusted_again else (why or Why.UNSYNCHRONISED)
    just_booted = now.running_s < BOOT_COUNTS_FOR_S
    off_since = seen is not None and seen < now.at - timedelta(seconds=now.running_s)
    if before is None and just_booted and off_since and now.synchronised is False:
        return Why.UNSYNCHRONISED
    return ""


def _jumped(before: Reading, now: Reading) -> bool:
    """Whether the clock went another way than the time since the computer's start."""
    passed = timedelta(seconds=now.running_s - before.running_s)
    return abs((now.at - before.at) - passed) > TOLERANCE


# --- what the computer says ---------------------------------------------------------------------------------------


def read(at: datetime) -> Reading:
    """Return what the computer says, at the time ``at`` by its clock."""
    return Reading(at, _running_s(), _synchronised())


def _running_s() -> float:
    """Seconds since the computer's start, a sleep included where the system counts it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class _Timex(ctypes.Structure):
    """The beginning of Linux's ``struct timex``; the rest is room for the answer."""

    _fields_ = [
        ("modes", ctypes.c_uint),  # 0: only ask
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),  # microseconds
        ("rest", ctypes.c_byte * 512),
    ]


UNSYNCHRONISED_US = (
    16_000_000  # the kernel's largest error; a flag beside it only keeps it from setting the hardware
)


def _synchronised() -> bool | None:
    """Say whether the clock follows a better one; None where the system does not tell."""
    if not sys.platform.startswith("linux"):
        return None
    answer = _Timex()
    try:
        asked = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(answer))
    except (OSError, AttributeError):  # another C library
        return None
    return None if asked < 0 else int(answer.maxerror) < UNSYNCHRONISED_US


# --- what the installation remembers ------------------------------------------------------------------------------


def clock_is_trusted(at: datetime) -> bool:
    """Say whether anything may happen by itself at ``at``, by the clock as it stands. One query."""
    return doubt(at) is None


def doubt(at: datetime) -> str | None:
    """Return why the clock is not believed, None when it is. An installation that has seen nothing yet believes it."""
    if at < EARLIEST:
        return Why.BEFORE_RELEASE
    witness = Witness.objects.first()
    if witness is None:
        return None
    if witness.doubted_since is not None:
        return witness.why or Why.STEPPED
    # The look that would raise this doubt may come a second later.
    return Why.BEFORE_WITNESS if at < witness.at - TOLERANCE else None


def doubted_since() -> datetime | None:
    """Return since when the clock is doubted, by that clock; None when it is believed."""
    return Witness.objects.values_list("doubted_since", flat=True).first()


def latest_seen() -> datetime | None:
    """Return the latest time that the installation remembers: its last sign of life after a power cut."""
    return Witness.objects.values_list("at", flat=True).first()


def look(now: Reading, before: Reading | None) -> bool:
    """Compare the clock with what is remembered, and remember this time. True when the doubt began, ended or changed.

    While the clock is doubted nothing is remembered of it: a jump into the future would else be believed for ever.
    """
    witness = Witness.objects.first()
    if witness is None:
        why = judge(now, before, seen=None, doubted=False)
        first = Witness(at=max(now.at, EARLIEST), doubted_since=now.at if why else None, why=why)
        Witness.objects.bulk_create([first], ignore_conflicts=True)  # two processes at once: one memory
        return bool(why)
    was = witness.why if witness.doubted_since is not None else ""
    doubted = witness.doubted_since is not None
    why = judge(now, before, seen=witness.at, doubted=doubted, why=witness.why)
    if bool(why) != doubted or why != was:
        logger.warning("the clock stands at %s: %s", now.at, why or "believed again")
        since = (witness.doubted_since or now.at) if why else None
        kept = {"at": witness.at, "doubted_since": witness.doubted_since, "why": witness.why}
        changes = {"doubted_since": since, "why": why} | ({} if why else {"at": max(now.at, witness.at)})
        # By what was read: a person's yes that came meanwhile counts more.
        return bool(Witness.objects.filter(**kept).update(**changes))
    if not why and now.at >= witness.at + WRITTEN_EVERY:
        Witness.objects.filter(doubted_since__isnull=True, at__lt=now.at).update(at=now.at)
    return False


def confirm(*, person_id: str, at: datetime) -> bool:
    """Believe the clock again because a person says that it is right; what was remembered before is forgotten.

    False when nobody doubted it. Who may say so is the caller's to ask.
    """
    if at < EARLIEST:
        return False
    if not Witness.objects.filter(doubted_since__isnull=False).update(at=at, doubted_since=None, why=""):
        return False
    logger.warning("person %s says that the clock is right: %s", person_id, at)
    return True
