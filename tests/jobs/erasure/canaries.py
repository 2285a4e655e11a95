"""Canaries: words that exist nowhere but in what one person gave. After an erasure nobody finds one."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.test import Client

from equipment.bookings.models import Series
from equipment.bookings.states import BookingState
from equipment.machines.models import ForeignPrint, Machine, MachineEvent, Maintenance, Outage
from equipment.machines.photos import new_name
from equipment.machines.photos import path_of as photo_of
from equipment.sites.models import PowerCut
from fablab.core.models import IdempotentAnswer
from fablab.notices.models import Notice
from fablab.people.models import SignInAttempt, User
from fablab.people.services import make_token
from jobs.lifecycle.models import Attempt, Job, JobEvent, Still
from jobs.lifecycle.states import State
from jobs.lifecycle.stills import file_for, path_of
from jobs.preparation.models import Preparation
from jobs.uploads.models import Upload
from jobs.worklist.models import Handling
from tests.builders import make_booking
from tests.builders_jobs import Cast, make_job, make_upload

NAME, USERNAME = "Canarineau", "canari.nom"
TITLE, NOTE, FILE, CONTENT = "titre-canari", "note-canari", "fichier-canari.stl", "contenu-canari"
WORDS, FABRIC, FOREIGN = "paroles-canari", "tissu-canari", "ailleurs-canari.gcode"
CANARIES = (NAME, USERNAME, TITLE, NOTE, "fichier-canari", CONTENT, WORDS, FABRIC, FOREIGN)


def give_names(person: User) -> None:
    person.username, person.display_name, person.age_band = USERNAME, NAME, "18_25"
    person.save()


def marked_upload(owner: User, *, at: datetime, **fields: Any) -> Upload:
    upload = make_upload(owner, at=at, name=FILE, content=f"; {CONTENT}".encode(), has_picture=True, **fields)
    upload.picture_path.write_bytes(CONTENT.encode())
    report = (
        {**upload.report, "facts": {"layers": [CONTENT]}, "findings": [finding()]} if upload.report else None
    )
    Upload.objects.filter(pk=upload.pk).update(report=report)
    upload.report = report
    return upload


def finding() -> dict[str, Any]:
    return {"code": "needs_preparation", "severity": "info", "params": {"name": FILE}}


def marked_job(cast: Cast, state: State, *, at: datetime, **fields: Any) -> Job:
    """Make an object in any state whose every text is a canary."""
    owner = cast.person("owner")
    source = marked_upload(owner, at=at)
    machine_file = marked_upload(owner, at=at, format="gcode", origin="prepared")
    job = make_job(
        cast, state=state, at=at, upload=source, machine_file=machine_file, title=TITLE, note=NOTE, **fields
    )
    told = {**job.settings, "fabric": FABRIC}
    Job.objects.filter(pk=job.pk).update(settings=told, reason=WORDS)
    job.approvals.update(settings=told, report={**(machine_file.report or {}), "words": WORDS})
    for number, (action, details) in enumerate(
        [
            ("create", {"upload": FILE, "machine_model": "Prusa MK3"}),
            ("attach_file", {"file": FILE, "sha256": "0" * 64}),
            ("send_back", {"reason": WORDS, "words": WORDS}),
            ("fail", {"reason": "spaghetti", "machine": cast.machine.name}),
        ]
    ):
        JobEvent.objects.create(
            job=job, version=100 + number, action=action, from_state=state, to_state=state, actor=owner,
            source="person", at=at, details=details,
        )  # fmt: skip
    preparation = Preparation.objects.create(
        source=source, machine_model=cast.model, profile="p", settings={}, digest=job.pk, state="ready",
        result=machine_file, findings=[finding()], created_at=at,
    )  # fmt: skip
    Job.objects.filter(pk=job.pk).update(preparation=preparation)
    for attempt in Attempt.objects.filter(jobs=job):
        still = Still.objects.create(attempt=attempt, asked_by=owner, asked_at=at, taken_at=at)
        Still.objects.filter(pk=still.pk).update(file=file_for(still.pk))
        path_of(file_for(still.pk)).parent.mkdir(parents=True, exist_ok=True)
        path_of(file_for(still.pk)).write_bytes(CONTENT.encode())
    job.refresh_from_db()
    return job


def leave_traces(cast: Cast, *, at: datetime) -> None:
    """Have the owner speak of machines and times, sign in, get messages, and be looked at in the admin."""
    owner, machine = cast.person("owner"), cast.machine
    give_names(owner)
    make_token(person=owner, name=WORDS, at=at)
    Client().force_login(owner)
    SignInAttempt.objects.create(username=USERNAME, failures=1, tried_at=at)
    Notice.objects.create(person=owner, key="job:1", code="job_ready", params={"title": TITLE}, at=at)
    Handling.objects.create(
        site=cast.site, key="plate:1", person=owner, since=at, until=at + timedelta(hours=1)
    )
    MachineEvent.objects.create(
        machine=machine, action="out_of_order", actor=owner, source="person", at=at,
        details={"reason": f"{NAME} : buse brûlante", "material": "PLA", "path": FOREIGN},
    )  # fmt: skip
    ForeignPrint.objects.create(
        machine=machine, path=FOREIGN, began_at=at - timedelta(hours=2), ended_at=at, person=owner
    )
    Maintenance.objects.create(
        machine=machine, what="cleaning", note=f"vu avec {NAME}", used_seconds=7, by=owner, at=at
    )
    outage = Outage.objects.create(
        machine=machine,
        start=at,
        end=at,
        reason=f"{NAME} a coincé le fil",
        created_by=owner,
        photo=new_name(),
    )
    photo_of(outage.photo).parent.mkdir(parents=True, exist_ok=True)
    photo_of(outage.photo).write_bytes(CONTENT.encode())
    PowerCut.objects.create(
        site=cast.site, start=at, end=at + timedelta(hours=1), reason=WORDS, announced_by=owner
    )
    Machine.objects.filter(pk=machine.pk).update(
        needs_help_why=f"{NAME} a vu de la fumée", report_path=FOREIGN
    )
    make_booking(
        machine, owner, start=at + timedelta(days=1), overrides=[{"code": "too_soon", "reason": WORDS}]
    )
    make_booking(machine, owner, start=at - timedelta(days=1), state=BookingState.DONE, title=WORDS)
    for title, whose in ((WORDS, owner), ("", owner), (f"Avec {NAME}", cast.person("staff"))):
        Series.objects.create(
            site=cast.site, person=whose, title=title, starts=600, ends=660, first_day=at.date(),
            last_day=at.date(), created_at=at,
        )  # fmt: skip
    LogEntry.objects.create(
        user=cast.person("manager"), content_type=ContentType.objects.get_for_model(User),
        object_id=owner.pk, object_repr=NAME, action_flag=CHANGE, change_message="",
    )  # fmt: skip
    for job in Job.objects.filter(owner=owner):  # somebody else pressed something, and was answered
        IdempotentAnswer.objects.create(
            person=cast.person("staff"), key=f"k{job.pk}", request_digest="", status=200,
            answer={"body": {"id": job.pk, "title": TITLE}}, created_at=at,
        )  # fmt: skip


def dump() -> str:
    """Return every row of every table, ours and Django's, as text; sessions opened."""
    told: list[Any] = []
    for model in apps.get_models():
        told += [[model.__name__, row] for row in model._base_manager.order_by("pk").values()]
    told += [SessionBase().decode(one.session_data) for one in Session.objects.all()]
    # Not escaped: names have accents.
    return json.dumps(told, default=str, ensure_ascii=False)


def canaries_in(text: str, among: Iterable[str] = CANARIES) -> dict[str, int]:
    return {one: text.lower().count(one.lower()) for one in among if one.lower() in text.lower()}


def canaries_on_disk() -> list[str]:
    """Return the files of this installation that hold a canary, or are called by one."""
    found = []
    for path in Path(settings.MEDIA_ROOT).rglob("*"):
        text = path.name + (path.read_bytes().decode(errors="replace") if path.is_file() else "")
        if canaries_in(text):
            found.append(str(path))
    return found
