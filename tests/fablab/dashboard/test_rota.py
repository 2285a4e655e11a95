"""Planning: read as a list, "Je ne viens pas" in two taps, the rest by staff; the forms keep what was typed."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from equipment.sites.models import Shift, ShiftChange
from equipment.sites.states import Role
from fablab.core.clock import local_day
from fablab.notices.models import Notice
from fablab.people.states import AgeBand
from tests.builders import ALWAYS, make_booking, make_machine, make_person, make_site

pytestmark = pytest.mark.django_db


def test_an_instructor_says_they_are_not_coming_and_staff_see_whose_booking_is_left_alone(
    client: Client,
) -> None:
    site = make_site(opens=ALWAYS)
    instructor, staff = (
        make_person("Inès", Role.INSTRUCTOR, site=site),
        make_person("S", Role.STAFF, site=site),
    )
    client.force_login(staff)
    assert "Sans planning, les moins de 18 ans ne peuvent pas réserver." in client.get("/planning/").text
    tomorrow = local_day(timezone.now(), "Europe/Paris") + timedelta(days=1)
    every_week = {
        "person": instructor.pk, "weekday": str(tomorrow.weekday()), "starts": "00:00", "ends": "23:30",
        "first_day": tomorrow.isoformat(),
    }  # fmt: skip
    wrong = client.post("/planning/semaine/", every_week | {"starts": "neuf heures", "first_day": "demain"})
    assert wrong.status_code == 400 and 'value="neuf heures"' in wrong.text
    assert client.post("/planning/semaine/", every_week).status_code == 303
    assert Shift.objects.get().person == instructor

    young = make_person("Zoé", site=site, age_band=AgeBand.UNDER_15)
    noon = (timezone.now() + timedelta(days=1)).replace(hour=11, minute=0, second=0, microsecond=0)
    booking = make_booking(make_machine(site, "Ada"), young, start=noon)
    page = client.get(f"/planning/?semaine={tomorrow.isoformat()}").text
    assert "Inès" in page and "Sans animateur" not in page

    client.force_login(instructor)
    said = client.post("/planning/absence/", {"first_day": tomorrow.isoformat()}, follow=True)
    assert "1 réservation est sans animateur : la personne le sait." in said.text
    assert Notice.objects.get(person=young).code == "booking_unsupervised"
    client.force_login(young)
    assert "Il faut un animateur à cette heure." in client.get(f"/reservations/{booking.pk}/empechee/").text
    client.force_login(instructor)
    change = ShiftChange.objects.get()
    assert (change.person, change.day) == (instructor, tomorrow)
    # What one cannot do for somebody else stands nowhere.
    assert "Ajouter au planning" not in said.text

    client.force_login(staff)
    assert "Sans animateur" in client.get("/planning/").text
    back = client.post(f"/planning/change/{change.pk}/annuler/", follow=True)
    assert "C’est noté." in back.text
    assert not Notice.objects.exists()  # nobody had read it


@pytest.mark.parametrize("count", [2, 30])
def test_the_page_asks_the_same_number_of_questions_for_any_number_of_people(
    client: Client, count: int
) -> None:
    site = make_site()
    for _ in range(count):
        person = make_person(None, Role.INSTRUCTOR, site=site)
        for weekday in range(5):
            Shift.objects.create(
                site=site, person=person, weekday=weekday, starts=540, ends=720, first_day="2020-01-01"
            )
        ShiftChange.objects.create(site=site, person=person, day=timezone.now().date() + timedelta(days=1))
    client.force_login(make_person("S", Role.STAFF, site=site))
    client.get("/planning/")
    with CaptureQueriesContext(connection) as queries:
        client.get("/planning/")
    assert len(queries) == 20
