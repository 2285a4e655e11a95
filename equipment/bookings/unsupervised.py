"""Bookings that rely on somebody being there, and the door to the rota: whose booking it leaves alone is told at once.

A minor's booking, and anybody's at a kind that nobody uses alone, relies on an instructor; who is accompanied relies on
the person who answers for them. Like outages, the rota takes no booking away: it stays until its person moves it or
gives it back.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import TypeVar

from django.db import transaction

from equipment.bookings.company import alone_among
from equipment.bookings.models import Booking
from equipment.bookings.obstacles import to_come
from equipment.machines.locks import lock_machines_of
from equipment.sites import rostering
from equipment.sites import services as sites
from equipment.sites.models import Shift, ShiftChange, Site
from equipment.sites.queries import visible_sites
from equipment.sites.states import Role
from fablab.core.errors import NotFound
from fablab.notices import services as notices
from fablab.notices.queries import keys_of
from fablab.people.models import User

ALONE, NOT_ALONE = "booking_unsupervised", "booking_supervised_again"
T = TypeVar("T")


def left_alone(site: Site, at: datetime) -> list[Booking]:
    """Return the bookings to come at a place for which nobody is there as things stand, in order of time.

    At most fourteen queries, two when nothing to come relies on anybody.
    """
    return alone_among(to_come(at).filter(machine__site_id=site.pk, start__gt=at, title=""), site)


# --- the door -----------------------------------------------------------------------------------------------------


def add_shift(
    *,
    site_id: str,
    person_id: str,
    weekday: int,
    starts: int,
    ends: int,
    first_day: date,
    last_day: date | None = None,
    actor: User,
    at: datetime,
) -> Shift:
    """Do as ``rostering.add_shift``; whose booking is not alone any more is told."""
    return _changing(
        site_id,
        at,
        lambda: rostering.add_shift(
            site_id=site_id,
            person_id=person_id,
            weekday=weekday,
            starts=starts,
            ends=ends,
            first_day=first_day,
            last_day=last_day,
            actor=actor,
            at=at,
        ),
    )


def end_shift(shift_id: str, *, actor: User, at: datetime, site_id: str | None = None) -> Shift:
    """Do as ``rostering.end_shift``; who is left alone by it is told. Raises ``NotFound`` for what one does not see."""
    shift = Shift.objects.select_related("site").filter(pk=shift_id, site__in=visible_sites(actor)).first()
    if shift is None or site_id not in {None, shift.site_id}:
        raise NotFound
    _changing(shift.site_id, at, lambda: rostering.end_shift(shift, actor=actor, at=at))
    return shift


def be_away(
    *,
    site_id: str,
    person_id: str,
    first_day: date,
    last_day: date,
    starts: int | None = None,
    ends: int | None = None,
    actor: User,
    at: datetime,
) -> list[ShiftChange]:
    """Do as ``rostering.be_away``; who is left alone by it is told."""
    return _changing(
        site_id,
        at,
        lambda: rostering.be_away(
            site_id=site_id,
            person_id=person_id,
            first_day=first_day,
            last_day=last_day,
            starts=starts,
            ends=ends,
            actor=actor,
            at=at,
        ),
    )


def come_besides(
    *, site_id: str, person_id: str, day: date, starts: int, ends: int, actor: User, at: datetime
) -> ShiftChange:
    """Do as ``rostering.come_besides``; whose booking is not alone any more is told."""
    return _changing(
        site_id,
        at,
        lambda: rostering.come_besides(
            site_id=site_id, person_id=person_id, day=day, starts=starts, ends=ends, actor=actor, at=at
        ),
    )


def take_change_back(change_id: str, *, actor: User, at: datetime, site_id: str | None = None) -> ShiftChange:
    """Do as ``rostering.take_change_back``. Raises ``NotFound`` for what one does not see."""
    change = ShiftChange.objects.filter(pk=change_id, site__in=visible_sites(actor)).first()
    if change is None or site_id not in {None, change.site_id}:
        raise NotFound
    _changing(change.site_id, at, lambda: rostering.take_change_back(change, actor=actor))
    return change


def revoke_role(*, person_id: str, site_id: str, role: Role, actor: User, at: datetime) -> None:
    """Do as ``sites.services.revoke_role``, which takes people out of the rota; who is left alone by it is told."""
    _changing(
        site_id,
        at,
        lambda: sites.revoke_role(person_id=person_id, site_id=site_id, role=role, actor=actor, at=at),
    )


def _changing(site_id: str, at: datetime, write: Callable[[], T]) -> T:
    """Write the rota and tell whose booking that leaves alone, or no more: what differs from before, and nothing else.

    Under the locks of the place's machines: nobody who books at that very moment is forgotten.
    """
    site = Site.objects.filter(pk=site_id).first()
    if site is None:
        raise NotFound
    with transaction.atomic():
        lock_machines_of(site_id)
        before = {one.pk: one for one in left_alone(site, at)}
        done = write()
        after = {one.pk: one for one in left_alone(site, at)}
        for booking in after.values():
            if booking.pk not in before:
                number = len(keys_of(_prefix(booking)))
                _tell(booking, ALONE, f"{_prefix(booking)}{number}", f"{booking.pk}/empechee/", at)
        for booking in before.values():
            said = [key for key in keys_of(_prefix(booking)) if not key.endswith(":over")]
            if booking.pk not in after and said and not notices.withdraw(said[-1]):
                _tell(booking, NOT_ALONE, f"{said[-1]}:over", f"{booking.pk}/", at)
    return done


def _prefix(booking: Booking) -> str:
    return f"unsupervised:{booking.pk}:"


def _tell(booking: Booking, code: str, key: str, link: str, at: datetime) -> None:
    params = {
        "machine": booking.machine.name,
        "when": booking.start.isoformat(),
        "zone": booking.machine.site.time_zone,
        "kind": booking.machine.model.kind.slug,
    }
    notices.tell([booking.person_id], code, params, key=key, link=f"/reservations/{link}", at=at)
