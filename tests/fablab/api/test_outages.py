"""By the API: outages of a machine and closed days of a place, announced, listed, ended early, with a picture."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from equipment.bookings.models import Booking
from fablab.notices.queries import unread_of
from fablab.people.services import make_token
from tests.builders import make_booking
from tests.builders_jobs import Cast
from tests.fablab.api.callers import Caller
from tests.fablab.dashboard.pictures import a_photo

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(cast: Cast) -> Caller:
    return Caller(cast.person("staff"))


def test_an_outage_is_planned_listed_for_all_of_the_place_and_ended_early(cast: Cast, staff: Caller) -> None:
    here = f"/api/v1/machines/{cast.machine.pk}/outages/"
    start = (timezone.now() + timedelta(days=2)).replace(microsecond=0)
    booking = make_booking(cast.machine, cast.person("owner"), start=start + timedelta(hours=2))
    given = {
        "start": start.isoformat(),
        "end": (start + timedelta(hours=4)).isoformat(),
        "reason": "Révision",
    }
    made = staff.post(here, given)
    assert made.status == 201
    owner = Caller(cast.person("owner"))
    (outage,) = owner.get(here).body["results"]
    assert (outage["reason"], outage["photo"], outage["expected_end"]) == ("Révision", None, None)
    assert made.headers["Location"] == f"/api/v1/outages/{outage['id']}/"
    assert owner.get(made.headers["Location"]).body == outage == made.body
    assert [one.code for one in unread_of(cast.person("owner"))] == ["booking_outage"]
    early = {"end": (start + timedelta(hours=1)).isoformat()}
    ended = staff.post(f"/api/v1/outages/{outage['id']}/end/", early)
    assert (ended.status, ended.body["end"][:16]) == (200, early["end"][:16])
    assert unread_of(cast.person("owner")) == []
    assert Booking.objects.get(pk=booking.pk).state == "confirmed"
    later = staff.post(f"/api/v1/outages/{outage['id']}/end/", given | {"reason": None})
    assert later.status == 400
    assert staff.post(f"/api/v1/outages/{outage['id']}/end/", {}).status == 200
    assert owner.get(here).body["results"] == []


def test_at_once_with_a_guess_reads_the_same_as_by_the_old_address(cast: Cast, staff: Caller) -> None:
    here = f"/api/v1/machines/{cast.machine.pk}/outages/"
    guess = (timezone.now() + timedelta(hours=5)).isoformat()
    made = staff.post(here, {"reason": "Fuite", "expected_end": guess})
    assert (made.status, made.body["end"], made.body["expected_end"][:16]) == (201, None, guess[:16])
    none = staff.post(f"{made.headers['Location']}expect-back/", {"expected_end": None})
    assert (none.status, none.body["expected_end"]) == (200, None)
    machine = staff.get(f"/api/v1/machines/{cast.machine.pk}/").body
    assert (machine["state"], machine["out_of_order_reason"]) == ("out_of_order", "Fuite")
    assert staff.post(here, {"reason": "Fuite"}).body["code"] == "already_out_of_order"
    assert (
        staff.post(f"/api/v1/machines/{cast.machine.pk}/back-in-service/", {}).body["state"] != "out_of_order"
    )
    wrong = staff.post(here, {"reason": "Fuite", "start": guess, "expected_end": guess})
    assert (wrong.status, [one["code"] for one in wrong.body["problems"]]) == (
        400,
        ["field_required", "unknown_field"],
    )


def test_a_picture_is_sent_with_a_token_and_read_by_the_place_alone(cast: Cast, staff: Caller) -> None:
    made = staff.post(f"/api/v1/machines/{cast.machine.pk}/outages/", {"reason": "Fuite"})
    address = f"{made.headers['Location']}photo/"
    assert staff.get(address).status == 404
    _, secret = make_token(person=cast.person("staff"), at=timezone.now())
    bearer = {"Authorization": f"Bearer {secret}"}
    refused = Client().post(
        f"{address}upload/", {"file": SimpleUploadedFile("x.png", b"nothing")}, headers=bearer
    )
    assert (refused.status_code, refused.json()["code"]) == (400, "photo_unreadable")
    sent = Client().post(f"{address}upload/", {"file": a_photo()}, headers=bearer)
    assert (sent.status_code, sent.json()["photo"]) == (201, address)
    read = Client().get(address, headers=bearer)
    assert read.headers["Content-Type"] == "image/jpeg"
    assert b"".join(read).startswith(b"\xff\xd8\xff")
    assert Caller(cast.person("elsewhere")).get(address).status == 404


def test_days_are_closed_listed_and_opened_again_and_nonsense_is_refused(cast: Cast, staff: Caller) -> None:
    here = f"/api/v1/sites/{cast.site.pk}/closures/"
    day = (timezone.now() + timedelta(days=20)).date().isoformat()
    made = staff.post(here, {"first_day": day, "last_day": day, "reason": "Pont"})
    assert made.status == 201
    owner = Caller(cast.person("owner"))
    assert owner.get(here).body["results"] == [made.body]
    assert owner.get(made.headers["Location"]).body == made.body
    for first, last, code in (
        ("2030-05-02", "2030-05-01", "closure_ends_before_it_begins"),
        ("2030-05-02", "9999-12-31", "series_year_out_of_range"),
        ("2030-05-02", "2032-05-01", "closure_too_long"),
        ("2020-05-02", "2020-05-02", "closure_is_over"),
        ("2030-02-30", day, "field_invalid"),
    ):
        refused = staff.post(here, {"first_day": first, "last_day": last})
        assert (refused.status, refused.body["code"]) == (400, code), refused.body
    assert staff.delete(made.headers["Location"]).status == 204
    assert staff.get(here).body["results"] == []
    assert staff.get(f"{here}none/").status == 404
