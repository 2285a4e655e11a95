"""A machine's own page: what it does, its log and outages, how a stuck job is settled."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipment.bookings import hit
from equipment.bookings.finding import first_offers
from equipment.machines import fitted, services
from equipment.machines.guide import Guide
from equipment.machines.queries import events_of, machine_for
from equipment.machines.states import Condition
from equipment.machines.words import EMPTY, TO_EMPTY
from equipment.sites.queries import require_role
from equipment.sites.states import ON_DUTY_ROLES, STAFF_ROLES
from fablab.api.shapes import machine_shapes
from fablab.core.errors import DomainError, Malformed, NotAllowed, NotFound, Problem
from fablab.core.words import say
from fablab.dashboard import formats, handwork, machine_settings, plates, present
from fablab.dashboard.board import machine_cards
from fablab.dashboard.connections import DRIVERS
from fablab.dashboard.desk import presence_card
from fablab.dashboard.maintenance import care_of
from fablab.dashboard.outage_cards import outage_now, planned
from fablab.dashboard.requests import back, here, see_other, signed_in, writes
from jobs.lifecycle import words
from jobs.lifecycle.press import clear_plate, press
from jobs.lifecycle.queries import actions_for, job_for, live_part
from jobs.lifecycle.states import State
from jobs.lifecycle.table import Action

Card = present.Card
EVENTS: Mapping[str, Any] = {
    "added": gettext_lazy("Ajoutée"),
    "changed": gettext_lazy("Modifiée"),
    "retired": gettext_lazy("Retirée"),
    "key_asked": gettext_lazy("Clé demandée"),
    "key_granted": gettext_lazy("Clé reçue"),
    "key_refused": gettext_lazy("Clé refusée"),
    "out_of_order": gettext_lazy("En panne"),
    "back_in_service": gettext_lazy("Remise en service"),
    "outage_planned": gettext_lazy("Arrêt prévu"),
    "outage_ended": gettext_lazy("Arrêt fini plus tôt"),
    "plate_token_void": gettext_lazy("Le plateau est à revoir avant de lancer"),
    "report": gettext_lazy("La machine a changé d’état"),
    "fault_told": gettext_lazy("Quelqu’un dit : elle ne marche pas"),
    "needs_help": gettext_lazy("Besoin d’aide"),
    "helped": gettext_lazy("C’est réglé"),
    "in_use": gettext_lazy("Occupée"),
    "free": gettext_lazy("Libre"),
    "foreign_adopted": gettext_lazy("Quelqu’un a dit « C’est moi »"),
    "foreign_disowned": gettext_lazy("« C’est moi » repris"),
    "maintained": gettext_lazy("Entretien"),
    "interval_set": gettext_lazy("Rythme d’entretien changé"),
    "camera_set": gettext_lazy("Caméra réglée"),
    "camera_removed": gettext_lazy("Caméra enlevée"),
    fitted.PUT_IN: gettext_lazy("Dans la machine"),
    fitted.FREEDOM: gettext_lazy("Ce qu’elle fait seule"),
}
REPORTS: Mapping[str, Any] = {
    "ready": gettext_lazy("prête"),
    "starting": gettext_lazy("démarre"),
    "printing": gettext_lazy("travaille"),
    "pausing": gettext_lazy("se met en pause"),
    "paused": gettext_lazy("en pause"),
    "resuming": gettext_lazy("reprend"),
    "cancelling": gettext_lazy("s’arrête"),
    "finishing": gettext_lazy("termine"),
    "disconnected": gettext_lazy("débranchée"),
    "error": gettext_lazy("signale une erreur"),
    "unknown": gettext_lazy("dit quelque chose d’inconnu"),
    "silent": gettext_lazy("ne répond plus"),
    "never": gettext_lazy("pas encore entendue"),
}
# States that a machine is in for seconds, on its way to another.
PASSING = frozenset({"starting", "pausing", "resuming", "cancelling", "finishing"})
LOG_SHOWN = 40
LOG_READ = 4 * LOG_SHOWN


# --- the machine --------------------------------------------------------------------------------------------------


@signed_in
def machine(request: HttpRequest, machine_id: str) -> HttpResponseBase:
    """For everybody of the place its state and next free time; for those on duty all the rest."""
    return _page(request, machine_id)


def _page(request: HttpRequest, machine_id: str, error: DomainError | None = None) -> HttpResponseBase:
    asked = here(request)
    found = machine_for(asked.person, machine_id)
    roles = asked.viewer.roles_at(found.site_id)
    on_duty = bool(roles & ON_DUTY_ROLES)
    zone = found.site.time_zone
    place = found.model.kind.is_place
    (public,) = machine_shapes([found], at=asked.at, staff=False, free_times=False)
    first = first_offers([found], asked.at, person=asked.person)
    card = present.machine_card(public, zone=zone, first_offer=first[found.pk])
    context: Card = {
        "machine": card,
        "name": found.name,
        "place": found.site.name,
        "book_url": reverse("book-kind", args=[found.model.kind.slug]),
        "out_of_order": public["state"] == Condition.OUT_OF_ORDER,
        "outage": outage_now(found, asked.at),
        "planned": planned(found, asked.at),
        "on_duty": on_duty,
    }
    if on_duty:
        staff = machine_cards(asked, [found])[0]
        context |= {
            "machine": {**staff, "next_free_label": card.get("next_free_label", "")},
            "machine_id": found.pk,
            "site_id": found.site_id,
            "presence": presence_card(asked) if asked.site and asked.site.pk == found.site_id else None,
            "facts": _facts(found, zone),
            "log": _log(events_of(found, limit=LOG_READ), zone, found.model.kind.by_hand),
            "keeps": bool(roles & STAFF_ROLES),
            "here_url": reverse("at-machine", args=[found.pk]),
            # A table or a room has neither plate nor blade, and starts nothing.
            "care": None if place else care_of(found, asked),
            "fit": None if place else machine_settings.settings_of(found, asked, request.POST, error),
            "problems": machine_settings.problems_of(error),
        }
    return render(request, "dashboard/machine.html", context, status=error.status if error else 200)


@writes
def settings(request: HttpRequest, machine_id: str, what: str) -> HttpResponseBase:
    """What is in it, or what it does by itself: what was chosen stays when something is wrong."""
    if what not in {machine_settings.CONTENTS, machine_settings.FREEDOM}:
        raise Http404
    asked = here(request)
    machine_for(asked.person, machine_id)
    try:
        machine_settings.save(asked, machine_id, what, request.POST)
    except (NotFound, NotAllowed):
        raise
    except DomainError as error:
        return _page(request, machine_id, error)
    messages.success(request, _("C’est noté."))
    return see_other(f"{reverse('machine', args=[machine_id])}#{what}")


def _facts(found: Any, zone: str) -> list[Card]:
    rows = [(_("Modèle"), found.model.name)]
    if not found.model.kind.is_place:  # nobody starts a table
        rows.append((_("Connexion"), str(DRIVERS[found.driver])))
    if found.plate_cleared_at and found.plate_cleared_by_id:
        when = formats.day_and_time(found.plate_cleared_at, zone)
        rows.append((_("Plateau vidé"), formats.listed([found.plate_cleared_by.display_name, when])))
    return [{"label": label, "value": value} for label, value in rows]


def _log(events: Iterable[Any], zone: str, guide: Guide) -> list[Card]:
    """Return the lines that tell something, newest first: what passes in seconds, or is said again, is left out."""
    lines: list[Card] = []
    for event in events:
        passing = event.action == "report" and event.details.get("to") in PASSING
        line = _log_line(event, zone, guide)
        again = bool(lines) and (lines[-1]["sentence"], lines[-1]["detail"], lines[-1]["who"]) == (
            line["sentence"],
            line["detail"],
            line["who"],
        )
        if not passing and not again:
            lines.append(line)
    return lines[:LOG_SHOWN]


def _log_line(event: Any, zone: str, guide: Guide) -> Card:
    details = event.details
    words_of_plate = {"plate_cleared": EMPTY[guide.plate_word], "plate_to_clear": TO_EMPTY[guide.plate_word]}
    fit = machine_settings.said_of(details, guide) if event.action in {fitted.PUT_IN, fitted.FREEDOM} else ""
    said = (
        fit or details.get("reason") or REPORTS.get(str(details.get("report") or details.get("to") or ""), "")
    )
    return {
        "sentence": words_of_plate.get(event.action) or EVENTS.get(event.action, event.action),
        "detail": str(said),
        "who": event.actor.display_name if event.actor else "",
        "at": event.at,
        "at_label": formats.day_and_time(event.at, zone),
    }


@writes
def act(request: HttpRequest, machine_id: str, action: str) -> HttpResponseBase:
    """One tap: plate clear, out of order, back in service, retired."""
    asked = here(request)
    found = machine_for(asked.person, machine_id)
    name = found.name
    to = reverse("machine", args=[machine_id])
    match action:
        case "clear-plate":
            lay_there = plates.lying(machine_id)
            clear_plate(machine_id, actor=asked.person, at=asked.at, seen_plate=plates.seen_plate(request))
            messages.success(request, plates.cleared(name, found.model.kind.by_hand, lay_there))
            return back(request, to)
        case "out-of-order":
            reason = request.POST.get("reason", "")
            hit.put_out_of_order(machine_id, actor=asked.person, reason=reason, at=asked.at)
            said = _("{machine} est en panne.")
        case "back-in-service":
            hit.back_in_service(machine_id, actor=asked.person, at=asked.at)
            said = _("{machine} est de nouveau en service.")
        case "retire":
            services.retire_machine(machine_id, actor=asked.person, at=asked.at)
            messages.success(request, _("{machine} est retirée.").format(machine=name))
            return see_other(reverse("board"))
        case _:
            raise Http404
    messages.success(request, said.format(machine=name))
    return back(request, to)


# --- a stuck or failed job ----------------------------------------------------------------------------------------


@signed_in
def settle(request: HttpRequest, machine_id: str, job_id: str) -> HttpResponseBase:
    """Say what became of a job when the machine cannot (UX-21); after a failure, what comes next (J10)."""
    asked = here(request)
    found = machine_for(asked.person, machine_id)
    require_role(asked.person, found.site_id, ON_DUTY_ROLES)
    job = job_for(asked.person, job_id)
    offered = actions_for(job, asked.viewer)
    part = live_part(job)
    on_it = part is not None and part.attempt.machine_id == machine_id
    failed = State(job.state) is State.FAILED
    if not failed and not (on_it and {Action.FINISH, Action.FAIL, Action.STOPPED} & set(offered)):
        messages.info(request, say("wrong_state"))
        return see_other(reverse("board"))
    act_url = reverse("job-act", args=[job.pk, "fail"])
    return render(
        request,
        "dashboard/machine_settle.html",
        {
            "name": found.name,
            "machine_id": found.pk,
            "job": job,
            "owner": job.owner.display_name,
            "failed": failed,
            "why": words.reason_words(job.reason) if failed and job.reason else "",
            "out_of_order": found.out_of_order_since is not None,
            "may_requeue": Action.REQUEUE in offered,
            "may_finish": Action.FINISH in offered,
            "may_stop": Action.STOPPED in offered,
            "may_fail": Action.FAIL in offered,
            "fail_url": act_url,
            "reasons": handwork.failure_reasons(found.model.kind.by_hand),
        },
    )


@writes
def settled(request: HttpRequest, machine_id: str, job_id: str) -> HttpResponseBase:
    """Ça s'est terminé, raté, annulé: by a person, with a reason where one is needed."""
    asked = here(request)
    found = machine_for(asked.person, machine_id)
    actions = {"finish": Action.FINISH, "fail": Action.FAIL, "stopped": Action.STOPPED}
    action = actions.get(request.POST.get("action", ""))
    if action is None:
        raise Malformed(Problem("unknown_field", {"field": "action"}))
    reason = request.POST.get("reason", "")
    if action is Action.FAIL:
        reason = handwork.reason_to_keep(job_for(asked.person, job_id), reason)
    press(
        job_id,
        action,
        actor=asked.person,
        at=asked.at,
        reason="cancelled_at_machine" if action is Action.STOPPED else reason,
    )
    messages.success(request, str(words.HISTORY_WORDS[action]))
    if action is Action.FAIL:
        return see_other(reverse("machine-settle", args=[found.pk, job_id]))
    return see_other(reverse("board"))
