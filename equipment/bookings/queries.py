"""What each person sees of bookings. What could still be booked: ``finding``; what the rules ask: ``facts``."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from equipment.bookings.models import Booking
from equipment.bookings.states import LIVE, BookingState
from equipment.sites.queries import site_ids_with_role
from equipment.sites.states import ON_DUTY_ROLES
from fablab.core.errors import NotFound
from fablab.people.models import User


def visible_bookings(viewer: User) -> QuerySet[Booking]:
    """Return one's own bookings, and all of the sites where one is instructor, staff or manager."""
    sites = site_ids_with_role(viewer, ON_DUTY_ROLES)
    return Booking.objects.filter(Q(person=viewer) | Q(machine__site_id__in=sites)).select_related(
        "machine__site", "machine__model__kind", "person", "created_by"
    )


def checked_in_now(machine_ids: Collection[str], at: datetime) -> set[str]:
    """Return those of these machines at which somebody is who has checked in."""
    now = Booking.objects.filter(
        machine_id__in=machine_ids, state=BookingState.IN_USE, start__lte=at, end__gt=at
    )
    return set(now.values_list("machine_id", flat=True))


def use_of(viewer: User, machine_id: str, at: datetime) -> Booking | None:
    """Return the booking in which somebody uses a machine just now, if this person may end it."""
    return (
        visible_bookings(viewer)
        .filter(machine_id=machine_id, state=BookingState.IN_USE, start__lte=at, end__gt=at)
        .order_by("start")
        .first()
    )


def now_at(viewer: User, machine_id: str, at: datetime, *, early: timedelta) -> list[Booking]:
    """Return the bookings of a machine of which something can be said now, if this person may: their own come first."""
    rows = visible_bookings(viewer).filter(
        machine_id=machine_id, state__in=list(LIVE), ended_at__isnull=True, start__lte=at + early, end__gt=at
    )
    return sorted(rows, key=lambda one: (one.person_id != viewer.pk, one.start))


def booking_for(viewer: User, booking_id: str) -> Booking:
    """Return a booking. Raises ``NotFound`` when unknown or somebody else's."""
    found = visible_bookings(viewer).filter(pk=booking_id).first()
    if found is None:
        raise NotFound
    return found
