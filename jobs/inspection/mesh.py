"""What can be measured on a heap of triangles: box, volume, holes, parts. Exact, vectorised, nobody's library."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .codes import finding
from .findings import JSON, Finding

Triangles = NDArray[np.float32]  # (n, 3, 3): triangle, corner, x y z in millimetres

MOST_TRIANGLES = 2_000_000
THINNEST_MM = 0.01
SMALL_MM = 2.0
ABSURD_MM = 1e6
LIFT_MM = 0.3  # a part this far above the plate and touching no other part hangs in the air
TOUCH_MM = 0.2


class Measured(NamedTuple):
    """`size_mm` is None when the triangles mean nothing; facts are triangles, closed, volume_mm3, parts, low_mm."""

    size_mm: tuple[float, float, float] | None
    facts: dict[str, JSON]
    findings: tuple[Finding, ...]


def examine(triangles: Triangles) -> Measured:
    """Measures a mesh and says what is wrong with it as a solid. Memory: about 250 bytes a triangle."""
    facts: dict[str, JSON] = {"triangles": len(triangles)}
    if not np.isfinite(triangles).all():
        return Measured(None, facts, (finding("not_finite"),))
    points = triangles.reshape(-1, 3)
    low, high = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
    extent = high - low
    if max(float(abs(low).max()), float(abs(high).max())) > ABSURD_MM:
        return Measured(None, facts, (finding("numbers_absurd", most_mm=ABSURD_MM),))
    size = (round(float(extent[0]), 3), round(float(extent[1]), 3), round(float(extent[2]), 3))
    facts["low_mm"] = [round(float(one), 3) for one in low]
    if extent.min() <= THINNEST_MM:
        return Measured(size, facts, (finding("flat", thickness_mm=round(float(extent.min()), 3)),))

    found: list[Finding] = []
    surface = _closest_surface(triangles, float(extent.max()))
    volume = _volume(triangles, (low + high) / 2)
    facts["closed"] = len(surface.open_edges) == 0
    facts["volume_mm3"] = round(abs(volume), 1)
    if len(surface.open_edges):
        where = surface.points[surface.open_edges].reshape(-1, 3).mean(axis=0)
        found.append(
            finding("open_mesh", edges=len(surface.open_edges), at_mm=[round(float(one), 1) for one in where])
        )
    elif not surface.oriented:
        found.append(finding("normals_mixed"))
    elif volume < 0:
        found.append(finding("inside_out"))
    parts, hanging = _parts(surface, float(low[2]))
    facts["parts"] = parts
    if hanging:
        found.append(finding("floating_parts", parts=hanging))
    if extent.max() < SMALL_MM:
        found.append(finding("very_small", size_mm=list(size)))
    return Measured(size, facts, tuple(found))


def write_stl(triangles: Triangles, path: Path) -> None:
    """Writes a binary STL of our own: these triangles, standing on the plate, and nothing else."""
    low = triangles.reshape(-1, 3).min(axis=0)
    records = np.zeros(
        len(triangles), dtype=[("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")]
    )
    records["corners"] = triangles - low
    # PrusaSlicer 2.5 takes a file for text when none of the first bytes is above 127; minus zero has one such byte.
    records["normal"] = np.float32(-0.0)
    with path.open("wb") as out:
        out.write(b"fab lab model".ljust(80, b" ") + len(triangles).to_bytes(4, "little"))
        records.tofile(out)


class Surface(NamedTuple):
    points: NDArray[np.float32]  # (p, 3), each corner once
    corners: NDArray[np.int64]  # (n, 3) into points, triangles without area by repeated corners left out
    open_edges: NDArray[np.int64]  # (e, 2) into points: edges that an odd number of triangles share
    oriented: bool  # every edge is walked as often one way as the other


def _closest_surface(triangles: Triangles, extent: float) -> Surface:
    """Corners joined when equal; when that leaves holes, joined again within a millionth of the size.

    Some programs write the same corner with a different last digit; a real hole is far wider than that.
    """
    flat = triangles.reshape(-1, 3)
    names = _mixed((flat + np.float32(0.0)).view(np.uint32).astype(np.uint64))
    _, first, inverse = np.unique(names, return_index=True, return_inverse=True)
    points, corners = flat[first], inverse.reshape(-1, 3)
    exact = _surface(points, corners)
    if not len(exact.open_edges):
        return exact
    return _surface(points, _near_ones_joined(points, exact.open_edges, max(extent * 2e-6, 1e-5))[corners])


def _near_ones_joined(points: Triangles, open_edges: NDArray[np.int64], reach: float) -> NDArray[np.int64]:
    """For every point the number of the one that stands for it: points at holes nearer than `reach` become one.

    Two points that near share a box of twice that width in at least one of eight grids, each set off by half a box.
    """
    at_holes = np.unique(open_edges)
    places = points[at_holes].astype(np.float64) / (2 * reach)
    links = []
    for corner in range(8):
        offset = np.array([corner & 1, corner >> 1 & 1, corner >> 2]) / 2
        names = _mixed(np.floor(places + offset).astype(np.int64).astype(np.uint64))
        order = np.argsort(names, kind="stable")
        same = np.flatnonzero(names[order][1:] == names[order][:-1])
        links.append(np.stack((order[same], order[same + 1]), axis=1))
    stands_for = np.arange(len(points))
    stands_for[at_holes] = at_holes[_shells(np.concatenate(links), len(at_holes))]
    return stands_for


def _surface(points: Triangles, corners: NDArray[np.int64]) -> Surface:
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    corners = corners[(a != b) & (b != c) & (a != c)]
    count = np.int64(len(points))
    start = corners.ravel()
    end = corners[:, (1, 2, 0)].ravel()
    # A pair of corners as one number, the smaller first; its last bit says which way it is walked.
    pair = np.minimum(start, end) * count + np.maximum(start, end)
    forward = np.where(start < end, np.int64(1), np.int64(-1))
    order = np.argsort(pair)
    pair, forward = pair[order], forward[order]
    heads = (
        np.flatnonzero(np.concatenate(([True], pair[1:] != pair[:-1])))
        if len(pair)
        else np.empty(0, np.int64)
    )
    times = np.diff(np.append(heads, len(pair)))
    odd = pair[heads[times % 2 == 1]]
    balanced = bool((np.add.reduceat(forward, heads) == 0).all()) if len(heads) else False
    return Surface(points, corners, np.stack((odd // count, odd % count), axis=1), balanced)


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One 64-bit name a row. Two different corners share one with a chance of about one in ten million per file."""
    mixed = words[:, 0] * np.uint64(0x9E3779B97F4A7C15)
    for column, factor in ((1, 0xC2B2AE3D27D4EB4F), (2, 0x165667B19E3779F9)):
        mixed ^= mixed >> np.uint64(29)
        mixed += words[:, column] * np.uint64(factor)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    return mixed


def _volume(triangles: Triangles, centre: NDArray[np.float64]) -> float:
    total = 0.0
    for begin in range(0, len(triangles), 200_000):
        moved = triangles[begin : begin + 200_000].astype(np.float64) - centre
        total += float(np.einsum("ij,ij->", moved[:, 0], np.cross(moved[:, 1], moved[:, 2])))
    return total / 6


def _parts(surface: Surface, floor: float) -> tuple[int, int]:
    """How many separate shells there are, and how many of them hang in the air touching no other."""
    if not len(surface.corners):
        return 0, 0
    label = _shells(surface.corners, len(surface.points))
    used = np.unique(surface.corners)
    names, of = np.unique(label[used], return_inverse=True)
    parts = len(names)
    if parts == 1 or parts > 1000:
        return parts, 0
    low = np.full((parts, 3), np.inf)
    high = np.full((parts, 3), -np.inf)
    np.minimum.at(low, of, surface.points[used])
    np.maximum.at(high, of, surface.points[used])
    lifted = low[:, 2] > floor + LIFT_MM
    touching = np.ones((parts, parts), dtype=bool)
    for axis in range(3):
        touching &= low[:, None, axis] <= high[None, :, axis] + TOUCH_MM
        touching &= low[None, :, axis] <= high[:, None, axis] + TOUCH_MM
    # Standing spreads from the parts on the plate to all that touch them.
    standing = ~lifted
    while True:
        spread = standing | (touching & standing[None, :]).any(axis=1)
        if (spread == standing).all():
            return parts, int((~standing).sum())
        standing = spread


def _shells(corners: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The smallest number among all points that each point is joined to, by hooking and pointer jumping.

    Each row of `corners` joins its points; the answer has `count` entries.
    """
    if not len(corners):
        return np.arange(count, dtype=np.int64)
    label = np.arange(count, dtype=np.int64)
    while True:
        lowest = label[corners].min(axis=1)
        hooked = label.copy()
        for column in range(corners.shape[1]):
            np.minimum.at(hooked, label[corners[:, column]], lowest)
            np.minimum.at(hooked, corners[:, column], lowest)
        while True:
            jumped = hooked[hooked]
            if (jumped == hooked).all():
                break
            hooked = jumped
        if (hooked == label).all():
            return label
        label = hooked
