"""File d'attente: everything that waits at a place, in the order of the plan, with when, where and why."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fablab.api.live import queue_rows
from fablab.dashboard import formats, present
from fablab.dashboard.requests import Here, signed_in
from fablab.dashboard.worklist import on_duty
from jobs.lifecycle.queries import visible_jobs

Card = present.Card


@signed_in
def queue(request: HttpRequest) -> HttpResponseBase:
    """The whole queue, or that of one kind of machine (``type``); an unknown kind shows everything."""
    asked = on_duty(request)
    assert asked.site is not None  # who helps has a place
    planned = queue_rows(asked.site.pk, staff=True)
    waiting = visible_jobs(asked.person).filter(pk__in=[shape["id"] for shape in planned])
    jobs = {job.pk: job for job in waiting.select_related("upload", "machine_model__kind")}
    shapes = [shape for shape in planned if shape["id"] in jobs]  # one may have gone meanwhile
    kind_of = [jobs[shape["id"]].machine_model.kind for shape in shapes]
    kinds = sorted(set(kind_of), key=lambda kind: kind.name)
    chosen = next((kind for kind in kinds if kind.slug == request.GET.get("type")), None)
    rows = [
        _row(jobs[shape["id"]], shape, asked)
        for shape, kind in zip(shapes, kind_of, strict=True)
        if chosen is None or kind == chosen
    ]
    return render(
        request,
        "dashboard/queue.html",
        {
            "site_id": asked.site.pk,
            "rows": rows,
            "count": ngettext("{n} objet attend", "{n} objets attendent", len(rows)).format(n=len(rows)),
            "kinds": _filters(kinds, kind_of, chosen) if len(kinds) > 1 else [],
            "page_url": _address(chosen),
            "may_move": asked.keeps_machines,
        },
    )


def _row(job: Any, shape: Mapping[str, Any], asked: Here) -> Card:
    where = shape["planned_machine"] or shape["machine"] or shape["machine_model"]
    return {
        "id": job.pk,
        "place": shape["place"],
        "number": shape["number"],
        "title": shape["title"],
        "owner": shape["owner"]["name"],
        "url": reverse("job", args=[job.pk]),
        "move_url": f"{reverse('job', args=[job.pk])}?deplacer=file#move",
        "where": where["name"],
        "around": _around(shape["expected_start"], asked),
        "why": " ".join(reason["detail"] for reason in shape["waiting_for"]),
        "picture_url": present.picture_url(job),
        "drawing": present.drawing_of(job.machine_model.kind.icon),
    }


def _around(stamp: str | None, asked: Here) -> str:
    start = present.moment(stamp)
    if start is None:
        return ""
    said = _("vers {time}").format(time=formats.around(start, asked.zone))
    is_today = formats.full_day(start, asked.zone) == formats.full_day(asked.at, asked.zone)
    return said if is_today else formats.listed([formats.day_name(start, asked.zone), said])


def _filters(kinds: Iterable[Any], kind_of: Sequence[Any], chosen: Any) -> list[Card]:
    """Return one link for everything, and one for each kind that something waits for."""
    return [
        {"label": _("Tout"), "url": _address(None), "current": chosen is None, "count": len(kind_of)},
        *(
            {
                "label": kind.name,
                "url": _address(kind),
                "current": kind == chosen,
                "count": kind_of.count(kind),
            }
            for kind in kinds
        ),
    ]


def _address(kind: Any) -> str:
    return f"{reverse('queue')}?type={kind.slug}" if kind is not None else reverse("queue")
