"""Who is on duty when: read by everybody of a place, names by those on duty alone; written as on the page."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.request import Request
from rest_framework.response import Response

from equipment.bookings import unsupervised
from equipment.sites import rota as duty
from equipment.sites.queries import require_role, roles_of, site_for
from equipment.sites.states import ON_DUTY_ROLES
from fablab.api.fields import Day, Flag, Id, Strict, WallTime, Whole
from fablab.api.out import NamedOut, Out, maybe, page_of
from fablab.api.out_series import WALL
from fablab.api.paging import whole_list
from fablab.api.shapes import stamp
from fablab.api.views import Endpoint, body_of, query_of
from fablab.core.clock import local_day
from fablab.core.errors import Malformed, Problem

MOST_DAYS = 62
Shape = Mapping[str, Any]


class RotaQuery(Strict):
    first = Day(required=False, help_text="Unless told, today.")
    last = Day(required=False, help_text=f"Included; unless told, six days later. At most {MOST_DAYS} days.")


class ShiftIn(Strict):
    person = Id()
    weekday = Whole(least=0, most=6, help_text="Monday is 0.")
    starts = WallTime()
    ends = WallTime(help_text="26:00 is two in the morning of the next day.")
    first = Day()
    last = Day(required=False, help_text="Unless told, for good.")


class ShiftChangeIn(Strict):
    person = Id()
    away = Flag(help_text="False: comes besides, on the first day, with both times.")
    first = Day()
    last = Day(required=False, help_text="Unless told, the first day.")
    starts = WallTime(required=False, help_text="Unless told, the whole day.")
    ends = WallTime(required=False)


class DutyOut(Out):
    day = s.DateField()
    start = s.DateTimeField()
    end = s.DateTimeField()
    person = maybe(NamedOut, help_text="Null for whoever is not on duty there themself.")


class ShiftOut(Out):
    id = s.CharField()
    person = NamedOut()
    weekday = s.IntegerField(help_text="Monday is 0.")
    starts = s.RegexField(WALL)
    ends = s.RegexField(WALL, help_text="26:00 is two in the morning of the next day.")
    first = s.DateField()
    last = maybe(s.DateField)


class ShiftChangeOut(Out):
    id = s.CharField()
    person = NamedOut()
    day = s.DateField()
    away = s.BooleanField()
    starts = maybe(s.RegexField, regex=WALL, help_text="Null: the whole day.")
    ends = maybe(s.RegexField, regex=WALL)


class ShiftChangesOut(Out):
    changes = ShiftChangeOut(many=True)


def _wall(minutes: int | None) -> str | None:
    return None if minutes is None else f"{minutes // 60:02}:{minutes % 60:02}"


def _named(person: Any) -> Shape:
    return {"id": person.pk, "name": person.display_name}


def shift_shape(one: Any) -> Shape:
    return {
        "id": one.pk,
        "person": _named(one.person),
        "weekday": one.weekday,
        "starts": _wall(one.starts),
        "ends": _wall(one.ends),
        "first": one.first_day,
        "last": one.last_day,
    }


def change_shape(one: Any) -> Shape:
    return {
        "id": one.pk,
        "person": _named(one.person),
        "day": one.day,
        "away": one.away,
        "starts": _wall(one.starts),
        "ends": _wall(one.ends),
    }


class Rota(Endpoint):
    """When somebody is on duty at a place, day by day."""

    @extend_schema(operation_id="site_rota", parameters=[RotaQuery], responses=page_of(DutyOut))
    def get(self, request: Request, site_id: str) -> Response:
        asked = query_of(request, RotaQuery, lists=True)
        site = site_for(self.person, site_id)
        first = asked.get("first") or local_day(self.at, site.time_zone)
        last = asked.get("last") or first + timedelta(days=6)
        if last < first:
            raise Malformed(Problem("shift_days", field="last"))
        if (last - first).days >= MOST_DAYS:
            raise Malformed(Problem("away_too_long", {"days": MOST_DAYS}, "last"))
        named = bool(roles_of(self.person, site.pk) & ON_DUTY_ROLES)
        return whole_list(
            [
                {
                    "day": day,
                    "start": stamp(span.start),
                    "end": stamp(span.end),
                    "person": _named(person) if named else None,
                }
                for day, rows in duty.rota_days(site, first, last).items()
                for person, span in rows
            ]
        )


class Shifts(Endpoint):
    """Each week's hours: read by those on duty, written by staff."""

    @extend_schema(operation_id="site_shift_list", responses=page_of(ShiftOut))
    def get(self, request: Request, site_id: str) -> Response:
        query_of(request, Strict, lists=True)
        site = site_for(self.person, site_id)
        require_role(self.person, site.pk, ON_DUTY_ROLES)
        rows = duty.shifts_of(site.pk, local_day(self.at, site.time_zone))
        return whole_list([shift_shape(one) for one in rows])

    @extend_schema(operation_id="site_shift_add", request=ShiftIn, responses={201: ShiftOut})
    def post(self, request: Request, site_id: str) -> Response:
        given = body_of(request, ShiftIn)
        added = unsupervised.add_shift(
            site_id=site_id,
            person_id=given["person"],
            weekday=given["weekday"],
            starts=given["starts"],
            ends=given["ends"],
            first_day=given["first"],
            last_day=given.get("last"),
            actor=self.person,
            at=self.at,
        )
        return Response(shift_shape(added), status=201)


class ShiftDetail(Endpoint):
    """Taken out of the rota from today on."""

    @extend_schema(operation_id="site_shift_end", responses={204: None})
    def delete(self, request: Request, site_id: str, shift_id: str) -> Response:
        site_for(self.person, site_id)
        unsupervised.end_shift(shift_id, actor=self.person, at=self.at, site_id=site_id)
        return Response(status=204)


class Changes(Endpoint):
    """Days on which somebody is away, or comes besides. Each for themself, staff for everybody."""

    @extend_schema(operation_id="site_shift_change_list", responses=page_of(ShiftChangeOut))
    def get(self, request: Request, site_id: str) -> Response:
        query_of(request, Strict, lists=True)
        site = site_for(self.person, site_id)
        require_role(self.person, site.pk, ON_DUTY_ROLES)
        rows = duty.changes_of(site.pk, local_day(self.at, site.time_zone))
        return whole_list([change_shape(one) for one in rows])

    @extend_schema(
        operation_id="site_shift_change_say", request=ShiftChangeIn, responses={201: ShiftChangesOut}
    )
    def post(self, request: Request, site_id: str) -> Response:
        given = body_of(request, ShiftChangeIn)
        if given["away"]:
            made = unsupervised.be_away(
                site_id=site_id,
                person_id=given["person"],
                first_day=given["first"],
                last_day=given.get("last", given["first"]),
                starts=given.get("starts"),
                ends=given.get("ends"),
                actor=self.person,
                at=self.at,
            )
        else:
            made = [
                unsupervised.come_besides(
                    site_id=site_id,
                    person_id=given["person"],
                    day=given["first"],
                    starts=given.get("starts", 0),
                    ends=given.get("ends", 0),
                    actor=self.person,
                    at=self.at,
                )
            ]
        return Response({"changes": [change_shape(one) for one in made]}, status=201)


class ChangeDetail(Endpoint):
    @extend_schema(operation_id="site_shift_change_take_back", responses={204: None})
    def delete(self, request: Request, site_id: str, change_id: str) -> Response:
        site_for(self.person, site_id)
        unsupervised.take_change_back(change_id, actor=self.person, at=self.at, site_id=site_id)
        return Response(status=204)
