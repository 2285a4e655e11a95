"""The background work of an installation: a verdict never waits behind a slicing."""

from datetime import datetime

from jobs.lifecycle.services import preparation_ended, upload_inspected
from jobs.management.bookings import BookingDay
from jobs.management.erasing import Erasing
from jobs.management.handwork import Handwork
from jobs.management.stepping import Stepping
from jobs.management.tidying import Tidying
from jobs.preparation.models import Preparation
from jobs.preparation.services import BELL as SLICING
from jobs.preparation.services import prepare_next, slicer
from jobs.preparation.states import PreparationState
from jobs.uploads.leases import release
from jobs.uploads.models import Upload
from jobs.uploads.services import BELL as INSPECTION
from jobs.uploads.services import inspect_next
from jobs.uploads.states import UploadState


def inspect(at: datetime) -> bool:
    """Judge one file; its drafts are prepared in the same transaction. True when there was one."""
    slicer()  # asked once a process, and never inside that transaction: it starts a program
    return inspect_next(at, then=upload_inspected) is not None


def make_ready(at: datetime) -> bool:
    """Make one machine file; its jobs get it in the same transaction. True when there was one to make."""
    return prepare_next(at, then=preparation_ended) is not None


def take_up() -> int:
    """Free what an earlier process left in the middle; only for one that knows itself alone. Returns how many.

    After a power cut a verdict need not wait until the dead worker's lease has run out.
    """
    return release(Upload.objects.filter(state=UploadState.INSPECTING)) + release(
        Preparation.objects.filter(state=PreparationState.RUNNING)
    )


def workers() -> list[Stepping]:
    """Return one thread for each kind of work, not yet started."""
    return [
        Stepping(INSPECTION, inspect),
        Stepping(SLICING, make_ready),
        Stepping("tidying", Tidying()),
        Stepping("handwork", Handwork()),
        Stepping("bookings", BookingDay()),
        Stepping("erasing", Erasing()),
    ]
