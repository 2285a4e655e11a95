"""Work orders for machine files: made once for the same input, worked off by a worker, judged like an upload."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings as installation
from django.db import IntegrityError, transaction

from equipment.machines.models import MachineModel
from fablab.core.waking import ring
from jobs.inspection.codes import finding
from jobs.inspection.endings import usual_ending
from jobs.inspection.findings import Finding, Report, Severity
from jobs.preparation.makers import Maker, maker_for
from jobs.preparation.models import Preparation
from jobs.preparation.slicer import Slicer, find_slicer
from jobs.preparation.states import PreparationState
from jobs.uploads.leases import MOST_TRIES, kept, take_oldest
from jobs.uploads.models import Upload
from jobs.uploads.queries import limits_of
from jobs.uploads.services import discard, keep_prepared

BELL = "slicing"  # the worker's thread wakes at it

Then = Callable[..., None]


def slicer() -> Slicer | None:
    """Return the installation's slicer, if it has one; asked once a process."""
    return find_slicer(installation.SLICER)


def prepare(
    upload: Upload, machine_model: MachineModel, settings: Mapping[str, Any], *, at: datetime
) -> Preparation | None:
    """Return the work order that makes ``upload`` ready for the model; None when the model takes it as it is.

    The same file, profile, settings and tool are never computed twice. What no program here makes is
    ``needs_slicing`` at once: an instructor attaches the machine file.
    """
    if upload.format in machine_model.formats:
        return None
    maker = _maker(upload, machine_model)
    tool = maker.tool
    chosen = {key: settings[key] for key in maker.settings if key in settings}
    profile = machine_model.profile
    digest = hashlib.sha256(
        json.dumps([upload.sha256, profile, chosen, tool], sort_keys=True).encode()
    ).hexdigest()
    try:
        with transaction.atomic():
            preparation, made = Preparation.objects.get_or_create(
                source=upload,
                digest=digest,
                defaults={
                    "machine_model": machine_model,
                    "profile": profile,
                    "settings": chosen,
                    "tool": tool,
                    "state": PreparationState.RUNNING if maker.make else PreparationState.NEEDS_SLICING,
                    "findings": [maker.why.as_json()] if maker.why else [],
                    "created_at": at,
                },
            )
    except IntegrityError:  # somebody made it in between
        preparation, made = Preparation.objects.get(source=upload, digest=digest), False
    if made and maker.make:
        transaction.on_commit(lambda: ring(BELL))
    return preparation


def prepare_next(at: datetime, *, then: Then | None = None) -> Preparation | None:
    """Make the machine file that has waited longest; None when there is nothing to do.

    ``then(preparation_id, at=at)`` is called in the transaction of the result. A worker that dies in the middle
    loses its lease; after three tries the preparation has failed.
    """
    preparation = take_oldest(
        Preparation.objects.filter(state=PreparationState.RUNNING).select_related(
            "source__owner", "machine_model"
        ),
        at,
    )
    if preparation is None:
        return None
    tries = preparation.tries
    with tempfile.TemporaryDirectory(prefix="made-") as folder:
        out, picture = Path(folder) / "out", Path(folder) / "picture.png"
        if tries > MOST_TRIES:
            report, findings = _given_up("crashed")
        else:
            with kept(preparation, tries):
                report, findings = _make(preparation, out, picture)
        result = None
        if out.is_file() and not _blocked(findings):
            stem = preparation.source.name.rsplit(".", 1)[0]
            result = keep_prepared(
                out,
                name=f"{stem}.{usual_ending(report.format)}",
                owner=preparation.source.owner,
                report=report,
                picture=picture,
                at=at,
            )
    if not _settle(preparation, tries, result, findings, at, then) and result is not None:
        discard(result)
    preparation.refresh_from_db()
    return preparation


def _make(preparation: Preparation, out: Path, picture: Path) -> tuple[Report, tuple[Finding, ...]]:
    limits = limits_of(preparation.machine_model)
    if limits is None or preparation.machine_model.profile != preparation.profile:
        return _given_up("bad_profile")
    source = preparation.source
    maker = _maker(source, preparation.machine_model)
    if maker.make is None:  # the program is gone since the order was written
        return Report(""), (maker.why,) if maker.why else ()
    return maker.make(source.path, source.name, limits, preparation.settings, out, picture)


def _maker(upload: Upload, machine_model: MachineModel) -> Maker:
    return maker_for(upload.format, machine_model.formats, slicer())


def _given_up(why: str) -> tuple[Report, tuple[Finding, ...]]:
    found = (finding("slicing_failed", why=why),)
    return Report("", findings=found), found


def _blocked(findings: tuple[Finding, ...]) -> bool:
    return any(one.severity is Severity.BLOCKS for one in findings)


def _settle(
    preparation: Preparation,
    tries: int,
    result: Upload | None,
    findings: tuple[Finding, ...],
    at: datetime,
    then: Then | None,
) -> bool:
    """Write the result. False when this worker's lease ran out and another has taken the work."""
    if result is not None:
        state = PreparationState.READY
    elif _blocked(findings):
        state = PreparationState.FAILED
    else:  # nobody here can make it any more
        state = PreparationState.NEEDS_SLICING
    mine = Preparation.objects.filter(pk=preparation.pk, state=PreparationState.RUNNING, tries=tries)
    with transaction.atomic():
        written = mine.update(
            state=state, result=result, findings=[one.as_json() for one in findings], lease_until=None
        )
        if written and then is not None:
            then(preparation.pk, at=at)
    return bool(written)
