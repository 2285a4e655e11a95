"""Booking a machine or a place in four taps: its kind, a time, "Confirmer". The hour first: ``when``."""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from equipment.bookings.facts import must_be_watched, terms_of
from equipment.bookings.finding import USUAL_MINUTES, next_offers, outlook
from equipment.bookings.terms import Terms
from equipment.certifications.queries import is_certified
from equipment.machines.queries import visible_machines
from fablab.api.shapes import machine_shapes
from fablab.core.clock import local_day, midnight
from fablab.core.errors import DomainError, NotFound
from fablab.core.words import say
from fablab.dashboard import formats, kinds, present, slots
from fablab.dashboard.bookings import coming_bookings
from fablab.dashboard.requests import Here, here, see_other, signed_in, writes
from fablab.dashboard.when import next_moments

FIRST_OFFERS = 6
DURATIONS = (30, 60, 120, 180, 240, 480)  # minutes, of which a kind allows some


@signed_in
def book(request: HttpRequest) -> HttpResponseBase:
    """The kinds of the place, each with its drawing and its next free time; or the hour first."""
    asked = here(request)
    machines = list(visible_machines(asked.person, site_id=asked.site.pk if asked.site else None))
    shapes = machine_shapes(machines, at=asked.at, staff=False, free_times=False)
    known = outlook(machines, asked.at, person=asked.person, ready=kinds.stand_free(shapes))
    trained = kinds.trained_for(asked)
    return render(
        request,
        "dashboard/book.html",
        {
            "kinds": [
                {
                    "name": kind.name,
                    "drawing": present.drawing_of(kind.icon),
                    "url": reverse("book-kind", args=[kind.slug]),
                    "free_label": _("D’abord la formation")
                    if kind.needs_certificate and kind.pk not in trained
                    else kinds.free_label(kind, [known[one.pk] for one in of_kind], asked),
                }
                for kind, of_kind in kinds.by_kind(machines)
            ],
            "has_bookings": coming_bookings(asked).exists(),
            "moments": next_moments(asked) if machines else [],
        },
    )


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
    day = slots.parse_day(given.get("jour", ""))
    context: present.Card = {
        "kind": kind,
        "slug": slug,
        "machine": named[0] if named else None,
        # Of places one is as good as another: nobody needs to choose.
        "machines": machines if len(machines) > 1 and not kind.is_place else [],
        "minutes": minutes,
        "day": day.isoformat() if day else "",
        "durations": [
            {"value": value, "label": formats.duration(value), "chosen": value == minutes}
            for value in _durations(terms.values())
        ],
        "fields": {
            "minutes": str(minutes),
            **({"machine": named[0].pk} if named else {}),
            **({"jour": day.isoformat()} if day else {}),
        },
        "watched": must_be_watched(machines[0], asked.person),
        "missing": _missing(asked, kind, machines[0].site_id),
    }
    chosen = named or machines
    if refused is not None:
        context |= slots.refusal(asked, machines, refused, given)
    if not context["missing"]:
        context |= _day_of(asked, chosen, minutes, day, terms) if day else _soonest(asked, chosen, minutes)
        context["week"] = slots.week_of(asked, day, max(one.horizon_days for one in terms.values()))
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
    return {"days": slots.by_day(asked, machines, offers, most=FIRST_OFFERS)}


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
    return {"days": slots.by_day(asked, machines, [offer for offer in offers if offer.start < end])}


@writes
def _confirm(request: HttpRequest, kind: str) -> HttpResponseBase:
    try:
        booking = slots.take(here(request), request.POST)
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
