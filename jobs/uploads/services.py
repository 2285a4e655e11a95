"""Files come in, are stored under an id, and are judged by a worker."""

import io
import logging
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from django.db import transaction

from fablab.core.errors import DomainError, NoRoom, Refused
from fablab.core.waking import ring
from fablab.core.witness import clock_is_trusted
from fablab.people.models import User
from jobs.inspection import sandbox
from jobs.inspection.codes import finding
from jobs.inspection.findings import Report
from jobs.uploads import arriving, live, storage
from jobs.uploads.arriving import Arriving
from jobs.uploads.leases import MOST_TRIES, kept, take_oldest
from jobs.uploads.models import Upload
from jobs.uploads.names import clean_name
from jobs.uploads.queries import blocks_everywhere, frames_of, minutes_around, models_around
from jobs.uploads.states import Origin, UploadState

logger = logging.getLogger(__name__)
ASKED_AT_ONCE = 400  # SQLite takes 999 values at most in its older builds
FEW = 20  # kills leave no more: beyond that it is another database
BELL = "inspection"  # the worker's thread wakes at it

Then = Callable[..., None]


def receive(
    file: BinaryIO | Path,
    *,
    name: str,
    owner: User,
    at: datetime,
    origin: Origin = Origin.PERSON,
    sha256: str = "",
) -> Upload:
    """Store a file under an id of ours and have it inspected. What is acknowledged survives a power cut.

    ``sha256`` is what it must be; "" says nothing. Raises ``TooLarge`` (413) beyond ``UPLOAD_LIMIT_BYTES``,
    ``Refused``: ``storage_full``, ``file_damaged``; nothing stays behind then.
    """
    purge_left_over()
    upload = _store(file, name=name, owner=owner, at=at, origin=origin, sha256=sha256)
    transaction.on_commit(lambda: ring(BELL))
    return upload


def begin_arriving(*, owner: User, name: str, size: int, sha256: str = "") -> Arriving:
    """Make room for a file that comes in several requests (``jobs.uploads.arriving``). Raises what that raises."""
    trusted = purge_left_over()
    return arriving.begin(owner.pk, name=name, size=size, sha256=sha256, may_replace=trusted)


def receive_arrived(arriving_id: str, *, owner: User, at: datetime) -> Upload:
    """Receive a file that has arrived whole, as ``receive`` does; accepted or refused, it is on its way no more.

    Only ``NoRoom`` leaves it. Raises ``NotFound``, ``Conflict("arriving_busy")``, ``Refused("arriving_incomplete")``,
    and what ``receive`` raises.
    """
    with arriving.held(owner.pk, arriving_id) as (told, file):
        if told.offset < told.size:
            raise Refused("arriving_incomplete")
        try:
            upload = receive(file, name=told.name, owner=owner, at=at, sha256=told.sha256)
        except NoRoom:
            raise  # the same may succeed later, and they need not send it again
        except DomainError:
            arriving.drop(owner.pk, arriving_id)
            raise
        arriving.drop(owner.pk, arriving_id)
    return upload


def purge_left_over() -> bool:
    """Remove what nobody goes on sending for a day (case 14), unless the clock is doubted. True when it is not.

    Files' own ages are the computer's clock, so that is the one that is asked about.
    """
    if not clock_is_trusted(datetime.now(UTC)):
        return False
    storage.purge_partials()
    arriving.purge()
    return True


def purge_without_rows() -> int:
    """Remove what a killed process left at a file's place before its row was there; return how many those were.

    A day old, and never while the clock is doubted. A kill leaves one: where many have no row, or more than have one,
    this is not the database they belong to (it is empty, an address is mistyped, an older backup was brought back).
    Nothing is removed then.
    """
    if not clock_is_trusted(datetime.now(UTC)):
        return 0
    folders = storage.old_folders()
    known: set[str] = set()
    ids = [*folders]
    for start in range(0, len(ids), ASKED_AT_ONCE):
        asked = Upload.objects.filter(pk__in=ids[start : start + ASKED_AT_ONCE])
        known.update(asked.values_list("pk", flat=True))
    lost = [folder for upload_id, folder in folders.items() if upload_id not in known]
    if len(lost) > min(FEW, len(known)):
        logger.error(
            "%s of %s stored files have no row: they are left where they are", len(lost), len(folders)
        )
        return 0
    for folder in lost:
        storage.remove(folder)
    return len(lost)


def keep_prepared(
    file: Path, *, name: str, owner: User, report: Report, picture: Path, at: datetime
) -> Upload:
    """Store what we made ourselves and have already inspected; ``picture`` is taken over when it is there."""
    with picture.open("rb") if picture.is_file() else io.BytesIO() as stream:
        drawn = stream.read()
    return _store(file, name=name, owner=owner, at=at, origin=Origin.PREPARED, report=report, picture=drawn)


def discard(upload: Upload) -> None:
    """Remove a stored file that nothing refers to, its row first: a row never points at nothing."""
    folder = upload.folder
    upload.delete()
    storage.remove(folder)


def _store(
    file: BinaryIO | Path,
    *,
    name: str,
    owner: User,
    at: datetime,
    origin: Origin,
    sha256: str = "",
    report: Report | None = None,
    picture: bytes = b"",
) -> Upload:
    called = clean_name(name)
    brought = origin is not Origin.PREPARED
    if isinstance(file, Path):
        with file.open("rb") as stream:
            received = storage.receive_bytes(stream, called, sha256, brought=brought)
    else:
        received = storage.receive_bytes(file, called, sha256, brought=brought)
    upload = Upload(
        owner=owner, origin=origin, name=called, sha256=received.sha256, size=received.size, created_at=at
    )
    if report is not None:
        upload.state, upload.format, upload.report = UploadState.READY, report.format, report.as_json()
        upload.has_picture = bool(picture)
    # The file first: a row never points at nothing, and a folder without a row is nobody's.
    try:
        storage.put(received, upload.path)
        if picture:
            storage.put(storage.receive_bytes(io.BytesIO(picture), "picture.png"), upload.picture_path)
        upload.save(force_insert=True)
    except BaseException:
        received.path.unlink(missing_ok=True)
        storage.remove(upload.folder)
        raise
    return upload


def inspect_next(at: datetime, *, then: Then | None = None) -> Upload | None:
    """Inspect the file that has waited longest; None when there is nothing to do.

    A worker that dies in the middle loses its lease and another tries; after three tries the file is refused as
    unreadable. ``then(upload_id, at=at)`` is called in the transaction of the verdict, so that neither is lost
    without the other.
    """
    upload = take_oldest(Upload.objects.filter(state=UploadState.INSPECTING), at)
    if upload is None:
        return None
    tries = upload.tries
    with tempfile.TemporaryDirectory(prefix="look-") as folder:
        picture = Path(folder) / "picture.png"
        models = models_around(upload.owner)
        if tries > MOST_TRIES:
            report = Report("", findings=(finding("unreadable", why="crashed"),))
        else:
            with kept(upload, tries):
                report = sandbox.inspect_file(upload.path, upload.name, picture, frames=frames_of(models))
        if not report.blocked:
            everywhere = blocks_everywhere(report, models)
            report = replace(
                report,
                minutes=minutes_around(report, models),
                findings=(*report.findings, *everywhere),
            )
        if picture.is_file():
            with picture.open("rb") as drawn:
                storage.put(storage.receive_bytes(drawn, picture.name), upload.picture_path)
        has_picture = picture.is_file()
    with transaction.atomic():
        written = Upload.objects.filter(pk=upload.pk, state=UploadState.INSPECTING, tries=tries).update(
            state=UploadState.REFUSED if report.blocked else UploadState.READY,
            format=report.format,
            report=report.as_json(),
            has_picture=has_picture,
            lease_until=None,
        )
        if written:
            if then is not None:
                then(upload.pk, at=at)
            live.upload_changed(upload)
    upload.refresh_from_db()
    return upload
