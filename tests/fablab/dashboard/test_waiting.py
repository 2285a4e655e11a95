"""The waiting list and the day itself as people meet them: one tap each, without scripts."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from equipment.bookings.models import Booking, WaitingEntry
from equipment.bookings.offering import serve_all
from equipment.bookings.states import BookingState
from equipment.sites.states import Role
from tests.builders import (
    ALWAYS,
    hours,
    make_booking,
    make_kind,
    make_machine,
    make_person,
    make_site,
    minutes,
)

pytestmark = pytest.mark.django_db


def main(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return answer.content.decode().split("<main")[1].split("</main")[0]


def press(client: Client, page: str, label: str) -> str:
    """Press the button with this label, as a browser without scripts does; return where it leads."""
    for form in re.findall(r"<form.*?</form>", page, re.DOTALL):
        if re.search(rf"<button[^>]*>(?:(?!</button>).)*{label}", form, re.DOTALL):
            button = re.search(rf"<button[^>]*>(?=(?:(?!</button>).)*{label})", form, re.DOTALL)
            assert button is not None
            action = re.search(r'formaction="([^"]+)"', button[0]) or re.search(r'action="([^"]+)"', form)
            assert action is not None
            fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
            fields += re.findall(r'name="([^"]+)" value="([^"]*)"', button[0])
            answer = client.post(action[1], dict(fields))
            assert answer.status_code == 303, answer.content.decode()[:500]
            return str(answer.headers["Location"])
    raise AssertionError(f"no button {label}")


def test_a_full_hour_and_a_full_day_offer_to_wait_and_the_freed_time_is_taken_in_one_tap(
    client: Client,
) -> None:
    site, kind = make_site(opens=ALWAYS), make_kind("fdm")
    machine, lea = make_machine(site, "Ada", kind=kind), make_person("lea", site=site)
    tomorrow = (timezone.now() + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
    taken = make_booking(machine, start=tomorrow)
    client.force_login(lea)
    slot = f"{machine.pk}|{taken.start.isoformat()}|{taken.end.isoformat()}"
    refused = client.post("/reserver/fdm/confirmer/", {"slot": slot})
    assert refused.status_code == 409
    assert "#attentes" in press(client, refused.content.decode(), "Me prévenir si ça se libère")
    mine = main(client, "/reservations/")
    assert "Tu attends" in mine and "Ada" in mine
    press(client, mine, "Ne plus attendre")
    assert "Tu attends" not in main(client, "/reservations/")
    day = (tomorrow + timedelta(days=2)).date()
    begin = tomorrow.replace(hour=0) + timedelta(days=1, hours=12)
    make_booking(machine, start=begin, end=begin + timedelta(days=2))
    press(
        client,
        main(client, f"/reserver/fdm/?jour={day.isoformat()}&minutes=60"),
        "Me prévenir si ça se libère",
    )
    (entry,) = WaitingEntry.objects.filter(ended_at__isnull=True)
    assert (entry.machine, entry.minutes, entry.to_time - entry.from_time) == (None, 60, timedelta(days=1))
    Booking.objects.filter(start=begin).update(state=BookingState.CANCELLED)
    serve_all(timezone.now())
    mine = main(client, "/reservations/")
    assert "Gardé pour toi" in mine and "Réponds avant" in mine and "Tu attends" not in mine
    held = Booking.objects.get(state=BookingState.HELD)
    assert "Non merci" in main(client, f"/reservations/{held.pk}/")
    assert press(client, mine, "Prendre") == f"/reservations/{held.pk}/"
    held.refresh_from_db()
    assert held.state == BookingState.CONFIRMED


def test_no_thanks_leaves_the_wish_and_what_is_over_says_so(client: Client) -> None:
    site = make_site()
    lea = make_person("lea", site=site)
    machine = make_machine(site, "Ada")
    start = timezone.now() + hours(20)
    held = make_booking(
        machine, lea, start=start, state=BookingState.HELD, hold_until=timezone.now() + minutes(5)
    )
    entry = WaitingEntry.objects.create(
        site=site, kind=machine.model.kind, person=lea, from_time=start, to_time=held.end, minutes=60,
        created_at=timezone.now() - hours(1), booking=held,
    )  # fmt: skip
    client.force_login(lea)
    press(client, main(client, "/reservations/"), "Non merci")
    entry.refresh_from_db()
    held.refresh_from_db()
    assert (held.state, entry.ended_at) == (BookingState.CANCELLED, None)
    client.post(f"/reservations/{held.pk}/prendre/")
    assert "Ce créneau n’est plus gardé pour toi." in main(client, "/reservations/")


def test_cancelling_takes_two_taps_and_one_more_takes_it_back_without_scripts(client: Client) -> None:
    site = make_site()
    booking = make_booking(
        make_machine(site), make_person("lea", site=site), start=timezone.now() + hours(30)
    )
    client.force_login(booking.person)
    shown = main(client, press(client, main(client, "/reservations/"), "Annuler"))
    booking.refresh_from_db()
    assert booking.state == BookingState.HELD and "Annulé" in shown
    press(client, shown, "Le reprendre")
    booking.refresh_from_db()
    assert booking.state == BookingState.CONFIRMED
    press(client, main(client, "/reservations/"), "Annuler")
    Booking.objects.update(hold_until=timezone.now())
    assert "Le reprendre" not in main(client, f"/reservations/?annule={booking.pk}")


def test_at_the_machine_one_says_that_one_is_there_stays_longer_and_is_done(client: Client) -> None:
    site = make_site(opens=ALWAYS)
    machine = make_machine(site, "Ada")
    lea, karim = make_person("lea", site=site), make_person("karim", Role.STAFF, site=site)
    booking = make_booking(machine, lea, start=timezone.now() - minutes(5))
    client.force_login(karim)
    assert "lea est là" in main(client, f"/m/{machine.pk}/")
    client.force_login(lea)
    assert press(client, main(client, f"/m/{machine.pk}/"), "Je suis là") == f"/m/{machine.pk}/"
    there = main(client, f"/m/{machine.pk}/")
    assert "Je suis là" not in there
    press(client, there, "Rester 30 min de plus")
    assert Booking.objects.get().end == booking.end + minutes(30)
    make_booking(machine, start=booking.end + minutes(30))
    assert "de plus" not in main(client, f"/m/{machine.pk}/")
    press(client, main(client, f"/reservations/{booking.pk}/"), "J’ai fini")
    booking.refresh_from_db()
    assert booking.state == BookingState.DONE


def test_the_code_is_typed_without_an_account(client: Client) -> None:
    booking = make_booking(start=timezone.now() + minutes(5), code="A7K2Q9")
    address = f"/m/{booking.machine_id}/"
    assert 'name="code"' in main(client, address)
    client.post(f"{address}arrive/", {"code": "AAAAAA"})
    assert "Aucune réservation d’ici" in client.get(address).content.decode()
    assert client.post(f"{address}arrive/", {"code": "a7k 2q9"}).headers["Location"] == address
    assert "C’est noté" in client.get(address).content.decode()
    booking.refresh_from_db()
    assert booking.state == BookingState.IN_USE
    assert (client.get(f"{address}arrive/").status_code, client.post("/m/none/arrive/").status_code) == (
        405,
        404,
    )


def test_absences_are_seen_by_those_on_duty_and_excused_in_one_tap_in_as_many_queries_for_a_hundred(
    client: Client,
) -> None:
    site = make_site()
    machine, lea = make_machine(site, "Ada"), make_person("Lea", site=site)
    start = timezone.now() - hours(100)
    for number in range(3):
        make_booking(machine, lea, start=start + hours(2 * number), state=BookingState.NO_SHOW)
    client.force_login(make_person("karim", Role.STAFF, site=site))
    with CaptureQueriesContext(connection) as few:
        page = main(client, "/absences/")
    assert "Ne peut plus réserver" in page
    assert press(client, page, "Excuser") == "/absences/"
    assert "Ne peut plus réserver" not in main(client, "/absences/")
    left = Booking.objects.filter(excused_at__isnull=True).first()
    assert left is not None
    press(client, main(client, f"/reservations/{left.pk}/"), "Excuser")
    assert "Excusé" in main(client, f"/reservations/{left.pk}/")
    for number in range(40):
        make_booking(
            machine, make_person(site=site), start=start + hours(8 + number), state=BookingState.NO_SHOW
        )
    with CaptureQueriesContext(connection) as many:
        main(client, "/absences/")
    assert len(many) == len(few)
    client.force_login(lea)
    assert client.get("/absences/").status_code == 403
    assert "Créneau rendu" in main(client, f"/reservations/{left.pk}/")
