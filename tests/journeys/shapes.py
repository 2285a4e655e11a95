"""Small things to print."""

import math
import struct
from itertools import product

from tests.samples import shapes


def tile(width: float, depth: float, height: float) -> bytes:
    """Return a closed box of this size in mm as binary STL."""
    corners = [(x, y, z) for z, y, x in product((0.0, height), (0.0, depth), (0.0, width))]
    faces = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    triangles = [triangle for a, b, c, d in faces for triangle in ((a, b, c), (a, c, d))]
    body = b"".join(
        struct.pack("<12fH", 0, 0, 0, *corners[a], *corners[b], *corners[c], 0) for a, b, c in triangles
    )
    return b"a tile".ljust(80, b"\0") + struct.pack("<I", len(triangles)) + body


def vase() -> bytes:
    """Return a small vase as binary STL: it is sliced in a second and printed in half a minute."""
    steps, height = 12, 6.0
    wall = [(4 + 1.5 * math.sin(math.tau * step / steps), height * step / steps) for step in range(steps + 1)]
    return shapes.binary_stl(shapes.turned([(0.0, 0.0), *wall, (0.0, height)], around=36), header=b"a vase")


def square_lasting(seconds: float, remark: str = "", padding: int = 0) -> bytes:
    """Return the G-code of a small square, then of waiting about so long, so that completion rises evenly.

    ``remark`` makes two files differ; ``padding`` makes this one longer by so many bytes.
    """
    head = ["; a square for tests", remark, *["; padding" * 10] * (padding // 100)]
    # Hot to begin with: these printers are warm, so that no test waits for a nozzle.
    hot = ["G21", "G90", "M82", "M104 S205", "M109 S205", "M106 S255", "G28", "G92 E0", "G1 Z0.2 F6000"]
    square = [
        "G1 X50 Y50 F6000",
        "G1 X90 Y50 E2",
        "G1 X90 Y90 E4",
        "G1 X50 Y90 E6",
        "G1 X50 Y50 E8",
        "G1 Z10",
    ]
    waits = ["G4 P100"] * max(1, round(seconds * 10))
    end = [
        "M104 S0",
        "M107",
        "M84",
        "; estimated printing time (normal mode) = 2m 0s",
        "; filament_type = PLA",
    ]
    return "\n".join([*head, *hot, *square, *waits, *end, ""]).encode()
