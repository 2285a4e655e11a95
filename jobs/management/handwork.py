"""What nobody else does for machines that no line watches: estimates are told, forgotten objects are given back."""

from datetime import datetime, timedelta

from equipment.machines.queries import in_use
from equipment.machines.states import WATCHED
from fablab.core.witness import clock_is_trusted
from jobs.dispatch.services import release_the_forgotten
from jobs.lifecycle.estimates import tell

EVERY = timedelta(seconds=15)


class Handwork:
    """A step for ``Stepping``: every 15 seconds; always False, because nothing waits behind it."""

    def __init__(self) -> None:
        self._next: datetime | None = None

    def __call__(self, at: datetime) -> bool:
        if self._next is None or at >= self._next or self._next - at > EVERY:  # a clock that was put back
            tell(at)
            if clock_is_trusted(at):
                unwatched = in_use().exclude(driver__in=WATCHED).values_list("pk", flat=True)
                release_the_forgotten(list(unwatched), at=at)
            self._next = at + EVERY
        return False
