"""Lines for a blade, whatever file they came from: which tool draws which line, in which order, in millimetres."""

import math
from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .codes import finding
from .estimates import cutting_minutes
from .findings import JSON, Finding, Report

MOST_POINTS = 500_000
MOST_PATHS = 100_000
MOST_TOOLS = 40
MOST_MM = 20_000.0
LEAST_MM = 0.05  # a line shorter than this is a dot
CURVE_MM = 0.02  # how far a flattened curve may lie beside the true one

Points = NDArray[np.float64]


class TooMuch(Exception):
    """More points or lines than anybody cuts; carries the finding."""

    def __init__(self) -> None:
        super().__init__("too_many_lines")
        self.finding = finding("too_many_lines", most=MOST_POINTS)


class CutLines:
    """Lines as they are gathered, x to the right, y away from the person, in millimetres.

    `move` lifts the blade and travels, `cut` draws. A line of no length is forgotten, a turn on the spot too.
    """

    def __init__(self) -> None:
        self._points = array("d")
        self._starts = array("q")  # index of the first point of each path
        self._tools = array("q")
        self.tool = 1
        self._x = self._y = 0.0
        self._open = False  # whether the last path goes on

    @property
    def x(self) -> float:
        return self._x

    @property
    def y(self) -> float:
        return self._y

    def move(self, x: float, y: float) -> None:
        self._open = False
        self._x, self._y = x, y

    def cut(self, x: float, y: float) -> None:
        """Draw a straight line. Raises TooMuch."""
        if not self._open:
            self._begin()
        if x != self._x or y != self._y:
            self._add(x, y)

    def use(self, tool: int) -> None:
        if tool != self.tool:
            self.tool, self._open = tool, False

    def lift(self) -> None:
        self._open = False

    def _begin(self) -> None:
        if len(self._starts) and self._starts[-1] == len(self._points) // 2 - 1:
            del self._points[-2:], self._starts[-1], self._tools[-1]  # the last one was a dot
        if len(self._starts) >= MOST_PATHS:
            raise TooMuch
        self._starts.append(len(self._points) // 2)
        self._tools.append(self.tool)
        self._open = True
        self._points.extend((self._x, self._y))

    def _add(self, x: float, y: float) -> None:
        if len(self._points) >= 2 * MOST_POINTS:
            raise TooMuch
        self._points.extend((x, y))
        self._x, self._y = x, y

    def paths(self) -> Iterator[tuple[int, Points]]:
        """Each line in order: its tool and its points (n, 2), n at least 2."""
        points = np.frombuffer(self._points, dtype=np.float64).reshape(-1, 2)
        edges = [*self._starts, len(points)]
        for (start, end), tool in zip(pairwise(edges), self._tools, strict=True):
            if end - start > 1:
                yield tool, points[start:end]


def arc_points(
    x: float, y: float, centre_x: float, centre_y: float, degrees: float
) -> Iterator[tuple[float, float]]:
    """The corners of an arc from a place around a centre, without that place; at least one."""
    radius = math.hypot(x - centre_x, y - centre_y)
    begin = math.atan2(y - centre_y, x - centre_x)
    turn = math.radians(degrees)
    step = 2 * math.acos(1 - CURVE_MM / radius) if radius > CURVE_MM else math.pi / 2
    quarters = max(1, math.ceil(abs(degrees) / 90 - 1e-9))  # so that an arc's outermost places are corners
    parts = quarters * max(1, min(1000, math.ceil(abs(turn) / step / quarters)))
    for part in range(1, parts + 1):
        angle = begin + turn * part / parts
        yield centre_x + radius * math.cos(angle), centre_y + radius * math.sin(angle)


def length_of(points: Points) -> float:
    return float(np.hypot(*np.diff(points, axis=0).T).sum())


def report(
    format_name: str, lines: CutLines, found: Sequence[Finding] = (), facts: dict[str, JSON] | None = None
) -> Report:
    """Measure lines.

    Facts: cut_mm, travel_mm (blade up between the lines), paths, tools (a row a tool in order of use: number, tool,
    paths, mm), box_mm ([[x, y], [x, y]] of what is cut), estimated (the minutes are), and what the format adds.
    """
    paths = list(lines.paths())
    lengths = [length_of(points) for _, points in paths]
    kept = [index for index, length in enumerate(lengths) if length >= LEAST_MM]
    if not kept:
        return Report(format_name, facts=facts or {}, findings=(*found, finding("nothing_to_cut")))
    every = np.concatenate([paths[index][1] for index in kept])
    low, high = every.min(axis=0), every.max(axis=0)
    if not np.isfinite(every).all() or float(np.abs(every).max()) > MOST_MM:
        return Report(
            format_name, facts=facts or {}, findings=(*found, finding("numbers_absurd", most_mm=MOST_MM))
        )
    tools: dict[int, list[float]] = {}
    travel, at = 0.0, np.zeros(2)
    for index in kept:
        tool, points = paths[index]
        tools.setdefault(tool, []).append(lengths[index])
        travel += math.dist(at, points[0])
        at = points[-1]
    if len(tools) > 1:
        found = (*found, finding("several_tools", tools=len(tools)))
    cut_mm = sum(lengths[index] for index in kept)
    return Report(
        format_name,
        size_mm=(round(float(high[0] - low[0]), 1), round(float(high[1] - low[1]), 1), 0.0),
        minutes=cutting_minutes(cut_mm=cut_mm, travel_mm=travel, lifts=len(kept)),
        facts={
            "cut_mm": round(cut_mm, 1),
            "travel_mm": round(travel, 1),
            "paths": len(kept),
            "tools": [
                {"number": number, "tool": tool, "paths": len(mm), "mm": round(sum(mm))}
                for number, (tool, mm) in enumerate(list(tools.items())[:MOST_TOOLS], 1)
            ],
            "box_mm": [[round(float(one), 2) for one in low], [round(float(one), 2) for one in high]],
            "estimated": True,
            **(facts or {}),
        },
        findings=tuple(found),
    )
