"""One's own objects: the list, the page of one, handing in a file, and what a person does with it."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from equipment.certifications.queries import kinds_certified
from equipment.machines.foreign import of_person
from equipment.machines.queries import visible_models
from fablab.api.shapes import job_shapes
from fablab.core.clock import local_day
from fablab.core.errors import DomainError, NotAllowed, NotFound, Problem
from fablab.core.words import say, say_problem
from fablab.dashboard import formats, job_forms, job_page, moving, plates, present
from fablab.dashboard.handed_in import receive_file
from fablab.dashboard.requests import Here, back, here, see_other, signed_in, writes
from jobs.inspection.endings import format_of
from jobs.inspection.judge import PREPARED_INTO
from jobs.lifecycle import words
from jobs.lifecycle.press import press
from jobs.lifecycle.queries import job_for, visible_jobs, with_all_that_pages_show
from jobs.lifecycle.services import change_job, create_job
from jobs.lifecycle.states import ENDED
from jobs.lifecycle.table import Action
from jobs.uploads.services import discard

ENDED_SHOWN = 12
ADOPTED_SHOWN = 6
MOST_ALIVE = 50


@signed_in
def jobs(request: HttpRequest) -> HttpResponseBase:
    """One's own objects: those that are alive, then the last ones that ended."""
    asked = here(request)
    own = with_all_that_pages_show(visible_jobs(asked.person).filter(owner=asked.person))
    alive = own.exclude(state__in=ENDED).order_by("-created_at")[:MOST_ALIVE]
    ended = own.filter(state__in=ENDED).order_by("-state_at")[:ENDED_SHOWN]
    cards = job_cards([*alive, *ended], asked)
    return render(
        request,
        "dashboard/jobs.html",
        {
            "alive": most_urgent_first(card for card in cards if card["state"] not in ENDED),
            "ended": [card for card in cards if card["state"] in ENDED],
            "adopted": [_adopted(one) for one in of_person(asked.person, most=ADOPTED_SHOWN)],
            "new": new_action(),
        },
    )


def _adopted(one: Any) -> present.Card:
    """Return a print that did not come through the queue, to which the person said "C'est moi"."""
    zone = one.machine.site.time_zone
    since = formats.day_and_time(one.began_at, zone)
    ended = formats.day_and_time(one.ended_at, zone) if one.ended_at else ""
    return {
        "id": one.pk,
        "machine": one.machine.name,
        "machine_id": one.machine_id,
        "url": reverse("at-machine", args=[one.machine_id]),
        "path": one.path,
        "label": _("Fini : {when}").format(when=ended)
        if ended
        else _("En cours depuis {when}").format(when=since),
    }


URGENCY = (
    *("ready", "finished", "needs_changes", "failed"),  # the person's turn
    *("paused", "unsure", "running", "stopping", "sending", "loaded"),
)


def most_urgent_first(cards: Iterable[present.Card]) -> list[present.Card]:
    """Return what the person must do first, then what is being made, then what waits; newest first in each."""
    return sorted(
        cards, key=lambda card: URGENCY.index(card["state"]) if card["state"] in URGENCY else len(URGENCY)
    )


def new_action() -> present.Card:
    """Return the large button that begins a new object."""
    return {
        "url": reverse("job-new"),
        "label": _("Imprimer un objet"),
        "icon": "plus",
        "style": "primary",
        "large": True,
        "method": "get",
    }


def job_cards(found: Iterable[Any], asked: Here) -> list[present.Card]:
    """Return the cards of jobs; changes of one's own are spoken."""
    found = list(found)
    return [
        present.job_card(
            shape,
            reader_id=asked.person.pk,
            zone=job.site.time_zone,
            prints=present.prints(job),
            picture_url=present.picture_url(job),
            drawing=present.drawing_of(job.machine_model.kind.icon),
            follow=job.owner_id == asked.person.pk,
        )
        for job, shape in zip(found, job_shapes(found, asked.viewer), strict=True)
    ]


# --- handing in ---------------------------------------------------------------------------------------------------


@signed_in
def new(request: HttpRequest) -> HttpResponseBase:
    """Choose a file: everything else has a default and can be changed on the object's page."""
    return _new_page(request)


def _new_page(request: HttpRequest, problems: Iterable[Problem] = (), status: int = 200) -> HttpResponse:
    said = [say_problem(problem) for problem in problems]
    context = {
        "field": job_forms.file_field(here(request), _("Ton fichier"), said[0] if said else ""),
        "takes_files": bool(_models(here(request))),
        "missing": _trainings_missing(here(request)),
        "problems": [{"sentence": sentence, "field_id": "file-field"} for sentence in said],
        "problems_title": _("Le fichier n’est pas arrivé."),
    }
    return render(request, "dashboard/job_new.html", context, status=status)


def _trainings_missing(asked: Here) -> list[str]:
    """Return what the person lacks for each kind that takes files, so that they know before they choose one."""
    if asked.site is None:
        return []
    kinds = {model.kind_id: model.kind for model in _models(asked) if model.kind.needs_certificate}
    held = kinds_certified(asked.person, asked.site.pk, local_day(asked.at, asked.zone))
    lacking = [kind for kind in kinds.values() if kind.pk not in held]
    return [say("not_certified", {"kind": kind.name}) for kind in sorted(lacking, key=lambda one: one.name)]


def upload(request: HttpRequest) -> HttpResponseBase:
    """Take the file in and make a draft of it at once, so that nothing is lost while it is checked."""
    return _upload(request) if request.method == "POST" else see_other(reverse("job-new"))


@writes
def _upload(request: HttpRequest) -> HttpResponseBase:
    asked = here(request)
    try:
        received = receive_file(request, asked)
        try:
            job = create_job(
                owner=asked.person,
                upload_id=received.pk,
                at=asked.at,
                site_id=asked.site.pk if asked.site else None,
                machine_model_id=_default_model(asked, received.name),
            )
        except DomainError:
            discard(received)
            raise
    except DomainError as error:
        return _new_page(request, error.problems, error.status)
    return see_other(reverse("job", args=[job.pk]))


def _models(asked: Here) -> list[Any]:
    site_id = asked.site.pk if asked.site else None
    return [
        model
        for model in visible_models(asked.person, site_id=site_id).order_by("name")
        if model.kind.takes_files
    ]


def _default_model(asked: Here, file_name: str) -> str | None:
    """Return the model that suits best: one that takes such a file, of a kind the person may use, a printer."""
    certified: set[str] = set()
    if asked.site is not None:
        certified = kinds_certified(asked.person, asked.site.pk, local_day(asked.at, asked.zone))
    kind_of_file = format_of(file_name)

    by_itself = {kind_of_file, *PREPARED_INTO.get(kind_of_file, ())}

    def suits(model: Any) -> tuple[bool, bool, bool, bool]:
        return (
            kind_of_file in model.formats or kind_of_file in model.prepares,
            bool(by_itself & set(model.formats)),  # else somebody must make its file by hand
            model.kind_id in certified or not model.kind.needs_certificate,
            model.kind.icon in present.PRINTERS,
        )

    best = max(_models(asked), key=suits, default=None)
    return best.pk if best is not None else None


# --- one object ---------------------------------------------------------------------------------------------------


@signed_in
def job(request: HttpRequest, job_id: str) -> HttpResponseBase:
    """The object's page: where it is on its way, and what one may do."""
    return _job_page(request, job_id)


def _job_page(request: HttpRequest, job_id: str, error: DomainError | None = None) -> HttpResponse:
    asked = here(request)
    found = job_for(asked.person, job_id)
    given = request.POST if error else {}
    context = job_page.context(
        found,
        asked,
        given,
        error,
        file_open="fichier" in request.GET,
        move_wanted=request.GET.get("deplacer"),
    )
    return render(request, "dashboard/job.html", context, status=error.status if error else 200)


@writes
def change(request: HttpRequest, job_id: str) -> HttpResponseBase:
    """Another machine, material, quality, number: what was typed stays when something is wrong."""
    asked = here(request)
    try:
        changes = job_forms.changes_from(request.POST, job_for(asked.person, job_id), asked)
        change_job(job_id, actor=asked.person, at=asked.at, **changes)
    except NotFound:
        raise
    except DomainError as error:
        return _job_page(request, job_id, error)
    messages.success(request, _("C’est noté."))
    return see_other(reverse("job", args=[job_id]))


@writes
def move(request: HttpRequest, job_id: str) -> HttpResponseBase:
    """Staff move it in the queue, or to another machine: what was chosen stays when something is wrong."""
    asked = here(request)
    try:
        moving.save(job_id, asked, request.POST)
    except (NotFound, NotAllowed):
        raise
    except DomainError as error:
        found = job_for(asked.person, job_id)
        form = moving.form(found, asked, request.POST, error, None)
        if form is None:
            raise  # it waits no more
        context = {
            **job_page.context(found, asked, {}, None),
            "move": form,
            "problems": moving.problems_of(error),
        }
        return render(request, "dashboard/job.html", context, status=error.status)
    messages.success(request, _("C’est noté."))
    return back(request, reverse("job", args=[job_id]))


def other_file(request: HttpRequest, job_id: str) -> HttpResponseBase:
    """Another file for the same object: settings, place and history stay."""
    return (
        _other_file(request, job_id) if request.method == "POST" else see_other(reverse("job", args=[job_id]))
    )


@writes
def _other_file(request: HttpRequest, job_id: str) -> HttpResponseBase:
    asked = here(request)
    job_for(asked.person, job_id)
    try:
        received = receive_file(request, asked)
        try:
            change_job(job_id, actor=asked.person, at=asked.at, upload_id=received.pk)
        except DomainError:
            discard(received)
            raise
    except DomainError as error:
        return _job_page(request, job_id, error)
    return see_other(reverse("job", args=[job_id]))


@writes
def act(request: HttpRequest, job_id: str, action: str) -> HttpResponseBase:
    """Do one of the job's ``actions``: an act, or an order that a machine must answer."""
    asked = here(request)
    try:
        wanted = Action(action.replace("-", "_"))
    except ValueError as error:
        raise Http404 from error
    machine_id = request.POST.get("machine", "")
    plate_clear = request.POST.get("plate_clear") == "true"
    lay_there = plates.lying(machine_id) if plate_clear and wanted is Action.START else []
    _job, order = press(
        job_id,
        wanted,
        actor=asked.person,
        at=asked.at,
        reason=request.POST.get("reason", ""),
        plate_clear=plate_clear,
        seen_sha256=request.POST.get("seen_sha256", ""),
        machine=machine_id,
        seen_plate=plates.seen_plate(request),
    )
    said = words.ASKED_WORDS[order.verb] if order else words.HISTORY_WORDS[wanted]
    messages.success(request, plates.also(str(said), lay_there))
    return back(request, reverse("job", args=[job_id]))
