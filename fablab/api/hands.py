"""What needs a hand at a place, and what follows from power and clock: work list, cuts, interruptions, the time."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from equipment.bookings import hit
from equipment.sites.queries import power_cut_for, power_cuts_to_come, site_for, visible_sites
from fablab.api import out, out_hands
from fablab.api.fields import Id, Moment, Strict, Text
from fablab.api.machines import Nothing
from fablab.api.paging import whole_list
from fablab.api.shapes import stamp
from fablab.api.sites import NoQuery
from fablab.api.views import Endpoint, body_of, created, query_of
from fablab.core import witness
from fablab.core.errors import Conflict, NotFound
from fablab.core.words import say_problem
from fablab.notices.queries import unread_of
from fablab.notices.services import mark_seen
from fablab.notices.words import sentence
from jobs.recovery import services as recovery
from jobs.recovery.queries import Interrupted, interrupted_jobs, interruption_for
from jobs.worklist import services as hands
from jobs.worklist.queries import Task, worklist
from jobs.worklist.words import label_of

Shape = Mapping[str, Any]


# --- the work list ------------------------------------------------------------------------------------------------


def task_shape(task: Task) -> Shape:
    """Return one entry; ``why`` is a code or a person's words, ``handled_by`` is null while nobody goes."""
    entry, handled = task.entry, task.handled
    return {
        "key": entry.key,
        "need": entry.need,
        "detail": label_of(entry),
        "since": stamp(entry.since),
        "machine": {"id": entry.machine_id, "name": entry.machine_name} if entry.machine_id else None,
        "job": {"id": entry.job.id, "number": entry.job.number, "title": entry.job.title}
        if entry.job
        else None,
        "why": entry.why or None,
        "count": entry.count,
        "handled_by": {"id": handled.person_id, "name": handled.name, "until": stamp(handled.until)}
        if handled
        else None,
    }


class Worklist(Endpoint):
    """What needs a hand now, most urgent first; for those on duty."""

    @extend_schema(operation_id="site_worklist", responses=out.page_of(out_hands.TaskOut))
    def get(self, request: Request, site_id: str) -> Response:
        query_of(request, NoQuery, lists=True)
        return whole_list([task_shape(task) for task in worklist(self.person, site_id, self.at)])


class KeyIn(Strict):
    key = Text(max_length=80)


class TakeTask(Endpoint):
    """ "Je m'en occupe", for a quarter of an hour."""

    @extend_schema(operation_id="site_worklist_take", request=KeyIn, responses=out_hands.HandledOut)
    def post(self, request: Request, site_id: str) -> Response:
        key = body_of(request, KeyIn)["key"]
        handled = hands.take(site_id, key, actor=self.person, at=self.at)
        return Response({"key": key, "until": stamp(handled.until)})


class LeaveTask(Endpoint):
    """ "Je laisse"."""

    @extend_schema(operation_id="site_worklist_leave", request=KeyIn, responses=out_hands.HandledOut)
    def post(self, request: Request, site_id: str) -> Response:
        key = body_of(request, KeyIn)["key"]
        hands.give_back(site_id, key, actor=self.person, at=self.at)
        return Response({"key": key, "until": None})


# --- power cuts ---------------------------------------------------------------------------------------------------


def cut_shape(cut: Any) -> Shape:
    return {"id": str(cut.pk), "start": stamp(cut.start), "end": stamp(cut.end), "reason": cut.reason}


class PowerCutIn(Strict):
    start = Moment()
    end = Moment()
    reason = Text(max_length=120, required=False, allow_blank=True)


class PowerCuts(Endpoint):
    """Announced power cuts that are not over. Nothing is booked then, and nothing started that would run into one."""

    @extend_schema(operation_id="site_power_cut_list", responses=out.page_of(out_hands.PowerCutOut))
    def get(self, request: Request, site_id: str) -> Response:
        query_of(request, NoQuery, lists=True)
        site = site_for(self.person, site_id)
        return whole_list([cut_shape(cut) for cut in power_cuts_to_come(site.pk, self.at)])

    @extend_schema(
        operation_id="site_power_cut_announce", request=PowerCutIn, responses={201: out_hands.PowerCutOut}
    )
    def post(self, request: Request, site_id: str) -> Response:
        given = body_of(request, PowerCutIn)
        cut = hit.announce_power_cut(
            site_id=site_id,
            start=given["start"],
            end=given["end"],
            reason=given.get("reason", ""),
            actor=self.person,
            at=self.at,
        )
        return created(cut_shape(cut), f"/api/v1/sites/{site_id}/power-cuts/{cut.pk}/")


class PowerCutDetail(Endpoint):
    @extend_schema(operation_id="site_power_cut", responses=out_hands.PowerCutOut)
    def get(self, request: Request, site_id: str, cut_id: str) -> Response:
        query_of(request, NoQuery)
        return Response(cut_shape(self.cut(site_id, cut_id)))

    @extend_schema(operation_id="site_power_cut_cancel", responses={204: None})
    def delete(self, request: Request, site_id: str, cut_id: str) -> Response:
        hit.cancel_power_cut(self.cut(site_id, cut_id).pk, actor=self.person, at=self.at)
        return Response(status=204)

    def cut(self, site_id: str, cut_id: str) -> Any:
        found = power_cut_for(self.person, cut_id)
        if found.site_id != site_id:
            raise NotFound
        return found


# --- after the cut ------------------------------------------------------------------------------------------------


def interrupted_shape(one: Interrupted) -> Shape:
    return {
        "job": {"id": one.job.pk, "number": one.job.number, "title": one.job.title},
        "machine": {"id": one.machine_id, "name": one.machine_name},
        "percent": one.job.percent,
        "now": one.now,
        "choices": list(one.choices),
        "likely": one.chosen,
    }


class Interruption(Endpoint):
    """What was interrupted at a place and is not settled; ``interruption`` is null when nothing is."""

    @extend_schema(operation_id="site_interruption", responses=out_hands.InterruptionOut)
    def get(self, request: Request, site_id: str) -> Response:
        query_of(request, NoQuery)
        found = interruption_for(self.person, site_id)
        return Response(
            {
                "began_at": stamp(found.began_at) if found else None,
                "noticed_at": stamp(found.noticed_at) if found else None,
                "jobs": [interrupted_shape(one) for one in interrupted_jobs(found, self.at)] if found else [],
            }
        )


class OutcomeIn(Strict):
    job = Id()
    outcome = Text(max_length=10, help_text="One of the job's choices.")


class SettleIn(Strict):
    outcomes = OutcomeIn(many=True)


class SettleInterruption(Endpoint):
    """Settle all of it at once: each object by itself, never half; what is refused is said for each."""

    @extend_schema(operation_id="site_interruption_settle", request=SettleIn, responses=out_hands.SettledOut)
    def post(self, request: Request, site_id: str) -> Response:
        outcomes = body_of(request, SettleIn)["outcomes"]
        choices = {one["job"]: one["outcome"] for one in outcomes}
        settled = recovery.settle(site_id, choices, actor=self.person, at=self.at)
        return Response(
            {
                "done": settled.done,
                "refused": [
                    {"job": job_id, "code": error.code, "detail": say_problem(error.problems[0])}
                    for job_id, error in settled.refused.items()
                ],
                "missing": list(settled.missing),
            }
        )


# --- the clock ----------------------------------------------------------------------------------------------------


class Clock(Endpoint):
    """The server's time, and whether it is believed: while it is not, nothing happens by itself."""

    @extend_schema(operation_id="clock", responses=out_hands.ClockOut)
    def get(self, request: Request) -> Response:
        query_of(request, NoQuery)
        why = witness.doubt(self.at)
        return Response({"at": stamp(self.at), "trusted": why is None, "why": why})


class ClockIn(Strict):
    at = Moment(help_text="The server's time as it was read: at most two minutes old.")


class ConfirmClock(Endpoint):
    """Say that the server's time is right; for those on duty anywhere."""

    @extend_schema(operation_id="clock_confirm", request=ClockIn, responses=out_hands.ClockOut)
    def post(self, request: Request) -> Response:
        shown = body_of(request, ClockIn)["at"]
        if abs((self.at - shown).total_seconds()) > recovery.CLOCK_SHOWN_FOR_S:
            raise Conflict("clock_page_old")
        recovery.confirm_clock(actor=self.person, at=self.at)
        why = witness.doubt(self.at)
        return Response({"at": stamp(self.at), "trusted": why is None, "why": why})


# --- messages -----------------------------------------------------------------------------------------------------


class Notices(Endpoint):
    """What the person has not read yet, the newest first."""

    @extend_schema(operation_id="notice_list", responses=out.page_of(out_hands.NoticeOut))
    def get(self, request: Request) -> Response:
        query_of(request, NoQuery, lists=True)
        home = visible_sites(self.person).order_by("name").first()
        zone = home.time_zone if home else ""
        return whole_list(
            [
                {
                    "id": notice.pk,
                    "code": notice.code,
                    "detail": sentence(notice.code, notice.params, zone),
                    "params": notice.params,
                    "link": notice.link or None,
                    "at": stamp(notice.at),
                }
                for notice in unread_of(self.person)
            ]
        )


class SeenNotice(Endpoint):
    @extend_schema(operation_id="notice_seen", request=Nothing, responses={204: None})
    def post(self, request: Request, notice_id: str) -> Response:
        body_of(request, Nothing)
        if not mark_seen(self.person, notice_id, at=self.at):
            raise NotFound
        return Response(status=204)
