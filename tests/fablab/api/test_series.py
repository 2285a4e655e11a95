"""Series through the API: looked at, made, changed, ended; every answer is held against the schema."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from equipment.bookings.models import Booking, Series
from fablab.core.clock import local_to_utc
from tests.builders import make_booking, make_machine
from tests.builders_jobs import Cast
from tests.fablab.api.conftest import As

pytestmark = pytest.mark.django_db
IN_A_WEEK = (timezone.now() + timedelta(days=7)).date()


def wish(cast: Cast, /, **more: Any) -> dict[str, Any]:
    return {
        "machines": [cast.machine.pk],
        "first": IN_A_WEEK.isoformat(),
        "last": (IN_A_WEEK + timedelta(weeks=2)).isoformat(),
        "starts": "14:00",
        "ends": "16:00",
        "title": "Atelier broderie",
        **more,
    }


def instant(cast: Cast, day: date, hour: int) -> datetime:
    return local_to_utc(datetime.combine(day, datetime.min.time()).replace(hour=hour), cast.site.time_zone)


def test_a_workshop_is_looked_at_then_made_then_changed_then_ended(as_: As, cast: Cast) -> None:
    taken = make_booking(cast.machine, cast.person("owner"), start=instant(cast, IN_A_WEEK, 15))
    staff = as_("staff")
    looked = staff.post("series/", wish(cast, preview=True))
    assert looked.status == 200
    assert [one["fate"] for one in looked.body["occurrences"]] == ["refuse", "make", "make"]
    first = looked.body["occurrences"][0]
    assert [one["code"] for one in first["problems"]] == ["slot_taken"]
    assert [one["id"] for one in first["in_the_way"]] == [taken.pk]
    assert not Series.objects.exists()

    refused = staff.post("series/", wish(cast))
    assert (refused.status, refused.codes) == (409, ["slot_taken"])
    assert len(refused.body["occurrences"]) == len(refused.body["alternatives"]) == 3

    choices = [{"code": "slot_taken", "do": "cancel"}]
    made = staff.post("series/", wish(cast, choices=choices, may_cancel=[taken.pk]))
    assert (made.status, made.body["cancelled"]) == (201, [taken.pk])
    series = made.body["series"]
    assert (series["weekdays"], series["starts"], series["title"]) == (
        [IN_A_WEEK.weekday()], "14:00", "Atelier broderie",
    )  # fmt: skip
    address = f"series/{series['id']}/"
    assert [one["id"] for one in staff.get(address).body["bookings"]] == [
        one["id"] for one in made.body["bookings"]
    ]

    later = {"from_day": (IN_A_WEEK + timedelta(weeks=1)).isoformat(), "starts": "17:00", "ends": "18:00"}
    assert staff.post(f"{address}change-following/", {**later, "preview": True}).body["series"] is None
    changed = staff.post(f"{address}change-following/", later)
    assert (changed.status, changed.body["series"]["starts"], len(changed.body["bookings"])) == (
        200,
        "17:00",
        2,
    )
    ended = staff.post(f"series/{changed.body['series']['id']}/end-following/")
    assert (ended.status, len(ended.body["cancelled"])) == (200, 2)
    assert staff.post(f"series/{changed.body['series']['id']}/end-following/").codes == ["series_over"]
    assert len(staff.get("series/").body["results"]) == 2


def test_the_same_request_twice_makes_one_series(as_: As, cast: Cast) -> None:
    staff = as_("instructor")
    answers = [staff.post("series/", wish(cast), **{"Idempotency-Key": "a"}) for _ in range(2)]
    assert [one.status for one in answers] == [201, 201]
    assert answers[0].body == answers[1].body
    assert Booking.objects.exclude(title="").count() == 3


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ({"starts": "14:00+01:00", "first": "24/11/2026", "weekdays": [7]}, 3),
        ({"starts": "16:00", "ends": "14:00"}, ["series_hours_make_no_sense"]),
        ({"last": "9999-12-31"}, ["series_year_out_of_range"]),
        ({"last": (IN_A_WEEK + timedelta(weeks=60)).isoformat()}, ["series_too_far"]),
        ({"weekdays": list(range(7)), "last": (IN_A_WEEK + timedelta(days=300)).isoformat()}, ["series_too_long"]),
        ({"machines": ["nothing"], "person": "nobody"}, ["unknown_machine"]),
        ({"machines": [], "surprise": 1}, 2),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_400_with_every_problem(as_: As, cast: Cast, more: Any, codes: Any) -> None:
    answer = as_("staff").post("series/", wish(cast, **more))
    assert answer.status == 400
    assert (answer.codes if isinstance(codes, list) else len(answer.codes)) == codes
    assert not Series.objects.exists()


def test_a_machine_of_another_place_is_unknown(as_: As, cast: Cast) -> None:
    other = make_machine(cast.elsewhere, "Ailleurs", model=cast.model)
    answer = as_("staff").post("series/", wish(cast, machines=[cast.machine.pk, other.pk]))
    assert (answer.status, answer.codes) == (400, ["unknown_machine"])
