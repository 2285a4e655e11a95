"""All machines of a place at a glance, for those who keep them running: what needs a hand comes first."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipment.machines.queries import visible_machines
from equipment.machines.said import FAULT_TOLD
from equipment.machines.states import AT_WORK, LINKED, Condition, Plate, Report
from equipment.machines.words import CONDITIONS, CONNECTION, EMPTY, TO_EMPTY
from fablab.api.live import queue_rows
from fablab.api.shapes import job_shapes, machine_shapes
from fablab.core.errors import NotAllowed
from fablab.core.templatetags.ui import age_in_words
from fablab.core.words import SENTENCES, say
from fablab.dashboard import formats, places, plates, present, worklist
from fablab.dashboard.desk import presence_card
from fablab.dashboard.requests import Here, here, signed_in
from jobs.lifecycle import words
from jobs.lifecycle.lying import lying_on
from jobs.lifecycle.on_machines import last_orders
from jobs.lifecycle.queries import live_part, visible_jobs, with_all_that_pages_show
from jobs.lifecycle.states import STARTED, OrderState, State, Verb

Card = present.Card
QUEUE_SHOWN = 30
FAILED_SHOWN = 6
TILES_ON_SCREEN = 12  # UX-13
# What a tile shows of a machine: it is drawn anew when one of these changes.
WATCHED = (
    *("state", "no_power", "plate", "plate_number", "orders", "unsure", "trouble", "out_of_order_reason"),
    *("current_jobs", "needs_help", "in_use"),
)
SETTLING = frozenset({"finish", "fail", "stopped"})
NOT_DONE: Mapping[str, Mapping[str, Any]] = {
    OrderState.REFUSED: {
        Verb.START: gettext_lazy("Pas lancé."),
        Verb.PAUSE: gettext_lazy("Pas mis en pause."),
        Verb.RESUME: gettext_lazy("Pas repris."),
        Verb.STOP: gettext_lazy("Pas arrêté."),
    },
    OrderState.UNKNOWN: {
        Verb.START: gettext_lazy("On ne sait pas si c’est lancé."),
        Verb.PAUSE: gettext_lazy("On ne sait pas si la pause est faite."),
        Verb.RESUME: gettext_lazy("On ne sait pas si c’est reparti."),
        Verb.STOP: gettext_lazy("On ne sait pas si c’est arrêté."),
    },
}
WHY_NOT: Mapping[str, Any] = {
    "expired": gettext_lazy("L’ordre n’a pas pu partir à temps."),
    "attempt_ended": gettext_lazy("L’essai était déjà fini."),
    "not_loaded": gettext_lazy("Le fichier n’était pas prêt sur la machine."),
    "plate_token": gettext_lazy("Le plateau était à vider."),
    "other_file": gettext_lazy("La machine travaillait sur un autre fichier."),
    "start_not_seen": gettext_lazy("Personne n’a vu la machine partir. Va la voir."),
}
UNSURE: Mapping[str, Any] = {
    "start_not_seen": gettext_lazy("Personne n’a vu la machine partir. Va la voir."),
    "contact_lost": gettext_lazy("On n’entend plus la machine. Va la voir."),
}


def helper(request: HttpRequest) -> Here:
    """Return who asks, when instructor, staff or manager of the place. Raises ``NotAllowed``."""
    asked = here(request)
    if not asked.helps:
        raise NotAllowed("not_allowed")
    return asked


@signed_in
def board(request: HttpRequest) -> HttpResponseBase:
    """The machines of the place with what may be done now, and the queue beside them."""
    asked = helper(request)
    assert asked.site is not None  # who helps has a place
    machines = list(visible_machines(asked.person, site_id=asked.site.pk))
    cards = places.as_tiles(machine_cards(asked, machines), machines)
    queue = queue_rows(asked.site.pk, staff=True)
    return render(
        request,
        "dashboard/board.html",
        {
            "presence": presence_card(asked),
            "work": worklist.section(asked),
            "site_id": asked.site.pk,
            "machines": cards,
            "queue": [_queue_row(row, asked) for row in queue[:QUEUE_SHOWN]],
            "queue_more": max(0, len(queue) - QUEUE_SHOWN),
            "failed": _failed(asked),
            "may_add": asked.keeps_machines,
        },
    )


@signed_in
def screen(request: HttpRequest) -> HttpResponseBase:
    """The same machines for a screen on the wall: large letters, numbers and no names (UX-13, UX-15)."""
    asked = helper(request)
    assert asked.site is not None
    machines = visible_machines(asked.person, site_id=asked.site.pk).order_by("name")
    page = Paginator(places.entries(machines), TILES_ON_SCREEN).get_page(request.GET.get("page"))
    shown = [one for entry in page.object_list for one in entry]
    tiles = {}
    for shape in machine_shapes(shown, at=asked.at, staff=True, free_times=False):
        card = present.machine_card(shape, zone=asked.zone)
        numbers = [str(job["number"]) for job in shape["current_jobs"]]
        if (
            any(job["state"] == State.PAUSED for job in shape["current_jobs"])
            and card["state"] == Condition.BUSY
        ):
            card |= {"state": Condition.NEEDS_HELP, "state_label": CONDITIONS[Condition.NEEDS_HELP]}
        ticket = _("N° {numbers}").format(numbers=formats.listed(numbers)) if numbers else ""
        tiles[shape["id"]] = {**card, "ticket": ticket, "condition": shape["state"]}
    shown_tiles = [
        tiles[entry[0].pk] if len(entry) == 1 else places.tile_of(entry, tiles) for entry in page.object_list
    ]
    context = {"machines": shown_tiles, "page": page, "site_id": asked.site.pk}
    return render(request, "dashboard/board_screen.html", context)


# --- machines -----------------------------------------------------------------------------------------------------


def machine_cards(asked: Here, machines: Iterable[Any]) -> list[Card]:
    """Return staff's tiles of machines of one place, what needs a hand first; a fixed number of queries."""
    shapes = machine_shapes(machines, at=asked.at, staff=True, free_times=False)
    ids = [job["id"] for shape in shapes for job in shape["current_jobs"]]
    jobs = {job.pk: job for job in with_all_that_pages_show(visible_jobs(asked.person).filter(pk__in=ids))}
    job_by_id = {shape["id"]: shape for shape in job_shapes(jobs.values(), asked.viewer)}
    attempts = {job.pk: part.attempt_id for job in jobs.values() if (part := live_part(job)) is not None}
    orders = last_orders(attempts.values())
    lies_there = lying_on(shape["id"] for shape in shapes)
    cards = []
    for shape in shapes:
        on_it = [job_by_id[job["id"]] for job in shape["current_jobs"] if job["id"] in job_by_id]
        order = orders.get(attempts.get(on_it[0]["id"], "")) if on_it else None
        there = lies_there.get(shape["id"], [])
        stopping = there if not on_it and shape["report"] == Report.CANCELLING else []
        card = _card(shape, on_it, order, stopping, asked)
        cards.append({**card, "lies_there": "" if stopping else plates.names_of(there)})
    return sorted(cards, key=lambda card: (card["rank"], card["name"]))


def _card(
    shape: Mapping[str, Any],
    jobs: Sequence[Mapping[str, Any]],
    order: Any,
    stopping: Sequence[Any],
    asked: Here,
) -> Card:
    card = present.machine_card(
        shape,
        zone=asked.zone,
        url=reverse("machine", args=[shape["id"]]),
        actions=tile_actions(shape, jobs[0] if jobs else None, asked),
    )
    path = f"machines.{shape['id']}"
    card["percent_bind"] = f"{path}.progress.percent"
    card["temperatures"] = [{**one, "bind": f"{path}.{one['bind']}"} for one in card["temperatures"]]
    watched = " ".join(WATCHED)
    seen_at = card["seen_at"]
    state, state_label, of = card["state"], card["state_label"], "machine"
    if jobs and card["state"] in {Condition.BUSY, Condition.NEEDS_CLEARING}:
        # What a person must do there is said first, in the words of the job.
        told = {State.PAUSED}
        if card["state"] == Condition.BUSY:
            told |= {State.LOADED, State.STOPPING}
        first = State(jobs[0]["state"])
        if first in told:
            state, state_label, of = first, words.STATE_WORDS[first], "job"
    if not jobs and shape["report"] == Report.CANCELLING:
        # The object has ended for its person; the machine still moves.
        state, state_label, of = State.STOPPING, words.STATE_WORDS[State.STOPPING], "job"
    if state == State.STOPPING:
        card |= {"percent": None, "estimate_label": ""}  # how far it was is how far it stays
    actions = card["actions"]
    first_action = actions[0] if actions and actions[0].get("style") == "primary" else None
    prints = shape["kind"]["icon"] in present.PRINTERS
    return card | {
        "band": {"of": of, "code": state, "label": state_label},
        "first": first_action,
        "actions": actions[1:] if first_action else actions,
        "watch": " ".join(f"{path}.{name}" for name in watched.split()),
        "age_path": f"{path}.seen_at",
        "age_label": age_in_words(max(0, int((asked.at - seen_at).total_seconds()))) if seen_at else "",
        "jobs": [_job_line(job, asked, prints=prints) for job in jobs]
        or [_ended_line(job) for job in stopping],
        "asked": [str(words.ASKED_WORDS[one["verb"]]) for one in shape["orders"]],
        "not_done": _not_done(order),
        "why": _why(shape),
        "plate_label": _plate(shape),
        "rank": _rank(shape, jobs),
        "condition": shape["state"],
        "outage_url": f"{reverse('machine', args=[shape['id']])}#panne"
        if shape["state"] != Condition.OUT_OF_ORDER
        else "",
    }


def _job_line(job: Mapping[str, Any], asked: Here, *, prints: bool) -> Card:
    code, label = present.job_headline(job, reader_id=asked.person.pk, zone=asked.zone, prints=prints)
    if job["state"] == State.LOADED:
        code, label = State.LOADED, str(words.STATE_WORDS[State.LOADED])  # the plate is told by the machine
    return {
        "number": job["number"],
        "title": job["title"],
        "owner": job["owner"]["name"],
        "url": reverse("job", args=[job["id"]]),
        "code": code,
        "label": label,
    }


def _ended_line(job: Any) -> Card:
    """Return the line of an object whose machine still comes to a stop."""
    return {
        "number": job.number,
        "title": job.title,
        "owner": job.owner.display_name,
        "url": reverse("job", args=[job.pk]),
        "code": State.STOPPING,
        "label": str(words.STATE_WORDS[State.STOPPING]),
    }


def _not_done(order: Any) -> str:
    """Say that the last order did not do what was asked, and why."""
    if order is None or order.state not in {OrderState.REFUSED, OrderState.EXPIRED, OrderState.UNKNOWN}:
        return ""
    state = OrderState.UNKNOWN if order.state == OrderState.UNKNOWN else OrderState.REFUSED
    return f"{NOT_DONE[state][Verb(order.verb)]} {_outcome(order.outcome)}".strip()


def _outcome(code: str) -> str:
    sentence = WHY_NOT.get(code) or CONNECTION.get(code) or SENTENCES.get(code)
    return str(sentence) if sentence and "{" not in str(sentence) else ""


def _why(shape: Mapping[str, Any]) -> str:
    """Say why nobody knows what the machine does, or why it is out of order."""
    if shape["state"] == Condition.OUT_OF_ORDER:
        return str(shape["out_of_order_reason"] or "")
    if shape["state"] == Condition.NEEDS_HELP and shape["needs_help"]:
        why = shape["needs_help"]["why"]
        return _("Quelqu’un dit : elle ne marche pas.") if why == FAULT_TOLD else str(why)
    if shape["state"] != Condition.UNREACHABLE:
        return ""
    trouble = shape["trouble"]
    if trouble:
        return _outcome(trouble) or (say(f"connection_{trouble}") if trouble in CONNECTION else str(trouble))
    if shape["unsure"]:
        return str(UNSURE.get(shape["unsure"], UNSURE["contact_lost"]))
    if shape["report"] == Report.NEVER:
        return _("On ne l’a pas encore entendue.")
    if shape["report"] == Report.DISCONNECTED:
        return str(CONNECTION["printer_disconnected"])
    return str(UNSURE["contact_lost"])


def _plate(shape: Mapping[str, Any]) -> str:
    if not shape["needs_plate"] or shape["state"] in {Condition.BUSY, Condition.BUSY_ELSEWHERE}:
        return ""
    return str((EMPTY if shape["plate"] == Plate.CLEAR else TO_EMPTY)[shape["plate_word"]])


def _rank(shape: Mapping[str, Any], jobs: Sequence[Mapping[str, Any]]) -> int:
    """Return how soon somebody must come: small is first."""
    state = shape["state"]
    if any(job["unsure"] or job["state"] == State.PAUSED for job in jobs) or state == Condition.NEEDS_HELP:
        return 0
    if state == Condition.UNREACHABLE:
        return 1
    if state == Condition.NEEDS_CLEARING or any(job["state"] == State.LOADED for job in jobs):
        return 2
    return {Condition.BUSY: 3, Condition.BUSY_ELSEWHERE: 3, Condition.FREE: 4}.get(state, 5)


# --- what may be done ---------------------------------------------------------------------------------------------


def tile_actions(shape: Mapping[str, Any], job: Mapping[str, Any] | None, asked: Here) -> list[Card]:
    """Return the buttons of a machine's tile: only what would be done now, the most urgent first."""
    on_site = asked.viewer.is_on_site(shape["site"])
    only_here: Card = {"disabled": True, "note": say("not_on_site")}
    offered = present.still_to_ask(shape, job["actions"]) if job else []
    if shape["state"] == Condition.OUT_OF_ORDER:
        return _broken_actions(shape, job, offered, {} if on_site else only_here)
    linked = shape["driver"] in LINKED
    actions: list[Card] = []
    state = State(job["state"]) if job else None
    if job is not None:
        for action in ("start", "resume", "pause"):
            if action in offered:
                actions.append(_job_action(job, action, shape))
        if state is State.LOADED and "start" not in job["actions"] and not on_site:
            actions.append({**_job_action(job, "start", shape), **only_here})
        if state is State.SENDING and "load" in offered:
            actions.append(_job_action(job, "load", shape))
        if not linked and "finish" in offered:
            actions.append({**_job_action(job, "finish", shape), "style": "primary"})
        if state in STARTED and "ask-stop" in offered:
            actions.append(_job_action(job, "ask-stop", shape))
        if SETTLING & set(offered) and (state in STARTED or job["unsure"]):
            actions.append(
                {
                    "url": reverse("machine-settle", args=[shape["id"], job["id"]]),
                    "label": _("Dire ce qui s’est passé") if linked else _("Raté"),
                    "icon": "chat" if linked else "broken",
                    "method": "get",
                }
            )
    if _may_clear(shape, state) and not any(
        action.get("fields", {}).get("plate_clear") for action in actions
    ):
        clear = _machine_action(shape, "clear-plate", str(EMPTY[shape["plate_word"]]), "check")
        style = "" if shape["state"] == Condition.UNREACHABLE else "primary"
        actions.insert(0, {**clear, "style": style, **({} if on_site else only_here)})
    if job is not None and "release" in offered and state is State.LOADED:
        actions.append(_job_action(job, "release", shape))
    return actions


def _broken_actions(
    shape: Mapping[str, Any], job: Mapping[str, Any] | None, offered: Sequence[str], if_away: Card
) -> list[Card]:
    """Return the buttons of a machine that is out of order: nothing starts, what is there is taken away."""
    state = State(job["state"]) if job else None
    actions = [_machine_action(shape, "back-in-service", _("Remettre en service"), "check")]
    if job is not None and state is State.LOADED and "release" in offered:
        actions.append(_job_action(job, "release", shape))
    if _may_clear(shape, state):
        actions.append(
            {**_machine_action(shape, "clear-plate", str(EMPTY[shape["plate_word"]]), "check"), **if_away}
        )
    return actions


def _may_clear(shape: Mapping[str, Any], state: State | None) -> bool:
    return (
        bool(shape["needs_plate"])
        and shape["plate"] == Plate.TO_CLEAR
        and Report(shape["report"]) not in AT_WORK
        and state not in STARTED
    )


def _job_action(job: Mapping[str, Any], action: str, shape: Mapping[str, Any]) -> Card:
    card = present.job_action(job, action)
    return {**card, "of": shape["name"], "fields": {**card.get("fields", {}), "next": reverse("board")}}


def _machine_action(shape: Mapping[str, Any], action: str, label: str, icon: str) -> Card:
    return {
        "url": reverse("machine-act", args=[shape["id"], action]),
        "label": label,
        "icon": icon,
        "of": shape["name"],
        "fields": {"next": reverse("board"), "seen_plate": shape["plate_number"]},
    }


# --- beside the machines ------------------------------------------------------------------------------------------


def _queue_row(row: Mapping[str, Any], asked: Here) -> Card:
    start = present.moment(row["expected_start"])
    return {
        "place": row["place"],
        "title": row["title"],
        "url": reverse("job", args=[row["id"]]),
        "owner": row["owner"]["name"],
        "number": row["number"],
        "where": row["machine"]["name"] if row["machine"] else row["machine_model"]["name"],
        "around": _("vers {time}").format(time=formats.around(start, asked.zone)) if start else "",
        "why": " ".join(reason["detail"] for reason in row["waiting_for"]),
    }


def _failed(asked: Here) -> list[Card]:
    """Return what failed and may be tried again: somebody must say so."""
    assert asked.site is not None
    found = visible_jobs(asked.person).filter(site_id=asked.site.pk, state=State.FAILED).order_by("-state_at")
    shapes = job_shapes(with_all_that_pages_show(found)[:FAILED_SHOWN], asked.viewer)
    return [
        {
            "title": shape["title"],
            "number": shape["number"],
            "owner": shape["owner"]["name"],
            "url": reverse("job", args=[shape["id"]]),
            "why": present.job_detail(shape),
            "actions": [
                {
                    **present.job_action(shape, "requeue"),
                    "of": shape["title"],
                    "fields": {"next": reverse("board")},
                }
            ]
            if "requeue" in shape["actions"]
            else [],
        }
        for shape in shapes
    ]
