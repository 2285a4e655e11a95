"""Kinds, models and machines. Kinds are data: a new one needs neither code nor migration (UX-1)."""

import hashlib
import json

from django.conf import settings
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from equipment.machines.guide import Guide
from equipment.machines.states import LINKED, Driver, Plate, Report
from equipment.sites.models import Site
from fablab.core.ids import new_id


class MachineKind(models.Model):
    """FDM printer, embroidery machine, cutter, heat press... with the booking rules of the kind."""

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    slug = models.SlugField(unique=True)
    names = models.JSONField()  # {"fr": "Imprimante 3D", "en": ..., "ar": ...}
    icon = models.CharField(max_length=30, default="machine")
    takes_files = models.BooleanField(default=True)
    needs_plate = models.BooleanField(default=True)  # something must be emptied between two jobs
    remote_start = models.BooleanField(default=True)  # never for lasers and heat presses (SEC-26)
    needs_certificate = models.BooleanField(default=True)
    # Half an hour of help, a dangerous machine: only while an instructor is on duty, for everybody.
    needs_instructor = models.BooleanField(default=False, db_default=False)
    # What people do by hand at this kind: checklist, workpieces, frames... (shape: ``equipment.machines.guide``).
    guide = models.JSONField(default=dict, blank=True)
    # Booking rules of the kind, in minutes; horizon in days.
    buffer_minutes = models.PositiveSmallIntegerField(default=0)  # kept free after each booking
    notice_minutes = models.PositiveSmallIntegerField(default=0)
    horizon_days = models.PositiveSmallIntegerField(default=14)
    min_minutes = models.PositiveSmallIntegerField(default=30)
    max_minutes = models.PositiveSmallIntegerField(default=120)
    grid_minutes = models.PositiveSmallIntegerField(default=30)  # bookings begin on this grid
    # Of one person at one place: minutes from Monday to Sunday, bookings to come at once. None: without limit.
    weekly_minutes = models.PositiveIntegerField(null=True, blank=True)
    open_bookings = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        verbose_name = _("type de machine")
        verbose_name_plural = _("types de machine")
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the reader's language, else in French."""
        names: dict[str, str] = self.names
        return names.get((get_language() or "fr")[:2]) or names.get("fr") or self.slug

    @property
    def is_place(self) -> bool:
        """A table, a computer, a room, somebody's time: no file, nothing to empty, and one is as good as another."""
        return not (self.takes_files or self.needs_plate)

    @property
    def by_hand(self) -> Guide:
        """What people do by hand at this kind."""
        return Guide.from_json(self.guide)


class MachineModel(models.Model):
    """What identical machines share. ``limits`` has the shape of ``jobs.inspection.limits.ModelLimits``."""

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    kind = models.ForeignKey(MachineKind, on_delete=models.PROTECT, related_name="machine_models")
    name = models.CharField(max_length=80)
    limits = models.JSONField(default=dict)  # bed_mm, height_mm, nozzle_mm, nozzle_max_c, bed_max_c, ...
    formats = models.JSONField(default=list)  # machine file formats it takes as they are: ["gcode"]
    prepares = models.JSONField(default=list)  # formats we can make ready for it: ["stl"]
    materials = models.JSONField(default=list)  # ["PLA", "PETG"]
    qualities = models.JSONField(default=list)  # ["draft", "normal", "fine"]

    class Meta:
        verbose_name = _("modèle")
        verbose_name_plural = _("modèles")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def profile(self) -> str:
        """Digest of all that an approval or a slicing relies on; another profile voids it (REQUIREMENTS 4.2)."""
        text = json.dumps([self.limits, self.formats, self.prepares], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class Machine(models.Model):
    """One machine at one site, with its connection.

    ``report`` ... ``seen_at`` are what supervision last heard; only it writes them. ``plate`` is a stored fact that
    only a recorded person on site sets to clear. ``plate_token`` is made by that clearing and used up by one start.
    ``plate_number`` tells one filling of the plate from the next: who clears it says which one they have looked at.
    """

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="machines")
    model = models.ForeignKey(MachineModel, on_delete=models.PROTECT, related_name="machines")
    name = models.CharField(max_length=60)
    retired_at = models.DateTimeField(null=True, blank=True)  # removed from use; its history stays

    driver = models.CharField(
        max_length=12, choices=[(d.value, d.value) for d in Driver], default=Driver.HANDOVER
    )
    address = models.CharField(max_length=200, blank=True)  # http://192.168.1.20:5000
    sealed_key = models.TextField(blank=True, editable=False)  # write-only; see fablab.core.sealed
    # A request for a key that waits for a person's yes in OctoPrint; its token lets the holder take the key.
    sealed_key_request = models.TextField(blank=True, editable=False)
    connection_number = models.PositiveIntegerField(default=1)  # grows when driver, address or key change

    plate = models.CharField(
        max_length=10, choices=[(p.value, p.value) for p in Plate], default=Plate.TO_CLEAR
    )
    plate_number = models.PositiveIntegerField(default=0)  # grows with whatever may put something there
    plate_token = models.CharField(max_length=14, blank=True)
    plate_cleared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    plate_cleared_at = models.DateTimeField(null=True, blank=True)

    out_of_order_since = models.DateTimeField(null=True, blank=True)
    out_of_order_reason = models.CharField(max_length=200, blank=True)
    # What a person said of a machine that has no link, or that needs somebody (UX-2).
    needs_help_since = models.DateTimeField(null=True, blank=True)
    needs_help_why = models.CharField(max_length=200, blank=True)
    in_use_since = models.DateTimeField(null=True, blank=True)  # by hand, without a job

    # What is in it now, blank where nobody said: jobs that need something else wait (``jobs.planning``).
    material = models.CharField(max_length=40, blank=True)
    nozzle_mm = models.FloatField(null=True, blank=True)  # else the model's
    frame = models.CharField(max_length=40, blank=True)

    auto_start = models.BooleanField(
        default=False
    )  # opt-in: starts on a plate that a person confirmed clear (SEC-22)
    may_overrun = models.BooleanField(default=False)  # a print may run past closing time or into a booking
    maintenance_every_hours = models.PositiveSmallIntegerField(null=True, blank=True)
    camera_address = models.CharField(max_length=200, blank=True)  # of stills; shown to nobody (SEC-17)

    report = models.CharField(
        max_length=14, choices=[(r.value, r.value) for r in Report], default=Report.NEVER
    )
    report_path = models.CharField(max_length=255, blank=True)  # what it says it prints
    report_foreign = models.BooleanField(default=False)  # that is not ours
    report_error = models.CharField(max_length=300, blank=True)  # a driver's code, or the machine's own text
    report_since = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)  # last sign of life, written now and then

    # A supervisor owns a machine for a time; the number grows with each owner and is carried by every order (REL-5).
    lease_owner = models.CharField(max_length=40, blank=True)
    lease_number = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)

    version = models.PositiveBigIntegerField(default=0)  # grows with each change that people see

    class Meta:
        verbose_name = _("machine")
        verbose_name_plural = _("machines")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "name"],
                condition=models.Q(retired_at__isnull=True),  # a name is free again when its machine is gone
                name="machine_name_once_per_site",
            )
        ]
        indexes = [models.Index(fields=["site", "retired_at"], name="machine_by_site")]  # board, lists

    def __str__(self) -> str:
        return self.name

    @property
    def linked(self) -> bool:
        """Whether the machine itself reports what it does; else a person at it says so."""
        return Driver(self.driver) in LINKED


class MachineEvent(models.Model):
    """The machine's log: who did or saw what. Append-only."""

    machine = models.ForeignKey(Machine, on_delete=models.CASCADE, related_name="events")
    action = models.CharField(max_length=30)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    source = models.CharField(max_length=12)  # person, machine, system
    at = models.DateTimeField()
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["machine", "at"], name="machine_log")]  # the machine's own page

    def __str__(self) -> str:
        return f"{self.machine_id} {self.action}"


class Outage(models.Model):
    """A time in which a machine cannot be used; without ``end`` it lasts until someone ends it.

    ``expected_end`` is a guess about one without end: what is booked after it may take place, as long as it is to come.
    """

    machine = models.ForeignKey(Machine, on_delete=models.CASCADE, related_name="outages")
    start = models.DateTimeField()
    end = models.DateTimeField(null=True, blank=True)
    expected_end = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    photo = models.CharField(
        max_length=40, blank=True, default="", db_default=""
    )  # a file's name: ``equipment.machines.photos``
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(end__isnull=True) | models.Q(end__gte=models.F("start")),
                name="outage_ends_after_it_begins",
            )
        ]
        indexes = [models.Index(fields=["machine", "start"], name="outage_by_machine")]  # booking facts

    def __str__(self) -> str:
        return f"{self.machine_id} {self.start} - {self.end}"


class ForeignPrint(models.Model):
    """Something a machine made that did not come through the queue. "C'est moi" says whose it is."""

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    machine = models.ForeignKey(Machine, on_delete=models.CASCADE, related_name="foreign_prints")
    path = models.CharField(
        max_length=255, blank=True
    )  # as the machine names it; for staff and its person only
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=14, blank=True)  # finished, failed, cancelled, unknown
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    adopted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["machine"],
                condition=models.Q(ended_at__isnull=True),
                name="one_foreign_print_per_machine",
            )
        ]
        indexes = [
            models.Index(fields=["machine", "began_at"], name="foreign_by_machine"),  # hours of use, history
            models.Index(fields=["person", "began_at"], name="foreign_by_person"),  # "Mes objets"
        ]

    def __str__(self) -> str:
        return f"{self.machine_id} {self.began_at}"


class Maintenance(models.Model):
    """A line of a machine's maintenance log. Append-only."""

    machine = models.ForeignKey(Machine, on_delete=models.CASCADE, related_name="maintenance")
    what = models.CharField(max_length=30)  # a code of ``equipment.machines.words.MAINTENANCE``
    note = models.CharField(max_length=300, blank=True)
    used_seconds = models.PositiveBigIntegerField()  # the machine's time at work so far
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["machine", "at"], name="maintenance_log")]  # the machine's own page

    def __str__(self) -> str:
        return f"{self.machine_id} {self.what}"


class HelpRequest(models.Model):
    """Somebody asks that an instructor comes to them, at a machine or anywhere at the place. Gone when answered."""

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="help_requests")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    machine = models.ForeignKey(
        Machine, null=True, blank=True, on_delete=models.CASCADE, related_name="help_requests"
    )
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "person"], name="one_help_request_each"
            )  # work list, "Aide"
        ]

    def __str__(self) -> str:
        return f"{self.site_id} {self.at}"
