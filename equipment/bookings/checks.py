"""A system check: the database must refuse overlapping bookings itself."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from equipment.bookings.guard import TABLE, guard_stands


@register(Tags.database)
def overlapping_bookings_are_impossible(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Run by ``migrate`` and by ``check --database default``; a table that is not there yet needs no guard."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        if TABLE in connection.introspection.table_names() and not guard_stands(connection):
            found.append(
                Error(
                    "The database does not refuse overlapping bookings: its guard is missing.",
                    hint="An operation on the table of bookings must be wrapped in GuardedAlter. Put the guard up "
                    "again with a migration that holds RaiseGuard().",
                    id="equipment.E001",
                )
            )
    return found
