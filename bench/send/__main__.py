"""A file of 200 MB to a real OctoPrint: our driver, which proves it there, beside curl, which does not.

``python -m bench.send --help``
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from bench.measure import Child, circumstances, keep
from tests.fixtures.octoprint import OctoPrint, running

LINE = b"G1 X10.000 Y10.000 E0.12345 F1800\n"
MOST_MB = 500
LIMIT_S = 600


def make_file(path: Path, megabytes: int) -> None:
    """Write moves until the file is so large."""
    piece = LINE * (1_000_000 // len(LINE))
    with path.open("wb") as file:
        while file.tell() < megabytes * 1_000_000:
            file.write(piece)


def by_driver(server: OctoPrint, file: Path, name: str) -> dict[str, Any]:
    """Read, hash, send, and read back size and hash, as supervision does."""
    with Child(["-m", "bench.send.carrier", str(file), server.url, server.operator_key]) as carrier:
        carrier.hear()
        cpu = carrier.cpu_seconds()
        carrier.say(name=name)
        found: dict[str, Any] = carrier.hear()
        return {**found, "cpu_s": carrier.cpu_seconds() - cpu}


def by_curl(server: OctoPrint, file: Path, name: str) -> dict[str, Any]:
    """The same bytes by ``curl -F``."""
    began = time.monotonic()
    fields = ["path=fl", "noOverwrite=true", f"file=@{file};filename={name}"]
    form = [word for field in fields for word in ("-F", field)]
    quietly = ["--silent", "--show-error", "--fail", "--output", "/dev/null", "--max-time", str(LIMIT_S)]
    key = ["-H", f"X-Api-Key: {server.operator_key}"]
    subprocess.run(["curl", *quietly, *key, *form, f"{server.url}/api/files/local"], check=True)
    return {"seconds": time.monotonic() - began}


def forget(server: OctoPrint, path: str) -> None:
    """Remove a file from the server."""
    question = urllib.request.Request(
        f"{server.url}/api/files/local/{path}", headers={"X-Api-Key": server.api_key}, method="DELETE"
    )
    with urllib.request.urlopen(question, timeout=30) as answer:
        answer.read()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.send", description=__doc__)
    parser.add_argument("--megabytes", default="20,200", help="sizes, in MB (20,200; at most 500)")
    parser.add_argument("--times", type=int, default=3, help="each, in turn (3)")
    arguments = parser.parse_args()
    result: dict[str, Any] = {**circumstances(), "cells": []}
    with tempfile.TemporaryDirectory(prefix="fablab-bench-") as folder, running() as (servers, _):
        (server,) = servers
        for megabytes in (min(MOST_MB, int(size)) for size in arguments.megabytes.split(",")):
            file = Path(folder) / f"{megabytes}.gcode"
            make_file(file, megabytes)
            taken: dict[str, list[dict[str, Any]]] = {"driver": [], "curl": []}
            for turn in range(arguments.times):
                taken["curl"].append(by_curl(server, file, f"curl-{megabytes}-{turn}.gcode"))
                forget(server, f"fl/curl-{megabytes}-{turn}.gcode")
                taken["driver"].append(by_driver(server, file, f"ours-{megabytes}-{turn}.gcode"))
            row = summary(megabytes, taken)
            print(json.dumps(row), flush=True)
            result["cells"].append(row)
            file.unlink()
    print(keep("send", result))


def summary(megabytes: int, taken: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return medians, and what memory the upload added at its peak."""
    ours, curl = (statistics.median(one["seconds"] for one in taken[what]) for what in ("driver", "curl"))
    return {
        "megabytes": megabytes,
        "driver_s": round(ours, 2),
        "curl_s": round(curl, 2),
        "times_curl": round(ours / curl, 2),
        "driver_cpu_s": round(statistics.median(one["cpu_s"] for one in taken["driver"]), 2),
        "memory_added_mb": round(max(one["most_mb"] - one["before_mb"] for one in taken["driver"]), 1),
        "most_mb": round(max(one["most_mb"] for one in taken["driver"]), 1),
    }


if __name__ == "__main__":
    main()
