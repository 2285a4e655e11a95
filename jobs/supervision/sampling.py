"""What is kept of the figures for an attempt's plot: one moment in ten seconds, written for all machines together."""

from datetime import datetime

from equipment.drivers.base import Observation
from jobs.lifecycle.thinning import Sample

SAMPLED_EVERY_S = 10.0
WRITTEN_EVERY_S = 30.0  # one transaction for all: a memory card wears out by the number of writes
MOST_WAITING = 20_000  # while the database does not answer; newer ones are left out
CURVES = 8  # heaters of one machine; what a machine invents beyond that is not kept


class Sampling:
    """The moments of all attempts of this process that are not written yet."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, Sample]] = []
        self._noted: dict[str, float] = {}

    def note(self, attempt_id: str, seen: Observation, *, at: datetime, now: float) -> None:
        """Keep a moment of a running attempt, unless one was kept in the last ten seconds. ``now`` is monotonic."""
        if now - self._noted.get(attempt_id, float("-inf")) < SAMPLED_EVERY_S:
            return
        if len(self._waiting) >= MOST_WAITING:
            return
        self._noted[attempt_id] = now
        heat = {
            name[:20]: (value.actual, value.target)
            for name, value in list(seen.temperatures.items())[:CURVES]
        }
        sample = Sample(at, seen.progress.percent, seen.progress.seconds_left, heat)
        self._waiting.append((attempt_id, sample))

    def waiting(self) -> list[tuple[str, Sample]]:
        """Return what is to be written, oldest first."""
        return list(self._waiting)

    def written(self, count: int, *, now: float) -> None:
        """Forget what has been written, and the attempts that say nothing any more."""
        del self._waiting[:count]
        self._noted = {
            attempt_id: at for attempt_id, at in self._noted.items() if now - at < 2 * SAMPLED_EVERY_S
        }
