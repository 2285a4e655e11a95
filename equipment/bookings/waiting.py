"""What people say of the waiting list: "Me prévenir si ça se libère", "Ne plus attendre", "Prendre", "Non merci".

Whose turn it is, and for how long a time is held: ``offering``.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import transaction

from equipment.bookings.facts import facts_for
from equipment.bookings.finding import Offer
from equipment.bookings.live import booking_changed
from equipment.bookings.locks import lock_person
from equipment.bookings.models import Booking, WaitingEntry, newer
from equipment.bookings.offering import (
    LEFT,
    OFFER,
    SERVED,
    FreeTimes,
    judged,
    lock_waits,
    serve_waiting,
    time_was_freed,
)
from equipment.bookings.queries import booking_for
from equipment.bookings.rules import duration, judge
from equipment.bookings.states import BookingState
from equipment.bookings.turns import Wish
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine
from equipment.machines.queries import machine_for, visible_machines
from equipment.sites.queries import roles_of
from fablab.core.clock import Span
from fablab.core.errors import Malformed, NotAllowed, NotFound, Problem, Refused
from fablab.live import push
from fablab.notices import services as notices
from fablab.people.models import User
from fablab.people.states import Level

MOST_WAITS = 10  # of one person at once
LONGEST_SPAN = timedelta(days=32)
# What no freed time would change: said at once, instead of letting somebody wait for nothing.
LASTING = frozenset({"too_far", "too_short", "too_long", "not_certified", "paused_after_no_shows"})


def wait(
    *,
    person: User,
    site_id: str = "",
    kind: str = "",
    machine_id: str = "",
    from_: datetime,
    to: datetime,
    minutes: int,
    at: datetime,
) -> WaitingEntry:
    """Wait for ``minutes`` within ``[from_, to)`` on a machine, or on any of a kind (slug) at a place.

    The same wish twice is one. Raises ``NotFound``, ``NotAllowed`` (a ticket), ``Malformed``, and ``Refused``:
    every lasting rule, ``in_the_past``, ``too_soon``, ``waiting_for_free_time`` when such a time is free anyway,
    ``waiting_too_often``.
    """
    if person.level == Level.TICKET:
        raise NotAllowed("ticket_cannot_book")
    named = machine_for(person, machine_id) if machine_id else None
    machines = [named] if named else _machines(person, site_id, kind)
    first = machines[0]
    from_, to = _moments(from_, to)
    if not 0 < minutes <= (to - from_) // timedelta(minutes=1):
        raise Malformed(Problem("waiting_does_not_fit", field="minutes"))
    same = {
        "site_id": first.site_id,
        "kind_id": first.model.kind_id,
        "machine": named,
        "person": person,
        "from_time": from_,
        "to_time": to,
        "minutes": minutes,
    }
    _refuse_lasting(machines, person, Wish(max(from_, at), to, minutes), at)
    _refuse_needless(machines, WaitingEntry(**same, created_at=at), at)
    with transaction.atomic():
        lock_person(person)
        mine = WaitingEntry.objects.filter(person=person, ended_at__isnull=True, to_time__gt=at)
        entry = mine.filter(**same).first()
        if entry is None:
            if mine.count() >= MOST_WAITS:
                raise Refused(Problem("waiting_too_often", {"most": MOST_WAITS}))
            entry = WaitingEntry.objects.create(**same, created_at=at)
    push.changed(f"me:{person.pk}")
    return entry


def leave(entry_id: str, *, actor: User, at: datetime) -> WaitingEntry:
    """Wait no longer; what is held for this wish goes on to the next. May be repeated. Raises ``NotFound``."""
    entry = own_wait(entry_id, actor)
    held = entry.booking
    with transaction.atomic():
        machine = lock_machine(held.machine_id) if held is not None else None
        lock_waits(entry.site_id)
        standing = WaitingEntry.objects.filter(pk=entry.pk, ended_at__isnull=True)
        left = standing.filter(booking=held).update(ended_at=at, outcome=LEFT)
        missed = not left and standing.exists()  # something was offered to them this very moment
        if machine is not None and held is not None and _give_up(held, at):
            serve_waiting(machine, at=at)
    if missed:
        return leave(entry_id, actor=actor, at=at)
    push.changed(f"me:{actor.pk}")
    return own_wait(entry_id, actor)


def take(booking_id: str, *, actor: User, at: datetime) -> Booking:
    """ "Prendre": what was held becomes a booking, when the rules still allow it.

    By whom it is held for. Raises ``NotFound``, ``Refused``: ``offer_over``, or every broken rule.
    """
    held = _offered(booking_id, actor)
    if held.hold_until is None or held.hold_until <= at:
        time_was_freed(held.machine_id, at=at)  # whoever is next need not wait for the clock
        raise Refused("offer_over")
    with transaction.atomic():
        machine = lock_machine(held.machine_id)
        lock_person(actor)
        entry = WaitingEntry.objects.select_related("person").filter(booking=held).first()
        # As for any new booking: neither a machine that was retired since, nor by who has no role there any more.
        if entry is None or machine.retired_at is not None or not roles_of(actor, machine.site_id):
            raise Refused("offer_over")
        judgement = judged(machine, entry, Span(held.start, held.end), at, moving=held)
        if judgement.problems:
            raise Refused(*judgement.problems)
        taken = Booking.objects.filter(pk=held.pk, state=BookingState.HELD, ended_at__isnull=True).update(
            state=BookingState.CONFIRMED, hold_until=None, created_by=actor, **newer(at)
        )
        if not taken:
            raise Refused("offer_over")
        WaitingEntry.objects.filter(pk=entry.pk).update(ended_at=at, outcome=SERVED)
        notices.withdraw(f"{OFFER}:{held.pk}")
    booking = booking_for(actor, held.pk)
    booking_changed(booking)
    return booking


def decline(booking_id: str, *, actor: User, at: datetime) -> Booking:
    """ "Non merci": the next one's turn. The wish stays, for another time. Raises ``NotFound``, ``Refused``."""
    held = _offered(booking_id, actor)
    with transaction.atomic():
        machine = lock_machine(held.machine_id)
        declined = _give_up(held, at)
        serve_waiting(machine, at=at)
    if not declined:
        raise Refused("offer_over")
    booking = booking_for(actor, held.pk)
    booking_changed(booking)
    return booking


def offered_to(person: User, machine_id: str, start: datetime, end: datetime, at: datetime) -> Booking | None:
    """Return what is held for this person at exactly this time. Booking it is taking it."""
    held = Booking.objects.filter(state=BookingState.HELD, ended_at__isnull=True, hold_until__gt=at)
    return held.filter(person=person, machine_id=machine_id, start=start, end=end).first()


def waits_of(person: User, at: datetime) -> Sequence[WaitingEntry]:
    """Return what a person waits for, in the order in which they asked; ``booking`` where a time is held for them."""
    mine = WaitingEntry.objects.filter(person=person, ended_at__isnull=True, to_time__gt=at)
    return list(
        mine.select_related("kind", "site", "machine", "booking__machine").order_by("created_at", "pk")
    )


def own_wait(entry_id: str, person: User) -> WaitingEntry:
    """Return one of a person's own wishes. Raises ``NotFound`` for anybody else's."""
    own = WaitingEntry.objects.filter(pk=entry_id, person=person)
    found = own.select_related("kind", "site", "machine", "booking__machine").first()
    if found is None:
        raise NotFound
    return found


def forget_waits(person: User) -> None:
    """Remove what an erased person waited for; times held for them are given back before."""
    WaitingEntry.objects.filter(person=person).delete()


# --- inside -------------------------------------------------------------------------------------------------------


def _machines(person: User, site_id: str, kind: str) -> list[Machine]:
    found = list(visible_machines(person, site_id=site_id or None, kind=kind)) if kind else []
    if not found or len({machine.site_id for machine in found}) > 1:
        raise NotFound
    return found


def _moments(from_: datetime, to: datetime) -> tuple[datetime, datetime]:
    without_zone = [name for name, time in (("from", from_), ("to", to)) if time.tzinfo is None]
    if without_zone:
        raise Malformed(*(Problem("time_without_zone", field=name) for name in without_zone))
    from_, to = (time.astimezone(UTC).replace(microsecond=0) for time in (from_, to))
    if to <= from_:
        raise Malformed(Problem("end_before_start", field="to"))
    if to - from_ > LONGEST_SPAN:
        raise Malformed(Problem("waiting_span_too_long", field="to"))
    return from_, to


def _refuse_lasting(machines: Sequence[Machine], person: User, wish: Wish, at: datetime) -> None:
    """Refuse what waiting cannot help: the past, a rule about the person, a length that no machine has."""
    latest = wish.to - timedelta(minutes=wish.minutes)
    if latest <= at:
        raise Refused("in_the_past")
    refusals = []
    for machine in machines:
        facts = facts_for(
            machine,
            person=person,
            actor=person,
            start=wish.from_,
            end=wish.from_ + timedelta(minutes=wish.minutes),
            at=at,
        )
        problems = [problem for problem in judge(facts).problems if problem.code in LASTING]
        notice = facts.notice_minutes
        if latest < at + timedelta(minutes=notice):
            problems.append(Problem("too_soon", {"minutes": notice, "duration": duration(notice)}))
        if not problems:
            return
        refusals.append(problems)
    raise Refused(*refusals[0])


def _refuse_needless(machines: Sequence[Machine], wished: WaitingEntry, at: datetime) -> None:
    """Refuse to wait for what can be booked."""
    for machine in machines:
        found = FreeTimes(machine, at).first_fit(wished)
        if found is not None:
            time, _judgement = found
            free = Offer(time.start, time.end, machine.pk)
            raise Refused("waiting_for_free_time", extra={"alternatives": [free.as_json()]})


def _offered(booking_id: str, actor: User) -> Booking:
    """Return what was offered to this person, whether it still is or not."""
    booking = booking_for(actor, booking_id)
    if booking.person_id != actor.pk:
        raise NotFound
    if booking.state != BookingState.HELD or booking.ended_at is not None:
        raise Refused("offer_over")
    return booking


def _give_up(held: Booking, at: datetime) -> bool:
    """Give back what was held for somebody. Under the machine's lock."""
    given = Booking.objects.filter(
        pk=held.pk, state=BookingState.HELD, ended_at__isnull=True, hold_until__gt=at
    ).update(state=BookingState.CANCELLED, ended_at=at, **newer(at))
    notices.withdraw(f"{OFFER}:{held.pk}")
    return bool(given)
