"""Making ready: a real slicer turns a model into what the machine takes, once for the same input."""

import io
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from equipment.machines.models import MachineModel
from jobs.preparation import services, slicer
from jobs.preparation.models import Preparation
from jobs.preparation.queries import findings_for
from jobs.preparation.services import prepare, prepare_next
from jobs.preparation.slicer import slice_and_judge
from jobs.preparation.states import PreparationState
from jobs.uploads.leases import LEASE_SECONDS, MOST_TRIES
from jobs.uploads.models import Upload
from jobs.uploads.services import inspect_next, receive
from jobs.uploads.states import Origin, UploadState
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
SETTINGS = {"material": "PLA", "quality": "normal", "copies": 1, "supports": "auto"}


def handed_in(content: bytes = CUBE, name: str = "cube.stl", model: MachineModel | None = None) -> Upload:
    site = make_site()
    make_machine(site, model or make_model(bed=400))
    receive(io.BytesIO(content), name=name, owner=make_person(site), at=NOON)
    upload = inspect_next(NOON)
    assert upload is not None
    assert upload.state == UploadState.READY, upload.report
    return upload


def prepared(upload: Upload, model: MachineModel, **changes: Any) -> Preparation:
    assert prepare(upload, model, {**SETTINGS, **changes}, at=NOON) is not None
    done = prepare_next(NOON)
    assert done is not None
    return done


def test_a_cube_becomes_a_machine_file_that_is_judged_and_pictured() -> None:
    upload = handed_in()
    done = prepared(upload, make_model())
    assert (done.state, done.tool[:11]) == (PreparationState.READY, "PrusaSlicer")
    result = done.result
    assert result is not None
    assert (result.origin, result.state, result.format) == (Origin.PREPARED, UploadState.READY, "gcode")
    assert (result.owner, result.name) == (upload.owner, "cube.gcode")
    assert b"G28" in result.path.read_bytes()
    assert result.report is not None
    assert result.report["minutes"] > 1
    assert result.has_picture
    assert result.picture_path.is_file()
    assert inspect_next(NOON) is None


def test_what_the_machine_takes_as_it_is_needs_no_preparation() -> None:
    assert prepare(handed_in(GCODE, "cube.gcode"), make_model(), SETTINGS, at=NOON) is None


def test_the_same_input_is_never_computed_twice() -> None:
    upload, model = handed_in(), make_model()
    first = prepared(upload, model)
    again = prepare(upload, model, dict(reversed(SETTINGS.items())), at=NOON)
    assert again == first
    assert prepare_next(NOON) is None


def test_other_settings_and_another_profile_are_another_work() -> None:
    upload, model = handed_in(), make_model()
    orders = {
        getattr(prepare(upload, model, SETTINGS, at=NOON), "pk", None),
        getattr(prepare(upload, model, {**SETTINGS, "quality": "draft"}, at=NOON), "pk", None),
        getattr(prepare(upload, make_model(height=190), SETTINGS, at=NOON), "pk", None),
    }
    assert len(orders) == 3


def test_without_a_slicer_an_instructor_is_asked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = handed_in()
    monkeypatch.setattr(services, "slicer", lambda: None)
    preparation = prepare(upload, make_model(), SETTINGS, at=NOON)
    assert preparation is not None
    assert (preparation.state, preparation.tool) == (PreparationState.NEEDS_SLICING, "")
    assert [finding["code"] for finding in preparation.findings] == ["slicer_missing"]
    assert prepare_next(NOON) is None


def test_a_slicer_that_came_later_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    upload, model = handed_in(), make_model()
    with monkeypatch.context() as before:
        before.setattr(services, "slicer", lambda: None)
        waiting = prepare(upload, model, SETTINGS, at=NOON)
    assert prepared(upload, model) != waiting


def test_the_slicer_that_the_installation_names_is_the_one_that_is_asked(
    settings: Any, tmp_path: Path
) -> None:
    named = tmp_path / "our-slicer"
    named.write_text('#!/bin/sh\n[ "$1" = --help ] && echo PrusaSlicer-9.9.9 && exit 0\nexit 1\n')
    named.chmod(0o755)
    settings.SLICER = str(named)
    done = prepared(handed_in(), make_model())
    assert done.tool == "PrusaSlicer 9.9.9"
    assert [(f["code"], f["params"]["why"]) for f in done.findings] == [("slicing_failed", "crashed")]


def test_what_does_not_fit_fails_with_the_reason() -> None:
    done = prepared(handed_in(box(150, 150, 10)), make_model(bed=120))
    assert (done.state, done.result) == (PreparationState.FAILED, None)
    assert "too_big" in [finding["code"] for finding in done.findings]
    assert not Upload.objects.filter(origin=Origin.PREPARED).exists()


def test_too_many_copies_for_the_plate_fail_with_the_number() -> None:
    done = prepared(handed_in(box(90, 90, 5)), make_model(bed=120), copies=4)
    assert [(f["code"], f["params"]) for f in done.findings] == [("plate_too_small", {"copies": 4})]


def test_who_waits_for_the_result_is_told_in_its_transaction() -> None:
    heard: list[Any] = []

    def then(preparation_id: str, *, at: Any) -> None:
        heard.append((preparation_id, at, Preparation.objects.get(pk=preparation_id).state))

    preparation = prepare(handed_in(), make_model(), SETTINGS, at=NOON)
    prepare_next(NOON, then=then)
    assert preparation is not None
    assert heard == [(preparation.pk, NOON, PreparationState.READY)]


def test_a_dead_workers_work_is_taken_by_another_when_its_lease_ends() -> None:
    preparation = prepare(handed_in(), make_model(), SETTINGS, at=NOON)
    assert preparation is not None
    until = NOON + timedelta(seconds=LEASE_SECONDS)
    Preparation.objects.update(lease_until=until, tries=1)
    assert prepare_next(until - timedelta(seconds=1)) is None
    done = prepare_next(until)
    assert done is not None
    assert done.state == PreparationState.READY


def test_what_ended_three_workers_has_failed() -> None:
    prepare(handed_in(), make_model(), SETTINGS, at=NOON)
    Preparation.objects.update(lease_until=NOON, tries=MOST_TRIES)
    done = prepare_next(NOON)
    assert done is not None
    assert (done.state, [f["params"] for f in done.findings]) == (
        PreparationState.FAILED,
        [{"why": "crashed"}],
    )


def test_a_worker_that_was_frozen_beyond_its_lease_leaves_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(handed_in(), make_model(), SETTINGS, at=NOON)
    real = slice_and_judge

    def slow(*args: Any, **kwargs: Any) -> Any:
        made = real(*args, **kwargs)
        Preparation.objects.update(tries=2)  # another worker took it meanwhile
        return made

    monkeypatch.setattr(slicer, "slice_and_judge", slow)
    done = prepare_next(NOON)
    assert done is not None
    assert (done.state, done.result) == (PreparationState.RUNNING, None)
    assert not Upload.objects.filter(origin=Origin.PREPARED).exists()


def test_nothing_is_written_while_the_slicer_works() -> None:
    prepare(handed_in(), make_model(), SETTINGS, at=NOON)
    with CaptureQueriesContext(connection) as queries:
        prepare_next(NOON)
    writes = [q["sql"].split()[:3] for q in queries.captured_queries if re.match("UPDATE|INSERT", q["sql"])]
    assert len(writes) == 3, writes  # taken, the result's row, settled


def test_findings_say_what_this_model_adds() -> None:
    upload = handed_in(box(150, 150, 10))
    too_small = [f.code for f in findings_for(upload, make_model(bed=120))]
    assert sorted(too_small) == ["needs_preparation", "too_big", "too_big"]  # across and along
    assert [f.code for f in findings_for(upload, make_model(bed=200))] == ["needs_preparation"]
