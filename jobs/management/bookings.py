"""What happens to bookings by the clock: whiles that end, times that nobody came to, who is next for a freed one."""

from datetime import datetime, timedelta

from equipment.bookings.absent import release_absent
from equipment.bookings.offering import end_whiles, serve_all
from jobs.lifecycle.presence import work_seen

ABSENT_EVERY = timedelta(seconds=15)
WAITING_EVERY = timedelta(minutes=1)
A_BREAK = timedelta(minutes=2)  # between two looks: then nobody could say that they had come


class BookingDay:
    """A step for ``Stepping``; always False, because nothing waits behind it. Any number of processes may run it."""

    def __init__(self) -> None:
        self._since: datetime | None = None  # since when this process looks without a break
        self._looked: datetime | None = None
        self._absent: datetime | None = None
        self._waiting: datetime | None = None

    def __call__(self, at: datetime) -> bool:
        if self._since is None or self._looked is None or not timedelta() <= at - self._looked <= A_BREAK:
            self._since = at
        self._looked = at
        end_whiles(at)
        if _is_time(self._absent, ABSENT_EVERY, at):
            release_absent(at, watched_since=self._since, spared=work_seen)
            self._absent = at
        if _is_time(self._waiting, WAITING_EVERY, at):
            serve_all(at)
            self._waiting = at
        return False


def _is_time(last: datetime | None, every: timedelta, at: datetime) -> bool:
    return last is None or not timedelta() <= at - last < every  # also when the clock was put back
