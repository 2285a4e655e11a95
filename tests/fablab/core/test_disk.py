"""Whether there is room for what people bring (``fablab.core.disk``)."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from fablab.core.disk import Short, has_room, note_refusal, short_of_room
from tests.builders import minutes

MORE_THAN_ANY_DISK = 2**70


@pytest.fixture(autouse=True)
def var(settings: Settings, tmp_path: Path) -> Path:
    """A folder of one's own, with room."""
    settings.VAR_DIR, settings.MEDIA_ROOT = tmp_path, tmp_path / "not" / "made" / "yet"
    settings.DISK_LOW_BYTES = 1
    return tmp_path


def now() -> datetime:
    return datetime.now(UTC)


def test_a_disk_with_room_is_not_spoken_of() -> None:
    assert short_of_room(now()) is None


def test_a_disk_that_is_nearly_full_is_told_until_there_is_room_again(settings: Settings) -> None:
    settings.DISK_LOW_BYTES = MORE_THAN_ANY_DISK
    assert short_of_room(now()) == (Short.LOW, None)
    note_refusal()  # says nothing that is not seen anyway
    settings.DISK_LOW_BYTES = 1
    assert short_of_room(now()) is None


def test_what_a_quota_refused_is_told_for_an_hour_although_the_disk_has_room(var: Path) -> None:
    note_refusal()
    at = now()
    found = short_of_room(at)
    assert found is not None
    why, since = found
    assert why is Short.REFUSED
    assert since is not None and abs(since - at) < minutes(1)
    assert short_of_room(at + minutes(61)) is None
    note_refusal()
    assert short_of_room(now()) is not None


def test_a_note_that_cannot_be_made_stops_nobody(
    settings: Settings, var: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.VAR_DIR = var / "gone"
    settings.MEDIA_ROOT = var
    note_refusal()
    assert "could not be noted" in caplog.text
    assert short_of_room(now()) is None


def test_what_people_bring_leaves_the_database_a_fifth_of_what_is_called_low(
    settings: Settings, var: Path
) -> None:
    disk = os.statvfs(var)
    half = disk.f_bavail * disk.f_frsize // 2
    settings.DISK_LOW_BYTES = half  # others write too: a tenth of the disk is room enough for them
    assert has_room()
    assert has_room(half)
    assert not has_room(2 * half)
    settings.DISK_LOW_BYTES = MORE_THAN_ANY_DISK
    assert not has_room()
