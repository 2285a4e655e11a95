"""A drawing's lines on the sheet: turned, mirrored, repeated, holes cut before what holds them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from .cutting import Points
from .findings import JSON

Path = tuple[int, Points]
GAP_MM = 3.0
SLACK_MM = 0.03
SORTED_PATHS = 3000  # more stay in the file's order within their depth


class DoesNotFit(Exception):
    """The lines, as often as asked, are larger than the sheet."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How lines come to lie: on a sheet of `sheet_mm` (0, 0: any size) from its corner `origin_mm`."""

    sheet_mm: tuple[float, float] = (0.0, 0.0)
    origin_mm: tuple[float, float] = (0.0, 0.0)
    mirror: bool = False
    copies: int = 1

    def as_json(self) -> dict[str, JSON]:
        return {
            "sheet_mm": list(self.sheet_mm),
            "origin_mm": list(self.origin_mm),
            "mirror": self.mirror,
            "copies": self.copies,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        sheet, origin = data["sheet_mm"], data["origin_mm"]
        return cls(
            (float(sheet[0]), float(sheet[1])),
            (float(origin[0]), float(origin[1])),
            bool(data["mirror"]),
            int(data["copies"]),
        )


def lay_out(paths: list[Path], layout: Layout) -> list[Path]:
    """The lines at the corner of the sheet, as often as asked, in cutting order. Raises DoesNotFit."""
    every = np.concatenate([points for _, points in paths])
    low, high = every.min(axis=0), every.max(axis=0)
    moved = [(tool, points - low) for tool, points in paths]
    size = high - low
    if layout.mirror:
        moved = [(tool, np.column_stack((size[0] - points[:, 0], points[:, 1]))) for tool, points in moved]
    places = _places(size, layout)
    if places is None:
        size = size[::-1]
        places = _places(size, layout)
        if places is None:
            raise DoesNotFit
        # a quarter to the left
        moved = [(tool, np.column_stack((size[0] - points[:, 1], points[:, 0]))) for tool, points in moved]
    once = _in_cutting_order(moved)
    return [(tool, points + place) for place in places for tool, points in once]


def _places(size: Points, layout: Layout) -> list[Points] | None:
    """Where the copies' corners lie, row by row; None when they do not all fit."""
    sheet = (
        np.array(layout.sheet_mm) if any(layout.sheet_mm) else size * layout.copies + GAP_MM * layout.copies
    )
    step = size + GAP_MM
    across, along = (int((room + GAP_MM + SLACK_MM) // one) for room, one in zip(sheet, step, strict=True))
    if across * along < layout.copies:
        return None
    origin = np.array(layout.origin_mm)
    return [
        origin + step * np.array((index % across, index // across), dtype=np.float64)
        for index in range(layout.copies)
    ]


def _in_cutting_order(paths: list[Path]) -> list[Path]:
    """What lies inside another line first, else it would move with the piece cut out; near ones one after the other.

    Tools stay in the order in which the file first uses them.
    """
    if len(paths) > SORTED_PATHS:
        return paths
    lows = np.array([points.min(axis=0) for _, points in paths])
    highs = np.array([points.max(axis=0) for _, points in paths])
    areas = np.prod(highs - lows, axis=1)
    depth = np.zeros(len(paths), dtype=np.int64)
    for index in range(len(paths)):
        around = (
            (lows <= lows[index]).all(axis=1) & (highs >= highs[index]).all(axis=1) & (areas > areas[index])
        )
        depth[index] = int(around.sum())
    tools = list(dict.fromkeys(tool for tool, _ in paths))
    ordered: list[Path] = []
    at = np.zeros(2)
    for tool in tools:
        for level in sorted({int(depth[i]) for i, (one, _) in enumerate(paths) if one == tool}, reverse=True):
            group = [i for i, (one, _) in enumerate(paths) if one == tool and depth[i] == level]
            starts = np.array([paths[i][1][0] for i in group])
            left = np.ones(len(group), dtype=bool)
            for _ in group:
                away = np.where(left, np.hypot(*(starts - at).T), np.inf)
                nearest = int(away.argmin())
                left[nearest] = False
                ordered.append(paths[group[nearest]])
                at = ordered[-1][1][-1]
    return ordered
