"""Booking a machine in four taps: its kind, a time, "Confirmer"."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeGuard

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from equipment.bookings import services
from equipment.bookings.facts import terms_of
from equipment.bookings.finding import USUAL_MINUTES, Offer, first_offers, next_offers
from equipment.bookings.terms import Terms
from equipment.certifications.queries import is_certified
from equipment.machines.queries import visible_machines
from fablab.core.clock import FIRST_YEAR, LAST_YEAR, local_day, midnight
from fablab.core.errors import DomainError, Malformed, NotFound, Problem
from fablab.core.words import say, say_problem
from fablab.dashboard import formats, present
from fablab.dashboard.bookings import coming_bookings, slot_value
from fablab.dashboard.requests import Here, here, see_other, signed_in, writes

FIRST_OFFERS = 6
WEEK = 7
DURATIONS = (30, 60, 120, 180, 240, 480)  # minutes, of which a kind allows some


@signed_in
def book(request: HttpRequest) -> HttpResponseBase:
    """The kinds of machines of the place, each with its drawing and its next free time."""
    asked = here(request)
    machines = list(visible_machines(asked.person, site_id=asked.site.pk if asked.site else None))
    first = first_offers(machines, asked.at, person=asked.person)
    kinds: dict[str, present.Card] = {}
    for machine in machines:
        kind = machine.model.kind
        card = kinds.setdefault(
            kind.pk,
            {
                "name": kind.name,
                "drawing": present.drawing_of(kind.icon),
                "url": reverse("book-kind", args=[kind.slug]),
                "starts": [],
            },
        )
        card["starts"] += [start for start in (first[machine.pk],) if start is not None]
    for card in kinds.values():
        card["free_label"] = _free_label(card["starts"], asked)
    return render(
        request,
        "dashboard/book.html",
        {
            "kinds": sorted(kinds.values(), key=lambda card: str(card["name"])),
            "has_bookings": coming_bookings(asked).exists(),
        },
    )


def _free_label(starts: list[datetime], asked: Here) -> str:
    if not starts:
        return _("Rien de libre")
    if min(starts) <= asked.at:
        return _("Libre maintenant")
    return _("Libre : {when}").format(when=formats.day_and_time(min(starts), asked.zone))


# --- choosing a time ----------------------------------------------------------------------------------------------


@signed_in
def book_kind(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The next free times over all machines of a kind, or those of one day; then "Confirmer"."""
    return _choose(request, kind, request.GET)


def _choose(
    request: HttpRequest, slug: str, given: Any, refused: DomainError | None = None, status: int = 200
) -> HttpResponse:
    asked = here(request)
    machines = _machines(asked, slug)
    kind = machines[0].model.kind
    named = [machine for machine in machines if machine.pk == given.get("machine")]
    terms = terms_of(named or machines)
    minutes = _minutes(terms.values(), given.get("minutes"))
    day = parse_day(given.get("jour", ""))
    context: present.Card = {
        "kind": kind,
        "slug": slug,
        "machine": named[0] if named else None,
        "minutes": minutes,
        "day": day.isoformat() if day else "",
        "durations": [
            {"value": value, "label": formats.duration(value), "chosen": value == minutes}
            for value in _durations(terms.values())
        ],
        "missing": _missing(asked, kind, machines[0].site_id),
    }
    chosen = named or machines
    if refused is not None:
        context |= _refused(asked, machines, refused)
    if not context["missing"]:
        context |= _day_of(asked, chosen, minutes, day, terms) if day else _soonest(asked, chosen, minutes)
        context["week"] = _week(asked, day, max(one.horizon_days for one in terms.values()))
    return render(request, "dashboard/book_kind.html", context, status=status)


def _machines(asked: Here, slug: str) -> list[Any]:
    found = list(visible_machines(asked.person, site_id=asked.site.pk if asked.site else None, kind=slug))
    if not found:
        raise NotFound
    return found


def _durations(terms: Collection[Terms]) -> list[int]:
    shortest, longest = _lengths(terms)
    allowed = [value for value in DURATIONS if shortest <= value <= longest]
    return sorted({shortest, *allowed, longest})


def _minutes(terms: Collection[Terms], given: str | None) -> int:
    """Return the wished duration, within what one of the machines allows; an hour unless told."""
    shortest, longest = _lengths(terms)
    wished = int(given) if given and given.isdecimal() and len(given) < 5 else USUAL_MINUTES
    return min(max(wished, shortest), longest)


def _lengths(terms: Collection[Terms]) -> tuple[int, int]:
    """Return the shortest and longest booking that any of the machines takes."""
    return min(one.min_minutes for one in terms), max(one.max_minutes for one in terms)


def parse_day(given: str) -> date | None:
    """Return a day of our time as forms and addresses write it, or None."""
    try:
        day = parse_date(given)
    except ValueError:
        return None
    return day if day and FIRST_YEAR <= day.year <= LAST_YEAR else None


def _missing(asked: Here, kind: Any, site_id: str) -> str:
    """Return what the person lacks before they may book this kind, said before they choose a time."""
    day = local_day(asked.at, asked.zone)
    if kind.needs_certificate and not is_certified(asked.person, kind.pk, site_id, day):
        return say("not_certified", {"kind": kind.name})
    return ""


def _soonest(asked: Here, machines: list[Any], minutes: int) -> present.Card:
    """Return the next six times; of machines that are free at the same time the first one by name."""
    offers = next_offers(
        machines, minutes, at=asked.at, most=FIRST_OFFERS * len(machines), person=asked.person
    )
    return {"days": _by_day(asked, machines, _one_each(offers)[:FIRST_OFFERS])}


def _day_of(
    asked: Here, machines: list[Any], minutes: int, day: date, terms: Mapping[str, Terms]
) -> present.Card:
    """Return the times of one day on the place's clock."""
    start = midnight(day, asked.zone)
    end = midnight(day + timedelta(days=1), asked.zone)
    most = sum(25 * 60 // terms[machine.pk].grid_minutes for machine in machines)
    offers = (
        next_offers(
            machines, minutes, at=asked.at, from_=max(start, asked.at), most=most, person=asked.person
        )
        if end > asked.at
        else []
    )
    return {"days": _by_day(asked, machines, _one_each(offer for offer in offers if offer.start < end))}


def _one_each(offers: Iterable[Any]) -> list[Any]:
    """Keep one machine for each time."""
    first: dict[datetime, Any] = {}
    for offer in offers:
        first.setdefault(offer.start, offer)
    return list(first.values())


def _by_day(
    asked: Here, machines: list[Any], offers: list[Any], *, checked: bool = False
) -> list[present.Card]:
    """Return the argument of ``components/slot_list.html``."""
    names = {machine.pk: machine.name for machine in machines}
    days: dict[date, present.Card] = {}
    for offer in offers:
        heading = formats.day_name(offer.start, asked.zone)
        day = days.setdefault(
            local_day(offer.start, asked.zone), {"heading": formats.capital(heading), "slots": []}
        )
        day["slots"].append(
            {
                "value": slot_value(offer.machine_id, offer.start, offer.end),
                "label": formats.clock_time(offer.start, asked.zone),
                "detail": names.get(offer.machine_id, ""),
                "checked": checked and offer is offers[0],
            }
        )
    return list(days.values())


def _week(asked: Here, day: date | None, horizon: int) -> present.Card:
    """Return a week of days to choose from, and the weeks beside it, within the kind's horizon."""
    today = local_day(asked.at, asked.zone)
    last = today + timedelta(days=horizon)
    shown = min(max(day or today, today), last)
    first = today + timedelta(days=(shown - today).days // WEEK * WEEK)
    days = [
        first + timedelta(days=number) for number in range(WEEK) if first + timedelta(days=number) <= last
    ]
    return {
        "open": day is not None,
        "first": today.isoformat(),
        "last": last.isoformat(),
        "days": [
            {"value": one.isoformat(), "label": formats.short_day(one), "chosen": one == day} for one in days
        ],
        "before": (first - timedelta(days=WEEK)).isoformat() if first > today else "",
        "after": (first + timedelta(days=WEEK)).isoformat() if first + timedelta(days=WEEK) <= last else "",
    }


def slot_of(value: str) -> tuple[str, datetime, datetime]:
    """Return machine, start and end of a form's slot. Raises ``Malformed``: ``slot_missing``."""
    machine_id, _bar, times = value.partition("|")
    first, _bar, last = times.partition("|")
    try:
        start, end = parse_datetime(first), parse_datetime(last)
    except ValueError:
        start = end = None
    if not (machine_id and _in_our_time(start) and _in_our_time(end)):
        raise Malformed(Problem("slot_missing", field="slot"))
    return machine_id, start.astimezone(UTC), end.astimezone(UTC)


def _in_our_time(moment: datetime | None) -> TypeGuard[datetime]:
    """Return whether a form's moment has its zone and a year of our time."""
    return moment is not None and moment.tzinfo is not None and FIRST_YEAR <= moment.year <= LAST_YEAR


@writes
def _confirm(request: HttpRequest, kind: str) -> HttpResponseBase:
    asked = here(request)
    try:
        machine_id, start, end = slot_of(request.POST.get("slot", ""))
        booking = services.book(
            person=asked.person, machine_id=machine_id, start=start, end=end, actor=asked.person, at=asked.at
        )
    except NotFound:
        raise
    except DomainError as error:
        return _choose(request, kind, request.POST, error, error.status)
    messages.success(request, _("C’est réservé."))
    return see_other(reverse("booking", args=[booking.pk]))


def book_confirm(request: HttpRequest, kind: str) -> HttpResponseBase:
    """Book the chosen time. A lost one keeps the form, says so, and offers the nearest (A11Y-2)."""
    return (
        _confirm(request, kind) if request.method == "POST" else see_other(reverse("book-kind", args=[kind]))
    )


def _refused(asked: Here, machines: list[Any], error: DomainError) -> present.Card:
    """Return what was in the way, and up to three other times."""
    near = [
        Offer(datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"]), one["machine"])
        for one in error.extra.get("alternatives", [])
    ]
    near.sort(key=lambda offer: offer.start)
    problems = [
        {"sentence": say_problem(problem), "field_id": "near" if near else "slots"}
        for problem in error.problems
    ]
    return {
        "problems": problems,
        "problems_title": _("Ce n’est pas réservé."),
        "near": _by_day(asked, machines, near, checked=True),
    }
