"""Bookings. The database refuses two live ones that overlap on a machine: see migration 0001 and ``guard.py``."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from equipment.bookings.states import BookingState
from equipment.machines.models import Machine
from fablab.core.ids import new_code, new_id


class Booking(models.Model):
    """A person's right to a machine for ``[start, end)``.

    ``held_start`` and ``held_end`` add the kind's buffer; overlap is judged on them, so that a change of the buffer
    never makes two existing bookings collide.
    """

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    code = models.CharField(max_length=6, default=new_code)
    machine = models.ForeignKey(Machine, on_delete=models.PROTECT, related_name="bookings")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bookings")
    start = models.DateTimeField()
    end = models.DateTimeField()
    held_start = models.DateTimeField()
    held_end = models.DateTimeField()
    state = models.CharField(
        max_length=10,
        choices=[(state.value, state.value) for state in BookingState],
        default=BookingState.CONFIRMED,
    )
    overrides = models.JSONField(default=list)  # [{"code", "reason"}], by created_by
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    # For calendar programs: which of two versions of a booking is the newer one. Grown by ``newer``.
    version = models.PositiveIntegerField(default=0, db_default=0)
    changed_at = models.DateTimeField(null=True)  # None: as it was created

    class Meta:
        verbose_name = _("réservation")
        verbose_name_plural = _("réservations")
        ordering = ["start"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(end__gt=models.F("start"))
                & models.Q(held_start__lte=models.F("start"))
                & models.Q(held_end__gte=models.F("end")),
                name="booking_ends_after_it_begins",
            )
        ]
        indexes = [
            # overlap trigger on SQLite, free times, the calendar: live bookings of a machine in a span
            models.Index(
                fields=["machine", "held_end", "held_start"],
                condition=models.Q(state__in=["confirmed", "in_use"]),
                name="booking_live_span",
            ),
            models.Index(fields=["person", "start"], name="booking_by_person"),  # "Mes réservations"
            # days and weeks of staff, ended bookings included: of a machine only what ends after the first day
            models.Index(fields=["machine", "end"], name="booking_calendar"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def shown_state(self) -> BookingState:
        """What people read: a use that has ended is over, also while the machine is held for the kind's buffer."""
        over = self.state == BookingState.IN_USE and self.ended_at is not None
        return BookingState.DONE if over else BookingState(self.state)


def newer(at: datetime) -> dict[str, Any]:
    """Return what goes with every write of a booking's times, or that gives it back: ``.update(..., **newer(at))``.

    Calendar programs keep the newest version they have seen (RFC 5545, SEQUENCE) and would not show the change else.
    """
    return {"version": models.F("version") + 1, "changed_at": at}


class CalendarFeed(models.Model):
    """A person's bookings for their own calendar program, behind one secret address. Deleted, the address is dead."""

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="calendar_feed"
    )
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.created_at)
