"""Open use: how many people used a kind without booking, a number for each local day. For those on duty."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.request import Request
from rest_framework.response import Response

from equipment.bookings.open_use import count_open_use, open_use_today
from fablab.api.fields import Flag, Id, Strict
from fablab.api.out import KindNameOut, Out, page_of
from fablab.api.paging import whole_list
from fablab.api.people import kind_shape
from fablab.api.sites import NoQuery
from fablab.api.views import Endpoint, body_of, query_of


class OpenUseIn(Strict):
    kind = Id()
    back = Flag(required=False, help_text="Take the last one back instead.")


class CountOut(Out):
    count = s.IntegerField(help_text="Today's number, on the place's calendar.")


class OpenUseOut(CountOut):
    kind = KindNameOut()


class OpenUse(Endpoint):
    @extend_schema(operation_id="site_open_use", responses=page_of(OpenUseOut))
    def get(self, request: Request, site_id: str) -> Response:
        query_of(request, NoQuery, lists=True)
        rows = open_use_today(self.person, site_id, self.at)
        return whole_list([{"kind": kind_shape(kind), "count": count} for kind, count in rows])

    @extend_schema(operation_id="site_open_use_count", request=OpenUseIn, responses=CountOut)
    def post(self, request: Request, site_id: str) -> Response:
        given: dict[str, Any] = dict(body_of(request, OpenUseIn))
        count = count_open_use(
            site_id=site_id,
            kind_id=given["kind"],
            by=-1 if given.get("back") else 1,
            actor=self.person,
            at=self.at,
        )
        return Response({"count": count})
