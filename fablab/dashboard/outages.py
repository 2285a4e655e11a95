"""Arrêts d'une machine: at once or planned, seen beforehand whom they hit, with a picture, and ended early."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from equipment.bookings import hit
from equipment.bookings.free import FOREVER
from equipment.bookings.obstacles import hit_if_out
from equipment.machines import photos, services
from equipment.machines.outages import outage_for, problems_of, to_come, until_when
from equipment.machines.queries import machine_for
from equipment.sites.queries import require_role
from equipment.sites.states import ON_DUTY_ROLES
from fablab.api.files import send_file
from fablab.api.photos import ACCEPTED, MIB, kept_photo
from fablab.core.errors import DomainError, Malformed, NotAllowed, NotFound, Problem
from fablab.dashboard import formats, present, typed
from fablab.dashboard.outage_cards import hit_rows, photo_url, when
from fablab.dashboard.requests import Here, here, see_other, signed_in, writes

Card = present.Card


@signed_in
def outages(request: HttpRequest, machine_id: str) -> HttpResponseBase:
    """What is announced for a machine; with a time, whom an outage then would hit, and the form to confirm it."""
    asked = here(request)
    found = _on_duty(asked, machine_id)
    given = request.GET
    if "start" not in given:
        return _page(request, asked, found)
    try:
        typed_span = _span(given, found, asked)
    except Malformed as error:
        return _page(request, asked, found, error)
    return _page(request, asked, found, span=typed_span)


def _on_duty(asked: Here, machine_id: str) -> Any:
    found = machine_for(asked.person, machine_id)
    require_role(asked.person, found.site_id, ON_DUTY_ROLES)
    return found


def _span(given: typed.Given, found: Any, asked: Here) -> tuple[Any, Any]:
    start, end = typed.span(given, found.site.time_zone)
    problems = problems_of(start, end, asked.at)
    if problems:
        raise Malformed(*problems)
    return start, end


def _page(
    request: HttpRequest,
    asked: Here,
    found: Any,
    error: DomainError | None = None,
    *,
    span: tuple[Any, Any] | None = None,
) -> HttpResponse:
    given = request.POST if request.method == "POST" else request.GET
    wrong = typed.wrong_fields(error)
    zone = found.site.time_zone
    at_once = request.method == "POST" and "start" not in given
    planning = {} if at_once else given
    if span is None and request.method == "POST" and not at_once:
        try:
            span = _span(given, found, asked)
        except Malformed:
            span = None  # said already
    of_plan = {} if at_once else wrong
    rows = to_come(found, asked.at)
    context: Card = {
        "name": found.name,
        "place": found.site.name,
        "zone": zone,
        "machine_url": reverse("machine", args=[found.pk]),
        "make_url": reverse("outage-make", args=[found.pk]),
        "page_url": reverse("outages", args=[found.pk]),
        "outages": [_card(outage, asked, zone) for outage in rows],
        "plan": [
            typed.field("start", _("Début"), planning, of_plan, type_="datetime-local"),
            typed.field("end", _("Fin"), planning, of_plan, type_="datetime-local"),
        ],
        "photo_accept": ACCEPTED,
        "photo_limit": photos.LARGEST_BYTES // MIB,
        "problems": typed.summary(error),
    }
    if span is not None:
        context["confirm"] = {
            "when": f"{formats.capital(formats.day_and_time(span[0], zone))} – "
            f"{formats.until_after(span[0], span[1], zone)}",
            "hit": hit_rows(hit_if_out(found, *span, asked.at), zone),
            "hidden": typed.kept(given, ("start", "end")),
            "reason": typed.field("reason", _("Pourquoi"), planning, of_plan, most=200),
            "photo_error": of_plan.get("photo", ""),
        }
    elif all(outage.end is not None for outage in rows) and found.out_of_order_since is None:
        told = given if at_once else {}
        said = wrong if at_once else {}
        until = typed.field("until", _("Retour prévu"), told, said, type_="datetime-local", optional=True)
        context["at_once"] = {
            "reason": {
                **typed.field("reason", _("Que se passe-t-il ?"), told, said, most=200),
                "id": "reason-now",
            },
            "until": until,
            "count": len(hit_if_out(found, asked.at, FOREVER, asked.at)),
            "photo_error": said.get("photo", ""),
        }
    return render(request, "dashboard/outages.html", context, status=error.status if error else 200)


def _card(outage: Any, asked: Here, zone: str) -> Card:
    begun = outage.start <= asked.at
    until = until_when(outage, asked.at)
    return {
        "key": str(outage.pk),
        "when": when(outage, zone),
        "until": _("Retour prévu : {when}").format(when=formats.day_and_time(until, zone))
        if until and outage.end is None
        else "",
        "reason": outage.reason,
        "now": begun,
        "who": outage.created_by.display_name if outage.created_by else "",
        "expect": {
            "url": reverse("outage-expect", args=[outage.machine_id, outage.pk]),
            "field": {
                **typed.field("until", _("Retour prévu"), {}, {}, type_="datetime-local", optional=True),
                "id": f"until-{outage.pk}",
            },
        }
        if outage.end is None
        else None,
        "photo_url": photo_url(outage),
        "photo_to": reverse("outage-photo-add", args=[outage.machine_id, outage.pk]),
        "end": {
            "url": reverse("outage-end", args=[outage.machine_id, outage.pk]),
            "label": _("Remettre en service plus tôt") if begun else _("Annuler"),
            "icon": "check" if begun else "cross",
            "of": when(outage, zone),
        },
    }


# --- writes -------------------------------------------------------------------------------------------------------


def make(request: HttpRequest, machine_id: str) -> HttpResponseBase:
    """Put a machine out of order now, or plan an outage; those who have booked it then are told."""
    if request.method != "POST":
        return see_other(reverse("outages", args=[machine_id]))
    return _make(request, machine_id)


@writes
def _make(request: HttpRequest, machine_id: str) -> HttpResponseBase:
    asked = here(request)
    found = _on_duty(asked, machine_id)
    try:
        with kept_photo(request.FILES.get("photo")) as photo:
            if "start" in request.POST:
                said = _plan(request, asked, found, photo)
            else:
                said = _at_once(request, asked, found, photo)
    except (NotAllowed, NotFound):
        raise
    except DomainError as error:
        return _page(request, asked, found, error)
    messages.success(request, said)
    return see_other(reverse("outages", args=[machine_id]))


def _plan(request: HttpRequest, asked: Here, found: Any, photo: str) -> str:
    start, end = typed.span(request.POST, found.site.time_zone)
    hit.plan_outage(
        found.pk,
        start=start,
        end=end,
        reason=request.POST.get("reason", ""),
        photo=photo,
        actor=asked.person,
        at=asked.at,
    )
    return _("C’est noté. Les réservations touchées sont prévenues.")


def _at_once(request: HttpRequest, asked: Here, found: Any, photo: str) -> str:
    until = _until(request, found)
    try:
        hit.put_out_of_order(
            found.pk,
            actor=asked.person,
            reason=request.POST.get("reason", ""),
            expected_end=until,
            photo=photo,
            at=asked.at,
        )
    except Malformed as error:
        raise Malformed(*(_at_its_field(problem) for problem in error.problems)) from error
    return _("{machine} est en panne.").format(machine=found.name)


def _until(request: HttpRequest, found: Any) -> Any:
    given = request.POST.get("until")
    return typed.wall_time(given, found.site.time_zone, field="until", second=True) if given else None


def _at_its_field(problem: Problem) -> Problem:
    fields = {"end": "until", "reason": "reason-now"}
    return Problem(problem.code, problem.params, fields.get(problem.field or "", problem.field))


@writes
def end(request: HttpRequest, machine_id: str, outage_id: str) -> HttpResponseBase:
    """Bring the machine back before the time, or call a planned outage off."""
    asked = here(request)
    outage = outage_for(asked.person, outage_id)
    if outage.machine_id != machine_id:
        raise NotFound
    begun = outage.start <= asked.at
    hit.end_outage(outage.pk, actor=asked.person, at=asked.at)
    said = _("{machine} est de nouveau en service.") if begun else _("L’arrêt est annulé.")
    messages.success(request, said.format(machine=outage.machine.name))
    return see_other(reverse("outages", args=[machine_id]))


@writes
def expect(request: HttpRequest, machine_id: str, outage_id: str) -> HttpResponseBase:
    """Say when the machine is expected back; nothing typed: nobody can tell."""
    asked = here(request)
    outage = outage_for(asked.person, outage_id)
    if outage.machine_id != machine_id:
        raise NotFound
    hit.expect_back(outage.pk, expected_end=_until(request, outage.machine), actor=asked.person, at=asked.at)
    messages.success(request, _("C’est noté. Les réservations touchées sont prévenues."))
    return see_other(reverse("outages", args=[machine_id]))


def add_photo(request: HttpRequest, machine_id: str, outage_id: str) -> HttpResponseBase:
    """Put a picture with an outage, in the place of another."""
    if request.method != "POST":
        return see_other(reverse("outages", args=[machine_id]))
    return _add_photo(request, machine_id, outage_id)


@writes
def _add_photo(request: HttpRequest, machine_id: str, outage_id: str) -> HttpResponseBase:
    asked = here(request)
    found = _on_duty(asked, machine_id)
    outage = outage_for(asked.person, outage_id)
    if outage.machine_id != machine_id:
        raise NotFound
    if "photo" not in request.FILES:
        raise Malformed(Problem("photo_missing", field="photo"))
    with kept_photo(request.FILES["photo"]) as name:
        before = services.set_photo(outage.pk, photo=name, actor=asked.person, at=asked.at)
    photos.remove([before])
    messages.success(request, _("La photo est là."))
    return see_other(reverse("outages", args=[found.pk]))


@signed_in
def photo(request: HttpRequest, machine_id: str, outage_id: str) -> HttpResponseBase:
    """The picture itself: who asks is checked each time."""
    asked = here(request)
    if outage_for(asked.person, outage_id).machine_id != machine_id:
        raise NotFound
    path = photos.photo_for(asked.person, outage_id, asked.at)
    return send_file(request, path, name="photo.jpg", content_type="image/jpeg")
