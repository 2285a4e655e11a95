"""What staff ask for when they ask for a series: who, where, when, and what is to happen with conflicts. Read once, all
that makes no sense at once.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from equipment.bookings.conflicts import Choices, choices_of
from equipment.bookings.services import reasons_of
from equipment.machines.models import Machine
from equipment.machines.queries import visible_machines
from equipment.sites.models import Site
from equipment.sites.queries import people_at, roles_of
from equipment.sites.states import ON_DUTY_ROLES, Role
from fablab.core.clock import LAST_YEAR, local_day
from fablab.core.errors import Malformed, NotAllowed, Problem, collecting
from fablab.core.recurring import MOST, Occurrence, Weekly, occurrences
from fablab.people.models import User
from fablab.people.states import Level

FARTHEST = 366  # days ahead
MOST_TIMES = 1000  # dates × machines written at once: the locks are held that long


@dataclass(frozen=True)
class Wish:
    """What staff ask for. ``person_id`` is empty for oneself; a ``title`` makes it a group's.

    ``choices`` are pairs (code, ``refuse``, ``skip`` or ``cancel``), ``overrides`` as in ``book``. ``may_cancel``:
    the bookings that a person has seen to be in the way; None agrees to whatever is.
    """

    machine_ids: Sequence[str]
    rule: Weekly
    person_id: str = ""
    title: str = ""
    choices: Sequence[tuple[str, str]] = ()
    overrides: Sequence[Mapping[str, str]] = ()
    may_cancel: Collection[str] | None = None


@dataclass(frozen=True)
class Asked:
    """A wish that makes sense: who, where, which rules are set aside and why."""

    actor: User
    roles: frozenset[Role]
    person: User
    machines: tuple[Machine, ...]
    dates: tuple[Occurrence, ...]
    rule: Weekly
    title: str
    choices: Choices
    reasons: Mapping[str, str]
    may_cancel: Collection[str] | None
    at: datetime

    @property
    def site(self) -> Site:
        return self.machines[0].site

    def with_choices(self, choices: Choices) -> "Asked":
        return replace(self, choices=choices)

    def with_reasons(self, reasons: Mapping[str, str]) -> "Asked":
        return replace(self, reasons=reasons)


def understood(wish: Wish, actor: User, at: datetime) -> Asked:
    problems: list[Problem] = []
    machines = chosen_machines(wish.machine_ids, actor, problems)
    roles: frozenset[Role] = frozenset()
    person = actor
    dates: tuple[Occurrence, ...] = ()
    if machines:
        roles = may_give(actor, machines[0].site_id)
        person = _person(wish.person_id, actor, machines[0].site_id, problems)
        dates = _dates(wish.rule, machines, at, problems)
    choices: Choices = {}
    reasons: Mapping[str, str] = {}
    with collecting(problems):
        choices = choices_of(wish.choices)
    with collecting(problems):
        reasons = reasons_of(wish.overrides)
    if problems:
        raise Malformed(*problems)
    title = wish.title.strip()[:80]
    return Asked(
        actor, roles, person, machines, dates, wish.rule, title, choices, reasons, wish.may_cancel, at
    )


def chosen_machines(ids: Collection[str], actor: User, problems: list[Problem]) -> tuple[Machine, ...]:
    """Return machines that the actor sees, by name; all at one place. What is wrong goes to ``problems``."""
    wanted = set(ids)
    if not wanted:
        problems.append(Problem("series_without_machine", field="machines"))
        return ()
    found = tuple(visible_machines(actor).filter(pk__in=wanted).order_by("name", "pk"))
    if len(found) < len(wanted):  # unknown, retired, or somewhere else: the three look the same
        problems.append(Problem("unknown_machine", field="machines"))
    if len({machine.site_id for machine in found}) > 1:
        problems.append(Problem("series_one_place", field="machines"))
    return found


def may_give(actor: User, site_id: str) -> frozenset[Role]:
    """Return the actor's roles at a place. Raises ``NotAllowed`` for who is not on duty there."""
    roles = roles_of(actor, site_id)
    if not roles & ON_DUTY_ROLES:
        raise NotAllowed("series_by_staff")
    return roles


def _person(person_id: str, actor: User, site_id: str, problems: list[Problem]) -> User:
    if not person_id or person_id == actor.pk:
        return actor
    found = people_at(site_id).filter(pk=person_id).first()
    if found is None:
        problems.append(Problem("unknown_person", field="person"))
        return actor
    if found.level == Level.TICKET:
        problems.append(Problem("ticket_cannot_book", field="person"))
    return found


def _dates(
    rule: Weekly, machines: Sequence[Machine], at: datetime, problems: list[Problem]
) -> tuple[Occurrence, ...]:
    zone = machines[0].site.time_zone
    most = min(MOST, MOST_TIMES // len(machines))
    found: list[Occurrence] = []
    if rule.last.year <= LAST_YEAR and rule.last > local_day(at, zone) + timedelta(days=FARTHEST):
        problems.append(Problem("series_too_far", {"days": FARTHEST}, "last"))
    with collecting(problems):
        found = occurrences(rule, zone)
        if len(found) > most:
            problems.append(Problem("series_too_long", {"most": most}, "last"))
        if not found:
            problems.append(Problem("series_without_date", field="first"))
    return tuple(found)
