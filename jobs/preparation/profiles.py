"""Our own slicing profile for a machine model and a person's settings. Nothing of it comes from an uploaded file."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from jobs.inspection.limits import ModelLimits

T = TypeVar("T")


class Heat(NamedTuple):
    """Degrees Celsius, first layer and after; grams a cubic centimetre."""

    first_nozzle: int
    nozzle: int
    first_bed: int
    bed: int
    density: float
    fan_least: int
    fan_most: int


MATERIALS: Mapping[str, Heat] = {
    "PLA": Heat(210, 205, 60, 60, 1.24, 100, 100),
    "PETG": Heat(240, 235, 80, 80, 1.27, 30, 50),
}
QUALITIES: Mapping[str, float] = {
    "draft": 0.3,
    "normal": 0.2,
    "fine": 0.12,
}  # layer height in mm at a 0.4 mm nozzle
SUPPORTS: Mapping[str, Mapping[str, str]] = {
    # auto: only where an overhang is steeper than 40 degrees from flat; yes: already from 55
    "auto": {"support_material": "1", "support_material_auto": "1", "support_material_threshold": "40"},
    "yes": {"support_material": "1", "support_material_auto": "1", "support_material_threshold": "55"},
    "no": {"support_material": "0"},
}
MOST_COPIES = 20
# What a machine model may set by itself: plain numbers, no text, no program, no start code.
MODEL_KEYS = frozenset(
    (
        *("retract_length", "retract_speed", "retract_lift", "filament_max_volumetric_speed"),
        *(
            "perimeter_speed",
            "external_perimeter_speed",
            "infill_speed",
            "solid_infill_speed",
            "travel_speed",
        ),
        *("first_layer_speed", "bridge_speed", "fill_density", "perimeters", "extrusion_width"),
        *("top_solid_layers", "bottom_solid_layers", "brim_width", "skirts"),
    )
)
_NUMBER = re.compile(r"\d{1,5}(?:\.\d{1,4})?%?")

START = r"\n".join(
    (
        "G21",
        "G90",
        "M83",
        "M104 S150",
        "M140 S[first_layer_bed_temperature]",
        "G28",
        "G1 Z10 F600",
        "M190 S[first_layer_bed_temperature]",
        "M109 S[first_layer_temperature]",
        "G92 E0",
    )
)
END = r"\n".join(
    (
        "M104 S0",
        "M140 S0",
        "M107",
        "G1 E-2 F1800",
        "G1 Z{min(max_layer_z + 10, max_print_height)} F600",
        "M84",
    )
)


class Unsuitable(ValueError):
    """These settings cannot be made on this machine model; `code` says which: quality, material, supports, copies."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def slicing_profile(limits: ModelLimits, settings: Mapping[str, Any]) -> dict[str, str]:
    """PrusaSlicer keys for this machine model.

    `settings`: quality (draft, normal, fine), material (PLA, PETG), supports (auto, yes, no), and `model`, the machine
    model's own numbers for `MODEL_KEYS`. Missing ones have defaults. Raises Unsuitable.
    """
    quality = _one_of(QUALITIES, settings.get("quality", "normal"), "quality")
    kind = str(settings.get("material", "PLA")).upper()
    heat = _one_of(MATERIALS, kind, "material")
    if heat.first_nozzle > limits.nozzle_max_c or heat.first_bed > limits.bed_max_c:
        raise Unsuitable("material")
    supports = _one_of(SUPPORTS, settings.get("supports", "auto"), "supports")
    layer = min(quality, round(limits.nozzle_mm * 0.75, 2))
    x, y = limits.origin_mm
    width, depth = limits.bed_mm
    corners = ((x, y), (x + width, y), (x + width, y + depth), (x, y + depth))
    return {
        "bed_shape": ",".join(f"{one:g}x{two:g}" for one, two in corners),
        "max_print_height": f"{limits.height_mm:g}",
        "nozzle_diameter": f"{limits.nozzle_mm:g}",
        "gcode_flavor": "marlin2",
        "machine_limits_usage": "ignore",
        "use_relative_e_distances": "1",
        "before_layer_gcode": "G92 E0",
        "start_gcode": START,
        "end_gcode": END,
        "post_process": "",
        "filament_type": kind,
        "filament_diameter": "1.75",
        "filament_density": f"{heat.density:g}",
        "first_layer_temperature": str(heat.first_nozzle),
        "temperature": str(heat.nozzle),
        "first_layer_bed_temperature": str(heat.first_bed),
        "bed_temperature": str(heat.bed),
        "min_fan_speed": str(heat.fan_least),
        "max_fan_speed": str(heat.fan_most),
        "layer_height": f"{layer:g}",
        "first_layer_height": f"{min(0.2, layer) if layer < 0.2 else 0.2:g}",
        "perimeters": "2" if quality >= 0.3 else "3",
        "fill_density": "15%",
        "fill_pattern": "gyroid",
        "top_solid_layers": "4" if quality >= 0.2 else "6",
        "bottom_solid_layers": "3" if quality >= 0.2 else "5",
        "seam_position": "aligned",
        "skirts": "2",
        "skirt_distance": "4",
        **supports,
        "support_material_buildplate_only": "0",
        "support_material_with_sheath": "0",
        **_models_own(settings.get("model") or {}),
    }


def copies(settings: Mapping[str, Any]) -> int:
    """How many of it on one plate, 1 to `MOST_COPIES`. Raises Unsuitable."""
    asked = settings.get("copies", 1)
    if not isinstance(asked, int) or isinstance(asked, bool) or not 1 <= asked <= MOST_COPIES:
        raise Unsuitable("copies")
    return asked


def _one_of(table: Mapping[str, T], asked: Any, code: str) -> T:
    try:
        return table[asked]
    except (KeyError, TypeError):
        raise Unsuitable(code) from None


def _models_own(own: Mapping[str, Any]) -> dict[str, str]:
    chosen = {key: str(value) for key, value in own.items() if key in MODEL_KEYS}
    if any(not _NUMBER.fullmatch(value) for value in chosen.values()):
        raise Unsuitable("model")
    return chosen
