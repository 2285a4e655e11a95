"""Bookings. The database refuses two live ones that overlap on a machine: see migration 0001 and ``guard.py``."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from equipment.bookings.states import HOLDING, BookingState, shown
from equipment.machines.models import Machine, MachineKind
from equipment.sites.models import Site
from fablab.core.ids import new_code, new_id


class BookingTerms(models.Model):
    """On what terms a kind is booked at one place, or one machine of it, where that differs from the kind's own.

    None leaves a term as it is. Shape and meaning: ``equipment.bookings.terms``.
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="booking_terms")
    kind = models.ForeignKey(MachineKind, on_delete=models.CASCADE, related_name="booking_terms")
    machine = models.OneToOneField(
        Machine, null=True, blank=True, on_delete=models.CASCADE, related_name="booking_terms"
    )
    buffer_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    notice_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    horizon_days = models.PositiveSmallIntegerField(null=True, blank=True)
    min_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    max_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    grid_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    weekly_minutes = models.PositiveIntegerField(null=True, blank=True)  # 0: without limit
    open_bookings = models.PositiveSmallIntegerField(null=True, blank=True)  # 0: without limit

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "kind"],
                condition=models.Q(machine__isnull=True),
                name="terms_once_per_site_and_kind",
            )
        ]

    def __str__(self) -> str:
        return f"{self.site_id} {self.machine_id or self.kind_id}"


class Series(models.Model):
    """Times on one or several machines that come back every week, for somebody or for a group (``title``).

    Wall-clock minutes of the site, as ``fablab.core.recurring.Weekly``; the bookings made of it are ordinary ones.
    """

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="series")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="series")
    machines = models.ManyToManyField(Machine, related_name="series")
    title = models.CharField(max_length=80, blank=True)
    weekdays = models.JSONField(default=list)  # [0, 2]: Monday is 0
    starts = models.PositiveSmallIntegerField()
    ends = models.PositiveSmallIntegerField()
    first_day = models.DateField()
    last_day = models.DateField()
    every = models.PositiveSmallIntegerField(default=1)  # weeks
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("série")
        verbose_name_plural = _("séries")
        ordering = ["first_day", "starts"]
        indexes = [models.Index(fields=["site", "last_day"], name="series_to_come")]  # the staff's list

    def __str__(self) -> str:
        return self.title or self.id


class Booking(models.Model):
    """A person's right to a machine for ``[start, end)``.

    A time that is only kept for somebody (``held``) ends at ``hold_until``: with ``ended_at`` the person gave it back
    and may still change their mind, without it it was offered to them from the waiting list.

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
    # What a group does there ("Atelier broderie"): the place's own time, which limits nobody.
    title = models.CharField(max_length=80, blank=True, default="", db_default="")
    series = models.ForeignKey(
        Series, null=True, blank=True, on_delete=models.SET_NULL, related_name="bookings"
    )
    hold_until = models.DateTimeField(null=True, blank=True)  # of a held time
    excused_at = models.DateTimeField(null=True, blank=True)  # nobody came, and that does not count
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
                condition=models.Q(state__in=sorted(HOLDING)),
                name="booking_live_span",
            ),
            models.Index(fields=["person", "start"], name="booking_by_person"),  # "Mes réservations"
            # what is kept for a while, and whose while is over
            models.Index(
                fields=["hold_until"],
                condition=models.Q(state=BookingState.HELD),
                name="booking_held_until",
            ),
            # who has not come? the worker's look, each few seconds
            models.Index(
                fields=["start"],
                condition=models.Q(state=BookingState.CONFIRMED),
                name="booking_to_begin",
            ),
            # days and weeks of staff, ended bookings included: of a machine only what ends after the first day
            models.Index(fields=["machine", "end"], name="booking_calendar"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def shown_state(self) -> BookingState:
        """What people read of its state."""
        return shown(self.state, ended=self.ended_at is not None)


def newer(at: datetime) -> dict[str, Any]:
    """Return what goes with every write of a booking's times, or that gives it back: ``.update(..., **newer(at))``.

    Calendar programs keep the newest version they have seen (RFC 5545, SEQUENCE) and would not show the change else.
    """
    return {"version": models.F("version") + 1, "changed_at": at}


class CalendarFeed(models.Model):
    """One person's secret address for their own calendar program. Deleted, the address is dead.

    Behind it are their own bookings, or, for those on duty, the hours at which one machine is taken.
    """

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="calendar_feeds"
    )
    machine = models.ForeignKey(Machine, null=True, on_delete=models.CASCADE, related_name="calendar_feeds")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "machine"], name="one_feed_each_of_a_machine"),
            models.UniqueConstraint(
                fields=["person"], condition=models.Q(machine=None), name="one_feed_of_a_person"
            ),
        ]

    def __str__(self) -> str:
        return str(self.created_at)


class WaitingEntry(models.Model):
    """Somebody waits for a time on a kind, or on one machine of it, within ``[from_, to)``.

    First come, first served (``created_at``). While a freed time is held for them, ``booking`` is that time.
    """

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="waiting")
    kind = models.ForeignKey(MachineKind, on_delete=models.CASCADE, related_name="waiting")
    machine = models.ForeignKey(
        Machine, null=True, blank=True, on_delete=models.CASCADE, related_name="waiting"
    )
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="waiting")
    from_time = models.DateTimeField()
    to_time = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField()
    booking = models.OneToOneField(
        Booking, null=True, blank=True, on_delete=models.SET_NULL, related_name="waited_for"
    )
    ended_at = models.DateTimeField(null=True, blank=True)  # served, given up, or its time is over
    outcome = models.CharField(max_length=10, blank=True)  # served, left, over

    class Meta:
        verbose_name = _("attente")
        verbose_name_plural = _("liste d’attente")
        ordering = ["created_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(to_time__gt=models.F("from_time")), name="waiting_ends_after_it_begins"
            )
        ]
        indexes = [
            # who is first for a freed time?
            models.Index(
                fields=["site", "kind", "created_at"],
                condition=models.Q(ended_at__isnull=True),
                name="waiting_in_order",
            ),
            models.Index(fields=["person", "created_at"], name="waiting_by_person"),  # "Mes réservations"
        ]

    def __str__(self) -> str:
        return f"{self.kind_id} {self.from_time} - {self.to_time}"


class OpenUse(models.Model):
    """How many people used a kind at a place on one local day without booking: a number, nobody's name."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="open_uses")
    kind = models.ForeignKey(MachineKind, on_delete=models.CASCADE, related_name="open_uses")
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "kind", "day"], name="open_use_once_a_day")]

    def __str__(self) -> str:
        return f"{self.kind_id} {self.day}: {self.count}"
