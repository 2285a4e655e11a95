""" "Me prévenir si ça se libère": one tap beside every refusal for which waiting may help, and on every full day."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from equipment.bookings import waiting
from equipment.machines.queries import machine_for
from fablab.core.clock import midnight
from fablab.dashboard.requests import Here, here, see_other, writes
from fablab.dashboard.slots import parse_day, slot_of


@writes
def start(request: HttpRequest) -> HttpResponseBase:
    """Wait for the time that was refused (``slot``), or for any of a day (``kind``, ``jour``, ``minutes``)."""
    asked = here(request)
    waiting.wait(person=asked.person, at=asked.at, **_wish(asked, request.POST))
    messages.success(request, _("C’est noté : on te prévient si ça se libère."))
    return see_other(f"{reverse('bookings')}#attentes")


def _wish(asked: Here, given: Mapping[str, str]) -> dict[str, Any]:
    day = parse_day(given.get("jour", ""))
    if given.get("kind") and day is not None:
        minutes = given.get("minutes", "")
        return {
            "site_id": asked.site.pk if asked.site else "",
            "kind": given["kind"],
            "machine_id": given.get("machine", ""),
            "from_": max(midnight(day, asked.zone), asked.at),
            "to": midnight(day + timedelta(days=1), asked.zone),
            "minutes": int(minutes) if minutes.isdecimal() and len(minutes) < 5 else 60,
        }
    machine_id, start_, end = slot_of(given.get("slot", ""))
    machine = machine_for(asked.person, machine_id)
    # Of places one is as good as another.
    which = {"kind": machine.model.kind.slug, "site_id": machine.site_id}
    return {
        **(which if machine.model.kind.is_place else {"machine_id": machine_id}),
        "from_": start_,
        "to": end,
        "minutes": (end - start_) // timedelta(minutes=1),
    }
