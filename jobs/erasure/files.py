"""Files of a person who is erased: the bytes go, a row stays where a history needs it."""

from datetime import datetime

from fablab.people.models import User
from jobs.erasure.queries import files_of, needed_by_others
from jobs.erasure.rules import kept_report
from jobs.lifecycle.models import Attempt, Job, Still
from jobs.lifecycle.stills import file_for, path_of
from jobs.preparation.models import Preparation
from jobs.preparation.states import PreparationState
from jobs.uploads import arriving, storage
from jobs.uploads.models import Upload
from jobs.uploads.states import UploadState


def remove(person: User, *, at: datetime) -> bool:
    """Remove the person's files, pictures, machine files and camera stills. Returns whether some must stay for now.

    What a machine still takes from us stays until the try has ended, and a worker that has a file in hand ends first.
    The bytes go before their row: a process that dies between the two leaves a row that the next pass finds.
    """
    others = needed_by_others(person)
    arriving.drop_all(person.pk)
    left = _stop_preparing(person, at)
    for upload in files_of(person):
        if upload.pk in others:
            if upload.owner_id == person.pk:
                Upload.objects.filter(pk=upload.pk).update(name=_plain_name(upload))
        elif Attempt.objects.filter(machine_file=upload, ended_at__isnull=True).exists():
            _make_plain(upload)
            upload.picture_path.unlink(missing_ok=True)
            left = True
        else:
            in_hand = upload.lease_until is not None and upload.lease_until > at
            _make_plain(upload, sha256="")
            storage.remove(upload.folder)
            if in_hand:
                left = True
            elif not _is_in_a_history(upload):
                upload.delete()
    return _remove_stills(person) or left


def _stop_preparing(person: User, at: datetime) -> bool:
    """Take the work orders back. One in a worker's hands is spoilt first: its result is thrown away by the worker."""
    orders = Preparation.objects.filter(source__in=files_of(person)).exclude(
        jobs__in=Job.objects.exclude(owner=person)
    )
    orders.filter(state=PreparationState.RUNNING).update(state=PreparationState.FAILED)
    in_hand = orders.filter(lease_until__gt=at)
    orders.exclude(pk__in=in_hand.values("pk")).delete()
    return in_hand.exists()


def _plain_name(upload: Upload) -> str:
    return f"{upload.pk}.{upload.format}" if upload.format else upload.pk


def _make_plain(upload: Upload, **more: str) -> None:
    """Leave nothing in the row that the person gave, and no work for anybody."""
    Upload.objects.filter(pk=upload.pk).update(
        name=_plain_name(upload),
        report=kept_report(upload.report),
        has_picture=False,
        state=UploadState.REFUSED if upload.state == UploadState.INSPECTING else upload.state,
        **more,
    )


def _is_in_a_history(upload: Upload) -> bool:
    return (
        Job.objects.filter(upload=upload).exists()
        or Job.objects.filter(machine_file=upload).exists()
        or Attempt.objects.filter(machine_file=upload).exists()
    )


def _remove_stills(person: User) -> bool:
    """Remove camera pictures of their objects. One that is being taken now goes when it is there."""
    stills = Still.objects.filter(attempt__jobs__owner=person)
    being_taken = stills.filter(attempt__ended_at__isnull=True, taken_at__isnull=True, error="")
    gone = list(stills.exclude(pk__in=being_taken.values("pk")).values_list("pk", flat=True))
    for still_id in gone:
        path_of(file_for(still_id)).unlink(missing_ok=True)
    Still.objects.filter(pk__in=gone).delete()
    return being_taken.exists()
