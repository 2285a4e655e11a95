"""The verdict on a file: read by a real child process, judged against the machines around its owner."""

import io
from datetime import timedelta
from typing import Any

import pytest

from equipment.machines.models import MachineModel
from jobs.uploads.leases import LEASE_SECONDS, MOST_TRIES
from jobs.uploads.models import Upload
from jobs.uploads.services import inspect_next, receive
from jobs.uploads.states import UploadState
from tests.jobs.uploads.builders import (
    CUBE,
    GCODE,
    NOON,
    box,
    make_machine,
    make_model,
    make_person,
    make_site,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_file_read_once")]


def inspected(content: bytes, name: str, *models: MachineModel) -> Upload:
    """Hand in a file at a site that has these machine models, and have it judged."""
    site = make_site()
    for model in models:
        make_machine(site, model)
    receive(io.BytesIO(content), name=name, owner=make_person(site), at=NOON)
    upload = inspect_next(NOON)
    assert upload is not None
    return upload


def codes(upload: Upload) -> list[str]:
    assert upload.report is not None
    return [finding["code"] for finding in upload.report["findings"]]


def test_a_cube_is_measured_pictured_and_ready() -> None:
    upload = inspected(CUBE, "cube.stl", make_model())
    assert (upload.state, upload.format) == (UploadState.READY, "stl")
    assert upload.report is not None
    assert upload.report["size_mm"] == pytest.approx([20, 20, 20])
    assert upload.has_picture
    assert upload.picture_path.read_bytes().startswith(b"\x89PNG")
    assert upload.lease_until is None


def test_a_machine_file_says_its_time() -> None:
    upload = inspected(GCODE, "cube.gcode", make_model())
    assert upload.state == UploadState.READY, codes(upload)
    assert upload.report is not None
    assert upload.report["minutes"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "cube.stl", "empty_file"),
        (b"<html><script>alert(1)</script>", "cube.stl", "wrong_content"),
        (CUBE[:-7], "cube.stl", "truncated"),
        (CUBE, "cube.exe", "unknown_format"),
        (CUBE, "cube.gcode", "wrong_content"),
        (GCODE.replace(b"G28", b"M502\nG28"), "cube.gcode", "command_refused"),
    ],
)
def test_a_bad_file_is_refused_with_the_reason(content: bytes, name: str, code: str) -> None:
    upload = inspected(content, name, make_model())
    assert upload.state == UploadState.REFUSED
    assert code in codes(upload)


def test_an_object_that_no_machine_of_ones_sites_can_take_is_refused() -> None:
    upload = inspected(box(300, 20, 20), "long.stl", make_model(bed=200), make_model(bed=250))
    assert upload.state == UploadState.REFUSED
    assert codes(upload) == ["too_big"]


def test_the_machine_that_comes_closest_says_why() -> None:
    upload = inspected(
        box(300, 300, 300), "big.stl", make_model(bed=200, height=200), make_model(bed=310, height=250)
    )
    assert upload.report is not None
    assert [finding["params"]["axis"] for finding in upload.report["findings"]] == ["z"]


def test_an_object_that_one_machine_can_take_is_not_refused() -> None:
    upload = inspected(box(300, 20, 20), "long.stl", make_model(bed=200), make_model(bed=320))
    assert (upload.state, codes(upload)) == (UploadState.READY, [])


def test_a_machine_of_another_site_does_not_count() -> None:
    make_machine(make_site(), make_model(bed=400))
    upload = inspected(box(300, 20, 20), "long.stl", make_model(bed=200))
    assert upload.state == UploadState.REFUSED


def test_a_model_is_refused_where_nothing_can_prepare_it() -> None:
    upload = inspected(CUBE, "cube.stl", make_model(formats=["dst"], prepares=[]))
    assert (upload.state, codes(upload)) == (UploadState.REFUSED, ["format_not_accepted"])


def test_a_model_with_half_entered_limits_takes_nothing() -> None:
    upload = inspected(CUBE, "cube.stl", make_model(limits={"height_mm": 200}))
    assert codes(upload) == ["format_not_accepted"]


def test_where_there_is_no_machine_nothing_is_refused_for_its_size() -> None:
    assert inspected(box(300, 20, 20), "long.stl").state == UploadState.READY


def test_files_are_judged_in_the_order_they_came() -> None:
    person = make_person()
    first = receive(io.BytesIO(CUBE), name="a.stl", owner=person, at=NOON)
    second = receive(io.BytesIO(CUBE), name="b.stl", owner=person, at=NOON + timedelta(seconds=1))
    assert [inspect_next(NOON), inspect_next(NOON), inspect_next(NOON)] == [first, second, None]


def test_who_waits_for_the_verdict_is_told_once_in_its_transaction() -> None:
    heard: list[Any] = []
    upload = receive(io.BytesIO(CUBE), name="a.stl", owner=make_person(), at=NOON)

    def then(upload_id: str, *, at: Any) -> None:
        heard.append((upload_id, at, Upload.objects.get(pk=upload_id).state))

    inspect_next(NOON, then=then)
    assert heard == [(upload.pk, NOON, UploadState.READY)]


def test_a_verdict_that_its_listener_cannot_take_is_not_kept_either() -> None:
    upload = receive(io.BytesIO(CUBE), name="a.stl", owner=make_person(), at=NOON)

    def then(upload_id: str, *, at: Any) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        inspect_next(NOON, then=then)
    upload.refresh_from_db()
    assert upload.state == UploadState.INSPECTING


def test_a_file_that_a_worker_holds_is_left_to_it_until_its_lease_ends() -> None:
    upload = receive(io.BytesIO(CUBE), name="a.stl", owner=make_person(), at=NOON)
    until = NOON + timedelta(seconds=LEASE_SECONDS)
    Upload.objects.filter(pk=upload.pk).update(lease_until=until, tries=1)
    assert inspect_next(NOON + timedelta(seconds=LEASE_SECONDS - 1)) is None
    taken = inspect_next(until)
    assert taken is not None
    assert taken.state == UploadState.READY


def test_a_file_that_ended_three_workers_is_refused_as_unreadable() -> None:
    upload = receive(io.BytesIO(CUBE), name="a.stl", owner=make_person(), at=NOON)
    Upload.objects.filter(pk=upload.pk).update(lease_until=NOON, tries=MOST_TRIES)
    given_up = inspect_next(NOON)
    assert given_up is not None
    assert (given_up.state, codes(given_up)) == (UploadState.REFUSED, ["unreadable"])


def test_a_worker_that_was_frozen_beyond_its_lease_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from jobs.inspection import sandbox

    upload = receive(io.BytesIO(CUBE), name="a.stl", owner=make_person(), at=NOON)
    real = sandbox.inspect_file

    def slow(*args: Any, **kwargs: Any) -> Any:
        report = real(*args, **kwargs)
        # Meanwhile another worker took the file.
        Upload.objects.filter(pk=upload.pk).update(tries=2)
        return report

    monkeypatch.setattr(sandbox, "inspect_file", slow)
    inspect_next(NOON)
    upload.refresh_from_db()
    assert (upload.state, upload.tries, upload.report) == (UploadState.INSPECTING, 2, None)
