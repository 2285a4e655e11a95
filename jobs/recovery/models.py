"""When a site lost its power, or we did, with work on its machines."""

from django.conf import settings
from django.db import models

from equipment.sites.models import Site
from fablab.core.ids import new_id


class Interruption(models.Model):
    """A time in which nobody watched the machines of a site although work was on them."""

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="interruptions")
    began_at = models.DateTimeField()  # the last sign of life before
    noticed_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site"],
                condition=models.Q(settled_at__isnull=True),
                name="one_open_interruption_per_site",
            )
        ]

    def __str__(self) -> str:
        return f"{self.site_id} {self.began_at}"
