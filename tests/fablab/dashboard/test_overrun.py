"""The machine is not free in time: what a person reads, and the ways out in one tap."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from equipment.bookings.models import Booking
from equipment.bookings.states import BookingState
from jobs.lifecycle.models import Job
from jobs.lifecycle.states import State
from tests.builders import make_booking
from tests.builders_jobs import Cast, make_cast, make_job, make_linked_machine

pytestmark = pytest.mark.django_db


def test_the_same_time_on_another_machine_is_one_tap_away(client: Client) -> None:
    now = timezone.now()
    cast = make_cast(at=now)
    person = cast.person("other_member")
    booking = booked_behind_a_long_print(cast)
    other = make_linked_machine(cast.site, cast.model, at=now, name="Bleue")
    client.force_login(person)
    page = client.get(f"/reservations/{booking.pk}/retard/")
    words = page.content.decode()
    assert "Un autre objet y est encore, jusque vers" in words
    way = page.context["ways"][0]
    assert way["label"].startswith("Bleue · ")
    answer = client.post(way["url"], {**way["fields"], "idempotency_key": "k" * 20})
    booking.refresh_from_db()
    taken = Booking.objects.get(machine=other)
    assert (answer.status_code, answer.url) == (303, f"/reservations/{taken.pk}/")  # type: ignore[attr-defined]
    assert (booking.state, taken.person, taken.start) == (BookingState.CANCELLED, person, booking.start)


def test_a_machine_that_will_be_free_is_said_to_be_so(client: Client) -> None:
    now = timezone.now()
    cast = make_cast(at=now)
    booking = booked_behind_a_long_print(cast)
    Job.objects.update(seconds_left=60, progress_at=now)
    client.force_login(cast.person("other_member"))
    page = client.get(f"/reservations/{booking.pk}/retard/")
    assert "La machine sera libre à l’heure." in page.content.decode()
    assert page.context["ways"] == []


def test_a_time_that_somebody_else_took_meanwhile_is_refused_in_a_sentence_and_the_booking_stays(
    client: Client,
) -> None:
    now = timezone.now()
    cast = make_cast(at=now)
    booking = booked_behind_a_long_print(cast)
    other = make_linked_machine(cast.site, cast.model, at=now)
    client.force_login(cast.person("other_member"))
    way = client.get(f"/reservations/{booking.pk}/retard/").context["ways"][0]
    make_booking(other, cast.person("owner"), start=booking.start, end=booking.end)
    answer = client.post(way["url"], {**way["fields"], "idempotency_key": "k" * 20})
    assert answer.status_code == 409
    assert "Ce n’est pas réservé." in answer.content.decode()
    booking.refresh_from_db()
    assert booking.state == BookingState.CONFIRMED


def booked_behind_a_long_print(cast: Cast) -> Booking:
    """A booking on the next half hour but one, behind a print that needs three hours more."""
    now = timezone.now()
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    make_job(cast, state=State.RUNNING, at=now)
    Job.objects.update(seconds_left=3 * 3600, progress_at=now)
    return make_booking(cast.machine, cast.person("other_member"), start=start)
