"""The site's own clock, on ordinary days and on the two nights a year on which clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
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
    within,
    without,
)

ZONES = (
    "Europe/Paris",
    "Africa/Tunis",
    "Indian/Mayotte",
    "Indian/Reunion",
    "America/Martinique",
    "Africa/Casablanca",
    "Africa/Dakar",
)
DAILY = [Hours(weekday, 9 * 60, 18 * 60) for weekday in range(7)]
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)

zones = st.sampled_from(ZONES)
moments = st.datetimes(
    min_value=FIRST.replace(tzinfo=None), max_value=LAST.replace(tzinfo=None), timezones=st.just(UTC)
).map(lambda at: at.replace(microsecond=0))
weeks = st.lists(
    st.builds(
        lambda weekday, opens, length: Hours(weekday, opens, min(opens + length, 2880)),
        st.integers(0, 6),
        st.integers(0, 1439),
        st.integers(1, 1440),
    ),
    max_size=10,
)


def changes_of(zone: str) -> list[datetime]:
    """Return the instants at which a zone's clocks change, 2024 to 2035, to the minute."""
    tz, found = ZoneInfo(zone), []
    day = FIRST
    while day < LAST:
        following = day + timedelta(days=1)
        if day.astimezone(tz).utcoffset() != following.astimezone(tz).utcoffset():
            early, late = day, following
            while late - early > timedelta(minutes=1):
                middle = early + timedelta(minutes=int((late - early).total_seconds()) // 120)
                if middle.astimezone(tz).utcoffset() == day.astimezone(tz).utcoffset():
                    early = middle
                else:
                    late = middle
            found.append(late)
        day = following
    return found


CHANGES = [(zone, at) for zone in ZONES for at in changes_of(zone)]
JUMPS = [
    (zone, at)
    for zone, at in CHANGES
    # Forward: in the two minutes around the change the wall clock moves by more than two minutes.
    if at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    > (at - timedelta(minutes=2)).astimezone(ZoneInfo(zone)).replace(tzinfo=None) + timedelta(minutes=2)
]
SETBACKS = [change for change in CHANGES if change not in JUMPS]


def wall(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def paris(day: date, hour: int, minute: int = 0) -> datetime:
    return local_to_utc(datetime.combine(day, time(hour, minute)), "Europe/Paris")


def test_the_zones_under_test_include_some_whose_clocks_change_and_some_whose_never_do() -> None:
    changing = {zone for zone, _ in CHANGES}
    assert changing == {"Europe/Paris", "Africa/Casablanca"}
    assert len(JUMPS) >= 20
    assert len(SETBACKS) >= 20


# --- days and wall times ----------------------------------------------------------------------------------


def test_the_local_day_is_the_one_on_the_sites_calendar_and_not_utcs() -> None:
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert local_day(late, "Europe/Paris") == date(2026, 11, 23)
    assert local_day(late, "America/Martinique") == date(2026, 11, 22)


@given(moments, zones)
def test_every_instant_is_found_again_from_its_wall_time(at: datetime, zone: str) -> None:
    assert at in instants_of(wall(at, zone), zone)


@given(moments, zones)
def test_a_wall_time_comes_never_twice_but_on_the_night_when_clocks_are_set_back(
    at: datetime, zone: str
) -> None:
    found = instants_of(wall(at, zone), zone)
    near_change = any(zone == one and abs(at - change) <= timedelta(hours=1) for one, change in SETBACKS)
    assert len(found) == 1 or near_change


@pytest.mark.parametrize(("zone", "jump"), JUMPS)
def test_a_time_that_the_clocks_jump_over_is_refused_with_the_first_time_after_it(
    zone: str, jump: datetime
) -> None:
    missing = wall(jump - timedelta(minutes=1), zone) + timedelta(minutes=31)
    with pytest.raises(NoSuchLocalTime) as refusal:
        local_to_utc(missing, zone)
    assert refusal.value.suggestion == wall(jump, zone)
    assert refusal.value.codes == ["no_such_local_time"]
    assert refusal.value.problems[0].params["suggestion"] == f"{wall(jump, zone):%H:%M}"


@pytest.mark.parametrize(("zone", "setback"), SETBACKS)
def test_a_time_that_comes_twice_is_told_apart_and_never_guessed(zone: str, setback: datetime) -> None:
    twice = wall(setback, zone) + timedelta(minutes=30)
    with pytest.raises(TwiceLocalTime):
        local_to_utc(twice, zone)
    first, second = local_to_utc(twice, zone, second=False), local_to_utc(twice, zone, second=True)
    assert second - first == timedelta(hours=1)
    assert first < setback <= second


def test_ten_o_clock_booked_in_winter_is_ten_o_clock_in_summer() -> None:
    winter = paris(date(2026, 3, 1), 10)
    summer = paris(date(2026, 7, 1), 10)
    assert (winter.hour, summer.hour) == (9, 8)


# --- opening hours ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("zone", "change"), CHANGES)
def test_a_day_on_which_clocks_change_opens_and_closes_at_its_usual_wall_times(
    zone: str, change: datetime
) -> None:
    day = local_day(change, zone)
    spans = opening_spans(DAILY, [], zone, midnight(day, zone), midnight(day + timedelta(days=1), zone))
    assert [(wall(span.start, zone).hour, wall(span.end, zone).hour) for span in spans] == [(9, 18)]


@pytest.mark.parametrize(("zone", "change"), CHANGES)
def test_a_site_that_never_closes_has_days_of_23_or_25_hours(zone: str, change: datetime) -> None:
    always = [Hours(weekday, 0, 1440) for weekday in range(7)]
    day = local_day(change, zone)
    start, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    assert opening_spans(always, [], zone, start, end) == [Span(start, end)]
    if wall(change, zone).hour:  # a change at midnight belongs to two days
        assert (end - start) / timedelta(hours=1) == (23 if (zone, change) in JUMPS else 25)


@given(weeks, zones, moments, st.integers(0, 3 * 1440))
def test_open_means_that_the_wall_clock_stands_in_the_hours_of_today_or_of_the_day_before(
    hours: list[Hours], zone: str, from_: datetime, later: int
) -> None:
    at = from_ + timedelta(minutes=later)
    clock = wall(at, zone)
    # The nights of a change have tests of their own.
    assume(not any(zone == one and abs(at - change) < timedelta(days=3) for one, change in CHANGES))
    minute = clock.hour * 60 + clock.minute + clock.second / 60
    expected = any(
        one.weekday == (clock.weekday() - back) % 7 and one.opens <= minute + back * 1440 < one.closes
        for one in hours
        for back in (0, 1)
    )
    assert is_open(hours, [], zone, at) is expected
    spans = opening_spans(hours, [], zone, from_, from_ + timedelta(days=4))
    assert any(span.start <= at < span.end for span in spans) is expected


@given(weeks, zones, moments, st.integers(1, 20))
def test_spans_come_in_order_apart_from_each_other_and_within_what_was_asked(
    hours: list[Hours], zone: str, from_: datetime, days: int
) -> None:
    to = from_ + timedelta(days=days)
    spans = opening_spans(hours, [], zone, from_, to)
    for span in spans:
        assert from_ <= span.start < span.end <= to
    for one, following in pairwise(spans):
        assert one.end < following.start


@given(weeks, zones, moments, st.integers(0, 5), st.integers(0, 3))
def test_nothing_is_open_on_a_closed_day_and_nothing_else_changes_by_it(
    hours: list[Hours], zone: str, from_: datetime, first: int, length: int
) -> None:
    day = local_day(from_, zone) + timedelta(days=first)
    closure = Closed(day, day + timedelta(days=length))
    to = from_ + timedelta(days=10)
    shut = Span(midnight(closure.first_day, zone), midnight(closure.last_day + timedelta(days=1), zone))
    closed = opening_spans(hours, [closure], zone, from_, to)
    assert within(closed, *shut) == []
    # The span that would have begun on the closed day and reached into the next one does not begin.
    until = shut.end + timedelta(days=1)
    usual = opening_spans(hours, [], zone, from_, to)
    assert within(closed, from_, shut.start) == within(usual, from_, shut.start)
    assert within(closed, until, to) == within(usual, until, to)


def test_a_saturday_that_ends_after_midnight_is_open_on_sunday_morning() -> None:
    nights = [Hours(5, 20 * 60, 26 * 60)]
    sunday = paris(date(2026, 11, 22), 1, 30)
    assert is_open(nights, [], "Europe/Paris", sunday)
    assert not is_open(nights, [], "Europe/Paris", sunday + timedelta(minutes=30))


def test_closing_time_is_the_end_of_the_opening_that_runs_now() -> None:
    at = paris(date(2026, 11, 23), 10)
    assert closing_after(DAILY, [], "Europe/Paris", at) == paris(date(2026, 11, 23), 18)
    assert closing_after(DAILY, [], "Europe/Paris", at - timedelta(hours=2)) is None
    assert closing_after(DAILY, [Closed(date(2026, 11, 23), date(2026, 11, 23))], "Europe/Paris", at) is None


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


@given(zones, moments, st.sampled_from([10, 15, 20, 30, 45, 60, 90]), st.integers(0, 180), st.integers(0, 30))
def test_offered_times_stand_on_the_grid_of_the_wall_clock_fit_and_are_all_of_them(
    zone: str, start: datetime, grid: int, minutes: int, hours: int
) -> None:
    span = Span(start, start + timedelta(hours=hours))
    found = list(grid_starts(span, grid, minutes, zone))
    expected = []
    at = start.replace(second=0)
    while at <= span.end:
        clock = wall(at, zone)
        if (
            (clock.hour * 60 + clock.minute) % grid == 0
            and span.start <= at
            and at + timedelta(minutes=minutes) <= span.end
        ):
            expected.append(at)
        at += timedelta(minutes=1)
    assert found == expected


def test_an_hour_that_comes_twice_is_offered_twice_and_a_skipped_one_never() -> None:
    back = midnight(date(2026, 10, 25), "Europe/Paris")
    night = list(grid_starts(Span(back, back + timedelta(hours=5)), 60, 60, "Europe/Paris"))
    assert [wall(at, "Europe/Paris").hour for at in night] == [0, 1, 2, 2, 3]
    jump = midnight(date(2026, 3, 29), "Europe/Paris")
    night = list(grid_starts(Span(jump, jump + timedelta(hours=5)), 60, 60, "Europe/Paris"))
    assert [wall(at, "Europe/Paris").hour for at in night] == [0, 1, 3, 4, 5]
