"""Handing in a file: stored under an id, hashed as stored, limited, and nothing left behind by a refusal."""

import errno
import hashlib
import io
import os
import stat
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from pytest_django.fixtures import Settings

from fablab.core.disk import Short, short_of_room
from fablab.core.errors import NoRoom, TooLarge
from fablab.core.models import Witness
from fablab.people.models import User
from jobs.uploads import storage
from jobs.uploads.models import Upload
from jobs.uploads.services import FEW, purge_without_rows, receive
from jobs.uploads.states import Origin, UploadState
from tests.jobs.uploads.builders import CUBE, GCODE, NOON, make_person

pytestmark = pytest.mark.django_db


def everything_stored() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_a_file_is_stored_whole_under_its_id_and_waits_for_its_inspection() -> None:
    upload = receive(io.BytesIO(CUBE), name="Mon cube.stl", owner=make_person(), at=NOON)
    assert upload.path.read_bytes() == CUBE
    assert upload.sha256 == hashlib.sha256(CUBE).hexdigest()
    assert (upload.size, upload.state, upload.origin) == (len(CUBE), UploadState.INSPECTING, Origin.PERSON)
    assert everything_stored() == [upload.path]


def test_a_stored_file_can_be_read_by_the_installation_alone() -> None:
    upload = receive(io.BytesIO(CUBE), name="cube.stl", owner=make_person(), at=NOON)
    assert stat.S_IMODE(upload.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(upload.folder.stat().st_mode) == 0o700


def test_a_path_is_taken_like_an_open_file(tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.write_bytes(CUBE)
    assert receive(given, name="cube.stl", owner=make_person(), at=NOON).path.read_bytes() == CUBE
    assert given.exists()


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd.stl",
        "..%2f..%2fcube.stl",
        "C:\\temp\\cube.stl",
        "CON",
        "a\0b.stl",
        "é" * 300 + ".stl",
    ],
)
def test_the_persons_name_for_it_is_never_part_of_a_path(name: str) -> None:
    upload = receive(io.BytesIO(CUBE), name=name, owner=make_person(), at=NOON)
    [stored] = everything_stored()
    assert stored.relative_to(settings.MEDIA_ROOT).parts == ("uploads", upload.id[:2], upload.id, "file")
    assert not set(upload.name) & {"/", "\\", "\0"}
    assert len(upload.name.encode()) <= 255


def test_lines_with_a_printers_key_are_left_out_before_hashing() -> None:
    secret = b"; printhost_apikey = CANARY-4711\n; print_host = http://192.168.1.9\n"
    upload = receive(io.BytesIO(GCODE + secret), name="cube.gcode", owner=make_person(), at=NOON)
    assert b"CANARY-4711" not in upload.path.read_bytes()
    assert upload.sha256 == hashlib.sha256(upload.path.read_bytes()).hexdigest()
    assert upload.size == upload.path.stat().st_size
    assert stat.S_IMODE(upload.path.stat().st_mode) == 0o600


def test_gcode_under_another_ending_loses_its_keys_too() -> None:
    upload = receive(
        io.BytesIO(GCODE + b"; printhost_apikey = CANARY-4711\n"),
        name="cube.stl",
        owner=make_person(),
        at=NOON,
    )
    assert b"CANARY-4711" not in upload.path.read_bytes()


def test_gcode_without_keys_stays_byte_for_byte_the_same() -> None:
    upload = receive(io.BytesIO(GCODE), name="cube.gcode", owner=make_person(), at=NOON)
    assert upload.sha256 == hashlib.sha256(GCODE).hexdigest()


def test_a_file_beyond_the_limit_is_refused_and_nothing_is_left(settings: Any) -> None:
    settings.UPLOAD_LIMIT_BYTES = len(CUBE) - 1
    with pytest.raises(TooLarge) as refusal:
        receive(io.BytesIO(CUBE), name="cube.stl", owner=make_person(), at=NOON)
    assert refusal.value.codes == ["too_large"]
    assert everything_stored() == []
    assert not Upload.objects.exists()


def test_a_file_of_exactly_the_limit_is_taken(settings: Any) -> None:
    settings.UPLOAD_LIMIT_BYTES = len(CUBE)
    assert receive(io.BytesIO(CUBE), name="cube.stl", owner=make_person(), at=NOON).size == len(CUBE)


class FullDisk(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_said_in_words_told_to_those_on_duty_and_leaves_nothing_half_stored(
    settings: Settings, tmp_path: Path
) -> None:
    settings.VAR_DIR = tmp_path
    with pytest.raises(NoRoom) as refusal:
        receive(FullDisk(CUBE), name="cube.stl", owner=make_person(), at=NOON)
    assert refusal.value.codes == ["storage_full"]
    assert everything_stored() == []
    refused = short_of_room(datetime.now(UTC))
    assert refused is not None and refused[0] is Short.REFUSED


def test_room_that_the_database_needs_is_left_to_it_by_what_people_bring_and_not_by_what_is_made_of_it(
    settings: Settings,
) -> None:
    settings.DISK_LOW_BYTES = 2**70
    with pytest.raises(NoRoom):
        receive(io.BytesIO(CUBE), name="cube.stl", owner=make_person(), at=NOON)
    assert everything_stored() == []
    assert storage.receive_bytes(io.BytesIO(b"drawn"), "picture.png").size == 5


def test_a_disk_that_is_full_when_a_received_file_is_put_to_its_place_is_told_like_any(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VAR_DIR = tmp_path
    storage.antechamber()

    def no_folder(*arguments: Any, **named: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(storage, "_put", no_folder)
        with pytest.raises(NoRoom):
            receive(io.BytesIO(CUBE), name="cube.stl", owner=make_person(), at=NOON)
    assert everything_stored() == []


def test_a_broken_line_leaves_nothing_half_stored() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        receive(Broken(CUBE), name="cube.stl", owner=make_person(), at=NOON)
    assert everything_stored() == []


def test_what_a_killed_process_left_half_received_is_gone_a_day_later() -> None:
    old, young = storage.antechamber() / "old.part", storage.antechamber() / "young.part"
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    receive(io.BytesIO(CUBE), name="cube.stl", owner=make_person(), at=NOON)
    assert (old.exists(), young.exists()) == (False, True)


def stored_days_ago(days: float, owner: User) -> Upload:
    upload = receive(io.BytesIO(CUBE), name="cube.stl", owner=owner, at=NOON)
    then = time.time() - days * 24 * 3600
    os.utime(upload.folder, (then, then))
    return upload


def killed_before_its_row(upload: Upload) -> Path:
    """Leave what a process leaves that is killed between putting a file to its place and writing its row."""
    folder = upload.folder
    upload.delete()
    return folder


def test_what_was_put_to_its_place_and_has_no_row_is_gone_a_day_later_and_nothing_else() -> None:
    owner = make_person()
    kept = stored_days_ago(400, owner)
    lost = killed_before_its_row(stored_days_ago(1.1, owner))
    young = killed_before_its_row(stored_days_ago(0.9, owner))
    assert purge_without_rows() == 1
    assert (kept.path.exists(), lost.exists(), young.exists()) == (True, False, True)


def test_files_of_another_database_are_not_taken_for_lost_ones(caplog: pytest.LogCaptureFixture) -> None:
    owner = make_person()
    for count, known in ((1, 0), (5, 0), (2, 1)):
        caplog.clear()
        kept = [stored_days_ago(30, owner) for _ in range(known)]
        lost = [killed_before_its_row(stored_days_ago(30, owner)) for _ in range(count)]
        assert purge_without_rows() == 0, (count, known)
        assert all(folder.exists() for folder in [*lost, *(one.folder for one in kept)])
        assert "have no row" in caplog.text
        for folder in lost:
            storage.remove(folder)


def test_many_files_that_are_newer_than_the_backup_which_was_brought_back_stay() -> None:
    owner = make_person()
    for _ in range(FEW + 2):
        stored_days_ago(30, owner)
    newer = [killed_before_its_row(stored_days_ago(2, owner)) for _ in range(FEW + 1)]
    assert purge_without_rows() == 0
    assert all(folder.exists() for folder in newer)
    storage.remove(newer[0])
    assert purge_without_rows() == FEW


def test_rel_22_by_a_clock_that_is_not_believed_no_stored_file_is_lost() -> None:
    lost = killed_before_its_row(stored_days_ago(400, make_person()))
    Witness.objects.create(at=NOON, doubted_since=NOON, why="stepped")
    assert purge_without_rows() == 0
    assert lost.exists()
