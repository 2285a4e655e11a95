"""Jobs: made, changed, pressed on, followed."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q
from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from equipment.machines.guide import FABRIC_LENGTH, WORKPIECE_FROM
from fablab.api import out
from fablab.api.fields import Choice, Flag, FlagText, Id, SeenPlate, Strict, Text, Whole
from fablab.api.files import send_file
from fablab.api.paging import Cursors
from fablab.api.shapes import job_shape, job_shapes, order_shape, stamp
from fablab.api.uploads import FILE
from fablab.api.views import Endpoint, body_of, created, query_of
from fablab.core.errors import NotFound
from jobs.lifecycle import services
from jobs.lifecycle.moving import Spot
from jobs.lifecycle.queries import Viewer, events_of, job_for, visible_jobs, with_all_that_pages_show
from jobs.lifecycle.settings import SUPPORTS
from jobs.lifecycle.states import State
from jobs.lifecycle.table import Action

SETTINGS = (
    *("material", "quality", "copies", "supports"),
    *("workpiece", "workpiece_from", "fabric", "place", "frame", "stabiliser", "mirror"),
)
# What a person may press: claiming is dispatch's, shelving comes with a clear plate.
PRESSED = tuple(action for action in Action if action not in {Action.CLAIM, Action.SHELVE})
WITH_REASON = frozenset({Action.SEND_BACK, Action.REJECT, Action.STOPPED, Action.FAIL})


class SettingsIn(Strict):
    material = Text(max_length=40, required=False)
    quality = Text(max_length=20, required=False)
    copies = Whole(least=1, most=20, required=False)
    supports = Choice(SUPPORTS, required=False)
    # What the guide of a kind offers for work by hand.
    workpiece = Text(max_length=40, required=False)
    workpiece_from = Choice(WORKPIECE_FROM, required=False, help_text="The lab's, or brought along.")
    fabric = Text(max_length=FABRIC_LENGTH, required=False, allow_blank=True)
    place = Text(max_length=40, required=False)
    frame = Text(max_length=40, required=False)
    stabiliser = Text(max_length=40, required=False)
    mirror = Flag(required=False)
    title = Text(max_length=80, required=False, allow_blank=True)
    note = Text(max_length=500, required=False, allow_blank=True, help_text="For the instructor.")


class JobIn(SettingsIn):
    upload = Id()
    machine = Id(required=False, help_text="This machine, or a model at a site.")
    machine_model = Id(required=False)
    site = Id(required=False)
    booking = Id(required=False)


class JobChange(SettingsIn):
    upload = Id(required=False)
    machine = Id(required=False)
    machine_model = Id(required=False)
    booking = Id(required=False)


class JobQuery(Strict):
    state = serializers.ListField(child=Choice(State), required=False)
    machine = Id(required=False)
    site = Id(required=False)
    mine = FlagText(required=False)


def _taken_apart(given: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a body's fields into a service's: ids by their name, settings together."""
    told: dict[str, Any] = {
        f"{name}_id": given[name]
        for name in ("upload", "machine", "machine_model", "site", "booking")
        if name in given
    }
    told |= {name: given[name] for name in ("title", "note") if name in given}
    settings = {name: given[name] for name in SETTINGS if name in given}
    return told | ({"settings": settings} if settings else {})


class JobEndpoint(Endpoint):
    def shape(self, job_id: str) -> dict[str, Any]:
        return job_shape(job_for(self.person, job_id), Viewer(self.person, self.at))


class Jobs(JobEndpoint):
    in_pages = True

    @extend_schema(operation_id="job_list", parameters=[JobQuery], responses=out.page_of(out.JobOut))
    def get(self, request: Request) -> Response:
        asked = query_of(request, JobQuery, lists=True, several=("state",))
        jobs = visible_jobs(self.person)
        if "state" in asked:
            jobs = jobs.filter(state__in=asked["state"])
        if "site" in asked:
            jobs = jobs.filter(site_id=asked["site"])
        if "mine" in asked:
            jobs = jobs.filter(owner=self.person) if asked["mine"] else jobs.exclude(owner=self.person)
        if "machine" in asked:
            on_it = jobs.filter(parts__attempt__machine_id=asked["machine"]).values("pk")
            jobs = jobs.filter(Q(machine_id=asked["machine"]) | Q(pk__in=on_it))
        pages = Cursors("-created_at", "pk")
        rows = pages.page_of(with_all_that_pages_show(jobs), request, self)
        return pages.answer(job_shapes(rows, Viewer(self.person, self.at)))

    @extend_schema(operation_id="job_make", request=JobIn, responses={201: out.JobOut})
    def post(self, request: Request) -> Response:
        given = body_of(request, JobIn)
        job = services.create_job(owner=self.person, at=self.at, **_taken_apart(given))
        return created(self.shape(job.pk), f"/api/v1/jobs/{job.pk}/")


class JobDetail(JobEndpoint):
    @extend_schema(operation_id="job", responses=out.JobOut)
    def get(self, request: Request, job_id: str) -> Response:
        return Response(self.shape(job_id))

    @extend_schema(operation_id="job_change", request=JobChange, responses=out.JobOut)
    def patch(self, request: Request, job_id: str) -> Response:
        given = body_of(request, JobChange)
        services.change_job(job_id, actor=self.person, at=self.at, **_taken_apart(given))
        return Response(self.shape(job_id))


class JobEvents(Endpoint):
    """The history, first step first."""

    in_pages = True

    @extend_schema(operation_id="job_events", responses=out.page_of(out.EventOut))
    def get(self, request: Request, job_id: str) -> Response:
        pages = Cursors("version", "pk")
        rows = pages.page_of(events_of(job_for(self.person, job_id)), request, self)
        return pages.answer(
            [
                {
                    "version": row.version,
                    "action": row.action,
                    "from": row.from_state,
                    "to": row.to_state,
                    "actor": {"id": row.actor_id, "name": row.actor.display_name} if row.actor else None,
                    "source": row.source,
                    "at": stamp(row.at),
                    "details": row.details,
                }
                for row in rows
            ]
        )


class MachineFileIn(Strict):
    upload = Id()


class MachineFile(JobEndpoint):
    """What goes to the machine: the upload itself, what was prepared, or what an instructor attached."""

    @extend_schema(operation_id="job_machine_file", responses=FILE)
    def get(self, request: Request, job_id: str) -> HttpResponseBase:
        file = job_for(self.person, job_id).machine_file
        if file is None:
            raise NotFound
        return send_file(request._request, file.path, name=file.name, content_type="application/octet-stream")

    @extend_schema(operation_id="job_attach_machine_file", request=MachineFileIn, responses=out.JobOut)
    def post(self, request: Request, job_id: str) -> Response:
        upload = body_of(request, MachineFileIn)["upload"]
        services.attach_machine_file(job_id, upload_id=upload, actor=self.person, at=self.at)
        return Response(self.shape(job_id))


class JobMoveIn(Strict):
    place = Choice(Spot, required=False, help_text="In the queue of its machine model.")
    machine = Id(required=False, help_text="Another machine of the same model.")
    reason = Text(max_length=300, help_text="The owner reads it.")


class Move(JobEndpoint):
    """Staff move a waiting object: to the front, to the end, back among the others, or to another machine."""

    @extend_schema(operation_id="job_move", request=JobMoveIn, responses=out.JobOut)
    def post(self, request: Request, job_id: str) -> Response:
        given = body_of(request, JobMoveIn)
        services.move(
            job_id,
            actor=self.person,
            at=self.at,
            reason=given["reason"],
            place=given.get("place"),
            machine_id=given.get("machine"),
        )
        return Response(self.shape(job_id))


class PressIn(Strict):
    """Nothing beside the address."""


class ReasonIn(Strict):
    reason = Text(max_length=500)


class StartIn(Strict):
    plate_clear = Flag(required=False, help_text='"Plateau vide, lancer" in one tap.')
    machine = Id(required=False, help_text="Whose plate it is; 409 when the job lies on another one by now.")
    seen_plate = SeenPlate()


class ApproveIn(Strict):
    seen_sha256 = Text(max_length=64, required=False, help_text="Of the file that was looked at.")
    seen_version = Whole(least=1, most=2**31, required=False, help_text="Of the job that was looked at.")


def body_for(action: Action) -> type[Strict]:
    """Return what may be said with a press."""
    if action in WITH_REASON:
        return ReasonIn
    return {Action.START: StartIn, Action.APPROVE: ApproveIn}.get(action, PressIn)


class Press(JobEndpoint):
    """One action. An order to a linked machine is 202 with the job as it is; a person's act is 200."""

    action: Action

    def post(self, request: Request, job_id: str) -> Response:
        given = body_of(request, body_for(self.action))
        _, order = services.press(job_id, self.action, actor=self.person, at=self.at, **given)
        shape = self.shape(job_id)
        if order is None:
            return Response(shape)
        return Response({**shape, "order": order_shape(order)}, status=202)


def press_view(action: Action) -> type[Press]:
    """Return the endpoint of one action, described on its own in the schema."""
    view = type(f"Press{action.title().replace('_', '')}", (Press,), {"action": action})
    described = extend_schema(
        operation_id=f"job_{action}",
        request=body_for(action),
        responses={200: out.JobOut, 202: out.JobOrderedOut},
    )
    return extend_schema_view(post=described)(view)


PRESSES = {action.replace("_", "-"): press_view(action) for action in PRESSED}
