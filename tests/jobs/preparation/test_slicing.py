"""From a model to a machine file that our own judge accepts, with the slicer that is really installed."""

import struct
from pathlib import Path

import pytest

from jobs.inspection.findings import Severity
from jobs.inspection.formats import stl
from jobs.inspection.limits import ModelLimits
from jobs.inspection.sandbox import inspect_file
from jobs.preparation.profiles import MATERIALS, MODEL_KEYS, QUALITIES, SUPPORTS, Unsuitable, slicing_profile
from jobs.preparation.slicer import Slicer, find_slicer, slice_and_judge
from tests.samples import PRINTER, find, shapes


@pytest.fixture
def slicer() -> Slicer:
    found = find_slicer()
    assert found is not None, "prusa-slicer is missing: install the Debian package prusa-slicer"
    return found


def stored(name: str, folder: Path) -> Path:
    path = folder / name
    path.write_bytes(find(name).data)
    return path


def test_the_slicer_says_its_version(slicer: Slicer) -> None:
    assert slicer.version.startswith("2.")


def test_a_slicer_that_is_not_installed_is_none() -> None:
    assert find_slicer("no-such-slicer-here") is None


def test_a_cube_becomes_a_machine_file_without_any_remark(slicer: Slicer, tmp_path: Path) -> None:
    out, picture = tmp_path / "made.gcode", tmp_path / "made.png"
    report, findings = slice_and_judge(stored("cube.stl", tmp_path), PRINTER, {}, out, picture)
    assert findings == ()
    assert report.facts["slicer"] == "PrusaSlicer" and report.facts["layers"] == 100
    assert report.size_mm == pytest.approx((20, 20, 20), abs=0.6)
    assert report.minutes is not None and 10 < report.minutes < 40
    assert report.material is not None and report.material.kind == "PLA"
    assert report.material.grams == pytest.approx(4.1, abs=1.5)
    assert picture.stat().st_size > 10_000 and out.stat().st_size > 50_000


# Any two values of two settings meet once; a third setting has no say in what two make of each other.
PAIRED = [
    (quality, (*MATERIALS,)[(number + other) % len(MATERIALS)], supports)
    for number, quality in enumerate(QUALITIES)
    for other, supports in enumerate(SUPPORTS)
]


@pytest.mark.usefixtures("each_file_read_once")  # the cube; what is made of it differs each time
@pytest.mark.parametrize(("quality", "material", "supports"), PAIRED)
def test_every_setting_makes_a_file_that_is_accepted(
    quality: str, material: str, supports: str, slicer: Slicer, tmp_path: Path
) -> None:
    settings = {"quality": quality, "material": material, "supports": supports}
    report, findings = slice_and_judge(
        stored("cube.stl", tmp_path), PRINTER, settings, tmp_path / "made.gcode"
    )
    assert [one for one in findings if one.severity is not Severity.INFO] == []
    assert report.facts["layer_mm"] == QUALITIES[quality]
    assert report.facts["nozzle_c"] == MATERIALS[material].first_nozzle


def test_supports_cost_material_where_they_are_wanted(slicer: Slicer, tmp_path: Path) -> None:
    table = tmp_path / "table.stl"
    table.write_bytes(shapes.binary_stl([*shapes.box(6, 6, 20), *shapes.box(40, 40, 3, (-17, -17, 19.5))]))
    used = {}
    for supports in ("no", "auto"):
        report, _ = slice_and_judge(table, PRINTER, {"supports": supports}, tmp_path / f"{supports}.gcode")
        assert report.material is not None and report.material.grams is not None
        used[supports] = report.material.grams
    assert used["auto"] > used["no"] * 1.02


def test_four_copies_use_four_times_as_much(slicer: Slicer, tmp_path: Path) -> None:
    cube = stored("cube.stl", tmp_path)
    one, _ = slice_and_judge(cube, PRINTER, {}, tmp_path / "one.gcode")
    four, findings = slice_and_judge(cube, PRINTER, {"copies": 4}, tmp_path / "four.gcode")
    assert findings == () and one.material and four.material and one.material.grams and four.material.grams
    assert four.material.grams == pytest.approx(4 * one.material.grams, rel=0.05)


def test_more_copies_than_fit_are_refused_as_too_big(slicer: Slicer, tmp_path: Path) -> None:
    path = tmp_path / "slab.stl"
    path.write_bytes(shapes.binary_stl(shapes.box(150, 150, 2)))
    report, findings = slice_and_judge(path, PRINTER, {"copies": 9}, tmp_path / "made.gcode")
    assert [one.code for one in findings if one.severity is Severity.BLOCKS] == ["plate_too_small"]
    assert report.blocked and not (tmp_path / "made.gcode").exists()


def test_a_long_model_is_turned_to_fit_a_long_bed(slicer: Slicer, tmp_path: Path) -> None:
    path, narrow = (
        tmp_path / "rod.stl",
        ModelLimits(bed_mm=(200.0, 60.0), height_mm=100.0, materials=("PLA",)),
    )
    path.write_bytes(shapes.binary_stl(shapes.box(20, 150, 5)))
    report, findings = slice_and_judge(path, narrow, {}, tmp_path / "made.gcode")
    assert findings == () and report.size_mm == pytest.approx((150, 20, 5), abs=0.7)


def test_a_bed_whose_origin_is_in_its_middle(slicer: Slicer, tmp_path: Path) -> None:
    delta = ModelLimits(
        bed_mm=(200.0, 200.0), height_mm=200.0, origin_mm=(-100.0, -100.0), materials=("PLA",)
    )
    report, findings = slice_and_judge(stored("cube.stl", tmp_path), delta, {}, tmp_path / "made.gcode")
    assert findings == ()
    (low, _) = report.facts["print_mm"]  # type: ignore[misc, str-unpack] # a pair of places, by its reader
    assert low[:2] == pytest.approx([-9.8, -9.8], abs=0.5)  # type: ignore[index] # three numbers


def test_an_object_as_high_as_the_machine_still_ends_inside(slicer: Slicer, tmp_path: Path) -> None:
    path = tmp_path / "tower.stl"
    path.write_bytes(shapes.binary_stl(shapes.box(15, 15, 249.8)))
    _, findings = slice_and_judge(path, PRINTER, {"quality": "draft"}, tmp_path / "made.gcode")
    assert findings == ()


@pytest.mark.parametrize("name", ["open.stl", "too_big", "page.stl", "nan.stl"])
def test_a_model_that_is_refused_never_reaches_the_slicer(name: str, tmp_path: Path) -> None:
    sample = "long.stl" if name == "too_big" else name
    report, findings = slice_and_judge(stored(sample, tmp_path), PRINTER, {}, tmp_path / "made.gcode")
    assert {one.code for one in findings if one.severity is Severity.BLOCKS} == find(sample).blocks
    assert report.facts.get("slicer") is None and not (tmp_path / "made.gcode").exists()


@pytest.mark.usefixtures("each_file_read_once")  # the cube; what is made of it differs each time
@pytest.mark.parametrize(
    "asked",
    [{"quality": "superb"}, {"material": "WOOD"}, {"supports": []}, {"copies": 0}, {"copies": "4"}, {"copies": True},
     {"model": {"retract_length": "1; post_process = /bin/false"}}, {"model": {"perimeters": "2\npost_process = x"}}],
)  # fmt: skip
def test_settings_that_no_profile_knows_are_refused(asked: dict[str, object], tmp_path: Path) -> None:
    report, findings = slice_and_judge(stored("cube.stl", tmp_path), PRINTER, asked, tmp_path / "made.gcode")
    assert [one.code for one in findings] == ["settings_unsuitable"] and report.blocked


def test_a_material_too_hot_for_the_machine_has_no_profile() -> None:
    cool = ModelLimits(bed_mm=(200.0, 200.0), height_mm=200.0, nozzle_max_c=230.0)
    assert slicing_profile(cool, {"material": "PLA"})["first_layer_temperature"] == "210"
    with pytest.raises(Unsuitable):
        slicing_profile(cool, {"material": "PETG"})


def test_a_machine_model_sets_numbers_but_no_program_and_no_start_code() -> None:
    own = {"retract_length": 5, "post_process": "/bin/false", "start_gcode": "M997", "fill_density": "20%"}
    profile = slicing_profile(PRINTER, {"model": own})
    assert profile["retract_length"] == "5" and profile["fill_density"] == "20%"
    assert profile["post_process"] == "" and "M997" not in profile["start_gcode"]
    assert not {"post_process", "start_gcode", "end_gcode", "notes"} & MODEL_KEYS


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        (b"", {"bad_model"}),
        (b"solid x\nendsolid x\n", {"bad_model"}),
        (shapes.binary_stl(shapes.box(400, 400, 400)), {"does_not_fit"}),
        (shapes.binary_stl(shapes.box(20, 20, 20))[:400], {"bad_model"}),
        (shapes.binary_stl(shapes.box(0.05, 0.05, 0.05)), {"nothing_to_print", "nothing_on_bed"}),
    ],
    ids=["empty", "no facets", "far too big", "cut", "dust"],
)
def test_what_the_slicer_says_is_understood(
    data: bytes, codes: set[str], slicer: Slicer, tmp_path: Path
) -> None:
    path = tmp_path / "model.stl"
    path.write_bytes(data)
    result = slicer.slice(path, slicing_profile(PRINTER, {}), tmp_path / "made.gcode")
    assert not result.ok and result.code in codes
    assert not (tmp_path / "made.gcode").exists()


def test_a_profile_with_nonsense_is_understood(slicer: Slicer, tmp_path: Path) -> None:
    profile = {**slicing_profile(PRINTER, {}), "layer_height": "0.6"}
    result = slicer.slice(stored("cube.stl", tmp_path), profile, tmp_path / "made.gcode")
    assert (result.ok, result.code) == (False, "bad_profile")


def test_slicing_that_takes_too_long_is_ended(slicer: Slicer, tmp_path: Path) -> None:
    result = slicer.slice(
        stored("top.stl", tmp_path), slicing_profile(PRINTER, {}), tmp_path / "made.gcode", seconds=0.05
    )
    assert (result.ok, result.code) == (False, "too_slow")


def test_no_setting_makes_the_slicer_run_a_program(slicer: Slicer, tmp_path: Path) -> None:
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    profile = {**slicing_profile(PRINTER, {}), "post_process": str(trap)}
    slicer.slice(stored("cube.stl", tmp_path), profile, tmp_path / "made.gcode")
    assert not (tmp_path / "sprung").exists()


def test_only_bare_triangles_are_handed_over(tmp_path: Path) -> None:
    source, clean = stored("cube_solid.stl", tmp_path), tmp_path / "clean.stl"
    inspect_file(source, "cube_solid.stl", bare=clean)
    data = clean.read_bytes()
    assert b"CAD" not in data and struct.unpack_from("<I", data, 80) == (12,)
    report, _ = stl.read(clean)
    assert report.size_mm == (20.0, 20.0, 20.0)
