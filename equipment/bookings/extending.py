""" "Rester plus longtemps": a use that runs goes on, when nobody follows and the rules of its terms allow it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from equipment.bookings.facts import facts_for
from equipment.bookings.live import booking_changed
from equipment.bookings.locks import lock_person
from equipment.bookings.models import Booking, newer
from equipment.bookings.queries import booking_for
from equipment.bookings.rules import Judgement, judge
from equipment.bookings.states import LIVE, BookingState
from equipment.machines.locks import lock_machine
from fablab.core.errors import Malformed, Problem, Refused
from fablab.people.models import User

BY = (15, 30, 60)  # minutes
# What was asked when it was booked, and what a use that runs cannot break any more.
NOT_ASKED_AGAIN = frozenset(
    {"in_the_past", "too_soon", "too_far", "off_grid", "too_short", "not_certified", "paused_after_no_shows"}
)


def extensions(booking: Booking, at: datetime) -> list[int]:
    """Return by how many minutes a use that runs may be longer, of 15, 30 and 60; none when it does not run."""
    if not _runs(booking, at):
        return []
    return [by for by, judgement in zip(BY, _judged(booking, BY, at), strict=True) if not _against(judgement)]


def extend(booking_id: str, *, minutes: int, actor: User, at: datetime) -> Booking:
    """Let a use go on for 15, 30 or 60 minutes more: by the person, or instructors and staff of the site.

    Nothing changes for plate and hands: it is the same use. Raises ``NotFound``, ``Malformed``, ``Refused``:
    ``booking_over``, ``booking_not_begun``, or every rule in the way.
    """
    booking = booking_for(actor, booking_id)
    if minutes not in BY:
        raise Malformed(Problem("extension_unknown", field="minutes"))
    with transaction.atomic():
        lock_machine(booking.machine_id)
        lock_person(booking.person)
        booking = booking_for(actor, booking_id)
        if booking.state not in LIVE or booking.end <= at or booking.ended_at is not None:
            raise Refused("booking_over")
        if not _runs(booking, at):
            raise Refused("booking_not_begun")
        (judgement,) = _judged(booking, (minutes,), at)
        if _against(judgement):
            raise Refused(*_against(judgement))
        Booking.objects.filter(pk=booking.pk).update(
            end=booking.end + timedelta(minutes=minutes), held_end=judgement.held_end, **newer(at)
        )
    booking = booking_for(actor, booking_id)
    booking_changed(booking)
    return booking


def _runs(booking: Booking, at: datetime) -> bool:
    in_use = booking.state == BookingState.IN_USE and booking.ended_at is None
    return in_use and booking.start <= at < booking.end


def _judged(booking: Booking, choices: Sequence[int], at: datetime) -> list[Judgement]:
    """Judge each length; the facts are read once, for the longest."""
    facts = facts_for(
        booking.machine,
        person=booking.person,
        actor=booking.person,
        start=booking.start,
        end=booking.end + timedelta(minutes=max(choices)),
        at=at,
        moving=booking,
        for_workshop=bool(booking.title),
    )
    # What stood in the way until now kept nobody from it.
    ahead = replace(
        facts,
        outages=tuple(outage for outage in facts.outages if outage.end > booking.end),
        busy=tuple(span for span in facts.busy if span.end > booking.end),
    )
    return [judge(replace(ahead, end=booking.end + timedelta(minutes=by))) for by in choices]


def _against(judgement: Judgement) -> list[Problem]:
    return [problem for problem in judgement.problems if problem.code not in NOT_ASKED_AGAIN]
