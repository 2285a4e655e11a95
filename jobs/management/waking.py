"""What the process that watches machines does first, and what it keeps an eye on beside them: clock and power."""

from datetime import datetime, timedelta

from equipment.sites.live import board_changed
from equipment.sites.queries import all_site_ids
from fablab.core import witness
from fablab.core.witness import Reading
from jobs.management.stepping import Stepping
from jobs.recovery.services import notice_absence, notice_losses

LOSSES_EVERY = timedelta(seconds=5)


class ClockWatch:
    """Compares the clock with the time since the computer's start at each look, and with what is remembered."""

    def __init__(self) -> None:
        self._before: Reading | None = None

    def __call__(self, at: datetime) -> bool:
        """Look once; always False, because nothing waits behind it. Desks are told when the doubt begins or ends."""
        now = witness.read(at)
        changed = witness.look(now, self._before)
        self._before = now
        if changed:
            for site_id in all_site_ids():
                board_changed(site_id)
        return False


class LossWatch:
    """Looks every few seconds whether a place's machines lost their work together."""

    def __init__(self) -> None:
        self._next: datetime | None = None

    def __call__(self, at: datetime) -> bool:
        """Look when it is time; always False."""
        if (
            self._next is None or at >= self._next or self._next - at > LOSSES_EVERY
        ):  # a clock that was put back
            notice_losses(at)
            self._next = at + LOSSES_EVERY
        return False


def wake(at: datetime) -> list[Stepping]:
    """Do what comes before anything may start by itself; return the threads that go on with it, not yet started.

    The last sign of life is read before this one is left. A computer that wakes in the past is doubted from its first
    second on.
    """
    reading = witness.read(at)
    notice_absence(
        last_sign=witness.latest_seen(),
        computer_started=at - timedelta(seconds=reading.running_s),
        at=at,
    )
    clock = ClockWatch()
    clock(at)
    return [Stepping("clock", clock), Stepping("losses", LossWatch())]
