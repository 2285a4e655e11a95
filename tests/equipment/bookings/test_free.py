"""Free times: computed from hours, closures, outages and bookings, right in every zone, with few queries."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from equipment.bookings.finding import (
    bookable_intervals,
    free_for_machines,
    free_intervals,
    next_free,
    next_free_for_machines,
    next_offers,
)
from equipment.bookings.services import cancel
from equipment.machines.models import Machine, Outage
from equipment.machines.queries import in_use
from equipment.machines.services import back_in_service, put_out_of_order
from equipment.sites.states import Role
from fablab.core.clock import Span, midnight
from tests.builders import (
    ALWAYS,
    MONDAY,
    certify,
    hours,
    make_booking,
    make_closure,
    make_kind,
    make_machine,
    make_person,
    make_site,
    minutes,
)

pytestmark = pytest.mark.django_db


def fresh(machine: Machine) -> Machine:
    """Read the machine as queries give it: with site, model and kind."""
    return in_use().get(pk=machine.pk)


def test_the_free_day_of_a_machine_has_holes_where_bookings_outages_and_closed_hours_are() -> None:
    machine = make_machine(kind=make_kind(buffer_minutes=15))
    make_booking(machine, start=MONDAY + hours(1), minutes=60)
    Outage.objects.create(machine=machine, start=MONDAY + hours(4), end=MONDAY + hours(5))
    found = free_intervals(fresh(machine), MONDAY, MONDAY + hours(24), 60)
    assert found == [
        # 15 minutes of cleaning must fit before the next booking begins
        Span(MONDAY + hours(2.25), MONDAY + hours(4)),
        Span(MONDAY + hours(5), MONDAY + hours(8)),
        Span(MONDAY + hours(23), MONDAY + hours(24)),
    ]
    assert found[0].start == MONDAY + hours(1) + minutes(75)


def test_a_booking_beyond_the_time_asked_about_still_needs_its_buffer_before_it() -> None:
    machine = make_machine(kind=make_kind(buffer_minutes=30))
    make_booking(machine, start=MONDAY + hours(2))
    assert free_intervals(fresh(machine), MONDAY, MONDAY + hours(2), 30) == [
        Span(MONDAY, MONDAY + hours(1.5))
    ]


def test_a_closed_day_is_not_free() -> None:
    machine = make_machine()
    make_closure(machine.site, date(2026, 11, 23))
    day = midnight(date(2026, 11, 23), "Europe/Paris")
    assert free_intervals(fresh(machine), day, day + hours(24), 30) == []
    assert len(free_intervals(fresh(machine), day, day + hours(48), 30)) == 1


def test_a_cancelled_booking_gives_its_time_back() -> None:
    booking = make_booking(start=MONDAY + hours(1))
    machine = booking.machine
    assert len(free_intervals(fresh(machine), MONDAY, MONDAY + hours(8), 30)) == 2
    cancel(booking.pk, actor=booking.person, at=MONDAY)
    assert free_intervals(fresh(machine), MONDAY, MONDAY + hours(8), 30) == [Span(MONDAY, MONDAY + hours(8))]


def test_a_machine_that_is_out_of_order_is_not_free_until_somebody_brings_it_back() -> None:
    machine = make_machine()
    staff = make_person("Karim", Role.STAFF, site=machine.site)
    put_out_of_order(machine.pk, actor=staff, reason="La buse est bouchée", at=MONDAY)
    assert free_intervals(fresh(machine), MONDAY, MONDAY + hours(48), 30) == []
    assert next_free(fresh(machine), MONDAY) is None
    back_in_service(machine.pk, actor=staff, at=MONDAY + hours(2))
    assert next_free(fresh(machine), MONDAY + hours(2)) == MONDAY + hours(2)


@pytest.mark.parametrize("count", [3, 110])
def test_free_times_cost_six_queries_for_any_number_of_machines(count: int) -> None:
    site, kind = make_site(), make_kind()
    elsewhere = make_site(zone="Indian/Mayotte")
    for number in range(count):
        machine = make_machine(site if number % 2 else elsewhere, kind=kind)
        make_booking(machine, start=MONDAY + hours(number % 5))
    machines = list(in_use())
    with CaptureQueriesContext(
        connection,
    ) as queries:
        free = free_for_machines(machines, MONDAY, MONDAY + hours(48), 30)
    assert len(queries) == 6
    assert set(free) == {machine.pk for machine in machines}
    assert all(free.values())
    with CaptureQueriesContext(connection) as queries:
        soonest = next_free_for_machines(machines, MONDAY)
    assert len(queries) == 6
    assert all(soonest.values())


def test_next_free_is_now_for_a_walk_up_and_after_the_notice_otherwise() -> None:
    machine = make_machine(kind=make_kind(notice_minutes=120))
    assert next_free(fresh(machine), MONDAY) == MONDAY
    make_booking(machine, start=MONDAY, minutes=30)
    assert next_free(fresh(machine), MONDAY) == MONDAY + hours(2)


def test_what_is_not_free_now_is_offered_on_the_grid() -> None:
    machine = make_machine(kind=make_kind(grid_minutes=30, buffer_minutes=1))
    make_booking(machine, start=MONDAY - hours(1), minutes=60)

    assert next_free(fresh(machine), MONDAY) == MONDAY + minutes(30)
    assert next_free(fresh(machine), MONDAY + minutes(1)) == MONDAY + minutes(1)


def test_a_machine_that_nobody_could_use_now_is_offered_later() -> None:
    site, kind = make_site(), make_kind(grid_minutes=30)
    ready, busy = (fresh(make_machine(site, kind=kind)) for _ in range(2))
    now = MONDAY + minutes(1)

    found = next_free_for_machines([ready, busy], now, ready=[ready.pk])

    assert found == {ready.pk: now, busy.pk: MONDAY + minutes(30)}


def test_offers_are_the_next_times_on_the_grid_over_all_machines_of_a_kind() -> None:
    site, kind = make_site(), make_kind(grid_minutes=30)
    one, other = make_machine(site, "A", kind=kind), make_machine(site, "B", kind=kind)
    make_booking(one, start=MONDAY, minutes=60)
    found = next_offers(list(in_use().filter(pk__in=[one.pk, other.pk])), 60, at=MONDAY + minutes(1), most=4)
    assert [(offer.start, offer.machine_id) for offer in found] == [
        (MONDAY + minutes(30), other.pk),
        *sorted([(MONDAY + hours(1), one.pk), (MONDAY + hours(1), other.pk)]),
        min((MONDAY + hours(1.5), one.pk), (MONDAY + hours(1.5), other.pk)),
    ]


def test_what_a_person_could_book_ends_at_the_horizon_and_asks_for_the_certificate() -> None:
    site = make_site(opens=ALWAYS)
    machine = make_machine(site, kind=make_kind(needs_certificate=True, notice_minutes=60, horizon_days=2))
    member = make_person("Léa", site=site)

    def asked() -> list[Span]:
        return bookable_intervals(
            member, fresh(machine), MONDAY - hours(5), MONDAY + timedelta(days=9), 60, at=MONDAY
        )

    assert asked() == []
    certify(member, machine)
    (span,) = asked()
    last = midnight(date(2026, 11, 26), "Europe/Paris")
    assert span.start == MONDAY + hours(1)
    assert last <= span.end


def test_nothing_is_offered_after_the_last_day_of_a_certificate() -> None:
    machine = make_machine(kind=make_kind(needs_certificate=True))
    person = make_person(site=machine.site)
    certify(person, machine, until=date(2026, 11, 24))  # tomorrow
    asked = (MONDAY, MONDAY + hours(24 * 9), 60)
    found = bookable_intervals(person, fresh(machine), *asked, at=MONDAY)
    assert [span.start for span in found] == [MONDAY, MONDAY + hours(23)]
    assert bookable_intervals(person, fresh(machine), *asked, at=MONDAY + hours(48)) == []
