"""The waiting list and the day itself on a phone and on a screen, from left to right and from right to left."""

from datetime import timedelta

import pytest
from django.utils import timezone

from equipment.bookings.models import WaitingEntry
from equipment.bookings.states import BookingState
from tests.builders import hours, make_booking, make_machine, make_person, minutes
from tests.builders_jobs import Cast
from tests.fablab.dashboard.conftest import SignIn, axe_violations, scrolls_sideways
from tests.fixtures.browser import DESKTOP, PHONE, TakePicture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_what_is_kept_waited_for_used_and_missed_fits_and_reads_well(
    signed_in_page: SignIn, cast: Cast, picture: TakePicture, language: str
) -> None:
    at, owner = timezone.now(), cast.person("owner")
    tomorrow = (at + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
    other = make_machine(cast.site, "Bleue", model=cast.model)
    held = make_booking(
        cast.machine, owner, start=tomorrow, state=BookingState.HELD, hold_until=at + minutes(25)
    )
    wish = {"site": cast.site, "kind": cast.kind, "person": owner, "minutes": 60, "created_at": at}
    WaitingEntry.objects.create(from_time=tomorrow, to_time=held.end, booking=held, **wish)
    WaitingEntry.objects.create(from_time=tomorrow + hours(3), to_time=tomorrow + hours(9), **wish)
    make_booking(other, owner, start=at - minutes(10))
    make_booking(cast.machine, owner, start=tomorrow + hours(2))
    make_booking(
        cast.machine,
        make_person("Zoé", site=cast.site),
        start=at - hours(30),
        state=BookingState.NO_SHOW,
    )
    full = tomorrow + timedelta(days=3)
    for machine in (cast.machine, other):
        make_booking(machine, start=full.replace(hour=0) - hours(3), end=full.replace(hour=0) + hours(30))
    pages = (
        ("mine", "/reservations/", owner),
        ("machine", f"/m/{other.pk}/", owner),
        ("full", f"/reserver/{cast.kind.slug}/?jour={full.date()}", owner),
        ("absences", "/absences/", cast.person("staff")),
    )
    sizes = [(PHONE, "phone"), (DESKTOP, "desktop")]
    for size, name in sizes if language == "fr" else sizes[:1]:
        opened = {person.pk: signed_in_page(person, size=size, language=language) for _, _, person in pages}
        for what, address, person in pages:
            page = opened[person.pk]
            page.goto(address)
            assert not scrolls_sideways(page), (what, name)
            if size is PHONE:
                assert axe_violations(page) == [], what
            picture(page, f"waiting-{what}-{language}-{name}")
