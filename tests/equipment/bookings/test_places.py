"""Tables, computers, rooms, half an hour of help: booked without file or plate, several as one, counted."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from equipment.bookings.finding import alternatives, free_around, next_offers, outlook
from equipment.bookings.models import OpenUse
from equipment.bookings.open_use import count_open_use, open_use_today
from equipment.bookings.places import book_place
from equipment.bookings.services import book
from equipment.bookings.states import BookingState
from equipment.machines.models import MachineKind, Outage
from equipment.sites.models import Shift, Site
from equipment.sites.states import Role
from fablab.core.errors import NotAllowed, NotFound, Refused
from fablab.people.models import User
from fablab.people.states import AgeBand
from tests.builders import (
    ALWAYS,
    MONDAY,
    hours,
    make_booking,
    make_kind,
    make_machine,
    make_person,
    make_site,
    minutes,
)

pytestmark = pytest.mark.django_db


def make_place_kind(slug: str, **fields: Any) -> MachineKind:
    return make_kind(slug, takes_files=False, needs_plate=False, remote_start=False, **fields)


def on_duty(site: Site, starts: int, ends: int) -> None:
    Shift.objects.create(
        site=site,
        person=make_person("ines", Role.INSTRUCTOR, site=site),
        weekday=MONDAY.weekday(),
        starts=starts * 60,
        ends=ends * 60,
        first_day=date(2026, 1, 1),
    )


def test_whoever_comes_second_gets_the_next_place_until_none_is_left() -> None:
    site, kind = make_site(), make_place_kind("table")
    tables = [make_machine(site, name, kind=kind) for name in ("A", "B", "C")]
    printers = make_kind("fdm")
    printer, other = (make_machine(site, name, kind=printers) for name in ("P", "Q"))
    start, end = MONDAY + hours(2), MONDAY + hours(3)

    def take(machine_id: str) -> str:
        person = make_person(site=site)
        found = book_place(
            person=person, machine_id=machine_id, start=start, end=end, actor=person, at=MONDAY
        )
        return found.machine.name

    Outage.objects.create(machine=tables[1], start=start, end=end)
    assert [take(tables[0].pk), take(tables[1].pk)] == ["A", "C"], "what is out of order is passed over"
    with pytest.raises(Refused) as full:
        take(tables[0].pk)
    assert full.value.codes == ["slot_taken"]
    assert all(offer["start"] != start.isoformat() for offer in full.value.extra["alternatives"])
    # Of machines each is its own: nobody is moved to another printer unasked.
    assert take(printer.pk) == "P"
    with pytest.raises(Refused):
        take(printer.pk)
    assert not other.bookings.exists()


def test_help_is_booked_only_while_an_instructor_is_on_duty_by_the_rota() -> None:
    site = make_site()
    on_duty(site, 14, 15)  # MONDAY is 10:00 there
    machine = make_machine(site, kind=make_place_kind("help", needs_instructor=True, max_minutes=30))
    person = make_person(site=site)
    offered = [
        (offer.start - MONDAY, offer.end - MONDAY)
        for offer in next_offers([machine], 30, at=MONDAY, most=2, person=person)
    ]
    assert offered == [(hours(4), hours(4.5)), (hours(4.5), hours(5))]

    def ask(start: float) -> None:
        begin = MONDAY + hours(start)
        book(
            person=person,
            machine_id=machine.pk,
            start=begin,
            end=begin + minutes(30),
            actor=person,
            at=MONDAY,
        )

    for outside in (3.5, 5):
        with pytest.raises(Refused) as alone:
            ask(outside)
        assert alone.value.codes == ["needs_supervision"]
        assert alone.value.extra["alternatives"]
    ask(4.5)


def test_free_now_is_true_for_the_machine_and_for_the_person() -> None:
    site = make_site()
    on_duty(site, 9, 10)  # until this very moment
    kind = make_place_kind("table")
    names = ("free", "held", "booked", "out", "used")
    machines = {name: make_machine(site, name, kind=kind) for name in names}
    kept = MONDAY + minutes(10)
    make_booking(machines["held"], start=MONDAY, state=BookingState.HELD, hold_until=kept)
    make_booking(machines["booked"], start=MONDAY + minutes(20))
    Outage.objects.create(machine=machines["out"], start=MONDAY - hours(1))
    ready = {one.pk for name, one in machines.items() if name != "used"}
    grown, child = make_person(site=site), make_person(site=site, age_band=AgeBand.UNDER_15)

    def now(person: User, at: datetime = MONDAY) -> set[str]:
        found = outlook(list(machines.values()), at, person=person, ready=ready)
        return {name for name, one in machines.items() if found[one.pk].now}

    assert now(grown) == {"free"}
    assert now(child) == set(), "nobody is on duty any more"
    assert now(grown, MONDAY + hours(7.75)) == set(), "a quarter of an hour before closing"
    on_duty(site, 10, 11)
    assert now(child) == {"free"}


def test_around_an_hour_each_machine_offers_its_first_time_in_as_many_queries_for_many_as_for_few() -> None:
    site, kind = make_site(), make_place_kind("table")
    machines = [make_machine(site, kind=kind) for _ in range(3)]
    long_ones = make_place_kind("room", min_minutes=120, max_minutes=240)
    room = make_machine(site, kind=long_ones)
    from_, to = MONDAY + hours(4), MONDAY + hours(8)
    make_booking(machines[1], start=from_, end=from_ + hours(1.25))
    Outage.objects.create(machine=machines[2], start=MONDAY)
    with CaptureQueriesContext(connection) as few:
        found = free_around([*machines, room], from_, to, at=MONDAY)
    offered = {offer.machine_id: (offer.start - from_, offer.end - offer.start) for offer in found}
    assert offered == {
        machines[0].pk: (hours(0), hours(1)),
        machines[1].pk: (hours(1.5), hours(1)),
        room.pk: (hours(0), hours(2)),
    }
    assert [offer.start for offer in found] == sorted(offer.start for offer in found)
    assert free_around(machines, MONDAY - hours(3), MONDAY, at=MONDAY) == [], "that is over"
    many = [make_machine(site, kind=kind) for _ in range(106)]
    with CaptureQueriesContext(connection) as more:
        assert len(free_around([*machines, room, *many], from_, to, at=MONDAY)) == 109
    assert len(more) == len(few) <= 6


def test_what_is_offered_instead_never_meets_what_the_person_has_booked_elsewhere() -> None:
    site = make_site()
    wanted, elsewhere = make_machine(site), make_machine(site)
    person = make_person(site=site)
    make_booking(elsewhere, person, start=MONDAY + hours(2), end=MONDAY + hours(3.5))
    near = alternatives(wanted, person=person, start=MONDAY + hours(2), end=MONDAY + hours(3), at=MONDAY)
    assert [offer.start - MONDAY for offer in near] == [hours(0.5), hours(1), hours(3.5)]


def test_open_use_is_a_number_for_each_local_day_counted_by_those_on_duty() -> None:
    site = make_site(zone="Indian/Mayotte", opens=ALWAYS)
    kind = make_place_kind("computer")
    make_machine(site, kind=kind)
    evening = MONDAY.replace(hour=20, minute=59)  # 23:59 in Mamoudzou
    staff = make_person(None, Role.STAFF, site=site)

    def count(by: int, *, minutes_later: int = 0) -> int:
        at = evening + timedelta(minutes=minutes_later)
        return count_open_use(site_id=site.pk, kind_id=kind.pk, by=by, actor=staff, at=at)

    assert [count(-1), count(1), count(1), count(-1), count(1)] == [0, 1, 2, 1, 2]
    assert count(1, minutes_later=1) == 1, "another day has begun there"
    assert [(found.pk, number) for found, number in open_use_today(staff, site.pk, evening)] == [(kind.pk, 2)]
    assert {field.name for field in OpenUse._meta.fields} == {"id", "site", "kind", "day", "count"}
    for actor, kind_id, refusal in (
        (make_person(site=site), kind.pk, NotAllowed),
        (make_person(None, Role.STAFF, site=make_site()), kind.pk, NotFound),
        (staff, make_place_kind("room").pk, NotFound),
    ):
        with pytest.raises(refusal):
            count_open_use(site_id=site.pk, kind_id=kind_id, by=1, actor=actor, at=evening)
    assert sum(OpenUse.objects.values_list("count", flat=True)) == 3
