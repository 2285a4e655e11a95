"""Après la coupure: everything that was interrupted on one screen; and whether the server's clock is right."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fablab.api.shapes import job_shapes
from fablab.core import witness
from fablab.core.errors import Conflict
from fablab.core.witness import Why
from fablab.core.words import say_problem
from fablab.dashboard import formats, present
from fablab.dashboard.requests import Here, see_other, signed_in, writes
from fablab.dashboard.worklist import on_duty
from jobs.recovery import services
from jobs.recovery.queries import (
    Interrupted,
    interrupted_jobs,
    interruption_for,
    lost_lately,
    open_interruption,
    unsure_machines,
)
from jobs.recovery.words import CLOCK, NOW, OUTCOMES

Card = present.Card
FIELD = "job-"


@signed_in
def recovery(request: HttpRequest) -> HttpResponseBase:
    """Each object with what most likely became of it, chosen already; one button does all of it."""
    asked = on_duty(request)
    assert asked.site is not None
    interruption = interruption_for(asked.person, asked.site.pk)
    rows = [_row(one, asked) for one in interrupted_jobs(interruption, asked.at)] if interruption else []
    return render(
        request,
        "dashboard/recovery.html",
        {
            "open": interruption is not None,
            "intro": _("Plus rien depuis {time}.").format(
                time=formats.until(interruption.began_at, asked.zone)
            )
            if interruption
            else "",
            "rows": [row for row in rows if row["choices"]],
            "others": [row for row in rows if not row["choices"]],
            "lost": _lost(asked) if interruption is None else [],
            "checking": _checking(asked) if interruption is None else "",
        },
    )


def _checking(asked: Here) -> str:
    """Name the machines of which nobody knows yet what became of their objects: it may have been a cut."""
    assert asked.site is not None
    names = unsure_machines(asked.site.pk)
    return _("On vérifie encore : {machines}.").format(machines=formats.listed(names)) if names else ""


def _lost(asked: Here) -> list[Card]:
    """Return what machines lost one by one, which makes no cut: each with the tap that puts it back in the queue."""
    assert asked.site is not None
    jobs = lost_lately(asked.person, asked.site.pk, asked.at)
    return [
        {
            "title": shape["title"],
            "number": shape["number"],
            "owner": job.owner.display_name,
            "url": reverse("job", args=[job.pk]),
            "why": present.job_detail(shape),
            "again": present.job_action(shape, "requeue") if "requeue" in shape["actions"] else None,
        }
        for job, shape in zip(jobs, job_shapes(jobs, asked.viewer), strict=True)
    ]


def _row(one: Interrupted, asked: Here) -> Card:
    job = one.job
    return {
        "id": job.pk,
        "title": job.title,
        "number": job.number,
        "owner": job.owner.display_name,
        "url": reverse("job", args=[job.pk]),
        "machine": one.machine_name,
        "percent": job.percent,
        "picture_url": present.picture_url(job),
        "drawing": present.drawing_of(job.machine_model.kind.icon),
        "now": str(NOW[one.now]),
        "name": f"{FIELD}{job.pk}",
        "choices": [
            {"value": choice, "label": str(OUTCOMES[choice]), "checked": choice == one.chosen}
            for choice in one.choices
        ],
    }


@writes
def settle(request: HttpRequest) -> HttpResponseBase:
    """Do what is said of every object; what is refused is said by name, and the screen stays for it."""
    asked = on_duty(request)
    assert asked.site is not None
    interruption = interruption_for(asked.person, asked.site.pk)
    titles = (
        {one.job.pk: one.job.title for one in interrupted_jobs(interruption, asked.at)}
        if interruption
        else {}
    )
    choices = {
        name.removeprefix(FIELD): value
        for name, value in request.POST.items()
        if name.startswith(FIELD) and isinstance(value, str)
    }
    settled = services.settle(asked.site.pk, choices, actor=asked.person, at=asked.at)
    for job_id, error in settled.refused.items():
        for problem in error.problems:
            messages.error(request, f"{titles.get(job_id, '')} : {say_problem(problem)}")
    if settled.missing:
        more = ngettext(
            "Encore {n} objet est arrivé.", "Encore {n} objets sont arrivés.", len(settled.missing)
        )
        messages.error(request, more.format(n=len(settled.missing)))
    if not settled.done:
        return see_other(reverse("recovery"))
    messages.success(request, _("Tout est réglé. Vide les plateaux, puis lance."))
    return see_other(reverse("board"))


# --- the clock ----------------------------------------------------------------------------------------------------


@signed_in
def clock(request: HttpRequest) -> HttpResponseBase:
    """The server's time, large, and one question."""
    asked = on_duty(request)
    why = witness.doubt(asked.at)
    return render(
        request,
        "dashboard/clock.html",
        {
            "doubted": why is not None,
            "why": str(CLOCK[Why(why)]) if why else "",
            "time": formats.clock_time(asked.at, asked.zone),
            "day": formats.full_day(asked.at, asked.zone),
            "shown": asked.at.isoformat(),
        },
    )


@writes
def clock_is_right(request: HttpRequest) -> HttpResponseBase:
    """Oui: what was read a moment ago is right."""
    asked = on_duty(request)
    shown = _moment(request.POST.get("shown", ""))
    if shown is None or abs((asked.at - shown).total_seconds()) > services.CLOCK_SHOWN_FOR_S:
        raise Conflict("clock_page_old")
    if services.confirm_clock(actor=asked.person, at=asked.at):
        messages.success(request, _("Merci. Tout peut repartir."))
    return see_other(reverse("worklist"))


def _moment(text: str) -> Any:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def alerts(asked: Here) -> list[Card]:
    """Return what stands above every page of those on duty while nothing starts by itself. Two queries."""
    if not asked.helps or asked.site is None:
        return []
    found = []
    if witness.doubt(asked.at) is not None:
        found.append(
            {
                "url": reverse("clock"),
                "icon": "clock",
                "sentence": _("L’horloge est douteuse : rien ne part seul."),
            }
        )
    if open_interruption(asked.site.pk) is not None:
        found.append(
            {"url": reverse("recovery"), "icon": "plug", "sentence": _("Coupure : règle les objets arrêtés.")}
        )
    return found
