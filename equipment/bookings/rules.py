"""The booking table: what must hold for a booking, and who may override which rule. Pure.

Services load ``BookingFacts`` once; all rules run; the person gets every problem at once. In ``ARCHITECTURE.md``'s
words "staff" includes managers. ``slot_taken`` nobody overrides: the database would refuse it anyway.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from equipment.sites.states import STAFF_ROLES, Role
from fablab.core.clock import Span, local_day, local_time, within
from fablab.core.errors import Problem

WALK_UP = timedelta(
    minutes=5
)  # a start this close to now is "now": a phone's clock, a slow line, a slow thumb
INSTRUCTORS = frozenset({Role.INSTRUCTOR})
ANYBODY = frozenset(Role)
NOBODY: frozenset[Role] = frozenset()


@dataclass(frozen=True)
class BookingFacts:
    """All that the rules ask, read at one moment.

    ``open`` is the site's opening around the booking, ``outages`` and ``taken`` what overlaps it on the machine:
    ``taken`` are held times of live bookings, buffers included. Lengths in minutes.
    """

    at: datetime
    start: datetime
    end: datetime
    zone: str
    open: tuple[Span, ...]
    outages: tuple[Span, ...] = ()
    taken: tuple[Span, ...] = ()
    certified: bool = True
    kind_name: str = ""
    notice_minutes: int = 0
    horizon_days: int = 14
    min_minutes: int = 30
    max_minutes: int = 120
    buffer_minutes: int = 0
    actor_certified: bool = False  # for who answers by name for somebody else
    power_cut: bool = False  # one is announced for a part of this time
    grid_minutes: int = 1
    # Of the person: their other times; on this kind at this place the minutes of this week, and bookings to come.
    busy: tuple[Span, ...] = ()
    weekly_minutes: int | None = None
    used_minutes: int = 0
    open_bookings: int | None = None
    open_now: int = 0
    minor: bool = False
    needs_instructor: bool = False  # the kind is for nobody alone
    supervised: tuple[Span, ...] = ()  # when an instructor is there; read only where one must be
    no_shows: int = 0
    no_shows_before_pause: int = 0  # 0: nobody is ever asked to come first
    for_workshop: bool = (
        False  # the place takes the machine for a group: what limits one person does not count
    )

    @property
    def minutes(self) -> float:
        return (self.end - self.start).total_seconds() / 60

    @property
    def held_end(self) -> datetime:
        return self.end + timedelta(minutes=self.buffer_minutes)

    @property
    def walk_up(self) -> bool:
        return abs(self.start - self.at) <= WALK_UP


Params = Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """``check`` returns the parameters of the sentence when the rule is broken, else None."""

    code: str
    check: Callable[[BookingFacts], Params | None]
    may_override: frozenset[Role] = field(default=NOBODY)
    # Accompanied: only who may use the machine can answer for somebody who may not.
    by_certified: bool = False
    of_person: bool = False  # limits what one person takes: a workshop is not asked


def out_of_order(facts: BookingFacts) -> Params | None:
    return {} if any(_overlap(outage, facts.start, facts.end) for outage in facts.outages) else None


def closed(facts: BookingFacts) -> Params | None:
    inside = any(span.start <= facts.start and facts.end <= span.end for span in facts.open)
    if inside:
        return None
    return {"why": "power_cut"} if facts.power_cut else {}


def past(facts: BookingFacts) -> Params | None:
    return {} if facts.start < facts.at and not facts.walk_up else None


def soon(facts: BookingFacts) -> Params | None:
    if facts.walk_up or facts.start < facts.at:
        return None
    if facts.start >= facts.at + timedelta(minutes=facts.notice_minutes):
        return None
    return {"minutes": facts.notice_minutes, "duration": duration(facts.notice_minutes)}


def far(facts: BookingFacts) -> Params | None:
    ahead = (local_day(facts.start, facts.zone) - local_day(facts.at, facts.zone)).days
    return {"days": facts.horizon_days} if ahead > facts.horizon_days else None


def off_grid(facts: BookingFacts) -> Params | None:
    if facts.walk_up or facts.start < facts.at:  # what was, was when it was
        return None
    wall = local_time(facts.start, facts.zone)
    on_grid = (wall.hour * 60 + wall.minute) % max(1, facts.grid_minutes) == 0 and wall.second == 0
    return None if on_grid else {"minutes": facts.grid_minutes}


def short(facts: BookingFacts) -> Params | None:
    if facts.minutes >= facts.min_minutes:
        return None
    return {"minutes": facts.min_minutes, "duration": duration(facts.min_minutes)}


def long(facts: BookingFacts) -> Params | None:
    if facts.minutes <= facts.max_minutes:
        return None
    return {"minutes": facts.max_minutes, "duration": duration(facts.max_minutes)}


def uncertified(facts: BookingFacts) -> Params | None:
    return None if facts.certified else {"kind": facts.kind_name}


def taken(facts: BookingFacts) -> Params | None:
    return {} if any(_overlap(span, facts.start, facts.held_end) for span in facts.taken) else None


def unsupervised(facts: BookingFacts) -> Params | None:
    """A minor's booking, or anybody's of such a kind, lies wholly within times at which an instructor is there."""
    if not (facts.minor or facts.needs_instructor):
        return None
    there = within(facts.supervised, facts.start, facts.end)
    return None if there == [Span(facts.start, facts.end)] else {}


def busy(facts: BookingFacts) -> Params | None:
    return {} if any(_overlap(span, facts.start, facts.end) for span in facts.busy) else None


def used_up(facts: BookingFacts) -> Params | None:
    if facts.weekly_minutes is not None and facts.used_minutes + facts.minutes > facts.weekly_minutes:
        left = max(0, facts.weekly_minutes - facts.used_minutes)
        return {"why": "week", "left": left, "duration": duration(left)}
    to_come = facts.start > facts.at and not facts.walk_up
    if to_come and facts.open_bookings is not None and facts.open_now >= facts.open_bookings:
        return {"why": "open", "most": facts.open_bookings}
    return None


def paused(facts: BookingFacts) -> Params | None:
    """Who stands at the machine has come: a walk-up is let in."""
    if not facts.no_shows_before_pause or facts.walk_up:
        return None
    return {"times": facts.no_shows} if facts.no_shows >= facts.no_shows_before_pause else None


RULES: tuple[Rule, ...] = (
    Rule("machine_out_of_order", out_of_order, STAFF_ROLES),
    Rule("site_closed", closed, STAFF_ROLES),
    Rule("in_the_past", past, STAFF_ROLES),
    Rule("too_soon", soon, INSTRUCTORS, of_person=True),
    Rule("too_far", far, INSTRUCTORS, of_person=True),
    Rule("off_grid", off_grid, of_person=True),
    Rule("too_short", short, of_person=True),
    Rule("too_long", long, INSTRUCTORS, of_person=True),
    Rule("not_certified", uncertified, INSTRUCTORS, by_certified=True, of_person=True),
    Rule("needs_supervision", unsupervised, of_person=True),
    Rule("slot_taken", taken),
    Rule(
        "person_busy", busy, ANYBODY, of_person=True
    ),  # whose time it is confirms it, or who helps them at the desk
    Rule("quota_used", used_up, INSTRUCTORS, of_person=True),
    Rule("paused_after_no_shows", paused, STAFF_ROLES, of_person=True),
)
CODES = frozenset(rule.code for rule in RULES)


def may_set_aside(code: str, roles: Collection[Role]) -> bool:
    """Say whether who holds ``roles`` at the site may answer for breaking this rule."""
    return any(rule.code == code and bool(rule.may_override & frozenset(roles)) for rule in RULES)


def may_be_set_aside_by(roles: Collection[Role]) -> list[str]:
    """Return the codes of all rules that who holds ``roles`` at the site may answer for."""
    return [rule.code for rule in RULES if may_set_aside(rule.code, roles)]


@dataclass(frozen=True)
class Judgement:
    """``problems`` stand in the way; ``overridden`` are the codes of those that somebody answers for."""

    problems: tuple[Problem, ...]
    overridden: tuple[str, ...]
    held_end: datetime  # until when the machine is kept: the end and the buffer


def judge(facts: BookingFacts, overrides: Collection[str] = (), roles: Collection[Role] = ()) -> Judgement:
    """Run all rules. ``overrides`` are the codes that the actor, holding ``roles`` at the site, wants to set aside."""
    problems: list[Problem] = []
    overridden: list[str] = []
    for rule in RULES:
        if rule.of_person and facts.for_workshop:
            continue
        params = rule.check(facts)
        if params is None:
            continue
        may = may_set_aside(rule.code, roles) and (facts.actor_certified or not rule.by_certified)
        if may and rule.code in overrides:
            overridden.append(rule.code)
        else:
            problems.append(Problem(rule.code, params))
    return Judgement(tuple(problems), tuple(overridden), facts.held_end)


def duration(minutes: int) -> str:
    """Return a length as people read it, without words of any language: ``45 min``, ``2 h``, ``1 h 30``."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest:02}" if rest else f"{hours} h"


def _overlap(span: Span, start: datetime, end: datetime) -> bool:
    return span.start < end and start < span.end
