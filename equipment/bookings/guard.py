"""The database's own word against overlapping bookings (REL-8): an exclusion constraint, or two triggers.

Not in ``Meta.constraints``: Django's ``ExclusionConstraint`` imports psycopg, which the embedded installation may
lack. SQLite drops the triggers without a word whenever a later migration alters the table (it is rebuilt), so any
operation on Booking must be wrapped in ``GuardedAlter``; a system check looks for what is missing.
"""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

NAME = "booking_no_overlap"
TABLE = "equipment_booking"
# states.HOLDING; spelled out, because a migration runs it; in the order of the index, else SQLite does not use that.
_HOLDING = "('confirmed', 'held', 'in_use')"

_POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    f"ALTER TABLE {TABLE} ADD CONSTRAINT {NAME} EXCLUDE USING gist ("
    f"machine_id WITH =, tstzrange(held_start, held_end, '[)') WITH &&) WHERE (state IN {_HOLDING})",
)

# SQLite keeps times as text. Django writes one form; whoever else writes may use a "T" or an offset, and texts of
# different forms do not sort as times do. So both sides are brought to one form, to the millisecond. The first line
# about held_end is true whatever the form, and lets the index find the few rows that matter.
_SAME_FORM = "strftime('%Y-%m-%d %H:%M:%f', {})"
_SQLITE_BODY = f"""
WHEN NEW.state IN {_HOLDING}
BEGIN
    SELECT RAISE(ABORT, '{NAME}') WHERE EXISTS (
        SELECT 1 FROM {TABLE} AS other
        WHERE other.machine_id = NEW.machine_id AND other.state IN {_HOLDING} AND other.id <> NEW.id
          AND other.held_end > date(NEW.held_start, '-1 day')
          AND {_SAME_FORM.format("other.held_start")} < {_SAME_FORM.format("NEW.held_end")}
          AND {_SAME_FORM.format("other.held_end")} > {_SAME_FORM.format("NEW.held_start")}
    );
END
"""  # noqa: S608 - no value from outside enters
TRIGGERS = (f"{NAME}_insert", f"{NAME}_update")
_SQLITE = (
    f"CREATE TRIGGER {TRIGGERS[0]} BEFORE INSERT ON {TABLE} {_SQLITE_BODY}",
    f"CREATE TRIGGER {TRIGGERS[1]} BEFORE UPDATE OF machine_id, held_start, held_end, state ON {TABLE} {_SQLITE_BODY}",
)


def raise_guard(connection: BaseDatabaseWrapper, execute: Any) -> None:
    """Put the guard up where it is missing."""
    if guard_stands(connection):
        return
    for statement in _POSTGRESQL if connection.vendor == "postgresql" else _SQLITE:
        execute(statement)


def drop_guard(connection: BaseDatabaseWrapper, execute: Any) -> None:
    """Take the guard away (only to alter the table)."""
    if connection.vendor == "postgresql":
        execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT IF EXISTS {NAME}")
    else:
        for trigger in TRIGGERS:
            execute(f"DROP TRIGGER IF EXISTS {trigger}")


def guard_stands(connection: BaseDatabaseWrapper) -> bool:
    """Say whether the database refuses overlaps now."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT count(*) FROM pg_constraint WHERE conname = %s AND contype = 'x'", [NAME])
            return bool(cursor.fetchone() == (1,))
        cursor.execute(
            "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name IN (%s, %s)", list(TRIGGERS)
        )
        return bool(cursor.fetchone() == (2,))


class RaiseGuard(Operation):
    """Migration operation: from here on overlapping live bookings are impossible."""

    reduces_to_sql = True
    reversible = True

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Models do not know of it."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        raise_guard(schema_editor.connection, schema_editor.execute)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        drop_guard(schema_editor.connection, schema_editor.execute)

    def describe(self) -> str:
        return "Refuse overlapping live bookings in the database"


class GuardedAlter(Operation):
    """Run another operation on the booking table and put the guard up again afterwards."""

    reversible = True

    def __init__(self, operation: Operation) -> None:
        self.operation = operation

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__qualname__, [self.operation], {}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        self.operation.state_forwards(app_label, state)

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        self._around("database_forwards", app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        self._around("database_backwards", app_label, schema_editor, from_state, to_state)

    def _around(
        self,
        step: str,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        drop_guard(schema_editor.connection, schema_editor.execute)
        getattr(self.operation, step)(app_label, schema_editor, from_state, to_state)
        raise_guard(schema_editor.connection, schema_editor.execute)

    def describe(self) -> str:
        return f"{self.operation.describe()}, keeping the guard against overlaps"
