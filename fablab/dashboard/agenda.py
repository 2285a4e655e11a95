"""One's bookings in one's own calendar program: the secret address, and what is read there."""

import hashlib

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from equipment.bookings import feeds, ical
from equipment.bookings.queries import booking_for
from fablab.core.errors import NotFound
from fablab.dashboard import formats
from fablab.dashboard.requests import here, see_other, signed_in, writes

CALENDAR = "text/calendar; charset=utf-8"


@signed_in
def agenda(request: HttpRequest) -> HttpResponseBase:
    """Where the person's calendar program finds their bookings, if they want that."""
    known = feeds.address_of(here(request).person)
    url = request.build_absolute_uri(reverse("feed", args=[known])) if known else ""
    return render(
        request,
        "dashboard/agenda.html",
        {"feed_url": url, "open_url": f"webcal://{url.split('://', 1)[1]}" if url else ""},
    )


@writes
def agenda_open(request: HttpRequest) -> HttpResponseBase:
    """Créer mon adresse, or another one: the old one is dead."""
    asked = here(request)
    feeds.open_feed(asked.person, at=asked.at)
    messages.success(request, _("Ton adresse est prête."))
    return see_other(reverse("agenda"))


@writes
def agenda_close(request: HttpRequest) -> HttpResponseBase:
    """Supprimer l’adresse."""
    feeds.close_feed(here(request).person)
    messages.success(request, _("L’adresse ne marche plus."))
    return see_other(reverse("agenda"))


@require_safe
def feed(request: HttpRequest, address: str) -> HttpResponseBase:
    """A person's own bookings, for programs: who knows the address needs no session, and learns nothing else."""
    try:
        person = feeds.person_of(address)
    except NotFound as unknown:
        raise Http404 from unknown
    found = feeds.bookings_in_feed(person, timezone.now())
    with translation.override(person.language):
        body = ical.calendar(
            found,
            name=_("Mes réservations"),
            language=person.language,
            code_line=_code_line,
            address=lambda one: request.build_absolute_uri(reverse("booking", args=[one.pk])),
        )
    return _answer(request, body, "reservations.ics")


@signed_in
def booking_agenda(request: HttpRequest, booking_id: str) -> HttpResponseBase:
    """One booking for the person's own calendar, once; it does not follow what changes later."""
    found = booking_for(here(request).person, booking_id)
    body = ical.calendar(
        [found],
        language=formats.language(),
        code_line=_code_line,
        address=lambda one: request.build_absolute_uri(reverse("booking", args=[one.pk])),
    )
    answer = HttpResponse(body, content_type=CALENDAR)
    answer["Content-Disposition"] = 'attachment; filename="reservation.ics"'
    return answer


def _code_line(booking: object) -> str:
    return _("Code : {code}").format(code=formats.code(str(getattr(booking, "code", ""))))


def _answer(request: HttpRequest, body: bytes, name: str) -> HttpResponseBase:
    """Answer with a file that is asked for again and again, mostly unchanged."""
    etag = quote_etag(hashlib.sha256(body).hexdigest()[:32])
    response = HttpResponse(body, content_type=CALENDAR)
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["Cache-Control"] = "private, no-cache"
    response["ETag"] = etag
    response["X-Robots-Tag"] = "noindex"
    return get_conditional_response(request, etag=etag, response=response) or response
