"""Moving a waiting object: the form on its page, for staff."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from equipment.machines.queries import in_use
from equipment.sites.states import STAFF_ROLES
from fablab.core.errors import DomainError
from fablab.core.words import say_problem
from fablab.dashboard import present
from fablab.dashboard.requests import Here
from jobs.lifecycle.moving import Spot, move
from jobs.lifecycle.states import State

Card = present.Card
Given = Mapping[str, Any]
FROM_QUEUE = "file"  # ?deplacer=file: the form is open, and leads back to the queue


def save(job_id: str, asked: Here, given: Given) -> None:
    """Move the object as the form says. Raises what ``move`` raises."""
    move(
        job_id,
        actor=asked.person,
        at=asked.at,
        reason=given.get("reason", ""),
        place=given.get("place") or None,
        machine_id=given.get("machine") or None,
    )


def form(job: Any, asked: Here, given: Given, error: DomainError | None, wanted: str | None) -> Card | None:
    """Return the form, for staff while the object waits; else None. ``given``: what ``error`` refused.

    ``wanted``: who asked for it in the address (``FROM_QUEUE``); None, it is shown closed.
    """
    if job.state != State.QUEUED or not asked.viewer.roles_at(job.site_id) & STAFF_ROLES:
        return None
    wrong = {problem.field: say_problem(problem) for problem in (error.problems if error else ())}
    fields = [{**field, "error": wrong.get(field["name"], "")} for field in _fields(job, given)]
    return {
        "fields": fields,
        "open": error is not None or wanted is not None,
        "next": given.get("next") or (reverse("queue") if wanted == FROM_QUEUE else ""),
    }


def problems_of(error: DomainError) -> list[Card]:
    """Return the summary of what was refused."""
    return [
        {"sentence": say_problem(problem), "field_id": f"move-{problem.field}" if problem.field else "move"}
        for problem in error.problems
    ]


def _fields(job: Any, given: Given) -> list[Card]:
    spots = [
        ("", _("Ne change pas")),
        (Spot.FIRST, _("En premier")),
        (Spot.LAST, _("En dernier")),
        (Spot.USUAL, _("Comme les autres")),
    ]
    machines = in_use().filter(site_id=job.site_id, model_id=job.machine_model_id).order_by("name")
    others = [(one.pk, one.name) for one in machines if one.pk != job.machine_id]
    found = [_choice("place", _("Place dans la file"), spots, given)]
    if others:
        options = [("", _("Ne change pas")), *others]
        found.append(_choice("machine", _("Sur une autre machine"), options, given))
    found.append(
        {
            "id": "move-reason",
            "name": "reason",
            "label": _("Pourquoi ?"),
            "value": given.get("reason", ""),
            "attributes": {"maxlength": 300, "autocomplete": "off"},
        }
    )
    return found


def _choice(name: str, label: str, options: list[tuple[Any, str]], given: Given) -> Card:
    chosen = given.get(name, "")
    return {
        "id": f"move-{name}",
        "name": name,
        "label": label,
        "optional": True,
        "options": [{"value": value, "label": said, "selected": value == chosen} for value, said in options],
    }
