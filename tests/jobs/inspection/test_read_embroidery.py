"""Our readers of embroidery agree with another program's writers, and tell threads, steps and estimates."""

import random
from pathlib import Path
from typing import Any

import pyembroidery
import pytest

from jobs.inspection import registry
from jobs.inspection.estimates import minutes_on, sewing_minutes
from jobs.inspection.findings import Report
from jobs.inspection.formats import dst, pes
from jobs.inspection.stitches import Design, Move
from jobs.inspection.textile import frames_for
from jobs.inspection.threads import COLOUR_WORDS, colour_word
from tests.samples import find, sewing
from tests.samples.sewing import BLUE, EMBROIDERY, RED

READERS = {"dst": dst.read, "pes": pes.read}


def drawn(seed: int) -> Any:
    """A design by chance, made with the other program: stitches, jumps, trims, colours."""
    chance = random.Random(seed)
    pattern = pyembroidery.EmbPattern()
    for colour in range(chance.randint(1, 5)):
        if colour:
            pattern.add_command(pyembroidery.TRIM)
            pattern.color_change()
        pattern.add_thread(
            {"hex": f"#{chance.randrange(1 << 24):06x}", "name": f"fil {colour}", "catalog": f"{colour}"}
        )
        for _ in range(chance.randint(30, 200)):
            x, y = (chance.randint(-400, 400) for _ in range(2))
            pattern.add_stitch_absolute(
                pyembroidery.JUMP if chance.random() < 0.05 else pyembroidery.STITCH, x, y
            )
    pattern.end()
    return pattern


def needle_points(design: Design) -> list[tuple[int, int]]:
    return [
        (int(x), int(y))
        for x, y, move in zip(design.x, design.y, design.moves, strict=True)
        if move == Move.STITCH
    ]


def read_sample(name: str, folder: Path) -> Report:
    path = folder / "stored"
    path.write_bytes(find(name).data)
    return registry.read(path, name)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    ("ending", "options"),
    [
        ("dst", {}), ("dst", {"version": "extended"}), ("pes", {"version": "1"}), ("pes", {"version": "6"}),
        ("pes", {"version": "1t"}), ("pes", {"version": "6t"}),
    ],
)  # fmt: skip
def test_needle_points_are_where_another_program_put_them(
    seed: int, ending: str, options: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / f"design.{ending}"
    pyembroidery.write(drawn(seed), str(path), options)
    report, design = READERS[ending](path)
    assert design is not None, report
    again = pyembroidery.read(str(path))
    theirs = [(int(x), -int(y)) for x, y, kind in again.stitches if kind & 0xFF == pyembroidery.STITCH]
    assert needle_points(design) == theirs
    assert report.facts["stitches"] == len(theirs)
    assert report.facts["changes"] == again.count_color_changes()
    assert not report.blocked


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("options", [{"version": "6"}, {"version": "1"}])
def test_threads_are_those_another_program_reads(seed: int, options: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "design.pes"
    pyembroidery.write(drawn(seed), str(path), options)
    _, design = pes.read(path)
    assert design is not None
    theirs = [thread.hex_color() for thread in pyembroidery.read(str(path)).threadlist]
    assert [thread.hex for thread in design.threads] == theirs


@pytest.mark.parametrize("seed", range(6))
def test_our_own_writers_of_samples_are_understood_by_the_other_program(seed: int, tmp_path: Path) -> None:
    design = sewing.wandering(seed)
    for ending, data in (("dst", sewing.dst(design)), ("pes", sewing.pes(design))):
        path = tmp_path / f"design.{ending}"
        path.write_bytes(data)
        theirs = pyembroidery.read(str(path))
        count = sum(kind & 0xFF == pyembroidery.STITCH for _, _, kind in theirs.stitches)
        assert count == sum(kind == sewing.STITCH for kind, _, _ in design)


def test_the_steps_are_the_threads_in_their_order_with_their_stitches(tmp_path: Path) -> None:
    report = read_sample("badge_v6.pes", tmp_path)
    steps: Any = report.facts["steps"]
    assert [(one["number"], one["hex"], one["brand"], one["code"], one["name"]) for one in steps] == [
        (1, *RED),
        (2, *BLUE),
        (3, *RED),
    ]
    assert [one["colour"] for one in steps] == ["red", "blue", "red"]
    assert sum(one["stitches"] for one in steps) == report.facts["stitches"]
    assert sum(one["mm"] for one in steps) == pytest.approx(report.facts["stitched_mm"], abs=2)


def test_threads_of_the_late_header_are_told_and_a_wrong_colour_is_none(tmp_path: Path) -> None:
    steps: Any = read_sample("badge_threads.dst", tmp_path).facts["steps"]
    assert [(one["hex"], one["code"], one["name"]) for one in steps] == [
        ("#d1481f", "1765", "Brique"),
        ("#1f3f8b", "1134", "Nuit"),
        (None, "", "?"),
    ]


def test_a_file_without_colours_says_so(tmp_path: Path) -> None:
    report = read_sample("badge.dst", tmp_path)
    assert [one.code for one in report.findings] == ["colours_untold"]


def test_size_is_that_of_the_needle_points_not_of_the_jumps(tmp_path: Path) -> None:
    report = read_sample("far.dst", tmp_path)
    assert report.size_mm == (40.0, 40.0, 0.0)
    assert report.facts["travel_box_mm"] == [[-40.0, 0.0], [0.0, 50.0]]


def test_minutes_are_an_estimate_by_the_model_s_own_speed(tmp_path: Path) -> None:
    from dataclasses import replace

    report = read_sample("badge.dst", tmp_path)
    stitches = int(str(report.facts["stitches"]))
    assert report.facts["estimated"] is True
    assert report.minutes == sewing_minutes(stitches=stitches, changes=2, trims=0)
    slow = replace(EMBROIDERY, rpm=300.0, change_s=120.0)
    assert minutes_on(report, slow) == round(stitches / 300 + 2 * 2, 1)


def test_every_frame_that_would_do_is_named_smallest_first(tmp_path: Path) -> None:
    assert [one.name for one in frames_for(read_sample("badge.dst", tmp_path), EMBROIDERY)] == [
        "100x100",
        "180x130",
    ]
    assert [one.name for one in frames_for(read_sample("large.pes", tmp_path), EMBROIDERY)] == ["180x130"]
    assert frames_for(read_sample("wide.dst", tmp_path), EMBROIDERY) == ()


@pytest.mark.parametrize(
    ("colour", "word"),
    [
        ("#ffffff", "white"), ("#000000", "black"), ("#808080", "grey"), ("#d01818", "red"), ("#f0821e", "orange"),
        ("#ffe600", "yellow"), ("#1f9d3a", "green"), ("#1fb5b5", "turquoise"), ("#1f4fd1", "blue"),
        ("#0a1a50", "dark_blue"), ("#a8d8f0", "light_blue"), ("#7a2fb0", "purple"), ("#f06fb0", "pink"),
        ("#6b3f1d", "brown"), ("#e6d3a8", "beige"), ("#5a0a0a", "dark_red"), ("#dddddd", "light_grey"),
    ],
)  # fmt: skip
def test_a_colour_has_a_plain_word(colour: str, word: str) -> None:
    assert colour_word(colour) == word


def test_every_colour_there_is_has_a_word_of_the_list() -> None:
    chance = random.Random(1)
    for _ in range(5000):
        assert colour_word(f"#{chance.randrange(1 << 24):06x}") in COLOUR_WORDS
