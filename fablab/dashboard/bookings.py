"""One's own bookings: coming ones with "Annuler", and the page of one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipment.bookings import giving_back
from equipment.bookings.obstacles import hit_by
from equipment.bookings.queries import booking_for, visible_bookings
from equipment.bookings.states import LIVE, BookingState
from equipment.bookings.words import SET_ASIDE, STATES
from equipment.sites.queries import roles_of
from equipment.sites.states import ON_DUTY_ROLES
from fablab.dashboard import formats, on_the_day, present
from fablab.dashboard.requests import Here, here, see_other, signed_in, writes
from fablab.dashboard.waiting import offer_actions, waits
from fablab.people.queries import names_of

PAST_SHOWN = 10
HIT: Mapping[str, Any] = {
    "out_of_order": gettext_lazy("Réservé, mais la machine est en panne"),
    "power_cut": gettext_lazy("Réservé, mais le courant sera coupé"),
    "closed": gettext_lazy("Réservé, mais le lieu sera fermé"),
    "alone": gettext_lazy("Réservé, mais pas d’animateur"),
}


def coming_bookings(asked: Here) -> Any:
    own = visible_bookings(asked.person).filter(person=asked.person)
    return own.filter(state__in=list(LIVE), end__gt=asked.at).order_by("start")


def slot_value(machine_id: str, start: datetime, end: datetime) -> str:
    """Return a time on a machine as forms carry it."""
    return f"{machine_id}|{start.isoformat()}|{end.isoformat()}"


@signed_in
def bookings(request: HttpRequest) -> HttpResponseBase:
    """One's own bookings: those to come, each with "Annuler", then the last ones."""
    asked = here(request)
    coming = list(coming_bookings(asked))
    hit = hit_by(coming, asked.at)
    own = visible_bookings(asked.person).filter(person=asked.person)
    offered = list(own.filter(state=BookingState.HELD, ended_at__isnull=True).order_by("hold_until"))
    shown = [one.pk for one in (*coming, *offered)]
    past = list(own.exclude(pk__in=shown).order_by("-start")[:PAST_SHOWN])
    return render(
        request,
        "dashboard/bookings.html",
        {
            "offered": [booking_card(one, asked.at) | {"offer": offer_actions(one)} for one in offered],
            "coming": [booking_card(one, asked.at, hit) for one in coming],
            "waits": waits(asked),
            "past": [booking_card(one, asked.at) for one in past],
            "undo": _undo(asked, request.GET.get("annule", "")),
            "zone": formats.listed(sorted({one.machine.site.time_zone for one in [*coming, *past]})),
        },
    )


def booking_card(booking: Any, at: datetime, hit: Mapping[str, str] | None = None) -> present.Card:
    """Return what a list says of a booking; ``hit`` says by id which ones cannot be used as things stand.

    A use that runs is ended, not cancelled: what was used stays counted.
    """
    zone = booking.machine.site.time_zone
    kind = booking.machine.model.kind
    live = booking.shown_state in LIVE
    runs = live and booking.state == BookingState.IN_USE and booking.start <= at
    why = (hit or {}).get(booking.pk, "")
    return {
        "id": booking.pk,
        "url": reverse("booking", args=[booking.pk]),
        "state": "hit" if why else booking.shown_state,
        "state_label": HIT[why] if why else STATES[booking.shown_state],
        "other_time": {
            "url": reverse("booking-stopped", args=[booking.pk]),
            "label": _("Choisir une autre heure"),
            "icon": "calendar",
            "style": "primary",
            "method": "get",
        }
        if why
        else None,
        "day": formats.capital(formats.day_name(booking.start, zone)),
        "hours": formats.span(booking.start, booking.end, zone),
        "zone": zone,
        "machine": booking.machine.name,
        "title": booking.title,
        "kind": kind.name,
        "site": booking.machine.site.name,
        "drawing": present.drawing_of(kind.icon),
        "code": formats.code(booking.code),
        "cancel": {
            "url": reverse("booking-cancel", args=[booking.pk]),
            "label": _("Annuler"),
            "icon": "cross",
            "of": formats.listed([booking.machine.name, formats.day_and_time(booking.start, zone)]),
        }
        if live and not runs
        else None,
        "done": {
            "url": reverse("booking-done", args=[booking.pk]),
            "label": _("J’ai fini"),
            "icon": "check-circle",
            "of": booking.machine.name,
        }
        if runs
        else None,
    }


def _undo(asked: Here, booking_id: str) -> present.Card | None:
    """Return the way back for a time that was given back a moment ago; the slot is nobody else's until then."""
    mine = visible_bookings(asked.person).filter(pk=booking_id, person=asked.person)
    booking = mine.first() if booking_id else None
    if booking is None or not giving_back.still_undoable(booking, asked.at):
        return None
    return {
        "sentence": _("Créneau rendu."),
        "url": reverse("booking-take-back", args=[booking.pk]),
        "until": booking.hold_until,
        "label": _("Le reprendre"),
        "fields": {},
    }


@signed_in
def booking(request: HttpRequest, booking_id: str) -> HttpResponseBase:
    """A booking's own page: the code, when, where, and what can be done with it now."""
    asked = here(request)
    found = booking_for(asked.person, booking_id)
    own = found.person_id == asked.person.pk
    helps = bool(roles_of(asked.person, found.machine.site_id) & ON_DUTY_ROLES)
    counts = found.state == BookingState.NO_SHOW and found.excused_at is None
    return render(
        request,
        "dashboard/booking.html",
        {
            "booking": booking_card(found, asked.at, hit_by([found], asked.at))
            | {"address": found.machine.site.address, "offer": offer_actions(found) if own else None},
            "person": "" if own else found.person.display_name,
            "set_aside": _set_aside(found),
            "agenda_url": reverse("booking-agenda", args=[found.pk]),
            "day_actions": on_the_day.day_actions(found, asked),
            "excuse": on_the_day.excuse_action(found) if counts and helps else None,
            "excused": found.excused_at is not None,
            "series_url": reverse("series", args=[found.series_id]) if helps and found.series_id else "",
        },
    )


def _set_aside(booking: Any) -> list[present.Card]:
    """Return which rules were set aside for a booking, by whom and why."""
    names = names_of({one.get("by", "") for one in booking.overrides}) if booking.overrides else {}
    return [
        {
            "what": SET_ASIDE.get(one["code"], one["code"]),
            "why": one.get("reason", ""),
            "who": names.get(one.get("by", ""), ""),
        }
        for one in booking.overrides
    ]


@writes
def booking_cancel(request: HttpRequest, booking_id: str) -> HttpResponseBase:
    """Give the time back; for ten seconds it is still one's own, and can be taken again (J16)."""
    asked = here(request)
    given = giving_back.give_back(booking_id, actor=asked.person, at=asked.at)
    if given.person_id != asked.person.pk:
        messages.success(request, _("Réservation annulée."))
        return see_other(reverse("booking", args=[booking_id]))
    return see_other(f"{reverse('bookings')}?annule={booking_id}")


@writes
def booking_take_back(request: HttpRequest, booking_id: str) -> HttpResponseBase:
    """Take back what was given back a moment ago."""
    asked = here(request)
    giving_back.take_back(booking_id, actor=asked.person, at=asked.at)
    messages.success(request, _("C’est de nouveau à toi."))
    return see_other(reverse("bookings"))
