"""Every read of stored files, and what machine models say about them."""

import logging
from collections.abc import Iterable

from django.db.models import Q, QuerySet

from equipment.machines.models import MachineModel
from equipment.sites.models import SiteRole
from equipment.sites.queries import visible_sites
from equipment.sites.states import STAFF_ROLES, Role
from fablab.core.errors import NotFound
from fablab.people.models import User
from jobs.inspection import estimates
from jobs.inspection.codes import finding
from jobs.inspection.findings import Finding, Report
from jobs.inspection.judge import judge
from jobs.inspection.limits import Frame, ModelLimits
from jobs.uploads.models import Upload

logger = logging.getLogger(__name__)
HELPING_ROLES = STAFF_ROLES | {Role.INSTRUCTOR}


def own_uploads(viewer: User) -> QuerySet[Upload]:
    """Return what the viewer handed in, newest first."""
    return Upload.objects.filter(owner=viewer).order_by("-created_at", "pk")


def visible_uploads(viewer: User) -> QuerySet[Upload]:
    """Return one's own files, and the files of jobs at the sites where one is instructor, staff or manager.

    What was prepared from one's own file is one's own too. A job's machine file is reached through its job.
    """
    sites = SiteRole.objects.filter(person=viewer, role__in=HELPING_ROLES).values("site_id")
    helped = Upload.objects.filter(jobs__site_id__in=sites).values("pk")
    return Upload.objects.filter(Q(owner=viewer) | Q(pk__in=helped))


def upload_for(viewer: User, upload_id: str) -> Upload:
    """Return the upload. Raises ``NotFound`` when unknown or not visible."""
    upload = visible_uploads(viewer).filter(pk=upload_id).first()
    if upload is None:
        raise NotFound
    return upload


def report_of(upload: Upload) -> Report | None:
    """Return what the inspection said, or None while it goes on."""
    return Report.from_json(upload.report) if upload.report else None


def limits_of(model: MachineModel) -> ModelLimits | None:
    """Return the model's limits, or None when somebody entered them only in part."""
    told = {**model.limits, "formats": model.formats, "materials": model.materials}
    try:
        return ModelLimits.from_json(told)
    except (KeyError, TypeError, ValueError, IndexError):
        logger.warning("the limits of machine model %s are incomplete", model.pk)
        return None


def judged(report: Report, model: MachineModel) -> tuple[Finding, ...]:
    """Return what this machine model says about a file. Without complete limits it takes nothing."""
    if not report.format:
        return ()
    limits = limits_of(model)
    refused = finding("format_not_accepted", format=report.format, formats=list(model.formats))
    if limits is None:
        return (refused,)
    found = judge(report, limits)
    if report.format not in model.formats and report.format not in model.prepares:
        return (
            refused,
            *(one for one in found if one.code not in {"needs_preparation", "format_not_accepted"}),
        )
    return found


def models_around(person: User) -> list[MachineModel]:
    """Return the models of the machines at the person's sites that take files."""
    return list(
        MachineModel.objects.filter(
            machines__site__in=visible_sites(person),
            machines__retired_at__isnull=True,
            kind__takes_files=True,
        ).distinct()
    )


def blocks_everywhere(report: Report, models: Iterable[MachineModel]) -> tuple[Finding, ...]:
    """Return why none of ``models`` can take the file: the words of the one that comes closest. Empty: one can."""
    closest: tuple[Finding, ...] | None = None
    for model in models:
        blocking = tuple(one for one in judged(report, model) if one.severity == "blocks")
        if not blocking:
            return ()
        if closest is None or _distance(blocking) < _distance(closest):
            closest = blocking
    return closest or ()


def frames_of(models: Iterable[MachineModel]) -> list[Frame]:
    """Return every embroidery frame that these models have, each once."""
    limits = [found for model in models if (found := limits_of(model)) is not None]
    return list(dict.fromkeys(frame for one in limits for frame in one.frames))


def minutes_around(report: Report, models: Iterable[MachineModel]) -> float | None:
    """Return how long the file takes here: on the slowest of ``models`` that take it, where that is an estimate."""
    takers = [one for one in models if report.format in one.formats]
    limits = [found for one in takers if (found := limits_of(one)) is not None]
    told = [minutes for one in limits if (minutes := estimates.minutes_on(report, one)) is not None]
    return max(told, default=report.minutes)


def _distance(blocking: tuple[Finding, ...]) -> tuple[bool, int]:
    """Another kind of machine altogether is further away than any number of limits."""
    return any(one.code == "format_not_accepted" for one in blocking), len(blocking)
