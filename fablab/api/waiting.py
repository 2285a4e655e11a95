"""Waiting for a time that somebody may give back; and what is done with a booking on its day."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from equipment.bookings import waiting
from equipment.bookings.absent import excuse
from equipment.bookings.extending import BY, extend
from equipment.bookings.states import BookingState
from fablab.api import out, out_waiting
from fablab.api.bookings import booking_shape
from fablab.api.fields import Id, Moment, Strict, Whole
from fablab.api.machines import Nothing
from fablab.api.shapes import stamp
from fablab.api.sites import NoQuery
from fablab.api.views import Endpoint, body_of, created, query_of
from fablab.core.errors import Malformed, NotFound, Problem, Refused

Shape = Mapping[str, Any]


def entry_shape(entry: Any) -> Shape:
    held = entry.booking if entry.booking is not None and entry.booking.state == BookingState.HELD else None
    return {
        "id": entry.pk,
        "site": entry.site_id,
        "kind": entry.kind.slug,
        "machine": {"id": entry.machine_id, "name": entry.machine.name} if entry.machine else None,
        "from": stamp(entry.from_time),
        "to": stamp(entry.to_time),
        "minutes": entry.minutes,
        "ended": entry.outcome or None,
        "offer": None
        if held is None
        else {
            "booking": held.pk,
            "machine": {"id": held.machine_id, "name": held.machine.name},
            "start": stamp(held.start),
            "end": stamp(held.end),
            "until": stamp(held.hold_until),
        },
    }


WaitingIn: type[Strict] = type(
    "WaitingIn",
    (Strict,),
    {
        "machine": Id(required=False, help_text="This machine; else any of a kind."),
        "kind": Id(required=False, help_text="The kind's short name."),
        "site": Id(required=False, help_text="Where, with a kind."),
        "from": Moment(),
        "to": Moment(),
        "minutes": Whole(least=1, most=1440),
    },
)


class Waiting(Endpoint):
    """What the caller waits for, in the order in which they asked."""

    @extend_schema(operation_id="waiting_list", responses=out_waiting.WaitingListOut)
    def get(self, request: Request) -> Response:
        query_of(request, NoQuery)
        return Response({"results": [entry_shape(entry) for entry in waiting.waits_of(self.person, self.at)]})

    @extend_schema(operation_id="waiting_start", request=WaitingIn, responses={201: out_waiting.WaitingOut})
    def post(self, request: Request) -> Response:
        given = body_of(request, WaitingIn)
        field = "machine" if "machine" in given else "kind"
        try:
            entry = waiting.wait(
                person=self.person,
                site_id=given.get("site", ""),
                kind=given.get("kind", ""),
                machine_id=given.get("machine", ""),
                from_=given["from"],
                to=given["to"],
                minutes=given["minutes"],
                at=self.at,
            )
        except NotFound as error:  # a field here, not the address
            raise Malformed(Problem(f"unknown_{field}", field=field)) from error
        return created(entry_shape(entry), f"/api/v1/waiting/{entry.pk}/")


class WaitingDetail(Endpoint):
    @extend_schema(operation_id="waiting", responses=out_waiting.WaitingOut)
    def get(self, request: Request, entry_id: str) -> Response:
        return Response(entry_shape(waiting.own_wait(entry_id, self.person)))


class LeaveWaiting(Endpoint):
    @extend_schema(operation_id="waiting_leave", request=Nothing, responses=out_waiting.WaitingOut)
    def post(self, request: Request, entry_id: str) -> Response:
        body_of(request, Nothing)
        return Response(entry_shape(waiting.leave(entry_id, actor=self.person, at=self.at)))


class TakeOffer(Endpoint):
    """Take the time that is held for this wish; the rules are asked again."""

    @extend_schema(operation_id="waiting_take", request=Nothing, responses=out.BookingOut)
    def post(self, request: Request, entry_id: str) -> Response:
        body_of(request, Nothing)
        booking = waiting.take(_held(entry_id, self.person), actor=self.person, at=self.at)
        return Response(booking_shape(booking))


class DeclineOffer(Endpoint):
    """The next one's turn; the wish stays, for another time."""

    @extend_schema(operation_id="waiting_decline", request=Nothing, responses=out_waiting.WaitingOut)
    def post(self, request: Request, entry_id: str) -> Response:
        body_of(request, Nothing)
        waiting.decline(_held(entry_id, self.person), actor=self.person, at=self.at)
        return Response(entry_shape(waiting.own_wait(entry_id, self.person)))


def _held(entry_id: str, person: Any) -> str:
    entry = waiting.own_wait(entry_id, person)
    if entry.booking is None:
        raise Refused("offer_over")
    return str(entry.booking.pk)


# --- on the day ---------------------------------------------------------------------------------------------------


class ExtendIn(Strict):
    minutes = Whole(least=min(BY), most=max(BY), help_text="15, 30 or 60.")


class Extend(Endpoint):
    """Stay longer, when nobody follows."""

    @extend_schema(operation_id="booking_extend", request=ExtendIn, responses=out.BookingOut)
    def post(self, request: Request, booking_id: str) -> Response:
        given = body_of(request, ExtendIn)
        booking = extend(booking_id, minutes=given["minutes"], actor=self.person, at=self.at)
        return Response(booking_shape(booking))


class Excuse(Endpoint):
    """A time that nobody came to does not count. For instructors and staff."""

    @extend_schema(operation_id="booking_excuse", request=Nothing, responses=out.BookingOut)
    def post(self, request: Request, booking_id: str) -> Response:
        body_of(request, Nothing)
        return Response(booking_shape(excuse(booking_id, actor=self.person, at=self.at)))
