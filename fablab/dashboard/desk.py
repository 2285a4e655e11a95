"""The instructor's desk: what waits, longest first, and one screen for each object to decide on."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from equipment.sites.queries import presence_of, present_people
from equipment.sites.services import leave, mark_present
from fablab.core.errors import DomainError, Malformed, NotAllowed, NotFound, Problem
from fablab.core.words import say, say_problem
from fablab.dashboard import formats, job_forms, job_page, present
from fablab.dashboard.handed_in import receive_file
from fablab.dashboard.requests import Here, back, here, see_other, sentences, signed_in, writes
from fablab.people.states import AgeBand
from jobs.approvals.queries import approved_just_now, previous_work, waiting_for
from jobs.inspection.endings import endings_of
from jobs.inspection.judge import COMMANDING, SOLIDS
from jobs.lifecycle import words
from jobs.lifecycle.drafts import attach_machine_file, change_job
from jobs.lifecycle.press import press
from jobs.lifecycle.queries import events_of, findings_of, job_for
from jobs.lifecycle.states import State
from jobs.lifecycle.table import APPROVAL_UNDO_S, Action
from jobs.preparation.states import PreparationState
from jobs.uploads.queries import upload_for
from jobs.uploads.states import UploadState

Card = present.Card
DECISIONS: Mapping[str, Action] = {
    "approve": Action.APPROVE,
    "send-back": Action.SEND_BACK,
    "reject": Action.REJECT,
}
REASON_DRAWINGS: Mapping[str, str] = {"not_allowed_object": "not_allowed"}
AGES: Mapping[str, Any] = {
    AgeBand.UNDER_15: gettext_lazy("moins de 15 ans"),
    AgeBand.FROM_15: gettext_lazy("15 à 17 ans"),
    AgeBand.FROM_18: gettext_lazy("18 à 25 ans"),
    AgeBand.FROM_26: gettext_lazy("26 à 59 ans"),
    AgeBand.FROM_60: gettext_lazy("60 ans et plus"),
    AgeBand.UNKNOWN: gettext_lazy("âge inconnu"),
}
MOST_SHOWN = 60


def instructor(request: HttpRequest) -> Here:
    """Return who asks, when an instructor somewhere. Raises ``NotAllowed``."""
    asked = here(request)
    if not any("instructor" in asked.viewer.roles_at(site.pk) for site in asked.sites):
        raise NotAllowed("not_allowed")
    return asked


# --- "Je suis là" -------------------------------------------------------------------------------------------------


def presence_card(asked: Here) -> Card:
    """Return the argument of ``dashboard/desk_presence.html``: whether the person is there, until when, who else."""
    assert asked.site is not None  # who has a role has a place
    mine = presence_of(asked.person, asked.site.pk, asked.at)
    others = [
        person.display_name
        for person in present_people(asked.site.pk, asked.at)
        if person.pk != asked.person.pk
    ]
    return {
        "site": asked.site.name,
        "site_id": asked.site.pk,
        "here": mine is not None,
        "until": formats.until(mine.until, asked.zone) if mine else "",
        "others": formats.listed(others),
    }


@writes
def presence(request: HttpRequest) -> HttpResponseBase:
    """Je suis là, je pars: one tap each."""
    asked = here(request)
    if asked.site is None:
        raise NotFound
    if request.POST.get("here") == "no":
        leave(person=asked.person, site_id=asked.site.pk, at=asked.at)
        messages.success(request, _("Au revoir ! Tu n’es plus de service."))
    else:
        until = mark_present(person=asked.person, site_id=asked.site.pk, at=asked.at).until
        said = _("Tu es là jusqu’à {time}.").format(time=formats.until(until, asked.zone))
        messages.success(request, said)
    return back(request, reverse("home"))


# --- the list -----------------------------------------------------------------------------------------------------


@signed_in
def desk(request: HttpRequest) -> HttpResponseBase:
    """What waits for this instructor, longest first."""
    asked = instructor(request)
    waiting = waiting_for(asked.person)
    shown = list(waiting[:MOST_SHOWN])
    count = len(shown) if len(shown) < MOST_SHOWN else waiting.count()
    return render(
        request,
        "dashboard/desk.html",
        {
            "presence": presence_card(asked),
            "rows": [_row(job, asked) for job in shown],
            "count_label": ngettext("{n} objet attend.", "{n} objets attendent.", count).format(n=count),
            "more": count - len(shown),
            "undo": _undo_bar(asked, request.GET.get("fait", "")),
        },
    )


def _row(job: Any, asked: Here) -> Card:
    return {
        "url": reverse("desk-job", args=[job.pk]),
        "title": job.title,
        "owner": job.owner.display_name,
        "age": AGES.get(job.owner.age_band, ""),
        "model": job.machine_model.name,
        "picture_url": present.picture_url(job),
        "drawing": present.drawing_of(job.machine_model.kind.icon),
        "waits_label": _waits(job, asked),
        "needs_file": job.machine_file_id is None,
        "site": job.site.name if len(asked.sites) > 1 else "",
    }


def _waits(job: Any, asked: Here) -> str:
    minutes = (asked.at - (job.submitted_at or job.state_at)).total_seconds() / 60
    if minutes < 60 * 24:
        return _("Attend depuis {duration}").format(duration=formats.duration(minutes))
    days = int(minutes // (60 * 24))
    return ngettext("Attend depuis {n} jour", "Attend depuis {n} jours", days).format(n=days)


# --- one object ---------------------------------------------------------------------------------------------------


@signed_in
def desk_job(request: HttpRequest, job_id: str) -> HttpResponseBase:
    """Everything that a decision needs on one screen (J7)."""
    return _job_page(request, job_id)


def _job_page(request: HttpRequest, job_id: str, error: DomainError | None = None) -> HttpResponseBase:
    asked = here(request)
    job = job_for(asked.person, job_id)
    if "instructor" not in asked.viewer.roles_at(job.site_id):
        raise NotAllowed("not_allowed")
    if job.owner_id == asked.person.pk:
        raise NotAllowed("own_job")
    if State(job.state) is not State.SUBMITTED:
        messages.info(request, _("Quelqu’un a déjà décidé de cet objet."))
        return see_other(reverse("desk"))
    order = _order(asked)
    place = order.index(job_id) if job_id in order else 0
    following = _following(order, job_id)
    file = job.machine_file
    context = {
        "job": {
            "id": job.pk,
            "title": job.title,
            "version": job.version,
            "owner": job.owner.display_name,
            "age": AGES.get(job.owner.age_band, ""),
            "note": job.note,
            "waits_label": _waits(job, asked),
            "seen_sha256": file.sha256 if file else "",
            "page_url": reverse("job", args=[job.pk]),
        },
        "place_label": _("{n} sur {all}").format(n=place + 1, all=len(order)),
        "skip_url": reverse("desk-job", args=[following]) if following else reverse("desk"),
        "can_approve": file is not None,
        "preparing": job.preparation is not None and job.preparation.state == PreparationState.RUNNING,
        "picture_url": present.picture_url(job),
        "drawing": present.drawing_of(job.machine_model.kind.icon),
        "size_mm": job_page.size_of(job.upload),
        "facts": _facts(job, asked),
        "findings": job_page.finding_cards(findings_of(job)),
        "reasons": _reasons(job),
        "before": _before(job, asked),
        "sent_back": _sent_back(job, asked),
        "undo": _undo_bar(asked, request.GET.get("fait", "")),
        "fields": [
            field
            for field in job_forms.settings_fields(job, asked, request.POST if error else {})
            if field["name"] not in {"title", "note"}
        ],
        "file_field": _file_field(job, asked),
        "attached": _attached(job, asked, request.GET.get("fichier", "")),
        "file_name": file.name if file else "",
        "problems": [
            {"sentence": say_problem(problem), "field_id": job_forms.FIELD_IDS.get(problem.field or "", "")}
            for problem in (error.problems if error else ())
        ],
    }
    return render(request, "dashboard/desk_job.html", context, status=error.status if error else 200)


def _order(asked: Here) -> list[str]:
    """Return the ids of what waits, longest first."""
    return list(
        waiting_for(asked.person).prefetch_related(None).select_related(None).values_list("pk", flat=True)
    )


def _following(order: list[str], job_id: str) -> str:
    """Return what comes after this one; what was skipped stays skipped. Empty after the last."""
    place = order.index(job_id) + 1 if job_id in order else 0
    return order[place] if place < len(order) else ""


def _facts(job: Any, asked: Here) -> list[Card]:
    shape = {
        "machine": {"name": job.machine.name} if job.machine else None,
        "preparation": {
            "report": job.preparation.result.report if job.preparation and job.preparation.result else None
        },
    }
    facts = [fact for fact in job_page.facts_of(job, shape) if fact["value"] != job.note]
    settings = job.settings
    if settings.get("quality"):
        quality = str(job_forms.QUALITIES.get(settings["quality"], settings["quality"]))
        facts.append({"label": _("Qualité"), "value": quality})
    if settings.get("supports") and job_forms.MESHES & set(job.machine_model.prepares):
        supports = str(job_forms.SUPPORTS.get(settings["supports"], settings["supports"]))
        facts.append({"label": _("Supports"), "value": supports})
    return facts


def _reasons(job: Any) -> list[Card]:
    """Return the drawn reasons that fit: only a model with a volume has holes or parts in the air."""
    flat = job.upload.format not in SOLIDS | COMMANDING
    return [
        {"value": code, "label": label, "drawing": REASON_DRAWINGS.get(code, code)}
        for code, label in words.REASONS.items()
        if not (flat and code == "not_solid")
    ]


def _before(job: Any, asked: Here) -> list[Card]:
    return [
        {
            "title": one.title,
            "state": one.state,
            "label": words.HISTORY_WORDS.get(_LAST_WORDS[State(one.state)], ""),
            "when": formats.day_name(one.state_at, asked.zone),
        }
        for one in previous_work(job)
    ]


def _sent_back(job: Any, asked: Here) -> Card | None:
    """Return what was said when this object was last sent back, and whether its file has changed since."""
    events = [event for event in events_of(job) if event.action == Action.SEND_BACK]
    if not events:
        return None
    last = events[-1]
    return {
        "sentence": words.reason_words(last.details.get("reason", "")),
        "words": last.details.get("words", ""),
        "who": last.actor.display_name if last.actor else "",
        "when": formats.day_and_time(last.at, asked.zone),
        "same_file": job.upload.created_at <= last.at,
    }


_LAST_WORDS: Mapping[State, Action] = {
    State.COLLECTED: Action.COLLECT,
    State.FINISHED: Action.FINISH,
    State.READY: Action.FINISH,
    State.FAILED: Action.FAIL,
    State.REJECTED: Action.REJECT,
    State.CANCELLED: Action.CANCEL,
}


def _undo_bar(asked: Here, job_id: str) -> Card | None:
    """Return the argument of ``components/undo_bar.html`` for what this person approved a moment ago."""
    job = approved_just_now(asked.person, job_id, asked.at) if job_id else None
    if job is None:
        return None
    return {
        "sentence": _("Validé : {title}").format(title=job.title),
        "url": reverse("desk-undo", args=[job.pk]),
        "until": job.state_at + timedelta(seconds=APPROVAL_UNDO_S),
    }


# --- deciding -----------------------------------------------------------------------------------------------------


@writes
def decide(request: HttpRequest, job_id: str) -> HttpResponseBase:
    """Approve, send back or refuse exactly the file that was shown; the next object comes at once."""
    asked = here(request)
    action = DECISIONS.get(request.POST.get("action", ""))
    reason = request.POST.get("reason", "")
    if action is None:
        raise Malformed(Problem("unknown_field", {"field": "action"}))
    if action is not Action.APPROVE and reason not in words.REASONS:
        raise Malformed(Problem("reason_missing", field="reason"))
    following = _following(_order(asked), job_id)
    version = request.POST.get("seen_version", "")
    job, _none = press(
        job_id,
        action,
        actor=asked.person,
        at=asked.at,
        reason="" if action is Action.APPROVE else reason,
        seen_sha256=request.POST.get("seen_sha256", "") if action is Action.APPROVE else "",
        seen_version=int(version)
        if action is Action.APPROVE and version.isascii() and version.isdigit() and len(version) < 12
        else None,
        words="" if action is Action.APPROVE else request.POST.get("words", ""),
    )
    address = reverse("desk-job", args=[following]) if following else reverse("desk")
    if action is Action.APPROVE:
        return see_other(f"{address}?fait={job.pk}")
    messages.success(request, f"{words.HISTORY_WORDS[action]} : {job.title}")
    return see_other(address)


@writes
def undo(request: HttpRequest, job_id: str) -> HttpResponseBase:
    """Take an approval back within ten seconds: nothing has reached a machine (UX-7)."""
    asked = here(request)
    if approved_just_now(asked.person, job_id, asked.at) is None:
        job_for(asked.person, job_id)
        messages.error(request, _("Trop tard pour revenir en arrière."))
        return see_other(reverse("desk"))
    press(job_id, Action.VOID, actor=asked.person, at=asked.at)
    return see_other(reverse("desk-job", args=[job_id]))


@writes
def settings(request: HttpRequest, job_id: str) -> HttpResponseBase:
    """Other copies, material or machine before approving; what was typed stays when something is wrong."""
    asked = here(request)
    job = job_for(asked.person, job_id)
    try:
        given = {**request.POST.dict(), "title": job.title, "note": job.note}
        changes = job_forms.changes_from(given, job, asked)
        change_job(job_id, actor=asked.person, at=asked.at, **changes)
    except NotFound:
        raise
    except DomainError as error:
        return _job_page(request, job_id, error)
    messages.success(request, _("C’est noté."))
    return see_other(reverse("desk-job", args=[job_id]))


# --- the file for the machine -------------------------------------------------------------------------------------


def _file_field(job: Any, asked: Here) -> Card:
    endings = [f".{ending}" for ending in endings_of(job.machine_model.formats)]
    field = job_forms.file_field(asked, _("Fichier pour la machine"), "", job)
    return {**field, "accepted_label": ", ".join(endings), "accept": ",".join(endings)}


def send_file(request: HttpRequest, job_id: str) -> HttpResponseBase:
    """Take in a file that an instructor prepared; it is checked, then attached by one more tap."""
    if request.method == "POST":
        return _send_file(request, job_id)
    return see_other(reverse("desk-job", args=[job_id]))


@writes
def _send_file(request: HttpRequest, job_id: str) -> HttpResponseBase:
    asked = here(request)
    job = job_for(asked.person, job_id)
    if "instructor" not in asked.viewer.roles_at(job.site_id):
        raise NotAllowed("not_allowed")
    try:
        received = receive_file(request, asked)
    except DomainError as error:
        return _job_page(request, job_id, error)
    return see_other(f"{reverse('desk-job', args=[job_id])}?fichier={received.pk}")


def _attached(job: Any, asked: Here, upload_id: str) -> Card | None:
    """Return how the check of a freshly sent file goes, and the button that attaches it."""
    if not upload_id:
        return None
    try:
        upload = upload_for(asked.person, upload_id)
    except NotFound:
        return None
    if upload.owner_id != asked.person.pk or job.machine_file_id == upload.pk:
        return None
    return {
        "id": upload.pk,
        "name": upload.name,
        "checking": upload.state == UploadState.INSPECTING,
        "refused": upload.state == UploadState.REFUSED,
        "findings": [say(row["code"], row["params"]) for row in (upload.report or {}).get("findings", [])],
    }


@writes
def attach_file(request: HttpRequest, job_id: str) -> HttpResponseBase:
    """Put the checked file to the object: this is what an approval is for, from now on."""
    asked = here(request)
    upload_id = request.POST.get("upload", "")
    address = reverse("desk-job", args=[job_id])
    try:
        attach_machine_file(job_id, upload_id=upload_id, actor=asked.person, at=asked.at)
    except (NotFound, NotAllowed):
        raise
    except DomainError as error:
        for sentence in sentences(error):
            messages.error(request, sentence)
        return see_other(f"{address}?fichier={upload_id}")
    messages.success(request, _("Le fichier est joint."))
    return see_other(address)
