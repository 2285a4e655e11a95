"""How a machine is kept well: its hours, its maintenance log, and where its camera is. On the machine's own page."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from equipment.machines import camera
from equipment.machines import maintenance as care
from equipment.machines.queries import machine_for
from equipment.machines.words import MAINTENANCE
from equipment.sites.states import STAFF_ROLES
from fablab.core.errors import Malformed, Problem
from fablab.dashboard import formats, present
from fablab.dashboard.attempt import attempts_of_machine
from fablab.dashboard.requests import Here, here, see_other, writes

Card = present.Card
LINES_SHOWN = 8


def care_of(found: Any, asked: Here) -> Card:
    """Return what ``dashboard/machine_care.html`` shows of a machine, for those on duty."""
    zone = found.site.time_zone
    use = care.use_of([found.pk], asked.at)[found.pk]
    keeps = bool(asked.viewer.roles_at(found.site_id) & STAFF_ROLES)
    rows = [(_("Heures de travail"), _hours(use.used))]
    if use.last_at is not None:
        rows.append((_("Depuis le dernier entretien"), _since(use.since_maintenance)))
    if use.every_hours is not None:
        rows.append((_("Entretien toutes les"), formats.duration(use.every_hours * 60)))
    return {
        "facts": [{"label": label, "value": value} for label, value in rows],
        "due": use.is_due,
        "lines": [
            {
                "sentence": str(MAINTENANCE.get(line.what, line.what)),
                "note": line.note,
                "who": line.by.display_name if line.by else "",
                "at": line.at,
                "at_label": formats.day_and_time(line.at, zone),
                "hours": formats.duration(line.used_seconds / 60) if line.used_seconds else "",
            }
            for line in care.log_of(found, limit=LINES_SHOWN)
        ],
        "keeps": keeps,
        "choices": [{"value": what, "label": str(MAINTENANCE[what])} for what in care.What],
        "every_hours": use.every_hours or "",
        "most_hours": care.MOST_HOURS,
        "camera": {"set": bool(found.camera_address)} if keeps and found.site.cameras_allowed else None,
        "attempts": attempts_of_machine(found.pk, asked, zone),
    }


def _hours(worked: Any) -> str:
    minutes = worked.total_seconds() / 60
    return formats.duration(minutes) if minutes >= 1 else _("Pas encore")


def _since(worked: Any) -> str:
    """Return the time worked since a line of the log: none yet is a figure there."""
    minutes = worked.total_seconds() / 60
    return formats.duration(minutes) if minutes >= 1 else ngettext("{n} min", "{n} min", 0).format(n=0)


@writes
def keep(request: HttpRequest, machine_id: str, what: str) -> HttpResponseBase:
    """One of the three forms: a line of the log, the interval, the camera."""
    asked = here(request)
    machine_for(asked.person, machine_id)
    match what:
        case "entretien":
            care.note_maintenance(
                machine_id,
                what=request.POST.get("what", ""),
                note=request.POST.get("note", ""),
                actor=asked.person,
                at=asked.at,
            )
            said = _("C’est noté dans le carnet.")
        case "rythme":
            every = _whole(request.POST.get("every_hours", ""))
            care.set_interval(machine_id, every_hours=every, actor=asked.person, at=asked.at)
            said = _("C’est noté.")
        case "camera":
            address = "" if "remove" in request.POST else request.POST.get("camera_address", "")
            camera.set_camera(machine_id, address=address, actor=asked.person, at=asked.at)
            said = _("C’est noté.") if address else _("La caméra est enlevée.")
        case _:
            raise Http404
    messages.success(request, said)
    return see_other(reverse("machine", args=[machine_id]) + "#entretien")


def _whole(text: str) -> int | None:
    """Return the number, None for nothing typed. Raises ``Malformed``."""
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise Malformed(Problem("interval_out_of_range", {"most": care.MOST_HOURS}, "every_hours"))
    return int(text[:9])
