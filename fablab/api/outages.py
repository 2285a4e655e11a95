"""When a machine cannot be used, and on which days a place is closed: announced, ended early, with a picture."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from equipment.bookings import hit
from equipment.machines import photos
from equipment.machines.outages import outage_for, running, to_come, until_when
from equipment.machines.queries import machine_for
from equipment.machines.services import set_photo
from equipment.sites.queries import closure_for, closures_to_come, require_role, site_for
from equipment.sites.states import ON_DUTY_ROLES
from fablab.api import out
from fablab.api.fields import Day, Moment, Strict, Text
from fablab.api.files import send_file
from fablab.api.paging import whole_list
from fablab.api.photos import kept_photo
from fablab.api.shapes import stamp
from fablab.api.sites import NoQuery
from fablab.api.uploads import UploadIn, the_file
from fablab.api.views import Endpoint, body_of, created, query_of
from fablab.core.errors import Malformed, NotFound, Problem

PICTURE = {(200, "image/jpeg"): OpenApiTypes.BINARY}


# --- outages ------------------------------------------------------------------------------------------------------


class OutageOut(out.Out):
    id = s.CharField()
    machine = s.CharField()
    start = s.DateTimeField()
    end = out.maybe(s.DateTimeField, help_text="Null: until somebody says that the machine is back.")
    expected_end = out.maybe(s.DateTimeField, help_text="A guess. Null: none, or it was wrong.")
    reason = s.CharField(allow_blank=True)
    photo = out.maybe(s.CharField, help_text="The address of the picture.")


def outage_shape(outage: Any, at: Any) -> Mapping[str, Any]:
    return {
        "id": str(outage.pk),
        "machine": outage.machine_id,
        "start": stamp(outage.start),
        "end": stamp(outage.end),
        "expected_end": stamp(until_when(outage, at)) if outage.end is None else None,
        "reason": outage.reason,
        "photo": f"/api/v1/outages/{outage.pk}/photo/" if outage.photo else None,
    }


class OutageIn(Strict):
    reason = Text(max_length=200)
    start = Moment(required=False, help_text="Absent: now, until somebody brings the machine back.")
    end = Moment(required=False, help_text="Needed with a start.")
    expected_end = Moment(required=False, help_text="Of one that begins now: a guess.")


class Outages(Endpoint):
    """Outages of a machine that are not over. Whoever has booked it then is told, and keeps the booking."""

    @extend_schema(operation_id="machine_outage_list", responses=out.page_of(OutageOut))
    def get(self, request: Request, machine_id: str) -> Response:
        query_of(request, NoQuery, lists=True)
        machine = machine_for(self.person, machine_id)
        return whole_list([outage_shape(outage, self.at) for outage in to_come(machine, self.at)])

    @extend_schema(operation_id="machine_outage_announce", request=OutageIn, responses={201: OutageOut})
    def post(self, request: Request, machine_id: str) -> Response:
        given = body_of(request, OutageIn)
        machine_for(self.person, machine_id)
        if "start" in given or "end" in given:
            outage = self._planned(machine_id, given)
        else:
            hit.put_out_of_order(
                machine_id,
                actor=self.person,
                reason=given["reason"],
                expected_end=given.get("expected_end"),
                at=self.at,
            )
            outage = running([machine_id], self.at)[machine_id]
        return created(outage_shape(outage, self.at), f"/api/v1/outages/{outage.pk}/")

    def _planned(self, machine_id: str, given: Mapping[str, Any]) -> Any:
        problems = [Problem("field_required", field=name) for name in ("start", "end") if name not in given]
        if "expected_end" in given:
            problems.append(Problem("unknown_field", {"field": "expected_end"}, "expected_end"))
        if problems:
            raise Malformed(*problems)
        return hit.plan_outage(
            machine_id,
            start=given["start"],
            end=given["end"],
            reason=given["reason"],
            actor=self.person,
            at=self.at,
        )


class OutageDetail(Endpoint):
    @extend_schema(operation_id="outage", responses=OutageOut)
    def get(self, request: Request, outage_id: str) -> Response:
        query_of(request, NoQuery)
        return Response(outage_shape(outage_for(self.person, outage_id), self.at))


class EndOutageIn(Strict):
    end = Moment(required=False, help_text="Before its planned end. Absent: now.")


class EndOutage(Endpoint):
    """Back early: the time is free again. One that has not begun never will."""

    @extend_schema(operation_id="outage_end", request=EndOutageIn, responses=OutageOut)
    def post(self, request: Request, outage_id: str) -> Response:
        given = body_of(request, EndOutageIn)
        found = outage_for(self.person, outage_id)
        outage = hit.end_outage(found.pk, actor=self.person, end=given.get("end"), at=self.at)
        return Response(outage_shape(outage, self.at))


class ExpectBackIn(Strict):
    expected_end = Moment(allow_null=True, help_text="Null: nobody can tell.")


class ExpectBack(Endpoint):
    """A new guess when a machine is back of which nobody knows it. What comes after it can be booked."""

    @extend_schema(operation_id="outage_expect_back", request=ExpectBackIn, responses=OutageOut)
    def post(self, request: Request, outage_id: str) -> Response:
        guess = body_of(request, ExpectBackIn)["expected_end"]
        found = outage_for(self.person, outage_id)
        outage = hit.expect_back(found.pk, expected_end=guess, actor=self.person, at=self.at)
        return Response(outage_shape(outage, self.at))


class OutagePhoto(Endpoint):
    """For the people of the place until the outage is over, then for those on duty; gone after 30 days."""

    @extend_schema(operation_id="outage_photo", responses=PICTURE)
    def get(self, request: Request, outage_id: str) -> HttpResponseBase:
        path = photos.photo_for(self.person, outage_id, self.at)
        return send_file(request._request, path, name=f"{outage_id}.jpg", content_type="image/jpeg")


class SendOutagePhoto(Endpoint):
    """A JPEG, PNG or WebP of at most 12 MiB; it is drawn anew, and takes the place of the last one."""

    parser_classes = (MultiPartParser,)

    @extend_schema(
        operation_id="outage_photo_send",
        request={"multipart/form-data": UploadIn},
        responses={201: OutageOut},
    )
    def post(self, request: Request, outage_id: str) -> Response:
        outage = outage_for(self.person, outage_id)
        require_role(self.person, outage.machine.site_id, ON_DUTY_ROLES)
        with kept_photo(the_file(request), field="file") as name:
            before = set_photo(outage.pk, photo=name, actor=self.person, at=self.at)
        photos.remove([before])
        outage.photo = name
        return created(outage_shape(outage, self.at), f"/api/v1/outages/{outage.pk}/photo/")


# --- closed days --------------------------------------------------------------------------------------------------


class ClosedDaysOut(out.ClosureOut):
    id = s.CharField()


class ClosureIn(Strict):
    first_day = Day()
    last_day = Day(help_text="Included.")
    reason = Text(max_length=120, required=False, allow_blank=True)


def closure_shape(closure: Any) -> Mapping[str, Any]:
    return {
        "id": str(closure.pk),
        "first_day": closure.first_day,
        "last_day": closure.last_day,
        "reason": closure.reason,
    }


class Closures(Endpoint):
    """Days of the site's own calendar on which it is closed, and that are not over. Who has booked then is told."""

    @extend_schema(operation_id="site_closure_list", responses=out.page_of(ClosedDaysOut))
    def get(self, request: Request, site_id: str) -> Response:
        query_of(request, NoQuery, lists=True)
        site = site_for(self.person, site_id)
        return whole_list([closure_shape(closure) for closure in closures_to_come(site, self.at)])

    @extend_schema(operation_id="site_closure_announce", request=ClosureIn, responses={201: ClosedDaysOut})
    def post(self, request: Request, site_id: str) -> Response:
        given = body_of(request, ClosureIn)
        closure = hit.close_site(
            site_id=site_id,
            first_day=given["first_day"],
            last_day=given["last_day"],
            reason=given.get("reason", ""),
            actor=self.person,
            at=self.at,
        )
        return created(closure_shape(closure), f"/api/v1/sites/{site_id}/closures/{closure.pk}/")


class ClosureDetail(Endpoint):
    @extend_schema(operation_id="site_closure", responses=ClosedDaysOut)
    def get(self, request: Request, site_id: str, closure_id: str) -> Response:
        query_of(request, NoQuery)
        return Response(closure_shape(self._closure(site_id, closure_id)))

    @extend_schema(operation_id="site_closure_cancel", responses={204: None})
    def delete(self, request: Request, site_id: str, closure_id: str) -> Response:
        hit.open_again(self._closure(site_id, closure_id).pk, actor=self.person, at=self.at)
        return Response(status=204)

    def _closure(self, site_id: str, closure_id: str) -> Any:
        found = closure_for(self.person, closure_id)
        if found.site_id != site_id:
            raise NotFound
        return found
