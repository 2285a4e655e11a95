"""Small models to print."""

import struct
from itertools import product


def tile(width: float, depth: float, height: float) -> bytes:
    """Return a closed box of this size in mm as binary STL."""
    corners = [(x, y, z) for z, y, x in product((0.0, height), (0.0, depth), (0.0, width))]
    faces = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    triangles = [triangle for a, b, c, d in faces for triangle in ((a, b, c), (a, c, d))]
    body = b"".join(
        struct.pack("<12fH", 0, 0, 0, *corners[a], *corners[b], *corners[c], 0) for a, b, c in triangles
    )
    return b"a tile".ljust(80, b"\0") + struct.pack("<I", len(triangles)) + body
