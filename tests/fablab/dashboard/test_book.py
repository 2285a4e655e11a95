"""Booking by page: the next free times, one day's, what is lost and what is kept, cancelling and its way back."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from equipment.bookings.models import Booking
from equipment.bookings.states import BookingState
from equipment.machines.states import Plate
from equipment.sites.models import PowerCut
from fablab.dashboard import formats
from tests.builders import certify, make_booking, make_kind, make_machine, make_person, make_site

pytestmark = pytest.mark.django_db
SLOT = re.compile(r'name="slot" value="([^"]+)"')


def in_two_days() -> datetime:
    return (timezone.now() + timedelta(days=2)).replace(hour=10, minute=0, second=0, microsecond=0)


def slot(machine_id: str, start: datetime, minutes: int = 60) -> str:
    return f"{machine_id}|{start.isoformat()}|{(start + timedelta(minutes=minutes)).isoformat()}"


def test_the_next_six_times_of_any_machine_of_the_kind_are_offered_and_one_is_booked(client: Client) -> None:
    site, kind = make_site(), make_kind("fdm")
    for name in ("Ada", "Blaise"):
        make_machine(site, name, kind=kind)
    client.force_login(make_person("lea", site=site))
    page = client.get("/reserver/fdm/").content.decode()
    offered = SLOT.findall(page)
    assert len(offered) == 6
    assert len({value.split("|")[1] for value in offered}) == 6, "each time is offered once"
    answer = client.post("/reserver/fdm/confirmer/", {"slot": offered[2]})
    assert answer.status_code == 303
    booking = Booking.objects.get()
    shown = client.get(answer.headers["Location"]).content.decode()
    assert f"{booking.code[:3]}-{booking.code[3:]}" in shown


@pytest.mark.parametrize("plate", [Plate.CLEAR, Plate.TO_CLEAR])
def test_what_the_first_page_says_of_a_machine_is_the_first_time_that_its_booking_page_offers(
    client: Client, plate: Plate
) -> None:
    site, kind = make_site(), make_kind("fdm", min_minutes=30, grid_minutes=30)
    machine = make_machine(site, kind=kind, plate=plate)
    now = timezone.now()
    # Half an hour would fit before the cut, the usual hour does not.
    PowerCut.objects.create(
        site=site, start=now + timedelta(minutes=40), end=now + timedelta(hours=5, minutes=40)
    )
    client.force_login(make_person("lea", site=site))
    first = SLOT.findall(client.get(f"/reserver/fdm/?machine={machine.pk}").content.decode())[0]
    start = datetime.fromisoformat(first.split("|")[1])
    assert start >= now + timedelta(hours=5)
    said = f"À réserver : {formats.day_and_time(start, site.time_zone)}"
    for address in ("/", f"/machines/{machine.pk}/"):
        shown = client.get(address).content.decode()
        assert "tout de suite" not in shown
        assert said in shown
    choosing = client.get("/reserver/").content.decode()
    assert f"Libre : {formats.day_and_time(start, site.time_zone)}" in choosing


def test_nothing_is_booked_by_looking(client: Client) -> None:
    site, kind = make_site(), make_kind("fdm")
    machine = make_machine(site, kind=kind)
    client.force_login(make_person("lea", site=site))
    day = in_two_days().date()
    for address in (
        f"/reserver/fdm/?minutes=30&machine={machine.pk}",
        f"/reserver/fdm/?jour={day}",
        "/reserver/",
    ):
        assert client.get(address).status_code == 200
    assert not Booking.objects.exists()


@pytest.mark.parametrize(
    "given",
    [
        "jour=2026-02-31",
        "jour=9999-12-31",
        "jour=0001-01-01",
        "jour=demain",
        "minutes=abc",
        "minutes=99999",
        "machine=x",
    ],
)
def test_an_address_that_makes_no_sense_shows_the_usual_times(client: Client, given: str) -> None:
    site = make_site()
    make_machine(site, kind=make_kind("fdm"))
    client.force_login(make_person("lea", site=site))
    answer = client.get(f"/reserver/fdm/?{given}")
    assert answer.status_code == 200
    assert SLOT.search(answer.content.decode())


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        "x|y|z",
        "x|2026-11-24T10:00|2026-11-24T11:00",
        "x|9999-12-31T22:30-05:00|9999-12-31T23:30-05:00",
    ],
)
def test_a_form_without_a_time_comes_back_with_a_sentence(client: Client, value: str) -> None:
    site = make_site()
    make_machine(site, kind=make_kind("fdm"))
    client.force_login(make_person("lea", site=site))
    answer = client.post("/reserver/fdm/confirmer/", {"slot": value})
    assert answer.status_code == 400
    assert "Choisis d’abord un créneau." in answer.content.decode()


def test_a_lost_time_is_said_and_the_three_nearest_are_offered_with_what_was_chosen(client: Client) -> None:
    site, kind = make_site(), make_kind("fdm")
    machine = make_machine(site, "Ada", kind=kind)
    start = in_two_days()
    make_booking(machine, start=start)
    client.force_login(make_person("lea", site=site))
    given = {
        "slot": slot(machine.pk, start),
        "minutes": "60",
        "jour": start.date().isoformat(),
        "machine": machine.pk,
    }
    answer = client.post("/reserver/fdm/confirmer/", given)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Quelqu’un vient de prendre ce créneau. En voici 3 autres." in page
    assert "data-focus" in page
    near = page[page.index('id="near"') : page.index("<details", page.index('id="near"'))]
    assert len(SLOT.findall(near)) == 3
    assert near.count(" checked") == 1
    assert f'name="jour" value="{start.date()}"' in page
    assert f'name="machine" value="{machine.pk}"' in page


def test_two_equal_forms_make_one_booking(client: Client) -> None:
    site = make_site()
    machine = make_machine(site, kind=make_kind("fdm"))
    client.force_login(make_person("lea", site=site))
    form = {"slot": slot(machine.pk, in_two_days()), "idempotency_key": "the-same"}
    places = {client.post("/reserver/fdm/confirmer/", form).headers["Location"] for _ in range(2)}
    assert len(places) == 1
    assert Booking.objects.count() == 1


def test_who_is_not_trained_reads_so_before_choosing_a_time(client: Client) -> None:
    site, kind = make_site(), make_kind("fdm", needs_certificate=True)
    make_machine(site, kind=kind)
    person = make_person("lea", site=site)
    client.force_login(person)
    page = client.get("/reserver/fdm/").content.decode()
    assert "Il te faut d’abord la formation" in page
    assert not SLOT.search(page)
    certify(person, kind, site)
    assert SLOT.search(client.get("/reserver/fdm/").content.decode())


def test_machines_of_another_place_are_not_offered(client: Client) -> None:
    make_machine(make_site(), kind=make_kind("fdm"))
    client.force_login(make_person("lea", site=make_site()))
    assert client.get("/reserver/fdm/").status_code == 404
    assert client.get("/reserver/").status_code == 200


def test_other_peoples_bookings_are_not_there(client: Client) -> None:
    site = make_site()
    booking = make_booking(make_machine(site), start=in_two_days())
    client.force_login(make_person("lea", site=site))
    for address in (f"/reservations/{booking.pk}/", f"/reservations/{booking.pk}/agenda/"):
        assert client.get(address).status_code == 404
    assert client.post(f"/reservations/{booking.pk}/annuler/").status_code == 404
    assert (
        "annule" not in client.get(f"/reservations/?annule={booking.pk}").content.decode().split("<main")[1]
    )
    booking.refresh_from_db()
    assert booking.state == BookingState.CONFIRMED


def test_the_agenda_file_says_when_in_universal_time_and_cannot_be_broken_by_a_name(client: Client) -> None:
    site = make_site("Saint-Ouen; atelier, A\nEND:VCALENDAR")
    person = make_person("lea", site=site)
    booking = make_booking(make_machine(site), person, start=datetime(2030, 6, 3, 8, 0, tzinfo=UTC))
    client.force_login(person)
    text = client.get(f"/reservations/{booking.pk}/agenda/").content.decode()
    assert "DTSTART:20300603T080000Z\r\n" in text
    assert text.count("\r\nEND:VCALENDAR\r\n") == 1
    assert "Saint-Ouen\\; atelier\\, A\\nEND:VCALENDAR" in text.replace("\r\n ", "")


@pytest.mark.parametrize("address", ["/reserver/", "/reserver/fdm/", "/", "/reservations/"])
def test_pages_take_as_many_queries_for_three_machines_as_for_a_hundred_and_ten(
    client: Client, address: str
) -> None:
    site, kind = make_site(), make_kind("fdm")
    person = make_person("lea", site=site)
    client.force_login(person)
    for _ in range(3):
        make_booking(make_machine(site, kind=kind), person, start=in_two_days())
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for _ in range(107):
        make_booking(make_machine(site, kind=kind), person, start=in_two_days())
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) == len(few)
