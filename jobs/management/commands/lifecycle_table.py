"""Print the life of a job as a table, from the data that the code runs on."""

from typing import Any

from django.core.management.base import BaseCommand

from jobs.lifecycle.table import TABLE


class Command(BaseCommand):
    help = "Print the life of a job: action, from, to, who may do or ask for it, and what must hold."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("| action | from | to | who | asked for by | guard |")
        self.stdout.write("| --- | --- | --- | --- | --- | --- |")
        for row in TABLE:
            to = (
                row.to
                if row.to_unless_started is None
                else f"{row.to} (never started: {row.to_unless_started})"
            )
            cells = (
                row.action,
                " ".join(sorted(row.frm)),
                to,
                " ".join(sorted(row.who)),
                " ".join(sorted(row.ordered_by)),
                ", ".join(
                    [guard.name.lower().replace("_", " ") for guard in row.guards]
                    + (["marks the plate"] if row.marks_plate else [])
                ),
            )
            self.stdout.write(f"| {' | '.join(cells)} |")
