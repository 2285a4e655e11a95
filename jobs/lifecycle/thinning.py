"""Fewer points, the same curve: which moments of an attempt are worth keeping. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

MOST = 400  # points of one attempt, once it has ended


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment. ``heat``: {"tool0": (actual, target), "bed": ...} in degrees Celsius; None where nobody said."""

    at: datetime
    percent: float | None = None
    seconds_left: int | None = None
    heat: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)

    def values(self) -> Iterator[tuple[str, float]]:
        """Yield (name of the curve, value) for what was said."""
        if self.percent is not None:
            yield "percent", self.percent
        for name, pair in self.heat.items():
            for which, value in zip(("actual", "target"), pair, strict=True):
                if value is not None:
                    yield f"{name} {which}", value


def thin(samples: Sequence[Sample], most: int = MOST) -> list[int]:
    """Return the positions to keep, at most ``most``: the first, the last, and of each stretch its extremes.

    ``samples`` are in the order of time. Every curve's highest and lowest value stays, unless there are so many
    curves that ``most`` cannot hold two points of each; then the first of them win.
    """
    if len(samples) <= most:
        return list(range(len(samples)))
    stretches = most
    while stretches > 1:
        kept = _of_stretches(samples, stretches)
        if len(kept) <= most:
            return sorted(kept)
        stretches = stretches * 4 // 5
    ends = [0, len(samples) - 1]
    inner = [position for position in _of_stretches(samples, 1) if position not in ends]
    return sorted([*ends, *inner][:most])


def _of_stretches(samples: Sequence[Sample], stretches: int) -> dict[int, None]:
    """Return the first and last position, and the extremes of each of so many equal stretches of time."""
    began = samples[0].at
    whole = (samples[-1].at - began).total_seconds() or 1.0
    lowest: dict[tuple[int, str], tuple[float, int]] = {}
    highest: dict[tuple[int, str], tuple[float, int]] = {}
    for position, sample in enumerate(samples):
        stretch = min(stretches - 1, int((sample.at - began).total_seconds() / whole * stretches))
        for name, value in sample.values():
            key = (stretch, name)
            if key not in lowest or value < lowest[key][0]:
                lowest[key] = (value, position)
            if key not in highest or value > highest[key][0]:
                highest[key] = (value, position)
    found = dict.fromkeys([0, len(samples) - 1])
    for extremes in (highest, lowest):
        found |= dict.fromkeys(position for _value, position in extremes.values())
    return found
