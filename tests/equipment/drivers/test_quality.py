"""Each driver's QUALITY.md answers every line, and names tests that exist."""

import re
from pathlib import Path

import pytest

from equipment.drivers.registry import KINDS
from tests.fixtures.octoprint import PROJECT

HERE = Path(__file__).parent
LINES = [
    "connects, observes",
    "refuses bad credentials clearly",
    "never blocks longer than its time-out",
    "lost and back again, restart of either side",
    "slow and half answers",
    "two starts at once",
    "pushes instead of polling",
    "thumbnails, camera",
    "diagnostics with secrets removed",
    "tried on a real machine",
]


def page_of(kind: str) -> str:
    return (PROJECT / "equipment" / "drivers" / kind / "QUALITY.md").read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_every_line_is_answered_in_its_order(kind: str) -> None:
    answers = dict(
        re.findall(r"^\| ([a-z][^|]*?) \| (done|todo|exempt, because)\b", page_of(kind), re.MULTILINE)
    )
    assert [line for line in answers if line in LINES] == LINES


@pytest.mark.parametrize("kind", KINDS)
def test_every_test_that_a_page_names_exists(kind: str) -> None:
    here = HERE / kind if (HERE / kind).is_dir() else HERE
    named = re.findall(r"`((?:\.\./)?test_\w+)::(test_\w+)`", page_of(kind))
    assert named
    missing = [
        f"{file}::{test}"
        for file, test in named
        if not re.search(rf"\bdef {test}\(", (here / f"{file}.py").read_text())
    ]
    assert missing == []
