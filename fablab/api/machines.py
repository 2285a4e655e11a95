"""Machines: what they are, what they do now, what people on duty do to them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from asgiref.sync import async_to_sync
from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from equipment.bookings import hit
from equipment.bookings.finding import bookable_intervals
from equipment.machines import connection, fitted, services
from equipment.machines.queries import machine_for, visible_machines, visible_models
from equipment.machines.states import Condition, Driver
from equipment.machines.words import said_of_test
from equipment.sites.queries import require_role, roles_by_site
from equipment.sites.states import STAFF_ROLES
from fablab.api import out
from fablab.api.fields import Choice, Flag, Id, Moment, Number, SeenPlate, Strict, Text, WholeText
from fablab.api.paging import Cursors, whole_list
from fablab.api.people import kind_shape
from fablab.api.shapes import machine_shapes, stamp
from fablab.api.views import Endpoint, body_of, created, query_of
from fablab.core.errors import Malformed, Problem
from jobs.lifecycle.queries import HELPING_ROLES
from jobs.lifecycle.services import clear_plate

WEEK = timedelta(days=7)


class ModelQuery(Strict):
    site = Id(required=False)


class MachineModels(Endpoint):
    in_pages = True

    @extend_schema(
        operation_id="machine_model_list", parameters=[ModelQuery], responses=out.page_of(out.MachineModelOut)
    )
    def get(self, request: Request) -> Response:
        asked = query_of(request, ModelQuery, lists=True)
        pages = Cursors("name", "pk")
        models = pages.page_of(visible_models(self.person, site_id=asked.get("site")), request, self)
        return pages.answer(
            [
                {
                    "id": model.pk,
                    "name": model.name,
                    "kind": kind_shape(model.kind),
                    "working_area_mm": _area(model.limits),
                    "materials": model.materials,
                    "qualities": model.qualities,
                    "formats": model.formats,
                    "prepares": model.prepares,
                }
                for model in models
            ]
        )


def _area(limits: Mapping[str, Any]) -> list[float]:
    bed, height = limits.get("bed_mm"), limits.get("height_mm")
    return [*bed, height] if bed and height else []


class MachineQuery(Strict):
    site = Id(required=False)
    kind = Text(max_length=50, required=False, help_text="A kind's id or slug.")
    state = Choice(Condition, required=False)


ADDRESS_HELP = (
    "As the driver writes it: http://host:port (octoprint), tcp://host:port (rawtcp), an absolute path (folder), "
    "simulated://quick (simulated), nothing (handover)."
)


class MachineIn(Strict):
    site = Id()
    model = Id()
    name = Text(max_length=60)
    driver = Choice(Driver, required=False)
    address = Text(max_length=200, required=False, allow_blank=True, help_text=ADDRESS_HELP)
    key = Text(max_length=200, required=False, allow_blank=True, help_text="Never shown again.")


class MachineEndpoint(Endpoint):
    def shapes(self, machines: Any) -> list[Any]:
        """Return machines as the caller may see them: the staff's shape at the sites where they help."""
        staff = {site: bool(roles & HELPING_ROLES) for site, roles in roles_by_site(self.person).items()}
        return machine_shapes(machines, at=self.at, staff=staff)

    def shape(self, machine_id: str) -> Any:
        return self.shapes([machine_for(self.person, machine_id)])[0]


class Machines(MachineEndpoint):
    in_pages = True

    @extend_schema(
        operation_id="machine_list", parameters=[MachineQuery], responses=out.page_of(out.MachineOut)
    )
    def get(self, request: Request) -> Response:
        asked = query_of(request, MachineQuery, lists=True)
        machines = visible_machines(self.person, site_id=asked.get("site"), kind=asked.get("kind"))
        if "state" in asked:  # what people see is worked out, not stored
            seen = self.shapes(machines)
            machines = machines.filter(pk__in=[one["id"] for one in seen if one["state"] == asked["state"]])
        pages = Cursors("name", "pk")
        return pages.answer(self.shapes(pages.page_of(machines, request, self)))

    @extend_schema(operation_id="machine_add", request=MachineIn, responses={201: out.MachineOut})
    def post(self, request: Request) -> Response:
        given = body_of(request, MachineIn)
        machine = services.add_machine(
            site_id=given["site"],
            model_id=given["model"],
            name=given["name"],
            driver=given.get("driver", Driver.HANDOVER),
            address=given.get("address", ""),
            key=given.get("key", ""),
            actor=self.person,
            at=self.at,
        )
        return created(self.shape(machine.pk), f"/api/v1/machines/{machine.pk}/")


class MachineChange(Strict):
    model = Id(required=False)
    name = Text(max_length=60, required=False)
    driver = Choice(Driver, required=False)
    address = Text(max_length=200, required=False, allow_blank=True)
    key = Text(max_length=200, required=False, allow_blank=True, help_text="Never shown again.")
    material = Text(
        max_length=40, required=False, allow_blank=True, help_text="In it now; empty: nobody knows."
    )
    nozzle_mm = Number(required=False, allow_null=True, help_text="Null: the model's own.")
    frame = Text(max_length=40, required=False, allow_blank=True, help_text="In it now; empty: nobody knows.")
    auto_start = Flag(
        required=False, help_text="Starts by itself what lies ready on a plate confirmed clear."
    )
    may_overrun = Flag(required=False, help_text="May work past closing time or into a booking.")


# What a machine is, what is in it, and what it may do without a person: each has its own service and rights.
CONTENTS = ("material", "nozzle_mm", "frame")
FREEDOM = ("auto_start", "may_overrun")


class MachineDetail(MachineEndpoint):
    @extend_schema(operation_id="machine", responses=out.MachineOut)
    def get(self, request: Request, machine_id: str) -> Response:
        return Response(self.shape(machine_id))

    @extend_schema(operation_id="machine_change", request=MachineChange, responses=out.MachineOut)
    def patch(self, request: Request, machine_id: str) -> Response:
        given = body_of(request, MachineChange)
        contents: Any = {name: given.pop(name) for name in CONTENTS if name in given}
        freedom: Any = {name: given.pop(name) for name in FREEDOM if name in given}
        model = {"model_id": given.pop("model")} if "model" in given else {}
        machine_for(self.person, machine_id)
        with transaction.atomic():  # all of it or nothing
            if given or model or not (contents or freedom):
                services.change_machine(machine_id, **given, **model, actor=self.person, at=self.at)
            if contents:
                fitted.put_in(machine_id, contents, actor=self.person, at=self.at)
            if freedom:
                fitted.set_free(machine_id, freedom, actor=self.person, at=self.at)
        return Response(self.shape(machine_id))

    @extend_schema(operation_id="machine_retire", responses={204: None})
    def delete(self, request: Request, machine_id: str) -> Response:
        machine_for(self.person, machine_id)
        services.retire_machine(machine_id, actor=self.person, at=self.at)
        return Response(status=204)


class TestIn(Strict):
    """Nothing: the stored connection. An address: this one, and no stored key goes there."""

    driver = Choice(Driver, required=False)
    address = Text(max_length=200, required=False)
    key = Text(max_length=200, required=False, allow_blank=True)


class TestConnection(Endpoint):
    counts_once = False  # it changes nothing, and each look is a new one

    @extend_schema(operation_id="machine_test_connection", request=TestIn, responses=out.ConnectionTestOut)
    def post(self, request: Request, machine_id: str) -> Response:
        given = body_of(request, TestIn)
        machine = machine_for(self.person, machine_id)
        require_role(self.person, machine.site_id, STAFF_ROLES)
        if given:
            address = given.get("address", machine.address)
            driver = given.get("driver", machine.driver)
            problem = connection.address_problem(address, driver)
            if problem is not None:
                raise Malformed(problem)
            test = async_to_sync(connection.try_connection)(driver, address, given.get("key", ""))
        else:
            test = async_to_sync(connection.try_machine)(machine)
        return Response(
            {
                "ok": test.ok,
                "code": test.code,
                "detail": said_of_test(test.code, test.params),
                "version": test.version,
            }
        )


class Nothing(Strict):
    """An empty body."""


class ClearPlateIn(Strict):
    seen_plate = SeenPlate()


class ClearPlate(MachineEndpoint):
    """The plate is clear: said by this person, now."""

    @extend_schema(operation_id="machine_clear_plate", request=ClearPlateIn, responses=out.MachineOut)
    def post(self, request: Request, machine_id: str) -> Response:
        clear_plate(machine_id, actor=self.person, at=self.at, **body_of(request, ClearPlateIn))
        return Response(self.shape(machine_id))


class OutOfOrderIn(Strict):
    reason = Text(max_length=200)


class OutOfOrder(MachineEndpoint):
    @extend_schema(operation_id="machine_out_of_order", request=OutOfOrderIn, responses=out.MachineOut)
    def post(self, request: Request, machine_id: str) -> Response:
        reason = body_of(request, OutOfOrderIn)["reason"]
        machine_for(self.person, machine_id)
        hit.put_out_of_order(machine_id, actor=self.person, reason=reason, at=self.at)
        return Response(self.shape(machine_id))


class BackInService(MachineEndpoint):
    @extend_schema(operation_id="machine_back_in_service", request=Nothing, responses=out.MachineOut)
    def post(self, request: Request, machine_id: str) -> Response:
        body_of(request, Nothing)
        machine_for(self.person, machine_id)
        hit.back_in_service(machine_id, actor=self.person, at=self.at)
        return Response(self.shape(machine_id))


# Made by hand, because "from" is a word of Python's own.
FreeQuery: type[Strict] = type(
    "FreeQuery",
    (Strict,),
    {
        "from": Moment(required=False),
        "to": Moment(required=False),
        "minutes": WholeText(least=1, most=7 * 24 * 60, required=False),
    },
)


class Free(Endpoint):
    """Free intervals that this person could book: by default those of the coming week."""

    @extend_schema(operation_id="machine_free", parameters=[FreeQuery], responses=out.page_of(out.SpanOut))
    def get(self, request: Request, machine_id: str) -> Response:
        asked = query_of(request, FreeQuery)
        machine = machine_for(self.person, machine_id)
        from_ = asked.get("from", self.at)
        to = asked.get("to") or from_ + WEEK
        if to <= from_:
            raise Malformed(Problem("end_before_start", field="to"))
        spans = bookable_intervals(self.person, machine, from_, to, asked.get("minutes"), at=self.at)
        return whole_list([{"start": stamp(span.start), "end": stamp(span.end)} for span in spans])
