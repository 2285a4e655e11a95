"""A person's right to a machine for a time."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from equipment.bookings import services, use
from equipment.bookings.queries import booking_for, visible_bookings
from equipment.machines.queries import machine_for, visible_machines
from equipment.sites.queries import people_at
from fablab.api import out
from fablab.api.fields import Id, Moment, Strict, Text
from fablab.api.machines import Nothing
from fablab.api.paging import Cursors
from fablab.api.shapes import stamp
from fablab.api.views import Endpoint, body_of, created, query_of
from fablab.core.errors import Malformed, NotFound, Problem, collecting


def booking_shape(booking: Any) -> Mapping[str, Any]:
    return {
        "id": booking.pk,
        "code": booking.code,
        "machine": {"id": booking.machine_id, "name": booking.machine.name},
        "site": booking.machine.site_id,
        "person": {"id": booking.person_id, "name": booking.person.display_name},
        "start": stamp(booking.start),
        "end": stamp(booking.end),
        "state": booking.shown_state,
        "title": booking.title,
        "series": booking.series_id,
    }


class OverrideIn(Strict):
    code = Text(max_length=40)
    reason = Text(max_length=200)


class BookingIn(Strict):
    machine = Id()
    start = Moment()
    end = Moment()
    person = Id(required=False, help_text="For somebody else of the site: instructors and staff.")
    overrides = OverrideIn(many=True, required=False, help_text="Rules that the caller answers for.")


BookingQuery: type[Strict] = type(
    "BookingQuery",
    (Strict,),
    {
        "machine": Id(required=False),
        "from": Moment(required=False),
        "to": Moment(required=False),
    },
)


class Bookings(Endpoint):
    in_pages = True

    @extend_schema(
        operation_id="booking_list", parameters=[BookingQuery], responses=out.page_of(out.BookingOut)
    )
    def get(self, request: Request) -> Response:
        asked = query_of(request, BookingQuery, lists=True)
        bookings = visible_bookings(self.person)
        if "machine" in asked:
            bookings = bookings.filter(machine_id=asked["machine"])
        if "from" in asked:
            bookings = bookings.filter(end__gt=asked["from"])
        if "to" in asked:
            bookings = bookings.filter(start__lt=asked["to"])
        pages = Cursors("start", "pk")
        return pages.answer([booking_shape(row) for row in pages.page_of(bookings, request, self)])

    @extend_schema(operation_id="booking_make", request=BookingIn, responses={201: out.BookingOut})
    def post(self, request: Request) -> Response:
        given = body_of(request, BookingIn)
        try:
            booking = services.book(
                person=self._person(given),
                machine_id=given["machine"],
                start=given["start"],
                end=given["end"],
                overrides=given.get("overrides", ()),
                actor=self.person,
                at=self.at,
            )
        except (NotFound, Malformed) as error:  # the machine is a field here, not the address
            raise Malformed(*(self._all_that_is_wrong(given) or error.problems)) from error
        return created(booking_shape(booking), f"/api/v1/bookings/{booking.pk}/")

    def _person(self, given: Mapping[str, Any]) -> Any:
        if given.get("person", self.person.pk) == self.person.pk:
            return self.person
        machine = machine_for(self.person, given["machine"])
        other = people_at(machine.site_id).filter(pk=given["person"]).first()
        if other is None:
            raise NotFound
        return other

    def _all_that_is_wrong(self, given: Mapping[str, Any]) -> list[Problem]:
        problems: list[Problem] = []
        machine = visible_machines(self.person).filter(pk=given["machine"]).first()
        if machine is None:
            problems.append(Problem("unknown_machine", field="machine"))
        elif "person" in given and not people_at(machine.site_id).filter(pk=given["person"]).exists():
            problems.append(Problem("unknown_person", field="person"))
        with collecting(problems):
            services.understood(given["start"], given["end"], given.get("overrides", ()))
        return problems


class BookingDetail(Endpoint):
    @extend_schema(operation_id="booking", responses=out.BookingOut)
    def get(self, request: Request, booking_id: str) -> Response:
        return Response(booking_shape(booking_for(self.person, booking_id)))


class MoveIn(Strict):
    start = Moment()
    end = Moment()
    overrides = OverrideIn(many=True, required=False)


class MoveBooking(Endpoint):
    @extend_schema(operation_id="booking_move", request=MoveIn, responses=out.BookingOut)
    def post(self, request: Request, booking_id: str) -> Response:
        given = body_of(request, MoveIn)
        booking = services.move(
            booking_id,
            start=given["start"],
            end=given["end"],
            overrides=given.get("overrides", ()),
            actor=self.person,
            at=self.at,
        )
        return Response(booking_shape(booking))


class CancelBooking(Endpoint):
    @extend_schema(operation_id="booking_cancel", request=Nothing, responses=out.BookingOut)
    def post(self, request: Request, booking_id: str) -> Response:
        body_of(request, Nothing)
        return Response(booking_shape(services.cancel(booking_id, actor=self.person, at=self.at)))


class Finish(Endpoint):
    """Give the rest of a time back that is being used; what was used stays counted."""

    @extend_schema(operation_id="booking_finish", request=Nothing, responses=out.BookingOut)
    def post(self, request: Request, booking_id: str) -> Response:
        body_of(request, Nothing)
        return Response(booking_shape(use.finish(booking_id, actor=self.person, at=self.at)))


class CheckIn(Endpoint):
    @extend_schema(operation_id="booking_check_in", request=Nothing, responses=out.BookingOut)
    def post(self, request: Request, booking_id: str) -> Response:
        body_of(request, Nothing)
        return Response(booking_shape(use.check_in(booking_id, actor=self.person, at=self.at)))
