"""Booking by page over the nights on which clocks change: the missing hour, and the one that comes twice."""

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from equipment.bookings.models import Booking
from equipment.machines.models import Machine
from tests.builders import ALWAYS, make_kind, make_machine, make_person, make_site
from tests.clocks import CHANGES, Change

pytestmark = pytest.mark.django_db
SLOT = re.compile(r'name="slot" value="([^"]+)"[^>]*><span class="choice-words"><bdi>([^<]+)</bdi>')


def next_change(*, forward: bool) -> Change:
    """Return the next one in Paris that can still be booked."""
    return next(
        change
        for change in CHANGES
        if change.zone == "Europe/Paris"
        and change.at > timezone.now() + timedelta(days=2)
        and (change.minutes > 0) is forward
    )


def offered(client: Client, change: Change) -> dict[datetime, str]:
    """Return what the page offers on the day of the change: when it really begins, and what people read."""
    site = make_site(opens=ALWAYS)
    make_machine(site, kind=make_kind("fdm", grid_minutes=60, horizon_days=400))
    client.force_login(make_person("lea", site=site))
    page = client.get(f"/reserver/fdm/?jour={change.after.date()}").content.decode()
    return {datetime.fromisoformat(value.split("|")[1]): label for value, label in SLOT.findall(page)}


def test_a_night_without_two_o_clock_offers_everything_but_two_o_clock(client: Client) -> None:
    change = next_change(forward=True)
    slots = offered(client, change)
    assert [*slots.values()] == [f"{hour} h" for hour in range(24) if hour != 2]
    assert slots[change.at] == "3 h"


def test_a_night_with_two_o_clock_twice_offers_both_told_apart_and_the_second_is_booked_as_it_reads(
    client: Client,
) -> None:
    change = next_change(forward=False)
    slots = offered(client, change)
    assert len(slots) == 25
    assert len(set(slots.values())) == 25
    second = next(start for start, label in slots.items() if label == "2 h (2e fois)")
    assert second == change.at
    assert slots[second - timedelta(hours=1)] == "2 h (1re fois)"

    machine = Machine.objects.get()
    slot = f"{machine.pk}|{second.isoformat()}|{(second + timedelta(hours=1)).isoformat()}"
    answer = client.post("/reserver/fdm/confirmer/", {"slot": slot})
    booking = Booking.objects.get()
    assert (booking.start, booking.end) == (second, second + timedelta(hours=1))
    assert "2 h (2e fois) – 3 h" in client.get(answer.headers["Location"]).content.decode()
