"""The machine that somebody booked is not free in time: what is known, and ways out in one tap."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from equipment.bookings.finding import Offer, next_offers
from equipment.bookings.queries import booking_for
from equipment.bookings.states import LIVE
from equipment.machines.queries import in_use
from fablab.core.errors import DomainError, NotFound
from fablab.core.words import say_problem
from fablab.dashboard import formats, present
from fablab.dashboard.bookings import booking_card, slot_value
from fablab.dashboard.requests import Here, here, see_other, signed_in, writes
from fablab.dashboard.slots import slot_of
from jobs.planning.overruns import Overrun, overruns
from jobs.planning.services import take_other_time

WAYS_OUT = 3
OF_EACH = 2
LOOKED_AT = 40


@signed_in
def late(request: HttpRequest, booking_id: str) -> HttpResponseBase:
    """What stands in the way of a booking, with other times that could be had instead."""
    return _late(request, booking_id)


def _late(request: HttpRequest, booking_id: str, error: DomainError | None = None) -> HttpResponse:
    asked = here(request)
    booking = booking_for(asked.person, booking_id)
    one = next(
        (
            found
            for found in overruns(booking.machine.site_id, asked.at)
            if found.booking is not None and found.booking.pk == booking.pk
        ),
        None,
    )
    movable = booking.shown_state in LIVE and booking.end > asked.at
    context = {
        "booking": booking_card(booking),
        "late": one is not None,
        "sentence": _sentence(one, booking),
        "ways": _ways_out(asked, booking, one) if one is not None and movable else [],
        "problems": [{"sentence": say_problem(problem)} for problem in (error.problems if error else ())],
        "problems_title": _("Ce n’est pas réservé."),
    }
    return render(request, "dashboard/overrun.html", context, status=error.status if error else 200)


def _sentence(one: Overrun | None, booking: Any) -> str:
    if one is None:
        return _("La machine sera libre à l’heure.")
    if one.free_at is None:
        return _("Un autre objet y est encore. Personne ne sait jusqu’à quand.")
    when = formats.around(one.free_at, booking.machine.site.time_zone)
    return _("Un autre objet y est encore, jusque vers {time}.").format(time=when)


def _ways_out(asked: Here, booking: Any, one: Overrun) -> list[present.Card]:
    """Return the next times on machines of the kind, from the booked one on; the same time elsewhere comes first."""
    machine = booking.machine
    kind = machine.model.kind
    machines = list(in_use().filter(site_id=machine.site_id, model__kind_id=kind.pk))
    names = {each.pk: each.name for each in machines}
    minutes = round((booking.end - booking.start).total_seconds() / 60)
    wanted = max(asked.at, booking.start)
    others = [each for each in machines if each.pk != machine.pk]
    found = _of_each(next_offers(others, minutes, at=asked.at, from_=wanted, most=LOOKED_AT))[:WAYS_OUT]
    if one.free_at is not None:
        found += next_offers([machine], minutes, at=asked.at, from_=max(wanted, one.free_at), most=1)
    zone = machine.site.time_zone
    return [
        {
            "url": reverse("booking-other-time", args=[booking.pk]),
            "label": f"{names[offer.machine_id]} · {formats.day_and_time(offer.start, zone)}",
            "style": "primary" if number == 0 else "",
            "icon": "calendar",
            "fields": {"slot": slot_value(offer.machine_id, offer.start, offer.end)},
        }
        for number, offer in enumerate(sorted(found, key=lambda offer: offer.start))
    ]


def _of_each(offers: Iterable[Offer]) -> list[Offer]:
    """Keep the first times of each machine: a choice of machines, not of half hours."""
    kept: list[Offer] = []
    for offer in offers:
        if sum(other.machine_id == offer.machine_id for other in kept) < OF_EACH:
            kept.append(offer)
    return kept


def other_time(request: HttpRequest, booking_id: str) -> HttpResponseBase:
    """Take another time instead of the booked one, in one tap."""
    return (
        _other_time(request, booking_id)
        if request.method == "POST"
        else see_other(reverse("booking-late", args=[booking_id]))
    )


@writes
def _other_time(request: HttpRequest, booking_id: str) -> HttpResponseBase:
    asked = here(request)
    try:
        machine_id, start, end = slot_of(request.POST.get("slot", ""))
        booking = take_other_time(
            booking_id, machine_id=machine_id, start=start, end=end, actor=asked.person, at=asked.at
        )
    except NotFound:
        raise
    except DomainError as error:
        return _late(request, booking_id, error)
    messages.success(request, _("C’est réservé."))
    return see_other(reverse("booking", args=[booking.pk]))
