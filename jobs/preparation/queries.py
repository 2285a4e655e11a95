"""What stands between a file and a machine model."""

from collections.abc import Mapping
from typing import Any

from equipment.machines.models import MachineModel
from jobs.inspection.findings import Finding
from jobs.inspection.textile import in_frame
from jobs.uploads.models import Upload
from jobs.uploads.queries import judged, limits_of, report_of


def findings_for(
    upload: Upload, machine_model: MachineModel, settings: Mapping[str, Any] | None = None
) -> list[Finding]:
    """Return the file's own findings and those of this model; empty while the file is being inspected.

    ``settings`` are the job's, where there is one: the frame that was chosen must be large enough. What blocks on
    every model around the person already stands in the file's report: it is said once.
    """
    report = report_of(upload)
    if report is None:
        return []
    found = list(report.findings)
    limits = limits_of(machine_model)
    chosen = in_frame(report, limits, str((settings or {}).get("frame", ""))) if limits else ()
    for one in (*judged(report, machine_model), *chosen):
        if one not in found:
            found.append(one)
    return found
