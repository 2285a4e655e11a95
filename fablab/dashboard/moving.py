"""Moving a waiting object: the form on its page, for staff."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from equipment.machines.queries import in_use
from equipment.sites.states import STAFF_ROLES
from fablab.dashboard import present
from fablab.dashboard.requests import Here, back, here, writes
from jobs.lifecycle.moving import Spot, move
from jobs.lifecycle.states import State

Card = present.Card


@writes
def move_job(request: HttpRequest, job_id: str) -> HttpResponseBase:
    """Move an object to the front, to the end, or to another machine; the reason is asked."""
    asked = here(request)
    place, machine = request.POST.get("place", ""), request.POST.get("machine", "")
    move(
        job_id,
        actor=asked.person,
        at=asked.at,
        reason=request.POST.get("reason", ""),
        place=place or None,
        machine_id=machine or None,
    )
    messages.success(request, _("C’est noté."))
    return back(request, reverse("job", args=[job_id]))


def fields(job: Any, asked: Here) -> list[Card]:
    """Return the form's fields, for staff while the object waits; else nothing."""
    if job.state != State.QUEUED or not asked.viewer.roles_at(job.site_id) & STAFF_ROLES:
        return []
    spots = [
        ("", _("Ne change pas")),
        (Spot.FIRST, _("En premier")),
        (Spot.LAST, _("En dernier")),
        (Spot.USUAL, _("Comme les autres")),
    ]
    machines = in_use().filter(site_id=job.site_id, model_id=job.machine_model_id).order_by("name")
    others = [(one.pk, one.name) for one in machines if one.pk != job.machine_id]
    found = [_choice("place", _("Place dans la file"), spots)]
    if others:
        found.append(_choice("machine", _("Sur une autre machine"), [("", _("Ne change pas")), *others]))
    found.append({"id": "move-reason", "name": "reason", "label": _("Pourquoi ?"), "required": True})
    return found


def _choice(name: str, label: str, options: list[tuple[Any, str]]) -> Card:
    return {
        "id": f"move-{name}",
        "name": name,
        "label": label,
        "optional": True,
        "options": [{"value": value, "label": said, "selected": False} for value, said in options],
    }
