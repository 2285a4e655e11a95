"""One date of a series, or all that follow: moved, given other machines, ended together."""

from datetime import timedelta
from typing import Any

import pytest

from equipment.bookings.following import Change, change_following, end_following, plan_change
from equipment.bookings.models import Booking
from equipment.bookings.series import make_series
from equipment.bookings.services import cancel, move
from equipment.bookings.states import BookingState
from equipment.machines.models import Machine
from equipment.sites.states import Role
from fablab.core.errors import Malformed, NotAllowed, NotFound, Refused
from fablab.notices.models import Notice
from tests.builders import (
    MONDAY,
    hours,
    make_booking,
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


def test_one_date_moves_or_goes_as_any_booking_does(lab: Lab) -> None:
    series = lab.make()
    first, second, *_ = series.bookings.order_by("start")
    cancel(first.pk, actor=lab.teacher, at=MONDAY)
    moved = move(
        second.pk, start=second.start - hours(4), end=second.end - hours(4), actor=lab.teacher, at=MONDAY
    )
    assert (moved.series, moved.title) == (series, "Atelier broderie")
    assert times(series) == ["01.12 10:00-12:00", "08.12 14:00-16:00", "15.12 14:00-16:00"]


def test_all_that_follow_move_together_and_keep_who_they_are(lab: Lab) -> None:
    series = lab.make(lab.one, lab.two)
    before = {one.pk: one.version for one in series.bookings.all()}
    from_day = TUESDAY + timedelta(weeks=2)
    change = Change(from_day, starts=15 * 60, ends=17 * 60)
    assert len(plan_change(series.pk, change, actor=lab.teacher, at=MONDAY).lines) == 4
    done = change_following(series.pk, change, actor=lab.teacher, at=MONDAY)
    assert times(done.series) == ["08.12 15:00-17:00"] * 2 + ["15.12 15:00-17:00"] * 2
    assert times(series) == ["24.11 14:00-16:00"] * 2 + ["01.12 14:00-16:00"] * 2
    series.refresh_from_db()
    assert series.last_day == from_day - timedelta(days=1)
    assert (done.series.first_day, done.series.last_day) == (from_day, TUESDAY + timedelta(weeks=3))
    assert set(done.series.machines.all()) == {lab.one, lab.two}
    after = {one.pk: one.version for one in Booking.objects.all()}
    assert set(after) == set(before)  # the same bookings: calendar programs see one that moved
    assert sorted(after.values()) == [0, 0, 0, 0, 1, 1, 1, 1]


def test_dates_may_go_where_others_of_the_same_series_stood(lab: Lab) -> None:
    daily = lab.weekly(weeks=1, weekdays=frozenset({1, 2, 3}), last=TUESDAY + timedelta(days=2))
    series = lab.make(rule=daily)
    done = change_following(series.pk, Change(days_later=1), actor=lab.teacher, at=MONDAY)
    assert done.series == series  # nothing stays behind
    assert times(series) == ["25.11 14:00-16:00", "26.11 14:00-16:00", "27.11 14:00-16:00"]
    assert series.bookings.count() == 3
    done.series.refresh_from_db()
    assert sorted(done.series.weekdays) == [2, 3, 4]


def test_what_follows_goes_to_other_machines_more_of_them_or_fewer(lab: Lab) -> None:
    series = lab.make(lab.one, lab.two, rule=lab.weekly(weeks=2))
    three = make_machine(lab.site, "Plieuse", model=lab.one.model)
    codes = set(series.bookings.values_list("code", flat=True))

    def where() -> list[str]:
        rows = Booking.objects.filter(state=BookingState.CONFIRMED).order_by("start", "machine__name")
        return list(rows.values_list("machine__name", flat=True))

    def to(*machines: Machine) -> None:
        change = Change(machine_ids=[one.pk for one in machines])
        change_following(series.pk, change, actor=lab.teacher, at=MONDAY)

    to(lab.two, three)
    assert where() == ["Découpe", "Plieuse"] * 2
    assert set(Booking.objects.values_list("code", flat=True)) == codes
    to(lab.two)
    assert where() == ["Découpe"] * 2
    to(lab.one, lab.two, three)
    assert where() == ["Brodeuse", "Découpe", "Plieuse"] * 2


def test_a_date_that_cannot_move_refuses_all_or_keeps_its_old_time(lab: Lab) -> None:
    series = lab.make(rule=lab.weekly(weeks=2))
    make_booking(lab.one, lab.member, start=at_local(TUESDAY, 17))
    later: dict[str, Any] = {"starts": 16 * 60, "ends": 18 * 60}
    with pytest.raises(Refused) as refusal:
        change_following(series.pk, Change(**later), actor=lab.teacher, at=MONDAY)
    assert refusal.value.codes == ["slot_taken"]
    assert times(series) == ["24.11 14:00-16:00", "01.12 14:00-16:00"]
    change_following(
        series.pk, Change(**later, choices=[("slot_taken", "skip")]), actor=lab.teacher, at=MONDAY
    )
    assert times(series) == ["24.11 14:00-16:00", "01.12 16:00-18:00"]
    with pytest.raises(Malformed) as wrong:
        change_following(series.pk, Change(starts=900, ends=600, days_later=9), actor=lab.teacher, at=MONDAY)
    assert wrong.value.codes == ["series_day_out_of_range", "series_hours_make_no_sense"]


def test_what_has_begun_stays_and_the_rest_ends_together_and_its_person_is_told(lab: Lab) -> None:
    for_lea = lab.wish(person_id=lab.member.pk, title="", rule=lab.weekly(weeks=3))
    series = make_series(for_lea, actor=lab.teacher, at=MONDAY).series
    begun = at_local(TUESDAY, 14) + minutes(20)
    gone = end_following(series.pk, actor=lab.teacher, at=begun)
    assert [local(one)[:5] for one in gone] == ["01.12", "08.12"]
    assert times(series) == ["24.11 14:00-16:00"]
    assert list(Notice.objects.values_list("person", "code")) == [(lab.member.pk, "series_ended")]
    with pytest.raises(Refused) as refusal:
        end_following(series.pk, actor=lab.teacher, at=begun)
    assert refusal.value.codes == ["series_over"]


def test_who_may_change_a_series(lab: Lab) -> None:
    series = make_series(lab.wish(person_id=lab.member.pk, title=""), actor=lab.teacher, at=MONDAY).series
    others = [
        (lab.member, NotAllowed),
        (make_person(site=lab.site), NotFound),
        (make_person(None, Role.MANAGER, site=make_site()), NotFound),
    ]
    for somebody, error in others:
        with pytest.raises(error):
            end_following(series.pk, actor=somebody, at=MONDAY)
        with pytest.raises(error):
            change_following(series.pk, Change(starts=600, ends=660), actor=somebody, at=MONDAY)
    assert len(times(series)) == 4
