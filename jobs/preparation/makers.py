"""Who makes what of which file: a literal table from a format and what a machine takes to the way there."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from jobs.inspection.codes import finding
from jobs.inspection.findings import Finding, Report
from jobs.inspection.judge import BY_HAND, prepared_into
from jobs.inspection.limits import ModelLimits

from . import cutter, slicer

Made = tuple[Report, tuple[Finding, ...]]
# source, its name, limits, settings, where to write the machine file and its picture
Make = Callable[[Path, str, ModelLimits, Mapping[str, Any], Path, Path], Made]


class Maker(NamedTuple):
    """`into` is the format it makes, `tool` its name and version, `settings` the keys it heeds: others change nothing.

    `make` is None when nobody here can: a person makes the file, `why` tells which.
    """

    into: str
    tool: str
    settings: tuple[str, ...]
    make: Make | None
    why: Finding | None = None


def maker_for(format_name: str, formats: list[str], found: slicer.Slicer | None) -> Maker:
    """The way from a file of this format to the first of `formats` that it can become; `found` slices."""
    into = prepared_into(format_name, formats)
    if into == "gcode":
        keys = ("material", "quality", "copies", "supports")
        if found is None:
            return Maker(into, "", keys, None, finding("slicer_missing"))
        program = str(found.program)

        def slice_it(
            source: Path,
            name: str,
            limits: ModelLimits,
            settings: Mapping[str, Any],
            out: Path,
            picture: Path,
        ) -> Made:
            return slicer.slice_and_judge(source, limits, settings, out, picture, name=name, program=program)

        return Maker(into, f"PrusaSlicer {found.version}", keys, slice_it)
    if into == "hpgl":
        return Maker(into, cutter.TOOL, ("mirror", "copies"), _lay_out)
    return Maker(into, "", (), None, finding("to_digitise" if format_name in BY_HAND else "slicer_missing"))


def _lay_out(
    source: Path, name: str, limits: ModelLimits, settings: Mapping[str, Any], out: Path, picture: Path
) -> Made:
    return cutter.lay_out_and_judge(source, limits, settings, out, picture, name=name)
