"""From a drawing to the lines that a cutter follows: laid on the sheet, mirrored when asked, judged like an upload."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from jobs.inspection.codes import finding
from jobs.inspection.estimates import minutes_on
from jobs.inspection.findings import Finding, Report
from jobs.inspection.judge import judge
from jobs.inspection.layout import Layout
from jobs.inspection.limits import ModelLimits
from jobs.inspection.sandbox import inspect_file

from .profiles import Unsuitable, copies

TOOL = "lines 1"  # grows when the same drawing would come out otherwise


def lay_out_and_judge(
    source: Path,
    limits: ModelLimits,
    settings: Mapping[str, Any],
    out: Path,
    picture: Path | None = None,
    *,
    name: str = "",
) -> tuple[Report, tuple[Finding, ...]]:
    """From a drawing to a judged machine file in HPGL; `settings` are mirror (true, false) and copies.

    Returns the report of the machine file `out` and every finding about it. When there is none, `out` does not exist
    and the findings say why. Never raises for bad input; everything that touches the file runs in the sandbox.
    """
    try:
        number = copies(settings)
    except Unsuitable as no:
        return _failed(finding("settings_unsuitable", setting=no.code))
    mirror = settings.get("mirror") is True
    layout = Layout(limits.bed_mm, limits.origin_mm, mirror=mirror, copies=number)
    with tempfile.TemporaryDirectory(prefix="lay-") as folder:
        laid = Path(folder) / "laid.plt"
        drawing = inspect_file(source, name or source.name, bare=laid, layout=layout)
        about = (*drawing.findings, *judge(drawing, limits))
        if any(one.severity == "blocks" for one in about):
            return drawing, about
        if not laid.is_file():
            return _failed(finding("plate_too_small", copies=number))
        report = inspect_file(laid, laid.name, picture)
        report = replace(report, minutes=minutes_on(report, limits))
        findings = (*report.findings, *judge(report, limits), *((finding("mirrored"),) if mirror else ()))
        if not any(one.severity == "blocks" for one in findings):
            out.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(laid, out)
    return report, findings


def _failed(why: Finding) -> tuple[Report, tuple[Finding, ...]]:
    return Report("", findings=(why,)), (why,)
