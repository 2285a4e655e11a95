"""Stored files. They lie under MEDIA_ROOT by id, never by a person's name for them (SEC-13)."""

from pathlib import Path

from django.conf import settings
from django.db import models

from fablab.core.ids import new_id
from jobs.uploads.states import Origin, UploadState


class Upload(models.Model):
    """One file, its hash and what the inspection said.

    The row is its own work order: a worker takes an ``inspecting`` row by setting ``lease_until``; when the worker
    dies the lease runs out and another takes it, so nothing stays "inspecting".
    """

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads")
    origin = models.CharField(
        max_length=10, choices=[(o.value, o.value) for o in Origin], default=Origin.PERSON
    )
    name = models.CharField(
        max_length=255
    )  # the person's own name for it, cleaned; shown, never used as a path
    sha256 = models.CharField(max_length=64)  # of the file as it is stored
    size = models.PositiveBigIntegerField()
    format = models.CharField(max_length=12, blank=True)  # "stl", "gcode": known after the inspection
    state = models.CharField(
        max_length=12, choices=[(s.value, s.value) for s in UploadState], default=UploadState.INSPECTING
    )
    report = models.JSONField(null=True)  # jobs.inspection.findings.Report
    has_picture = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["created_at"], condition=models.Q(state="inspecting"), name="upload_to_inspect"
            ),  # the worker's next one
            models.Index(fields=["owner", "created_at"], name="upload_by_owner"),  # "mes fichiers"
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def folder(self) -> Path:
        return Path(settings.MEDIA_ROOT) / "uploads" / self.id[:2] / self.id

    @property
    def path(self) -> Path:
        return self.folder / "file"

    @property
    def picture_path(self) -> Path:
        return self.folder / "picture.png"
