"""Proof that a person may use a machine kind."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from equipment.machines.models import MachineKind
from equipment.sites.models import Site
from fablab.core.ids import new_id


class Certificate(models.Model):
    """Granted by staff of a site, valid there, until a day (included) or until revoked."""

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="certificates"
    )
    kind = models.ForeignKey(MachineKind, on_delete=models.PROTECT, related_name="certificates")
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="certificates")
    # G-code can do more harm than a model: handing it in is a right of its own (SEC-1).
    may_send_machine_files = models.BooleanField(default=False)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    granted_at = models.DateTimeField()
    until = models.DateField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("habilitation")
        verbose_name_plural = _("habilitations")
        constraints = [
            models.UniqueConstraint(
                fields=["person", "kind", "site"],
                condition=models.Q(revoked_at__isnull=True),
                name="one_valid_certificate",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.kind_id}"
