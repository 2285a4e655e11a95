"""Which series somebody sees: their own, and all of the places where they are on duty."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Count, Max, Min, Q, QuerySet

from equipment.bookings.models import Booking, Series
from equipment.bookings.states import LIVE, BookingState
from equipment.sites.queries import site_ids_with_role
from equipment.sites.states import ON_DUTY_ROLES
from fablab.core.errors import NotFound
from fablab.people.models import User


def visible_series(viewer: User) -> QuerySet[Series]:
    """Return series with place, person and machines (three queries for any number)."""
    sites = site_ids_with_role(viewer, ON_DUTY_ROLES)
    return (
        Series.objects.filter(Q(person=viewer) | Q(site_id__in=sites))
        .select_related("site", "person")
        .prefetch_related("machines")
    )


def series_for(viewer: User, series_id: str) -> Series:
    """Return a series. Raises ``NotFound`` when unknown or not visible."""
    found = visible_series(viewer).filter(pk=series_id).first()
    if found is None:
        raise NotFound
    return found


def series_to_come(viewer: User, site_id: str, at: datetime) -> QuerySet[Series]:
    """Return the series of a place of which something is to come, by their next date.

    Each with ``left``, how many bookings, ``next_start`` and ``last_start``.
    """
    coming = Q(bookings__state__in=list(LIVE), bookings__end__gt=at)
    return (
        visible_series(viewer)
        .filter(site_id=site_id)
        .annotate(
            left=Count("bookings", filter=coming),
            next_start=Min("bookings__start", filter=coming),
            last_start=Max("bookings__start", filter=coming),
        )
        .filter(left__gt=0)
        .order_by("next_start", "pk")
    )


def dates_of(series: Series) -> QuerySet[Booking]:
    """Return the bookings of a series in order of time, those that are over or cancelled too."""
    return series.bookings.select_related("machine__site", "machine__model__kind", "person").order_by(
        "start", "machine__name"
    )


def following(series: Series, at: datetime, machine_ids: Collection[str] | None = None) -> QuerySet[Booking]:
    """Return what of a series moves or ends together: to come, and not begun."""
    rows = dates_of(series).filter(state=BookingState.CONFIRMED, start__gt=at)
    return rows if machine_ids is None else rows.filter(machine__in=machine_ids)
