"""An outbox row per person and event."""

from django.conf import settings
from django.db import models

from fablab.core.ids import new_id


class Notice(models.Model):
    """A message to a person. ``key`` names the event, so that telling twice tells once."""

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    key = models.CharField(max_length=80)
    code = models.CharField(max_length=40)  # of a registered sentence (fablab.core.words)
    params = models.JSONField(default=dict)
    link = models.CharField(max_length=200, blank=True)  # a path of our own pages
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="told_once")]
        indexes = [models.Index(fields=["person", "seen_at", "at"], name="notices_to_read")]  # every page

    def __str__(self) -> str:
        return self.code
