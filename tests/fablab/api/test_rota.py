"""The rota by programs: members read when somebody is there, those on duty who; the same rules as on the page."""

from datetime import timedelta

import pytest
from django.utils import timezone

from equipment.sites.states import Role
from tests.builders import ALWAYS, make_person, make_site
from tests.fablab.api.callers import Caller

pytestmark = pytest.mark.django_db


def test_a_shift_and_a_day_away_are_said_read_and_taken_back() -> None:
    site = make_site(opens=ALWAYS)
    instructor = make_person("Inès", Role.INSTRUCTOR, site=site)
    staff, member = Caller(make_person("S", Role.STAFF, site=site)), Caller(make_person("Léa", site=site))
    rota = f"/api/v1/sites/{site.pk}/rota/"
    tomorrow = (timezone.now() + timedelta(days=1)).date()
    shift = {"person": instructor.pk, "weekday": tomorrow.weekday(), "starts": "22:00", "ends": "26:00"}
    wrong = staff.post(f"{rota}shifts/", shift | {"ends": "21:00", "first": "9999-01-01"})
    assert wrong.status == 400
    assert set(wrong.codes) == {"shift_makes_no_sense", "shift_days"}
    made = staff.post(f"{rota}shifts/", shift | {"first": tomorrow.isoformat()})
    assert made.status == 201 and made.body["ends"] == "26:00"

    days = {"first": tomorrow.isoformat(), "last": tomorrow.isoformat()}
    (seen,) = staff.get(rota, **days).body["results"]
    (hidden,) = member.get(rota, **days).body["results"]
    assert seen["person"] == {"id": instructor.pk, "name": "Inès"}
    assert hidden == seen | {"person": None}
    assert member.get(rota, **days | {"last": "2020-01-01"}).status == 400

    away = {"person": instructor.pk, "away": True, "first": tomorrow.isoformat()}
    said = Caller(instructor).post(f"{rota}changes/", away)
    (change,) = said.body["changes"]
    assert staff.get(rota, **days).body["results"] == []
    assert [one["id"] for one in staff.get(f"{rota}changes/").body["results"]] == [change["id"]]
    elsewhere = make_site()
    assert staff.delete(f"/api/v1/sites/{elsewhere.pk}/rota/changes/{change['id']}/").status == 404
    assert staff.delete(f"{rota}changes/{change['id']}/").status == 204
    assert staff.delete(f"{rota}shifts/{made.body['id']}/").status == 204
    assert staff.get(rota, **days).body["results"] == []
