"""How a machine is kept well: its hours of work and its maintenance log."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from equipment.machines import maintenance as care
from equipment.machines.queries import machine_for
from equipment.sites.queries import require_role
from equipment.sites.states import ON_DUTY_ROLES
from fablab.api import out
from fablab.api.fields import Choice, Strict, Text, Whole
from fablab.api.shapes import stamp
from fablab.api.views import Endpoint, body_of


class LineIn(Strict):
    what = Choice(care.What)
    note = Text(max_length=care.NOTE_LENGTH, required=False, allow_blank=True)


class IntervalIn(Strict):
    every_hours = Whole(least=1, most=care.MOST_HOURS, allow_null=True, help_text="Null: it never asks.")


class MachineMaintenance(Endpoint):
    """Read by those on duty at the machine's site; written by its staff."""

    @extend_schema(operation_id="machine_maintenance", responses=out.MaintenanceOut)
    def get(self, request: Request, machine_id: str) -> Response:
        machine = machine_for(self.person, machine_id)
        require_role(self.person, machine.site_id, ON_DUTY_ROLES)
        return Response(self.shape(machine_id))

    @extend_schema(
        operation_id="machine_maintenance_note", request=LineIn, responses={201: out.MaintenanceOut}
    )
    def post(self, request: Request, machine_id: str) -> Response:
        given = body_of(request, LineIn)
        machine_for(self.person, machine_id)
        care.note_maintenance(machine_id, **given, actor=self.person, at=self.at)
        return Response(self.shape(machine_id), status=201)

    @extend_schema(
        operation_id="machine_maintenance_interval", request=IntervalIn, responses=out.MaintenanceOut
    )
    def patch(self, request: Request, machine_id: str) -> Response:
        every = body_of(request, IntervalIn)["every_hours"]
        machine_for(self.person, machine_id)
        care.set_interval(machine_id, every_hours=every, actor=self.person, at=self.at)
        return Response(self.shape(machine_id))

    def shape(self, machine_id: str) -> dict[str, Any]:
        machine = machine_for(self.person, machine_id)
        use = care.use_of([machine_id], self.at)[machine_id]
        return {
            "used_hours": _hours(use.used.total_seconds()),
            "since_hours": _hours(use.since_maintenance.total_seconds()),
            "every_hours": use.every_hours,
            "due": use.is_due,
            "lines": [
                {
                    "what": line.what,
                    "note": line.note,
                    "by": {"id": line.by.pk, "name": line.by.display_name} if line.by else None,
                    "at": stamp(line.at),
                    "used_hours": _hours(line.used_seconds),
                }
                for line in care.log_of(machine)
            ],
        }


def _hours(seconds: float) -> float:
    return round(seconds / 3600, 2)
