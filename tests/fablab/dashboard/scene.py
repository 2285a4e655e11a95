"""A busy afternoon: machines in every state, objects that wait for a decision, a queue, and something that failed."""

from datetime import datetime, timedelta
from io import BytesIO

from equipment.machines import figures
from equipment.machines.figures import Figures
from equipment.machines.models import Machine
from equipment.machines.states import Plate, Report
from fablab.core.ids import new_id
from fablab.people.models import User
from jobs.lifecycle.models import Attempt, Job, Order
from jobs.lifecycle.on_machines import live_attempts
from jobs.lifecycle.states import State, Verb
from jobs.uploads.models import Upload
from jobs.uploads.services import inspect_next, receive
from tests.builders import make_kind, make_machine
from tests.builders_jobs import Cast, make_job, make_linked_machine
from tests.samples import shapes

TITLES = ("Porte-clef", "Vase en spirale", "Boîte à piles", "Support de téléphone", "Dragon articulé")


def busy_afternoon(cast: Cast, at: datetime) -> dict[str, Machine]:
    """Put the lab to work; return its machines by what they are doing."""
    cast.kind.names = {"fr": "Imprimante 3D", "en": "3D printer", "ar": "طابعة ثلاثية الأبعاد"}
    cast.kind.save()
    for part, name in (
        ("owner", "Zoé"),
        ("other_member", "Sami"),
        ("instructor", "Inès"),
        ("staff", "Karim"),
    ):
        User.objects.filter(pk=cast.person(part).pk).update(display_name=name, age_band="15_17")

    def machine(name: str, **fields: object) -> Machine:
        return make_linked_machine(cast.site, cast.model, at=at, name=name, **fields)

    found = {
        "running": machine("Ada", report=Report.PRINTING),
        "loaded": machine("Blaise"),
        "paused": machine("Denis", report=Report.PAUSED),
        "unreachable": machine(
            "Eve", report=Report.SILENT, report_error="timed_out", seen_at=at - timedelta(minutes=4)
        ),
        "out_of_order": machine("Fanny", out_of_order_since=at, out_of_order_reason="La buse est bouchée."),
        "foreign": machine("Gaston", report=Report.PRINTING, report_foreign=True, report_path="autre.gcode"),
        "free": machine("Hugo", plate=Plate.CLEAR, plate_token=new_id()),
        "to_clear": make_machine(
            cast.site,
            "Colette",
            kind=make_kind(f"brodeuse-{new_id()}", icon="hoop", names={"fr": "Brodeuse", "ar": "آلة تطريز"}),
        ),
    }
    Machine.objects.filter(pk=cast.machine.pk).update(retired_at=at)
    running = work(cast, found["running"], State.RUNNING, "Vase en spirale", at)
    Job.objects.filter(pk=running.pk).update(percent=42.4, seconds_left=1500, progress_at=at)
    figures.note(
        found["running"].pk,
        Figures(
            at,
            42.4,
            1500,
            {"tool0": {"actual": 209.6, "target": 210.0}, "bed": {"actual": 60.1, "target": 60.0}},
        ),
    )
    work(cast, found["loaded"], State.LOADED, "Boîte à piles", at)
    paused = work(cast, found["paused"], State.PAUSED, "Dragon articulé", at)
    attempt = live_attempts([found["paused"].pk])[found["paused"].pk]
    Order.objects.create(
        attempt=attempt, verb=Verb.RESUME, lease_number=1, created_at=at, expires_at=at + timedelta(minutes=1)
    )
    Job.objects.filter(pk=paused.pk).update(percent=71.0)
    waiting(cast, "Support de téléphone", at, code="plate_to_clear", machine="Blaise")
    waiting(cast, "Crochet", at, code="machine_working", machine="Ada")
    failed = make_job(cast, state=State.FAILED, at=at, on=found["free"], title="Toupie")
    Job.objects.filter(pk=failed.pk).update(reason="not_sticking")
    return found


def work(cast: Cast, machine: Machine, state: State, title: str, at: datetime) -> Job:
    """Have a machine vouch for a job that is on it."""
    job = make_job(cast, state=state, at=at, on=machine, title=title)
    attempt = Attempt.objects.get(machine=machine, ended_at__isnull=True)
    Machine.objects.filter(pk=machine.pk).update(report_path=attempt.remote_path)
    return job


def waiting(cast: Cast, title: str, at: datetime, *, code: str, machine: str) -> Job:
    job = make_job(cast, state=State.QUEUED, at=at, title=title)
    reasons = [{"code": code, "params": {"machine": machine}}]
    Job.objects.filter(pk=job.pk).update(waiting_for=reasons)
    return job


def to_decide(
    cast: Cast, at: datetime, *, sliced: bool = True, title: str = "Porte-clef", minutes: int = 12
) -> Job:
    """Make an object whose file was really looked at, with its picture, that waits for an instructor."""
    person = cast.person("owner")
    received = receive(
        BytesIO(shapes.binary_stl(shapes.spinning_top())), name="toupie.stl", owner=person, at=at
    )
    looked = inspect_next(at)
    assert looked is not None and looked.pk == received.pk
    job = make_job(
        cast,
        state=State.SUBMITTED,
        at=at,
        title=title,
        upload=Upload.objects.get(pk=received.pk),
        note="En bleu !",
    )
    Job.objects.filter(pk=job.pk).update(submitted_at=at - timedelta(minutes=minutes))
    if not sliced:
        Job.objects.filter(pk=job.pk).update(machine_file=None)
    job.refresh_from_db()
    return job
