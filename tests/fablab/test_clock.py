"""The site's own clock, on ordinary days and on every night from 2024 to 2035 on which clocks change."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fablab.core.clock import (
    Closed,
    Hours,
    NoSuchLocalTime,
    Span,
    TwiceLocalTime,
    closing_after,
    grid_starts,
    instants_of,
    is_open,
    local_day,
    local_to_utc,
    merged,
    midnight,
    opening_spans,
    wall_span,
    within,
    without,
)
from tests.clocks import (
    CHANGES,
    FIRST,
    JUMPS,
    LAST,
    MINUTE,
    NIGHTS,
    SETBACKS,
    STRANGE_CHANGES,
    ZONES,
    minutes_of,
    wall,
    world,
)
from tests.faults.runs import first_seed, times

DAILY = [Hours(weekday, 9 * 60, 18 * 60) for weekday in range(7)]
ALWAYS = [Hours(weekday, 0, 1440) for weekday in range(7)]
WORLDS = times("FABLAB_CLOCK_WORLDS", 10 * len(NIGHTS))
SEED = first_seed(0)


def paris(day: date, hour: int, minute: int = 0) -> datetime:
    return local_to_utc(datetime.combine(day, time(hour, minute)), "Europe/Paris")


def test_the_zones_under_test_include_some_whose_clocks_change_and_some_whose_never_do() -> None:
    changing = {change.zone for change in CHANGES}
    assert {"Europe/Paris", "Africa/Casablanca"} <= changing < set(ZONES)
    assert {change.at.year for change in CHANGES} == set(range(2024, 2036))
    # By how much, and from which hour: also where midnight is missing, comes twice, or is what the clocks jump to.
    assert {change.minutes for change in (*JUMPS, *SETBACKS)} == {-120, -60, -30, 30, 60, 120}
    assert {change.before.hour for change in STRANGE_CHANGES if change.minutes > 0} >= {0, 1, 2, 23}
    assert {change.after.hour for change in STRANGE_CHANGES if change.minutes < 0} >= {0, 1, 23}
    assert any(change.before.minute for change in STRANGE_CHANGES)


# --- days and wall times ----------------------------------------------------------------------------------


def test_the_local_day_is_the_one_on_the_sites_calendar_and_not_utcs() -> None:
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert local_day(late, "Europe/Paris") == date(2026, 11, 23)
    assert local_day(late, "America/Martinique") == date(2026, 11, 22)


def test_every_instant_is_found_again_from_its_wall_time() -> None:
    for zone, night in NIGHTS:
        shown: dict[datetime, list[datetime]] = {}
        for number in range(-360, 360):
            shown.setdefault(wall(night + number * MINUTE, zone), []).append(night + number * MINUTE)
        for number in range(-180, 180):
            clock = wall(night, zone) + number * MINUTE
            assert list(instants_of(clock, zone)) == shown.get(clock, []), (zone, clock)


def test_a_time_that_the_clocks_jump_over_is_refused_with_the_first_time_after_it() -> None:
    for jump in JUMPS:
        for late in range(jump.minutes):
            with pytest.raises(NoSuchLocalTime) as refusal:
                local_to_utc(jump.before + late * MINUTE, jump.zone)
            assert refusal.value.suggestion == jump.after, jump
            assert refusal.value.codes == ["no_such_local_time"]
            assert refusal.value.problems[0].params["suggestion"] == f"{jump.after:%H:%M}"
        assert local_to_utc(jump.after, jump.zone) == jump.at
        assert local_to_utc(jump.before - MINUTE, jump.zone) == jump.at - MINUTE


def test_a_time_that_comes_twice_is_told_apart_and_never_guessed() -> None:
    for setback in SETBACKS:
        for late in range(-setback.minutes):
            twice = setback.after + late * MINUTE
            with pytest.raises(TwiceLocalTime):
                local_to_utc(twice, setback.zone)
            second = setback.at + late * MINUTE
            assert local_to_utc(twice, setback.zone, second=True) == second, setback
            assert local_to_utc(twice, setback.zone, second=False) == second + setback.minutes * MINUTE
        # What comes once needs no answer, and one that is given does no harm.
        assert (
            local_to_utc(setback.before, setback.zone, second=False) == setback.at - setback.minutes * MINUTE
        )


def test_ten_o_clock_booked_in_winter_is_ten_o_clock_in_summer() -> None:
    days = [FIRST.date() + timedelta(days=number) for number in range((LAST - FIRST).days)]
    for zone in ZONES:
        for day in days:
            ten = datetime.combine(day, time(10))
            assert wall(local_to_utc(ten, zone), zone) == ten
    assert {paris(day, 10).hour for day in days} == {8, 9}


def test_a_day_is_as_long_as_the_clock_stands_on_it() -> None:
    for zone, night in NIGHTS:
        minutes = minutes_of(zone, night)
        for number in range(-2, 3):
            day = wall(night, zone).date() + timedelta(days=number)
            start, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
            assert (end - start) // MINUTE == (minutes.day == day.toordinal()).sum(), (zone, day)


# --- opening hours ----------------------------------------------------------------------------------------


def test_a_day_on_which_clocks_change_opens_and_closes_at_its_usual_wall_times() -> None:
    for change in CHANGES:
        zone, day = change.zone, change.after.date()
        spans = opening_spans(DAILY, [], zone, midnight(day, zone), midnight(day + timedelta(days=1), zone))
        assert [(wall(span.start, zone).hour, wall(span.end, zone).hour) for span in spans] == [(9, 18)]


def test_a_site_that_never_closes_has_days_of_23_or_25_hours() -> None:
    for change in CHANGES:
        start = midnight(change.after.date(), change.zone)
        end = midnight(change.after.date() + timedelta(days=1), change.zone)
        assert opening_spans(ALWAYS, [], change.zone, start, end) == [Span(start, end)]
        assert (end - start) / timedelta(hours=1) == {60: 23, -60: 25}[change.minutes], change


def test_a_site_is_open_when_a_clock_that_is_read_every_minute_says_so() -> None:
    for seed in range(SEED, SEED + WORLDS):
        here = world(seed)
        inside = here.open()
        expected = here.minutes.spans(inside)
        rules = here.hours, here.closures, here.zone

        assert opening_spans(*rules, here.from_, here.to, here.cuts) == expected, here.said
        # Between two minutes nothing changes.
        half = timedelta(seconds=30)
        assert opening_spans(*rules, here.from_ + half, here.to - half, here.cuts) == within(
            expected, here.from_ + half, here.to - half
        )
        at = here.from_ + here.chance.randrange((here.to - here.from_) // MINUTE) * MINUTE
        uncut = here.minutes.open(here.hours, here.closures, ())
        place = here.minutes.place(at)
        assert is_open(*rules, at) is bool(uncut[place]), here.said
        closing = closing_after(*rules, at)
        assert (closing is not None) is bool(uncut[place])
        if closing is not None and here.minutes.place(closing) < len(uncut):
            assert uncut[place : here.minutes.place(closing)].all(), here.said
            assert not uncut[here.minutes.place(closing)], here.said

        grid, length = (
            here.chance.choice([5, 10, 15, 20, 30, 45, 60, 90]),
            here.chance.choice([0, 30, 60, 180]),
        )
        for span in expected[:2]:
            places = range(here.minutes.place(span.start), here.minutes.place(span.end) - length + 1)
            on_grid = [here.minutes.at(one) for one in places if here.minutes.minute[one] % grid == 0]
            assert list(grid_starts(span, grid, length, here.zone)) == on_grid, here.said
    print(f"seeds {SEED} to {SEED + WORLDS - 1}")


def test_a_saturday_that_ends_after_midnight_is_open_on_sunday_morning() -> None:
    nights = [Hours(5, 20 * 60, 26 * 60)]
    sunday = paris(date(2026, 11, 22), 1, 30)
    assert is_open(nights, [], "Europe/Paris", sunday)
    assert not is_open(nights, [], "Europe/Paris", sunday + timedelta(minutes=30))


def test_a_saturday_until_two_is_no_longer_when_two_comes_twice_and_one_until_half_past_two_is() -> None:
    saturday, zone = date(2026, 10, 24), "Europe/Paris"
    assert wall_span(saturday, 20 * 60, 26 * 60, zone).minutes == 6 * 60
    assert wall_span(saturday, 20 * 60, 26 * 60 + 30, zone).minutes == 7.5 * 60
    assert wall_span(saturday, 20 * 60, 27 * 60, zone).minutes == 8 * 60
    march = date(2026, 3, 28)
    assert wall_span(march, 20 * 60, 26 * 60 + 30, zone) == wall_span(march, 20 * 60, 27 * 60, zone)
    assert wall_span(march, 26 * 60, 27 * 60, zone).minutes == 0


def test_closing_time_is_the_end_of_the_opening_that_runs_now() -> None:
    at = paris(date(2026, 11, 23), 10)
    assert closing_after(DAILY, [], "Europe/Paris", at) == paris(date(2026, 11, 23), 18)
    assert closing_after(DAILY, [], "Europe/Paris", at - timedelta(hours=2)) is None
    assert closing_after(DAILY, [Closed(date(2026, 11, 23), date(2026, 11, 23))], "Europe/Paris", at) is None


def test_a_place_that_closes_for_good_is_closed_from_then_on() -> None:
    monday, zone = date(2026, 11, 23), "Europe/Paris"
    for_good = [Closed(monday, date.max)]
    for before in (ALWAYS, DAILY):
        spans = opening_spans(before, for_good, zone, midnight(monday, zone) - timedelta(days=3), LAST)
        assert spans[-1].end == closing_after(before, for_good, zone, paris(date(2026, 11, 22), 10))
        assert spans[-1].end <= midnight(monday, zone)
    assert opening_spans(ALWAYS, [Closed(date.min, date.max)], zone, FIRST, LAST) == []


def test_hours_that_touch_are_one_opening() -> None:
    halves = [Hours(0, 9 * 60, 13 * 60), Hours(0, 13 * 60, 18 * 60)]
    at = paris(date(2026, 11, 23), 10)
    assert closing_after(halves, [], "Europe/Paris", at) == at + timedelta(hours=8)


# --- spans and the grid -----------------------------------------------------------------------------------

spans_ = st.lists(
    st.tuples(st.integers(0, 200), st.integers(1, 40)).map(
        lambda pair: Span(FIRST + timedelta(minutes=pair[0]), FIRST + timedelta(minutes=sum(pair)))
    ),
    max_size=12,
)


def minutes_in(spans: list[Span]) -> set[int]:
    return {
        int((span.start - FIRST).total_seconds()) // 60 + minute
        for span in spans
        for minute in range(int(span.minutes))
    }


@given(spans_, spans_)
def test_taking_spans_away_leaves_exactly_the_minutes_that_are_in_the_one_and_not_in_the_other(
    some: list[Span], taken: list[Span]
) -> None:
    assert minutes_in(merged(some)) == minutes_in(some)
    assert minutes_in(without(merged(some), taken)) == minutes_in(some) - minutes_in(taken)


def test_an_hour_that_comes_twice_is_offered_twice_and_a_skipped_one_never() -> None:
    back = midnight(date(2026, 10, 25), "Europe/Paris")
    night = list(grid_starts(Span(back, back + timedelta(hours=5)), 60, 60, "Europe/Paris"))
    assert [wall(at, "Europe/Paris").hour for at in night] == [0, 1, 2, 2, 3]
    jump = midnight(date(2026, 3, 29), "Europe/Paris")
    night = list(grid_starts(Span(jump, jump + timedelta(hours=5)), 60, 60, "Europe/Paris"))
    assert [wall(at, "Europe/Paris").hour for at in night] == [0, 1, 3, 4, 5]
