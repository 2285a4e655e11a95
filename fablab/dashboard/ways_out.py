"""What somebody booked cannot take place, or not in time: what is known, and other times in one tap.

Two reasons lead here: what runs on the machine takes longer (``late``); the machine is out, the power is cut, the place
is closed (``stopped``). Nobody's booking is taken away: they move it, give it back, or keep it.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from equipment.bookings.obstacles import ALONE, OUT_OF_ORDER, POWER_CUT, Obstacle, obstacles, other_times
from equipment.bookings.queries import booking_for
from equipment.bookings.states import LIVE
from equipment.machines.queries import in_use
from fablab.core.errors import DomainError, NotFound
from fablab.core.words import say_problem
from fablab.dashboard import formats, present
from fablab.dashboard.bookings import booking_card, slot_value
from fablab.dashboard.outage_cards import photo_url
from fablab.dashboard.requests import Here, here, see_other, signed_in, writes
from fablab.dashboard.slots import slot_of
from jobs.planning.overruns import Overrun, overruns
from jobs.planning.services import take_other_time

Card = present.Card


@signed_in
def late(request: HttpRequest, booking_id: str) -> HttpResponseBase:
    """What is still on the machine, with other times that could be had instead."""
    return _late(request, booking_id)


@signed_in
def stopped(request: HttpRequest, booking_id: str) -> HttpResponseBase:
    """Why the booking cannot take place, with other times that could be had instead."""
    return _stopped(request, booking_id)


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
    context = {
        "hit": one is not None,
        "title": _("Ta réservation"),
        "sentence": _about(one, booking),
        "ways": _ways(asked, booking, one.free_at) if one is not None else [],
        "keep_label": _("J’attends la machine"),
    }
    return _page(request, booking, context, error)


def _about(one: Overrun | None, booking: Any) -> str:
    if one is None:
        return _("La machine sera libre à l’heure.")
    if one.free_at is None:
        return _("Un autre objet y est encore. Personne ne sait jusqu’à quand.")
    when = formats.around(one.free_at, booking.machine.site.time_zone)
    return _("Un autre objet y est encore, jusque vers {time}.").format(time=when)


def _stopped(request: HttpRequest, booking_id: str, error: DomainError | None = None) -> HttpResponse:
    asked = here(request)
    booking = booking_for(asked.person, booking_id)
    one = obstacles([booking], asked.at).get(booking.pk)
    context: Card = {
        "hit": one is not None,
        "title": _("Ta réservation ne peut pas avoir lieu") if one else _("Ta réservation"),
        "sentence": _why(one, booking.machine.name),
        "ways": _ways(asked, booking, booking.start) if one is not None else [],
        "keep_label": _("Garder ma réservation"),
    }
    if one is not None:
        zone = booking.machine.site.time_zone
        context |= {
            "reason": one.reason,
            "until": _("Retour prévu : {when}").format(when=formats.day_and_time(one.until, zone))
            if one.outage and one.until
            else "",
            "photo_url": photo_url(one.outage) if one.outage else "",
        }
    return _page(request, booking, context, error)


def _why(one: Obstacle | None, machine: str) -> str:
    if one is None:
        return _("Ta réservation peut avoir lieu.")
    if one.why == OUT_OF_ORDER:
        return _("{machine} ne marche pas à cette heure.").format(machine=machine)
    if one.why == POWER_CUT:
        return _("Le courant sera coupé à cette heure.")
    if one.why == ALONE:
        return _("Il faut un animateur à cette heure.")
    return _("Le lieu est fermé ce jour-là.")


def _page(request: HttpRequest, booking: Any, context: Card, error: DomainError | None) -> HttpResponse:
    context |= {
        "booking": booking_card(booking, here(request).at),
        "problems": [{"sentence": say_problem(problem)} for problem in (error.problems if error else ())],
        "problems_title": _("Ce n’est pas réservé."),
    }
    return render(request, "dashboard/ways_out.html", context, status=error.status if error else 200)


def _ways(asked: Here, booking: Any, own_from: Any) -> list[Card]:
    """Return up to three other times, each one tap; the soonest is the first."""
    if booking.shown_state not in LIVE or booking.end <= asked.at:
        return []
    machine = booking.machine
    kind_id = machine.model.kind_id
    names = dict(in_use().filter(site_id=machine.site_id, model__kind_id=kind_id).values_list("pk", "name"))
    zone = machine.site.time_zone
    return [
        {
            "url": reverse("booking-other-time", args=[booking.pk]),
            "label": f"{names[offer.machine_id]} · {formats.day_and_time(offer.start, zone)}",
            "style": "primary" if number == 0 else "",
            "icon": "calendar",
            "fields": {"slot": slot_value(offer.machine_id, offer.start, offer.end)},
        }
        for number, offer in enumerate(other_times(booking, asked.at, own_from=own_from))
    ]


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
        is_hit = obstacles([booking_for(asked.person, booking_id)], asked.at)
        return (_stopped if is_hit else _late)(request, booking_id, error)
    messages.success(request, _("C’est réservé."))
    return see_other(reverse("booking", args=[booking.pk]))
