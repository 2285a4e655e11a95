"""Answers to unsafe requests that were given before, so that sending twice does once (REL-10)."""

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
