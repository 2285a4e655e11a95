"""How a machine's row and its log are written by the other files of this room."""

from datetime import datetime
from typing import Any

from django.db.models import F

from equipment.machines.models import Machine, MachineEvent
from fablab.people.models import User


def write(machine: Machine, **values: Any) -> None:
    """Write these fields alone, let the version grow, and give the instance the same values."""
    Machine.objects.filter(pk=machine.pk).update(**values, version=F("version") + 1)
    for name, value in values.items():
        setattr(machine, name, value)
    machine.version += 1


def log(
    machine: Machine,
    action: str,
    actor: User | None,
    at: datetime,
    details: dict[str, Any] | None = None,
    source: str = "",
) -> None:
    MachineEvent.objects.create(
        machine=machine,
        action=action,
        actor=actor,
        source=source or ("person" if actor else "system"),
        at=at,
        details=details or {},
    )
