"""What an erasure leaves to others: their objects, their times, and the machines they must not burn themselves on."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from equipment.bookings.models import Booking
from fablab.people.models import User
from jobs.erasure.services import erase_person, go_on
from jobs.uploads import storage
from jobs.uploads.models import Upload
from tests.builders import make_booking
from tests.builders_jobs import Cast
from tests.jobs.erasure.canaries import WORDS, canaries_in, dump, marked_upload

pytestmark = pytest.mark.django_db


def erase(cast: Cast, part: str = "owner") -> User:
    person = cast.person(part)
    erase_person(person.pk, actor=person, at=timezone.now())
    return person


def test_one_erasure_that_cannot_go_on_holds_up_no_other(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    at = timezone.now()
    first, second = cast.person("owner"), cast.person("other_member")
    stuck, free = marked_upload(first, at=at), marked_upload(second, at=at)
    User.objects.filter(pk=first.pk).update(erased_at=at, is_active=False)
    User.objects.filter(pk=second.pk).update(erased_at=at + timedelta(seconds=1), is_active=False)
    remove = storage.remove

    def refuse(folder: Path) -> None:
        if folder == stuck.folder:
            raise PermissionError(folder)
        remove(folder)

    with monkeypatch.context() as patched:
        patched.setattr(storage, "remove", refuse)
        assert go_on(at + timedelta(minutes=1)) == 2
    assert not Upload.objects.filter(pk=free.pk).exists()
    assert f"the erasure of person {first.pk} is tried again" in caplog.text
    assert go_on(at + timedelta(minutes=2)) == 2  # and it is
    assert not Upload.objects.filter(pk=stuck.pk).exists()


def test_why_they_moved_somebody_elses_booking_goes_and_what_others_said_of_it_stays(cast: Cast) -> None:
    at = timezone.now()
    mover, other = cast.person("staff"), cast.person("other_member")
    said = [
        {"code": "too_soon", "reason": "fin de stage", "by": cast.person("manager").pk, "at": at.isoformat()},
        {"code": "too_long", "reason": WORDS, "by": mover.pk, "at": at.isoformat()},
    ]
    booking = make_booking(cast.machine, other, start=at + timedelta(days=1), overrides=said)
    Booking.objects.filter(pk=booking.pk).update(created_by=other)
    erase(cast, "staff")
    booking.refresh_from_db()
    assert [one["reason"] for one in booking.overrides] == ["fin de stage", ""]
    assert canaries_in(dump(), [WORDS]) == {}
