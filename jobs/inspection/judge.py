"""What a machine model says about a report. Pure: the same report and limits give the same findings."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .codes import finding
from .estimates import SEWN
from .findings import Finding, Report, Severity
from .limits import ModelLimits
from .textile import cuts, fits_sheet, sews

PREPARED_INTO: Mapping[str, tuple[str, ...]] = {
    # what the house can make of a file that the machine does not read itself
    "stl": ("gcode",),
    "3mf": ("gcode",),
    "obj": ("gcode",),
    "svg": ("hpgl",),
}
# What a person makes a machine file from: a drawing becomes stitches by judgement, not by a program.
BY_HAND: Mapping[str, tuple[str, ...]] = {
    "svg": ("dst", "pes"),
    "png": ("dst", "pes", "hpgl"),
    "jpeg": ("dst", "pes", "hpgl"),
}
SOLIDS = frozenset({"stl", "3mf", "obj"})
DRAWINGS = frozenset({"svg"})
# Formats whose commands reach the machine's settings and heaters: handing one in is a right of its own (SEC-1).
COMMANDING = frozenset({"gcode"})
SLACK_MM = 0.02  # files round to hundredths


def judge(report: Report, limits: ModelLimits) -> tuple[Finding, ...]:
    """The findings of this machine model about this report, besides the report's own.

    An empty answer means: this model takes the file as it is. Call it for every model that might make the object;
    a person is blocked only by what no model can take.
    """
    if not report.format:
        return ()  # its own findings say why nobody could read it
    found = [*_format(report, limits)]
    if report.format in SOLIDS and report.size_mm is not None:
        found += _solid_fits(report.size_mm, limits)
    if report.format == "gcode":
        found += _moves_stay_inside(report.facts, limits)
        found += _heat(report.facts, limits)
        found += _made_for_another(report, limits)
    if report.format in SEWN:
        found += sews(report, limits)
    if report.format == "hpgl":
        found += cuts(report, limits)
    if report.format in DRAWINGS and report.size_mm is not None and "hpgl" in limits.formats:
        found += fits_sheet(report.size_mm, limits)
    return tuple(found)


def accepted(report: Report, limits: ModelLimits) -> bool:
    """True when neither the report nor this machine model holds anything that blocks."""
    return not report.blocked and not any(one.severity is Severity.BLOCKS for one in judge(report, limits))


def prepared_into(format_name: str, formats: Sequence[str]) -> str:
    """The first of `formats` that a file of this format can become, by a program or by hand; "" for none."""
    ways = (*PREPARED_INTO.get(format_name, ()), *BY_HAND.get(format_name, ()))
    return next((one for one in ways if one in formats), "")


def _format(report: Report, limits: ModelLimits) -> Iterator[Finding]:
    if report.format in limits.formats:
        return
    into = prepared_into(report.format, limits.formats)
    by_hand = into not in PREPARED_INTO.get(report.format, ())
    if into and by_hand and not report.blocked:
        yield finding("to_digitise", into=into)
    elif not into:
        yield finding("format_not_accepted", format=report.format, formats=list(limits.formats))
    elif not report.blocked:
        yield finding("needs_preparation", format=report.format, into=into)


def _solid_fits(size: tuple[float, float, float], limits: ModelLimits) -> Iterator[Finding]:
    """A model is centred on the bed before it is sliced, and may be turned a quarter, so only its size counts."""
    width, depth, height = size
    bed_x, bed_y = limits.bed_mm
    straight = width <= bed_x + SLACK_MM and depth <= bed_y + SLACK_MM
    turned = width <= bed_y + SLACK_MM and depth <= bed_x + SLACK_MM
    if not straight and turned:
        yield finding("fits_turned")
    elif not straight:
        for axis, measure, most in (("x", width, bed_x), ("y", depth, bed_y)):
            if measure > most + SLACK_MM:
                yield finding("too_big", axis=axis, size_mm=round(measure, 1), most_mm=most)
    if height > limits.height_mm + SLACK_MM:
        yield finding("too_big", axis="z", size_mm=round(height, 1), most_mm=limits.height_mm)


def _moves_stay_inside(facts: Mapping[str, Any], limits: ModelLimits) -> Iterator[Finding]:
    extents = facts.get("moves_mm")
    if not extents:
        return
    low, high = extents
    lines = facts["moves_lines"]
    for axis, index in (("x", 0), ("y", 1)):
        least = limits.origin_mm[index] - limits.margin_mm
        most = limits.origin_mm[index] + limits.bed_mm[index] + limits.margin_mm
        at = high[index] if high[index] > most + SLACK_MM else low[index]
        if at > most + SLACK_MM or at < least - SLACK_MM:
            line = lines[1][index] if at > most else lines[0][index]
            yield finding("outside_bed", axis=axis, at_mm=at, least_mm=least, most_mm=most, line=line)
    if high[2] > limits.height_mm + SLACK_MM:
        yield finding(
            "outside_bed", axis="z", at_mm=high[2], least_mm=0.0, most_mm=limits.height_mm, line=lines[1][2]
        )
    if low[2] < -SLACK_MM:
        yield finding("below_bed", at_mm=low[2], line=lines[0][2])


def _heat(facts: Mapping[str, Any], limits: ModelLimits) -> Iterator[Finding]:
    for heater, most in (
        ("nozzle", limits.nozzle_max_c),
        ("bed", limits.bed_max_c),
        ("chamber", limits.chamber_max_c),
    ):
        celsius = facts.get(f"{heater}_c")
        if celsius is not None and celsius > most:
            yield finding(f"{heater}_too_hot", celsius=celsius, most=most)


def _made_for_another(report: Report, limits: ModelLimits) -> Iterator[Finding]:
    fastest = report.facts.get("fastest_mm_s")
    if isinstance(fastest, (int, float)) and fastest > limits.speed_max_mm_s:
        yield finding("too_fast", mm_s=fastest, most=limits.speed_max_mm_s)
    kind = report.material.kind if report.material else None
    if kind and limits.materials and kind.upper() not in {one.upper() for one in limits.materials}:
        yield finding("material_missing", kind=kind, materials=list(limits.materials))
    nozzle = report.facts.get("nozzle_mm")
    if isinstance(nozzle, (int, float)) and abs(nozzle - limits.nozzle_mm) > 0.01:
        yield finding("nozzle_differs", file_mm=nozzle, machine_mm=limits.nozzle_mm)
