"""Coupures de courant: announced ones, listed, entered and taken back by staff; the gap between starts, by managers."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from equipment.bookings import hit
from equipment.sites import services
from equipment.sites.queries import power_cut_for, power_cuts_to_come
from equipment.sites.states import Role
from fablab.core.errors import DomainError, Malformed, NotAllowed, NotFound
from fablab.dashboard import formats, present, typed
from fablab.dashboard.requests import Here, here, see_other, signed_in, writes
from fablab.dashboard.worklist import on_duty

Card = present.Card


@signed_in
def power_cuts(request: HttpRequest) -> HttpResponseBase:
    """What is announced for the place; staff enter one."""
    return _page(request, on_duty(request))


def _page(request: HttpRequest, asked: Here, error: DomainError | None = None) -> HttpResponseBase:
    assert asked.site is not None
    given = request.POST if error else {}
    wrong = typed.wrong_fields(error)
    fields = [
        typed.field("start", _("Début"), given, wrong, type_="datetime-local"),
        typed.field("end", _("Fin"), given, wrong, type_="datetime-local"),
        typed.field("reason", _("Pourquoi"), given, wrong, optional=True, most=120),
    ]
    context = {
        "cuts": [_card(cut, asked) for cut in power_cuts_to_come(asked.site.pk, asked.at)],
        "fields": fields if asked.keeps_machines else [],
        "gap": _gap(asked.site, given, wrong) if Role.MANAGER in asked.roles else None,
        "zone": asked.zone,
        "problems": typed.summary(error),
    }
    return render(request, "dashboard/power_cuts.html", context, status=error.status if error else 200)


def _gap(site: Any, given: Any, wrong: Any) -> Card:
    return {
        "id": "start_gap_s",
        "name": "start_gap_s",
        "label": _("Secondes entre deux démarrages"),
        "help": _("0 : les machines peuvent partir ensemble."),
        "type": "number",
        "value": str(given.get("start_gap_s", site.start_gap_s)),
        "error": wrong.get("start_gap_s", ""),
        "attributes": {"min": 0, "max": services.LONGEST_GAP_S, "inputmode": "numeric"},
    }


def _card(cut: Any, asked: Here) -> Card:
    end = formats.until_after(cut.start, cut.end, asked.zone)
    return {
        "when": f"{formats.capital(formats.day_and_time(cut.start, asked.zone))} – {end}",
        "reason": cut.reason,
        "now": cut.start <= asked.at,
        "cancel": {
            "url": reverse("power-cut-cancel", args=[cut.pk]),
            "label": _("Annuler"),
            "icon": "cross",
            "of": formats.day_and_time(cut.start, asked.zone),
        }
        if asked.keeps_machines
        else None,
    }


@writes
def announce(request: HttpRequest) -> HttpResponseBase:
    """Enter a power cut; everybody who has booked in that time is told. The form keeps what was typed."""
    asked = here(request)
    if asked.site is None or not asked.keeps_machines:
        raise NotAllowed("not_allowed")
    try:
        start, end = typed.span(request.POST, asked.zone)
        hit.announce_power_cut(
            site_id=asked.site.pk,
            start=start,
            end=end,
            reason=request.POST.get("reason", ""),
            actor=asked.person,
            at=asked.at,
        )
    except (NotAllowed, NotFound):
        raise
    except DomainError as error:
        return _page(request, asked, error)
    messages.success(request, _("C’est noté. Les réservations touchées sont prévenues."))
    return see_other(reverse("power-cuts"))


@writes
def set_gap(request: HttpRequest) -> HttpResponseBase:
    """Say how far apart the machines of the place start. The form keeps what was typed."""
    asked = here(request)
    if asked.site is None or Role.MANAGER not in asked.roles:
        raise NotAllowed("not_allowed")
    text = request.POST.get("start_gap_s", "").strip()
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1
    try:
        services.set_start_gap(site_id=asked.site.pk, seconds=seconds, actor=asked.person, at=asked.at)
    except Malformed as error:
        return _page(request, asked, error)
    messages.success(request, _("C’est noté."))
    return see_other(reverse("power-cuts"))


@writes
def cancel(request: HttpRequest, cut_id: str) -> HttpResponseBase:
    """Take one back; its time is free again."""
    asked = here(request)
    cut = power_cut_for(asked.person, cut_id)
    hit.cancel_power_cut(cut.pk, actor=asked.person, at=asked.at)
    messages.success(request, _("La coupure est annulée."))
    return see_other(reverse("power-cuts"))
