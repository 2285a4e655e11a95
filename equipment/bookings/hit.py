"""What an outage, a power cut or closed days do to bookings: they stay, and the people they belong to are told at once.

The door to all three: who is hit is read under the locks of the machines, so that nobody who books at that very moment
is forgotten. Each booking's person is told once for each event, with the way to other times.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db import transaction

from equipment.bookings.free import FOREVER
from equipment.bookings.models import Booking, WaitingEntry
from equipment.bookings.obstacles import hit_by, hit_if_closed, hit_if_out, to_come
from equipment.bookings.offering import time_was_freed
from equipment.machines import services as machines
from equipment.machines.locks import lock_machine, lock_machines_of
from equipment.machines.models import Machine, Outage
from equipment.machines.outages import until_when
from equipment.sites import services as sites
from equipment.sites.models import Closure, PowerCut, Site
from fablab.core.errors import NotFound
from fablab.core.witness import clock_is_trusted
from fablab.notices import services as notices
from fablab.notices.queries import told
from fablab.people.models import User

POWER_CUT, POWER_CUT_OFF = "booking_power_cut", "booking_power_stays"
OUT_OF_ORDER, OUTAGE, BACK = "booking_out_of_order", "booking_outage", "booking_machine_back"
EXPECTED = "booking_expected_back"
CLOSED, OPEN_AGAIN = "booking_closed", "booking_open_again"


# --- power ----------------------------------------------------------------------------------------------------------


def announce_power_cut(
    *, site_id: str, start: datetime, end: datetime, reason: str = "", actor: User, at: datetime
) -> PowerCut:
    """Announce a power cut, and tell everybody who has booked in that time. Raises as ``sites.services`` does."""
    with transaction.atomic():
        lock_machines_of(site_id)
        cut = sites.announce_power_cut(
            site_id=site_id, start=start, end=end, reason=reason, actor=actor, at=at
        )
        hit = to_come(at).filter(machine__site_id=site_id, start__lt=end, end__gt=start)
        _tell(hit, POWER_CUT, f"power_cut:{cut.pk}", at)
    return cut


def cancel_power_cut(cut_id: int, *, actor: User, at: datetime) -> str:
    """Take an announced power cut back; who was told and still has the booking is told again. Returns the site."""
    with transaction.atomic():
        cut = PowerCut.objects.filter(pk=cut_id).first()
        if cut is None:
            raise NotFound
        lock_machines_of(cut.site_id)
        sites.cancel_power_cut(cut_id, actor=actor, at=at)
        hit = to_come(at).filter(machine__site_id=cut.site_id, start__lt=cut.end, end__gt=cut.start)
        _tell_again(hit, f"power_cut:{cut_id}", POWER_CUT_OFF, at)
        _time_was_freed(cut.site_id, at)
    return cut.site_id


# --- closed days ----------------------------------------------------------------------------------------------------


def close_site(
    *, site_id: str, first_day: date, last_day: date, reason: str = "", actor: User, at: datetime
) -> Closure:
    """Close a site on local days, both included, and tell everybody whose booking lies in them.

    Raises as ``sites.services.add_closure`` does.
    """
    with transaction.atomic():
        lock_machines_of(site_id)
        closure = sites.add_closure(
            site_id=site_id, first_day=first_day, last_day=last_day, reason=reason, actor=actor, at=at
        )
        site = Site.objects.get(pk=site_id)
        _tell(hit_if_closed(site, first_day, last_day, at), CLOSED, _closure_key(closure.pk), at)
    return closure


def open_again(closure_id: int, *, actor: User, at: datetime) -> str:
    """Take closed days back; who was told and still has the booking is told again. Returns the site."""
    with transaction.atomic():
        closure = Closure.objects.filter(pk=closure_id).select_related("site").first()
        if closure is None:
            raise NotFound
        lock_machines_of(closure.site_id)
        hit = hit_if_closed(closure.site, closure.first_day, closure.last_day, at)
        sites.remove_closure(closure_id, actor=actor, at=at)
        _tell_again(hit, _closure_key(closure_id), OPEN_AGAIN, at)
        _time_was_freed(closure.site_id, at)
    return closure.site_id


def _closure_key(closure_id: int) -> str:
    return f"closure:{closure_id}"


# --- outages --------------------------------------------------------------------------------------------------------


def put_out_of_order(
    machine_id: str,
    *,
    actor: User | None,
    reason: str,
    at: datetime,
    expected_end: datetime | None = None,
    photo: str = "",
) -> Machine:
    """Take a machine out of service, and tell everybody who has booked it before it is expected back.

    Raises as ``machines.services`` does.
    """
    with transaction.atomic():
        was = lock_machine(machine_id).out_of_order_since
        machine = machines.put_out_of_order(
            machine_id, actor=actor, reason=reason, at=at, expected_end=expected_end, photo=photo
        )
        if was is None:
            outage = machine.outages.get(end__isnull=True, start=at)
            _tell(hit_if_out(machine, at, expected_end or FOREVER, at), OUT_OF_ORDER, _outage_key(outage), at)
    return machine


def back_in_service(machine_id: str, *, actor: User, at: datetime) -> Machine:
    """Bring a machine back, and tell everybody who had been told that it was not there. Raises likewise."""
    with transaction.atomic():
        lock_machine(machine_id)
        ended = list(Outage.objects.filter(machine_id=machine_id, start__lte=at).exclude(end__lte=at))
        machine = machines.back_in_service(machine_id, actor=actor, at=at)
        for outage in ended:
            hit = hit_if_out(machine, at, outage.end or FOREVER, at)
            _tell_again(hit, _outage_key(outage), BACK, at)
        time_was_freed(machine_id, at=at)
    return machine


def plan_outage(
    machine_id: str,
    *,
    start: datetime,
    end: datetime,
    reason: str,
    actor: User,
    at: datetime,
    photo: str = "",
) -> Outage:
    """Say that a machine cannot be used for a time, and tell everybody who has booked it then. Raises likewise."""
    with transaction.atomic():
        outage = machines.plan_outage(
            machine_id, start=start, end=end, reason=reason, actor=actor, at=at, photo=photo
        )
        _tell(hit_if_out(outage.machine, start, end, at), OUTAGE, _outage_key(outage), at)
    return outage


def end_outage(outage_id: int, *, actor: User, at: datetime, end: datetime | None = None) -> Outage:
    """End an outage before its time, now or at ``end``; whose booking can take place again is told. Raises likewise."""
    with transaction.atomic():
        before = Outage.objects.filter(pk=outage_id).first()
        outage = machines.end_outage(outage_id, actor=actor, at=at, end=end)
        assert before is not None  # else nothing was ended
        hit = hit_if_out(outage.machine, end or at, before.end or FOREVER, at)
        _tell_again(hit, _outage_key(outage), BACK, at)
        time_was_freed(outage.machine_id, at=at)
    return outage


def expect_back(outage_id: int, *, expected_end: datetime | None, actor: User, at: datetime) -> Outage:
    """Guess anew when a machine is back; those it hits now are told, and those it lets go. Raises likewise."""
    with transaction.atomic():
        before = Outage.objects.filter(pk=outage_id).first()
        outage = machines.expect_back(outage_id, expected_end=expected_end, actor=actor, at=at)
        assert before is not None  # else nothing was guessed
        guess, key = expected_end or FOREVER, _outage_key(outage)
        _tell(hit_if_out(outage.machine, at, guess, at), OUT_OF_ORDER, key, at)
        free = hit_if_out(outage.machine, guess, until_when(before, at) or FOREVER, at)
        _tell_again(free, key, EXPECTED, at)
        time_was_freed(outage.machine_id, at=at)
    return outage


def tell_of_wrong_guesses(at: datetime) -> int:
    """Where a machine is not back when it was expected, forget the guess and tell those it hits now; return how many.

    Repeatable. Nothing is told by a clock that is not believed.
    """
    over = Outage.objects.filter(end__isnull=True, expected_end__lte=at)
    ids = list(over.values_list("pk", "machine_id"))
    if not ids or not clock_is_trusted(at):
        return 0
    said = 0
    for outage_id, machine_id in ids:
        with transaction.atomic():
            machine = lock_machine(machine_id)
            outage = over.filter(pk=outage_id).first()
            if outage is not None:
                Outage.objects.filter(pk=outage_id).update(expected_end=None)
                said += _tell(hit_if_out(machine, at, FOREVER, at), OUT_OF_ORDER, _outage_key(outage), at)
    return said


def _outage_key(outage: Outage) -> str:
    return f"outage:{outage.pk}"


# --- telling --------------------------------------------------------------------------------------------------------


def _params(booking: Booking) -> dict[str, Any]:
    return {
        "machine": booking.machine.name,
        "when": booking.start.isoformat(),
        "zone": booking.machine.site.time_zone,
        "kind": booking.machine.model.kind.slug,
    }


def _tell(bookings: Iterable[Booking], code: str, key: str, at: datetime, *, over: bool = False) -> int:
    said = 0
    for booking in bookings:
        said += notices.tell(
            [booking.person_id],
            code,
            _params(booking),
            key=f"{key}:{booking.pk}",
            link=f"/reservations/{booking.pk}/" if over else f"/reservations/{booking.pk}/empechee/",
            at=at,
        )
    return said


def _tell_again(bookings: Iterable[Booking], key: str, code: str, at: datetime) -> None:
    """Take back what nobody read yet; tell those who have read it that it is over, unless something else hits them."""
    known = list(bookings)
    were_told = {one for one, _ in told([f"{key}:{booking.pk}" for booking in known])}
    still = hit_by(known, at)
    for booking in known:
        mine = f"{key}:{booking.pk}"
        if mine in were_told and not notices.withdraw(mine) and booking.pk not in still:
            _tell([booking], code, f"{key}:over", at, over=True)


def _time_was_freed(site_id: str, at: datetime) -> None:
    """Offer what is free again at a place to those who wait there."""
    if WaitingEntry.objects.filter(site_id=site_id, ended_at__isnull=True).exists():
        for machine in lock_machines_of(site_id):
            time_was_freed(machine.pk, at=at)
