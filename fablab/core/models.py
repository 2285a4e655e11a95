"""Answers to unsafe requests that were given before (REL-10), and what the installation knows of the time."""

from django.conf import settings
from django.db import models


class IdempotentAnswer(models.Model):
    """The answer to the first request with this key. Kept for 24 h."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=80)
    request_digest = models.CharField(max_length=64)  # SHA-256 of method, path and body
    status = models.PositiveSmallIntegerField(null=True)  # null: the first request is still being worked on
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="idempotency_key_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_purge")]  # the daily purge

    def __str__(self) -> str:
        return self.key


class Witness(models.Model):
    """One row: the latest time this installation has seen, and whether its clock is to be believed."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    at = models.DateTimeField()  # written every half minute while we run
    doubted_since = models.DateTimeField(null=True)  # by the doubted clock itself
    why = models.CharField(max_length=30, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_witness")]

    def __str__(self) -> str:
        return f"{self.at}"
