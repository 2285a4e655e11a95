"""From shapes to what components take: words, icons, actions. Nothing is read or decided here.

A shape says ``{"state": "running", ...}``; a card says "Ça imprime – 42 %" in the reader's language.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from equipment.machines.states import LINKED, Condition, Driver, Plate
from equipment.machines.words import CONDITIONS
from fablab.core.words import SENTENCES, say
from fablab.dashboard import formats
from jobs.lifecycle import words
from jobs.lifecycle.states import STARTED, State, Verb
from jobs.lifecycle.table import Action

Card = dict[str, Any]
PRINTERS = frozenset({"printer", "resin"})  # icons of kinds that print; everything else works
NO_POWER = "no_power"  # a look beside those of the machine's own conditions
DRAWINGS: Mapping[str, str] = {"hoop": "embroidery"}  # where a kind's icon and its drawing differ in name


# --- machines ----------------------------------------------------------------------------------------------------


def machine_card(
    shape: Mapping[str, Any],
    *,
    zone: str,
    actions: Iterable[Card] = (),
    url: str = "",
    first_offer: datetime | None = None,
) -> Card:
    """Return the argument of ``components/machine_tile.html`` for a machine's shape, public or staff's.

    ``first_offer``: the first time that the page for booking it offers. While an announced cut lasts at its place
    nothing there is free, whatever was heard last.
    """
    state = Condition(shape["state"])
    progress = shape.get("progress") or {}
    job = shape.get("current_job")
    observed = shape["driver"] in LINKED
    card: Card = {
        "id": shape["id"],
        "name": shape["name"],
        "kind_label": f"{shape['kind']['name']} · {shape['model']['name']}",
        "state": state,
        "live_key": state,
        "state_label": CONDITIONS[state],
        "url": url,
        "drawing": drawing_of(shape["kind"]["icon"]),
        "observed": observed,
        "simulated": shape["driver"] == Driver.SIMULATED,
        "seen_at": moment(shape["seen_at"]),
        "percent": progress.get("percent"),
        "percent_bind": "progress.percent",
        "estimate_label": _left(progress.get("minutes_left")),
        "temperatures": _temperatures(shape.get("temperatures") or {}),
        "detail": _machine_detail(shape, state),
        "actions": list(actions),
    }
    if shape.get("no_power") and state is Condition.FREE:
        card |= {"state": NO_POWER, "state_label": _("Pas de courant")}
    if first_offer is not None and state not in {Condition.OUT_OF_ORDER, Condition.UNREACHABLE}:
        card["next_free_label"] = bookable_label(first_offer, zone)
    if job:
        card["job"] = {
            "title": job["title"],
            "url": reverse("job", args=[job["id"]]),
            "code": f"{job['number']} · {job['owner']}",
        }
    return card


def bookable_label(start: datetime, zone: str) -> str:
    """Return when a machine can be booked next, in words."""
    if start <= timezone.now():
        return _("À réserver : tout de suite")
    return _("À réserver : {when}").format(when=formats.day_and_time(start, zone))


def _machine_detail(shape: Mapping[str, Any], state: Condition) -> str:
    if state is Condition.OUT_OF_ORDER:
        return str(shape.get("out_of_order_reason") or "")
    asked = [str(words.ASKED_WORDS[order["verb"]]) for order in shape.get("orders", [])]
    if asked:
        return " · ".join(asked)
    job = shape.get("current_job")
    if job and job["state"] == State.LOADED:
        return str(words.STATE_WORDS[State.LOADED])
    if shape.get("trouble") and state is Condition.UNREACHABLE:
        code = f"connection_{shape['trouble']}"
        return say(code) if code in SENTENCES else str(shape["trouble"])
    if job and job["state"] == State.SENDING:
        return str(words.STATE_WORDS[State.SENDING])
    return ""


def _temperatures(given: Mapping[str, Mapping[str, float | None]]) -> list[Card]:
    labels = {"tool0": _("Buse"), "bed": _("Plateau")}  # in this order, whatever the machine's own is
    return [
        {
            "label": label,
            "actual": given[name].get("actual"),
            "target": given[name].get("target"),
            "bind": f"temperatures.{name}",
        }
        for name, label in labels.items()
        if name in given
    ]


def _left(minutes: int | None) -> str:
    if minutes is None:
        return ""
    return _("environ {duration} encore").format(duration=formats.duration(minutes))


# --- jobs --------------------------------------------------------------------------------------------------------


def job_headline(
    shape: Mapping[str, Any], *, reader_id: str, zone: str, prints: bool = True
) -> tuple[str, str]:
    """Return (look's code, sentence) for a job: the words of REQUIREMENTS 1.2."""
    state = State(shape["state"])
    if shape["unsure"]:
        return "unsure", str(words.CHECKING_MACHINE)
    match state:
        case State.DRAFT:
            return _draft(shape)
        case State.QUEUED:
            return _queued(shape, zone)
        case State.SENDING | State.LOADED if shape["machine"] and shape["machine"]["out_of_order"]:
            return State.QUEUED, str(words.MACHINE_BROKEN)
        case State.LOADED if _must_be_emptied(shape):
            return "plate_to_clear", str(words.MUST_BE_EMPTIED)
        case State.RUNNING if not prints:
            return state, str(words.WORKING_WITHOUT_PRINTER)
        case State.PAUSED:
            return state, str(words.PAUSED_HELP)
        case State.READY if shape["shelf"]:
            return state, str(words.SHELF).format(shelf=shape["shelf"])
        case State.CANCELLED:
            if shape["reason"] == "by_owner" and shape["owner"]["id"] != reader_id:
                return state, str(words.CANCELLED_BY_OWNER)
            return state, str(words.CANCELLED_BY.get(shape["reason"] or "", words.STATE_WORDS[state]))
        case _:
            return state, str(words.STATE_WORDS[state])


def _must_be_emptied(shape: Mapping[str, Any]) -> bool:
    machine = shape["machine"]
    return bool(machine and machine["needs_plate"] and machine["plate"] == Plate.TO_CLEAR)


def _draft(shape: Mapping[str, Any]) -> tuple[str, str]:
    if shape["upload"]["state"] == "inspecting" or shape["preparation"]["state"] == "running":
        return "checking", str(words.CHECKING_FILE)
    if any(finding["severity"] == "blocks" for finding in shape["findings"]):
        return "needs_changes", str(words.TO_CORRECT)
    return "draft", str(words.STATE_WORDS[State.DRAFT])


def _queued(shape: Mapping[str, Any], zone: str) -> tuple[str, str]:
    if any(reason["code"] == "plate_to_clear" for reason in shape["waiting_for"]):
        return "plate_to_clear", str(words.MUST_BE_EMPTIED)
    start = moment(shape["expected_start"])
    if shape["place"] is None:
        return State.QUEUED, str(words.STATE_WORDS[State.QUEUED])
    place = formats.place_in_queue(shape["place"])
    if start is None:
        return State.QUEUED, str(words.PLACE).format(place=place)
    return State.QUEUED, str(words.PLACE_AROUND).format(place=place, time=formats.around(start, zone))


def job_card(
    shape: Mapping[str, Any],
    *,
    reader_id: str,
    zone: str,
    prints: bool = True,
    actions: Iterable[Card] = (),
    picture_url: str = "",
    drawing: str = "cube",
    follow: bool = False,
) -> Card:
    """Return the argument of ``components/job_card.html`` for a job's shape."""
    code, label = job_headline(shape, reader_id=reader_id, zone=zone, prints=prints)
    state = State(shape["state"])
    printing = state is State.RUNNING and not shape["unsure"]
    watch, live_key = watched(shape)
    at_machine = state in {State.SENDING, State.LOADED, State.RUNNING, State.PAUSED, State.STOPPING}
    card: Card = {
        "id": shape["id"],
        "title": shape["title"],
        "url": reverse("job", args=[shape["id"]]),
        "state": code,
        "state_label": label,
        "percent": shape["progress"]["percent"] or 0 if printing or state is State.SENDING else None,
        "percent_bind": "progress.percent",
        "estimate_label": _left(shape["progress"]["minutes_left"]) if printing else "",
        "thumbnail_url": picture_url,
        "thumbnail_alt": _("Image de {title}").format(title=shape["title"]),
        "drawing": drawing,
        "where_label": shape["machine"]["name"] if shape["machine"] else shape["machine_model"]["name"],
        "code": _("N° {number}").format(number=shape["number"]),
        "detail": job_detail(shape),
        "actions": list(actions),
        "live": True,
        "follow": follow,
        "live_key": live_key,
        "watch": watch,
        # What hands make nobody hears: its figures are the clock's.
        "observed": printing and bool(shape["machine"] and shape["machine"]["linked"]),
        "seen_at": moment(shape["progress"]["at"]),
    }
    if at_machine and shape["orders"]:
        card["detail"] = " · ".join(str(words.ASKED_WORDS[order["verb"]]) for order in shape["orders"])
    return card


def watched(shape: Mapping[str, Any]) -> tuple[str, str]:
    """Return the paths whose change makes a job's words stale, and the first path's value as it was shown.

    A draft moves while its state does not: its file is checked, then made ready for the machine.
    """
    first = "state"
    if shape["state"] in {State.DRAFT, State.NEEDS_CHANGES}:
        first = "upload.state" if shape["upload"]["state"] == "inspecting" else "preparation.state"
    paths = ["state", "upload.state", "preparation.state", "place", "expected_start", "waiting_for", "unsure"]
    paths += ["machine", "orders", "shelf", "version", "progress.minutes_left"]
    value: Any = shape
    for name in first.split("."):
        value = value[name]
    return " ".join([first, *(path for path in paths if path != first)]), str(value)


def job_detail(shape: Mapping[str, Any]) -> str:
    """Return the second line of a job: why it waits, why it was sent back, what went wrong."""
    state = State(shape["state"])
    if state is State.QUEUED:
        return " ".join(reason["detail"] for reason in shape["waiting_for"])
    if state is State.DRAFT:
        return next((str(one["detail"]) for one in shape["findings"] if one["severity"] == "blocks"), "")
    if state in {State.NEEDS_CHANGES, State.REJECTED, State.FAILED} and shape["reason"]:
        return words.reason_words(shape["reason"])
    return ""


def stepper(shape: Mapping[str, Any]) -> list[Card]:
    """Return the argument of ``components/stepper.html``: where a job is on its way."""
    state = State(shape["state"])
    now = next((number for number, (_c, _w, states) in enumerate(words.WAY) if state in states), -1)
    wrong = state in {State.FAILED, State.REJECTED, State.NEEDS_CHANGES}
    steps = []
    for number, (_code, label, _states) in enumerate(words.WAY):
        at = "done" if number < now or state is State.COLLECTED else "next"
        if number == now and state is not State.COLLECTED:
            at = "wrong" if wrong else "now"
        steps.append({"label": label, "state": at})
    return steps


def history(events: Iterable[Any], zone: str) -> list[Card]:
    """Return the argument of ``components/history.html``: who, when, why, for everybody who may see the object."""
    rows = []
    for event in events:
        who = str(words.SOURCE_WORDS.get(event.source, ""))
        if event.source == "person" and event.actor is not None:
            who = event.actor.display_name
        details = event.details
        said = [words.reason_words(details["reason"])] if details.get("reason") else []
        said += [str(details[key]) for key in ("words", "machine", "shelf", "file") if details.get(key)]
        rows.append(
            {
                "state": event.to_state,
                "sentence": words.HISTORY_WORDS.get(event.action, event.action),
                "at": event.at,
                "at_label": formats.day_and_time(event.at, zone),
                "who": who,
                "detail": " · ".join(said),
            }
        )
    return rows


# What a machine must answer, and the order that asks it.
VERBS: Mapping[str, Verb] = {
    "start": Verb.START,
    "pause": Verb.PAUSE,
    "resume": Verb.RESUME,
    "ask-stop": Verb.STOP,
}
STYLES: Mapping[str, str] = {
    "start": "primary",
    "approve": "primary",
    "submit": "primary",
    "collect": "primary",
    "ask-stop": "danger",
}
ICONS: Mapping[str, str] = {
    "submit": "upload",
    "approve": "check",
    "reject": "cross",
    "send-back": "pencil",
    "void": "undo",
    "start": "play",
    "pause": "pause",
    "resume": "play",
    "ask-stop": "stop",
    "requeue": "refresh",
    "collect": "box",
    "cancel": "cross",
    "release": "undo",
}


def still_to_ask(shape: Mapping[str, Any], actions: Iterable[str]) -> list[str]:
    """Return the actions without those that were asked for and wait for the machine's answer."""
    open_verbs = {order["verb"] for order in shape["orders"]}
    return [action for action in actions if VERBS.get(action) not in open_verbs]


def job_action(shape: Mapping[str, Any], action: str, *, large: bool = False) -> Card:
    """Return the argument of ``components/action.html`` for one of a job's ``actions``."""
    row = Action(action.replace("-", "_"))
    card: Card = {
        "url": reverse("job-act", args=[shape["id"], action]),
        "label": words.ACTION_WORDS[row],
        "icon": ICONS.get(action, ""),
        "style": STYLES.get(action, ""),
        "of": shape["title"],
        "large": large,
    }
    if row is Action.START:
        machine = shape["machine"] or {}
        card["label"] = words.EMPTY_AND_START[machine.get("plate_word", "plate")]
        card["fields"] = {
            "plate_clear": "true",
            "machine": machine.get("id", ""),
            "seen_plate": machine.get("plate_number", ""),
        }
        if not machine.get("needs_plate", True):
            card["label"] = _("Lancer")  # nothing to empty between two objects
    if row is Action.ASK_STOP and State(shape["state"]) in STARTED:
        card["note"] = words.STOP_SENTENCE
    return card


def moment(stamp: str | None) -> datetime | None:
    """Return the time of a shape's stamp."""
    return parse_datetime(stamp) if stamp else None


def prints(job: Any) -> bool:
    """Say whether a job's machine prints: "Ça imprime", or "Ça travaille"."""
    return job.machine_model.kind.icon in PRINTERS


def picture_url(job: Any) -> str:
    """Return the address of the picture of a job's file, empty when there is none."""
    return reverse("upload-picture", args=[job.upload_id]) if job.upload.has_picture else ""


def drawing_of(icon: str) -> str:
    """Return the drawing's name for a kind of machine."""
    return DRAWINGS.get(icon, icon)
