"""At the machine: who uses it says "J’ai fini" in one tap, and those on duty say it for who left."""

from datetime import timedelta

import pytest
from django.utils import timezone

from equipment.bookings.models import Booking
from equipment.bookings.states import BookingState
from equipment.bookings.walk_up import walk_up
from tests.builders import make_booking
from tests.builders_jobs import Cast, clear
from tests.fablab.dashboard.lab import as_, text_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("part", "words"), [("owner", "J’ai fini"), ("staff", "owner a fini")])
def test_one_tap_frees_the_machine(cast: Cast, part: str, words: str) -> None:
    clear(cast.machine, at=timezone.now())
    booking = walk_up(person=cast.person("owner"), machine_id=cast.machine.pk, at=timezone.now())
    browser, page = as_(cast.person(part)), f"/m/{cast.machine.pk}/"
    form = text_of(browser.get(page))
    assert words in form
    assert f'name="booking" value="{booking.pk}"' in form
    shown = text_of(browser.post(f"{page}faire/done/", {"booking": booking.pk}, follow=True))
    assert "C’est noté" in shown  # whether it is free, its state says: something may go on being made there
    assert words not in shown
    assert Booking.objects.get(pk=booking.pk).state == BookingState.DONE


def test_nobody_else_is_offered_it_or_gets_it_done(cast: Cast) -> None:
    booking = walk_up(person=cast.person("owner"), machine_id=cast.machine.pk, at=timezone.now())
    browser, page = as_(cast.person("other_member")), f"/m/{cast.machine.pk}/"
    assert "fini" not in text_of(browser.get(page))
    answer = browser.post(f"{page}faire/done/", {"booking": booking.pk}, follow=True)
    assert "Cette réservation est finie." in text_of(answer)
    assert Booking.objects.get(pk=booking.pk).state == BookingState.IN_USE


def test_a_page_that_was_left_open_ends_nobody_elses_time(cast: Cast) -> None:
    now = timezone.now().replace(microsecond=0)
    before, after = now - timedelta(hours=2), now - timedelta(minutes=5)
    gone = make_booking(
        cast.machine, cast.person("owner"), start=before, minutes=60, state=BookingState.IN_USE
    )
    there = make_booking(
        cast.machine, cast.person("other_member"), start=after, minutes=60, state=BookingState.IN_USE
    )
    act = f"/m/{cast.machine.pk}/faire/done/"
    answer = as_(cast.person("staff")).post(act, {"booking": gone.pk}, follow=True)
    assert "Cette réservation est finie." in text_of(answer)
    there.refresh_from_db()
    assert there.state == BookingState.IN_USE


def test_a_use_that_runs_is_ended_in_the_list_of_ones_bookings_and_never_cancelled_there(cast: Cast) -> None:
    booking = walk_up(person=cast.person("owner"), machine_id=cast.machine.pk, at=timezone.now())
    browser = as_(cast.person("owner"))
    for address in ("/", "/reservations/", f"/reservations/{booking.pk}/"):
        page = text_of(browser.get(address))
        assert f"/reservations/{booking.pk}/annuler/" not in page
    page = text_of(browser.get("/reservations/"))
    done = f"/reservations/{booking.pk}/fini/"
    assert f'action="{done}"' in page and "Ton code" not in page
    browser.post(done)
    assert Booking.objects.get(pk=booking.pk).state == BookingState.DONE
