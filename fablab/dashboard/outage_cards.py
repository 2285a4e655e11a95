"""What pages say of the outages of a machine: to the people of its place why and until when, to those on duty more."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from equipment.machines.outages import running, to_come, until_when
from fablab.dashboard import formats, present

Card = present.Card
SHOWN = 3  # to members; those on duty have a page for all of them


def photo_url(outage: Any) -> str:
    """Return the address of an outage's picture; "" without one."""
    return reverse("outage-photo", args=[outage.machine_id, outage.pk]) if outage.photo else ""


def outage_now(machine: Any, at: datetime) -> Card | None:
    """Return why a machine is out of order now, with picture and end. ``machine`` comes with its site."""
    outage = running([machine.pk], at).get(machine.pk)
    if outage is None:
        return None
    until = until_when(outage, at)
    return {
        "reason": outage.reason,
        "until": _("Retour prévu : {when}").format(when=formats.day_and_time(until, machine.site.time_zone))
        if until
        else "",
        "photo_url": photo_url(outage),
    }


def planned(machine: Any, at: datetime) -> list[Card]:
    """Return the next outages that have not begun, for everybody of the place."""
    zone = machine.site.time_zone
    later = [outage for outage in to_come(machine, at) if outage.start > at]
    return [{"when": when(outage, zone), "reason": outage.reason} for outage in later[:SHOWN]]


def when(outage: Any, zone: str) -> str:
    """Return from when to when an outage lasts; of one without end from when on."""
    start = formats.capital(formats.day_and_time(outage.start, zone))
    if outage.end is None:
        return _("Depuis {when}").format(when=formats.day_and_time(outage.start, zone))
    return f"{start} – {formats.until_after(outage.start, outage.end, zone)}"


def hit_rows(bookings: list[Any], zone: str, most: int = 50) -> Card:
    """Return the argument of ``dashboard/hit_list.html``: whose bookings are hit, for those on duty."""
    return {
        "count": len(bookings),
        "rows": [
            {
                "url": reverse("booking", args=[one.pk]),
                "when": formats.capital(formats.day_and_time(one.start, zone)),
                "machine": one.machine.name,
                "person": one.title or one.person.display_name,
            }
            for one in bookings[:most]
        ],
        "more": max(0, len(bookings) - most),
    }
