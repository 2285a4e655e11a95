"""Fermetures: closed days, listed, entered and taken back by staff, who see first whom they hit."""

from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from equipment.bookings import hit
from equipment.bookings.obstacles import hit_if_closed
from equipment.sites.queries import closure_for, closures_to_come
from equipment.sites.services import closure_problem
from fablab.core.clock import local_day
from fablab.core.errors import DomainError, Malformed, NotAllowed, NotFound
from fablab.dashboard import formats, present, typed
from fablab.dashboard.outage_cards import hit_rows
from fablab.dashboard.requests import Here, here, see_other, signed_in, writes
from fablab.dashboard.worklist import on_duty

Card = present.Card
DAYS = ("first_day", "last_day")


@signed_in
def closures(request: HttpRequest) -> HttpResponseBase:
    """What is closed; with days, whose bookings that would hit, and the form to confirm it."""
    asked = on_duty(request)
    if "first_day" not in request.GET:
        return _page(request, asked)
    try:
        days = _days(request.GET, asked.site, asked.at)
    except Malformed as error:
        return _page(request, asked, error)
    return _page(request, asked, days=days)


def _days(given: typed.Given, site: Any, at: datetime) -> tuple[date, date]:
    first, last = typed.days(given)
    problem = closure_problem(site, first, last, at)
    if problem is not None:
        raise Malformed(problem)
    return first, last


def _page(
    request: HttpRequest,
    asked: Here,
    error: DomainError | None = None,
    *,
    days: tuple[date, date] | None = None,
) -> HttpResponse:
    assert asked.site is not None  # who is on duty has a place
    given = request.POST if request.method == "POST" else request.GET
    wrong = typed.wrong_fields(error)
    context: Card = {
        "closures": [_card(closure, asked) for closure in closures_to_come(asked.site, asked.at)],
        "fields": [
            typed.field("first_day", _("Premier jour"), given, wrong, type_="date"),
            typed.field("last_day", _("Dernier jour"), given, wrong, type_="date", optional=True),
        ]
        if asked.keeps_machines
        else [],
        "problems": typed.summary(error),
    }
    if days is not None and asked.keeps_machines:
        context["confirm"] = {
            "when": _when(*days),
            "hit": hit_rows(hit_if_closed(asked.site, *days, asked.at), asked.zone),
            "hidden": typed.kept(given, DAYS),
            "reason": typed.field("reason", _("Pourquoi"), given, wrong, optional=True, most=120),
        }
    return render(request, "dashboard/closures.html", context, status=error.status if error else 200)


def _when(first: date, last: date) -> str:
    names = [formats.capital(date_format(day, "l j F Y")) for day in (first, last)]
    return names[0] if first == last else f"{names[0]} – {names[1]}"


def _card(closure: Any, asked: Here) -> Card:
    days = _when(closure.first_day, closure.last_day)
    return {
        "when": days,
        "reason": closure.reason,
        "now": closure.first_day <= local_day(asked.at, asked.zone),
        "open": {
            "url": reverse("closure-open", args=[closure.pk]),
            "label": _("Rouvrir"),
            "icon": "undo",
            "of": days,
        }
        if asked.keeps_machines
        else None,
    }


@writes
def close(request: HttpRequest) -> HttpResponseBase:
    """Close the place on these days; those who have booked then are told. The form keeps what was typed."""
    asked = here(request)
    if asked.site is None or not asked.keeps_machines:
        raise NotAllowed("not_allowed")
    try:
        first, last = typed.days(request.POST)
        hit.close_site(
            site_id=asked.site.pk,
            first_day=first,
            last_day=last,
            reason=request.POST.get("reason", ""),
            actor=asked.person,
            at=asked.at,
        )
    except (NotAllowed, NotFound):
        raise
    except DomainError as error:
        return _page(request, asked, error)
    messages.success(request, _("C’est noté. Les réservations touchées sont prévenues."))
    return see_other(reverse("closures"))


@writes
def open_again(request: HttpRequest, closure_id: str) -> HttpResponseBase:
    """Take closed days back; their time is free again."""
    asked = here(request)
    closure = closure_for(asked.person, closure_id)
    hit.open_again(closure.pk, actor=asked.person, at=asked.at)
    messages.success(request, _("La fermeture est annulée."))
    return see_other(reverse("closures"))
