"""Every fault case and every rule of reliability has its tests, at the level it asks for, and they exist."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.faults.cases import CASES
from tests.faults.levels import Case, Level, Proof
from tests.faults.rules import RULES

PROJECT = Path(__file__).resolve().parents[2]
ALL = (*CASES, *RULES)
DATABASE = {"db", "transactional_db"}


@cache
def collected() -> dict[str, dict[str, Any]]:
    """What pytest itself finds in the named files: node id without parameters -> markers and fixtures."""
    files = sorted({proof.file for case in ALL for proof in case.proofs})
    missing = [file for file in files if not (PROJECT / file).exists()]
    assert not missing, f"files of tests that do not exist: {missing}"
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "tests.faults.collecting", *files],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    line = next((one for one in found.stdout.splitlines() if one.startswith("{")), None)
    assert line, f"pytest could not collect:\n{found.stdout[-3000:]}{found.stderr[-3000:]}"
    return dict(json.loads(line))


def has_level(proof: Proof, found: dict[str, Any]) -> bool:
    """Say whether a test is marked as what its level says it is."""
    marks, database = (
        set(found["marks"]),
        bool(DATABASE & set(found["fixtures"])) or "django_db" in found["marks"],
    )
    match proof.level:
        case Level.R:
            return "octoprint" in marks
        case Level.K:
            return "killed" in marks
        case Level.B:
            return "browser" in marks
        case Level.D:
            return database and not marks & {"octoprint", "browser"}
        case Level.F:
            return "browser" not in marks
        case Level.U:
            return not database and not marks & {"octoprint", "browser", "killed"}


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_a_case_has_a_test_at_each_level_it_asks_for(case: Case) -> None:
    assert {str(proof.level) for proof in case.proofs} >= set(case.levels)


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_its_tests_exist_and_are_what_their_level_says(case: Case) -> None:
    for proof in case.proofs:
        found = collected().get(proof.path)
        assert found is not None, f"{proof.path} does not exist"
        assert has_level(proof, found), f"{proof.path} is not marked as a test of level {proof.level}"


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_every_case_runs_in_make_test_and_not_only_in_the_soak(case: Case) -> None:
    for level in case.levels:
        tests = [proof for proof in case.proofs if proof.level == level]
        assert any("soak" not in collected()[proof.path]["marks"] for proof in tests), f"level {level}"


def test_the_thirty_cases_are_thirty_and_the_rules_are_all_there() -> None:
    assert [case.name for case in CASES] == [str(number) for number in range(1, 31)]
    assert [rule.name for rule in RULES] == [f"REL-{number}" for number in (*range(1, 15), *range(17, 24))]


def test_a_test_that_is_missing_or_misnamed_would_be_seen() -> None:
    known = collected()
    assert "tests/jobs/supervision/test_faults.py::test_that_nobody_wrote" not in known
    pure = next(proof for case in CASES for proof in case.proofs if proof.level is Level.U)
    assert not has_level(Proof(Level.R, pure.test), known[pure.path])
    assert not has_level(Proof(Level.K, pure.test), known[pure.path])
