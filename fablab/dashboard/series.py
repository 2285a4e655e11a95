"""Séries et ateliers: what comes back each week, for those on duty. Every date is looked at before anything is made."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from equipment.bookings.following import change_following, end_following, plan_change
from equipment.bookings.series import Done, Plan, make_series, plan_series
from equipment.bookings.series_queries import dates_of, following, series_for, series_to_come
from equipment.bookings.states import LIVE
from equipment.bookings.words import STATES
from equipment.machines.queries import visible_machines
from equipment.sites.queries import people_at
from fablab.core.clock import DAY_MINUTES, local_day
from fablab.core.errors import DomainError, NotAllowed, NotFound
from fablab.dashboard import formats, present
from fablab.dashboard import series_forms as forms
from fablab.dashboard.board import helper
from fablab.dashboard.requests import Here, see_other, signed_in, writes
from fablab.dashboard.slots import parse_day
from fablab.dashboard.typed import summary, wrong_fields

Card = present.Card
LOOK = "voir"  # in the address: the form was sent, show what would become of it
NEW = ("machines", "first", "last", "starts", "ends", "demain", "weekdays", "every", "person", "title")
CHANGED = ("machines", "first", "starts", "ends", "demain", "decalage")


@signed_in
def series_list(request: HttpRequest) -> HttpResponseBase:
    """What comes back at the place, the next one first."""
    asked = helper(request)
    assert asked.site is not None  # who helps has a place
    rows = series_to_come(asked.person, asked.site.pk, asked.at)
    context = {"rows": [_row(one, asked) for one in rows], "may_import": asked.keeps_machines}
    return render(request, "dashboard/series_list.html", context)


def _row(series: Any, asked: Here) -> Card:
    return {
        "url": reverse("series", args=[series.pk]),
        "title": series.title or series.person.display_name,
        "machines": formats.listed(machine.name for machine in series.machines.all()),
        "when": _when(series),
        "next": formats.capital(formats.day_and_time(series.next_start, asked.zone)),
        "left": ngettext("{n} réservation à venir", "{n} réservations à venir", series.left).format(
            n=series.left
        ),
    }


def _when(series: Any) -> str:
    """Return ``mar. · 14:00 – 16:00``, as the series itself says it."""
    days = formats.listed(
        option["label"] for option in forms.weekday_options(()) if int(option["value"]) in series.weekdays
    )
    hours = f"{_clock(series.starts)} – {_clock(series.ends)}"
    every = "" if series.every == 1 else _("toutes les {n} semaines").format(n=series.every)
    return " · ".join(part for part in (days, hours, every) if part)


def _clock(minute: int) -> str:
    return f"{minute % DAY_MINUTES // 60:02}:{minute % 60:02}"


# --- a new one ----------------------------------------------------------------------------------------------------


def series_new(request: HttpRequest) -> HttpResponseBase:
    """The form; each date with its problems; then what is to happen with each kind of them."""
    return _make(request) if request.method == "POST" else _look(request)


@signed_in
def _look(request: HttpRequest) -> HttpResponseBase:
    return _new_page(request, request.GET)


@writes
def _make(request: HttpRequest) -> HttpResponseBase:
    asked = helper(request)
    try:
        done = make_series(forms.wish_of(request.POST), actor=asked.person, at=asked.at)
    except (NotAllowed, NotFound):
        raise
    except DomainError as error:
        return _new_page(request, request.POST, error)
    messages.success(request, told(done))
    return see_other(reverse("series", args=[done.series.pk]))


def told(done: Done) -> str:
    """Return what was done in one line: made, left out, cancelled."""
    made, skipped, cancelled = len(done.bookings), _skipped(done.plan), len(done.cancelled)
    parts = [ngettext("{n} réservation faite", "{n} réservations faites", made).format(n=made)]
    if skipped:
        parts.append(
            ngettext("{n} date laissée de côté", "{n} dates laissées de côté", skipped).format(n=skipped)
        )
    if cancelled:
        parts.append(
            ngettext("{n} annulée, la personne est prévenue", "{n} annulées, les personnes sont prévenues", cancelled)
            .format(n=cancelled)
        )  # fmt: skip
    return formats.listed(parts)


def _skipped(plan: Plan) -> int:
    return len(plan.lines) - len(plan.made)


def _new_page(request: HttpRequest, given: QueryDict, error: DomainError | None = None) -> HttpResponseBase:
    asked = helper(request)
    assert asked.site is not None
    looked = bool(given.get(LOOK)) or error is not None
    plan, error = _planned(
        lambda: plan_series(forms.without_choices(forms.wish_of(given)), actor=asked.person, at=asked.at),
        looked,
        error,
    )
    wrong = wrong_fields(error)
    today = local_day(asked.at, asked.zone).isoformat()
    machines = list(
        visible_machines(asked.person, site_id=asked.site.pk).order_by("model__kind__slug", "name")
    )
    people = [(one.pk, one.display_name) for one in people_at(asked.site.pk)]
    context = {
        "title_field": forms.field(
            "title", _("Nom de l’atelier"), given, wrong, type_="text", optional=True,
            help_=_("Vide : la série est pour une seule personne."), maxlength="80",
        ),
        "person_field": {
            "id": "person",
            "name": "person",
            "label": _("Pour qui ?"),
            "error": wrong.get("person", ""),
            "options": [
                {"value": pk, "label": name, "selected": pk == (given.get("person") or asked.person.pk)}
                for pk, name in people
            ],
        },
        "machines": forms.machine_options(machines, given.getlist("machines")),
        "weekdays": forms.weekday_options(given.getlist("weekdays")),
        "days": [
            forms.day_field("first", _("Premier jour"), asked, given, wrong, usual=today, min=today),
            forms.day_field(
                "last", _("Dernier jour"), asked, given, wrong, optional=True, min=today,
                help_=_("Vide : une seule fois."),
            ),
        ],
        "hours": forms.hours_fields(given, wrong),
        "tomorrow": bool(given.get("demain")),
        "every": forms.field(
            "every", _("Toutes les … semaines"), given, wrong, type_="number", usual="1", min="1", max="52"
        ),
        "plan": forms.plan_card(plan, given, asked, skip=_("Laisser ces dates de côté")) if plan else None,
        "hidden": forms.hidden(given, NEW),
        "make": _("Réserver tout"),
        "wrong": wrong,
        "zone": asked.zone,
        "problems": summary(error),
        "problems_title": _("Rien n’est réservé."),
    }  # fmt: skip
    return render(request, "dashboard/series_new.html", context, status=error.status if error else 200)


def _planned(
    look: Callable[[], Plan], wanted: bool, error: DomainError | None
) -> tuple[Plan | None, DomainError | None]:
    """Return what would become of it, or everything that cannot be meant; the first error that there was stays."""
    if not wanted:
        return None, error
    try:
        return look(), error
    except (NotAllowed, NotFound):
        raise
    except DomainError as wrong:
        return None, error or wrong


# --- one series ---------------------------------------------------------------------------------------------------


@signed_in
def series_page(request: HttpRequest, series_id: str) -> HttpResponseBase:
    """One series with all its dates; each date is an ordinary booking."""
    asked = helper(request)
    found = series_for(asked.person, series_id)
    zone = found.site.time_zone
    dates = [
        {
            "url": reverse("booking", args=[one.pk]),
            "day": formats.short_day(local_day(one.start, zone)),
            "hours": formats.span(one.start, one.end, zone),
            "machine": one.machine.name,
            "state": one.shown_state,
            "state_label": STATES[one.shown_state],
            "over": one.shown_state not in LIVE or one.end <= asked.at,
        }
        for one in dates_of(found)
    ]
    coming = [one for one in dates if not one["over"]]
    context = {
        "series": found,
        "title": found.title or found.person.display_name,
        "machines": formats.listed(machine.name for machine in found.machines.all()),
        "when": _when(found),
        "coming": coming,
        "over": [one for one in dates if one["over"]],
        "from_day": local_day(asked.at, zone).isoformat(),
    }
    return render(request, "dashboard/series.html", context)


@writes
def series_end(request: HttpRequest, series_id: str) -> HttpResponseBase:
    """Arrêter la suite: all dates from a day on that have not begun."""
    asked = helper(request)
    from_day = parse_day(request.POST.get("from_day", ""))
    gone = end_following(series_id, from_day=from_day, actor=asked.person, at=asked.at)
    said = ngettext("{n} réservation annulée", "{n} réservations annulées", len(gone))
    messages.success(request, said.format(n=len(gone)))
    return see_other(reverse("series", args=[series_id]))


def series_change(request: HttpRequest, series_id: str) -> HttpResponseBase:
    """Changer la suite: other hours, another day, other machines, from a day on."""
    if request.method == "POST":
        return _change(request, series_id)
    return _look_at_change(request, series_id)


@signed_in
def _look_at_change(request: HttpRequest, series_id: str) -> HttpResponseBase:
    return _change_page(request, series_id, request.GET)


@writes
def _change(request: HttpRequest, series_id: str) -> HttpResponseBase:
    asked = helper(request)
    try:
        done = change_following(series_id, forms.change_of(request.POST), actor=asked.person, at=asked.at)
    except (NotAllowed, NotFound):
        raise
    except DomainError as error:
        return _change_page(request, series_id, request.POST, error)
    messages.success(request, _("La suite a changé."))
    return see_other(reverse("series", args=[done.series.pk]))


def _change_page(
    request: HttpRequest, series_id: str, given: QueryDict, error: DomainError | None = None
) -> HttpResponseBase:
    asked = helper(request)
    found = series_for(asked.person, series_id)
    looked = bool(given.get(LOOK)) or error is not None
    plan, error = _planned(
        lambda: plan_change(
            series_id, forms.without_choices(forms.change_of(given)), actor=asked.person, at=asked.at
        ),
        looked,
        error,
    )
    wrong = wrong_fields(error)
    now = sorted({one.machine_id for one in following(found, asked.at)})
    machines = visible_machines(asked.person, site_id=found.site_id).order_by("model__kind__slug", "name")
    today = local_day(asked.at, found.site.time_zone).isoformat()
    past_midnight = bool(given.get("demain")) if looked else found.ends > DAY_MINUTES
    context = {
        "series": found,
        "title": found.title or found.person.display_name,
        "from_day": forms.day_field("first", _("À partir du"), asked, given, wrong, usual=today, min=today),
        "hours": forms.hours_fields(given, wrong, _clock(found.starts), _clock(found.ends)),
        "tomorrow": past_midnight,
        "later": _later(found, given) if len(found.weekdays) == 1 else None,
        "machines": forms.machine_options(machines, given.getlist("machines") or now),
        "plan": forms.plan_card(plan, given, asked, skip=_("Garder l’ancienne heure"), may_leave_out=False)
        if plan
        else None,
        "hidden": forms.hidden(given, CHANGED),
        "make": _("Changer la suite"),
        "wrong": wrong,
        "zone": found.site.time_zone,
        "problems": summary(error),
        "problems_title": _("Rien n’a changé."),
    }
    return render(request, "dashboard/series_change.html", context, status=error.status if error else 200)


def _later(series: Any, given: QueryDict) -> Card:
    """Return the other days of the week on which it could be."""
    now = series.weekdays[0]
    chosen = given.get("decalage", "0")
    return {
        "id": "days_later",
        "name": "decalage",
        "label": _("Jour de la semaine"),
        "options": [
            {**option, "value": str(number - now), "selected": str(number - now) == chosen}
            for number, option in enumerate(forms.weekday_options(()))
        ],
    }
