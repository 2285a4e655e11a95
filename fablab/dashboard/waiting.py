"""Waiting, in "Mes réservations": "Prendre", "Non merci", "Ne plus attendre". How one begins to wait: ``wishing``."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from equipment.bookings import waiting
from equipment.bookings.states import BookingState
from fablab.dashboard import formats, present
from fablab.dashboard.requests import Here, here, see_other, writes


def waits(asked: Here) -> list[present.Card]:
    """Return what the person waits for and is not offered just now; each can be ended in one tap."""
    cards = []
    for entry in waiting.waits_of(asked.person, asked.at):
        if entry.booking is not None and entry.booking.state == BookingState.HELD:
            continue  # stands above, as a time that is kept for them
        zone = entry.site.time_zone
        what = entry.machine.name if entry.machine is not None else entry.kind.name
        when = formats.listed(
            [
                formats.capital(formats.day_name(entry.from_time, zone)),
                formats.span(entry.from_time, entry.to_time, zone),
            ]
        )
        cards.append(
            {
                "what": what,
                "when": when,
                "how_long": formats.duration(entry.minutes),
                "leave": {
                    "url": reverse("waiting-leave", args=[entry.pk]),
                    "label": _("Ne plus attendre"),
                    "icon": "cross",
                    "of": formats.listed([what, when]),
                },
            }
        )
    return cards


def offer_actions(booking: Any) -> present.Card | None:
    """Return the two answers to a time that is held for its reader, else None."""
    if booking.state != BookingState.HELD or booking.ended_at is not None or booking.hold_until is None:
        return None
    zone = booking.machine.site.time_zone
    of = formats.listed([booking.machine.name, formats.day_and_time(booking.start, zone)])
    return {
        "until": formats.day_and_time(booking.hold_until, zone),
        "take": {
            "url": reverse("booking-take", args=[booking.pk]),
            "label": _("Prendre"),
            "icon": "check",
            "style": "primary",
            "large": True,
            "of": of,
        },
        "decline": {
            "url": reverse("booking-decline", args=[booking.pk]),
            "label": _("Non merci"),
            "icon": "cross",
            "of": of,
        },
    }


@writes
def leave(request: HttpRequest, entry_id: str) -> HttpResponseBase:
    asked = here(request)
    waiting.leave(entry_id, actor=asked.person, at=asked.at)
    messages.success(request, _("C’est noté : tu n’attends plus."))
    return see_other(reverse("bookings"))


@writes
def take(request: HttpRequest, booking_id: str) -> HttpResponseBase:
    asked = here(request)
    booking = waiting.take(booking_id, actor=asked.person, at=asked.at)
    messages.success(request, _("C’est réservé."))
    return see_other(reverse("booking", args=[booking.pk]))


@writes
def decline(request: HttpRequest, booking_id: str) -> HttpResponseBase:
    asked = here(request)
    waiting.decline(booking_id, actor=asked.person, at=asked.at)
    messages.success(request, _("C’est noté : quelqu’un d’autre peut l’avoir."))
    return see_other(reverse("bookings"))
