"""Waiting, offers, and what is done with a booking on its day, for programs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from equipment.bookings.services import cancel
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
from tests.fablab.api.callers import Caller

pytestmark = pytest.mark.django_db


def test_a_wish_is_made_offered_declined_offered_again_and_taken() -> None:
    site, kind = make_site(opens=ALWAYS), make_kind("fdm")
    machines = [make_machine(site, name, kind=kind) for name in ("Ada", "Grace")]
    lea = make_person("Lea", site=site)
    program = Caller(lea)
    start = (timezone.now() + timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0)
    taken = [make_booking(machine, start=start) for machine in machines]
    wish = {
        "kind": "fdm",
        "site": site.pk,
        "from": start.isoformat(),
        "to": taken[0].end.isoformat(),
        "minutes": 60,
    }
    for wrong, field in (({**wish, "kind": "none"}, "kind"), ({**wish, "machine": "none"}, "machine")):
        refused = program.post("waiting/", wrong)
        assert (refused.status, refused.fields) == (400, [field])
    assert program.post("waiting/", wish | {"minutes": 0}).status == 400
    made = program.post("waiting/", wish)
    assert (made.status, made.body["machine"], made.body["offer"], made.body["ended"]) == (
        201,
        None,
        None,
        None,
    )
    address = made.headers["Location"].removeprefix("/api/v1/")
    assert program.post(f"{address}take/").codes == ["offer_over"]
    cancel(taken[0].pk, actor=taken[0].person, at=timezone.now())
    (waits,) = program.get("waiting/").body["results"]
    assert waits["offer"]["machine"] == {"id": machines[0].pk, "name": "Ada"}
    assert Caller(make_person(site=site)).get(address).status == 404
    assert program.post(f"{address}decline/").body["offer"] is None
    cancel(taken[1].pk, actor=taken[1].person, at=timezone.now())
    booked = program.post(f"{address}take/")
    assert (booked.status, booked.body["state"], booked.body["machine"]["name"]) == (
        200,
        "confirmed",
        "Grace",
    )
    assert program.get(address).body["ended"] == "served"
    assert program.get("waiting/").body == {"results": []}


def test_who_uses_a_machine_stays_longer_and_who_missed_a_time_is_excused() -> None:
    site = make_site(opens=ALWAYS)
    machine, lea = make_machine(site), make_person("Lea", site=site)
    now = timezone.now()
    used = make_booking(machine, lea, start=now - minutes(10), state=BookingState.IN_USE)
    missed = make_booking(machine, lea, start=now - hours(5), state=BookingState.NO_SHOW)
    program = Caller(lea)
    assert program.post(f"bookings/{used.pk}/extend/", {"minutes": 20}).fields == ["minutes"]
    assert program.post(f"bookings/{used.pk}/extend/", {"minutes": 120}).status == 400
    assert program.post(f"bookings/{used.pk}/extend/", {"minutes": 30}).status == 200
    used.refresh_from_db()
    assert used.end == now + minutes(80)
    assert program.post(f"bookings/{missed.pk}/excuse/").codes == ["absences_by_staff"]
    staff = Caller(make_person("Karim", Role.STAFF, site=site))
    assert staff.post(f"bookings/{missed.pk}/excuse/").body["state"] == "no_show"
    missed.refresh_from_db()
    assert missed.excused_at is not None
