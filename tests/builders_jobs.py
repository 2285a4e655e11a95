"""Jobs for tests, in any state, with everything a job in that state really has."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from equipment.certifications.models import Certificate
from equipment.machines.models import Machine, MachineKind, MachineModel
from equipment.machines.states import Plate, Report
from equipment.sites.models import OpeningHours, Presence, Site, SiteRole
from equipment.sites.states import Role
from fablab.core.ids import new_id
from fablab.people.models import User
from jobs.lifecycle.models import Approval, Attempt, AttemptJob, Job
from jobs.lifecycle.states import ON_MACHINE, State
from jobs.uploads.models import Upload
from jobs.uploads.states import UploadState

PRUSA = {
    "bed_mm": [220, 220],
    "height_mm": 250,
    "nozzle_mm": 0.4,
    "nozzle_max_c": 260,
    "bed_max_c": 100,
    "materials": ["PLA", "PETG"],
    "formats": ["gcode"],
}
STARTED = {State.RUNNING, State.PAUSED, State.STOPPING, State.FINISHED, State.READY, State.COLLECTED}
NEVER_APPROVED = {State.DRAFT, State.NEEDS_CHANGES, State.SUBMITTED, State.REJECTED}


@dataclass
class Cast:
    """A lab with one person in each role, a machine, and a second lab elsewhere."""

    site: Site
    elsewhere: Site
    kind: MachineKind
    model: MachineModel
    machine: Machine
    people: dict[str, User] = field(default_factory=dict)

    def person(self, part: str) -> User:
        return self.people[part]


def make_cast(*, at: datetime) -> Cast:
    """Make the lab: open all day, staff and instructor marked present, members certified."""
    site = make_open_site("Saint-Ouen")
    elsewhere = make_open_site("Metz")
    kind = MachineKind.objects.create(slug=f"fdm-{new_id()}", names={"fr": "Imprimante 3D"}, icon="printer")
    model = MachineModel.objects.create(
        kind=kind,
        name="Prusa MK3",
        limits=PRUSA,
        formats=["gcode"],
        prepares=["stl"],
        materials=["PLA", "PETG"],
        qualities=["draft", "normal", "fine"],
    )
    cast = Cast(site, elsewhere, kind, model, make_linked_machine(site, model, at=at))
    roles = {
        "owner": [(site, Role.MEMBER)],
        "other_member": [(site, Role.MEMBER)],
        "instructor": [(site, Role.INSTRUCTOR)],
        "staff": [(site, Role.STAFF)],
        "manager": [(site, Role.MANAGER)],
        "elsewhere": [(elsewhere, Role.INSTRUCTOR), (elsewhere, Role.STAFF), (elsewhere, Role.MANAGER)],
    }
    for part, held in roles.items():
        person = User.objects.create(username=f"{part}.{new_id()}".replace("_", "-"), display_name=part)
        cast.people[part] = person
        for where, role in held:
            SiteRole.objects.create(person=person, site=where, role=role)
            if role != Role.MEMBER:
                Presence.objects.get_or_create(
                    person=person, site=where, defaults={"since": at, "until": at + timedelta(hours=8)}
                )
    for part in ("owner", "other_member"):
        certify(cast.person(part), cast, at=at)
    return cast


def make_open_site(name: str) -> Site:
    """Make a site that is open all day, every day."""
    site = Site.objects.create(name=name, slug=f"{name.lower()}-{new_id()}")
    for weekday in range(7):
        OpeningHours.objects.create(site=site, weekday=weekday, opens=0, closes=1440)
    return site


def make_linked_machine(site: Site, model: MachineModel, *, at: datetime, **fields: Any) -> Machine:
    """Make a machine with a link, heard just now, ready, its plate to be cleared."""
    values: dict[str, Any] = {
        "name": f"Rouge {new_id()[:8]}",
        "driver": "octoprint",
        "address": "http://127.0.0.1:5000",
        "report": Report.READY,
        "seen_at": at,
        "lease_number": 1,
    }
    return Machine.objects.create(site=site, model=model, **{**values, **fields})


def certify(person: User, cast: Cast, *, at: datetime, machine_files: bool = False) -> Certificate:
    return Certificate.objects.create(
        person=person,
        kind=cast.kind,
        site=cast.site,
        granted_at=at - timedelta(days=1),
        may_send_machine_files=machine_files,
    )


def make_upload(owner: User, *, at: datetime, format: str = "stl", **fields: Any) -> Upload:  # noqa: A002 - its name
    """Make an inspected upload without findings; the file itself is not written unless ``content`` is given."""
    content: bytes = fields.pop("content", b"")
    values: dict[str, Any] = {
        "name": f"porte-clef.{format}",
        "sha256": sha256(content or new_id().encode()).hexdigest(),
        "size": len(content) or 1234,
        "format": format,
        "state": UploadState.READY,
        "report": {"format": format, "size_mm": [20, 20, 20], "minutes": 30.0, "facts": {}, "findings": []},
    }
    upload = Upload.objects.create(owner=owner, created_at=at, **{**values, **fields})
    if content:
        upload.folder.mkdir(parents=True, exist_ok=True)
        upload.path.write_bytes(content)
    return upload


def make_job(
    cast: Cast, *, state: State = State.DRAFT, at: datetime, owner: str = "owner", **fields: Any
) -> Job:
    """Make a job as it would be in ``state``: approved, claimed, sent, started as that state implies."""
    person = cast.person(owner)
    machine: Machine = fields.pop("on", cast.machine)
    upload = fields.pop("upload", None) or make_upload(person, at=at)
    machine_file = fields.pop("machine_file", None) or make_upload(
        person, at=at, format="gcode", origin="prepared"
    )
    job = Job.objects.create(
        number=Job.objects.filter(site=cast.site).count() + 1,
        owner=person,
        site=cast.site,
        title=fields.pop("title", "Porte-clef"),
        upload=upload,
        machine_model=cast.model,
        machine_file=machine_file,
        settings={"material": "PLA", "quality": "normal", "copies": 1, "supports": "auto"},
        state=state,
        state_at=at,
        created_at=at - timedelta(hours=1),
        **fields,
    )
    if state not in NEVER_APPROVED:
        approve(job, cast.person("instructor"), at=at - timedelta(minutes=5))
    if state in ON_MACHINE | STARTED | {State.FAILED}:
        make_attempt(job, machine, state, at=at)
    return job


def approve(job: Job, instructor: User, *, at: datetime) -> Approval:
    assert job.machine_file is not None
    Job.objects.filter(pk=job.pk).update(submitted_at=at, queued_at=at)
    job.refresh_from_db()
    assert job.machine_file is not None
    return Approval.objects.create(
        job=job,
        by=instructor,
        at=at,
        model_sha256=job.upload.sha256,
        file_sha256=job.machine_file.sha256,
        machine_model=job.machine_model,
        profile=job.machine_model.profile,
        settings=job.settings,
        report=job.machine_file.report,
    )


def make_attempt(job: Job, machine: Machine, state: State, *, at: datetime) -> Attempt:
    """Put the job on the machine, as far as ``state`` says; a running one is not vouched for by the machine yet."""
    live = state in ON_MACHINE
    started = state in STARTED or state is State.FAILED
    assert job.machine_file is not None
    attempt = Attempt.objects.create(
        machine=machine,
        machine_file=job.machine_file,
        file_sha256=job.machine_file.sha256,
        lease_number=machine.lease_number,
        claimed_at=at - timedelta(minutes=4),
        loaded_at=None if state is State.SENDING else at - timedelta(minutes=3),
        start_sent_at=at - timedelta(minutes=2) if started else None,
        started_at=at - timedelta(minutes=2) if started else None,
        ended_at=None if live else at,
        outcome="" if live else str(state),
    )
    attempt.remote_path = (
        f"fl/{attempt.pk}-{attempt.file_sha256[:8]}.gcode" if state is not State.SENDING else ""
    )
    attempt.save(update_fields=["remote_path"])
    AttemptJob.objects.create(
        attempt=attempt, job=job, number=1, live=live, outcome="" if live else str(state)
    )
    Job.objects.filter(pk=job.pk).update(attempts_made=1)
    return attempt


def clear(machine: Machine, *, at: datetime) -> None:
    """Make the plate clear, as if a person had said so."""
    Machine.objects.filter(pk=machine.pk).update(plate=Plate.CLEAR, plate_token=new_id(), plate_cleared_at=at)
    machine.refresh_from_db()
