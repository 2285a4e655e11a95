"""Setting the terms on which a kind is booked at a place, or one machine of it, and what a place does on the day."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from equipment.bookings.facts import terms_with_sources
from equipment.bookings.models import BookingTerms
from equipment.bookings.terms import MAY_BE_UNLIMITED, NAMES, RANGES, Source, Terms, problems_of, resolve
from equipment.machines.live import machine_changed
from equipment.machines.models import Machine
from equipment.machines.queries import in_use
from equipment.machines.record import log
from equipment.sites.models import Site
from equipment.sites.queries import require_role
from equipment.sites.states import STAFF_ROLES
from fablab.core.errors import Malformed, NotFound, Problem
from fablab.people.models import User

LONGEST_GRACE = 120  # minutes
LONGEST_HOLD = 24 * 60
FEWEST_NO_SHOWS, MOST_NO_SHOWS = 3, 20
ON_THE_DAY = ("grace_minutes", "hold_minutes", "no_shows_before_pause")

Said = Mapping[str, int | None]


def machines_of(site_id: str, kind_id: str) -> list[Machine]:
    """Return the machines of a kind at a place, by name."""
    return list(in_use().filter(site_id=site_id, model__kind_id=kind_id).order_by("name"))


def said_and_above(
    machine: Machine, level: Source
) -> tuple[dict[str, int | None], tuple[Terms, dict[str, Source]]]:
    """Return what is said at a level (a machine, or its kind at its place), and what holds where it says nothing."""
    kind = {name: getattr(machine.model.kind, name) for name in NAMES}
    rows = BookingTerms.objects.filter(site_id=machine.site_id, kind_id=machine.model.kind_id)
    site = rows.filter(machine__isnull=True).values(*NAMES).first() or {}
    if level is Source.SITE:
        return site, resolve(kind, {}, {})
    return rows.filter(machine=machine).values(*NAMES).first() or {}, resolve(kind, site, {})


def laid_over(said: Said, above: tuple[Terms, dict[str, Source]]) -> tuple[Terms, dict[str, Source]]:
    """Return what holds for a kind at a place when ``said`` is laid over what the kind says."""
    terms, _ = above
    return resolve({name: getattr(terms, name) for name in NAMES}, said, {})


def set_terms(
    *,
    site_id: str,
    kind_id: str,
    machine_id: str | None = None,
    said: Said,
    actor: User,
    at: datetime,
) -> None:
    """Say what differs at this place for a kind, or for one machine of it. None: as the next above says.

    Bookings that exist stay as they are. Raises ``NotFound``, ``NotAllowed`` (staff and managers), ``Malformed`` with
    every problem: ``term_out_of_range``, ``terms_clash`` (naming the machine on which it would be).
    """
    require_role(actor, site_id, STAFF_ROLES)
    machines = machines_of(site_id, kind_id)
    concerned = [one for one in machines if machine_id in (None, one.pk)]
    if not concerned:
        raise NotFound
    values = {name: said.get(name) for name in NAMES}
    problems = [problem for name in NAMES if (problem := _out_of_range(name, values[name]))]
    if problems:
        raise Malformed(*problems)
    with transaction.atomic():
        Site.objects.select_for_update().get(pk=site_id)  # one change of a place's rules at a time
        BookingTerms.objects.update_or_create(
            site_id=site_id, kind_id=kind_id, machine_id=machine_id, defaults=values
        )
        clashes = [
            Problem("terms_clash", {"machine": machine.name}, name)
            for machine in concerned
            for name in problems_of(terms_with_sources([machine])[machine.pk][0])
        ]
        if clashes:
            raise Malformed(*clashes)  # and nothing is written
        for machine in concerned:
            log(machine, "booking_terms", actor, at, dict(values))
    for machine in concerned:
        machine_changed(machine)


def set_day_rules(*, site_id: str, said: Mapping[str, int], actor: User, at: datetime) -> None:
    """Say how long a place waits for who does not come, how long it keeps a freed time, and when it asks to talk.

    Raises ``NotFound``, ``NotAllowed``, ``Malformed``: ``term_out_of_range``.
    """
    require_role(actor, site_id, STAFF_ROLES)
    ranges = {"grace_minutes": (1, LONGEST_GRACE), "hold_minutes": (1, LONGEST_HOLD)}
    problems = [
        Problem("term_out_of_range", {"least": least, "most": most}, name)
        for name, (least, most) in ranges.items()
        if not least <= said[name] <= most
    ]
    no_shows = said["no_shows_before_pause"]
    if no_shows != 0 and not FEWEST_NO_SHOWS <= no_shows <= MOST_NO_SHOWS:
        problems.append(
            Problem(
                "no_shows_out_of_range",
                {"least": FEWEST_NO_SHOWS, "most": MOST_NO_SHOWS},
                "no_shows_before_pause",
            )
        )
    if problems:
        raise Malformed(*problems)
    Site.objects.filter(pk=site_id).update(**{name: said[name] for name in ON_THE_DAY})


def _out_of_range(name: str, value: int | None) -> Problem | None:
    least, most = RANGES[name]
    if value is None or least <= value <= most or (value == 0 and name in MAY_BE_UNLIMITED):
        return None
    return Problem("term_out_of_range", {"least": least, "most": most}, name)
