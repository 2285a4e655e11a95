"""A freed time is held for the first who waits for it, then for the next, and is open for all when nobody is left.

What is done follows from what stands in the database: ``serve_waiting`` may run at any time, twice, or late. It goes
through what happened in the order in which it happened, so that a run in the morning leaves what a run each minute of
the night would have left. While the clock is not believed nothing is offered and nothing runs out.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from equipment.bookings.facts import facts_for, must_be_watched, terms_of, times_of
from equipment.bookings.free import MachineTimes, free_spans
from equipment.bookings.live import booking_changed
from equipment.bookings.models import Booking, WaitingEntry, newer
from equipment.bookings.rules import Judgement, judge
from equipment.bookings.states import BookingState
from equipment.bookings.terms import Terms
from equipment.bookings.turns import Wish, answer_before, times_for
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine
from equipment.machines.queries import in_use
from equipment.sites.models import SiteRole
from fablab.core.clock import Span
from fablab.core.witness import clock_is_trusted
from fablab.notices import services as notices
from fablab.people.models import User

OFFER = "waiting_offer"
SERVED, LEFT, OVER = "served", "left", "over"  # how a wait ended
GIVEN_UP = frozenset({BookingState.CANCELLED, BookingState.NO_SHOW, BookingState.DONE})
MOST_ASKED = 24  # times that the rules are asked about for one wish at one look


def time_was_freed(machine_id: str, *, at: datetime) -> int:
    """Offer what is free on a machine to those who wait; return how many were offered something.

    To be called in the transaction that frees a time, after the write, with the machine locked; it may also be called
    outside. With times of several machines freed in one transaction: once for each, in the order of their ids.
    """
    with transaction.atomic():
        return serve_waiting(lock_machine(machine_id), at=at)


def serve_all(at: datetime) -> int:
    """Do as ``time_was_freed`` for every machine at which something ran out or for which somebody waits.

    What ran out is gone through over all machines in its order: who was offered one time was not free for another.
    """
    if not clock_is_trusted(at):
        return 0
    made = let_run_out(at)
    past = WaitingEntry.objects.filter(ended_at__isnull=True, to_time__lte=at).exclude(
        booking__state=BookingState.HELD
    )
    for site_id in sorted(set(past.values_list("site_id", flat=True))):
        with transaction.atomic():
            lock_waits(site_id)
            past.filter(site_id=site_id).update(ended_at=F("to_time"), outcome=OVER)
    return made + sum(_serve(machine_id, at) for machine_id in _waited_machines())


def end_whiles(at: datetime) -> int:
    """Write down whose while is over, and offer what that frees; return how many offers. One query when there is none.

    For who looks each second: the ten seconds of somebody who changes their mind are over after ten seconds.
    """
    return let_run_out(at) if over(at).exists() and clock_is_trusted(at) else 0


def let_run_out(until: datetime) -> int:
    """Let everything run out that does so by ``until``, in that order, each followed by its offers. Asks no clock."""
    made = 0
    ending = over(until).order_by("hold_until", "pk").values_list("machine_id", "hold_until")
    while (first := ending.first()) is not None:
        machine_id, moment = first
        assert moment is not None  # it was looked up by it
        made += _serve(machine_id, moment)
        # Who has let one time go may be free for another one now.
        made += sum(_serve(other, moment) for other in _waited_machines())
    return made


def over(at: datetime) -> QuerySet[Booking]:
    """Return times whose while is over, and nobody has written it down yet."""
    return Booking.objects.filter(state=BookingState.HELD, hold_until__lte=at)


def serve_waiting(machine: Machine, *, at: datetime) -> int:
    """Let run out what has run out by ``at``, each followed by its offers; then offer what is free now.

    Under the machine's lock. Returns how many offers were made. Two queries when there is nothing to do.
    """
    if not over(at).filter(machine=machine).exists() and not _waiting_for(machine).exists():
        return 0
    return _go_through(machine, at) if clock_is_trusted(at) else 0


def offer(machine: Machine, moment: datetime) -> int:
    """Hold what is free at ``moment`` for those whose turn it is; return for how many. Under the machine's lock."""
    entries = _in_turn(machine, moment) if machine.retired_at is None else []
    free = FreeTimes(machine, moment)
    made = 0
    for entry in entries:
        found = free.first_fit(entry)
        if found is not None:
            _hold(machine, entry, *found, moment)
            made += 1
            free = FreeTimes(machine, moment)
    return made


def judged(
    machine: Machine,
    entry: WaitingEntry,
    time: Span,
    at: datetime,
    *,
    moving: Booking | None = None,
) -> Judgement:
    """Return what the booking table says of this time for who waits. The notice counts from when they asked for it."""
    facts = facts_for(
        machine,
        person=entry.person,
        actor=entry.person,
        start=time.start,
        end=time.end,
        at=at,
        moving=moving,
    )
    if entry.created_at + timedelta(minutes=facts.notice_minutes) <= time.start:
        facts = replace(facts, notice_minutes=0)
    return judge(facts)


def lock_waits(site_id: str) -> bool:
    """Lock all that is waited for at a place, in the order of turns; False when nobody waits.

    After the machine's lock and the person's. All of the place and always in this order: two machines of any kinds that
    become free at once never wait for each other.
    """
    waits = WaitingEntry.objects.filter(site_id=site_id, ended_at__isnull=True).order_by("created_at", "pk")
    return bool(list(waits.select_for_update(of=("self",)).values_list("pk", flat=True)))


class FreeTimes:
    """What can still be had of a machine at ``moment``: read once for all who wait, as long as nothing is written."""

    def __init__(self, machine: Machine, moment: datetime) -> None:
        self._machine, self._moment = machine, moment
        self._terms: dict[str, Terms] = {}
        self._read: tuple[datetime, MachineTimes] | None = None

    def first_fit(self, entry: WaitingEntry) -> tuple[Span, Judgement] | None:
        """Return the first time that fits a wish and that the rules let this person book."""
        wish = Wish(entry.from_time, entry.to_time, entry.minutes)
        machine, moment = self._machine, self._moment
        times = self._times(entry.person, wish.to)
        terms = self._terms[machine.pk]
        needed = wish.shortest(moment, terms.min_minutes)
        free = free_spans(times, max(wish.from_, moment), wish.to, needed)
        if not free:
            return None
        fitting = times_for(
            wish,
            free,
            moment=moment,
            min_minutes=terms.min_minutes,
            grid_minutes=terms.grid_minutes,
            zone=times.zone,
            not_again=_given_up(machine, entry),
        )
        for _asked, time in zip(range(MOST_ASKED), fitting, strict=False):
            judgement = judged(machine, entry, time, moment)
            if not judgement.problems:
                return time, judgement
        return None

    def _times(self, person: User, to: datetime) -> MachineTimes:
        machine, moment = self._machine, self._moment
        self._terms = self._terms or terms_of([machine])
        if must_be_watched(machine, person, False):
            return times_of([machine], moment, to, terms=self._terms, person=person)[machine.pk]
        if self._read is None or self._read[0] < to:
            times = times_of([machine], moment, to, terms=self._terms)[machine.pk]
            self._read = (to, times)
        return self._read[1]


# --- inside -------------------------------------------------------------------------------------------------------


def _serve(machine_id: str, at: datetime) -> int:
    with transaction.atomic():
        return _go_through(lock_machine(machine_id), at)


def _go_through(machine: Machine, at: datetime) -> int:
    made = 0
    mine = over(at).filter(machine=machine).order_by("hold_until", "pk")
    while (held := mine.select_related("machine__site", "machine__model__kind").first()) is not None:
        assert held.hold_until is not None  # it was looked up by it
        _let_go(held)
        made += offer(machine, held.hold_until)
    return made + offer(machine, at)


def _waited_machines() -> list[str]:
    """Return the machines for which somebody waits, in the order in which they are locked."""
    there = Q(pk__in=())
    waited = WaitingEntry.objects.filter(ended_at__isnull=True)
    for site_id, kind_id in waited.values_list("site_id", "kind_id").distinct().order_by():
        there |= Q(site_id=site_id, model__kind_id=kind_id)
    return sorted(in_use().filter(there).values_list("pk", flat=True))


def _waiting_for(machine: Machine) -> QuerySet[WaitingEntry]:
    return WaitingEntry.objects.filter(
        Q(machine=machine) | Q(machine__isnull=True),
        site_id=machine.site_id,
        kind_id=machine.model.kind_id,
        ended_at__isnull=True,
    )


def _in_turn(machine: Machine, moment: datetime) -> list[WaitingEntry]:
    """Return who waits at ``moment`` and is offered nothing yet, first come first."""
    if not lock_waits(machine.site_id):
        return []
    # Read after the lock: another machine's time may have been offered while we waited for it.
    rows = (
        _waiting_for(machine)
        .filter(to_time__gt=moment, created_at__lte=moment, person__is_active=True)
        .filter(person__in=SiteRole.objects.filter(site_id=machine.site_id).values("person_id"))
        .exclude(booking__state=BookingState.HELD)
    )
    return list(rows.select_related("person").order_by("created_at", "pk"))


def _given_up(machine: Machine, entry: WaitingEntry) -> list[Span]:
    """Return what this person gave back, refused or let go here since they wait: that is not offered again."""
    rows = Booking.objects.filter(
        machine=machine,
        person_id=entry.person_id,
        state__in=GIVEN_UP,
        ended_at__gte=entry.created_at,
        start__lt=entry.to_time,
        end__gt=entry.from_time,
    )
    return [Span(start, end) for start, end in rows.values_list("start", "end")]


def _hold(
    machine: Machine, entry: WaitingEntry, time: Span, judgement: Judgement, moment: datetime
) -> Booking:
    held = Booking.objects.create(
        machine=machine,
        person=entry.person,
        start=time.start,
        end=time.end,
        held_start=time.start,
        held_end=judgement.held_end,
        state=BookingState.HELD,
        hold_until=answer_before(moment, time.start, machine.site.hold_minutes),
        created_at=moment,
    )
    WaitingEntry.objects.filter(pk=entry.pk).update(booking=held)
    assert held.hold_until is not None  # just written
    notices.tell(
        [entry.person_id],
        OFFER,
        {
            "machine": machine.name,
            "when": held.start.isoformat(),
            "until": held.hold_until.isoformat(),
            "zone": machine.site.time_zone,
        },
        key=f"{OFFER}:{held.pk}",
        link=f"/reservations/{held.pk}/",
        at=moment,
    )
    booking_changed(held)
    return held


def _let_go(held: Booking) -> None:
    """Write down that a while is over: what was offered, or given back and not taken again."""
    assert held.hold_until is not None
    Booking.objects.filter(pk=held.pk, state=BookingState.HELD).update(
        state=BookingState.CANCELLED,
        ended_at=Coalesce("ended_at", "hold_until"),
        **newer(held.hold_until),
    )
    notices.withdraw(f"{OFFER}:{held.pk}")
    booking_changed(held)
