"""Bookings in one's own calendar program: the secret addresses, and what is read there."""

import hashlib
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from equipment.bookings import feeds, ical
from equipment.bookings.queries import booking_for
from fablab.core.times import language
from fablab.dashboard import formats
from fablab.dashboard.requests import here, page, see_other, signed_in, writes

CALENDAR = "text/calendar; charset=utf-8"
READS_A_MINUTE = 60  # of one feed; programs ask every few minutes at most


@signed_in
def agenda(request: HttpRequest) -> HttpResponseBase:
    """Where the person's calendar program finds their bookings, if they want that."""
    known = feeds.address_of(here(request).person)
    return render(request, "dashboard/agenda.html", _addresses(request, known))


@signed_in
def machine_agenda(request: HttpRequest, machine_id: str) -> HttpResponseBase:
    """The same for the hours at which a machine is taken: for those on duty."""
    person = here(request).person
    machine = feeds.machine_of(person, machine_id)
    known = feeds.address_of(person, machine_id=machine.pk)
    context = {"machine": machine.name, "machine_id": machine.pk, **_addresses(request, known)}
    return render(request, "dashboard/agenda.html", context)


@writes
def agenda_open(request: HttpRequest, machine_id: str | None = None) -> HttpResponseBase:
    """Créer mon adresse, or another one: the old one is dead."""
    asked = here(request)
    feeds.open_feed(asked.person, at=asked.at, machine_id=machine_id)
    messages.success(request, _("Ton adresse est prête."))
    return see_other(_page_of(machine_id))


@writes
def agenda_close(request: HttpRequest, machine_id: str | None = None) -> HttpResponseBase:
    """Supprimer l’adresse."""
    person = here(request).person
    if machine_id is not None:
        feeds.machine_of(person, machine_id)
    feeds.close_feed(person, machine_id=machine_id)
    messages.success(request, _("L’adresse ne marche plus."))
    return see_other(_page_of(machine_id))


@require_safe
@page
def feed(request: HttpRequest, address: str) -> HttpResponseBase:
    """Bookings for programs: who knows the address needs no session, and learns nothing else."""
    found = feeds.feed_at(address)
    at = timezone.now()
    if _asked_too_often(f"feed-{found.pk}-{at:%d%H%M}"):
        return HttpResponse(status=429, headers={"Retry-After": "60"})
    bookings = feeds.bookings_in(found, at)
    with translation.override(found.person.language):
        body = ical.calendar(
            bookings,
            told=_told(request) if found.machine is None else _told_of_machine(request),
            language=language(),
            name=_("Mes réservations") if found.machine is None else found.machine.name,
        )
    return _asked_again(request, body)


@signed_in
def booking_agenda(request: HttpRequest, booking_id: str) -> HttpResponseBase:
    """One booking for the person's own calendar, once; it does not follow what changes later."""
    found = booking_for(here(request).person, booking_id)
    body = ical.calendar([found], told=_told(request), language=language())
    answer = HttpResponse(body, content_type=CALENDAR)
    answer["Content-Disposition"] = 'attachment; filename="reservation.ics"'
    return answer


def _addresses(request: HttpRequest, known: str | None) -> dict[str, str]:
    """Return a feed's address to copy, and to open at once; nothing when there is none."""
    if known is None:
        return {}
    url = request.build_absolute_uri(reverse("feed", args=[known]))
    return {"feed_url": url, "open_url": f"webcal://{url.split('://', 1)[1]}"}


def _page_of(machine_id: str | None) -> str:
    return reverse("machine-agenda", args=[machine_id]) if machine_id else reverse("agenda")


def _told(request: HttpRequest) -> ical.Telling:
    """Return how one's own bookings are told: where, on the place's clock, and the code to say there."""

    def told(booking: Any) -> ical.Told:
        machine = booking.machine
        code = _("Code : {code}").format(code=formats.code(booking.code))
        return ical.Told(
            " – ".join(filter(None, (booking.title, machine.name, machine.site.name))),
            f"{_hours(booking)}\n{code}",
            request.build_absolute_uri(reverse("booking", args=[booking.pk])),
        )

    return told


def _told_of_machine(request: HttpRequest) -> ical.Telling:
    """Return how a machine's hours are told: taken, and not by whom.

    Calendar programs carry what they read to other companies' computers; the link leads those on duty to the person.
    """

    def told(booking: Any) -> ical.Told:
        return ical.Told(
            f"{booking.machine.name} – {booking.title or _('Réservé')}",
            _hours(booking),
            request.build_absolute_uri(reverse("booking", args=[booking.pk])),
        )

    return told


def _hours(booking: Any) -> str:
    """Return the hours on the place's clock, named: the program shows those of wherever its owner is."""
    zone = booking.machine.site.time_zone
    return f"{formats.span(booking.start, booking.end, zone)} ({zone})"


def _asked_too_often(key: str) -> bool:
    asked = cache.get(key, 0) + 1
    cache.set(key, asked, 120)
    return bool(asked > READS_A_MINUTE)


def _asked_again(request: HttpRequest, body: bytes) -> HttpResponseBase:
    """Answer with a file that is asked for again and again, mostly unchanged.

    Known by its ETag alone: a machine's new name changes no booking's time, and the file all the same.
    """
    etag = quote_etag(hashlib.sha256(body).hexdigest()[:32])
    response = HttpResponse(body, content_type=CALENDAR)
    response["Content-Disposition"] = 'inline; filename="reservations.ics"'
    response["Cache-Control"] = "private, no-cache"
    response["ETag"] = etag
    response["X-Robots-Tag"] = "noindex"
    return get_conditional_response(request, etag=etag, response=response) or response
