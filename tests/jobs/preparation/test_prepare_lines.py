"""Making ready for a cutter: a drawing becomes lines on its sheet; what no program makes, a person is asked for."""

import io
from typing import Any

import pytest

from equipment.machines.models import MachineKind, MachineModel
from jobs.inspection.formats import hpgl
from jobs.preparation.models import Preparation
from jobs.preparation.queries import findings_for
from jobs.preparation.services import prepare, prepare_next
from jobs.preparation.states import PreparationState
from jobs.uploads.models import Upload
from jobs.uploads.services import inspect_next, receive
from jobs.uploads.states import Origin, UploadState
from tests.jobs.uploads.builders import NOON, make_machine, make_model, make_person, make_site
from tests.samples import find
from tests.samples.cutting import CUTTER
from tests.samples.sewing import EMBROIDERY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_file_read_once")]
SETTINGS = {"material": "Flex", "copies": 1, "workpiece": "tshirt", "frame": "mat-30", "mirror": False}


def cutter(**limits: Any) -> MachineModel:
    kind, _ = MachineKind.objects.get_or_create(slug="cutter", defaults={"names": {"fr": "Découpeuse"}})
    return make_model(
        kind=kind,
        limits={**CUTTER.as_json(), **limits},
        formats=["hpgl"],
        prepares=["svg", "png", "jpeg"],
        materials=["Vinyle", "Flex"],
        qualities=[],
    )


def embroidery() -> MachineModel:
    kind, _ = MachineKind.objects.get_or_create(slug="embroidery", defaults={"names": {"fr": "Brodeuse"}})
    return make_model(
        kind=kind,
        limits=EMBROIDERY.as_json(),
        formats=["dst", "pes"],
        prepares=["svg", "png"],
        materials=["Fil coton"],
        qualities=[],
    )


def handed_in(name: str, model: MachineModel) -> Upload:
    site = make_site()
    make_machine(site, model)
    receive(io.BytesIO(find(name).data), name=name, owner=make_person(site), at=NOON)
    upload = inspect_next(NOON)
    assert upload is not None
    return upload


def made(upload: Upload, model: MachineModel, **changes: Any) -> Preparation:
    assert prepare(upload, model, {**SETTINGS, **changes}, at=NOON) is not None
    done = prepare_next(NOON)
    assert done is not None
    return done


def test_a_drawing_becomes_the_cutter_s_lines_judged_and_pictured() -> None:
    model = cutter()
    upload = handed_in("star.svg", model)
    done = made(upload, model)
    assert (done.state, done.tool, done.findings) == (PreparationState.READY, "lines 1", [])
    result = done.result
    assert result is not None and result.report is not None
    assert (result.origin, result.format, result.name) == (Origin.PREPARED, "hpgl", "star.plt")
    assert result.report["size_mm"] == [80, 60, 0]
    assert result.report["minutes"] > 0
    assert result.report["facts"]["box_mm"][0] == [0, 0]
    assert result.has_picture
    assert result.path.read_bytes().startswith(b"IN;")


def test_mirrored_lines_are_other_lines_of_the_same_size_and_it_is_said() -> None:
    model = cutter()
    upload = handed_in("curves.svg", model)
    plain, mirrored = made(upload, model), made(upload, model, mirror=True)
    assert plain.result is not None and mirrored.result is not None
    assert [one["code"] for one in mirrored.findings] == ["mirrored"]
    ways = []
    for result in (plain.result, mirrored.result):
        _, lines = hpgl.read(result.path)
        assert lines is not None
        ways.append(sorted(tuple(one) for _, points in lines.paths() for one in points.round(3).tolist()))
    width = max(x for x, _ in ways[0])
    turned = sorted((round(width - x, 3), y) for x, y in ways[0])
    assert ways[1] != ways[0]
    assert [one for pair in ways[1] for one in pair] == pytest.approx(
        [one for pair in turned for one in pair], abs=0.06
    )


def test_only_what_changes_the_lines_is_computed_anew() -> None:
    model = cutter()
    upload = handed_in("star.svg", model)
    first = made(upload, model)
    again = prepare(upload, model, {**SETTINGS, "workpiece": "cap", "material": "Vinyle"}, at=NOON)
    other = prepare(upload, model, {**SETTINGS, "copies": 2}, at=NOON)
    assert again == first
    assert other is not None and other != first


def test_copies_that_do_not_fit_are_told_with_their_number() -> None:
    model = cutter(bed_mm=[100, 100])
    done = made(handed_in("star.svg", model), model, copies=2)
    assert (done.state, done.result) == (PreparationState.FAILED, None)
    assert [(one["code"], one["params"]) for one in done.findings] == [("plate_too_small", {"copies": 2})]


def test_a_drawing_larger_than_the_sheet_is_refused_when_it_comes_in() -> None:
    model = cutter(bed_mm=[70, 50])
    upload = handed_in("star.svg", model)
    assert upload.state == UploadState.REFUSED
    assert {one.code for one in findings_for(upload, model) if one.severity == "blocks"} == {"too_big"}


def test_lines_in_the_machine_s_own_language_need_no_preparation() -> None:
    model = cutter()
    assert prepare(handed_in("star.plt", model), model, SETTINGS, at=NOON) is None


@pytest.mark.parametrize("name", ["photo.png", "star.svg"])
def test_what_a_person_must_digitise_waits_for_an_instructor_s_file(name: str) -> None:
    model = embroidery()
    upload = handed_in(name, model)
    preparation = prepare(upload, model, {"copies": 1}, at=NOON)
    assert upload.state == UploadState.READY
    assert preparation is not None
    assert preparation.state == PreparationState.NEEDS_SLICING
    assert [one["code"] for one in preparation.findings] == ["to_digitise"]
    assert "to_digitise" in [one.code for one in findings_for(upload, model)]
    assert prepare_next(NOON) is None


def test_the_chosen_frame_must_hold_the_design() -> None:
    model = embroidery()
    upload = handed_in("large.pes", model)

    def codes(frame: str) -> list[str]:
        return [one.code for one in findings_for(upload, model, {"frame": frame}) if one.severity == "blocks"]

    assert codes("100x100") == ["frame_too_small"]
    assert codes("180x130") == codes("") == codes("a frame of unknown size") == []


def test_minutes_of_a_design_are_those_of_the_slowest_machine_here_that_takes_it() -> None:
    site = make_site()
    for rpm in (900, 300):
        model = embroidery()
        MachineModel.objects.filter(pk=model.pk).update(limits={**model.limits, "rpm": rpm})
        make_machine(site, model)
    receive(io.BytesIO(find("single.dst").data), name="single.dst", owner=make_person(site), at=NOON)
    upload = inspect_next(NOON)
    assert upload is not None and upload.report is not None
    assert upload.report["minutes"] == pytest.approx(upload.report["facts"]["stitches"] / 300, abs=0.1)
