"""Jobs, their history, the physical tries to make them, and what was asked of machines.

``Job.state`` is written by ``lifecycle.services.apply`` alone (a test looks for other writers).
"""

from django.conf import settings
from django.db import models

from equipment.bookings.models import Booking
from equipment.machines.models import Machine, MachineModel
from equipment.sites.models import Site
from fablab.core.ids import new_id
from jobs.lifecycle.states import OrderState, Source, State, Verb
from jobs.preparation.models import Preparation
from jobs.uploads.models import Upload


class Job(models.Model):
    """A thing to be made."""

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    number = models.PositiveIntegerField()  # per site; boards and shelves show it, never a name
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="jobs")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="jobs")
    title = models.CharField(max_length=80)
    note = models.CharField(max_length=500, blank=True)  # for the instructor
    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="jobs")
    machine_model = models.ForeignKey(MachineModel, on_delete=models.PROTECT, related_name="jobs")
    machine = models.ForeignKey(
        Machine, null=True, on_delete=models.PROTECT, related_name="wished_by"
    )  # only this one
    booking = models.ForeignKey(Booking, null=True, on_delete=models.SET_NULL, related_name="jobs")
    settings = models.JSONField(default=dict)  # material, quality, copies, supports
    preparation = models.ForeignKey(Preparation, null=True, on_delete=models.SET_NULL, related_name="jobs")
    # What goes to the machine: the upload itself, the preparation's result, or what an instructor attached.
    machine_file = models.ForeignKey(Upload, null=True, on_delete=models.PROTECT, related_name="+")

    state = models.CharField(max_length=14, choices=[(s.value, s.value) for s in State], default=State.DRAFT)
    state_at = models.DateTimeField()
    version = models.PositiveBigIntegerField(default=1)  # grows with each event
    reason = models.CharField(max_length=500, blank=True)  # code or words of the last refusal, failure, stop
    waiting_for = models.JSONField(default=list)  # [{"code", "params"}], one per failed guard of claim
    attempts_made = models.PositiveSmallIntegerField(default=0)
    priority = models.SmallIntegerField(default=0)  # staff may raise it
    submitted_at = models.DateTimeField(null=True)
    queued_at = models.DateTimeField(null=True)  # keeps its place when it is tried again
    shelf = models.CharField(max_length=10, blank=True)
    percent = models.FloatField(null=True)  # last known, of the live or last attempt
    seconds_left = models.PositiveIntegerField(null=True)
    progress_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["site", "number"], name="job_number_once_per_site")]
        indexes = [
            models.Index(fields=["site", "state", "queued_at"], name="job_queue"),  # queue, dispatch, desks
            models.Index(fields=["owner", "created_at"], name="job_by_owner"),  # "Mes objets"
        ]

    def __str__(self) -> str:
        return f"{self.number}"


class JobEvent(models.Model):
    """One step of a job: history and outbox in one. Append-only."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events")
    version = models.PositiveBigIntegerField()
    action = models.CharField(max_length=16)  # of the table, or a remark that moves nothing: create, change
    from_state = models.CharField(max_length=14)
    to_state = models.CharField(max_length=14)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    source = models.CharField(max_length=12, choices=[(s.value, s.value) for s in Source])
    at = models.DateTimeField()
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["job", "version"]
        constraints = [models.UniqueConstraint(fields=["job", "version"], name="job_event_once")]

    def __str__(self) -> str:
        return f"{self.job_id} {self.action}"


class Approval(models.Model):
    """Exactly what an instructor, or the site's policy, said yes to (REQUIREMENTS 4.2)."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="approvals")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    policy = models.CharField(max_length=30, blank=True)
    at = models.DateTimeField()
    model_sha256 = models.CharField(max_length=64)
    file_sha256 = models.CharField(max_length=64)
    machine_model = models.ForeignKey(MachineModel, on_delete=models.PROTECT, related_name="+")
    profile = models.CharField(max_length=16)
    settings = models.JSONField()
    report = models.JSONField()
    own_job = models.BooleanField(default=False)  # by the site's single-instructor switch
    voided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["job"], condition=models.Q(voided_at__isnull=True), name="one_valid_approval"
            )
        ]

    def __str__(self) -> str:
        return f"{self.job_id} {self.at}"


class Attempt(models.Model):
    """One physical try on one machine; it carries one job, or several laid on a common plate.

    ``remote_path`` is what the machine calls the file. ``remote_runs`` is how often the machine had printed it before
    our start: a higher count proves that it ran. ``started_at`` is the machine's report; ``start_sent_at`` is ours.
    """

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    machine = models.ForeignKey(Machine, on_delete=models.PROTECT, related_name="attempts")
    jobs = models.ManyToManyField(Job, through="AttemptJob", related_name="attempts")
    machine_file = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="+")
    file_sha256 = models.CharField(max_length=64)
    lease_number = models.PositiveIntegerField(default=0)  # of the supervisor that claimed it
    remote_path = models.CharField(max_length=255, blank=True)
    remote_sha1 = models.CharField(max_length=40, blank=True)
    remote_runs = models.PositiveIntegerField(default=0)
    sent_bytes = models.PositiveBigIntegerField(default=0)
    claimed_at = models.DateTimeField()
    loaded_at = models.DateTimeField(null=True)
    start_sent_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=14, blank=True)  # finished, failed, cancelled, released
    put_off = models.CharField(
        max_length=24, blank=True
    )  # why its machine is not asked for this file for a while
    remote_deleted_at = models.DateTimeField(null=True)  # removed from the machine after the end (PRIV-6)
    # Losing contact, or a start that nobody saw happen: shown as "On vérifie la machine", never as printing.
    unsure_since = models.DateTimeField(null=True)
    unsure_why = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["machine"],
                condition=models.Q(ended_at__isnull=True),
                name="one_live_attempt_per_machine",
            )
        ]
        indexes = [
            models.Index(fields=["machine", "ended_at"], name="attempt_by_machine")
        ]  # longest idle, history

    def __str__(self) -> str:
        return self.id


class AttemptJob(models.Model):
    """A job's part in an attempt."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="parts")
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveSmallIntegerField()  # the job's first, second, third try
    live = models.BooleanField(default=True)
    outcome = models.CharField(max_length=14, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["attempt", "job"], name="job_once_per_attempt"),
            models.UniqueConstraint(
                fields=["job"], condition=models.Q(live=True), name="one_live_attempt_per_job"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.attempt_id} {self.job_id}"


class AttemptSample(models.Model):
    """One moment of an attempt, for its plot: written every few seconds, thinned when it has ended."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="samples")
    at = models.DateTimeField()
    percent = models.FloatField(null=True)
    seconds_left = models.PositiveIntegerField(null=True)
    heat = models.JSONField(default=dict)  # {"tool0": [actual, target], "bed": [...]} in degrees Celsius

    class Meta:
        indexes = [models.Index(fields=["attempt", "at"], name="attempt_plot")]  # the attempt's page

    def __str__(self) -> str:
        return f"{self.attempt_id} {self.at}"


class Still(models.Model):
    """A camera picture that somebody asked for while the attempt ran; kept 24 hours (SEC-17, PRIV-6)."""

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="stills")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    asked_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)
    file = models.CharField(max_length=100, blank=True)  # below the media folder, named by us
    error = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["attempt"],
                condition=models.Q(taken_at__isnull=True, error=""),
                name="one_still_asked_at_once",
            )
        ]
        indexes = [models.Index(fields=["asked_at"], name="stills_to_purge")]

    def __str__(self) -> str:
        return self.id


class Order(models.Model):
    """What was asked of a linked machine: a request, never a fact. Sent once, never after ``expires_at``."""

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="orders")
    verb = models.CharField(max_length=8, choices=[(v.value, v.value) for v in Verb])
    plate_token = models.CharField(max_length=14, blank=True)
    lease_number = models.PositiveIntegerField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(
        max_length=10, choices=[(s.value, s.value) for s in OrderState], default=OrderState.WAITING
    )
    taken_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=40, blank=True)  # a driver's code, or why it was not sent

    class Meta:
        ordering = ["created_at"]
        constraints = [
            # Two people press the same button: one order, the other reads "Déjà demandé" (case 7).
            models.UniqueConstraint(
                fields=["attempt", "verb"],
                condition=models.Q(state__in=["waiting", "taken"]),
                name="one_open_order_per_verb",
            )
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=models.Q(state="waiting"), name="order_waiting")
        ]  # supervision's look

    def __str__(self) -> str:
        return f"{self.verb} {self.attempt_id}"
