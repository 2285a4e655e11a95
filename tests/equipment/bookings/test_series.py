"""Times that come back each week: every date's problems first, then all that was chosen, or nothing."""

from datetime import UTC, date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from equipment.bookings import giving_way, services
from equipment.bookings.conflicts import Choice, Fate, choices_of, fate
from equipment.bookings.models import Booking, Series
from equipment.bookings.series import Plan, make_series, plan_series
from equipment.bookings.series_wish import Wish
from equipment.bookings.states import BookingState
from equipment.machines.models import Machine
from equipment.machines.services import retire_machine
from equipment.sites.states import Role
from fablab.core.errors import Malformed, NotAllowed, Refused
from fablab.core.recurring import Weekly
from fablab.notices.models import Notice
from fablab.people.models import User
from tests.builders import (
    MONDAY,
    certify,
    make_booking,
    make_closure,
    make_machine,
    make_person,
    make_site,
    minutes,
)
from tests.equipment.bookings.series_lab import TUESDAY, Lab, at_local, local, times

pytestmark = pytest.mark.django_db


@pytest.fixture
def lab() -> Lab:
    return Lab()


def fates(plan: Plan) -> list[Fate]:
    return [line.fate for line in plan.lines]


# --- making --------------------------------------------------------------------------------------------------------


def test_a_workshop_takes_several_machines_each_week_at_the_same_hour_of_the_wall_clock(lab: Lab) -> None:
    rule = lab.weekly(weeks=22, every=1)  # over the change to summer time
    done = make_series(lab.wish(lab.one, lab.two, rule=rule), actor=lab.teacher, at=MONDAY)
    assert len(done.bookings) == 44
    assert {local(one)[6:] for one in done.bookings} == {"14:00-16:00"}
    assert {one.start.astimezone(UTC).hour for one in done.bookings} == {13, 12}
    made = Booking.objects.filter(series=done.series)
    assert set(made.values_list("title", "person", "state")) == {
        ("Atelier broderie", lab.teacher.pk, "confirmed")
    }
    assert set(done.series.machines.all()) == {lab.one, lab.two}


def test_one_day_is_a_series_too_and_days_left_out_are_left_out(lab: Lab) -> None:
    once = lab.weekly(weeks=1)
    assert times(lab.make(rule=once)) == ["24.11 14:00-16:00"]
    without = lab.weekly(weeks=3, except_days=frozenset({TUESDAY + timedelta(weeks=1)}), starts=600, ends=660)
    assert times(lab.make(rule=without)) == ["24.11 10:00-11:00", "08.12 10:00-11:00"]


def test_a_series_for_a_person_asks_what_limits_them_but_for_horizon_and_bookings_at_once() -> None:
    lab = Lab(needs_certificate=True, weekly_minutes=120, open_bookings=1, buffer_minutes=10)
    for_lea = lab.wish(person_id=lab.member.pk, title="", rule=lab.weekly(weeks=10))
    with pytest.raises(Refused) as refusal:
        make_series(for_lea, actor=lab.teacher, at=MONDAY)
    assert refusal.value.codes == ["not_certified"]
    certify(lab.member, lab.one)
    done = make_series(for_lea, actor=lab.teacher, at=MONDAY)
    assert (len(done.bookings), done.bookings[0].person, done.series.person) == (10, lab.member, lab.member)
    again = lab.wish(
        lab.two, person_id=lab.member.pk, title="", rule=lab.weekly(weeks=1, starts=600, ends=630)
    )
    with pytest.raises(Refused) as refusal:
        make_series(again, actor=lab.teacher, at=MONDAY)
    assert refusal.value.codes == ["quota_used"]


def test_what_is_judged_at_once_is_what_booking_one_by_one_says(lab: Lab) -> None:
    make_closure(lab.site, TUESDAY + timedelta(weeks=1))
    make_booking(lab.two, start=at_local(TUESDAY + timedelta(weeks=2), 15))
    wish = lab.wish(lab.one, lab.two, person_id=lab.member.pk, title="", rule=lab.weekly(ends=17 * 60))
    plan = plan_series(wish, actor=lab.teacher, at=MONDAY)
    for line in plan.lines:
        assert line.start is not None
        assert line.end is not None
        found: list[str] = []
        try:
            services.book(
                person=lab.member, machine_id=line.machine.pk, start=line.start, end=line.end,
                actor=lab.teacher, at=MONDAY,
            )  # fmt: skip
        except Refused as refusal:
            found = refusal.codes
        assert [problem.code for problem in line.problems] == [code for code in found if code != "too_far"]


def test_the_rules_are_asked_in_as_many_queries_for_two_hundred_times_as_for_two(lab: Lab) -> None:
    def queries(weeks: int, *machines: Machine) -> int:
        wish = lab.wish(*machines, rule=lab.weekly(weeks=weeks), person_id=lab.member.pk, title="")
        with CaptureQueriesContext(connection) as found:
            plan_series(wish, actor=lab.teacher, at=MONDAY)
        return len(found)

    many = [lab.one, lab.two, make_machine(lab.site, "Z", model=lab.one.model)]
    few = queries(1, lab.one)
    for week in range(40):
        make_booking(lab.one, lab.member, start=at_local(TUESDAY + timedelta(weeks=week), 15))
    assert queries(50, *many) == few <= 25


# --- what stands in the way ----------------------------------------------------------------------------------------


def test_every_date_is_told_with_its_problems_and_without_a_choice_nothing_is_written(lab: Lab) -> None:
    make_closure(lab.site, TUESDAY + timedelta(weeks=1))
    taken = make_booking(lab.one, lab.member, start=at_local(TUESDAY, 15))
    make_booking(lab.one, start=at_local(TUESDAY + timedelta(weeks=2), 15), state=BookingState.IN_USE)
    plan = plan_series(lab.wish(), actor=lab.teacher, at=MONDAY)
    assert [[one.code for one in line.problems] for line in plan.lines] == [
        ["slot_taken"], ["site_closed"], ["slot_kept"], [],
    ]  # fmt: skip
    assert plan.lines[0].in_the_way == (taken,)
    with pytest.raises(Refused) as refusal:
        make_series(lab.wish(), actor=lab.teacher, at=MONDAY)
    assert refusal.value.codes == ["slot_taken", "site_closed", "slot_kept"]
    assert len(refusal.value.extra["occurrences"]) == 4
    assert len(refusal.value.extra["alternatives"]) == 3
    assert not Series.objects.exists()
    assert not Booking.objects.exclude(title="").exists()


def test_each_kind_of_conflict_is_skipped_or_makes_way_as_chosen(lab: Lab) -> None:
    make_closure(lab.site, TUESDAY + timedelta(weeks=1))
    taken = make_booking(lab.one, lab.member, start=at_local(TUESDAY, 15))
    used = make_booking(lab.one, start=at_local(TUESDAY + timedelta(weeks=2), 15), state=BookingState.IN_USE)
    choices = [("slot_taken", "cancel"), ("site_closed", "skip"), ("slot_kept", "skip")]
    done = make_series(lab.wish(choices=choices), actor=lab.teacher, at=MONDAY)
    assert fates(done.plan) == [Fate.MAKE_ROOM, Fate.SKIP, Fate.SKIP, Fate.MAKE]
    assert times(done.series) == ["24.11 14:00-16:00", "15.12 14:00-16:00"]
    assert done.cancelled == (taken,)
    taken.refresh_from_db()
    used.refresh_from_db()
    assert (taken.state, taken.ended_at, taken.version) == ("cancelled", MONDAY, 1)
    assert used.state == BookingState.IN_USE
    notice = Notice.objects.get()
    assert (notice.person, notice.code) == (lab.member, "booking_gave_way_3")
    assert notice.link == f"/reserver/{lab.kind.slug}/?machine={lab.one.pk}&jour=2026-11-24"
    assert {"first", "second", "third", "when", "machine"} <= set(notice.params)
    assert notice.params["first"] != taken.start.isoformat()


def test_a_booking_that_nobody_has_seen_in_the_way_makes_no_way(lab: Lab) -> None:
    seen = make_booking(lab.one, start=at_local(TUESDAY, 14))
    make_booking(lab.one, start=at_local(TUESDAY + timedelta(weeks=1), 14))  # came after the look
    agreed = lab.wish(choices=[("slot_taken", "cancel")], may_cancel=[seen.pk])
    with pytest.raises(Refused) as refusal:
        make_series(agreed, actor=lab.teacher, at=MONDAY)
    assert refusal.value.codes == ["slot_taken"]
    assert Booking.objects.filter(state=BookingState.CANCELLED).count() == 0


def test_what_was_given_back_makes_way_and_what_is_offered_to_somebody_does_not(lab: Lab) -> None:
    soon = MONDAY + minutes(10)
    lapsed = make_booking(
        lab.one, start=at_local(TUESDAY, 14), state=BookingState.HELD, hold_until=MONDAY - minutes(1)
    )
    held: dict[str, Any] = {"state": BookingState.HELD, "hold_until": soon}
    make_booking(lab.one, start=at_local(TUESDAY + timedelta(weeks=1), 14), ended_at=MONDAY, **held)
    make_booking(lab.one, start=at_local(TUESDAY + timedelta(weeks=2), 14), **held)
    choices = [("slot_taken", "cancel"), ("slot_kept", "skip")]
    done = make_series(lab.wish(choices=choices), actor=lab.teacher, at=MONDAY)
    assert fates(done.plan) == [Fate.MAKE, Fate.MAKE_ROOM, Fate.SKIP, Fate.MAKE]
    assert (done.cancelled, Notice.objects.count()) == ((), 0)  # nobody lost anything
    lapsed.refresh_from_db()
    assert lapsed.state == BookingState.CANCELLED


def test_staff_answer_for_a_closed_evening_with_a_reason_that_is_kept(lab: Lab) -> None:
    keeper = make_person("Karim", Role.STAFF, site=lab.site)
    late = lab.weekly(weeks=2, starts=18 * 60, ends=20 * 60)
    wish = lab.wish(rule=late, overrides=[{"code": "site_closed", "reason": "Soirée portes ouvertes"}])
    with pytest.raises(Refused):
        make_series(wish, actor=lab.teacher, at=MONDAY)  # an instructor does not open the house
    done = make_series(wish, actor=keeper, at=MONDAY)
    assert [one.overrides[0]["reason"] for one in done.bookings] == ["Soirée portes ouvertes"] * 2


def test_a_time_that_the_clocks_jump_over_is_a_conflict_like_any_other(lab: Lab) -> None:
    night = Weekly(frozenset({6}), 150, 180, date(2027, 3, 21), date(2027, 4, 4))
    overrides = [{"code": "site_closed", "reason": "Nuit"}]
    keeper = make_person("Karim", Role.STAFF, site=lab.site)
    wish = lab.wish(rule=night, overrides=overrides)
    with pytest.raises(Refused) as refusal:
        make_series(wish, actor=keeper, at=MONDAY)
    assert refusal.value.codes == ["series_time_missing"]
    skipping = lab.wish(rule=night, overrides=overrides, choices=[("series_time_missing", "skip")])
    assert len(make_series(skipping, actor=keeper, at=MONDAY).bookings) == 2


def test_all_left_out_is_no_series(lab: Lab) -> None:
    make_closure(lab.site, TUESDAY, TUESDAY + timedelta(weeks=8))
    with pytest.raises(Refused) as refusal:
        make_series(lab.wish(choices=[("site_closed", "skip")]), actor=lab.teacher, at=MONDAY)
    assert refusal.value.codes == ["series_nothing_left"]


def test_who_dies_in_the_middle_leaves_nothing_half(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(*args: object, **kwargs: object) -> None:
        assert Series.objects.exists()  # written, not committed
        raise Killed

    taken = make_booking(lab.one, lab.member, start=at_local(TUESDAY, 14))
    monkeypatch.setattr(giving_way, "tell", die)
    with pytest.raises(Killed):
        make_series(lab.wish(choices=[("slot_taken", "cancel")]), actor=lab.teacher, at=MONDAY)
    taken.refresh_from_db()
    assert (taken.state, Series.objects.count(), Booking.objects.count()) == ("confirmed", 0, 1)


# --- what cannot be meant ------------------------------------------------------------------------------------------


def test_everything_that_cannot_be_meant_is_said_at_once_and_nothing_is_written(lab: Lab) -> None:
    elsewhere = make_machine(make_site(), "Ailleurs")
    gone = make_machine(lab.site, "Vieille", model=lab.one.model)
    retire_machine(gone.pk, actor=make_person(None, Role.STAFF, site=lab.site), at=MONDAY)
    backwards = Weekly(frozenset(), 16 * 60, 14 * 60, date(9999, 12, 30), date(9999, 12, 31), 99)
    for machines in ([lab.one, elsewhere], [lab.one, gone]):
        wish = Wish(
            [one.pk for one in machines], backwards, person_id="nobody",
            choices=[("site_closed", "cancel"), ("what", "skip")], overrides=[{"code": "slot_taken"}],
        )  # fmt: skip
        with pytest.raises(Malformed) as refusal:
            make_series(wish, actor=lab.teacher, at=MONDAY)
        assert refusal.value.codes == [
            "unknown_machine", "unknown_person", "series_without_weekday", "series_hours_make_no_sense",
            "series_year_out_of_range", "series_year_out_of_range", "series_every_out_of_range",
            "series_choice_unknown", "series_choice_unknown", "override_without_reason",
        ]  # fmt: skip
    assert not Series.objects.exists()


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"weekdays": frozenset(range(7)), "last": TUESDAY + timedelta(days=300)}, "series_too_long"),
        ({"weeks": 54}, "series_too_far"),
        ({"weekdays": frozenset({0}), "last": TUESDAY}, "series_without_date"),
    ],
)
def test_a_series_has_a_size(lab: Lab, rule: dict[str, Any], code: str) -> None:
    with pytest.raises(Malformed) as refusal:
        make_series(lab.wish(rule=lab.weekly(**rule)), actor=lab.teacher, at=MONDAY)
    assert refusal.value.codes == [code]


def test_members_make_none_and_tickets_get_none(lab: Lab) -> None:
    with pytest.raises(NotAllowed):
        plan_series(lab.wish(), actor=lab.member, at=MONDAY)
    User.objects.filter(pk=lab.member.pk).update(level="ticket")
    with pytest.raises(Malformed) as refusal:
        plan_series(lab.wish(person_id=lab.member.pk), actor=lab.teacher, at=MONDAY)
    assert refusal.value.codes == ["ticket_cannot_book"]


def test_choices_are_read_strictly_and_one_word_of_no_refuses_all() -> None:
    assert choices_of([("slot_taken", "cancel")]) == {"slot_taken": Choice.CANCEL}
    both = {"slot_taken": Choice.CANCEL, "site_closed": Choice.SKIP}
    assert fate([], {}) is Fate.MAKE
    assert fate(["slot_taken"], both) is Fate.MAKE_ROOM
    assert fate(["slot_taken", "site_closed"], both) is Fate.SKIP
    assert fate(["slot_taken", "off_grid"], both) is Fate.REFUSE
    assert fate(["slot_taken"], both, ["b"], ["a"]) is Fate.REFUSE
