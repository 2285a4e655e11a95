"""A machine file of any size is read in one pass and flat memory."""

import subprocess
import sys
from pathlib import Path

import pytest

from jobs.inspection.formats import gcode
from jobs.inspection.sandbox import PROJECT
from jobs.inspection.toolpath import Toolpath
from tests.samples import printing

MEASURE = """
import re, sys
from pathlib import Path
from jobs.inspection.formats import gcode
from jobs.inspection.toolpath import Toolpath
report = gcode.read(Path(sys.argv[1]), Toolpath(100_000))
peak = re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())
print(int(peak[1]) // 1024, report.facts["lines"], report.blocked)
"""


def written(path: Path, megabytes: int) -> Path:
    body = ("G92 E0\n" + "\n".join(printing.walls()) + "\n").encode() * 40
    with path.open("wb") as out:
        out.write(printing.text(cool=()))
        while out.tell() < megabytes * 1_000_000:
            out.write(body)
        out.write(("\n".join(printing.COOL) + "\n").encode())
    return path


def test_forty_megabytes_are_read_in_less_than_fifty_of_memory(tmp_path: Path) -> None:
    path = written(tmp_path / "large.gcode", 40)
    measured = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    megabytes, lines, _ = measured.stdout.split()
    assert int(megabytes) < 50
    assert int(lines) > 1_000_000


def test_a_line_without_end_is_given_up_early(tmp_path: Path) -> None:
    path = tmp_path / "endless.gcode"
    with path.open("wb") as out:
        out.write(b"G28\n;" + b"a" * 1000)
        out.seek(300_000_000)
        out.write(b"\n")
    assert [one.code for one in gcode.read(path).findings] == ["binary_bytes"]


def test_a_toolpath_keeps_its_size_and_its_top(tmp_path: Path) -> None:
    toolpath = Toolpath(most=1000)
    for layer in range(500):
        for step in range(100):
            toolpath.add(step, 0, step + 1, 0, layer / 5)
    assert toolpath.segments <= 1100
    assert list(toolpath.pieces())[-1][-1] == pytest.approx(499 / 5)
