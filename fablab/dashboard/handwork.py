"""What hands do with an object at a machine, as the page there shows it: file, picture, threads, steps, queue."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from equipment.bookings.use import right_to_start
from equipment.machines.guide import Guide
from equipment.machines.states import (
    AT_WORK,
    FED,
    STARTED_BY_LINE,
    WATCHED,
    Driver,
    Plate,
    Report,
)
from equipment.machines.words import EMPTY
from fablab.api.shapes import job_shape, job_shapes
from fablab.core.errors import Malformed, Problem
from fablab.dashboard import formats, handmade, plates, present
from fablab.dashboard.requests import Here
from jobs.lifecycle import words
from jobs.lifecycle.lying import lying_on
from jobs.lifecycle.on_machines import live_attempts
from jobs.lifecycle.queries import may_have_started, visible_jobs, with_all_that_pages_show
from jobs.lifecycle.states import STARTED, State
from jobs.lifecycle.table import Action
from jobs.planning.queries import next_for_machine
from jobs.planning.words import say_reason

Card = present.Card
NEXT_SHOWN = 3
THREADS_SHOWN = 60
# Whoever stands at the machine puts in what the object needs: these are no reasons against taking it.
PUT_IN = frozenset({"waiting_material", "waiting_frame", "waiting_nozzle"})
EMPTY_AND_STARTED: Mapping[str, Any] = {
    "plate": gettext_lazy("Plateau vide, c’est lancé"),
    "hoop": gettext_lazy("Cadre vide, c’est lancé"),
    "mat": gettext_lazy("Tapis vide, c’est lancé"),
}
# The six drawn reasons of a failed print (J10), and their drawings.
FAILED_REASONS: Mapping[str, str] = {
    "not_sticking": "detached",
    "spaghetti": "spaghetti",
    "filament": "no_material",
    "shifted": "shifted",
    "broken": "repair",
    "other": "other",
}
STEPS: Mapping[str, tuple[Any, str, str]] = {
    # action: what the button says, its icon, its style
    "pause": (gettext_lazy("En pause"), "pause", ""),
    "resume": (gettext_lazy("C’est reparti"), "play", "primary"),
    "finish": (gettext_lazy("C’est terminé"), "check", "primary"),
    "stopped": (gettext_lazy("C’est arrêté"), "stop", ""),
    "release": (gettext_lazy("Remettre en file"), "undo", ""),
}
# At a machine that is told by its line the same taps are orders: it has not done it yet.
ORDERED: Mapping[str, Any] = {
    "pause": gettext_lazy("Mettre en pause"),
    "resume": words.ACTION_WORDS[Action.RESUME],
}
COLOURS: Mapping[str, Any] = {
    "white": gettext_lazy("blanc"),
    "black": gettext_lazy("noir"),
    "grey": gettext_lazy("gris"),
    "dark_grey": gettext_lazy("gris foncé"),
    "light_grey": gettext_lazy("gris clair"),
    "brown": gettext_lazy("marron"),
    "beige": gettext_lazy("beige"),
    "red": gettext_lazy("rouge"),
    "dark_red": gettext_lazy("rouge foncé"),
    "light_red": gettext_lazy("rouge clair"),
    "orange": gettext_lazy("orange"),
    "dark_orange": gettext_lazy("orange foncé"),
    "light_orange": gettext_lazy("orange clair"),
    "yellow": gettext_lazy("jaune"),
    "dark_yellow": gettext_lazy("jaune foncé"),
    "light_yellow": gettext_lazy("jaune clair"),
    "green": gettext_lazy("vert"),
    "dark_green": gettext_lazy("vert foncé"),
    "light_green": gettext_lazy("vert clair"),
    "turquoise": gettext_lazy("turquoise"),
    "dark_turquoise": gettext_lazy("turquoise foncé"),
    "light_turquoise": gettext_lazy("turquoise clair"),
    "blue": gettext_lazy("bleu"),
    "dark_blue": gettext_lazy("bleu foncé"),
    "light_blue": gettext_lazy("bleu clair"),
    "purple": gettext_lazy("violet"),
    "dark_purple": gettext_lazy("violet foncé"),
    "light_purple": gettext_lazy("violet clair"),
    "pink": gettext_lazy("rose"),
    "dark_pink": gettext_lazy("rose foncé"),
    "light_pink": gettext_lazy("rose clair"),
}


def work(found: Any, shape: Mapping[str, Any], asked: Here) -> Card:
    """Return the object on the machine, what comes next, and what is to be emptied, as far as this person may act.

    ``shape`` is the machine's, public or staff's, as this person sees it.
    """
    if found.model.kind.is_place:  # nothing is made there from a file, and nothing waits for it
        return {"job": None, "by_hand_here": False}
    attempt = live_attempts([found.pk]).get(found.pk)
    on_it = [part.job_id for part in attempt.parts.all() if part.live] if attempt else []
    seen = {job.pk: job for job in with_all_that_pages_show(visible_jobs(asked.person).filter(pk__in=on_it))}
    job = next((seen[one] for one in on_it if one in seen), None)
    guide = found.model.kind.by_hand
    duty = bool(asked.viewer.roles_at(found.site_id) - {"member"})
    operates = (
        asked.viewer.is_on_site(found.site_id)
        if duty
        else asked.viewer.operates(found.model.kind, found.site)
    )
    return {
        "job": _job(job, found, shape, asked, guide) if job is not None else None,
        "someone_elses": bool(on_it) and job is None,
        "next": _next(found, asked, operates=operates) if attempt is None else [],
        "clear": _clear(found, shape, guide, busy=_is_made_here(attempt, found), operates=operates),
        "lies_there": _lies_there(found, asked, duty=duty),
        "must_be_there": duty and not operates,
        "by_hand_here": not found.linked,
    }


# --- the object ---------------------------------------------------------------------------------------------------


def _job(job: Any, found: Any, machine: Mapping[str, Any], asked: Here, guide: Guide) -> Card:
    shape = job_shape(job, asked.viewer)
    state = State(job.state)
    code, label = present.job_headline(
        shape, reader_id=asked.person.pk, zone=found.site.time_zone, prints=present.prints(job)
    )
    if state is State.LOADED:
        code, label = State.LOADED, str(words.STATE_WORDS[State.LOADED])  # the plate has its own line
    started = state in STARTED
    progress = shape["progress"]
    file = job.machine_file
    return {
        "id": job.pk,
        "number": job.number,
        "title": job.title,
        "owner": "" if job.owner_id == asked.person.pk else job.owner.display_name,
        "url": reverse("job", args=[job.pk]),
        "code": code,
        "label": label,
        "percent": progress["percent"] if started else None,
        "left": _left(progress["minutes_left"]) if started else "",
        "estimate_label": _estimate(job) if not started else "",
        "picture_url": present.picture_url(job),
        "drawing": present.drawing_of(job.machine_model.kind.icon),
        "size_mm": (job.upload.report or {}).get("size_mm"),
        "file": {
            "url": reverse("job-machine-file", args=[job.pk]),
            "name": file.name,
            "ending": file.format.upper(),
        }
        if file is not None
        else None,
        "facts": _facts(job, guide),
        "threads": threads(job),
        "tools": _tools(job),
        "note": job.note,
        "checklist": [choice.label for choice in guide.checklist] if state is State.LOADED else [],
        "steps": _steps(shape, machine, found, guide, asked.at),
        "fail": _fail(shape, found, guide),
        "watch": "state version orders plate",
        "live_key": state,
        "waits_for_line": Driver(found.driver) in FED and state is State.SENDING,
    }


def _left(minutes: int | None) -> str:
    if minutes is None:
        return ""
    return _("estimation : environ {duration} encore").format(duration=formats.duration(minutes))


def _estimate(job: Any) -> str:
    minutes = ((job.machine_file.report if job.machine_file else None) or {}).get("minutes")
    return _("estimation : environ {duration}").format(duration=formats.duration(minutes)) if minutes else ""


def _facts(job: Any, guide: Guide) -> list[Card]:
    made_here = job.preparation_id is not None and job.machine_file_id != job.upload_id
    rows = handmade.facts(guide, job.settings, made_here=made_here)
    if job.settings.get("material"):
        rows.append({"label": _("Matière"), "value": job.settings["material"]})
    copies = job.settings.get("copies") or 1
    if copies > 1:
        said = ngettext("{n} exemplaire", "{n} exemplaires", copies).format(n=copies)
        rows.append({"label": _("Nombre"), "value": said})
    return rows


def threads(job: Any) -> list[Card]:
    """Return the threads in the order of the machine: number, colour for the eye and in words, stitches."""
    report = (job.machine_file.report if job.machine_file else None) or job.upload.report or {}
    rows = []
    for step in (report.get("facts") or {}).get("steps") or []:
        if "stitches" not in step:
            continue
        word = str(COLOURS.get(step.get("colour") or "", ""))
        told = " ".join(filter(None, [step.get("brand"), step.get("code"), step.get("name")]))
        rows.append(
            {
                "number": step["number"],
                "hex": step.get("hex"),
                "name": formats.capital(word) if word else told or _("Couleur au choix"),
                "detail": told if word else "",
                "stitches": ngettext("{n} point", "{n} points", step["stitches"]).format(n=step["stitches"]),
            }
        )
    return rows[:THREADS_SHOWN]


def _tools(job: Any) -> list[str]:
    """Return the tools of a cutter's file in the order in which it takes them; one alone needs no list."""
    report = (job.machine_file.report if job.machine_file else None) or {}
    tools = (report.get("facts") or {}).get("tools") or []
    if len(tools) < 2:
        return []
    return [
        _("Outil {n}").format(n=one["tool"] if isinstance(one, Mapping) and "tool" in one else one)
        for one in tools
        if not isinstance(one, Mapping) or "tool" in one
    ]


def _steps(
    shape: Mapping[str, Any], machine: Mapping[str, Any], found: Any, guide: Guide, at: datetime
) -> list[Card]:
    """Return the taps, the next one first: one each."""
    cards = []
    offered = present.still_to_ask(shape, shape["actions"])
    if "start" in offered and State(shape["state"]) is State.LOADED:
        clear = not machine["needs_plate"] or machine["plate"] == Plate.CLEAR
        sure = clear
        empty, started = EMPTY_AND_STARTED[guide.plate_word], _("C’est lancé")
        if Driver(found.driver) in STARTED_BY_LINE:  # pressing it is the start, not its report
            # A plate that was clear once is no right to start: contact was lost since, or somebody used it by hand.
            sure = right_to_start(found, at)
            clear = sure or not machine["needs_plate"]
            empty, started = words.EMPTY_AND_START[guide.plate_word], _("Lancer")
        cards.append(
            {
                **_tap(found, shape, "start", str(started if clear else empty), "play", "primary"),
                "fields": {
                    "job": shape["id"],
                    "plate_clear": "" if sure else "true",
                    "seen_plate": found.plate_number,
                },
            }
        )
    for action, (label, icon, style) in STEPS.items():
        if action in offered and (action != "stopped" or State(shape["state"]) in STARTED):
            said = ORDERED.get(action, label) if found.linked else label
            cards.append(_tap(found, shape, action, str(said), icon, style))
    if found.linked and "ask-stop" in offered and State(shape["state"]) in STARTED:
        stop = words.ACTION_WORDS[Action.ASK_STOP]
        cards.append(_tap(found, shape, "ask-stop", str(stop), "stop", "danger"))
    order = ["start", "resume", "finish", "pause", "ask-stop", "stopped", "release"]
    return sorted(cards, key=lambda card: order.index(card["action"]))


def _tap(found: Any, shape: Mapping[str, Any], action: str, label: str, icon: str, style: str) -> Card:
    return {
        "action": action,
        "url": reverse("at-machine-act", args=[found.pk, action]),
        "label": label,
        "icon": icon,
        "style": style,
        "large": style == "primary",
        "fields": {"job": shape["id"]},
    }


def _fail(shape: Mapping[str, Any], found: Any, guide: Guide) -> Card | None:
    """Return the drawn reasons of "Raté": one tap says that it failed, and why (J10)."""
    if "fail" not in shape["actions"] or State(shape["state"]) not in STARTED:
        return None
    return {
        "url": reverse("at-machine-act", args=[found.pk, "fail"]),
        "job": shape["id"],
        "reasons": failure_reasons(guide),
    }


def failure_reasons(guide: Guide) -> list[Card]:
    """Return the drawn reasons of the kind; one whose guide names none has those of a printer."""
    if not guide.failure_reasons:
        return [
            {"value": code, "label": str(words.FAILURES[code]), "drawing": drawing}
            for code, drawing in FAILED_REASONS.items()
        ]
    return [
        {"value": choice.code, "label": choice.label, "drawing": choice.drawing or "other"}
        for choice in guide.failure_reasons
    ]


def reason_to_keep(job: Any, chosen: str) -> str:
    """Return what a job keeps as its reason: a code that we have words for, else the kind's own words.

    Raises ``Malformed``: ``reason_missing`` for what is none of the kind's reasons.
    """
    guide: Guide = job.machine_model.kind.by_hand
    if chosen not in {one["value"] for one in failure_reasons(guide)}:
        raise Malformed(Problem("reason_missing", field="reason"))
    if chosen in words.FAILURES:
        return chosen
    return next(choice.names["fr"] for choice in guide.failure_reasons if choice.code == chosen)


# --- what comes next ----------------------------------------------------------------------------------------------


def _next(found: Any, asked: Here, *, operates: bool) -> list[Card]:
    """Return the objects that may be made here next, in the order of the queue. Others' are for those on duty."""
    if Driver(found.driver) in WATCHED:
        return []
    waiting = next_for_machine(found.pk, asked.at)
    seen = {
        job.pk: job
        for job in with_all_that_pages_show(
            visible_jobs(asked.person).filter(pk__in=[one.job_id for one in waiting])
        )
    }
    shown = [one for one in waiting if one.job_id in seen][:NEXT_SHOWN]
    shapes = {shape["id"]: shape for shape in job_shapes([seen[one.job_id] for one in shown], asked.viewer)}
    first = True
    guide = found.model.kind.by_hand
    cards = []
    for one in shown:
        job = seen[one.job_id]
        stops = [reason for reason in one.reasons if reason.code not in PUT_IN]
        may = operates and not stops
        cards.append(
            {
                "number": job.number,
                "title": job.title,
                "owner": "" if job.owner_id == asked.person.pk else job.owner.display_name,
                "url": reverse("job", args=[job.pk]),
                "place": shapes[job.pk]["place"],
                "estimate_label": _estimate(job),
                "in_short": " · ".join(handmade.in_short(found.model.kind.by_hand, job.settings)),
                "why": " ".join(say_reason(reason.code, reason.params, guide) for reason in one.reasons),
                "take": {
                    "url": reverse("at-machine-act", args=[found.pk, "take"]),
                    "label": _("Prendre"),
                    "icon": "hand",
                    "style": "primary" if first else "",
                    "large": first,
                    "of": job.title,
                    "fields": {"job": job.pk},
                }
                if may
                else None,
            }
        )
        first = first and not may
    return cards


# --- what is to be emptied ----------------------------------------------------------------------------------------


def _clear(found: Any, shape: Mapping[str, Any], guide: Guide, *, busy: bool, operates: bool) -> Card | None:
    """Return the button "Plateau vide", while something lies there and nothing is being made."""
    if busy or not shape["needs_plate"] or shape["plate"] == Plate.CLEAR or not operates:
        return None
    if Report(found.report) in AT_WORK:
        return None
    return {
        "url": reverse("at-machine-act", args=[found.pk, "clear-plate"]),
        "label": str(EMPTY[guide.plate_word]),
        "fields": {"seen_plate": found.plate_number},
        "icon": "check",
        "style": "primary",
        "large": True,
        "of": found.name,
    }


def _is_made_here(attempt: Any, found: Any) -> bool:
    """Say whether an object is made there, or will be with the tap that empties the plate as well.

    Nobody starts what lies ready on a machine that is out of order: there the plate is emptied for itself.
    """
    if attempt is None:
        return False
    return found.out_of_order_since is None or may_have_started(attempt)


def _lies_there(found: Any, asked: Here, *, duty: bool) -> list[str]:
    lies = lying_on([found.pk]).get(found.pk, [])
    return plates.names_of(job for job in lies if duty or job.owner_id == asked.person.pk)
