"""What comes back every week (``fablab.core.recurring``), on the wall clock of every zone and over every change."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from fablab.core.clock import FIRST_YEAR, LAST_YEAR, Hours, opening_spans
from fablab.core.errors import Malformed, Problem
from fablab.core.recurring import LONGEST_PAUSE, MOST, Occurrence, Weekly, occurrences
from tests.clocks import FIRST, LAST, NIGHTS, ZONES, wall, world
from tests.faults.runs import first_seed, times

WORLDS = times("FABLAB_CLOCK_WORLDS", 10 * len(NIGHTS))
SEED = first_seed(0)
ONE_DAY = timedelta(days=1)
TUESDAYS = Weekly(frozenset({1}), 10 * 60, 12 * 60, date(2026, 9, 1), date(2026, 12, 31))
NIGHT = replace(TUESDAYS, weekdays=frozenset({5}), starts=22 * 60)  # Saturdays


def days_of(rule: Weekly) -> list[date]:
    """Go through all days, one after the other."""
    monday = rule.first - timedelta(days=rule.first.weekday())
    every = [rule.first + timedelta(days=number) for number in range((rule.last - rule.first).days + 1)]
    return [
        day
        for day in every
        if day.weekday() in rule.weekdays
        and (day - monday).days // 7 % rule.every == 0
        and day not in rule.except_days
    ]


def test_ten_o_clock_every_tuesday_is_ten_o_clock_on_every_tuesday_of_twelve_years() -> None:
    for zone in ZONES:
        rule = replace(TUESDAYS, first=FIRST.date(), last=LAST.date() - ONE_DAY)
        found: list[Occurrence] = []
        for year in range(2024, 2036):
            found += occurrences(rule, zone, within=(date(year, 1, 1), date(year, 12, 31)))
        assert [one.day for one in found] == days_of(rule)
        for one in found:
            assert one.problem is None and one.start is not None and one.end is not None
            assert wall(one.start, zone) == datetime.combine(one.day, time(10))
            assert one.end - one.start == timedelta(hours=2)


def test_each_occurrence_is_the_time_at_which_a_clock_read_every_minute_stands_between_the_two_times() -> (
    None
):
    for seed in range(SEED, SEED + WORLDS):
        here = world(seed)
        chance, tonight = here.chance, wall(here.minutes.at(5 * 1440), here.zone).date()
        hours = chance.choice(here.hours)
        rule = Weekly(
            weekdays=frozenset(chance.sample(range(7), chance.randint(1, 7))),
            starts=hours.opens,
            ends=hours.closes,
            first=tonight - timedelta(days=chance.randint(0, 300)),
            last=tonight + timedelta(days=chance.randint(0, 300)),
            every=chance.choice([1, 1, 2, 3, 5]),
            except_days=frozenset(tonight + timedelta(days=chance.randint(-3, 3)) for _ in range(2)),
        )
        told = f"{here.said}, {rule}"
        around = tonight - timedelta(days=3), tonight + timedelta(days=2)

        found = occurrences(rule, here.zone, within=around)

        assert [one.day for one in found] == [
            day for day in days_of(rule) if around[0] <= day <= around[1]
        ], told
        for one in found:
            standing = here.minutes.standing(one.day, rule.starts, rule.ends)
            if standing.start == standing.stop:
                assert one == Occurrence(one.day, None, None, "series_time_missing"), told
            else:
                start, end = here.minutes.at(standing.start), here.minutes.at(standing.stop)
                assert one == Occurrence(one.day, start, end), told
                # Whoever is on duty during the opening hours is there for exactly as long as it is open.
                opening = Hours(one.day.weekday(), rule.starts, rule.ends)
                spans = opening_spans([opening], [], here.zone, start - ONE_DAY, end + ONE_DAY)
                assert (start, end) in spans
    print(f"seeds {SEED} to {SEED + WORLDS - 1}")


def test_every_second_week_counts_from_the_week_of_the_first_day_however_late_one_looks() -> None:
    rule = replace(TUESDAYS, weekdays=frozenset({0, 3}), every=2, first=date(2026, 9, 2))
    whole = occurrences(rule, "Europe/Paris")
    # Wednesday 2 September: its week's Thursday counts, its Monday is over.
    assert [one.day for one in whole[:4]] == [
        date(2026, 9, 3),
        date(2026, 9, 14),
        date(2026, 9, 17),
        date(2026, 9, 28),
    ]
    for day in (date(2026, 8, 1), date(2026, 9, 7), date(2026, 11, 11), date(2026, 12, 31)):
        later = occurrences(rule, "Europe/Paris", within=(day, date(2027, 6, 1)))
        assert later == [one for one in whole if one.day >= day]


def test_a_night_of_duty_is_an_hour_longer_or_shorter_only_when_the_hour_lies_within_it() -> None:
    def lengths(ends: int) -> set[float]:
        found = occurrences(replace(NIGHT, ends=ends, first=date(2026, 3, 1)), "Europe/Paris")
        return {(one.end - one.start) / timedelta(hours=1) for one in found if one.start and one.end}

    assert lengths(26 * 60) == {4}
    assert lengths(26 * 60 + 30) == {4, 4.5, 5.5}
    assert lengths(27 * 60) == {4, 5, 6}
    assert lengths(32 * 60) == {9, 10, 11}


def test_a_time_that_is_jumped_over_as_a_whole_is_told_and_the_other_weeks_stand() -> None:
    rule = replace(
        NIGHT, weekdays=frozenset({6}), starts=120, ends=180, first=date(2026, 3, 22), last=date(2026, 4, 5)
    )
    found = occurrences(rule, "Europe/Paris")
    assert [(one.day.day, one.problem) for one in found] == [
        (22, None),
        (29, "series_time_missing"),
        (5, None),
    ]
    assert (found[1].start, found[1].end) == (None, None)


def test_a_series_has_an_end_and_exceptions_do_not_count() -> None:
    daily = replace(TUESDAYS, weekdays=frozenset(range(7)), first=date(2026, 1, 1), last=date(2026, 7, 19))
    assert len(occurrences(daily, "Europe/Paris")) == MOST
    longer = replace(daily, last=daily.last + ONE_DAY)
    with pytest.raises(Malformed) as refusal:
        occurrences(longer, "Europe/Paris")
    assert refusal.value.problems == (Problem("series_too_long", {"most": MOST}, "last"),)
    assert (
        len(occurrences(replace(longer, except_days=frozenset({date(2026, 5, 5)})), "Europe/Paris")) == MOST
    )
    # What is looked at counts, not how long the rule runs; and a year 2200 takes no longer than a week.
    endless = replace(daily, last=date(LAST_YEAR, 12, 31))
    assert len(occurrences(endless, "Europe/Paris", within=(date(2199, 12, 26), date(2200, 1, 1)))) == 7


def test_no_day_at_all_is_an_empty_list() -> None:
    assert occurrences(replace(TUESDAYS, first=date(2026, 9, 2), last=date(2026, 9, 7)), "Europe/Paris") == []
    assert occurrences(TUESDAYS, "Europe/Paris", within=(date(2027, 1, 1), date(2027, 2, 1))) == []
    assert occurrences(TUESDAYS, "Europe/Paris", within=(date(2026, 10, 2), date(2026, 10, 1))) == []


@pytest.mark.parametrize(
    ("wrong", "problems"),
    [
        ({"weekdays": frozenset()}, {("series_without_weekday", "weekdays")}),
        ({"weekdays": frozenset({1, 7})}, {("series_without_weekday", "weekdays")}),
        ({"ends": 600}, {("series_hours_make_no_sense", "ends")}),
        ({"ends": 2881}, {("series_hours_make_no_sense", "ends")}),
        ({"starts": 1440, "ends": 1500}, {("series_hours_make_no_sense", "ends")}),
        ({"starts": -1}, {("series_hours_make_no_sense", "ends")}),
        ({"every": 0}, {("series_every_out_of_range", "every")}),
        ({"every": LONGEST_PAUSE + 1}, {("series_every_out_of_range", "every")}),
        ({"last": date(9999, 12, 31)}, {("series_year_out_of_range", "last")}),
        (
            {
                "weekdays": frozenset(),
                "starts": 700,
                "ends": 60,
                "every": -1,
                "last": date(FIRST_YEAR - 1, 1, 1),
            },
            {
                ("series_without_weekday", "weekdays"),
                ("series_hours_make_no_sense", "ends"),
                ("series_every_out_of_range", "every"),
                ("series_ends_before_it_begins", "last"),
                ("series_year_out_of_range", "last"),
            },
        ),
    ],
)
def test_everything_that_is_wrong_with_a_rule_is_told_at_once(
    wrong: dict[str, object], problems: set[tuple[str, str]]
) -> None:
    values = {name: getattr(TUESDAYS, name) for name in TUESDAYS.__dataclass_fields__} | wrong
    with pytest.raises(Malformed) as refusal:
        occurrences(Weekly(**values), "Europe/Paris")
    assert {(problem.code, problem.field) for problem in refusal.value.problems} == problems
    assert len(refusal.value.problems) == len(problems)
