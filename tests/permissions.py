"""What the permission matrix is made of: parts, a world with one thing of each sort, and rows that use them."""

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from equipment.bookings.feeds import open_feed
from equipment.bookings.models import Booking, Series, WaitingEntry
from equipment.machines import photos
from equipment.machines.models import HelpRequest, Machine, Outage
from equipment.machines.states import Plate
from equipment.sites.models import Closure, PowerCut, Shift, ShiftChange, Site
from fablab.core.models import Witness
from fablab.notices.models import Notice
from fablab.people.models import AccessToken
from fablab.people.services import make_token
from jobs.lifecycle.models import Attempt, Job, Still
from jobs.lifecycle.states import State
from jobs.lifecycle.stills import file_for, path_of
from jobs.recovery.models import Interruption
from jobs.uploads import arriving
from jobs.uploads.models import Upload
from tests.builders import make_booking, make_closure, make_machine
from tests.builders_jobs import Cast, make_cast, make_job, make_upload

# Everything of the world is the owner's, at the first site. "elsewhere" holds every role, at another site.
PARTS = ("anonymous", "owner", "other_member", "instructor", "staff", "manager", "elsewhere")


@dataclass
class World:
    cast: Cast
    token: AccessToken
    upload: Upload
    job: Job
    booking: Booking
    spare: Machine  # out of order, without bookings
    machine_file: Upload  # an instructor's
    cut: PowerCut  # announced for next week
    outage: Outage  # of the machine, planned for next week, with a picture
    closure: Closure  # in two months
    notice: Notice  # the owner has not read it
    entry: WaitingEntry  # the owner waits for an hour on the machine
    call: HelpRequest  # the owner asks that somebody comes
    feed: str  # the end of the address of the owner's calendar feed
    arriving: str  # a file of the owner's, of which nothing has come yet
    series: Series  # the owner's, with one date in ten days
    shift: Shift  # the instructor's
    change: ShiftChange  # likewise

    def ids(self) -> dict[str, str]:
        """Return what stands for each place in an address."""
        return {
            "site_id": self.cast.site.pk,
            "cut_id": str(self.cut.pk),
            "outage_id": str(self.outage.pk),
            "closure_id": str(self.closure.pk),
            "notice_id": self.notice.pk,
            "request_id": self.call.pk,
            "address": self.feed,
            "machine_id": self.cast.machine.pk,
            "spare_id": self.spare.pk,
            "kind": self.cast.kind.slug,
            "kind_id": self.cast.kind.pk,
            "booking_id": self.booking.pk,
            "entry_id": self.entry.pk,
            "series_id": self.series.pk,
            "shift_id": self.shift.pk,
            "change_id": self.change.pk,
            "upload_id": self.upload.pk,
            "arriving_id": self.arriving,
            "job_id": self.job.pk,
            "attempt_id": self.job.parts.values_list("attempt_id", flat=True).first() or "none",
            "still_id": Still.objects.values_list("pk", flat=True).first() or "none",
            "token_id": self.token.pk,
            "person_id": self.cast.person("other_member").pk,
            "certificate_id": self.cast.person("owner").certificates.get().pk,
        }


def make_world(state: State, *, linked: bool) -> World:
    """Make a lab with a job of the owner's in ``state``, on a machine with a link or without."""
    at = timezone.now()
    cast = make_cast(at=at)
    if not linked:
        Machine.objects.filter(pk=cast.machine.pk).update(driver="handover", address="", plate=Plate.CLEAR)
        cast.machine.refresh_from_db()
    owner = cast.person("owner")
    # Something to settle, and a clock to confirm.
    Interruption.objects.create(site=cast.site, began_at=at, noticed_at=at)
    Witness.objects.create(at=at, doubted_since=at, why="stepped")
    token, _ = make_token(person=owner, at=at)
    upload = make_upload(owner, at=at, content=b"solid", has_picture=True)
    upload.picture_path.write_bytes(b"\x89PNG\r\n\x1a\n")
    prepared = make_upload(owner, at=at, format="gcode", origin="prepared", content=b"G28\n")
    job = make_job(cast, state=state, at=at, upload=upload, machine_file=prepared, machine=cast.machine)
    _under_a_camera(cast, at)
    open_feed(cast.person("staff"), at=at, machine_id=cast.machine.pk)
    return World(
        cast=cast,
        token=token,
        upload=upload,
        job=job,
        booking=make_booking(cast.machine, owner, start=at - timedelta(minutes=5)),
        spare=make_machine(cast.site, "Spare", model=cast.model, out_of_order_since=at),
        machine_file=make_upload(cast.person("instructor"), at=at, format="gcode", content=b"G28\n"),
        cut=PowerCut.objects.create(
            site=cast.site, start=at + timedelta(days=7), end=at + timedelta(days=7, hours=1)
        ),
        outage=_next_week(cast, at),
        closure=make_closure(cast.site, at.date() + timedelta(days=60)),
        notice=Notice.objects.create(
            person=owner, key="k", code="job_ready", params={"title": "Vase"}, at=at
        ),
        feed=open_feed(owner, at=at),
        entry=WaitingEntry.objects.create(
            site=cast.site,
            kind=cast.kind,
            machine=cast.machine,
            person=owner,
            minutes=60,
            from_time=at + timedelta(hours=1),
            to_time=at + timedelta(hours=2),
            created_at=at,
        ),
        call=HelpRequest.objects.create(site=cast.site, person=owner, at=at),
        arriving=arriving.begin(owner.pk, name="cube.stl", size=5).id,
        series=_in_ten_days(cast, at),
        shift=Shift.objects.create(
            site=cast.site,
            person=cast.person("instructor"),
            weekday=0,
            starts=540,
            ends=600,
            first_day=at.date(),
        ),
        change=ShiftChange.objects.create(
            site=cast.site, person=cast.person("instructor"), day=at.date() + timedelta(days=30)
        ),
    )


def _next_week(cast: Cast, at: datetime) -> Outage:
    """Have the machine be looked after for an hour in a week, with a picture of what is wrong with it."""
    start, name = at + timedelta(days=7), photos.new_name()
    photos.path_of(name).parent.mkdir(parents=True, exist_ok=True)
    photos.path_of(name).write_bytes(b"\xff\xd8\xff")
    return Outage.objects.create(
        machine=cast.machine, start=start, end=start + timedelta(hours=1), reason="Révision", photo=name
    )


def _in_ten_days(cast: Cast, at: datetime) -> Series:
    """Have the owner come in ten days, from 10:00 to 11:00 UTC."""
    start = (at + timedelta(days=10)).replace(hour=10, minute=0, second=0, microsecond=0)
    series = Series.objects.create(
        site=cast.site, person=cast.person("owner"), weekdays=[start.weekday()], starts=11 * 60, ends=12 * 60,
        first_day=start.date(), last_day=start.date(), created_at=at,
    )  # fmt: skip
    series.machines.add(cast.machine)
    make_booking(cast.machine, cast.person("owner"), start=start, series=series)
    return series


def _under_a_camera(cast: Cast, at: datetime) -> None:
    """Have the site allow cameras, and keep a picture of what the machine makes."""
    Site.objects.filter(pk=cast.site.pk).update(cameras_allowed=True)
    Machine.objects.filter(pk=cast.machine.pk).update(camera_address="http://10.0.0.9/still.jpg")
    for attempt in Attempt.objects.filter(machine=cast.machine, ended_at__isnull=True):
        still = Still.objects.create(attempt=attempt, asked_at=at - timedelta(minutes=1), taken_at=at)
        still.file = file_for(still.pk)
        still.save(update_fields=["file"])
        path_of(still.file).parent.mkdir(parents=True, exist_ok=True)
        path_of(still.file).write_bytes(b"\xff\xd8\xff")


@functools.cache
def questions() -> dict[str, str]:
    """Return the SQL that reads all rows of ours, table by table, less what only says that somebody asked."""
    return {
        model.__name__: str(model._base_manager.order_by("pk").values().query)
        for label in ("core", "people", "notices", "equipment", "jobs")
        for model in apps.get_app_config(label).get_models()
        if model.__name__ not in {"AccessToken", "IdempotentAnswer", "SignInAttempt"}
    }


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of ours, as the database has them: hundreds of questions ask this twice."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with connection.cursor() as cursor:
        for name, question in questions().items():
            cursor.execute(question)
            found[name] = cursor.fetchall()
    return found


Body = Callable[[World], Mapping[str, Any]]
# A page answers a form with 303, whether it did something or says why not: these tell the two apart.
DONE, REFUSED = "done", "refused"
Told = int | str


@dataclass(frozen=True)
class Row:
    """One verb at one address: the status that each part gets, in the order of ``PARTS``."""

    method: str
    name: str  # as in the URL configuration
    statuses: tuple[Told, ...]
    address: str = ""  # with {job_id} and so on; where it is not the pattern's own
    body: Body = field(default=lambda world: {})
    state: State = State.SUBMITTED
    linked: bool = True
    form: bool = False  # sent as a form, as pages do
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    case: str = ""  # tells apart rows of one verb and name

    @property
    def title(self) -> str:
        return " ".join(part for part in (self.method, self.name, self.case) if part)


def ask(row: Row, world: World, part: str, address: str) -> Told:
    """Return the status that this part gets. Programs bring a token, pages a session."""
    client = Client(raise_request_exception=False)
    headers = dict(row.headers)
    if part != "anonymous":
        person = world.cast.person(part)
        if address.startswith("/api/"):
            headers["Authorization"] = f"Bearer {make_token(person=person, at=timezone.now())[1]}"
        else:
            client.force_login(person)
    before = everything() if row.form else {}  # signing in has left its own trace by now
    body = dict(row.body(world))
    if row.method in {"GET", "HEAD"}:
        response = client.generic(row.method, address, headers=headers)
    elif row.form:
        response = client.post(address, body, headers=headers)
    else:
        response = client.generic(
            row.method, address, json.dumps(body), content_type=row.content_type, headers=headers
        )
    if response.streaming:
        response.getvalue()  # read to the end, the file is closed
    if row.form and response.status_code == 303:
        return DONE if everything() != before else REFUSED
    return int(response.status_code)


def a_file() -> SimpleUploadedFile:
    return SimpleUploadedFile("cube.stl", b"solid")
