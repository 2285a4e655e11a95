"""What is booked on a place's machines, line by line: for days and weeks of a hundred machines at once.

Read as plain rows: a week of a thousand bookings is a thousand rows, not five thousand objects. Asks nobody who is
looking: what is in it belongs to those on duty at the place, and their pages ask first.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import FilteredRelation, Q
from django.utils.translation import get_language, gettext

from equipment.bookings.models import Booking
from equipment.bookings.states import GIVEN_BACK, BookingState, shown
from equipment.machines.models import Machine
from equipment.machines.queries import localized
from fablab.core.clock import Span
from fablab.core.prepared import Prepared

FIELDS = ("machine_id", "pk", "start", "end", "state", "ended_at", "code", "title", "person__display_name")


class Line(NamedTuple):
    """A machine of the place, and when it is out of order in the days asked for."""

    machine_id: str
    name: str
    kind: str
    out: list[Span]


class Entry(NamedTuple):
    """One booking: whose it is, and what a group does there."""

    booking_id: str
    start: datetime
    end: datetime
    state: BookingState
    code: str
    title: str
    who: str


def lines_of(site_id: str, from_: datetime, to: datetime) -> list[Line]:
    """Return the machines in use at a place, by kind and name, with their outages in ``[from_, to)``. One query."""
    hit = Q(outages__start__lt=to) & (Q(outages__end__isnull=True) | Q(outages__end__gt=from_))
    rows = (
        Machine.objects.filter(site_id=site_id, retired_at__isnull=True)
        .annotate(hit=FilteredRelation("outages", condition=hit))
        .order_by("model__kind__slug", "name", "pk", "hit__start")
        .values_list("pk", "name", "model__kind__names", "hit__start", "hit__end")
    )
    language = (get_language() or "fr")[:2]
    found: dict[str, Line] = {}
    for machine_id, name, names, start, end in rows:
        line = found.setdefault(machine_id, Line(machine_id, name, localized(names, language), []))
        if start is not None:
            line.out.append(Span(max(start, from_), to if end is None else min(end, to)))
    return list(found.values())


def entries_of(machine_ids: Sequence[str], from_: datetime, to: datetime) -> dict[str, list[Entry]]:
    """Return what is and was booked in ``[from_, to)``, by machine id and time; not what was given back. One query."""
    found: dict[str, list[Entry]] = {machine_id: [] for machine_id in machine_ids}
    erased = gettext("Personne effacée")  # the row of who was erased has no name
    for machine_id, pk, start, end, state, ended_at, code, title, who in _ENTRIES(
        list(machine_ids), from_, to
    ):
        now = shown(state, ended=ended_at is not None)
        if now not in GIVEN_BACK:
            found[machine_id].append(Entry(pk, start, end, now, code, title, who or erased))
    return found


_ENTRIES = Prepared(
    lambda machine_ids, from_, to: (
        Booking.objects.filter(machine_id__in=machine_ids, end__gt=from_, start__lt=to)
        .exclude(state__in=sorted(GIVEN_BACK))
        .order_by("start", "pk")
        .values_list(*FIELDS)
    )
)
