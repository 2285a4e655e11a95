"""The booking table, rule by rule, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipment.bookings.rules import CODES, RULES, BookingFacts, duration, judge
from equipment.sites.states import Role
from fablab.core.clock import Span

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # 10:00 in Paris
DAY = Span(AT - timedelta(hours=1), AT + timedelta(hours=8))


def facts(*, start: float = 2, length: float = 1, **others: object) -> BookingFacts:
    """A booking that begins ``start`` hours from now and takes ``length`` hours; nothing is wrong with it."""
    begins = AT + timedelta(hours=start)
    plain = BookingFacts(
        at=AT, start=begins, end=begins + timedelta(hours=length), zone="Europe/Paris", open=(DAY,)
    )
    return replace(plain, **others)  # type: ignore[arg-type]  # each test names fields of BookingFacts


def span(start: float, end: float) -> Span:
    return Span(AT + timedelta(hours=start), AT + timedelta(hours=end))


def codes(given: BookingFacts) -> list[str]:
    return [problem.code for problem in judge(given).problems]


def test_a_plain_booking_breaks_no_rule() -> None:
    assert codes(facts()) == []


def test_the_table_holds_the_rules_of_this_version_in_the_order_people_read_them() -> None:
    assert [rule.code for rule in RULES] == [
        "machine_out_of_order",
        "site_closed",
        "in_the_past",
        "too_soon",
        "too_far",
        "off_grid",
        "too_short",
        "too_long",
        "not_certified",
        "needs_supervision",
        "slot_taken",
        "person_busy",
        "quota_used",
        "paused_after_no_shows",
    ]


@pytest.mark.parametrize(
    ("outage", "broken"),
    [
        (span(0, 2), False),  # ends when the booking begins
        (span(0, 2.01), True),
        (span(2.99, 9), True),
        (span(3, 9), False),
    ],
)
def test_an_outage_during_the_booking_is_machine_out_of_order(outage: Span, broken: bool) -> None:
    assert ("machine_out_of_order" in codes(facts(outages=(outage,)))) is broken


@pytest.mark.parametrize(
    ("open_", "broken"),
    [
        ((span(2, 3),), False),
        ((span(2.01, 5),), True),
        ((span(0, 2.99),), True),
        ((span(0, 2.5), span(2.6, 5)), True),  # a break in the middle
        ((), True),
    ],
)
def test_a_booking_lies_within_one_opening_or_the_site_is_closed(
    open_: tuple[Span, ...], broken: bool
) -> None:
    assert ("site_closed" in codes(facts(open=open_))) is broken


def test_the_buffer_may_reach_past_closing() -> None:
    assert codes(facts(open=(span(2, 3),), buffer_minutes=30)) == []


@pytest.mark.parametrize(("minutes_ago", "broken"), [(0, False), (5, False), (6, True), (600, True)])
def test_a_start_that_passed_is_in_the_past_but_for_the_few_minutes_of_a_walk_up(
    minutes_ago: int, broken: bool
) -> None:
    given = facts(start=-minutes_ago / 60, open=(span(-24, 24),))
    assert codes(given) == (["in_the_past"] if broken else [])


@pytest.mark.parametrize(
    ("hours_ahead", "broken"), [(0, False), (5 / 60, False), (0.5, True), (1.9, True), (2, False)]
)
def test_too_soon_is_within_the_notice_and_a_walk_up_now_never_is(hours_ahead: float, broken: bool) -> None:
    given = facts(start=hours_ahead, notice_minutes=120)
    assert codes(given) == (["too_soon"] if broken else [])


@pytest.mark.parametrize(("days", "broken"), [(14, False), (15, True)])
def test_too_far_counts_days_of_the_sites_calendar(days: int, broken: bool) -> None:
    given = facts(start=24 * days, open=(span(0, 24 * 30),), horizon_days=14)
    assert codes(given) == (["too_far"] if broken else [])
    # The whole of the last day can be booked, whatever the time is now.
    late = replace(given, start=given.start + timedelta(hours=12), end=given.end + timedelta(hours=12))
    assert codes(late) == (["too_far"] if broken else [])


@pytest.mark.parametrize(
    ("length", "expected"), [(0.49, ["too_short"]), (0.5, []), (2, []), (2.01, ["too_long"])]
)
def test_a_booking_is_neither_too_short_nor_too_long(length: float, expected: list[str]) -> None:
    assert codes(facts(length=length)) == expected


def test_somebody_without_certificate_is_not_certified_and_reads_which_training() -> None:
    (problem,) = judge(facts(certified=False, kind_name="Imprimante 3D")).problems
    assert (problem.code, problem.params) == ("not_certified", {"kind": "Imprimante 3D"})


@pytest.mark.parametrize(
    ("held", "broken"),
    [
        (span(0, 2), False),  # touching is not overlapping
        (span(0, 2.01), True),
        (span(3.25, 5), False),
        (span(3.24, 5), True),  # within our own buffer of a quarter hour
        (span(2.2, 2.4), True),
        (span(0, 9), True),
    ],
)
def test_another_booking_in_this_time_buffers_included_is_slot_taken(held: Span, broken: bool) -> None:
    assert ("slot_taken" in codes(facts(taken=(held,), buffer_minutes=15))) is broken


@pytest.mark.parametrize(
    ("start", "grid", "broken"),
    [
        (2, 30, False),
        (2.5, 30, False),
        (2.25, 30, True),
        (2 + 1 / 3600, 30, True),  # a second past it
        (2, 45, False),  # 12:00 is sixteen times 45 minutes from midnight
        (2.25, 45, True),
        (0.05, 30, False),  # a walk-up begins now
        (-3.1, 30, False),  # what was, was when it was: in_the_past is another rule
    ],
)
def test_a_booking_to_come_begins_on_the_grid_counted_from_local_midnight(
    start: float, grid: int, broken: bool
) -> None:
    given = facts(start=start, grid_minutes=grid, open=(span(-9, 9),))
    assert ("off_grid" in codes(given)) is broken


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Indian/Mayotte", "America/Martinique"])
def test_the_grid_is_that_of_the_wall_clock_also_where_it_differs_by_three_quarters_of_an_hour(
    zone: str,
) -> None:
    wall = datetime(2026, 11, 24, 14, 30, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    given = facts(zone=zone, grid_minutes=30, open=(span(-9, 99),), start=(wall - AT) / timedelta(hours=1))
    assert codes(given) == []


@pytest.mark.parametrize(
    ("there", "broken"),
    [
        ((), True),
        ((span(2, 3),), False),
        ((span(0, 9),), False),
        ((span(2, 2.9),), True),  # leaves before the end
        ((span(0, 2.4), span(2.6, 9)), True),  # nobody in between
    ],
)
def test_a_minor_books_only_while_an_instructor_is_there(there: tuple[Span, ...], broken: bool) -> None:
    assert codes(facts(minor=True, supervised=there)) == (["needs_supervision"] if broken else [])
    assert codes(facts(supervised=there)) == []


@pytest.mark.parametrize(("start", "end", "broken"), [(0, 2, False), (3, 5, False), (2.9, 5, True)])
def test_ones_own_other_time_at_the_same_hour_is_person_busy(start: float, end: float, broken: bool) -> None:
    assert codes(facts(busy=(span(start, end),))) == (["person_busy"] if broken else [])


@pytest.mark.parametrize(
    ("limits", "params"),
    [
        ({"weekly_minutes": None, "used_minutes": 9999}, None),
        ({"weekly_minutes": 240, "used_minutes": 180}, None),
        ({"weekly_minutes": 240, "used_minutes": 181}, {"why": "week", "left": 59, "duration": "59 min"}),
        ({"weekly_minutes": 60, "used_minutes": 600}, {"why": "week", "left": 0, "duration": "0 min"}),
        ({"open_bookings": 2, "open_now": 1}, None),
        ({"open_bookings": 2, "open_now": 2}, {"why": "open", "most": 2}),
        ({"open_bookings": 2, "open_now": 2, "start": 0}, None),  # a walk-up is not one to come
    ],
)
def test_hours_of_the_week_and_bookings_to_come_can_be_used_up(
    limits: dict[str, Any], params: dict[str, Any] | None
) -> None:
    problems = judge(facts(**limits)).problems
    assert [problem.params for problem in problems] == ([] if params is None else [params])
    assert {problem.code for problem in problems} <= {"quota_used"}


@pytest.mark.parametrize(
    ("no_shows", "limit", "start", "broken"),
    [(2, 3, 2, False), (3, 3, 2, True), (9, 0, 2, False), (9, 3, 0, False)],
)
def test_after_not_coming_too_often_one_sees_an_instructor_first_but_who_stands_there_has_come(
    no_shows: int, limit: int, start: float, broken: bool
) -> None:
    given = facts(no_shows=no_shows, no_shows_before_pause=limit, start=start)
    assert codes(given) == (["paused_after_no_shows"] if broken else [])


def test_a_workshop_is_asked_only_what_concerns_the_machines_time() -> None:
    everything = {
        "minor": True,
        "certified": False,
        "busy": (span(0, 9),),
        "weekly_minutes": 30,
        "open_bookings": 0,
        "no_shows": 9,
        "no_shows_before_pause": 3,
        "grid_minutes": 60,
        "notice_minutes": 600,
        "horizon_days": 0,
    }
    wrong = facts(start=2.1, length=9, taken=(span(0, 9),), outages=(span(0, 9),), open=(), **everything)
    assert codes(replace(wrong, for_workshop=True)) == ["machine_out_of_order", "site_closed", "slot_taken"]
    assert len(codes(wrong)) == 3 + 8


def test_a_person_reads_every_problem_at_once() -> None:
    wrong = facts(
        start=24 * 20,
        length=0.25,
        certified=False,
        outages=(span(0, 24 * 30),),
        taken=(span(0, 24 * 30),),
    )
    assert codes(wrong) == [
        "machine_out_of_order",
        "site_closed",
        "too_far",
        "too_short",
        "not_certified",
        "slot_taken",
    ]
    past = facts(start=-3, length=9, open=())
    assert codes(past) == ["site_closed", "in_the_past", "too_long"]


def test_sentences_get_the_numbers_of_the_kind() -> None:
    wrong = facts(start=1, length=0.25, notice_minutes=120, min_minutes=30)
    found = {problem.code: problem.params for problem in judge(wrong).problems}
    assert found["too_soon"] == {"minutes": 120, "duration": "2 h"}
    assert found["too_short"] == {"minutes": 30, "duration": "30 min"}
    assert judge(facts(start=24 * 20)).problems[1].params == {"days": 14}


@pytest.mark.parametrize(
    ("minutes", "read"), [(0, "0 min"), (45, "45 min"), (60, "1 h"), (90, "1 h 30"), (605, "10 h 05")]
)
def test_lengths_are_read_without_words_of_any_language(minutes: int, read: str) -> None:
    assert duration(minutes) == read


# --- overrides --------------------------------------------------------------------------------------------

BROKEN: dict[str, BookingFacts] = {
    "machine_out_of_order": facts(outages=(span(0, 9),)),
    "site_closed": facts(open=()),
    "in_the_past": facts(start=-3, open=(span(-9, 9),)),
    "too_soon": facts(start=1, notice_minutes=120),
    "too_far": facts(start=24 * 20, open=(span(0, 24 * 30),)),
    "too_short": facts(length=0.25),
    "too_long": facts(length=3),
    "not_certified": facts(certified=False, actor_certified=True),
    "slot_taken": facts(taken=(span(0, 9),)),
    "off_grid": facts(start=2.25, grid_minutes=30),
    "needs_supervision": facts(minor=True),
    "person_busy": facts(busy=(span(0, 9),)),
    "quota_used": facts(weekly_minutes=120, used_minutes=90),
    "paused_after_no_shows": facts(no_shows=3, no_shows_before_pause=3),
}
MAY_OVERRIDE = {
    "machine_out_of_order": {Role.STAFF, Role.MANAGER},
    "site_closed": {Role.STAFF, Role.MANAGER},
    "in_the_past": {Role.STAFF, Role.MANAGER},
    "too_soon": {Role.INSTRUCTOR},
    "too_far": {Role.INSTRUCTOR},
    "too_short": set(),
    "too_long": {Role.INSTRUCTOR},
    "not_certified": {Role.INSTRUCTOR},
    "slot_taken": set(),
    "off_grid": set(),
    "needs_supervision": set(),
    "person_busy": set(Role),
    "quota_used": {Role.INSTRUCTOR},
    "paused_after_no_shows": {Role.STAFF, Role.MANAGER},
}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("code", sorted(CODES))
def test_each_rule_is_overridden_by_exactly_the_roles_of_the_table(code: str, role: Role) -> None:
    assert codes(BROKEN[code]) == [code]
    judged = judge(BROKEN[code], {code}, {role})
    if role in MAY_OVERRIDE[code]:
        assert (judged.problems, judged.overridden) == ((), (code,))
    else:
        assert [problem.code for problem in judged.problems] == [code]
        assert judged.overridden == ()


def test_who_may_not_use_the_machine_cannot_answer_for_somebody_else() -> None:
    alone = replace(BROKEN["not_certified"], actor_certified=False)
    assert judge(alone, {"not_certified"}, {Role.INSTRUCTOR}).overridden == ()


def test_a_rule_that_is_not_broken_is_not_logged_as_overridden() -> None:
    assert judge(facts(), CODES, set(Role)).overridden == ()


@given(st.sets(st.sampled_from(sorted(CODES))), st.sets(st.sampled_from(list(Role))))
def test_no_set_of_overrides_and_roles_ever_sets_a_taken_slot_or_a_short_booking_aside(
    overrides: set[str], roles: set[Role]
) -> None:
    wrong = facts(length=0.25, taken=(span(0, 9),))
    found = [problem.code for problem in judge(wrong, overrides, roles).problems]
    assert found == ["too_short", "slot_taken"]
