"""The booking table, rule by rule, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

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
        "too_short",
        "too_long",
        "not_certified",
        "slot_taken",
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
    ("hours_ahead", "broken"), [(0, False), (5 / 60, False), (0.5, True), (1.99, True), (2, False)]
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
