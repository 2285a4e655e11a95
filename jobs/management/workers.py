"""The background work of an installation: a verdict never waits behind a slicing."""

from datetime import datetime

from jobs.lifecycle.services import preparation_ended, upload_inspected
from jobs.management.stepping import Stepping
from jobs.preparation.services import BELL as SLICING
from jobs.preparation.services import prepare_next, slicer
from jobs.uploads.services import BELL as INSPECTION
from jobs.uploads.services import inspect_next


def inspect(at: datetime) -> bool:
    """Judge one file; its drafts are prepared in the same transaction. True when there was one."""
    slicer()  # asked once a process, and never inside that transaction: it starts a program
    return inspect_next(at, then=upload_inspected) is not None


def make_ready(at: datetime) -> bool:
    """Make one machine file; its jobs get it in the same transaction. True when there was one to make."""
    return prepare_next(at, then=preparation_ended) is not None


def workers() -> list[Stepping]:
    """Return one thread for each kind of work, not yet started."""
    return [Stepping(INSPECTION, inspect), Stepping(SLICING, make_ready)]
