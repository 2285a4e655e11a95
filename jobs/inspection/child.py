"""The reading child: one request on standard input, one report on standard output. Started by `sandbox` only.

The report goes out before the picture is drawn: a picture that takes too long costs only the picture.
"""

import contextlib
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from .codes import finding
from .findings import JSON, Report
from .layout import DoesNotFit, Layout
from .limits import Frame
from .registry import examine


def main() -> None:
    request = json.loads(sys.stdin.buffer.read())
    try:
        report, content = examine(Path(request["source"]), request["name"], request["picture"])
        if request["bare"] is not None and content and content.write and not report.blocked:
            with contextlib.suppress(DoesNotFit):
                content.write(Path("bare"), Layout.from_json(request["bare"]))
    except MemoryError:
        report, content = Report("", findings=(finding("unreadable", why="too_complex"),)), None
    confined: list[JSON] = [*os.environ.get("CONFINED", "").split()]
    report = replace(report, facts={**report.facts, "confined": confined})
    sys.stdout.write(json.dumps(report.as_json(), allow_nan=False))
    sys.stdout.flush()
    if content is not None and request["picture"]:
        unfinished = Path("picture.part")
        unfinished.write_bytes(content.draw([Frame(*one) for one in request["frames"]]))
        unfinished.rename("picture.png")


if __name__ == "__main__":
    main()
