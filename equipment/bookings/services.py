"""Booking, moving, cancelling: every door leads here (REL-23). Coming and ending: ``use``.

A quick look at the rules without a lock gives most refusals kindly and at once. Then a short transaction: the machine
is locked, the facts are read again, the rules run again, the row is written. Behind all that stands the database's
own guard; what it refuses reads the same as what the rule refuses.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import IntegrityError, transaction

from equipment.bookings import guard, waiting
from equipment.bookings.facts import facts_for, week_of
from equipment.bookings.finding import alternatives
from equipment.bookings.live import booking_changed
from equipment.bookings.locks import lock_person
from equipment.bookings.models import Booking, Series, newer
from equipment.bookings.offering import OFFER, over, serve_waiting, time_was_freed
from equipment.bookings.queries import booking_for
from equipment.bookings.rules import CODES, Judgement, judge
from equipment.bookings.states import HOLDING, BookingState
from equipment.bookings.use import end_use, hands_were_there
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine
from equipment.machines.queries import machine_for
from equipment.sites.queries import roles_of
from equipment.sites.states import ON_DUTY_ROLES, Role
from fablab.core.errors import Malformed, NotAllowed, NotFound, Problem, Refused, collecting
from fablab.notices import services as notices
from fablab.people.models import User
from fablab.people.states import Level

# Refusals that another time would not meet; then other times are offered.
OF_TIME = frozenset(
    {
        "machine_out_of_order",
        "site_closed",
        "in_the_past",
        "too_soon",
        "too_far",
        "off_grid",
        "needs_supervision",
        "slot_taken",
        "person_busy",
    }
)


def _go_on(point: str) -> None:
    """Nothing happens between the steps. Tests put something here to hold the gap between two of them open."""


# Called at "judged" (no lock held), and at "before_insert" (locked, judged again).
failpoint: Callable[[str], None] = _go_on


@dataclass(frozen=True)
class _Wish:
    """A time on a machine, for ``person``, asked by ``actor``; ``overrides`` gives the reason for each code."""

    person: User
    start: datetime
    end: datetime
    actor: User
    roles: frozenset[Role]
    at: datetime
    overrides: Mapping[str, str]
    moving: Booking | None = None
    title: str = ""


def book(
    *,
    person: User,
    machine_id: str,
    start: datetime,
    end: datetime,
    actor: User,
    at: datetime,
    overrides: Sequence[Mapping[str, str]] = (),
    title: str = "",
    series: Series | None = None,
) -> Booking:
    """Book a machine for a person. ``overrides`` are ``{"code", "reason"}``: rules that the actor answers for.

    With a ``title`` ("Atelier broderie") staff take it for a group: what limits one person is not asked.
    Raises ``NotFound`` for a machine or person that the actor does not see, ``NotAllowed`` for who may not book
    (for others), ``Malformed``, and ``Refused`` with every broken rule and ``extra["alternatives"]``, a list of up
    to three ``{"machine", "start", "end"}``.
    """
    machine = machine_for(actor, machine_id)
    roles = _roles_to_book(actor, person, machine)
    start, end, reasons = understood(start, end, overrides)
    if title and not roles & ON_DUTY_ROLES:
        raise NotAllowed("workshop_by_staff")
    wish = _Wish(person, start, end, actor, roles, at, reasons, title=title.strip()[:80])
    judgement = _look(machine, wish)
    if judgement.problems and actor.pk == person.pk:
        offered = waiting.offered_to(person, machine_id, start, end, at)
        if offered is not None:
            return waiting.take(offered.pk, actor=actor, at=at)
    _refuse(machine, wish, judgement)
    failpoint("judged")

    def insert(locked: Machine, judgement: Judgement) -> Booking:
        return Booking.objects.create(
            machine=locked,
            person=person,
            start=start,
            end=end,
            held_start=start,
            held_end=judgement.held_end,
            # An entry made afterwards holds no machine and is never dispatched.
            state=BookingState.DONE if end <= at else BookingState.CONFIRMED,
            title=wish.title,
            series=series,
            overrides=_logged(wish, judgement),
            created_by=actor,
            created_at=at,
        )

    booking = _write(machine, wish, insert)
    booking_changed(booking)
    return booking


def move(
    booking_id: str,
    *,
    start: datetime,
    end: datetime,
    actor: User,
    at: datetime,
    overrides: Sequence[Mapping[str, str]] = (),
) -> Booking:
    """Move a booking that has not begun to another time on its machine, under the rules of a new one.

    Raises as ``book``, and ``Refused``: ``booking_over``.
    """
    booking = booking_for(actor, booking_id)
    machine = machine_for(actor, booking.machine_id)
    roles = _roles_to_book(actor, booking.person, machine)
    start, end, reasons = understood(start, end, overrides)
    if booking.state != BookingState.CONFIRMED or booking.end <= at:
        raise Refused("booking_over")
    # Whose name a workshop stands in may move it like a booking of their own; as a group's, only those on duty.
    title = booking.title if roles & ON_DUTY_ROLES else ""
    wish = _Wish(booking.person, start, end, actor, roles, at, reasons, booking, title=title)
    _refuse(machine, wish, _look(machine, wish))
    failpoint("judged")

    def change(locked: Machine, judgement: Judgement) -> Booking:
        moved = Booking.objects.filter(pk=booking.pk, state=BookingState.CONFIRMED).update(
            start=start,
            end=end,
            held_start=start,
            held_end=judgement.held_end,
            overrides=[*booking.overrides, *_logged(wish, judgement)],
            **newer(at),
        )
        if not moved:
            raise Refused("booking_over")
        serve_waiting(locked, at=at)
        return booking_for(actor, booking.pk)

    booking = _write(machine, wish, change)
    booking_changed(booking)
    return booking


def cancel(booking_id: str, *, actor: User, at: datetime) -> Booking:
    """Give a booked time back: the owner, or instructors and staff of the site.

    Raises ``NotFound``, ``Refused``: ``booking_over`` for one that is past or ended already.
    """
    booking = booking_for(actor, booking_id)
    with transaction.atomic():
        machine = lock_machine(booking.machine_id)
        booking = booking_for(actor, booking_id)
        begun = booking.state == BookingState.IN_USE
        if begun and booking.start < at:
            cancelled = end_use(booking, at=at, nothing_to_clear=BookingState.CANCELLED)
        else:
            live = Booking.objects.filter(pk=booking.pk, state__in=list(HOLDING), ended_at__isnull=True)
            cancelled = bool(
                live.filter(end__gt=at).update(state=BookingState.CANCELLED, ended_at=at, **newer(at))
            )
        if not cancelled:
            raise Refused("booking_over")
        if begun:
            hands_were_there(machine, at)
        if booking.state == BookingState.HELD:
            notices.withdraw(f"{OFFER}:{booking.pk}")
        serve_waiting(machine, at=at)
    booking = booking_for(actor, booking_id)
    booking_changed(booking)
    return booking


# --- inside -----------------------------------------------------------------------------------------------


def _roles_to_book(actor: User, person: User, machine: Machine) -> frozenset[Role]:
    roles = roles_of(actor, machine.site_id)
    if person.pk != actor.pk:
        if not roles & ON_DUTY_ROLES:
            raise NotAllowed("booking_for_others")
        if not roles_of(person, machine.site_id):
            raise NotFound
    if person.level == Level.TICKET:
        raise NotAllowed("ticket_cannot_book")
    return roles


def understood(
    start: datetime, end: datetime, overrides: Sequence[Mapping[str, str]]
) -> tuple[datetime, datetime, dict[str, str]]:
    """Return times in whole seconds of UTC, and the reason for each rule set aside.

    Raises ``Malformed`` with everything that cannot be meant: ``time_without_zone``, ``end_before_start``,
    ``override_unknown``, ``override_without_reason``.
    """
    problems: list[Problem] = []
    reasons: dict[str, str] = {}
    with collecting(problems):
        start, end = _whole_seconds(start, end)
    with collecting(problems):
        reasons = reasons_of(overrides)
    if problems:
        raise Malformed(*problems)
    return start, end, reasons


def _whole_seconds(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Return both in UTC and without fractions, which no clock on a wall shows."""
    without_zone = [name for name, time in (("start", start), ("end", end)) if time.tzinfo is None]
    if without_zone:
        raise Malformed(*(Problem("time_without_zone", field=name) for name in without_zone))
    start, end = (time.astimezone(UTC).replace(microsecond=0) for time in (start, end))
    if end <= start:
        raise Malformed(Problem("end_before_start", field="end"))
    return start, end


def reasons_of(overrides: Sequence[Mapping[str, str]]) -> dict[str, str]:
    problems = []
    reasons: dict[str, str] = {}
    for one in overrides:
        code, reason = str(one.get("code", "")), str(one.get("reason", "")).strip()
        if code not in CODES:
            problems.append(Problem("override_unknown", {"code": code}, "overrides"))
        elif not reason:
            problems.append(Problem("override_without_reason", {"code": code}, "overrides"))
        reasons[code] = reason[:200]
    if problems:
        raise Malformed(*problems)
    return reasons


def _judge(machine: Machine, wish: _Wish) -> Judgement:
    facts = facts_for(
        machine,
        person=wish.person,
        actor=wish.actor,
        start=wish.start,
        end=wish.end,
        at=wish.at,
        moving=wish.moving,
        for_workshop=bool(wish.title),
    )
    return judge(facts, wish.overrides, wish.roles)


def _look(machine: Machine, wish: _Wish) -> Judgement:
    """Judge without a lock. A time that is only kept still because nobody wrote down that its while is over makes way:
    for who waits first, else for this wish.
    """
    judgement = _judge(machine, wish)
    taken = any(problem.code == "slot_taken" for problem in judgement.problems)
    if not taken or not over(wish.at).filter(machine=machine).exists():
        return judgement
    time_was_freed(machine.pk, at=wish.at)
    return _judge(machine, wish)


def _refuse(machine: Machine, wish: _Wish, judgement: Judgement) -> None:
    """Raise what stands in the way, with other times where another time would help."""
    if not judgement.problems:
        return
    instead = []
    if any(problem.code in OF_TIME for problem in judgement.problems):
        instead = [
            offer.as_json()
            for offer in alternatives(machine, person=wish.person, start=wish.start, end=wish.end, at=wish.at)
            if _meets(offer.start, machine, wish, judgement)
        ]
    raise Refused(*judgement.problems, extra={"alternatives": instead})


def _meets(start: datetime, machine: Machine, wish: _Wish, judgement: Judgement) -> bool:
    """Say whether another time, beginning then, also meets what limits the person in general."""
    for problem in judgement.problems:
        if problem.code == "paused_after_no_shows":
            return False
        if problem.code == "quota_used":
            week = week_of(wish.start, machine.site.time_zone)
            if problem.params.get("why") != "week" or week.start <= start < week.end:
                return False
    return True


def _write(machine: Machine, wish: _Wish, write: Callable[[Machine, Judgement], Booking]) -> Booking:
    """Judge again under the lock and write. A refusal looks for alternatives only after the lock is given back."""
    try:
        with transaction.atomic():
            locked = lock_machine(machine.pk)
            if locked.retired_at is not None:
                raise NotFound
            if not wish.title:
                lock_person(wish.person)
            judgement = _judge(locked, wish)
            if not judgement.problems:
                failpoint("before_insert")
                return write(locked, judgement)
    except IntegrityError as error:
        if guard.NAME not in str(error):
            raise
        judgement = Judgement((Problem("slot_taken"),), (), wish.end)
    _refuse(machine, wish, judgement)
    raise AssertionError("a judgement without problems was not written")


def _logged(wish: _Wish, judgement: Judgement) -> list[dict[str, str]]:
    return log_of(judgement, wish.overrides, wish.actor, wish.at)


def log_of(
    judgement: Judgement, reasons: Mapping[str, str], actor: User, at: datetime
) -> list[dict[str, str]]:
    """Return what is kept with a booking of the rules that somebody answered for."""
    return [
        {"code": code, "reason": reasons[code], "by": actor.pk, "at": at.isoformat()}
        for code in judgement.overridden
    ]
