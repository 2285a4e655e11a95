"""The reading child: one request on standard input, one report on standard output. Started by `sandbox` only."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from .codes import finding
from .findings import JSON, Report
from .registry import read


def main() -> None:
    request = json.loads(sys.stdin.buffer.read())
    picture = Path.cwd() / "picture.png" if request["picture"] else None
    mesh = Path.cwd() / "mesh.stl" if request["mesh"] else None
    try:
        report = read(Path(request["source"]), request["name"], picture, mesh)
    except MemoryError:
        report = Report("", findings=(finding("unreadable", why="too_complex"),))
    confined: list[JSON] = [*os.environ.get("CONFINED", "").split()]
    report = replace(report, facts={**report.facts, "confined": confined})
    sys.stdout.write(json.dumps(report.as_json(), allow_nan=False))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
