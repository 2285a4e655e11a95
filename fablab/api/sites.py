"""Places, their hours, who is there, and the queue."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from equipment.sites import services
from equipment.sites.queries import open_until, roles_of, site_for, visible_sites
from fablab.api import out
from fablab.api.fields import Flag, Strict
from fablab.api.live import queue_rows
from fablab.api.paging import Cursors, whole_list
from fablab.api.shapes import stamp
from fablab.api.views import Endpoint, body_of, query_of
from jobs.lifecycle.queries import HELPING_ROLES


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


class NoQuery(Strict):
    """An address without parameters."""


def site_shape(site: Any, at: datetime) -> Mapping[str, Any]:
    return {
        "id": site.pk,
        "slug": site.slug,
        "name": site.name,
        "address": site.address,
        "time_zone": site.time_zone,
        "open_until": stamp(open_until(site, at)),
        "hours": [
            {"weekday": row.weekday, "opens": _clock(row.opens), "closes": _clock(row.closes)}
            for row in site.opening_hours.all()
        ],
        "closures": [
            {"first_day": row.first_day, "last_day": row.last_day, "reason": row.reason}
            for row in site.closures.all()
        ],
    }


class Sites(Endpoint):
    in_pages = True

    @extend_schema(operation_id="site_list", responses=out.page_of(out.SiteOut))
    def get(self, request: Request) -> Response:
        query_of(request, NoQuery, lists=True)
        pages = Cursors("name", "pk")
        sites = visible_sites(self.person).prefetch_related("opening_hours", "closures")
        return pages.answer([site_shape(site, self.at) for site in pages.page_of(sites, request, self)])


class SiteDetail(Endpoint):
    @extend_schema(operation_id="site", responses=out.SiteOut)
    def get(self, request: Request, site_id: str) -> Response:
        query_of(request, NoQuery)
        return Response(site_shape(site_for(self.person, site_id), self.at))


class PresenceIn(Strict):
    present = Flag()


class Presence(Endpoint):
    """ "Je suis là", "Je pars"."""

    @extend_schema(operation_id="site_presence", request=PresenceIn, responses=out.PresenceOut)
    def post(self, request: Request, site_id: str) -> Response:
        if body_of(request, PresenceIn)["present"]:
            here = services.mark_present(person=self.person, site_id=site_id, at=self.at)
            return Response({"present": True, "until": stamp(here.until)})
        services.leave(person=self.person, site_id=site_id, at=self.at)
        return Response({"present": False, "until": None})


class Queue(Endpoint):
    """The plan of a site: jobs in order, with the expected start and why each waits."""

    @extend_schema(operation_id="site_queue", responses=out.page_of(out.QueueRowOut))
    def get(self, request: Request, site_id: str) -> Response:
        query_of(request, NoQuery, lists=True)
        site = site_for(self.person, site_id)
        staff = bool(roles_of(self.person, site.pk) & HELPING_ROLES)
        return whole_list(queue_rows(site.pk, staff=staff))
