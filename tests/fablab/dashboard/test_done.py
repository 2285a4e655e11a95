"""At the machine: who uses it says "J’ai fini" in one tap, and those on duty say it for who left."""

import pytest
from django.utils import timezone

from equipment.bookings.models import Booking
from equipment.bookings.states import BookingState
from equipment.bookings.walk_up import walk_up
from tests.builders_jobs import Cast, clear
from tests.fablab.dashboard.lab import as_, text_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("part", "words"), [("owner", "J’ai fini"), ("staff", "owner a fini")])
def test_one_tap_frees_the_machine(cast: Cast, part: str, words: str) -> None:
    clear(cast.machine, at=timezone.now())
    booking = walk_up(person=cast.person("owner"), machine_id=cast.machine.pk, at=timezone.now())
    browser, page = as_(cast.person(part)), f"/m/{cast.machine.pk}/"
    assert words in text_of(browser.get(page))
    shown = text_of(browser.post(f"{page}faire/done/", follow=True))
    assert f"{cast.machine.name} est libre." in shown
    assert words not in shown
    assert Booking.objects.get(pk=booking.pk).state == BookingState.DONE


def test_nobody_else_is_offered_it_or_gets_it_done(cast: Cast) -> None:
    booking = walk_up(person=cast.person("owner"), machine_id=cast.machine.pk, at=timezone.now())
    browser, page = as_(cast.person("other_member")), f"/m/{cast.machine.pk}/"
    assert "fini" not in text_of(browser.get(page))
    assert "Cette réservation est finie." in text_of(browser.post(f"{page}faire/done/", follow=True))
    assert Booking.objects.get(pk=booking.pk).state == BookingState.IN_USE
