"""Files through the API: handed in, judged, fetched again by who may."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from jobs.lifecycle.states import State
from jobs.uploads.models import Upload
from jobs.uploads.services import inspect_next
from tests.builders_jobs import Cast, make_job
from tests.fablab.api.conftest import As
from tests.jobs.uploads.builders import CUBE, GCODE, box

pytestmark = pytest.mark.django_db


def test_a_file_is_handed_in_judged_and_fetched_again(as_: As) -> None:
    owner = as_("owner")
    sent = owner.upload(CUBE, "Mon cube.stl")
    assert sent.status == 201
    assert (sent.body["state"], sent.body["report"], sent.body["name"]) == (
        "inspecting",
        None,
        "Mon cube.stl",
    )
    inspect_next(timezone.now())
    judged = owner.get(f"uploads/{sent.body['id']}/").body
    assert judged["state"] == "ready"
    assert judged["report"]["format"] == "stl"
    assert judged["report"]["size_mm"] == [20, 20, 20]
    assert judged["report"]["minutes"] is None

    file = owner.get(f"uploads/{sent.body['id']}/file/")
    assert (file.status, file.body) == (200, CUBE)
    picture = owner.get(judged["report"]["thumbnail"])
    assert picture.body.startswith(b"\x89PNG")
    for answer in (file, picture):
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_findings_come_with_sentences_in_the_callers_language(as_: As) -> None:
    owner = as_("owner")
    sent = owner.upload(box(900, 20, 20), "long.stl")
    inspect_next(timezone.now())
    report = owner.get(f"uploads/{sent.body['id']}/").body
    assert report["state"] == "refused"
    [finding] = report["report"]["findings"]
    assert (finding["code"], finding["severity"]) == ("too_big", "blocks")
    assert "900" in finding["detail"]


def test_a_strange_name_goes_into_no_header_and_no_path(as_: As) -> None:
    owner = as_("owner")
    sent = owner.upload(CUBE, 'a"b\u202e;\r\nX-Evil: 1.stl')
    file = owner.get(f"uploads/{sent.body['id']}/file/")
    assert file.status == 200
    assert "X-Evil" not in file.headers
    assert "\u202e" not in sent.body["name"]


def test_the_list_holds_ones_own_files_newest_first(as_: As, cast: Cast) -> None:
    make_job(cast, at=timezone.now())
    assert as_("staff").get("uploads/").body["results"] == []
    names = [row["name"] for row in as_("owner").get("uploads/").body["results"]]
    assert sorted(names) == ["porte-clef.gcode", "porte-clef.stl"]


@pytest.mark.parametrize("kind", ["", "file/", "thumbnail/"])
def test_a_file_is_seen_by_its_owner_and_the_helpers_of_its_job_and_nobody_else(
    as_: As, cast: Cast, kind: str
) -> None:
    sent = as_("owner").upload(CUBE)
    inspect_next(timezone.now())
    upload = Upload.objects.get(pk=sent.body["id"])
    address = f"uploads/{upload.pk}/{kind}"
    assert as_("owner").get(address).status == 200
    for part in ("instructor", "staff", "other_member", "elsewhere"):
        assert as_(part).get(address).status == 404
    make_job(cast, state=State.SUBMITTED, at=timezone.now(), upload=upload)
    for part, status in (
        ("instructor", 200),
        ("staff", 200),
        ("manager", 200),
        ("other_member", 404),
        ("elsewhere", 404),
    ):
        assert as_(part).get(address).status == status


def test_a_file_without_a_picture_has_none(as_: As) -> None:
    sent = as_("owner").upload(CUBE)
    assert as_("owner").get(f"uploads/{sent.body['id']}/thumbnail/").status == 404


def test_a_file_that_was_removed_is_404(as_: As) -> None:
    sent = as_("owner").upload(CUBE)
    Upload.objects.get(pk=sent.body["id"]).path.unlink()
    assert as_("owner").get(f"uploads/{sent.body['id']}/file/").status == 404


def test_what_is_too_large_is_413_and_leaves_nothing(as_: As, settings: Any, media: Path) -> None:
    settings.UPLOAD_LIMIT_BYTES = 100
    answer = as_("owner").upload(CUBE)
    assert (answer.status, answer.codes) == (413, ["too_large"])
    assert [path for path in media.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("form", "codes"),
    [
        ({"state": "ready"}, ["unknown_field"]),
        ({"owner": "x", "path": "/etc/passwd"}, ["unknown_field", "unknown_field"]),
        ({"files": io.BytesIO(b"x")}, ["unknown_field"]),
    ],
)
def test_no_other_part_of_a_form_is_taken(as_: As, form: dict[str, Any], codes: list[str]) -> None:
    answer = as_("owner").upload(CUBE, **form)
    assert (answer.status, answer.codes) == (400, codes)
    assert not Upload.objects.exists()


def test_a_second_file_and_none_are_refused(as_: As) -> None:
    part = '--x\r\nContent-Disposition: form-data; name="file"; filename="{}"\r\n\r\nsolid\r\n'
    two = part.format("a.stl") + part.format("b.stl") + "--x--\r\n"
    answer = as_("owner").send("POST", "uploads/", two, "multipart/form-data; boundary=x")
    assert (answer.status, answer.codes) == (400, ["field_twice"])
    none = as_("owner").send("POST", "uploads/", "--x--\r\n", "multipart/form-data; boundary=x")
    assert (none.status, none.codes) == (400, ["file_missing"])
    as_text = '--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nsolid\r\n--x--\r\n'
    assert as_("owner").send("POST", "uploads/", as_text, "multipart/form-data; boundary=x").status == 400
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.stl"\r\n\r\nhalf',
        b"no boundary at all",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.stl"\r\n'
        + b"X: y\r\n" * 5000
        + b"\r\n",
    ],
)
def test_a_broken_form_is_no_server_error(as_: As, body: bytes) -> None:
    answer = as_("owner").send("POST", "uploads/", body, "multipart/form-data; boundary=x")
    assert answer.status in {400, 201}


def test_keys_in_a_machine_file_are_gone_before_anybody_can_fetch_it(as_: As) -> None:
    sent = as_("owner").upload(GCODE + b"; printhost_apikey = CANARY-4711\n", "cube.gcode")
    assert b"CANARY" not in as_("owner").get(f"uploads/{sent.body['id']}/file/").body
