"""What stands at a machine and what people say there: the twins of the page behind its code."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from equipment.certifications import adoption
from equipment.machines import said
from equipment.machines.queries import machine_for
from fablab.api import out
from fablab.api.bookings import booking_shape
from fablab.api.fields import Id, Strict, Text
from fablab.api.jobs import JobEndpoint
from fablab.api.machines import MachineEndpoint, Nothing
from fablab.api.paging import whole_list
from fablab.api.shapes import job_shapes, stamp
from fablab.api.views import Endpoint, body_of, created
from fablab.core.words import say
from jobs.lifecycle import services
from jobs.lifecycle.queries import Viewer, visible_jobs, with_all_that_pages_show
from jobs.planning.queries import next_for_machine
from jobs.planning.services import take_now


class TakeIn(Strict):
    machine = Id(help_text="A machine whose files people carry.")


class Take(JobEndpoint):
    """A person takes the job to a machine without a link: claimed and loaded at once."""

    @extend_schema(operation_id="job_take", request=TakeIn, responses=out.JobOut)
    def post(self, request: Request, job_id: str) -> Response:
        given = body_of(request, TakeIn)
        take_now(job_id, given["machine"], actor=self.person, at=self.at)
        return Response(self.shape(job_id))


class Next(Endpoint):
    """The jobs that the caller sees and that may be made on this machine, in the order of the queue."""

    in_pages = True

    @extend_schema(operation_id="machine_next", responses=out.page_of(out.NextOut))
    def get(self, request: Request, machine_id: str) -> Response:
        machine_for(self.person, machine_id)
        waiting = next_for_machine(machine_id, self.at)
        seen = visible_jobs(self.person).filter(pk__in=[one.job_id for one in waiting])
        shapes = {
            shape["id"]: shape
            for shape in job_shapes(with_all_that_pages_show(seen), Viewer(self.person, self.at))
        }
        return whole_list(
            [
                {
                    "job": shapes[one.job_id],
                    "waiting_for": [
                        {**reason.as_json(), "detail": say(reason.code, dict(reason.params))}
                        for reason in one.reasons
                    ],
                }
                for one in waiting
                if one.job_id in shapes
            ]
        )


class UseNow(Endpoint):
    """ "Je l'utilise maintenant": booked from now on for as long as it is free, and checked in."""

    @extend_schema(operation_id="machine_use_now", request=Nothing, responses={201: out.BookingOut})
    def post(self, request: Request, machine_id: str) -> Response:
        body_of(request, Nothing)
        booking = services.use_now(person=self.person, machine_id=machine_id, at=self.at)
        return created(booking_shape(booking), f"/api/v1/bookings/{booking.pk}/")


class ReportFault(Endpoint):
    """It does not work: anybody may say so, without an account, a few times an hour; staff of the site read it."""

    permission_classes = ()

    @extend_schema(operation_id="machine_report_fault", request=Nothing, responses={204: None})
    def post(self, request: Request, machine_id: str) -> Response:
        body_of(request, Nothing)
        person = self.person if request.user.is_authenticated else None
        said.tell_fault(machine_id, actor=person, at=self.at)
        return Response(status=204)


class HelpIn(Strict):
    why = Text(max_length=200, required=False, allow_blank=True)


class Say(MachineEndpoint):
    """One thing that a person says of a machine."""

    service: Callable[..., Any]
    body: type[Strict]

    def post(self, request: Request, machine_id: str) -> Response:
        given = body_of(request, self.body)
        machine_for(self.person, machine_id)
        type(self).service(machine_id, actor=self.person, at=self.at, **given)
        return Response(self.shape(machine_id))


def _say_view(name: str, service: Callable[..., Any], body: type[Strict] = Nothing) -> type[Say]:
    fields = {
        "service": staticmethod(service),
        "body": body,
        "__doc__": (service.__doc__ or "").split("\n")[0],
    }
    view = type(f"Say{name.title().replace('-', '')}", (Say,), fields)
    described = extend_schema(
        operation_id=f"machine_{name.replace('-', '_')}", request=body, responses=out.MachineOut
    )
    return extend_schema_view(post=described)(view)


SAYINGS = {
    "in-use": _say_view("in-use", said.take_in_use),
    "set-free": _say_view("set-free", said.set_free),
    "needs-help": _say_view("needs-help", said.ask_help, HelpIn),
    "helped": _say_view("helped", said.helped),
}


def _foreign_shape(one: Any) -> dict[str, Any]:
    return {
        "id": one.pk,
        "machine": {"id": one.machine_id, "name": one.machine.name},
        "began_at": stamp(one.began_at),
        "ended_at": stamp(one.ended_at),
        "outcome": one.outcome or None,
        "person": one.person_id,
    }


class AdoptPrint(Endpoint):
    """ "C'est moi": what runs there now, and did not come through the queue, is the caller's."""

    @extend_schema(operation_id="machine_adopt_print", request=Nothing, responses=out.ForeignPrintOut)
    def post(self, request: Request, machine_id: str) -> Response:
        body_of(request, Nothing)
        return Response(_foreign_shape(adoption.adopt(machine_id, actor=self.person, at=self.at)))


class DisownIn(Strict):
    print = Id()  # the word of the lab


class DisownPrint(Endpoint):
    """A "C'est moi" taken back: by the person, or by instructors and staff of the site."""

    @extend_schema(operation_id="machine_disown_print", request=DisownIn, responses=out.ForeignPrintOut)
    def post(self, request: Request, machine_id: str) -> Response:
        given = body_of(request, DisownIn)
        machine_for(self.person, machine_id)
        return Response(_foreign_shape(adoption.disown(given["print"], actor=self.person, at=self.at)))
