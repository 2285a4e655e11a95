"""Dans mon agenda: the address for one's own calendar program, shown to its person alone, dead when it is changed."""

import re

import pytest
from django.test import Client
from django.utils import timezone
from icalendar import Calendar

from tests.builders import hours, make_booking
from tests.builders_jobs import Cast
from tests.fablab.dashboard.lab import as_, text_of

pytestmark = pytest.mark.django_db


def address_in(page: str) -> str:
    found = re.search(r"http://testserver(/agenda/[^<]+\.ics)", page)
    assert found is not None
    return found[1]


def test_one_tap_makes_the_address_and_programs_read_it_without_signing_in(cast: Cast) -> None:
    owner = as_(cast.person("owner"))
    booking = make_booking(cast.machine, cast.person("owner"), start=timezone.now() + hours(1))
    make_booking(cast.machine, cast.person("other_member"), start=timezone.now() + hours(5))
    assert "Les voir dans mon agenda" in text_of(owner.get("/reservations/"))
    assert "webcal" not in text_of(owner.get("/reservations/agenda/"))
    shown = text_of(owner.post("/reservations/agenda/creer/", follow=True))
    address = address_in(shown)
    assert f'href="webcal://testserver{address}"' in shown

    answer = Client().get(address)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    (event,) = Calendar.from_ical(answer.content).events
    assert event["URL"] == f"http://testserver/reservations/{booking.pk}/"
    assert cast.machine.name in event["SUMMARY"]
    assert Client().head(address).status_code == 200
    assert Client().post(address).status_code == 405
    again = Client().get(address, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_changed_or_removed_address_is_dead_and_says_nothing(cast: Cast) -> None:
    owner = as_(cast.person("owner"))
    first = address_in(text_of(owner.post("/reservations/agenda/creer/", follow=True)))
    second = address_in(text_of(owner.post("/reservations/agenda/creer/", follow=True)))
    assert first != second
    assert [Client().get(one).status_code for one in (first, second)] == [404, 200]
    owner.post("/reservations/agenda/supprimer/")
    assert [Client().get(one).status_code for one in (second, "/agenda/x.ics", "/agenda/..ics")] == [404] * 3


def test_one_booking_can_be_taken_along_as_a_file(cast: Cast) -> None:
    booking = make_booking(cast.machine, cast.person("owner"), start=timezone.now() + hours(1))
    answer = as_(cast.person("owner")).get(f"/reservations/{booking.pk}/agenda/")
    assert answer["Content-Disposition"] == 'attachment; filename="reservation.ics"'
    (event,) = Calendar.from_ical(answer.content).events
    assert event["UID"] == f"{booking.pk}@fablab"
    assert f"{booking.code[:3]}-{booking.code[3:]}" in event["DESCRIPTION"]
