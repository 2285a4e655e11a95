"""What can be watched, by whom, and what a first look shows: the shapes of the REST answers, less what is one
viewer's own (``actions``). Registered by ``apps.ready``.
"""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from equipment.machines.models import Machine
from equipment.sites.models import SiteRole
from equipment.sites.states import Role
from fablab.api.shapes import job_shape, job_shapes, machine_shape, machine_shapes
from fablab.live import topics
from fablab.live.topics import Shape
from fablab.notices.queries import unread_ids
from fablab.people.models import User
from jobs.lifecycle.models import Job
from jobs.lifecycle.queries import HELPING_ROLES, with_all_that_pages_show
from jobs.lifecycle.states import ENDED, State
from jobs.planning.queries import site_plan
from jobs.worklist.queries import digest_at


def register() -> None:
    """Make the topics of API.md watchable."""
    topics.register("job", _may_watch_job, _job)
    topics.register("machine", _may_watch_machine, _machine)
    # A board tells figures of every machine at once: every 3 s keeps 50 machines under 5 kB/s for each viewer.
    topics.register(
        "board",
        _may_watch_board,
        _board,
        figures_every=3.0,
        figures=("seen_at", "progress", "temperatures"),
        part=_board_machine,
    )
    topics.register("queue", _may_watch_queue, _queue)
    topics.register("me", lambda person, key: "public" if person.pk == key else None, _mine)


def _shape_at(person: User, site_id: str) -> Shape | None:
    """Helpers of the site get the staff's shape, its members the public one, others nothing."""
    roles = set(SiteRole.objects.filter(person=person, site_id=site_id).values_list("role", flat=True))
    if roles & HELPING_ROLES:
        return "staff"
    return "public" if Role.MEMBER in roles else None


def _may_watch_job(person: User, key: str) -> Shape | None:
    job = Job.objects.filter(pk=key).only("owner_id", "site_id").first()
    if job is None:
        return None
    if _shape_at(person, job.site_id) == "staff":
        return "staff"
    return "public" if job.owner_id == person.pk else None


def _may_watch_machine(person: User, key: str) -> Shape | None:
    site_id = (
        Machine.objects.filter(pk=key, retired_at__isnull=True).values_list("site_id", flat=True).first()
    )
    return _shape_at(person, site_id) if site_id else None


def _may_watch_board(person: User, key: str) -> Shape | None:
    return "staff" if _shape_at(person, key) == "staff" else None


def _may_watch_queue(person: User, key: str) -> Shape | None:
    return _shape_at(person, key)


def _job(key: str, shape: Shape) -> Mapping[str, Any]:
    job = with_all_that_pages_show(Job.objects.filter(pk=key)).first()
    if job is None:
        raise LookupError(key)
    return job_shape(job, None)


def _machine(key: str, shape: Shape) -> Mapping[str, Any]:
    machine = Machine.objects.select_related("model__kind", "site").filter(pk=key).first()
    if machine is None:
        raise LookupError(key)
    return machine_shape(machine, at=timezone.now(), staff=shape == "staff")


def _board(key: str, shape: Shape) -> Mapping[str, Any]:
    machines = Machine.objects.select_related("model__kind", "site").filter(
        site_id=key, retired_at__isnull=True
    )
    return {
        "machines": {
            machine["id"]: machine
            for machine in machine_shapes(machines, at=timezone.now(), staff=True, free_times=False)
        },
        "worklist": digest_at(key, timezone.now()),
    }


def _board_machine(key: str, shape: Shape, part: str) -> Mapping[str, Any]:
    """One machine of the board, or None in its place: a change of one does not read fifty."""
    machines = Machine.objects.select_related("model__kind", "site").filter(
        pk=part, site_id=key, retired_at__isnull=True
    )
    shapes = machine_shapes(machines, at=timezone.now(), staff=True, free_times=False)
    return {
        "machines": {part: shapes[0] if shapes else None},
        "worklist": digest_at(key, timezone.now()),
    }


def _queue(key: str, shape: Shape) -> Mapping[str, Any]:
    return {"jobs": queue_rows(key, staff=shape == "staff")}


QUEUE_PUBLIC = (
    "number",
    "state",
    "machine_model",
    "place",
    "expected_start",
    "planned_machine",
    "waiting_for",
)


def queue_rows(site_id: str, *, staff: bool) -> list[dict[str, Any]]:
    """Return the plan of a site in order. Members see numbers and times, no names and no titles (UX-15)."""
    places = site_plan(site_id, timezone.now())
    order = {job_id: number for number, job_id in enumerate(places)}
    jobs = with_all_that_pages_show(Job.objects.filter(site_id=site_id, state=State.QUEUED))
    rows = [row for row in job_shapes(jobs, None) if row["id"] in order]
    rows.sort(key=lambda row: order[row["id"]])
    return rows if staff else [{key: row[key] for key in QUEUE_PUBLIC} for row in rows]


def _mine(key: str, shape: Shape) -> Mapping[str, Any]:
    jobs = Job.objects.filter(owner_id=key).exclude(state__in=ENDED).order_by("-created_at")[:50]
    return {
        "jobs": {
            job.pk: {"number": job.number, "title": job.title, "state": job.state, "version": job.version}
            for job in jobs
        },
        "notices": [str(notice_id) for notice_id in unread_ids(key)],
    }
