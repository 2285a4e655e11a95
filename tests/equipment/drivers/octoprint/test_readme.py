"""The README's program runs as it stands, outside Django; QUALITY.md knows every pitfall."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.equipment.drivers.octoprint.helpers import Gcode, a_name
from tests.fixtures.octoprint import PROJECT, OctoPrint, starts_in_log

README = PROJECT / "equipment" / "drivers" / "octoprint" / "README.md"


@pytest.mark.octoprint
def test_the_readmes_program_prints_a_file_and_loads_no_django(
    octoprint: OctoPrint, gcode: Gcode, tmp_path: Path
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(example.strip().splitlines()) <= 20
    program = tmp_path / "example.py"
    program.write_text(example + '\nassert "django" not in sys.modules\n')
    part = gcode(3).rename(tmp_path / a_name())

    done = subprocess.run(
        [sys.executable, program, octoprint.url, octoprint.operator_key, f"127.0.0.1:{octoprint.port}", part],
        env={"PYTHONPATH": str(PROJECT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert "print_done" in done.stdout
    assert f"fl/{part.name}" in [start.path for start in starts_in_log(octoprint)]


def test_the_quality_page_answers_every_pitfall() -> None:
    page = README.with_name("QUALITY.md").read_text()
    answers = re.findall(r"^\| (\d+) \| .+ \| (done|exempt, because)", page, re.MULTILINE)
    assert [int(number) for number, _ in answers] == list(range(1, 27))
