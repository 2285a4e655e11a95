"""How a time reads on the site's clock (``fablab.core.times``), also on the nights on which clocks change."""

from datetime import timedelta

import pytest
from django.utils import translation

from fablab.core.times import QUARTER, clock_time, nearest_quarter, next_quarter
from fablab.dashboard.formats import around
from tests.clocks import JUMPS, MINUTE, SETBACKS, STRANGE, wall


def test_an_hour_that_comes_twice_says_which_one_it_is_and_every_other_does_not() -> None:
    for setback in SETBACKS:
        width = -setback.minutes * MINUTE
        with translation.override("en"):
            first, second = (clock_time(at, setback.zone) for at in (setback.at - width, setback.at))
            before, after = (
                clock_time(at, setback.zone) for at in (setback.at - width - MINUTE, setback.at + width)
            )
        shown = f"{setback.after:%H:%M}"
        assert (first, second) == (f"{shown} (first time)", f"{shown} (second time)"), setback
        assert "time" not in before + after
    for jump in JUMPS:
        with translation.override("fr"):
            assert "fois" not in clock_time(jump.at - MINUTE, jump.zone) + clock_time(jump.at, jump.zone)


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_which_of_two_it_is_reads_in_every_language(language: str) -> None:
    october = SETBACKS[0]
    with translation.override(language):
        told = clock_time(october.at, october.zone)
    assert told == {"fr": "2 h (2e fois)", "ar": "02:00 (المرة الثانية)"}[language]


def test_an_estimate_is_told_by_the_quarter_and_never_as_a_time_that_the_clock_jumps_over() -> None:
    for change in (*JUMPS, *SETBACKS):
        for number in range(-70, 70):
            at = change.at + number * MINUTE + timedelta(seconds=20)
            near, later = nearest_quarter(at, change.zone), next_quarter(at, change.zone)
            assert wall(near, change.zone).minute % 15 == wall(later, change.zone).minute % 15 == 0
            assert abs(near - at) <= QUARTER / 2
            assert timedelta() <= later - at < QUARTER
            assert near.second == later.second == near.microsecond == later.microsecond == 0
    (paris,) = [jump for jump in JUMPS if jump.zone == "Europe/Paris" and jump.at.year == 2026]
    with translation.override("fr"):
        assert around(paris.at - 2 * MINUTE, paris.zone) == "3 h"
    assert "Pacific/Chatham" in STRANGE  # whose clocks change at a quarter to three
