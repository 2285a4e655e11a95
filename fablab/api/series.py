"""Times that come back each week, and workshops: looked at first (``preview``), then made, changed, ended."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ListField

from equipment.bookings.conflicts import Choice as Do
from equipment.bookings.following import Change, change_following, end_following, plan_change
from equipment.bookings.series import Done, Line, Plan, make_series, plan_series
from equipment.bookings.series_queries import dates_of, series_for, visible_series
from equipment.bookings.series_wish import Wish
from equipment.bookings.words import say_conflict
from fablab.api import out, out_series
from fablab.api.bookings import OverrideIn, booking_shape
from fablab.api.fields import Choice, Day, Flag, Id, Strict, Text, WallTime, Whole
from fablab.api.paging import Cursors
from fablab.api.shapes import stamp
from fablab.api.sites import NoQuery
from fablab.api.views import Endpoint, body_of, created, query_of
from fablab.core.recurring import LONGEST_PAUSE, MOST, Weekly

Shape = Mapping[str, Any]
MOST_MACHINES = 100


# --- shapes -------------------------------------------------------------------------------------------------------


def series_shape(series: Any) -> Shape:
    return {
        "id": series.pk,
        "site": series.site_id,
        "person": {"id": series.person_id, "name": series.person.display_name},
        "title": series.title,
        "machines": [{"id": one.pk, "name": one.name} for one in series.machines.all()],
        "weekdays": series.weekdays,
        "starts": _wall(series.starts),
        "ends": _wall(series.ends),
        "first": series.first_day.isoformat(),
        "last": series.last_day.isoformat(),
        "every": series.every,
    }


def _wall(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def plan_shape(plan: Plan) -> Shape:
    return {"occurrences": [_line(line) for line in plan.lines]}


def _line(line: Line) -> Shape:
    return {
        "day": line.day.isoformat(),
        "machine": {"id": line.machine.pk, "name": line.machine.name},
        "start": stamp(line.start),
        "end": stamp(line.end),
        "fate": line.fate,
        "problems": [
            {"code": one.code, "detail": say_conflict(one), "params": dict(one.params)}
            for one in line.problems
        ],
        "in_the_way": [
            {
                "id": one.pk,
                "person": {"id": one.person_id, "name": one.person.display_name},
                "start": stamp(one.start),
                "end": stamp(one.end),
            }
            for one in line.in_the_way
        ],
    }


def done_shape(done: Done) -> Shape:
    return {
        **plan_shape(done.plan),
        "series": series_shape(done.series),
        "bookings": [booking_shape(one) for one in done.bookings],
        "cancelled": [one.pk for one in done.cancelled],
    }


# --- bodies -------------------------------------------------------------------------------------------------------


class ChoiceIn(Strict):
    code = Text(max_length=40, help_text="Of the rule: slot_taken, site_closed, ...")
    do = Choice(
        Do, help_text="cancel only for slot_taken: what is in the way makes way, but for what has begun."
    )


class SeriesIn(Strict):
    machines = ListField(child=Id(), min_length=1, max_length=MOST_MACHINES)
    weekdays = ListField(
        child=Whole(least=0, most=6),
        max_length=7,
        required=False,
        help_text="Monday is 0; unless told, that of the first day.",
    )
    starts = WallTime(help_text="On the site's clock.")
    ends = WallTime(help_text="On the site's clock; 26:00 is two in the morning of the next day.")
    first = Day()
    last = Day(required=False, help_text="Included; unless told, the first day: once.")
    every = Whole(least=1, most=LONGEST_PAUSE, required=False, help_text="Every so many weeks.")
    except_days = ListField(child=Day(), max_length=MOST, required=False)
    person = Id(required=False, help_text="Unless told, the caller.")
    title = Text(max_length=80, required=False, allow_blank=True, help_text="Makes it a group's: a workshop.")
    choices = ChoiceIn(many=True, required=False, help_text="What to do with conflicts; else all is refused.")
    overrides = OverrideIn(many=True, required=False)
    may_cancel = ListField(
        child=Id(),
        max_length=5 * MOST,
        required=False,
        help_text="The bookings that were seen to be in the way.",
    )
    preview = Flag(required=False, help_text="Say what would become of each date, and write nothing.")


class ChangeIn(Strict):
    from_day = Day(required=False, help_text="Unless told, all dates to come.")
    starts = WallTime(required=False)
    ends = WallTime(required=False)
    days_later = Whole(least=-6, most=6, required=False)
    machines = ListField(child=Id(), min_length=1, max_length=MOST_MACHINES, required=False)
    choices = ChoiceIn(many=True, required=False, help_text="A date that is skipped keeps its old time.")
    overrides = OverrideIn(many=True, required=False)
    may_cancel = ListField(child=Id(), max_length=5 * MOST, required=False)
    preview = Flag(required=False)


class EndIn(Strict):
    from_day = Day(required=False, help_text="Unless told, all dates to come.")


def _wish(given: Mapping[str, Any]) -> Wish:
    first: date = given["first"]
    return Wish(
        machine_ids=given["machines"],
        rule=Weekly(
            weekdays=frozenset(given.get("weekdays", [first.weekday()])),
            starts=given["starts"],
            ends=given["ends"],
            first=first,
            last=given.get("last", first),
            every=given.get("every", 1),
            except_days=frozenset(given.get("except_days", ())),
        ),
        person_id=given.get("person", ""),
        title=given.get("title", ""),
        **_what_to_do(given),
    )


def _what_to_do(given: Mapping[str, Any]) -> dict[str, Any]:
    choices: Iterable[Mapping[str, str]] = given.get("choices", ())
    return {
        "choices": [(one["code"], one["do"]) for one in choices],
        "overrides": given.get("overrides", ()),
        "may_cancel": given.get("may_cancel"),
    }


# --- addresses ----------------------------------------------------------------------------------------------------


class SeriesList(Endpoint):
    """One's own series, and all of the sites where one is on duty; those on duty make them."""

    in_pages = True

    @extend_schema(operation_id="series_list", responses=out.page_of(out_series.SeriesOut))
    def get(self, request: Request) -> Response:
        query_of(request, NoQuery, lists=True)
        pages = Cursors("-created_at", "pk")
        rows = pages.page_of(visible_series(self.person), request, self)
        return pages.answer([series_shape(row) for row in rows])

    @extend_schema(
        operation_id="series_make",
        request=SeriesIn,
        responses={200: out_series.PlanOut, 201: out_series.SeriesDoneOut},
    )
    def post(self, request: Request) -> Response:
        given = body_of(request, SeriesIn)
        if given.get("preview"):
            return Response(plan_shape(plan_series(_wish(given), actor=self.person, at=self.at)))
        done = make_series(_wish(given), actor=self.person, at=self.at)
        return created(done_shape(done), f"/api/v1/series/{done.series.pk}/")


class SeriesDetail(Endpoint):
    @extend_schema(operation_id="series", responses=out_series.SeriesWithBookingsOut)
    def get(self, request: Request, series_id: str) -> Response:
        query_of(request, NoQuery)
        series = series_for(self.person, series_id)
        return Response(
            {**series_shape(series), "bookings": [booking_shape(one) for one in dates_of(series)]}
        )


class ChangeFollowing(Endpoint):
    """All dates that have not begun move together; what came before stays, and the answer may name another series."""

    @extend_schema(
        operation_id="series_change_following",
        request=ChangeIn,
        responses=out_series.SeriesChangedOut,
    )
    def post(self, request: Request, series_id: str) -> Response:
        given = body_of(request, ChangeIn)
        change = Change(
            from_day=given.get("from_day"),
            starts=given.get("starts"),
            ends=given.get("ends"),
            days_later=given.get("days_later", 0),
            machine_ids=given.get("machines", ()),
            **_what_to_do(given),
        )
        if given.get("preview"):
            plan = plan_change(series_id, change, actor=self.person, at=self.at)
            return Response({**plan_shape(plan), "series": None, "bookings": [], "cancelled": []})
        return Response(done_shape(change_following(series_id, change, actor=self.person, at=self.at)))


class EndFollowing(Endpoint):
    """All dates that have not begun are cancelled together."""

    @extend_schema(operation_id="series_end_following", request=EndIn, responses=out_series.SeriesEndedOut)
    def post(self, request: Request, series_id: str) -> Response:
        given = body_of(request, EndIn)
        gone = end_following(series_id, from_day=given.get("from_day"), actor=self.person, at=self.at)
        series = series_for(self.person, series_id)
        return Response({"series": series_shape(series), "cancelled": [one.pk for one in gone]})
