"""One physical try: how far and how warm it was over time, and, where it is allowed, a picture of it now."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fablab.api.files import send_file
from fablab.dashboard import formats, plot, present
from fablab.dashboard.requests import Here, here, see_other, signed_in, writes
from jobs.lifecycle import samples, stills, words
from jobs.lifecycle.samples import SeenAttempt
from jobs.lifecycle.table import Action

Card = present.Card
OUTCOMES: Mapping[str, Any] = {
    "finished": words.HISTORY_WORDS[Action.FINISH],
    "failed": words.HISTORY_WORDS[Action.FAIL],
    "cancelled": words.HISTORY_WORDS[Action.STOPPED],
    "released": words.HISTORY_WORDS[Action.RELEASE],
}
SHOWN_ON_MACHINE = 10
_SILENT = gettext_lazy("La caméra ne répond pas.")
_NO_PICTURE = gettext_lazy("La caméra n’a pas donné d’image.")
STILL_ERRORS: Mapping[str, Any] = {
    "timed_out": _SILENT,
    "connection_refused": _SILENT,
    "no_route": _SILENT,
    "name_unknown": _SILENT,
    "answer_lost": _SILENT,
    "address_forbidden": gettext_lazy("L’adresse de la caméra est hors des réseaux autorisés."),
    "no_answer": gettext_lazy("Personne n’a répondu à temps. Demande encore."),
}


@signed_in
def attempt(request: HttpRequest, attempt_id: str) -> HttpResponseBase:
    """The try's own page, for the owner of its object and those on duty. While it runs, it grows."""
    asked = here(request)
    seen = samples.attempt_for(asked.person, attempt_id)
    found = seen.attempt
    zone = found.machine.site.time_zone
    moments = samples.samples_of(found.pk)
    return render(
        request,
        "dashboard/attempt.html",
        {
            "title": _title(seen),
            "machine_name": found.machine.name,
            "running": found.started_at is not None and found.ended_at is None,
            "facts": _facts(seen, zone),
            "objects": _objects(seen, asked),
            "machine_url": reverse("machine", args=[found.machine_id]),
            "plots": plot.plots(moments, zone, samples.pauses_of(seen)),
            "table": plot.table(moments, zone),
            "still": _still(seen, asked, zone),
        },
    )


def _title(seen: SeenAttempt) -> str:
    first = seen.parts[0]
    title = _("Essai {number} : {title}").format(number=first.number, title=first.job.title)
    others = len(seen.parts) - 1
    return _("{title} et {n} de plus").format(title=title, n=others) if others else title


def _objects(seen: SeenAttempt, asked: Here) -> list[Card]:
    return [
        {
            "title": part.job.title,
            "url": reverse("job", args=[part.job_id]),
            "owner": "" if part.job.owner_id == asked.person.pk else part.job.owner.display_name,
        }
        for part in seen.parts
    ]


def _facts(seen: SeenAttempt, zone: str) -> list[Card]:
    found = seen.attempt
    rows = [(_("Machine"), found.machine.name)]
    for label, at in (
        (str(words.HISTORY_WORDS[Action.CLAIM]), found.claimed_at),
        (_("Lancé"), found.started_at),
        (_("Fini"), found.ended_at),
    ):
        if at is not None:
            rows.append((label, formats.day_and_time(at, zone)))
    if found.started_at is not None and found.ended_at is not None:
        minutes = (found.ended_at - found.started_at).total_seconds() / 60
        rows.append((_("Durée"), formats.duration(minutes)))
    if found.outcome:
        rows.append((_("Résultat"), str(OUTCOMES.get(found.outcome, found.outcome))))
    return [{"label": label, "value": value} for label, value in rows]


def attempt_rows(parts: Any, zone: str) -> list[Card]:
    """Return the tries of one object, first to last, for its own page."""
    return [
        {
            "url": reverse("attempt", args=[part.attempt_id]),
            "label": _("Essai {number}").format(number=part.number),
            "detail": _when(part.attempt, zone),
            "machine": part.attempt.machine.name,
        }
        for part in parts
    ]


def attempts_of_machine(machine_id: str, asked: Here, zone: str) -> list[Card]:
    """Return the newest tries on a machine, for those on duty."""
    return [
        {
            "url": reverse("attempt", args=[found.pk]),
            "label": formats.listed(part.job.title for part in found.loaded_parts),  # type: ignore[attr-defined]  # loaded
            "detail": _when(found, zone),
        }
        for found in samples.attempts_on(machine_id, asked.person, limit=SHOWN_ON_MACHINE)
    ]


def _when(found: Any, zone: str) -> str:
    began = formats.day_and_time(found.started_at or found.claimed_at, zone)
    return " · ".join(filter(None, [began, str(OUTCOMES.get(found.outcome, found.outcome))]))


# --- the camera (SEC-17) ------------------------------------------------------------------------------------------


def _still(seen: SeenAttempt, asked: Here, zone: str) -> Card | None:
    """Return the picture, or the button that asks for one; None where there is nothing to see for this person."""
    if not stills.may_be_asked(seen):
        return None
    last = stills.newest(seen.attempt.pk)
    card: Card = {"waiting": False, "url": "", "label": "", "error": "", "action": None}
    if last is not None and stills.is_open(last) and asked.at - last.asked_at < stills.ANSWERED_WITHIN:
        return card | {"waiting": True}
    if last is not None and last.taken_at is not None and asked.at - last.asked_at < stills.SHOWN_FOR:
        card["url"] = reverse("attempt-still", args=[seen.attempt.pk, last.pk])
        card["label"] = _("Image de {time}").format(time=formats.clock_time(last.taken_at, zone))
    elif last is not None:
        code = last.error or "no_answer"
        card["error"] = str(STILL_ERRORS.get(code, _NO_PICTURE))
    return card | {
        "action": {
            "url": reverse("attempt-still-ask", args=[seen.attempt.pk]),
            "label": _("Voir une autre image") if card["url"] else _("Voir une image"),
            "icon": "camera",
        }
    }


@writes
def ask_still(request: HttpRequest, attempt_id: str) -> HttpResponseBase:
    """Ask for a picture; the page shows it when the camera has answered."""
    asked = here(request)
    stills.ask(attempt_id, actor=asked.person, at=asked.at)
    return see_other(reverse("attempt", args=[attempt_id]) + "#still")


@signed_in
def still(request: HttpRequest, attempt_id: str, still_id: str) -> HttpResponseBase:
    """The picture itself: who asks is checked each time, and nothing keeps it."""
    asked = here(request)
    path = stills.still_for(asked.person, still_id, attempt_id=attempt_id, at=asked.at)
    return send_file(request, path, name="image.jpg", content_type="image/jpeg")
