"""Kinds as people choose among them: who may use which, and what of each is free, true for whoever reads it."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from equipment.bookings.finding import Outlook
from equipment.certifications.queries import kinds_certified
from equipment.machines.states import Condition
from fablab.core.clock import local_day
from fablab.dashboard import formats
from fablab.dashboard.requests import Here


def by_kind(machines: Iterable[Any]) -> list[tuple[Any, list[Any]]]:
    """Return machines by their kind, in order of the kinds' names."""
    found: dict[str, tuple[Any, list[Any]]] = {}
    for machine in machines:
        kind = machine.model.kind
        found.setdefault(kind.pk, (kind, []))[1].append(machine)
    return sorted(found.values(), key=lambda one: str(one[0].name))


def trained_for(asked: Here, day: date | None = None) -> set[str]:
    """Return the kinds that the person has a certificate for on a day, today unless told, where they look."""
    if asked.site is None:
        return set()
    return kinds_certified(asked.person, asked.site.pk, day or local_day(asked.at, asked.zone))


def stand_free(shapes: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the machines that nobody uses or must empty or repair, whatever is booked."""
    return {shape["id"] for shape in shapes if shape["state"] == Condition.FREE and not shape["no_power"]}


def free_label(kind: Any, known: Collection[Outlook], asked: Here) -> str:
    """Return when somebody could have one of these: now, later, not at all. Places are counted."""
    now = sum(one.now for one in known)
    if now and kind.is_place and len(known) > 1:
        return free_of(now, len(known))
    if now:
        return _("Libre maintenant")
    starts = [one.first for one in known if one.first is not None]
    if not starts:
        return _("Rien de libre")
    return _("Libre : {when}").format(when=formats.day_and_time(min(starts), asked.zone))


def free_of(free: int, among: int = 0) -> str:
    """Return ``5 libres sur 8``, or ``5 libres``."""
    if among:
        return ngettext("{n} libre sur {all}", "{n} libres sur {all}", free).format(n=free, all=among)
    return ngettext("{n} libre", "{n} libres", free).format(n=free)
