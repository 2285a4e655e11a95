"""What stands between a file and a machine model."""

from equipment.machines.models import MachineModel
from jobs.inspection.findings import Finding
from jobs.uploads.models import Upload
from jobs.uploads.queries import judged, report_of


def findings_for(upload: Upload, machine_model: MachineModel) -> list[Finding]:
    """Return the file's own findings and those of this model; empty while the file is being inspected.

    What blocks on every model around the person already stands in the file's report: it is said once.
    """
    report = report_of(upload)
    if report is None:
        return []
    found = list(report.findings)
    for one in judged(report, machine_model):
        if one not in found:
            found.append(one)
    return found
