"""Booking through the API: the same service as every other door."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from equipment.bookings.models import Booking
from equipment.bookings.walk_up import walk_up
from equipment.certifications.models import Certificate
from tests.builders import make_booking, make_machine
from tests.builders_jobs import Cast
from tests.fablab.api.callers import Caller
from tests.fablab.api.conftest import As

pytestmark = pytest.mark.django_db


def tomorrow(hour: int) -> datetime:
    return (timezone.now() + timedelta(days=1)).replace(hour=hour, minute=0, second=0, microsecond=0)


def wish(cast: Cast, hour: int = 10, /, **more: Any) -> dict[str, Any]:
    return {
        "machine": cast.machine.pk,
        "start": tomorrow(hour).isoformat(),
        "end": tomorrow(hour + 1).isoformat(),
        **more,
    }


def test_a_trained_person_books_a_machine(as_: As, cast: Cast) -> None:
    answer = as_("owner").post("bookings/", wish(cast))
    assert answer.status == 201
    assert answer.body["machine"] == {"id": cast.machine.pk, "name": cast.machine.name}
    assert (answer.body["state"], len(answer.body["code"])) == ("confirmed", 6)
    assert answer.body["start"] == tomorrow(10).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert as_("owner").get(f"bookings/{answer.body['id']}/").body == answer.body


def test_a_taken_time_is_409_with_three_others(as_: As, cast: Cast) -> None:
    as_("owner").post("bookings/", wish(cast))
    answer = as_("other_member").post("bookings/", wish(cast))
    assert (answer.status, answer.codes) == (409, ["slot_taken"])
    assert len(answer.body["alternatives"]) == 3
    offer = answer.body["alternatives"][0]
    assert as_("other_member").post("bookings/", offer).status == 201


def test_all_broken_rules_are_told_at_once(as_: As, cast: Cast) -> None:
    Certificate.objects.all().delete()
    long_ago = wish(cast, start="2020-01-01T10:00:00Z", end="2020-01-01T22:00:00Z")
    answer = as_("owner").post("bookings/", long_ago)
    assert answer.status == 409
    assert {"in_the_past", "too_long", "not_certified"} <= set(answer.codes)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"start": "2026-11-23T10:00:00"}, "time_zone_missing"),
        ({"start": 7}, "field_invalid"),
        ({"start": "9999-12-31T23:59:59Z"}, "field_invalid"),
        ({"machine": "unknown"}, "unknown_machine"),
        ({"state": "done"}, "unknown_field"),
        ({"end": "2020-01-01T10:00:00Z", "start": "2020-01-01T11:00:00Z"}, "end_before_start"),
    ],
)
def test_what_cannot_be_understood_is_400(as_: As, cast: Cast, more: dict[str, Any], code: str) -> None:
    answer = as_("owner").post("bookings/", wish(cast, **more))
    assert (answer.status, answer.codes) == (400, [code])
    assert not Booking.objects.exists()


def test_all_that_cannot_be_meant_is_told_at_once_and_nothing_is_booked_or_moved(as_: As, cast: Cast) -> None:
    backwards = {"start": tomorrow(11).isoformat(), "end": tomorrow(10).isoformat()}
    overrides = [{"code": "slot_takes", "reason": "x"}]
    elsewhere = make_machine(cast.elsewhere, "Metz 1", model=cast.model)
    removed = make_machine(cast.site, "Vieille", model=cast.model, retired_at=timezone.now())
    senseless = ["end_before_start", "override_unknown"]
    for machine in (elsewhere, removed):
        body = {"machine": machine.pk, **backwards, "overrides": overrides}
        answer = as_("owner").post("bookings/", body)
        assert (answer.status, answer.codes) == (400, ["unknown_machine", *senseless])
    body = wish(cast, person=cast.person("elsewhere").pk, overrides=overrides, **backwards)
    answer = as_("staff").post("bookings/", body)
    assert (answer.status, answer.codes) == (400, ["unknown_person", *senseless])
    fields = {"machine": 7, "start": "2026-11-24T10:00:00", "end": "9999-12-31T23:00:00Z", "until": "noon"}
    answer = as_("owner").post("bookings/", fields)
    assert (answer.status, sorted(map(str, answer.fields))) == (400, ["end", "machine", "start", "until"])
    assert not Booking.objects.exists()

    booking = make_booking(cast.machine, cast.person("owner"), start=tomorrow(8))
    answer = as_("owner").post(f"bookings/{booking.pk}/move/", {**backwards, "overrides": overrides})
    assert (answer.status, answer.codes) == (400, senseless)
    booking.refresh_from_db()
    assert booking.start == tomorrow(8)


def test_members_see_their_own_bookings_and_helpers_their_sites(as_: As, cast: Cast) -> None:
    mine = make_booking(cast.machine, cast.person("owner"), start=tomorrow(8))
    other = make_booking(cast.machine, cast.person("other_member"), start=tomorrow(12))

    def seen(part: str, **query: str) -> list[str]:
        return [row["id"] for row in as_(part).get("bookings/", **query).body["results"]]

    assert seen("owner") == [mine.pk]
    assert seen("staff") == [mine.pk, other.pk]
    assert seen("elsewhere") == []
    assert seen("staff", **{"from": tomorrow(10).isoformat()}) == [other.pk]
    assert seen("staff", to=tomorrow(10).isoformat(), machine=cast.machine.pk) == [mine.pk]
    assert as_("owner").get(f"bookings/{other.pk}/").status == 404


def test_one_cancels_ones_own_and_helpers_those_of_their_site(as_: As, cast: Cast) -> None:
    booking = make_booking(cast.machine, cast.person("owner"), start=tomorrow(8))
    address = f"bookings/{booking.pk}/cancel/"
    assert as_("other_member").post(address).status == 404
    assert as_("elsewhere").post(address).status == 404
    assert as_("owner").post(address).body["state"] == "cancelled"
    assert as_("owner").post(address).status == 409


def test_a_booking_is_moved_under_the_rules_of_a_new_one(as_: As, cast: Cast) -> None:
    booking = make_booking(cast.machine, cast.person("owner"), start=tomorrow(8))
    make_booking(cast.machine, cast.person("other_member"), start=tomorrow(12))
    times = {"start": tomorrow(12).isoformat(), "end": tomorrow(13).isoformat()}
    assert as_("owner").post(f"bookings/{booking.pk}/move/", times).status == 409
    times = {"start": tomorrow(14).isoformat(), "end": tomorrow(15).isoformat()}
    assert as_("owner").post(f"bookings/{booking.pk}/move/", times).status == 200
    assert as_("other_member").post(f"bookings/{booking.pk}/move/", times).status == 404


def test_who_comes_checks_in(as_: As, cast: Cast) -> None:
    now = timezone.now()
    booking = make_booking(cast.machine, cast.person("owner"), start=now - timedelta(minutes=5))
    assert as_("owner").post(f"bookings/{booking.pk}/check-in/").body["state"] == "in_use"
    later = make_booking(cast.machine, cast.person("owner"), start=tomorrow(8))
    assert as_("owner").post(f"bookings/{later.pk}/check-in/").codes == ["booking_not_begun"]
    assert as_("elsewhere").post(f"bookings/{later.pk}/check-in/").status == 404


def test_helpers_book_for_somebody_of_their_site_and_members_do_not(as_: As, cast: Cast) -> None:
    body = wish(cast, person=cast.person("owner").pk)
    answer = as_("staff").post("bookings/", body)
    assert (answer.status, answer.body["person"]["name"]) == (201, "owner")
    assert as_("other_member").post("bookings/", wish(cast, 14, person=cast.person("owner").pk)).status in {
        403,
        400,
    }
    stranger = as_("staff").post("bookings/", wish(cast, 16, person=cast.person("elsewhere").pk))
    assert (stranger.status, stranger.codes) == (400, ["unknown_person"])


def test_free_times_leave_out_what_is_booked(as_: As, cast: Cast) -> None:
    make_booking(cast.machine, cast.person("owner"), start=tomorrow(10))
    query = {"from": tomorrow(9).isoformat(), "to": tomorrow(12).isoformat(), "minutes": "60"}
    answer = as_("owner").get(f"machines/{cast.machine.pk}/free/", **query)
    spans = [(span["start"][11:16], span["end"][11:16]) for span in answer.body["results"]]
    assert spans == [("09:00", "10:00"), ("11:00", "12:00")]
    assert as_("elsewhere").get(f"machines/{cast.machine.pk}/free/", **query).status == 404


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"minutes": "0"}, "out_of_range"),
        ({"minutes": "ten"}, "field_invalid"),
        ({"from": "now"}, "field_invalid"),
        ({"from": "2026-11-23T10:00:00Z", "to": "2026-11-23T09:00:00Z"}, "end_before_start"),
    ],
)
def test_free_times_are_asked_for_properly(as_: As, cast: Cast, query: dict[str, str], code: str) -> None:
    answer = as_("owner").get(f"machines/{cast.machine.pk}/free/", **query)
    assert (answer.status, answer.codes) == (400, [code])


def test_who_is_done_early_gives_the_rest_back(cast: Cast) -> None:
    booking = walk_up(person=cast.person("owner"), machine_id=cast.machine.pk, at=timezone.now())
    done = Caller(cast.person("owner")).post(f"/api/v1/bookings/{booking.pk}/finish/")
    assert (done.status, done.body["state"]) == (200, "done")
    again = Caller(cast.person("owner")).post(f"/api/v1/bookings/{booking.pk}/finish/")
    assert (again.status, again.body["code"]) == (409, "booking_over")
