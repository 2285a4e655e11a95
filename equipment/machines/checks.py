"""A system check: the lists of where machines may be are read at the start, not at the first machine."""

from collections.abc import Callable, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register

from equipment.machines.connection import allowed_folders, allowed_networks

LISTS: tuple[tuple[str, Callable[[], object], str, str], ...] = (
    (
        "MACHINE_NETWORKS",
        allowed_networks,
        "Write network:port or network:port-port, separated by commas: 192.168.1.0/24:80-65535,10.0.0.7:5000.",
        "equipment.E002",
    ),
    (
        "MACHINE_FOLDERS",
        allowed_folders,
        'Write absolute paths without "..", separated by commas: /srv/machines,/mnt/embroidery.',
        "equipment.E003",
    ),
)


@register(Tags.security)
def lists_of_places_can_be_read(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for name, read, hint, number in LISTS:
        try:
            read()
        except ValueError as problem:
            found.append(Error(f"{name} cannot be read: {problem}.", hint=hint, id=number))
    return found
