"""Pictures of flat work: threads in their colours and order, the frame around them, every line on the mat."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from jobs.inspection.cutting import CutLines
from jobs.inspection.flat_pictures import draw_lines, draw_stitches
from jobs.inspection.formats import dst, pes, svg
from jobs.inspection.limits import Frame
from jobs.inspection.stitches import Design
from jobs.inspection.threads import thread
from tests.samples import find

SMALL = (160, 160)
FRAMES = (Frame("180x130", 180.0, 130.0), Frame("100x100", 100.0, 100.0))


def pixels(png: bytes) -> NDArray[np.int_]:
    with Image.open(io.BytesIO(png)) as picture:
        return np.asarray(picture.convert("RGB"), dtype=int)


def design_of(name: str, folder: Path, reader: Any = pes.read) -> Design:
    path = folder / "stored"
    path.write_bytes(find(name).data)
    _, design = reader(path)
    assert isinstance(design, Design)
    return design


def sewn(*moves: tuple[int, int, int], threads: tuple[str, ...] = ()) -> Design:
    x, y, kinds = (np.array(one) for one in zip(*moves, strict=True))
    return Design(x, y, kinds.astype(np.uint8), [thread(one) for one in threads])


def reddish(shown: NDArray[np.int_]) -> NDArray[np.bool_]:
    return np.asarray(shown[..., 0] - shown[..., 2] > 60)


def bluish(shown: NDArray[np.int_]) -> NDArray[np.bool_]:
    return np.asarray(shown[..., 2] - shown[..., 0] > 30)


def test_threads_have_their_own_colours_where_they_are_sewn(tmp_path: Path) -> None:
    shown = pixels(draw_stitches(design_of("badge_v6.pes", tmp_path)))
    third = shown.shape[0] // 3
    assert bluish(shown[third:-third]).sum() > 5000
    for outer in (shown[:third], shown[-third:]):
        assert reddish(outer).sum() > 5000 and bluish(outer).sum() < 500


def test_later_stitches_lie_above_earlier_ones() -> None:
    one_way = [(0, 0, 1), *((100 * (n % 2), n // 2, 0) for n in range(2, 160))]
    other_way = [(n // 2, 100 * (n % 2), 0) for n in range(2, 160)]
    red_then_blue = sewn(*one_way, (0, 0, 2), *other_way, threads=("#c01010", "#1030c0"))
    blue_then_red = sewn(*one_way, (0, 0, 2), *other_way, threads=("#1030c0", "#c01010"))
    middle = (slice(60, 100), slice(60, 100))
    assert bluish(pixels(draw_stitches(red_then_blue, size=SMALL))[middle]).mean() > 0.8
    assert reddish(pixels(draw_stitches(blue_then_red, size=SMALL))[middle]).mean() > 0.8


def test_the_smallest_frame_that_holds_the_design_is_drawn_around_it(tmp_path: Path) -> None:
    design = design_of("badge_v6.pes", tmp_path)
    bare, framed = pixels(draw_stitches(design)), pixels(draw_stitches(design, FRAMES))
    widths = [np.nonzero(reddish(one).any(axis=0))[0] for one in (bare, framed)]
    whole, inside = (int(one.max() - one.min()) for one in widths)
    # 60 mm across the whole picture's four fifths, or beside a frame of 100 mm with its ring
    assert whole == pytest.approx(0.8 * 640, abs=8)
    assert inside == pytest.approx(0.8 * 640 * 60 / 114, abs=8)


def test_a_design_that_would_be_lost_in_the_frame_is_drawn_without(tmp_path: Path) -> None:
    design = design_of("single.dst", tmp_path, dst.read)
    assert draw_stitches(design, FRAMES, SMALL) == draw_stitches(design, (), SMALL)


def test_the_same_design_gives_the_same_picture(tmp_path: Path) -> None:
    design = design_of("badge.pes", tmp_path)
    assert draw_stitches(design, FRAMES, SMALL) == draw_stitches(design, FRAMES, SMALL)


@pytest.mark.parametrize(
    "design",
    [
        sewn((0, 0, 0)),
        sewn((5, 5, 0), (5, 5, 0)),
        sewn((0, 0, 0), (19_000, 0, 0)),
        sewn((0, 0, 2), (0, 0, 2), (10, 10, 0)),
    ],
    ids=["one point", "twice the same", "a hair", "changes first"],
)
def test_odd_designs_are_drawn_without_complaint(design: Design) -> None:
    assert draw_stitches(design, FRAMES, SMALL).startswith(b"\x89PNG")


def test_lines_are_bright_on_the_mat_and_each_tool_has_its_colour() -> None:
    lines = CutLines()
    lines.move(0, 0)
    lines.cut(50, 0)
    lines.use(2)
    lines.move(0, 30)
    lines.cut(50, 30)
    shown = pixels(draw_lines(lines))
    bright = shown.min(axis=2) > 200
    yellow = (shown[..., 0] > 200) & (shown[..., 2] < 150)
    rows = [np.nonzero(one.any(axis=1))[0].mean() for one in (bright, yellow)]
    assert rows[0] > 400 and rows[1] < 240  # y goes away from the person: up


def test_an_outline_is_drawn_whole(tmp_path: Path) -> None:
    path = tmp_path / "stored"
    path.write_bytes(find("circle.svg").data)
    _, lines = svg.read(path)
    assert lines is not None
    bright = pixels(draw_lines(lines)).min(axis=2) > 200
    rows, columns = np.nonzero(bright)
    assert rows.max() - rows.min() == pytest.approx(columns.max() - columns.min(), abs=2)
    turns = np.degrees(np.arctan2(rows - 320, columns - 320)).astype(int)
    assert len(np.unique(turns)) > 350


def test_odd_lines_are_drawn_without_complaint() -> None:
    lines = CutLines()
    lines.move(-19_000, 5)
    lines.cut(19_000, 5)
    assert draw_lines(lines, SMALL).startswith(b"\x89PNG")
