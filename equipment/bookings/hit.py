"""What an outage or a power cut does to bookings: they stay, and the people they belong to are told at once."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from equipment.bookings.models import Booking
from equipment.bookings.states import LIVE
from equipment.machines import services as machines
from equipment.machines.models import Machine
from equipment.sites import services as sites
from equipment.sites.models import PowerCut
from fablab.notices import services as notices
from fablab.people.models import User

POWER_CUT, OUT_OF_ORDER, POWER_CUT_OFF, BACK = (
    "booking_power_cut",
    "booking_out_of_order",
    "booking_power_stays",
    "booking_machine_back",
)


def announce_power_cut(
    *, site_id: str, start: datetime, end: datetime, reason: str = "", actor: User, at: datetime
) -> PowerCut:
    """Announce a power cut, and tell everybody who has booked in that time. Raises as ``sites.services`` does."""
    cut = sites.announce_power_cut(site_id=site_id, start=start, end=end, reason=reason, actor=actor, at=at)
    hit = _to_come(at).filter(machine__site_id=site_id, start__lt=end, end__gt=start)
    _tell(hit, POWER_CUT, f"power_cut:{cut.pk}", at)
    return cut


def cancel_power_cut(cut_id: int, *, actor: User, at: datetime) -> str:
    """Take an announced power cut back; who was told and still has the booking is told again. Returns the site."""
    cut = PowerCut.objects.filter(pk=cut_id).first()
    site_id = sites.cancel_power_cut(cut_id, actor=actor, at=at)
    if cut is not None:
        hit = _to_come(at).filter(machine__site_id=site_id, start__lt=cut.end, end__gt=cut.start)
        _tell_again(hit, f"power_cut:{cut_id}", POWER_CUT_OFF, at)
    return site_id


def put_out_of_order(machine_id: str, *, actor: User | None, reason: str, at: datetime) -> Machine:
    """Take a machine out of service, and tell everybody who has booked it. Raises as ``machines.services`` does."""
    was = Machine.objects.filter(pk=machine_id).values_list("out_of_order_since", flat=True).first()
    machine = machines.put_out_of_order(machine_id, actor=actor, reason=reason, at=at)
    if was is None and machine.out_of_order_since is not None:
        _tell(_to_come(at).filter(machine_id=machine_id), OUT_OF_ORDER, _outage_key(machine), at)
    return machine


def back_in_service(machine_id: str, *, actor: User, at: datetime) -> Machine:
    """Bring a machine back, and tell everybody who had been told that it was not there. Raises likewise."""
    before = Machine.objects.filter(pk=machine_id).first()
    machine = machines.back_in_service(machine_id, actor=actor, at=at)
    if before is not None and before.out_of_order_since is not None:
        _tell_again(_to_come(at).filter(machine_id=machine_id), _outage_key(before), BACK, at)
    return machine


def hit_by(bookings: Iterable[Booking], at: datetime) -> dict[str, str]:
    """Return, by booking id, why a coming booking cannot be used as things stand: ``out_of_order``, ``power_cut``.

    ``bookings`` come with their machine. One query.
    """
    coming = [one for one in bookings if one.state in LIVE and one.end > at]
    found = {one.pk: "out_of_order" for one in coming if one.machine.out_of_order_since is not None}
    cuts = list(
        PowerCut.objects.filter(site_id__in={one.machine.site_id for one in coming}, end__gt=at)
        if coming
        else ()
    )
    for one in coming:
        if any(
            cut.site_id == one.machine.site_id and cut.start < one.end and one.start < cut.end for cut in cuts
        ):
            found.setdefault(one.pk, "power_cut")
    return found


def _to_come(at: datetime) -> QuerySet[Booking]:
    return Booking.objects.filter(state__in=list(LIVE), end__gt=at).select_related(
        "machine__site", "machine__model__kind"
    )


def _outage_key(machine: Machine) -> str:
    since = machine.out_of_order_since
    return f"outage:{machine.pk}:{since.isoformat() if since else ''}"


def _params(booking: Booking) -> dict[str, Any]:
    return {
        "machine": booking.machine.name,
        "when": booking.start.isoformat(),
        "zone": booking.machine.site.time_zone,
        "kind": booking.machine.model.kind.slug,
    }


def _tell(bookings: Iterable[Booking], code: str, key: str, at: datetime) -> None:
    for booking in bookings:
        notices.tell(
            [booking.person_id],
            code,
            _params(booking),
            key=f"{key}:{booking.pk}",
            link=f"/reservations/{booking.pk}/",
            at=at,
        )


def _tell_again(bookings: Iterable[Booking], key: str, code: str, at: datetime) -> None:
    """Take back what nobody read yet; tell those who have read it that it is over."""
    for booking in bookings:
        if not notices.withdraw(f"{key}:{booking.pk}"):
            _tell([booking], code, f"{key}:over", at)
