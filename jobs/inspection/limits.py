"""What a machine model can take, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from .findings import JSON


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """The limits of one machine model.

    Lengths in millimetres, temperatures in degrees Celsius. `origin_mm` is the machine coordinate of the front left
    corner of the bed (0, 0 on most printers, half the bed below zero on delta printers); `margin_mm` is how far the
    head may travel beyond the bed. `formats` are reader names ("gcode", "stl", ...), the machine's own first.
    """

    bed_mm: tuple[float, float]
    height_mm: float
    nozzle_mm: float = 0.4
    nozzle_max_c: float = 260.0
    bed_max_c: float = 100.0
    materials: tuple[str, ...] = ()
    formats: tuple[str, ...] = ("gcode",)
    origin_mm: tuple[float, float] = (0.0, 0.0)
    margin_mm: float = 0.0
    chamber_max_c: float = 0.0
    speed_max_mm_s: float = 500.0

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Reads what `as_json` writes; keys beyond these are ignored. Raises KeyError, TypeError, ValueError."""
        bed, origin = data["bed_mm"], data.get("origin_mm", (0.0, 0.0))
        return cls(
            bed_mm=(float(bed[0]), float(bed[1])),
            height_mm=float(data["height_mm"]),
            nozzle_mm=float(data.get("nozzle_mm", 0.4)),
            nozzle_max_c=float(data.get("nozzle_max_c", 260.0)),
            bed_max_c=float(data.get("bed_max_c", 100.0)),
            materials=tuple(str(one) for one in data.get("materials", ())),
            formats=tuple(str(one) for one in data.get("formats", ("gcode",))),
            origin_mm=(float(origin[0]), float(origin[1])),
            margin_mm=float(data.get("margin_mm", 0.0)),
            chamber_max_c=float(data.get("chamber_max_c", 0.0)),
            speed_max_mm_s=float(data.get("speed_max_mm_s", 500.0)),
        )

    def as_json(self) -> dict[str, JSON]:
        return {
            "bed_mm": list(self.bed_mm),
            "height_mm": self.height_mm,
            "nozzle_mm": self.nozzle_mm,
            "nozzle_max_c": self.nozzle_max_c,
            "bed_max_c": self.bed_max_c,
            "materials": list(self.materials),
            "formats": list(self.formats),
            "origin_mm": list(self.origin_mm),
            "margin_mm": self.margin_mm,
            "chamber_max_c": self.chamber_max_c,
            "speed_max_mm_s": self.speed_max_mm_s,
        }
