"""Solids as lists of triangles, and the ways to write them down."""

import math
import struct
from collections.abc import Iterable, Sequence
from itertools import pairwise

Point = tuple[float, float, float]
Triangle = tuple[Point, Point, Point]


def box(width: float, depth: float, height: float, at: Point = (0.0, 0.0, 0.0)) -> list[Triangle]:
    """A closed box, wound outwards."""
    x0, y0, z0 = at
    x1, y1, z1 = x0 + width, y0 + depth, z0 + height
    sides: list[tuple[Point, Point, Point, Point]] = [
        ((x0, y0, z0), (x0, y1, z0), (x1, y1, z0), (x1, y0, z0)),
        ((x0, y0, z1), (x1, y0, z1), (x1, y1, z1), (x0, y1, z1)),
        ((x0, y0, z0), (x1, y0, z0), (x1, y0, z1), (x0, y0, z1)),
        ((x1, y0, z0), (x1, y1, z0), (x1, y1, z1), (x1, y0, z1)),
        ((x1, y1, z0), (x0, y1, z0), (x0, y1, z1), (x1, y1, z1)),
        ((x0, y1, z0), (x0, y0, z0), (x0, y0, z1), (x0, y1, z1)),
    ]
    return [half for a, b, c, d in sides for half in ((a, b, c), (a, c, d))]


def turned(profile: Sequence[tuple[float, float]], around: int = 48) -> list[Triangle]:
    """A closed solid turned about the vertical; `profile` holds (radius, height) from the bottom up."""

    def at(radius: float, height: float, step: int) -> Point:
        angle = math.tau * (step % around) / around
        return (radius * math.cos(angle), radius * math.sin(angle), height)

    triangles: list[Triangle] = []
    for (r0, z0), (r1, z1) in pairwise(profile):
        for step in range(around):
            a, b = at(r0, z0, step), at(r0, z0, step + 1)
            c, d = at(r1, z1, step + 1), at(r1, z1, step)
            triangles += [(a, b, c), (a, c, d)]
    (bottom_r, bottom_z), (top_r, top_z) = profile[0], profile[-1]
    for step in range(around):
        triangles.append(
            ((0.0, 0.0, bottom_z), at(bottom_r, bottom_z, step + 1), at(bottom_r, bottom_z, step))
        )
        triangles.append(((0.0, 0.0, top_z), at(top_r, top_z, step), at(top_r, top_z, step + 1)))
    return triangles


def spinning_top() -> list[Triangle]:
    return turned([(3, 0), (18, 14), (20, 18), (19, 22), (6, 27), (4, 42)])


def binary_stl(triangles: Iterable[Triangle], header: bytes = b"a sample", count: int | None = None) -> bytes:
    """`count` lets the header lie."""
    records = [struct.pack("<12fH", 0, 0, 0, *a, *b, *c, 0) for a, b, c in triangles]
    number = len(records) if count is None else count
    return header.ljust(80, b"\0")[:80] + struct.pack("<I", number) + b"".join(records)


def text_stl(triangles: Iterable[Triangle], name: str = "sample", end: str = "\n") -> bytes:
    lines = [f"solid {name}"]
    for triangle in triangles:
        lines += ["  facet normal 0 0 0", "    outer loop"]
        lines += ["      vertex " + " ".join(f"{one:.6e}" for one in corner) for corner in triangle]
        lines += ["    endloop", "  endfacet"]
    return (end.join([*lines, f"endsolid {name}"]) + end).encode()
