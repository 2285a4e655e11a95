"""The background work of an installation: a verdict never waits behind a slicing."""

from jobs.management.stepping import Stepping
from jobs.preparation.services import prepare_next
from jobs.uploads.services import inspect_next

INSPECTION, SLICING = "inspection", "slicing"


def workers() -> list[Stepping]:
    """Return one thread for each kind of work, not yet started."""
    return [Stepping(INSPECTION, inspect_next), Stepping(SLICING, prepare_next)]
