"""The reading child: one request on standard input, one report on standard output. Started by `sandbox` only.

The report goes out before the picture is drawn: a picture that takes too long costs only the picture.
"""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from .codes import finding
from .findings import JSON, Report
from .registry import examine


def main() -> None:
    request = json.loads(sys.stdin.buffer.read())
    mesh = Path("mesh.stl") if request["mesh"] else None
    try:
        report, draw = examine(Path(request["source"]), request["name"], mesh, request["picture"])
    except MemoryError:
        report, draw = Report("", findings=(finding("unreadable", why="too_complex"),)), None
    confined: list[JSON] = [*os.environ.get("CONFINED", "").split()]
    report = replace(report, facts={**report.facts, "confined": confined})
    sys.stdout.write(json.dumps(report.as_json(), allow_nan=False))
    sys.stdout.flush()
    if draw is not None:
        unfinished = Path("picture.part")
        unfinished.write_bytes(draw())
        unfinished.rename("picture.png")


if __name__ == "__main__":
    main()
