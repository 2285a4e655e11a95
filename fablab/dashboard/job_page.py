"""What stands on an object's page, in every state: one headline, one next action, the rest below."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from equipment.certifications.queries import is_certified, may_send_machine_files
from fablab.api.shapes import job_shape
from fablab.core.clock import local_day
from fablab.core.errors import DomainError, Problem
from fablab.core.words import say, say_problem
from fablab.dashboard import formats, handmade, job_forms, moving, present
from fablab.dashboard.attempt import attempt_rows
from fablab.dashboard.opening import instructor_label
from fablab.dashboard.requests import Here
from jobs.inspection.codes import reason_of
from jobs.inspection.findings import Finding, Reason, Severity
from jobs.inspection.judge import COMMANDING
from jobs.lifecycle import words
from jobs.lifecycle.queries import attempts_of, events_of, findings_of
from jobs.lifecycle.states import State
from jobs.lifecycle.table import Action
from jobs.uploads.words import NEXT_STEPS as FINDING_STEPS
from jobs.uploads.words import SEVERITY_WORDS, next_step

Card = present.Card
Given = Mapping[str, Any]
DRAWN_REASONS = frozenset({"too_big", "too_long", "not_solid", "unreadable", "copyright", "talk"})
MODEL_WANTED = "machine_files_not_allowed"
THINNEST_MM = 0.5  # what is thinner is said to be nothing
OWNERS_OWN = frozenset(
    {"submit", "collect", "cancel", "pause", "ask-stop"}
)  # what a page of one's own offers
OPEN_TO_CHANGE = frozenset({State.DRAFT, State.NEEDS_CHANGES})


def context(
    job: Any,
    asked: Here,
    given: Given,
    error: DomainError | None,
    *,
    file_open: bool = False,
    move_wanted: str | None = None,
) -> Card:
    """Return all that ``dashboard/job.html`` shows. ``given``: what was typed, when ``error`` refused it.

    ``file_open``: the form for another file is shown at once. ``move_wanted``: the one that moves it, and who asked.
    """
    shape = job_shape(job, asked.viewer)
    zone = job.site.time_zone
    is_own = job.owner_id == asked.person.pk
    code, label = present.job_headline(
        shape, reader_id=asked.person.pk, zone=zone, prints=present.prints(job)
    )
    state = State(job.state)
    is_open = is_own and state in OPEN_TO_CHANGE
    watch, live_key = present.watched(shape)
    problems = _missing(job, asked) if is_open else []
    if code == "draft" and problems:
        label = _("Pas encore prêt à envoyer")
    found = findings_of(job)
    events = list(events_of(job))
    ready = code == "draft" or (
        state is State.NEEDS_CHANGES and not _blocked(found) and not _is_checked(shape)
    )
    printing = state is State.RUNNING and not shape["unsure"]
    if any(problem.code == MODEL_WANTED for problem in problems):
        # Whatever is in it: this file cannot go. What the inspection found there would only lead astray.
        code, label, found = "needs_changes", str(words.TO_CORRECT), []
        problems = [problem for problem in problems if problem.code != MODEL_WANTED]
        refusal: Card | None = {
            "code": "not_allowed",
            "sentence": say(MODEL_WANTED),
            "next": str(FINDING_STEPS[Reason.NOT_ALLOWED]),
        }
        ready = False
    else:
        first = next((finding for finding in found if finding.severity == Severity.BLOCKS), None)
        refusal = _blocking_refusal(first) if is_open and first is not None else None
        found = [finding for finding in found if refusal is None or finding is not first]  # said once
    if refusal is None and not _has_new_file(job, state):
        refusal = _refusal(job, state, events, asked)
    return {
        "job": {
            "id": job.pk,
            "title": job.title,
            "number": job.number,
            "code": code,
            "label": label,
            "percent": shape["progress"]["percent"] or 0 if printing or state is State.SENDING else None,
            "left": _left(shape) if printing else "",
            "seen_at": present.moment(shape["progress"]["at"])
            if printing and shape["machine"]["linked"]
            else None,
            "detail": _detail(shape, job, events, asked),
            "asked": [str(words.ASKED_WORDS[order["verb"]]) for order in shape["orders"]],
            "shelf": shape["shelf"] if state is State.READY else "",
            "follow": is_own,
            "failed": state is State.FAILED,
            "watch": watch,
            "live_key": live_key,
        },
        "looks_again": is_open and _is_checked(shape),  # for who has no scripts
        "owner_name": "" if is_own else job.owner.display_name,
        "steps": present.stepper(shape),
        "refusal": refusal,
        "missing": [say_problem(problem) for problem in problems],
        "actions": _actions(
            shape, is_own=is_own, may_send=ready and not problems, calmly=refusal is not None
        ),
        "cancel": present.job_action(shape, "cancel") if "cancel" in shape["actions"] else None,
        "picture_url": present.picture_url(job),
        "drawing": present.drawing_of(job.machine_model.kind.icon),
        "size_mm": size_of(job.upload),
        "facts": facts_of(job, shape),
        "findings": finding_cards(
            found,
            prepared=bool(job.machine_file_id) or shape["preparation"]["state"] == "needs_slicing",
            said=[refusal["sentence"], str(refusal["next"])] if refusal else [],
        ),
        "settings_fields": _with_errors(job_forms.settings_fields(job, asked, given), error)
        if is_open
        else [],
        "file_field": job_forms.file_field(asked, _("Un autre fichier"), "", job) if is_open else None,
        "move": moving.form(job, asked, {}, None, move_wanted),
        "settings_label": job_forms.settings_label(job),
        "settings_open": error is not None,
        "file_open": file_open or (is_open and refusal is not None),
        "source": {"url": reverse("job-source", args=[job.pk]), "name": job.upload.name},
        "machine_file_url": reverse("job-machine-file", args=[job.pk]) if job.machine_file_id else "",
        "attempts": attempt_rows(attempts_of(job), zone),
        "history": list(reversed(present.history(events, zone))),
        "again": _again(state, is_own=is_own) or (_change_file(job) if is_open and refusal else None),
        "problems": _problems(error),
    }


def _percent(shape: Given, job: Any) -> float | None:
    """Return how far it is: a printer tells it soon; where people are the link, only a file's estimate does."""
    percent: float | None = shape["progress"]["percent"]
    return percent or 0 if present.prints(job) else percent


def _problems(error: DomainError | None) -> list[Card]:
    return [
        {"sentence": say_problem(problem), "field_id": job_forms.FIELD_IDS.get(problem.field or "", "")}
        for problem in (error.problems if error else ())
    ]


def _with_errors(fields: list[Card], error: DomainError | None) -> list[Card]:
    said = {row["field_id"]: row["sentence"] for row in _problems(error)}
    return [{**field, "error": said.get(field["id"], "")} for field in fields]


def _blocked(found: Iterable[Finding]) -> bool:
    return any(finding.severity == Severity.BLOCKS for finding in found)


def _is_checked(shape: Given) -> bool:
    return bool(shape["upload"]["state"] == "inspecting" or shape["preparation"]["state"] == "running")


def _missing(job: Any, asked: Here) -> list[Problem]:
    """Return what the person lacks for this machine, so that it is said before they press "Envoyer"."""
    kind = job.machine_model.kind
    day = local_day(asked.at, job.site.time_zone)
    problems = []
    if kind.needs_certificate and not is_certified(job.owner, kind.pk, job.site_id, day):
        problems.append(Problem("not_certified", {"kind": kind.name}))
    elif (
        job.upload.format in COMMANDING
        and job.upload.format in job.machine_model.formats
        and not may_send_machine_files(job.owner, kind.pk, job.site_id, day)
    ):
        problems.append(Problem(MODEL_WANTED))
    return problems


def _left(shape: Given) -> str:
    minutes = shape["progress"]["minutes_left"]
    return (
        "" if minutes is None else _("environ {duration} encore").format(duration=formats.duration(minutes))
    )


def _detail(shape: Given, job: Any, events: Sequence[Any], asked: Here) -> str:
    """Return the sentence below the headline: what happens next, or why nothing does."""
    state = State(shape["state"])
    is_own = job.owner_id == asked.person.pk
    machine = shape["machine"]["name"] if shape["machine"] else ""
    if state in OPEN_TO_CHANGE:
        if _is_checked(shape):
            return _("Ça prend quelques secondes. La page change toute seule.")
        if shape["preparation"]["state"] == "needs_slicing":
            return say("needs_slicing")
        return _("Ton nouveau fichier est là. Tu peux l’envoyer.") if _has_new_file(job, state) else ""
    match state:
        case State.REJECTED:
            return ""  # its own card says why
        case State.CANCELLED:
            return _who_ended(events, asked, job.site.time_zone)
        case State.SUBMITTED:
            return _("Tu n’as rien à faire. Le résultat s’affiche ici.") if is_own else ""
        case State.SENDING | State.LOADED if shape["machine"] and shape["machine"]["out_of_order"]:
            return _("Un animateur va le remettre en file.")
        case State.SENDING | State.LOADED:
            if not job.machine_model.kind.needs_plate:
                return _("Un animateur lance {machine}.").format(machine=machine)
            return _("Un animateur lance {machine} quand le plateau est vide.").format(machine=machine)
        case State.FINISHED:
            return _("Il est encore sur {machine}. Un animateur le range.").format(machine=machine)
        case State.FAILED:
            reason = present.job_detail(shape)
            if job.attempts_made >= 3:
                return f"{reason} {say('no_attempts_left')}".strip()
            again = _("Un animateur peut le relancer.")
            return f"{reason} {again}".strip()
        case _:
            return present.job_detail(shape)


def _who_ended(events: Sequence[Any], asked: Here, zone: str) -> str:
    """Say who asked for the end, and when: the last person who pressed, if it was one."""
    asking = {Action.CANCEL, Action.ASK_STOP, Action.STOPPED}
    last = next((event for event in reversed(events) if event.action in asking and event.actor), None)
    if last is None:
        return ""
    when = formats.day_and_time(last.at, zone)
    if last.actor_id == asked.person.pk:
        return _("Demandé par toi, {when}.").format(when=when)
    return _("Demandé par {name}, {when}.").format(name=last.actor.display_name, when=when)


def _has_new_file(job: Any, state: State) -> bool:
    """Say whether the person has answered "À corriger" with another file."""
    return bool(state is State.NEEDS_CHANGES and job.upload.created_at > job.state_at)


def _refusal(job: Any, state: State, events: Sequence[Any], asked: Here) -> Card | None:
    """Return why a file was sent back or refused: its drawing, the instructor's own words, what to do."""
    if state not in {State.NEEDS_CHANGES, State.REJECTED} or not job.reason:
        return None
    code = "not_allowed" if job.reason == "not_allowed_object" else job.reason
    return {
        "code": code if code in DRAWN_REASONS | {"not_allowed"} else "talk",
        "sentence": words.reason_words(job.reason),
        "note": own_words(events),
        "next": words.NEXT_STEPS.get(job.reason, words.NEXT_STEPS["talk"]),
        "when": instructor_label(job.site, asked.at) if job.reason == "talk" else "",
    }


def own_words(events: Iterable[Any]) -> str:
    """Return what the instructor wrote beside the last "À corriger" or "Refusé"."""
    said = [event for event in events if event.action in {Action.SEND_BACK, Action.REJECT}]
    return str(said[-1].details.get("words", "")) if said else ""


def _blocking_refusal(first: Finding) -> Card:
    """Return what stops a file as the reason to be read at once (J4)."""
    reason = reason_of(first.code)
    return {
        "code": reason or "unreadable",
        "sentence": say(first.code, first.params),
        "next": next_step(first),
    }


def _change_file(job: Any) -> Card:
    return {
        "url": f"{reverse('job', args=[job.pk])}?fichier=1#other-file",
        "label": _("Changer le fichier"),
        "icon": "upload",
        "style": "primary",
        "method": "get",
    }


def _actions(shape: Given, *, is_own: bool, may_send: bool, calmly: bool) -> list[Card]:
    """Return the buttons of one's own object. ``calmly``: something is to be changed before it is sent again."""
    offered = present.still_to_ask(shape, (action for action in shape["actions"] if action != "cancel"))
    if is_own:
        offered = [action for action in offered if action != "submit" or may_send]
    first = [action for action in offered if action in OWNERS_OWN]
    cards = [present.job_action(shape, action, large=action in {"submit", "collect"}) for action in first]
    return [{**card, "style": "" if calmly else card["style"]} for card in cards]


def _again(state: State, *, is_own: bool) -> Card | None:
    """Return the way on from an ending."""
    if not is_own or state not in {State.REJECTED, State.CANCELLED, State.COLLECTED, State.FAILED}:
        return None
    return {
        "url": reverse("job-new"),
        "label": _("Envoyer un autre fichier")
        if state is not State.COLLECTED
        else _("Imprimer un autre objet"),
        "icon": "plus",
        "style": "" if state is State.FAILED else "primary",
        "method": "get",
    }


def size_of(upload: Any) -> list[float] | None:
    """Return width, depth and height in mm; None for what is a line or a point: there is nothing to picture."""
    size = (upload.report or {}).get("size_mm")
    return size if size and sum(side >= THINNEST_MM for side in size) >= 2 else None


def facts_of(job: Any, shape: Given) -> list[Card]:
    """Return time, matter and place, as far as they are known. A prepared file knows best."""
    report = shape["preparation"]["report"] or job.upload.report or {}
    if job.machine_file is not None and job.machine_file.report:
        report = job.machine_file.report
    material = report.get("material") or {}
    rows = []
    if report.get("minutes"):
        rows.append(
            (_("Temps"), _("environ {duration}").format(duration=formats.duration(report["minutes"])))
        )
    grams = material.get("grams")
    what = " · ".join(
        filter(
            None,
            [job.settings.get("material") or material.get("kind"), formats.weight(grams) if grams else ""],
        )
    )
    if what:
        rows.append((_("Matière"), what))
    by_hand = handmade.facts(job.machine_model.kind.by_hand, job.settings)
    rows += [(fact["label"], fact["value"]) for fact in by_hand]
    copies = job.settings.get("copies") or 1
    if copies > 1:
        rows.append((_("Nombre"), ngettext("{n} exemplaire", "{n} exemplaires", copies).format(n=copies)))
    rows.append((_("Machine"), shape["machine"]["name"] if shape["machine"] else job.machine_model.name))
    rows.append((_("Numéro"), str(job.number)))
    tries = len(attempts_of(job))
    if tries > 1:
        rows.append((_("Essais"), str(tries)))
    if job.note:
        rows.append((_("Message"), job.note))
    return [{"label": label, "value": value} for label, value in rows]


def finding_cards(
    found: Iterable[Finding], *, prepared: bool = False, said: Iterable[str] = ()
) -> list[Card]:
    """Return the argument of ``components/findings.html``, gravest first; each sentence stands once.

    ``prepared``: the machine file exists. ``said``: sentences that stand on the page already.
    """
    order = [Severity.BLOCKS, Severity.ASK, Severity.INFO]
    cards: list[Card] = []
    known = set(said)
    for finding in sorted(found, key=lambda one: order.index(one.severity)):
        if prepared and finding.code == "needs_preparation":
            continue  # that is behind us
        sentence, following = say(finding.code, finding.params), next_step(finding)
        if sentence in known:
            continue
        cards.append(
            {
                "severity": finding.severity,
                "severity_label": str(SEVERITY_WORDS[finding.severity]),
                "sentence": sentence,
                "next": "" if following in known else following,
            }
        )
        known |= {sentence, following}
    return cards
