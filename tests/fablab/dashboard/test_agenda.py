"""Dans mon agenda: the address for one's own calendar program, shown to its person alone, dead when it is changed."""

import re

import pytest
from django.test import Client
from django.utils import timezone
from time_machine import TimeMachineFixture

from equipment.sites.models import Site
from fablab.dashboard.agenda import READS_A_MINUTE
from tests.builders import hours, make_booking, make_machine
from tests.builders_jobs import Cast
from tests.equipment.bookings.rfc5545 import events_in
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
    (event,) = events_in(answer.content)
    assert event["URL"] == f"http://testserver/reservations/{booking.pk}/"
    assert cast.machine.name in event["SUMMARY"]
    assert "(Europe/Paris)" in event["DESCRIPTION"]
    assert answer["Cache-Control"] == "private, no-cache"
    assert "Set-Cookie" not in answer
    assert not answer.cookies
    assert Client().head(address).status_code == 200
    assert Client().post(address).status_code == 405
    again = Client().get(address, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", answer["ETag"])
    owner.post(f"/reservations/{booking.pk}/annuler/")
    changed = Client().get(address, headers={"If-None-Match": answer["ETag"]})
    assert events_in(changed.content)[0]["STATUS"] == "CANCELLED"


def test_a_program_that_asks_without_end_waits_a_minute_and_no_other_feed_with_it(
    cast: Cast, time_machine: TimeMachineFixture
) -> None:
    time_machine.move_to(timezone.now().replace(second=0), tick=False)
    one, other = (
        address_in(text_of(as_(cast.person(who)).post("/reservations/agenda/creer/", follow=True)))
        for who in ("owner", "staff")
    )
    program = Client()
    assert {program.get(one).status_code for _ in range(READS_A_MINUTE)} == {200}
    refused = program.get(one)
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    assert program.get(other).status_code == 200
    time_machine.shift(60)
    assert program.get(one).status_code == 200


def test_those_on_duty_have_a_machines_hours_without_names(cast: Cast) -> None:
    booking = make_booking(cast.machine, cast.person("owner"), start=timezone.now() + hours(1))
    page = f"/machines/{cast.machine.pk}/agenda/"
    staff = as_(cast.person("staff"))
    assert page in text_of(staff.get(f"/machines/{cast.machine.pk}/"))
    address = address_in(text_of(staff.post(f"{page}creer/", follow=True)))
    assert address in text_of(staff.get(page))
    assert address not in text_of(staff.get("/reservations/agenda/"))
    body = Client().get(address).content
    (event,) = events_in(body)
    assert event["SUMMARY"] == f"{cast.machine.name} – Réservé"
    assert event["URL"] == f"http://testserver/reservations/{booking.pk}/"
    told = body.decode().replace("\r\n ", "")
    assert cast.person("owner").display_name not in told
    assert booking.code not in told
    staff.post(f"{page}supprimer/")
    assert Client().get(address).status_code == 404
    assert as_(cast.person("owner")).get(page).status_code == 403


def test_a_changed_or_removed_address_is_dead_and_says_nothing(cast: Cast) -> None:
    owner = as_(cast.person("owner"))
    first = address_in(text_of(owner.post("/reservations/agenda/creer/", follow=True)))
    second = address_in(text_of(owner.post("/reservations/agenda/creer/", follow=True)))
    assert first != second
    assert [Client().get(one).status_code for one in (first, second)] == [404, 200]
    owner.post("/reservations/agenda/supprimer/")
    assert [Client().get(one).status_code for one in (second, "/agenda/x.ics", "/agenda/..ics")] == [404] * 3


def test_pages_name_the_clock_their_hours_are_read_on(cast: Cast) -> None:
    Site.objects.filter(pk=cast.elsewhere.pk).update(time_zone="Indian/Reunion")
    owner = cast.person("owner")
    near = make_booking(cast.machine, owner, start=timezone.now() + hours(1))
    far = make_booking(
        make_machine(Site.objects.get(pk=cast.elsewhere.pk)), owner, start=timezone.now() - hours(50)
    )
    page = as_(owner)
    assert "À l’heure du lieu (Europe/Paris, Indian/Reunion)." in text_of(page.get("/reservations/"))
    for booking, zone in ((near, "Europe/Paris"), (far, "Indian/Reunion")):
        assert f"À l’heure du lieu ({zone})." in text_of(page.get(f"/reservations/{booking.pk}/"))
    assert "À l’heure du lieu" not in text_of(as_(cast.person("other_member")).get("/reservations/"))


def test_one_booking_can_be_taken_along_as_a_file(cast: Cast) -> None:
    booking = make_booking(cast.machine, cast.person("owner"), start=timezone.now() + hours(1))
    answer = as_(cast.person("owner")).get(f"/reservations/{booking.pk}/agenda/")
    assert answer["Content-Disposition"] == 'attachment; filename="reservation.ics"'
    (event,) = events_in(answer.content)
    assert event["UID"] == f"{booking.pk}@fablab"
    assert f"{booking.code[:3]}-{booking.code[3:]}" in event["DESCRIPTION"]
