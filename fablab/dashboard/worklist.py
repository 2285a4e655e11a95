"""À faire: what needs a hand now, with the one button that does it, and "Je m'en occupe"."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from equipment.machines.said import FAULT_TOLD
from equipment.machines.words import CONNECTION, EMPTY
from fablab.core import disk
from fablab.core.errors import NotAllowed
from fablab.core.witness import Why
from fablab.core.words import SENTENCES
from fablab.dashboard import formats, present
from fablab.dashboard.requests import Here, back, here, signed_in, writes
from jobs.recovery.words import CLOCK
from jobs.worklist import services
from jobs.worklist.queries import Task, worklist_and_digest
from jobs.worklist.rules import Entry
from jobs.worklist.states import Need
from jobs.worklist.words import label_of

Card = present.Card
ON_HOME = 3
WHYS: Mapping[str, Any] = {
    FAULT_TOLD: gettext_lazy("Quelqu’un dit qu’elle ne marche pas."),
    "not_started_in_time": gettext_lazy("L’ordre n’a pas pu partir à temps."),
    disk.Short.LOW: gettext_lazy("Fais de la place, sinon les fichiers seront refusés."),
    disk.Short.REFUSED: gettext_lazy("Un fichier a été refusé, faute de place."),
}


def on_duty(request: HttpRequest) -> Here:
    """Return who asks, when instructor, staff or manager of the place. Raises ``NotAllowed``."""
    asked = here(request)
    if not asked.helps:
        raise NotAllowed("not_allowed")
    return asked


@signed_in
def page(request: HttpRequest) -> HttpResponseBase:
    """The whole list, or its first few entries for the piece that stands on the first page (``n``)."""
    asked = on_duty(request)
    most = ON_HOME if request.GET.get("n") == str(ON_HOME) else None
    return render(request, "dashboard/worklist.html", {"work": section(asked, most=most)})


def section(asked: Here, *, most: int | None = None) -> Card:
    """Return the argument of ``dashboard/worklist_section.html``."""
    assert asked.site is not None  # who helps has a place
    tasks, digest = worklist_and_digest(asked.person, asked.site.pk, asked.at)
    rows = [_row(task, asked) for task in tasks[:most]]
    address = reverse("worklist")
    return {
        "site_id": asked.site.pk,
        "rows": rows,
        "count": len(tasks),
        "more": len(tasks) - len(rows),
        "digest": digest,
        "url": address,
        "fragment_url": f"{address}?n={most}" if most else address,
    }


@writes
def take(request: HttpRequest) -> HttpResponseBase:
    """Je m'en occupe."""
    asked = on_duty(request)
    assert asked.site is not None
    services.take(asked.site.pk, request.POST.get("key", ""), actor=asked.person, at=asked.at)
    return back(request, reverse("worklist"))


@writes
def leave(request: HttpRequest) -> HttpResponseBase:
    """Je laisse: others may go."""
    asked = on_duty(request)
    assert asked.site is not None
    services.give_back(asked.site.pk, request.POST.get("key", ""), actor=asked.person, at=asked.at)
    messages.success(request, _("C’est noté."))
    return back(request, reverse("worklist"))


# --- one entry ----------------------------------------------------------------------------------------------------


def _row(task: Task, asked: Here) -> Card:
    entry, handled = task.entry, task.handled
    mine = handled is not None and handled.person_id == asked.person.pk
    what = entry.machine_name or (entry.job.title if entry.job else "")
    return {
        "key": entry.key,
        "need": entry.need,
        "label": _label(entry),
        "machine": entry.machine_name,
        "machine_url": reverse("at-machine", args=[entry.machine_id]) if entry.machine_id else "",
        "job": {
            "number": entry.job.number,
            "title": entry.job.title,
            "owner": entry.job.owner,
            "url": reverse("job", args=[entry.job.id]),
        }
        if entry.job
        else None,
        "lies_there": [
            _("n° {n} ({title}, {owner})").format(n=job.number, title=job.title, owner=job.owner)
            for job in entry.lies_there
        ],
        "since": entry.since,
        "since_label": _since(entry, asked),
        "why": _why(entry),
        "first": _first(entry, asked),
        "handled": "" if handled is None or mine else handled.name,
        "mine": mine,
        "take": {
            "url": reverse("worklist-leave" if mine else "worklist-take"),
            "label": _("Je laisse") if mine else _("Je m’en occupe"),
            "icon": "undo" if mine else "hand",
            "style": "quiet",
            "of": f"{_label(entry)} {what}".strip(),
            "fields": {"key": entry.key},
        },
    }


def _label(entry: Entry) -> str:
    if entry.need is Need.DECIDE:
        sentence = ngettext("{n} fichier à regarder", "{n} fichiers à regarder", entry.count)
        return sentence.format(n=entry.count)
    return label_of(entry)


def _since(entry: Entry, asked: Here) -> str:
    if entry.since is None:
        return ""
    minutes = max(0.0, (asked.at - entry.since).total_seconds() / 60)
    if minutes < 1:
        return _("à l’instant")
    if minutes < 60 * 24:
        return _("depuis {duration}").format(duration=formats.duration(minutes))
    days = int(minutes // (60 * 24))
    return ngettext("depuis {n} jour", "depuis {n} jours", days).format(n=days)


def _why(entry: Entry) -> str:
    if entry.need is Need.CLOCK:
        return str(CLOCK[Why(entry.why)]) if entry.why else ""
    if entry.need is Need.INTERRUPTED and entry.count:
        sentence = ngettext("{n} objet à régler", "{n} objets à régler", entry.count)
        return sentence.format(n=entry.count)
    if not entry.why:
        return ""
    for code in (f"order_{entry.why}", f"unsure_{entry.why}"):
        if code in SENTENCES:
            return _plain(SENTENCES[code])
    if entry.why in WHYS:
        return str(WHYS[entry.why])
    if entry.why in CONNECTION:
        return _plain(CONNECTION[entry.why])
    return entry.why if entry.need in {Need.HELP, Need.ASKED} else ""  # a person's own words


def _plain(sentence: Any) -> str:
    """A sentence that wants values we do not have says nothing."""
    return "" if "{" in str(sentence) else str(sentence)


# --- the one button -----------------------------------------------------------------------------------------------


def _first(entry: Entry, asked: Here) -> Card | None:
    """Return what would be done now, right here; else the way to where it is done; None where no page helps."""
    if entry.need is Need.DISK:
        return None
    make = FIRST.get(entry.need)
    action: Card = make(entry) if make else _look(entry)
    of = entry.machine_name or (entry.job.title if entry.job else "")
    at_hand = entry.need in AT_HAND
    assert asked.site is not None
    return {
        "style": "primary",
        "of": of,
        "disabled": at_hand and not asked.viewer.is_on_site(asked.site.pk),
        **action,
    }


AT_HAND = frozenset({Need.PLATE, Need.PLATE_WAITED, Need.LOADED})  # by somebody who is there (SEC-22)


def _look(entry: Entry) -> Card:
    return {
        "url": reverse("at-machine", args=[entry.machine_id]),
        "label": _("Aller à la machine"),
        "icon": "forward",
        "method": "get",
        "style": "",
    }


def _to(name: str, label: Any, icon: str) -> Callable[[Entry], Card]:
    return lambda entry: {"url": reverse(name), "label": str(label), "icon": icon, "method": "get"}


def _plate(entry: Entry) -> Card:
    if entry.job is not None and entry.job.state == "loaded":
        return _start(entry)
    return {
        "url": reverse("machine-act", args=[entry.machine_id, "clear-plate"]),
        "label": str(EMPTY[entry.plate_word]),
        "icon": "check",
        "fields": {"seen_plate": entry.plate_number},
    }


def _start(entry: Entry) -> Card:
    return {**present.job_action(_shape(entry), "start"), "of": entry.machine_name}


def _shape(entry: Entry) -> dict[str, Any]:
    assert entry.job is not None
    machine = {"id": entry.machine_id, "plate_number": entry.plate_number, "plate_word": entry.plate_word}
    return {"id": entry.job.id, "title": entry.job.title, "machine": machine}


def _job(action: str) -> Callable[[Entry], Card]:
    def make(entry: Entry) -> Card:
        return present.job_action(_shape(entry), action)

    return make


def _settle(entry: Entry) -> Card:
    assert entry.job is not None
    return {
        "url": reverse("machine-settle", args=[entry.machine_id, entry.job.id]),
        "label": _("Dire ce qui s’est passé"),
        "icon": "chat",
        "method": "get",
    }


def _been_there(entry: Entry) -> Card:
    return {
        "url": reverse("help-given", args=[entry.about]),
        "label": _("C’est réglé"),
        "icon": "check-circle",
        "of": entry.why,
    }


def _helped(entry: Entry) -> Card:
    return {
        "url": reverse("at-machine-act", args=[entry.machine_id, "helped"]),
        "label": _("C’est réglé"),
        "icon": "check-circle",
    }


FIRST: Mapping[Need, Callable[[Entry], Card]] = {
    Need.CLOCK: _to("clock", gettext_lazy("Vérifier l’heure"), "clock"),
    Need.INTERRUPTED: _to("recovery", gettext_lazy("Tout régler"), "check"),
    Need.DECIDE: _to("desk", gettext_lazy("Regarder"), "eye"),
    Need.ASKED: _been_there,
    Need.UNSURE: _settle,
    Need.HELP: _helped,
    Need.PAUSED: _job("resume"),
    Need.NOT_STARTED: _start,
    Need.PLATE: _plate,
    Need.PLATE_WAITED: _plate,
    Need.PUT_BACK: _job("release"),
    Need.LOADED: _start,
    Need.FAILED: _job("requeue"),
    Need.PICK_UP: _job("collect"),
}
