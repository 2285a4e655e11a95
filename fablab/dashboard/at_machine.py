"""The page at the machine, behind its QR code: what it is for whoever stands there, and the next tap for each.

Anybody reads name, state and how-to and may say that it does not work. Members use it now, say "C'est moi", and make
their own objects where the kind allows. Instructors and staff are the link of a machine that has none.
"""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import segno
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipment.bookings import hit
from equipment.bookings.queries import now_at, use_of
from equipment.bookings.use import EARLIEST_CHECK_IN, finish
from equipment.bookings.walk_up import longest_now
from equipment.certifications import adoption
from equipment.machines import foreign, said
from equipment.machines.queries import in_use, machine_for
from equipment.machines.states import Condition
from equipment.sites.queries import require_role
from equipment.sites.states import ON_DUTY_ROLES, STAFF_ROLES
from fablab.api.shapes import machine_shape
from fablab.core.errors import DomainError, NotFound, Refused
from fablab.dashboard import formats, handwork, plates, present, slots
from fablab.dashboard.desk import presence_card
from fablab.dashboard.on_the_day import day_actions
from fablab.dashboard.outage_cards import outage_now
from fablab.dashboard.requests import Here, here, page, refuse, see_other, sentences, signed_in, writes
from jobs.lifecycle import words
from jobs.lifecycle.press import clear_plate, press
from jobs.lifecycle.queries import job_for
from jobs.lifecycle.services import use_now
from jobs.lifecycle.table import Action
from jobs.planning.services import take_now

Card = present.Card


@page
def at_machine(request: HttpRequest, machine_id: str) -> HttpResponseBase:
    """What stands here, and what the one who reads may do."""
    found = in_use().filter(pk=machine_id).first()
    if found is None:
        raise NotFound
    asked = here(request) if request.user.is_authenticated else None
    roles = asked.viewer.roles_at(found.site_id) if asked else set()
    on_duty = bool(roles & ON_DUTY_ROLES)
    at = asked.at if asked else timezone.now()
    shape = machine_shape(found, at=at, staff=on_duty)
    zone = found.site.time_zone
    guide = found.model.kind.by_hand
    context: Card = {
        "machine": present.machine_card(shape, zone=zone),
        "machine_id": found.pk,
        "name": found.name,
        "place": found.site.name,
        "how_to": [choice.label for choice in guide.how_to],
        "known": bool(roles),
        "on_duty": on_duty,
        # Everybody must know before they use it; when it was told and by whom stays with those on duty (J17).
        "fault_told": found.needs_help_why == said.FAULT_TOLD and not on_duty,
    }
    if asked is not None and roles:
        context |= _for_members(found, shape, asked)
    if asked is not None and on_duty:
        context |= {
            "presence": presence_card(asked) if asked.site and asked.site.pk == found.site_id else None,
            "by_hand": _by_hand(found, shape),
            "help": _help(found, zone),
        }
    return render(request, "dashboard/at_machine.html", context)


def _for_members(found: Any, shape: Mapping[str, Any], asked: Here) -> Card:
    work = handwork.work(found, shape, asked)
    use = None
    if shape["state"] == Condition.FREE and work["job"] is None:
        until = longest_now(found, asked.at, person=asked.person)
        use = reverse("at-machine-use", args=[found.pk]) if until else None
    return {
        **work,
        "topic": f"machine:{found.pk}",
        "site_id": found.site_id,
        "use_url": use,
        "done": _done_button(found, asked),
        "day_actions": _on_the_day(found, asked),
        "book_url": reverse("book-kind", args=[found.model.kind.slug]),
        "foreign": _foreign(found, asked),
        "outage": outage_now(found, asked.at) if shape["state"] == Condition.OUT_OF_ORDER else None,
        "page_url": reverse("machine", args=[found.pk]),
    }


def _done_button(found: Any, asked: Here) -> Card | None:
    """Return "J’ai fini" while the reader, or somebody whose bookings they look after, uses the machine."""
    booking = use_of(asked.person, found.pk, asked.at)
    if booking is None:
        return None
    own = booking.person_id == asked.person.pk
    return {
        "url": reverse("at-machine-act", args=[found.pk, "done"]),
        "label": _("J’ai fini") if own else _("{person} a fini").format(person=booking.person.display_name),
        "icon": "check-circle",
        "style": "primary" if own else "",
        "of": found.name,
        "fields": {"booking": booking.pk},  # a page that was left open ends nobody else's time
    }


def _on_the_day(found: Any, asked: Here) -> list[Card]:
    """Return "Je suis là" and "Rester plus longtemps" for a booking of this hour; "J’ai fini" stands by itself."""
    bookings = now_at(asked.person, found.pk, asked.at, early=EARLIEST_CHECK_IN)
    return [
        action | {"fields": {**action.get("fields", {}), "at_machine": "1"}}
        for booking in bookings
        for action in day_actions(booking, asked)
        if action["url"] != reverse("booking-done", args=[booking.pk])
    ]


def _foreign(found: Any, asked: Here) -> Card | None:
    """Return what runs there without having come through the queue: whose it is, and who may say so."""
    one = foreign.now_on(found.pk)
    if one is None:
        return None
    mine = one.person_id == asked.person.pk
    on_duty = bool(asked.viewer.roles_at(found.site_id) & ON_DUTY_ROLES)
    return {
        "id": one.pk,
        "since": formats.day_and_time(one.began_at, found.site.time_zone),
        "mine": mine,
        "whose": one.person.display_name if one.person and on_duty and not mine else "",
        "may_adopt": one.person_id is None and adoption.may_adopt(asked.person, found, asked.at),
        "may_undo": one.person_id is not None and (mine or on_duty),
        "path": one.path if mine or on_duty else "",
    }


def _by_hand(found: Any, shape: Mapping[str, Any]) -> list[Card]:
    """Return what a person says of the machine in one tap (UX-2), less what is so already."""
    state = shape["state"]
    offered: list[tuple[str, Any, str]] = []
    if not found.linked and not shape["current_jobs"]:
        if not shape["in_use"]:
            offered.append(("in-use", _("Occupée"), "running"))
        if found.in_use_since is not None or shape["needs_help"]:
            offered.append(("free", _("Libre"), "check-circle"))
    elif shape["needs_help"]:
        offered.append(("helped", _("C’est réglé"), "check-circle"))
    if shape["needs_help"] is None:
        offered.append(("needs-help", _("Besoin d’aide"), "hand"))
    if state == Condition.OUT_OF_ORDER:
        offered = [("back-in-service", _("Remettre en service"), "check")]
    else:
        offered.append(("out-of-order", _("En panne"), "wrench"))
    return [
        {
            "url": reverse("at-machine-act", args=[found.pk, action]),
            "label": label,
            "icon": icon,
            "style": "danger" if action == "out-of-order" else "",
            "of": found.name,
        }
        for action, label, icon in offered
    ]


def _help(found: Any, zone: str) -> str:
    """Return what was said and when, for those on duty."""
    if found.needs_help_since is None:
        return ""
    when = formats.day_and_time(found.needs_help_since, zone)
    if found.needs_help_why == said.FAULT_TOLD:
        return _("Quelqu’un dit : elle ne marche pas ({when}).").format(when=when)
    return _("Besoin d’aide depuis {when}.").format(when=when)


# --- taps ---------------------------------------------------------------------------------------------------------


def tell_fault(request: HttpRequest, machine_id: str) -> HttpResponseBase:
    """Elle ne marche pas: anybody, without an account; thanks are the same however often it is told (J17)."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    person = request.user if request.user.is_authenticated else None
    try:
        said.tell_fault(machine_id, actor=person, at=timezone.now())
    except NotFound as error:
        raise Http404 from error
    messages.success(request, _("Merci. Un animateur va regarder."))
    return see_other(reverse("at-machine", args=[machine_id]))


def _press(action: Action) -> Callable[..., str]:
    def done(request: HttpRequest, asked: Here, machine_id: str) -> str:
        job_id = request.POST.get("job", "")
        reason = request.POST.get("reason", "")
        if action is Action.FAIL:
            reason = handwork.reason_to_keep(job_for(asked.person, job_id), reason)
        elif action is Action.STOPPED:
            reason = "cancelled_at_machine"
        plate_clear = request.POST.get("plate_clear") == "true"
        lay_there = plates.lying(machine_id) if plate_clear and action is Action.START else []
        _job, order = press(
            job_id,
            action,
            actor=asked.person,
            at=asked.at,
            reason=reason,
            plate_clear=plate_clear,
            machine=machine_id,
            seen_plate=plates.seen_plate(request),
        )
        # What is asked of a machine has not been answered yet.
        said = words.ASKED_WORDS[order.verb] if order is not None else words.HISTORY_WORDS[action]
        return plates.also(str(said), lay_there)

    return done


def _take(request: HttpRequest, asked: Here, machine_id: str) -> str:
    job = take_now(request.POST.get("job", ""), machine_id, actor=asked.person, at=asked.at)
    return _("N° {n} est sur la machine. Suis les étapes.").format(n=job.number)


def _clear(request: HttpRequest, asked: Here, machine_id: str) -> str:
    lay_there = plates.lying(machine_id)
    machine = clear_plate(machine_id, actor=asked.person, at=asked.at, seen_plate=plates.seen_plate(request))
    return plates.cleared(machine.name, machine.model.kind.by_hand, lay_there)


def _state(service: Callable[..., Any], sentence: Any) -> Callable[..., str]:
    def done(request: HttpRequest, asked: Here, machine_id: str) -> str:
        machine = service(machine_id, actor=asked.person, at=asked.at)
        return str(sentence).format(machine=machine.name)

    return done


def _out_of_order(request: HttpRequest, asked: Here, machine_id: str) -> str:
    machine = hit.put_out_of_order(
        machine_id, actor=asked.person, reason=_("Dit devant la machine"), at=asked.at
    )
    return _("{machine} est en panne.").format(machine=machine.name)


def _adopt(request: HttpRequest, asked: Here, machine_id: str) -> str:
    adoption.adopt(machine_id, actor=asked.person, at=asked.at)
    return _("C’est noté : c’est à toi. On te dit quand c’est fini.")


def _disown(request: HttpRequest, asked: Here, machine_id: str) -> str:
    adoption.disown(request.POST.get("foreign", ""), actor=asked.person, at=asked.at)
    return _("C’est noté : ce n’est pas à toi.")


def _done(request: HttpRequest, asked: Here, machine_id: str) -> str:
    booking = use_of(asked.person, machine_id, asked.at)
    if booking is None or booking.pk != request.POST.get("booking"):
        raise Refused("booking_over")
    finish(booking.pk, actor=asked.person, at=asked.at)
    return _("C’est noté : le reste du temps est pour les autres.")


ACTS: Mapping[str, Callable[..., str]] = {
    "take": _take,
    **{
        action.replace("_", "-"): _press(action)
        for action in (
            Action.START,
            Action.PAUSE,
            Action.RESUME,
            Action.ASK_STOP,
            Action.FINISH,
            Action.FAIL,
            Action.STOPPED,
            Action.RELEASE,
            Action.REQUEUE,
        )
    },
    "clear-plate": _clear,
    "in-use": _state(said.take_in_use, gettext_lazy("{machine} est occupée.")),
    "free": _state(said.set_free, gettext_lazy("{machine} est libre.")),
    "needs-help": _state(said.ask_help, gettext_lazy("{machine} a besoin d’aide.")),
    "helped": _state(said.helped, gettext_lazy("C’est réglé sur {machine}.")),
    "out-of-order": _out_of_order,
    "back-in-service": _state(hit.back_in_service, gettext_lazy("{machine} est de nouveau en service.")),
    "done": _done,
    "adopt": _adopt,
    "disown": _disown,
}


@writes
def act(request: HttpRequest, machine_id: str, action: str) -> HttpResponseBase:
    """One tap at the machine; whatever became of it is said on the same page."""
    asked = here(request)
    machine_for(asked.person, machine_id)
    if action not in ACTS:
        raise Http404
    address = reverse("at-machine", args=[machine_id])
    try:
        messages.success(request, ACTS[action](request, asked, machine_id))
    except NotFound:
        raise
    except DomainError as error:
        refuse(request, error)
    return see_other(f"{address}#work")


# --- "Je l'utilise maintenant" ------------------------------------------------------------------------------------


@signed_in
def use(request: HttpRequest, machine_id: str) -> HttpResponseBase:
    """Until when the machine can be had from now on, and the button that says so (J2)."""
    asked = here(request)
    found = machine_for(asked.person, machine_id)
    if request.method == "POST":
        return _use(request, machine_id)
    return _use_page(request, asked, found)


def _use_page(
    request: HttpRequest, asked: Here, found: Any, refused: DomainError | None = None
) -> HttpResponse:
    until = longest_now(found, asked.at, person=asked.person)
    return render(
        request,
        "dashboard/at_machine_use.html",
        {
            "name": found.name,
            "kind_label": found.model.kind.name,
            "machine_id": found.pk,
            "until": formats.until(until, found.site.time_zone) if until else "",
            "trained": adoption.may_adopt(asked.person, found, asked.at),
            "book_url": reverse("book-kind", args=[found.model.kind.slug]),
            "anyway": refused is not None,
            "problems": [{"sentence": one, "field_id": "anyway"} for one in sentences(refused)]
            if refused is not None
            else [],
        },
        status=refused.status if refused is not None else 200,
    )


@writes
def _use(request: HttpRequest, machine_id: str) -> HttpResponseBase:
    asked = here(request)
    try:
        booking = use_now(
            person=asked.person, machine_id=machine_id, at=asked.at, overrides=slots.set_aside(request.POST)
        )
    except NotFound:
        raise
    except DomainError as error:
        if error.codes == [slots.ANYWAY]:  # theirs to decide
            return _use_page(request, asked, machine_for(asked.person, machine_id), error)
        refuse(request, error)
        return see_other(reverse("at-machine", args=[machine_id]))
    messages.success(request, _("C’est à toi. Bon travail !"))
    return see_other(reverse("booking", args=[booking.pk]))


# --- the code on the machine --------------------------------------------------------------------------------------


@signed_in
def sheet(request: HttpRequest, machine_id: str) -> HttpResponseBase:
    """A sheet to print and to stick on the machine: its code, its name, how to begin. For the site's staff."""
    asked = here(request)
    found = machine_for(asked.person, machine_id)
    require_role(asked.person, found.site_id, STAFF_ROLES)
    return render(
        request,
        "dashboard/at_machine_sheet.html",
        {
            "name": found.name,
            "kind_label": found.model.kind.name,
            "place": found.site.name,
            "machine_id": found.pk,
            "address": request.build_absolute_uri(reverse("at-machine", args=[found.pk])),
            "how_to": [choice.label for choice in found.model.kind.by_hand.how_to],
        },
    )


@page
def qr(request: HttpRequest, machine_id: str) -> HttpResponseBase:
    """The code of the page at the machine, drawn as SVG; it holds nothing but that page's address."""
    if not in_use().filter(pk=machine_id).exists():
        raise NotFound
    address = request.build_absolute_uri(reverse("at-machine", args=[machine_id]))
    drawn = BytesIO()
    segno.make(address, error="m", micro=False).save(drawn, kind="svg", scale=8, border=4, omitsize=True)
    return HttpResponse(drawn.getvalue(), content_type="image/svg+xml")
