"""Starts in a storm (REL-14): at most one for each attempt, none on an old clearing; no job is lost, none is stuck."""

from pathlib import Path

import pytest

from tests.faults.runs import first_seed, keeping_seeds, times
from tests.faults.storm import storm

pytestmark = [pytest.mark.octoprint, pytest.mark.killed]

JOBS = times("FABLAB_STARTS", 4)
LONGEST_S = 120 + 45 * JOBS


def test_rel_14_jobs_on_three_printers_in_a_storm_are_started_once_each_and_come_to_an_end(
    tmp_path: Path,
) -> None:
    seed = first_seed(14)
    with keeping_seeds("starts", [seed]), storm(tmp_path, seed=seed, count=JOBS) as raging:
        raging.rage(LONGEST_S)
        print(raging.said())
        assert raging.found_wrong() == []
