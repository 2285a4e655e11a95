"""Booking for somebody: who helps types a time, and answers by name, with a reason, for a rule that is set aside."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from equipment.bookings.models import Booking
from equipment.bookings.states import BookingState
from equipment.sites.states import Role
from fablab.core.clock import local_time
from tests.builders import ALWAYS, certify, make_booking, make_kind, make_machine, make_person, make_site

pytestmark = pytest.mark.django_db


def wall(at: datetime) -> str:
    return f"{local_time(at, 'Europe/Paris'):%Y-%m-%dT%H:%M}"


def test_who_helps_books_for_somebody_reads_all_problems_at_once_and_sets_aside_what_they_may(
    client: Client,
) -> None:
    site = make_site(opens=ALWAYS)
    machine = make_machine(site, "Ada", kind=make_kind("cutter", needs_certificate=True))
    lea, instructor = make_person("Léa", site=site), make_person("Instructor", Role.INSTRUCTOR, site=site)
    certify(instructor, machine)
    client.force_login(instructor)
    address = f"/reserver/pour/{lea.pk}/"
    assert "Réserver pour Léa" in client.get(address).text
    noon = (timezone.now() + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    form = {"machine": machine.pk, "start": wall(noon), "end": wall(noon + timedelta(hours=4))}

    empty = client.post(address, {"machine": "", "start": "demain", "end": "9999-01-01T10:00"})
    assert empty.status_code == 400 and 'value="demain"' in empty.text

    away = make_machine(make_site(), "Loin", model=machine.model)
    backwards = {
        "machine": away.pk,
        "start": wall(noon),
        "end": wall(noon - timedelta(hours=1)),
        "aside": ["too_long"],
    }
    senseless = client.post(address, backwards)
    assert senseless.status_code == 400
    sentences = (
        "Choisis une machine de la liste.",
        "La fin vient après le début.",
        "Écris pourquoi tu passes outre.",
    )
    assert [one for one in sentences if one not in senseless.text] == []

    refused = client.post(address, form)
    assert refused.status_code == 409
    assert "Au plus 2 h." in refused.text
    assert "Il te faut d’abord la formation" in refused.text
    assert not Booking.objects.exists()

    aside = {"aside": ["too_long", "not_certified"]}
    without_reason = client.post(address, form | aside)
    assert without_reason.status_code == 400
    assert "Écris pourquoi tu passes outre." in without_reason.text
    assert f'value="{form["start"]}"' in without_reason.text

    booked = client.post(address, form | aside | {"why": "Je suis à côté"})
    assert booked.status_code == 303
    booking = Booking.objects.get()
    assert (booking.person, booking.created_by, booking.start) == (lea, instructor, noon)
    assert {one["code"]: (one["reason"], one["by"]) for one in booking.overrides} == {
        "too_long": ("Je suis à côté", instructor.pk),
        "not_certified": ("Je suis à côté", instructor.pk),
    }
    # It is not hidden: on the booking's page everybody who may see it reads who answered for it, and why.
    shown = client.get(f"/reservations/{booking.pk}/").text
    assert "Je suis à côté" in shown and "Instructor" in shown


def test_what_was_done_is_written_down_afterwards_by_staff_and_holds_no_machine(client: Client) -> None:
    site = make_site(opens=ALWAYS)
    machine = make_machine(site, "Ada")
    lea, staff = make_person("Léa", site=site), make_person("Staff", Role.STAFF, site=site)
    yesterday = (timezone.now() - timedelta(days=1)).replace(minute=7, second=0, microsecond=0)
    client.force_login(staff)
    form = {
        "machine": machine.pk,
        "start": wall(yesterday),
        "end": wall(yesterday + timedelta(hours=1)),
        "aside": ["in_the_past"],
        "why": "Panne de réseau",
    }
    assert client.post(f"/reserver/pour/{lea.pk}/", form).status_code == 303
    assert Booking.objects.get().state == BookingState.DONE
    # What was taken cannot be set aside by anybody.
    make_booking(machine, start=yesterday + timedelta(hours=3), state=BookingState.IN_USE)
    form |= {"start": wall(yesterday + timedelta(hours=3)), "end": wall(yesterday + timedelta(hours=4))}
    refused = client.post(f"/reserver/pour/{lea.pk}/", form | {"aside": ["in_the_past", "slot_taken"]})
    assert refused.status_code == 409
    assert "Tu ne peux pas passer outre." in refused.text
