"""A job before it is on its way: made, changed, prepared."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet

from equipment.bookings.models import Booking
from equipment.bookings.states import LIVE
from equipment.machines.models import Machine, MachineModel
from equipment.sites.models import Site
from equipment.sites.queries import visible_sites
from fablab.core.errors import Conflict, Malformed, NotAllowed, Problem, Refused
from fablab.people.models import User
from jobs.lifecycle import live
from jobs.lifecycle.apply import apply
from jobs.lifecycle.models import Job, JobEvent
from jobs.lifecycle.queries import Viewer, job_for
from jobs.lifecycle.settings import Given, settings_for
from jobs.lifecycle.states import EDITABLE, Source, State
from jobs.lifecycle.table import Action, Who
from jobs.preparation.queries import findings_for
from jobs.preparation.services import prepare
from jobs.preparation.states import PreparationState
from jobs.uploads.models import Upload
from jobs.uploads.states import UploadState


def create_job(
    *,
    owner: User,
    upload_id: str,
    at: datetime,
    site_id: str | None = None,
    machine_id: str | None = None,
    machine_model_id: str | None = None,
    booking_id: str | None = None,
    title: str = "",
    settings: Given | None = None,
    note: str = "",
) -> Job:
    """Make a draft of one's own upload for a machine, or for any machine of a model at a site.

    ``settings`` (``lifecycle.settings``): what is left out has the model's first choice. Raises
    ``Malformed`` with every problem, ``Refused`` for a file that no machine here takes.
    """
    problems: list[Problem] = []
    upload = Upload.objects.filter(pk=upload_id, owner=owner).first()
    if upload is None:
        problems.append(Problem("unknown_upload", field="upload"))
    elif upload.state == UploadState.REFUSED:
        problems.append(Problem("upload_refused", field="upload"))
    site, model, machine = _place(owner, site_id, machine_id, machine_model_id, problems)
    booking = _booking(owner, booking_id, site, model, machine, problems)
    chosen = settings_for(model, settings or {}, problems)
    if problems or upload is None or site is None or model is None:
        raise Malformed(*problems)
    if booking is not None and machine is None:
        machine = booking.machine
    with transaction.atomic():
        # Locked, so that two jobs made at once do not get the same number.
        Site.objects.select_for_update().get(pk=site.pk)
        last = Job.objects.filter(site=site).aggregate(last=Max("number"))["last"] or 0
        job = Job.objects.create(
            number=last + 1,
            owner=owner,
            site=site,
            title=(title.strip() or _title_of(upload))[:80],
            note=note.strip()[:500],
            upload=upload,
            machine_model=model,
            machine=machine,
            booking=booking,
            settings=chosen,
            state=State.DRAFT,
            state_at=at,
            created_at=at,
        )
        _record(job, "create", owner, at, {"upload": upload.name, "machine_model": model.name})
    _start_preparation(job, at)
    live.job_changed(job)
    return job


def change_job(job_id: str, *, actor: User, at: datetime, **changes: Any) -> Job:
    """Change file, machine, model, settings, title or note of a job that no machine has taken yet.

    Keys: upload_id, machine_id, machine_model_id, settings, title, note, booking_id. What an approval was given for
    (model, machine, settings) voids it; the file of a queued job cannot be replaced (409 ``file_bound``), and nothing
    of a claimed one (409 ``already_claimed``).
    """
    job = job_for(actor, job_id)
    parts = Viewer(actor, at).parts(job, linked=True)
    if not parts & {Who.OWNER, Who.STAFF, Who.INSTRUCTOR}:
        raise NotAllowed(Problem("not_allowed", {"action": "change"}))
    problems: list[Problem] = []
    with transaction.atomic():
        job = (
            Job.objects.select_for_update(of=("self",))
            .select_related("owner", "site", "upload", "machine_model", "machine")
            .get(pk=job_id)
        )
        if State(job.state) not in EDITABLE:
            raise Conflict("already_claimed")
        if "upload_id" in changes:
            _change_file(job, changes["upload_id"], problems)
        if "machine_id" in changes or "machine_model_id" in changes:
            site, model, machine = _place(
                job.owner,
                job.site_id,
                changes.get("machine_id"),
                changes.get("machine_model_id"),
                problems,
            )
            if site is not None and site.pk != job.site_id:
                problems.append(Problem("unknown_machine", field="machine"))  # an object stays at its place
            elif model is not None:
                job.machine_model, job.machine = model, machine
        if "booking_id" in changes:
            job.booking = _booking(
                job.owner, changes["booking_id"], job.site, job.machine_model, job.machine, problems
            )
        if "settings" in changes or "machine_model_id" in changes or "machine_id" in changes:
            job.settings = settings_for(
                job.machine_model, changes.get("settings", {}), problems, kept=job.settings
            )
        if problems:
            raise Malformed(*problems)
        job.title = str(changes.get("title", job.title)).strip()[:80] or job.title
        job.note = str(changes.get("note", job.note)).strip()[:500]
        bound = {"upload_id", "machine_id", "machine_model_id", "settings"} & set(changes)
        if bound:
            job.preparation, job.machine_file = None, None
        job.version += 1
        job.save()
        _record(job, "change", actor, at, {"changed": sorted(changes)})
        if bound and job.state == State.QUEUED:
            apply(job.pk, Action.VOID, actor=None, source=Source.SYSTEM, at=at, reason="changed")
    if bound:
        _start_preparation(job, at)
    live.job_changed(job)
    return Job.objects.get(pk=job.pk)


def _change_file(job: Job, upload_id: str, problems: list[Problem]) -> None:
    if job.state == State.QUEUED:
        raise Conflict("file_bound")
    upload = Upload.objects.filter(pk=upload_id, owner=job.owner).first()
    if upload is None:
        problems.append(Problem("unknown_upload", field="upload"))
    elif upload.state == UploadState.REFUSED:
        problems.append(Problem("upload_refused", field="upload"))
    else:
        job.upload = upload


def attach_machine_file(job_id: str, *, upload_id: str, actor: User, at: datetime) -> Job:
    """Put an instructor's machine file to a job: when nobody here can slice, or a better one (voids an approval)."""
    job = job_for(actor, job_id)
    parts = Viewer(actor, at).parts(job, linked=True)
    if Who.INSTRUCTOR not in parts:
        raise NotAllowed(Problem("not_allowed", {"action": "attach_machine_file"}))
    upload = Upload.objects.filter(pk=upload_id, owner=actor).first()
    if upload is None:
        raise Malformed(Problem("unknown_upload", field="upload"))
    if upload.state == UploadState.INSPECTING:
        raise Conflict("preparation_not_ended")
    problems = [
        Problem(finding.code, dict(finding.params), "upload")
        for finding in findings_for(upload, job.machine_model, job.settings)
        if finding.severity == "blocks"
    ]
    if upload.state == UploadState.REFUSED and not problems:
        problems.append(Problem("upload_refused", field="upload"))
    if upload.format not in job.machine_model.formats:
        problems.append(
            Problem("not_a_machine_file", {"formats": ", ".join(job.machine_model.formats)}, "upload")
        )
    if problems:
        raise Refused(*problems)
    with transaction.atomic():
        job = Job.objects.select_for_update(of=("self",)).get(pk=job_id)
        if State(job.state) not in EDITABLE:
            raise Conflict("already_claimed")
        job.machine_file = upload
        job.version += 1
        job.save(update_fields=["machine_file", "version"])
        _record(job, "attach_file", actor, at, {"file": upload.name, "sha256": upload.sha256})
        if job.state == State.QUEUED:
            apply(job.pk, Action.VOID, actor=None, source=Source.SYSTEM, at=at, reason="changed")
    live.job_changed(job)
    return job_for(actor, job_id)


# --- what workers tell -------------------------------------------------------------------------------------------


def upload_inspected(upload_id: str, *, at: datetime) -> None:
    """A file has been judged: drafts that waited for it are prepared, their pages change."""
    for job in Job.objects.filter(upload_id=upload_id, state__in=EDITABLE):
        _start_preparation(job, at)
        live.job_changed(job)


def preparation_ended(preparation_id: str, *, at: datetime) -> None:
    """A preparation has ended: its jobs get their machine file, their pages change."""
    jobs = Job.objects.filter(preparation_id=preparation_id, state__in=EDITABLE)
    for job in jobs.select_related("preparation"):
        _take_result(job)
        live.job_changed(job)


def _start_preparation(job: Job, at: datetime) -> None:
    """Have made what the job's machine model takes, or find that the file is that already."""
    job = Job.objects.select_related("upload", "machine_model", "preparation").get(pk=job.pk)
    if job.upload.state != UploadState.READY or job.preparation is not None or job.machine_file_id:
        return
    found = findings_for(job.upload, job.machine_model, job.settings)
    if any(finding.severity == "blocks" for finding in found):
        return  # the owner reads why; there is nothing to make ready
    if job.upload.format in job.machine_model.formats:
        _as_it_was(job).update(machine_file=job.upload)
        return
    job.preparation = prepare(job.upload, job.machine_model, job.settings, at=at)
    if _as_it_was(job).update(preparation=job.preparation):
        _take_result(job)


def _as_it_was(job: Job) -> QuerySet[Job]:
    """The job, if nobody changed it since it was read: else what was made is of another file, model or setting."""
    return Job.objects.filter(
        pk=job.pk,
        upload=job.upload_id,
        machine_model=job.machine_model_id,
        settings=job.settings,
        preparation__isnull=True,
        machine_file__isnull=True,
    )


def _take_result(job: Job) -> None:
    preparation = job.preparation
    if preparation is not None and preparation.state == PreparationState.READY:
        Job.objects.filter(pk=job.pk, preparation=preparation, machine_file__isnull=True).update(
            machine_file=preparation.result_id
        )


# --- reading what was given --------------------------------------------------------------------------------------


def _place(
    owner: User,
    site_id: str | None,
    machine_id: str | None,
    machine_model_id: str | None,
    problems: list[Problem],
) -> tuple[Site | None, MachineModel | None, Machine | None]:
    sites = visible_sites(owner)
    if machine_id:
        machine = (
            Machine.objects.select_related("model", "site")
            .filter(pk=machine_id, site__in=sites, retired_at__isnull=True)
            .first()
        )
        if machine is None:
            problems.append(Problem("unknown_machine", field="machine"))
            return None, None, None
        if not machine.model.kind.takes_files:
            problems.append(Problem("machine_takes_no_files", {"machine": machine.name}, "machine"))
        return machine.site, machine.model, machine
    site = sites.filter(pk=site_id).first() if site_id else None
    if site is None:
        problems.append(Problem("unknown_site", field="site"))
        return None, None, None
    model = (
        MachineModel.objects.filter(
            pk=machine_model_id, machines__site=site, machines__retired_at__isnull=True
        ).first()
        if machine_model_id
        else None
    )
    if model is None:
        problems.append(Problem("unknown_machine_model", field="machine_model"))
    return site, model, None


def _booking(
    owner: User,
    booking_id: str | None,
    site: Site | None,
    model: MachineModel | None,
    machine: Machine | None,
    problems: list[Problem],
) -> Booking | None:
    """Return one's own booking that is alive, of a machine that the job may go to."""
    if not booking_id or site is None or model is None:
        return None
    booking = (
        Booking.objects.select_related("machine").filter(pk=booking_id, person=owner, state__in=LIVE).first()
    )
    if (
        booking is None
        or (booking.machine.site_id, booking.machine.model_id) != (site.pk, model.pk)
        or (machine is not None and booking.machine_id != machine.pk)
    ):
        problems.append(Problem("unknown_booking", field="booking"))
        return None
    return booking


def _title_of(upload: Upload) -> str:
    return upload.name.rsplit(".", 1)[0].replace("_", " ").strip() or "objet"


def _record(job: Job, action: str, actor: User, at: datetime, details: Given) -> None:
    """Write a line of history that moves nothing."""
    JobEvent.objects.create(
        job=job,
        version=job.version,
        action=action,
        from_state=job.state,
        to_state=job.state,
        actor=actor,
        source=Source.PERSON,
        at=at,
        details=dict(details),
    )
