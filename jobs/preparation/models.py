"""What the machine cannot take becomes what it can. The same input is never computed twice."""

from django.db import models

from equipment.machines.models import MachineModel
from fablab.core.ids import new_id
from jobs.preparation.states import PreparationState
from jobs.uploads.models import Upload


class Preparation(models.Model):
    """One source file made ready for one machine model with one set of settings; a work order like ``Upload``."""

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    source = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="preparations")
    machine_model = models.ForeignKey(MachineModel, on_delete=models.PROTECT, related_name="+")
    profile = models.CharField(max_length=16)  # MachineModel.profile at that time
    settings = models.JSONField()  # material, quality, copies, supports
    digest = models.CharField(max_length=64)  # SHA-256 of source, profile, settings, tool
    state = models.CharField(
        max_length=14,
        choices=[(s.value, s.value) for s in PreparationState],
        default=PreparationState.RUNNING,
    )
    result = models.ForeignKey(Upload, null=True, on_delete=models.SET_NULL, related_name="+")
    findings = models.JSONField(default=list)  # what is wrong with the result, or why there is none
    tool = models.CharField(max_length=60, blank=True)  # "PrusaSlicer 2.5.0"
    created_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "digest"], name="prepared_once")]
        indexes = [
            models.Index(
                fields=["created_at"], condition=models.Q(state="running"), name="preparation_to_do"
            )  # the worker's next one
        ]

    def __str__(self) -> str:
        return self.id
