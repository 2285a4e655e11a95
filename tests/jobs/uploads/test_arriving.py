"""A file that comes in pieces: continued where the line was cut, one's own alone, limited, whole or nothing."""

import errno
import hashlib
import io
import json
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from fablab.core.disk import Short, short_of_room
from fablab.core.errors import Conflict, DomainError, Malformed, NoRoom, NotFound, Refused, TooLarge, TooMany
from fablab.core.models import Witness
from fablab.people.models import User
from jobs.uploads import arriving, storage
from jobs.uploads.models import Upload
from jobs.uploads.services import begin_arriving, purge_left_over, receive, receive_arrived
from jobs.uploads.states import UploadState
from tests.jobs.uploads.builders import CUBE, GCODE, NOON, make_person

pytestmark = pytest.mark.django_db
HALF = len(CUBE) // 2
SHA256 = hashlib.sha256(CUBE).hexdigest()


@pytest.fixture
def person() -> User:
    return make_person()


def begun(person: User, content: bytes = CUBE, *, sha256: str = SHA256, name: str = "cube.stl") -> str:
    return begin_arriving(owner=person, name=name, size=len(content), sha256=sha256).id


def sent(person: User, one: str, content: bytes, offset: int = 0) -> int:
    return arriving.continue_at(person.pk, one, offset=offset, source=io.BytesIO(content))


def on_disk() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def left_alone_for(person: User, one: str, seconds: float) -> None:
    """Have the last byte come so long ago."""
    then = time.time() - seconds
    for path in (Path(settings.MEDIA_ROOT) / "arriving" / person.pk).glob(f"{one}.*"):
        os.utime(path, (then, then))


def test_case_14_two_pieces_become_the_same_upload_as_one_and_nothing_else_is_left(person: User) -> None:
    one = begun(person, name="../Mon cube.stl")
    assert sent(person, one, CUBE[:HALF]) == HALF
    assert arriving.find(person.pk, one).offset == HALF
    assert sent(person, one, CUBE[HALF:], HALF) == len(CUBE)
    upload = receive_arrived(one, owner=person, at=NOON)
    assert (upload.name, upload.sha256, upload.state) == ("Mon cube.stl", SHA256, UploadState.INSPECTING)
    assert upload.path.read_bytes() == CUBE
    assert on_disk() == [upload.path]
    with pytest.raises(NotFound):
        receive_arrived(one, owner=person, at=NOON)


def test_a_printers_keys_are_left_out_of_what_came_in_pieces_too(person: User) -> None:
    content = GCODE + b"; printhost_apikey = CANARY-4711\n"
    one = begun(person, content, sha256=hashlib.sha256(content).hexdigest(), name="cube.gcode")
    sent(person, one, content)
    assert b"CANARY-4711" not in receive_arrived(one, owner=person, at=NOON).path.read_bytes()


def test_a_piece_at_any_other_place_is_refused_with_the_right_one_and_changes_nothing(person: User) -> None:
    one = begun(person)
    sent(person, one, CUBE[:HALF])
    for wrong in (0, HALF - 1, HALF + 1, len(CUBE)):
        with pytest.raises(Conflict) as refusal:
            sent(person, one, CUBE[HALF:], wrong)
        assert (refusal.value.code, refusal.value.problems[0].params) == (
            "arriving_moved_on",
            {"offset": HALF},
        )
    assert arriving.find(person.pk, one).offset == HALF


class Slow(io.BytesIO):
    """Holds its reader at the first byte until somebody lets it go on."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.asked, self.let_go = threading.Event(), threading.Event()

    def read(self, size: int | None = -1) -> bytes:
        self.asked.set()
        assert self.let_go.wait(10)
        return super().read(size)


def test_of_two_pieces_at_once_one_comes_in_and_the_other_is_refused_and_no_byte_is_mixed(
    person: User,
) -> None:
    one = begun(person)
    source, ends = Slow(CUBE[:HALF]), list[int]()
    first = threading.Thread(
        target=lambda: ends.append(arriving.continue_at(person.pk, one, offset=0, source=source))
    )
    first.start()
    assert source.asked.wait(10)
    with pytest.raises(Conflict) as refusal:
        sent(person, one, b"x" * HALF)
    assert refusal.value.code == "arriving_busy"
    with pytest.raises(Conflict):
        receive_arrived(one, owner=person, at=NOON)
    source.let_go.set()
    first.join(10)
    assert ends == [HALF]
    sent(person, one, CUBE[HALF:], HALF)
    assert receive_arrived(one, owner=person, at=NOON).path.read_bytes() == CUBE


def test_nobody_else_finds_continues_finishes_or_drops_it_and_no_path_is_made_of_an_id(person: User) -> None:
    one, other = begun(person), make_person()
    for who, which in ((other, one), (person, "2" * 14), (person, f"../{person.pk}/{one}"), (person, "")):
        with pytest.raises(NotFound):
            arriving.find(who.pk, which)
        with pytest.raises(NotFound):
            sent(who, which, CUBE)
        with pytest.raises(NotFound):
            receive_arrived(which, owner=who, at=NOON)
    arriving.drop(other.pk, one)
    assert arriving.find(person.pk, one).offset == 0


def test_what_is_larger_than_anybody_may_send_is_refused_before_the_first_byte(
    person: User, settings: Any
) -> None:
    settings.UPLOAD_LIMIT_BYTES = len(CUBE) - 1
    with pytest.raises(TooLarge) as refusal:
        begun(person)
    assert refusal.value.codes == ["too_large"]
    with pytest.raises(Malformed):
        begun(person, b"")
    with pytest.raises(Malformed):
        begun(person, CUBE[:-1], sha256="../../x")
    assert on_disk() == []


def test_more_than_was_announced_is_refused_and_not_kept(person: User) -> None:
    one = begun(person)
    sent(person, one, CUBE[:HALF])
    with pytest.raises(Malformed):
        sent(person, one, CUBE[HALF:] + b"x", HALF)
    assert arriving.find(person.pk, one).offset == HALF


def test_a_full_disk_refuses_a_piece_and_keeps_what_was_there(
    person: User, tmp_path: Path, settings: Any
) -> None:
    class Full(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().read(10)

    settings.VAR_DIR = tmp_path  # what is noted of it is not for other tests
    one = begun(person)
    sent(person, one, CUBE[:HALF])
    with pytest.raises(NoRoom) as refusal:
        arriving.continue_at(person.pk, one, offset=HALF, source=Full(CUBE[HALF:]))
    assert refusal.value.codes == ["storage_full"]
    assert arriving.find(person.pk, one).offset == HALF


def no_room(*arguments: Any, **named: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_begins_nothing_and_those_on_duty_are_told(
    person: User, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(json, "dump", no_room)
    with pytest.raises(NoRoom) as refusal:
        begun(person)
    assert (refusal.value.codes, refusal.value.status) == (["storage_full"], 507)
    assert on_disk() == []
    refused = short_of_room(datetime.now(UTC))
    assert refused is not None and refused[0] is Short.REFUSED


def test_room_that_the_database_needs_is_promised_to_no_file_and_taken_by_none(
    person: User, settings: Any
) -> None:
    one = begun(person)
    sent(person, one, CUBE[:HALF])
    settings.DISK_LOW_BYTES = 2**70
    with pytest.raises(NoRoom):
        begin_arriving(owner=person, name="another.stl", size=5)
    with pytest.raises(NoRoom):
        sent(person, one, CUBE[HALF:], HALF)
    assert arriving.find(person.pk, one).offset == HALF
    assert begun(person) == one, "what has begun is not forgotten"


def test_a_whole_file_that_finds_no_room_at_its_end_is_kept_and_finished_when_there_is_some(
    person: User, settings: Any
) -> None:
    one = begun(person)
    sent(person, one, CUBE)
    settings.DISK_LOW_BYTES = 2**70
    with pytest.raises(NoRoom):
        receive_arrived(one, owner=person, at=NOON)
    assert arriving.find(person.pk, one).offset == len(CUBE)
    settings.DISK_LOW_BYTES = 1
    assert receive_arrived(one, owner=person, at=NOON).path.read_bytes() == CUBE


def test_a_file_that_is_not_whole_is_no_upload_yet_and_goes_on(person: User) -> None:
    one = begun(person)
    sent(person, one, CUBE[:HALF])
    with pytest.raises(Refused) as refusal:
        receive_arrived(one, owner=person, at=NOON)
    assert refusal.value.codes == ["arriving_incomplete"]
    sent(person, one, CUBE[HALF:], HALF)
    assert receive_arrived(one, owner=person, at=NOON).size == len(CUBE)


def test_a_file_that_arrived_as_another_is_refused_and_nothing_of_it_is_kept(person: User) -> None:
    one = begun(person)
    sent(person, one, CUBE[:-1] + b"\x01")
    with pytest.raises(Refused) as refusal:
        receive_arrived(one, owner=person, at=NOON)
    assert refusal.value.codes == ["file_damaged"]
    assert (on_disk(), Upload.objects.count()) == ([], 0)


def test_the_same_file_begun_again_goes_on_where_it_was_and_another_one_begins_anew(person: User) -> None:
    one = begun(person)
    sent(person, one, CUBE[:HALF])
    again = begin_arriving(owner=person, name="other name.stl", size=len(CUBE), sha256=SHA256)
    assert (again.id, again.offset) == (one, HALF)
    assert again.name == "other name.stl", "which was said last"
    assert arriving.find(person.pk, one) == again
    assert begun(make_person()) != one
    assert begun(person, sha256="") != one
    assert begun(person, GCODE, sha256=hashlib.sha256(GCODE).hexdigest()) != one


def test_a_person_has_so_many_under_way_and_no_more_until_one_was_left_alone_for_a_while(
    person: User,
) -> None:
    open_ones = [begun(person, sha256="") for _ in range(arriving.MOST_OPEN)]
    with pytest.raises(TooMany) as refusal:
        begun(person, sha256="")
    assert (refusal.value.status, refusal.value.codes) == (429, ["too_many_arriving"])
    begun(make_person(), sha256="")
    left_alone_for(person, open_ones[2], arriving.ABANDONED_SECONDS + 60)
    begun(person, sha256="")
    with pytest.raises(NotFound):
        arriving.find(person.pk, open_ones[2])
    with pytest.raises(TooMany):
        begun(person, sha256="")


def test_one_whose_piece_is_long_on_its_way_makes_no_room_for_another(person: User) -> None:
    open_ones = [begun(person, sha256="") for _ in range(arriving.MOST_OPEN)]
    for one in open_ones[:2]:
        left_alone_for(person, one, arriving.ABANDONED_SECONDS + 60)
    arriving.still_coming(person.pk, f"/api/v1/uploads/resumable/{open_ones[0]}/")
    arriving.still_coming(make_person().pk, f"/api/v1/uploads/resumable/{open_ones[1]}/")
    arriving.still_coming(person.pk, "/api/v1/uploads/resumable/../")
    begun(person, sha256="")
    assert sent(person, open_ones[0], CUBE) == len(CUBE)
    with pytest.raises(NotFound):
        arriving.find(person.pk, open_ones[1])


def test_case_14_what_nobody_goes_on_sending_is_gone_a_day_later_and_not_before(person: User) -> None:
    old, young = begun(person, sha256=""), begun(person, sha256="")
    left_alone_for(person, old, 25 * 3600)
    left_alone_for(person, young, 23 * 3600)
    assert purge_left_over()
    with pytest.raises(NotFound):
        arriving.find(person.pk, old)
    assert arriving.find(person.pk, young).offset == 0
    assert len(on_disk()) == 2


def test_rel_22_by_a_clock_that_is_not_believed_nothing_half_sent_is_removed(person: User) -> None:
    at = datetime.now(UTC)
    Witness.objects.create(at=at - timedelta(days=400), doubted_since=at, why="stepped")
    kept = [begun(person, sha256="") for _ in range(arriving.MOST_OPEN)]
    half = storage.antechamber() / "half.part"
    half.write_bytes(b"half")
    os.utime(half, (0, 0))
    for one in kept:
        left_alone_for(person, one, 400 * 24 * 3600)
    receive(io.BytesIO(CUBE), name="cube.stl", owner=make_person(), at=NOON)
    assert not purge_left_over()
    with pytest.raises(DomainError):
        begun(person, sha256="")
    assert [arriving.find(person.pk, one).id for one in kept] == kept
    assert half.exists()
    Witness.objects.update(doubted_since=None, why="")
    assert purge_left_over()
    assert not half.exists()
    with pytest.raises(NotFound):
        arriving.find(person.pk, kept[0])
