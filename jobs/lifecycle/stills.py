"""Camera stills: asked for by a person while their object is made, kept for a day, seen by nobody else (SEC-17)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction

from equipment.machines.camera import has_camera
from fablab.core.errors import Conflict, NotFound, Refused
from fablab.people.models import User
from jobs.lifecycle.models import Still
from jobs.lifecycle.samples import SeenAttempt, attempt_for

BELL = "stills"
AGAIN_AFTER = timedelta(seconds=10)
ANSWERED_WITHIN = timedelta(seconds=30)  # then nobody is on it any more
SHOWN_FOR = timedelta(hours=24)
PURGED_AFTER = timedelta(hours=23)  # tidying comes once an hour
FOLDER = "stills"


def may_be_asked(seen: SeenAttempt) -> bool:
    """Say whether a still of this attempt may be asked for and shown: it is being made, and cameras are allowed."""
    attempt = seen.attempt
    return (
        attempt.started_at is not None
        and attempt.ended_at is None
        and any(part.live for part in seen.parts)
        and has_camera(attempt.machine)
    )


def ask(attempt_id: str, *, actor: User, at: datetime) -> Still:
    """Ask for a still; supervision fetches it. One that is under way is everybody's.

    Raises ``NotFound`` for anybody who may not see it, after the end, and where cameras are switched off; ``Refused``:
    ``still_too_soon`` within ten seconds of the last one.
    """
    if not may_be_asked(attempt_for(actor, attempt_id)):
        raise NotFound
    last = newest(attempt_id)
    if last is not None and is_open(last):
        if at - last.asked_at < ANSWERED_WITHIN:
            return last
        settle(last.pk, error="no_answer", at=at)
    elif last is not None and at - last.asked_at < AGAIN_AFTER:
        raise Refused("still_too_soon")
    try:
        with transaction.atomic():
            return Still.objects.create(attempt_id=attempt_id, asked_by=actor, asked_at=at)
    except IntegrityError as reason:
        open_one = newest(attempt_id)
        if open_one is None:
            raise Conflict("still_too_soon") from reason
        return open_one


def newest(attempt_id: str) -> Still | None:
    """Return the still of an attempt that was asked for last."""
    return Still.objects.filter(attempt_id=attempt_id).order_by("-asked_at").first()


def is_open(still: Still) -> bool:
    """Say whether supervision has not answered yet."""
    return still.taken_at is None and not still.error


def still_for(viewer: User, still_id: str, *, attempt_id: str, at: datetime) -> Path:
    """Return the file of a still. Raises ``NotFound`` for everybody else, after the end, and after a day."""
    still = Still.objects.filter(pk=still_id, attempt_id=attempt_id).first()
    if still is None or not still.file or at - still.asked_at > SHOWN_FOR:
        raise NotFound
    if not may_be_asked(attempt_for(viewer, attempt_id)):
        raise NotFound
    return path_of(still.file)


def path_of(file: str) -> Path:
    """Return where a still's file lies."""
    return Path(settings.MEDIA_ROOT) / file


# --- for supervision ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AskedStill:
    """A still that somebody waits for, and where its picture is."""

    id: str
    machine_id: str
    address: str


def asked_of(machine_ids: Collection[str]) -> list[AskedStill]:
    """Return the stills that are waited for at these machines, where cameras are (still) allowed."""
    waiting = Still.objects.filter(taken_at__isnull=True, error="", attempt__machine_id__in=machine_ids)
    return [
        AskedStill(still.pk, still.attempt.machine_id, still.attempt.machine.camera_address)
        for still in waiting.select_related("attempt__machine__site")
        if has_camera(still.attempt.machine)
    ]


def file_for(still_id: str) -> str:
    """Return the name, below the media folder, that a still's file gets."""
    return f"{FOLDER}/{still_id}.jpg"


def settle(still_id: str, *, file: str = "", error: str = "", at: datetime) -> bool:
    """Note the picture, or why there is none; False when somebody has noted that already."""
    waiting = Still.objects.filter(pk=still_id, taken_at__isnull=True, error="")
    return waiting.update(file=file, taken_at=at if file else None, error=error[:40]) > 0


def purge(at: datetime) -> int:
    """Remove what is a day old, and every picture of an attempt that has ended, with the files. Returns how many."""
    due = Still.objects.filter(asked_at__lte=at - PURGED_AFTER) | Still.objects.filter(
        attempt__ended_at__isnull=False
    )
    gone = list(due.values_list("pk", flat=True))
    for still_id in gone:  # also of one whose row was never told of its file
        path_of(file_for(still_id)).unlink(missing_ok=True)
    Still.objects.filter(pk__in=gone).delete()
    return len(gone)
