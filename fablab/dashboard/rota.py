"""Planning: who is on duty this week; "Je ne viens pas" for oneself; each week's hours and exceptions, by staff."""

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from equipment.bookings import unsupervised
from equipment.sites import rota as duty
from equipment.sites.queries import present_people
from equipment.sites.words import WEEKDAYS
from fablab.core.clock import DAY_MINUTES, local_day
from fablab.core.errors import DomainError, Malformed, NotAllowed, NotFound, Problem
from fablab.dashboard import formats, present, typed
from fablab.dashboard.outage_cards import hit_rows
from fablab.dashboard.requests import Here, here, see_other, signed_in, writes
from fablab.dashboard.slots import parse_day
from fablab.dashboard.worklist import on_duty

Card = present.Card
WEEK = timedelta(days=7)
DAY = timedelta(days=1)
# The three forms of the page, as their fields' names begin: what was wrong in one stands there alone.
AWAY, EXTRA, SHIFT = "away", "extra", "shift"


@signed_in
def rota(request: HttpRequest) -> HttpResponseBase:
    """A week by day, and what changes it."""
    return _page(request, on_duty(request))


def _page(
    request: HttpRequest, asked: Here, error: DomainError | None = None, form: str = ""
) -> HttpResponse:
    assert asked.site is not None  # who is on duty has a place
    today = local_day(asked.at, asked.zone)
    wanted = parse_day(request.GET.get("semaine", "")) or today
    monday = wanted - DAY * wanted.weekday()
    given, wrong = (request.POST, typed.wrong_fields(error)) if error else ({}, {})
    people = duty.duty_people(asked.site.pk) if asked.keeps_machines else []
    context: Card = {
        "days": _days(asked, monday, today),
        "before": (monday - WEEK).isoformat(),
        "after": (monday + WEEK).isoformat(),
        "this_week": monday <= today < monday + WEEK,
        "keeps": asked.keeps_machines,
        "open": form,  # what was wrong is not hidden
        "no_rota": not duty.keeps_rota(asked.site.pk),
        "away": _away_form(asked, people, given if form == AWAY else {}, wrong, today),
        "changes": [_change(one, asked) for one in duty.changes_of(asked.site.pk, today)],
        "hit": hit_rows(unsupervised.left_alone(asked.site, asked.at), asked.zone),
        "problems": typed.summary(error),
    }
    if asked.keeps_machines:
        context["extra"] = _extra_form(people, given if form == EXTRA else {}, wrong)
        context["shift"] = _shift_form(people, given if form == SHIFT else {}, wrong, today)
        context["shifts"] = [_shift(one) for one in duty.shifts_of(asked.site.pk, today)]
    return render(request, "dashboard/rota.html", context, status=error.status if error else 200)


def _days(asked: Here, monday: date, today: date) -> list[Card]:
    assert asked.site is not None
    here_now = {person.pk for person in present_people(asked.site.pk, asked.at)}
    rows = duty.rota_days(asked.site, monday, monday + WEEK - DAY)
    return [
        {
            "name": formats.capital(date_format(day, "l j F")),
            "today": day == today,
            "rows": [
                {
                    "name": person.display_name,
                    "hours": formats.span(span.start, span.end, asked.zone),
                    "here": day == today and person.pk in here_now and span.start <= asked.at < span.end,
                    "late": day == today and person.pk not in here_now and span.start <= asked.at < span.end,
                }
                for person, span in found
            ],
        }
        for day, found in rows.items()
    ]


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def _shift(one: Any) -> Card:
    until = [_("jusqu’au {day}").format(day=date_format(one.last_day, "j F Y"))] if one.last_day else []
    return {
        "name": one.person.display_name,
        "when": f"{WEEKDAYS[one.weekday]} {_clock(one.starts)}–{_clock(one.ends)}",
        "detail": formats.listed(until),
        "end": {
            "url": reverse("rota-shift-end", args=[one.pk]),
            "label": _("Retirer"),
            "icon": "cross",
            "style": "quiet",
            "of": f"{one.person.display_name}, {WEEKDAYS[one.weekday]}",
        },
    }


def _change(one: Any, asked: Here) -> Card:
    day = formats.capital(date_format(one.day, "l j F"))
    times = f" {_clock(one.starts)}–{_clock(one.ends)}" if one.starts is not None else ""
    return {
        "when": f"{day}{times}",
        "name": one.person.display_name,
        "said": _("ne vient pas") if one.away else _("vient en plus"),
        "take_back": {
            "url": reverse("rota-change-back", args=[one.pk]),
            "label": _("Annuler"),
            "icon": "cross",
            "style": "quiet",
            "of": f"{one.person.display_name}, {day}",
        }
        if asked.keeps_machines or one.person_id == asked.person.pk
        else None,
    }


# --- the forms ----------------------------------------------------------------------------------------------------


def _fields(form: str, fields: list[Card]) -> list[Card]:
    """Give fields of several forms on one page ids of their own."""
    return [{**one, "id": f"{form}-{one['name']}"} for one in fields]


def _who(people: list[Any], given: typed.Given, wrong: Any, chosen: str = "") -> list[Card]:
    if not people:
        return []
    field = typed.field("person", _("Qui"), given, wrong)
    wanted = given.get("person", chosen)
    field["options"] = [
        {"value": one.pk, "label": one.display_name, "selected": one.pk == wanted} for one in people
    ]
    return [field]


def _times(given: typed.Given, wrong: Any, *, optional: bool = False) -> list[Card]:
    return [
        typed.field("starts", _("De"), given, wrong, type_="time", optional=optional),
        typed.field("ends", _("À"), given, wrong, type_="time", optional=optional),
    ]


def _away_form(asked: Here, people: list[Any], given: typed.Given, wrong: Any, today: date) -> list[Card]:
    shown = {"first_day": today.isoformat(), **{key: given[key] for key in given}}
    return _fields(
        AWAY,
        [
            *_who(people, given, wrong, asked.person.pk),
            typed.field("first_day", _("Premier jour"), shown, wrong, type_="date"),
            typed.field("last_day", _("Dernier jour"), shown, wrong, type_="date", optional=True),
            *_times(shown, wrong, optional=True),
        ],
    )


def _extra_form(people: list[Any], given: typed.Given, wrong: Any) -> list[Card]:
    return _fields(
        EXTRA,
        [
            *_who(people, given, wrong),
            typed.field("first_day", _("Jour"), given, wrong, type_="date"),
            *_times(given, wrong),
        ],
    )


def _shift_form(people: list[Any], given: typed.Given, wrong: Any, today: date) -> list[Card]:
    shown = {"first_day": today.isoformat(), **{key: given[key] for key in given}}
    weekday = typed.field("weekday", _("Jour de la semaine"), given, wrong)
    weekday["options"] = [
        {"value": str(number), "label": name, "selected": str(number) == given.get("weekday")}
        for number, name in enumerate(WEEKDAYS)
    ]
    return _fields(
        SHIFT,
        [
            *_who(people, given, wrong),
            weekday,
            *_times(given, wrong),
            typed.field("first_day", _("Premier jour"), shown, wrong, type_="date"),
            typed.field("last_day", _("Dernier jour"), given, wrong, type_="date", optional=True),
        ],
    )


# --- what they do -------------------------------------------------------------------------------------------------


@writes
def be_away(request: HttpRequest) -> HttpResponseBase:
    """Je ne viens pas: for oneself, or by staff for somebody. Whoever relied on them is told."""
    asked = on_duty(request)
    assert asked.site is not None
    form = request.POST
    try:
        first, last = typed.days(form)
        starts, ends = _minutes(form, optional=True)
        unsupervised.be_away(
            site_id=asked.site.pk,
            person_id=form.get("person") or asked.person.pk,
            first_day=first,
            last_day=last,
            starts=starts,
            ends=ends,
            actor=asked.person,
            at=asked.at,
        )
    except Malformed as error:
        return _page(request, asked, error, AWAY)
    return _noted(request, asked)


@writes
def come_besides(request: HttpRequest) -> HttpResponseBase:
    """Somebody comes on a day on which they usually do not."""
    asked = _keeper(request)
    form = request.POST
    try:
        day, _last = typed.days(form)
        starts, ends = _minutes(form)
        unsupervised.come_besides(
            site_id=_site_id(asked),
            person_id=form.get("person", ""),
            day=day,
            starts=starts or 0,
            ends=ends or 0,
            actor=asked.person,
            at=asked.at,
        )
    except Malformed as error:
        return _page(request, asked, error, EXTRA)
    return _noted(request, asked)


@writes
def add_shift(request: HttpRequest) -> HttpResponseBase:
    """Somebody is there every week from now on."""
    asked = _keeper(request)
    form = request.POST
    try:
        first, _last = typed.days(form)
        starts, ends = _minutes(form)
        weekday = form.get("weekday", "")
        unsupervised.add_shift(
            site_id=_site_id(asked),
            person_id=form.get("person", ""),
            weekday=int(weekday) if weekday in {"0", "1", "2", "3", "4", "5", "6"} else -1,
            starts=starts or 0,
            ends=ends or 0,
            first_day=first,
            last_day=_last if form.get("last_day") else None,
            actor=asked.person,
            at=asked.at,
        )
    except Malformed as error:
        return _page(request, asked, error, SHIFT)
    return _noted(request, asked)


@writes
def end_shift(request: HttpRequest, shift_id: str) -> HttpResponseBase:
    """Take a line out of the rota from today on."""
    asked = here(request)
    unsupervised.end_shift(shift_id, actor=asked.person, at=asked.at)
    return _noted(request, asked)


@writes
def take_change_back(request: HttpRequest, change_id: str) -> HttpResponseBase:
    """Take an exception back: the day is as every week again."""
    asked = here(request)
    unsupervised.take_change_back(change_id, actor=asked.person, at=asked.at)
    return _noted(request, asked)


def _noted(request: HttpRequest, asked: Here) -> HttpResponseBase:
    alone = len(unsupervised.left_alone(asked.site, asked.at)) if asked.site else 0
    said = _("C’est noté.")
    if alone:
        said += " " + ngettext(
            "{n} réservation est sans animateur : la personne le sait.",
            "{n} réservations sont sans animateur : les personnes le savent.",
            alone,
        ).format(n=alone)
    messages.success(request, said)
    return see_other(reverse("rota"))


def _keeper(request: HttpRequest) -> Here:
    asked = here(request)
    if asked.site is None or not asked.keeps_machines:
        raise NotAllowed("not_allowed")
    return asked


def _site_id(asked: Here) -> str:
    if asked.site is None:
        raise NotFound
    return asked.site.pk


def _minutes(form: typed.Given, *, optional: bool = False) -> tuple[int | None, int | None]:
    """Return two typed times as minutes of the day; an end at or before the start is the next day's.

    Both None when nothing was typed and that is allowed. Raises ``Malformed`` with the fields.
    """
    texts = [str(form.get(name, "")).strip() for name in ("starts", "ends")]
    if optional and not any(texts):
        return None, None
    found = []
    problems = []
    for name, text in zip(("starts", "ends"), texts, strict=True):
        hour, _colon, minute = text.partition(":")
        if hour.isdecimal() and minute[:2].isdecimal() and int(hour) < 24 and int(minute[:2]) < 60:
            found.append(int(hour) * 60 + int(minute[:2]))
        else:
            problems.append(Problem("cut_time_missing", field=name))
    if problems:
        raise Malformed(*problems)
    starts, ends = found
    return starts, ends if ends > starts else ends + DAY_MINUTES
