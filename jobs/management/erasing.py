"""Erasures that are not at their end: cut by a crash, or waiting for a machine."""

from datetime import datetime, timedelta

from jobs.erasure.services import go_on

EVERY = timedelta(minutes=1)


class Erasing:
    """A step for ``Stepping``: once a minute; always False, because nothing waits behind it."""

    def __init__(self) -> None:
        self._next: datetime | None = None

    def __call__(self, at: datetime) -> bool:
        if self._next is None or at >= self._next or self._next - at > EVERY:  # a clock that was put back
            self._next = at + EVERY
            go_on(at)
        return False
