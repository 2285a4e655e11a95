"""What a sample is, and all of them together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jobs.inspection.limits import ModelLimits

PRINTER = ModelLimits(
    bed_mm=(220.0, 220.0),
    height_mm=250.0,
    nozzle_mm=0.4,
    nozzle_max_c=260.0,
    bed_max_c=100.0,
    materials=("PLA", "PETG"),
    formats=("gcode",),
)


@dataclass(frozen=True)
class Sample:
    """One file: `blocks` are the codes that refuse it on `machine` (none: it is accepted), `asks` those shown to an
    instructor, `facts` what a reader must find, `rule` the policy row it stands for."""

    name: str
    data: bytes
    about: str
    blocks: frozenset[str] = frozenset()
    asks: frozenset[str] = frozenset()
    facts: Mapping[str, Any] = field(default_factory=dict)
    rule: str = ""
    machine: ModelLimits = PRINTER

    @property
    def path(self) -> str:
        return f"{'bad' if self.blocks else 'good'}/{self.name}"

    def row(self) -> dict[str, Any]:
        return {
            "file": self.path,
            "expect": "reject" if self.blocks else "accept",
            "about": self.about,
            "blocks": sorted(self.blocks),
            "asks": sorted(self.asks),
            "facts": dict(self.facts),
            "machine": self.machine.as_json(),
        }


@cache
def corpus() -> tuple[Sample, ...]:
    from . import cutting, machine_commands, machine_files, models, sewing

    samples = (
        *models.samples(),
        *machine_files.samples(),
        *machine_commands.samples(),
        *sewing.samples(),
        *cutting.samples(),
    )
    names = [one.path for one in samples]
    twice = {one for one in names if names.count(one) > 1}
    if twice:
        raise ValueError(f"two samples of one name: {sorted(twice)}")
    return samples


def find(name: str) -> Sample:
    """The sample of this file name. Raises LookupError."""
    for sample in corpus():
        if sample.name == name:
            return sample
    raise LookupError(name)
