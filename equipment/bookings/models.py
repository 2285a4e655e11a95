"""Bookings. The database refuses two live ones that overlap on a machine: see migration 0001 and ``guard.py``."""

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
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def shown_state(self) -> BookingState:
        """What people read: a use that has ended is over, also while the machine is held for the kind's buffer."""
        over = self.state == BookingState.IN_USE and self.ended_at is not None
        return BookingState.DONE if over else BookingState(self.state)
