"""What a machine model can take, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from .findings import JSON


@dataclass(frozen=True, slots=True)
class Frame:
    """An embroidery frame (or a cutting mat) by its name on the rack; its inner field in millimetres."""

    name: str
    width_mm: float
    height_mm: float

    @property
    def size(self) -> str:
        """Its field as people write it: "180 × 130"."""
        return f"{self.width_mm:g} × {self.height_mm:g}"

    def as_json(self) -> dict[str, JSON]:
        return {"name": self.name, "w_mm": self.width_mm, "h_mm": self.height_mm}


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """The limits of one machine model.

    Lengths in millimetres, temperatures in degrees Celsius. `origin_mm` is the machine coordinate of the front left
    corner of the bed (0, 0 on most printers, half the bed below zero on delta printers); `margin_mm` is how far the
    head may travel beyond the bed. `formats` are reader names ("gcode", "stl", ...), the machine's own first.

    For embroidery `frames` are the frames there are, `max_stitches` and `max_colours` what the machine keeps, `rpm` its
    stitches a minute and `change_s` the seconds of a thread change; for a cutter `cut_mm_s` is its speed. 0: not said.
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
    frames: tuple[Frame, ...] = ()
    max_stitches: int = 0
    max_colours: int = 0
    rpm: float = 0.0
    change_s: float = 0.0
    cut_mm_s: float = 0.0

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
            frames=tuple(
                Frame(str(one["name"]), float(one["w_mm"]), float(one["h_mm"]))
                for one in data.get("frames", ())
            ),
            max_stitches=int(data.get("max_stitches", 0)),
            max_colours=int(data.get("max_colours", 0)),
            rpm=float(data.get("rpm", 0.0)),
            change_s=float(data.get("change_s", 0.0)),
            cut_mm_s=float(data.get("cut_mm_s", 0.0)),
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
            "frames": [one.as_json() for one in self.frames],
            "max_stitches": self.max_stitches,
            "max_colours": self.max_colours,
            "rpm": self.rpm,
            "change_s": self.change_s,
            "cut_mm_s": self.cut_mm_s,
        }
