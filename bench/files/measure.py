"""How fast files are judged, beside a bare loop over the same lines. Usage: python -m bench.files.measure [OUT.json]

Shapes are made on the spot: rippled closed spheres of about 100 000 and 1 000 000 triangles, and 100 MB of moves.
Peak memory is the reading child's, picture included.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from jobs.inspection.formats import gcode
from jobs.inspection.mesh import Triangles, write_stl
from jobs.inspection.sandbox import inspect_file
from tests.samples import printing


def rippled(around: int, along: int) -> Triangles:
    """A closed sphere of 2 * around * (along - 1) triangles with waves on it, about 64 mm wide."""
    turn = np.linspace(0, 2 * np.pi, around, endpoint=False)
    rise = np.linspace(0, np.pi, along + 1)[1:-1]
    u, v = np.meshgrid(turn, rise)
    radius = 30 + 2 * np.sin(9 * u) * np.sin(7 * v) * np.sin(v) ** 2
    place = np.stack(
        (radius * np.sin(v) * np.cos(u), radius * np.sin(v) * np.sin(u), radius * np.cos(v)), axis=-1
    )
    place = place.astype(np.float32)
    following = np.roll(place, -1, axis=1)
    a, b, c, d = place[:-1], following[:-1], following[1:], place[1:]
    top, bottom = np.zeros_like(place[0]), np.zeros_like(place[0])
    top[:, 2], bottom[:, 2] = 30, -30
    parts = [np.stack((a, d, c), axis=2), np.stack((a, c, b), axis=2)]
    caps = [
        np.stack((top, place[0], following[0]), axis=1),
        np.stack((bottom, following[-1], place[-1]), axis=1),
    ]
    return np.concatenate([*(part.reshape(-1, 3, 3) for part in parts), *caps])


def model(folder: Path, around: int, along: int) -> dict[str, float]:
    path = folder / "model.stl"
    triangles = rippled(around, along)
    write_stl(triangles, path)
    began = time.perf_counter()
    report = inspect_file(path, path.name, folder / "picture.png")
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    if report.blocked:
        raise SystemExit(f"not judged as sound: {report.findings}")
    return {"triangles": len(triangles), "seconds": round(seconds, 2), "largest_child_so_far_mb": round(peak)}


def moves(folder: Path, megabytes: int) -> dict[str, float]:
    path = folder / "moves.gcode"
    body = ("G92 E0\n" + "\n".join(printing.walls()) + "\n").encode() * 40
    with path.open("wb") as out:
        out.write(printing.text(cool=()))
        while out.tell() < megabytes * 1_000_000:
            out.write(body)
        out.write("\n".join(printing.COOL).encode())
    began = time.process_time()
    lines = 0
    with path.open("rb") as stream:
        for _ in stream:
            lines += 1
    bare = time.process_time() - began
    began = time.process_time()
    gcode.read(path)
    judged = time.process_time() - began
    return {
        "megabytes": megabytes,
        "lines": lines,
        "bare_loop_lines_a_second": round(lines / bare),
        "judged_lines_a_second": round(lines / judged),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results = {
            "model_100k": model(folder, 224, 225),
            "model_1m": model(folder, 707, 708),
            "moves_100mb": moves(folder, 100),
        }
    text = json.dumps(results, indent=1)
    print(text)
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text + "\n")


if __name__ == "__main__":
    main()
