"""The newest figures of each machine, in memory: they change every other second and are not worth a database write.

Supervision notes them; whoever shows a machine in the same process reads them. Another process (scaled mode) has the
row's slower ``seen_at`` and gets figures by the live layer. Nothing is decided on them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from equipment.machines.models import Machine
from equipment.machines.states import STALE_AFTER_S

ROW_WRITTEN_EVERY_S = 30  # how old a row's ``seen_at`` may be although the machine is heard all the time


@dataclass(frozen=True)
class Figures:
    """``temperatures``: {"tool0": {"actual": °C, "target": °C}, "bed": ...}; ``percent`` 0 to 100."""

    seen_at: datetime
    percent: float | None = None
    seconds_left: int | None = None
    temperatures: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)

    def as_patch(self) -> dict[str, Any]:
        """Return what a live message carries; the keys are those of the machine's shape."""
        return {
            "seen_at": self.seen_at.isoformat().replace("+00:00", "Z"),
            "progress": {
                "percent": None if self.percent is None else round(self.percent, 1),
                "minutes_left": None if self.seconds_left is None else -(-self.seconds_left // 60),
            },
            "temperatures": {name: dict(values) for name, values in self.temperatures.items()},
        }


_latest: dict[str, Figures] = {}  # assignments of one key are atomic; readers take what is there


def note(machine_id: str, figures: Figures) -> None:
    """Keep a machine's newest figures."""
    _latest[machine_id] = figures


def forget(machine_id: str) -> None:
    """Drop what was known: the machine was removed, or another process watches it now."""
    _latest.pop(machine_id, None)


def latest(machine_id: str) -> Figures | None:
    """Return the newest figures, None where this process has heard nothing."""
    return _latest.get(machine_id)


def seen_at(machine: Machine) -> datetime | None:
    """Return the last sign of life that anybody noted."""
    figures = _latest.get(machine.pk)
    times = [time for time in (machine.seen_at, figures.seen_at if figures else None) if time is not None]
    return max(times, default=None)


def is_stale(machine: Machine, at: datetime) -> bool:
    """Say whether the last sign of life is too old to be shown as the present (UX-16)."""
    seen = seen_at(machine)
    limit = STALE_AFTER_S if machine.pk in _latest else STALE_AFTER_S + ROW_WRITTEN_EVERY_S
    return seen is None or (at - seen).total_seconds() > limit
