"""The page of erasing oneself, as people see it: legible on a phone and a desk, and it does what it says."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from fablab.people.models import User
from jobs.lifecycle.states import State
from tests.builders import PASSWORD, make_booking
from tests.builders_jobs import Cast, make_job
from tests.fablab.dashboard.conftest import SignIn, axe_violations, scrolls_sideways
from tests.fixtures.browser import DESKTOP, PHONE, TakePicture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_it_is_legible_in_french_and_arabic_and_erases_after_two_steps(
    signed_in_page: SignIn, cast: Cast, picture: TakePicture
) -> None:
    owner, at = cast.person("owner"), timezone.now()
    owner.set_password(PASSWORD)
    owner.save(update_fields=["password"])
    make_job(cast, state=State.QUEUED, at=at)
    make_job(cast, state=State.RUNNING, at=at)
    make_booking(cast.machine, owner, start=at + timedelta(days=1))
    for name, size, language in (
        ("phone-ar", PHONE, "ar"),
        ("desk-fr", DESKTOP, "fr"),
        ("phone-fr", PHONE, "fr"),
    ):
        page = signed_in_page(owner, size=size, language=language)
        page.goto("/compte/effacer/")
        picture(page, f"erase-{name}")
        assert axe_violations(page) == []
        assert not scrolls_sideways(page)

    page.goto("/compte/")
    page.get_by_role("link", name="Effacer mes données").click()
    page.get_by_label("Ton mot de passe").fill("faux")
    page.get_by_role("button", name="Tout effacer").click()
    expect(page.get_by_text("Rien n’est effacé.")).to_be_visible()
    assert User.objects.get(pk=owner.pk).is_active
    page.get_by_label("Ton mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Tout effacer").click()
    expect(page.get_by_text("Tes données sont effacées.")).to_be_visible()
    assert not User.objects.get(pk=owner.pk).is_active
