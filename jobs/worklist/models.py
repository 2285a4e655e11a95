"""Who goes: "Je m'en occupe" stops two people going (kept apart from what needs a hand, which is derived)."""

from django.conf import settings
from django.db import models

from equipment.sites.models import Site


class Handling(models.Model):
    """A person said that they deal with one entry of the work list; it lapses, so that nothing is forgotten."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="handlings")
    key = models.CharField(max_length=80)  # of the entry: "plate:MACHINE", "unsure:JOB"...
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "key"], name="one_person_per_entry")]

    def __str__(self) -> str:
        return self.key
