"""Outages and closed days as people see them: phone and desk, French and Arabic; axe finds nothing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from equipment.bookings import hit
from equipment.machines.models import Outage
from fablab.people.models import User
from tests.builders import make_booking
from tests.builders_jobs import Cast, make_linked_machine
from tests.fablab.dashboard.conftest import SignIn, axe_violations, scrolls_sideways
from tests.fablab.dashboard.lab import as_
from tests.fablab.dashboard.pictures import a_photo
from tests.fixtures.browser import DESKTOP, PHONE, TakePicture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(("language", "size"), [("fr", "phone"), ("ar", "desk")])
def test_every_page_of_outages_is_legible_and_axe_finds_nothing(
    signed_in_page: SignIn, cast: Cast, picture: TakePicture, language: str, size: str
) -> None:
    now = timezone.now()
    User.objects.filter(pk=cast.person("owner").pk).update(display_name="Zoé")
    make_linked_machine(cast.site, cast.model, at=now, name="Bleue")
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=26)
    booking = make_booking(cast.machine, cast.person("owner"), start=start)
    staff, day = cast.person("staff"), (now + timedelta(days=9)).date()
    here = f"/machines/{cast.machine.pk}/arrets/"
    given = {"reason": "La courroie saute une dent sur deux.", "photo": a_photo()}
    assert as_(staff).post(f"{here}upload/", given).status_code == 303
    Outage.objects.update(expected_end=now + timedelta(days=3))
    hit.plan_outage(
        cast.machine.pk,
        start=now + timedelta(days=5),
        end=now + timedelta(days=5, hours=3),
        reason="Révision annuelle",
        actor=staff,
        at=now,
    )
    hit.close_site(site_id=cast.site.pk, first_day=day, last_day=day, reason="Pont", actor=staff, at=now)
    times = f"?start={start:%Y-%m-%d}T00:00&end={start:%Y-%m-%d}T23:30"
    shown = {
        "staff": {
            "outages": here,
            "outage-confirm": f"{here}{times}",
            "machine": f"/machines/{cast.machine.pk}/",
            "closures": "/fermetures/",
            "closure-confirm": f"/fermetures/?first_day={start:%Y-%m-%d}",
        },
        "owner": {
            "stopped": f"/reservations/{booking.pk}/empechee/",
            "machine-of-member": f"/machines/{cast.machine.pk}/",
        },
    }
    for part, pages in shown.items():
        page = signed_in_page(
            cast.person(part), size=PHONE if size == "phone" else DESKTOP, language=language
        )
        for name, address in pages.items():
            page.goto(address)
            picture(page, f"{name}-{language}-{size}")
            assert not scrolls_sideways(page), name
            assert axe_violations(page) == [], name
