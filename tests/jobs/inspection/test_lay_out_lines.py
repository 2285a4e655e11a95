"""Lines on a sheet: at its corner, turned when they must be, mirrored when asked, holes before what holds them."""

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from jobs.inspection.cutting import CURVE_MM, Points, arc_points
from jobs.inspection.formats import hpgl
from jobs.inspection.layout import DoesNotFit, Layout, lay_out

SHEET = (200.0, 300.0)


def line(*points: tuple[float, float], tool: int = 1) -> tuple[int, Points]:
    return tool, np.array(points, dtype=np.float64)


def square(x: float, y: float, side: float, tool: int = 1) -> tuple[int, Points]:
    return line((x, y), (x + side, y), (x + side, y + side), (x, y + side), (x, y), tool=tool)


def box(paths: Sequence[tuple[int, Points]]) -> list[float]:
    every = np.concatenate([points for _, points in paths])
    return [round(float(one), 3) for one in (*every.min(axis=0), *every.max(axis=0))]


FLAG = [line((50, 50), (50, 110)), line((50, 110), (90, 100), (50, 90))]  # 40 wide, 60 high, pointing right


def test_lines_come_to_the_corner_of_the_sheet() -> None:
    assert box(lay_out(FLAG, Layout(SHEET, (5.0, 7.0)))) == [5, 7, 45, 67]


def test_mirrored_lines_point_the_other_way_and_stay_where_they_are() -> None:
    laid = lay_out(FLAG, Layout(SHEET, mirror=True))
    assert box(laid) == [0, 0, 40, 60]
    tip = next(points for _, points in laid if len(points) == 3)[1]
    assert tuple(tip) == (0, 50)
    assert tuple(next(points for _, points in lay_out(FLAG, Layout(SHEET)) if len(points) == 3)[1]) == (
        40,
        50,
    )


def test_what_fits_only_turned_is_turned_a_quarter_to_the_left() -> None:
    laid = lay_out([line((0, 0), (280, 0)), line((280, 0), (280, 10))], Layout(SHEET))
    assert box(laid) == [0, 0, 10, 280]
    assert {tuple(points[-1]) for _, points in laid} == {(10, 280), (0, 280)}


def test_copies_lie_in_rows_with_a_gap() -> None:
    laid = lay_out([square(0, 0, 60)], Layout(SHEET, copies=5))
    corners = [tuple(points.min(axis=0)) for _, points in laid]
    assert corners == [(0, 0), (63, 0), (126, 0), (0, 63), (63, 63)]


@pytest.mark.parametrize(("side", "copies"), [(201.0, 1), (60.0, 13), (100.0, 4)])
def test_what_does_not_fit_is_not_laid(side: float, copies: int) -> None:
    with pytest.raises(DoesNotFit):
        lay_out([square(0, 0, side)], Layout((200.0, 200.0) if copies == 1 else SHEET, copies=copies))


def test_the_inner_line_is_cut_before_the_outer_one() -> None:
    outer, middle, inner = square(0, 0, 90), square(10, 10, 50), square(20, 20, 10)
    laid = lay_out([outer, inner, middle], Layout(SHEET))
    assert [round(float(np.ptp(points[:, 0]))) for _, points in laid] == [10, 50, 90]


def test_tools_keep_their_order_and_near_lines_follow_each_other() -> None:
    laid = lay_out(
        [square(0, 0, 5, tool=2), square(100, 0, 5), square(0, 10, 5, tool=2), square(50, 0, 5)],
        Layout(SHEET),
    )
    assert [(tool, tuple(points[0])) for tool, points in laid] == [
        (2, (0, 0)),
        (2, (0, 10)),
        (1, (50, 0)),
        (1, (100, 0)),
    ]


def test_what_is_written_is_read_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "made.plt"
    path.write_bytes(hpgl.written([square(1, 2, 30), line((5, 5), (9.975, 40.025), tool=3)]))
    report, lines = hpgl.read(path)
    assert lines is not None
    assert [one.code for one in report.findings] == ["several_tools"]
    assert [(tool, points.tolist()) for tool, points in lines.paths()] == [
        (1, [[1, 2], [31, 2], [31, 32], [1, 32], [1, 2]]),
        (3, [[5, 5], [9.975, 40.025]]),
    ]


def test_a_drawing_without_a_sheet_is_laid_all_the_same() -> None:
    assert box(lay_out(FLAG, Layout(copies=2))) == [0, 0, 83, 60]


@pytest.mark.parametrize("degrees", [-720.0, -90.0, 0.0, 1.0, 90.0, 359.0])
@pytest.mark.parametrize("radius", [0.0, 0.01, 3.0, 900.0])
def test_an_arc_ends_where_it_should_and_stays_near_its_circle(degrees: float, radius: float) -> None:
    corners = [(10 + radius, 20.0), *arc_points(10 + radius, 20, 10, 20, degrees)]
    turned = math.radians(degrees)
    assert corners[-1] == pytest.approx((10 + radius * math.cos(turned), 20 + radius * math.sin(turned)))
    for one, two in pairwise(corners):
        middle = math.hypot((one[0] + two[0]) / 2 - 10, (one[1] + two[1]) / 2 - 20)
        assert radius - middle <= CURVE_MM * 1.01
