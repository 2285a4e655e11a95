"""A tab that was left open books a slot that went meanwhile (case 18)."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from equipment.bookings.models import Booking
from tests.builders_jobs import Cast
from tests.faults.conftest import PageFor

pytestmark = pytest.mark.browser


def test_case_18_a_stale_tab_reads_that_the_slot_is_taken_and_keeps_what_was_chosen(
    page_for: PageFor, cast: Cast
) -> None:
    address = f"/reserver/{cast.kind.slug}/?minutes=90"
    stale = page_for(cast.person("owner"))
    stale.goto(address)
    stale.get_by_role("radio").nth(2).check()
    wanted = stale.get_by_role("radio").nth(2).get_attribute("value")
    quick = page_for(cast.person("other_member"))
    quick.goto(address)
    quick.get_by_role("radio").nth(2).check()
    quick.get_by_role("button", name="Confirmer").tap()
    expect(quick.locator("#code")).to_be_visible()

    stale.get_by_role("button", name="Confirmer").tap()

    alert = stale.get_by_role("alert").filter(has_text="Quelqu’un vient de prendre ce créneau.")
    expect(alert).to_be_focused()
    near = stale.locator("#near").get_by_role("radio")
    expect(near).to_have_count(3)
    assert wanted not in [near.nth(number).get_attribute("value") for number in range(3)]
    stale.get_by_role("button", name="Confirmer").tap()
    expect(stale.locator("#code")).to_be_visible()
    booked = list(Booking.objects.order_by("start"))
    assert [one.end - one.start for one in booked] == [timedelta(minutes=90)] * 2
    assert {one.person_id for one in booked} == {cast.person(who).pk for who in ("owner", "other_member")}
    assert all(one.start > timezone.now() - timedelta(hours=1) for one in booked)
