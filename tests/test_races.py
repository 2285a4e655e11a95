"""Many people, one slot (case 17): one booking, kind refusals, no other error. On whichever database this run uses.

Threads with a connection each; a gap is held open between the look and the write, where a naive system doubles.
"""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from django.db import connection
from django.db.models import Count

from equipment.bookings import services
from equipment.bookings.models import Booking, Series
from equipment.bookings.rules import RULES
from equipment.bookings.series import make_series
from equipment.bookings.series_wish import Wish
from equipment.bookings.states import LIVE
from equipment.machines.models import Machine
from equipment.machines.services import take_lease
from equipment.sites.states import Role
from fablab.core.errors import DomainError
from fablab.core.recurring import Weekly
from fablab.people.models import User
from jobs.lifecycle.services import note_waiting
from jobs.lifecycle.states import State
from tests.builders import MONDAY, hours, make_kind, make_machine, make_person, minutes
from tests.builders_jobs import make_cast, make_job

PEOPLE = 100
GAP_S = 0.005  # between check and insert, inside the lock
PATIENCE_S = 60

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.killed]


def own_connection() -> None:
    """Give this thread a connection outside any pool: a hundred people are a hundred connections, all open at once."""
    options = {name: value for name, value in connection.settings_dict["OPTIONS"].items() if name != "pool"}
    connection.settings_dict = {**connection.settings_dict, "OPTIONS": options}
    connection.ensure_connection()


def all_at_once(count: int, work: Callable[[int], str]) -> Counter[str]:
    """Run ``work`` in threads that begin together; return how often each outcome came."""
    gate = threading.Barrier(count, timeout=PATIENCE_S)

    def one(number: int) -> str:
        own_connection()
        try:
            gate.wait()
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return Counter(pool.map(one, range(count), timeout=PATIENCE_S))


class Hall:
    """Everybody who wants the same slot, and what each of them was told."""

    def __init__(self, machine: Machine, people: list[User]) -> None:
        self.machine = machine
        self.people = people

    def ask(self, number: int) -> str:
        person = self.people[number]
        try:
            services.book(
                person=person,
                machine_id=self.machine.pk,
                # Not all quite the same: they overlap in different ways.
                start=MONDAY + hours(2) + minutes(number % 3 * 10),
                end=MONDAY + hours(3) + minutes(number % 3 * 10),
                actor=person,
                at=MONDAY,
            )
        except DomainError as refusal:
            return f"{'+'.join(refusal.codes)}, {len(refusal.extra['alternatives'])} others"
        return "booked"


@pytest.fixture
def hall() -> Hall:
    machine = make_machine(kind=make_kind(buffer_minutes=10, grid_minutes=10))
    return Hall(machine, [make_person(site=machine.site) for _ in range(PEOPLE)])


def one_booking_and_kind_refusals(hall: Hall, outcome: Counter[str]) -> None:
    assert outcome == {"booked": 1, "slot_taken, 3 others": PEOPLE - 1}
    assert Booking.objects.filter(machine=hall.machine, state__in=list(LIVE)).count() == 1


def test_a_hundred_people_who_all_saw_the_slot_free_leave_one_booking(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody_saw_it_free = threading.Barrier(PEOPLE, timeout=PATIENCE_S)

    def hold(point: str) -> None:
        if point == "judged":
            everybody_saw_it_free.wait()
        else:
            time.sleep(GAP_S)

    monkeypatch.setattr(services, "failpoint", hold)
    one_booking_and_kind_refusals(hall, all_at_once(PEOPLE, hall.ask))


def test_the_database_alone_keeps_a_hundred_apart_when_no_rule_looks_at_other_bookings(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "equipment.bookings.rules.RULES", tuple(rule for rule in RULES if rule.code != "slot_taken")
    )
    reached: list[str] = []

    def hold(point: str) -> None:
        reached.append(point)
        time.sleep(GAP_S)

    monkeypatch.setattr(services, "failpoint", hold)
    one_booking_and_kind_refusals(hall, all_at_once(PEOPLE, hall.ask))
    assert reached.count("before_insert") == PEOPLE  # each one was stopped by the guard itself


def test_series_and_single_bookings_at_once_leave_no_overlap_and_no_half_series(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Half of them want a workshop on both machines for four weeks, half one hour of it; all saw it free."""
    kind = make_kind(buffer_minutes=10, horizon_days=60)
    first = make_machine(kind=kind)
    machines = [first, make_machine(first.site, model=first.model)]
    teachers = [make_person(None, Role.INSTRUCTOR, site=first.site) for _ in range(10)]
    members = [make_person(site=first.site) for _ in range(10)]
    everybody_looked = threading.Barrier(20, timeout=PATIENCE_S)
    rule = Weekly(frozenset({1}), 14 * 60, 16 * 60, date(2026, 11, 24), date(2026, 12, 15))

    def hold(point: str) -> None:
        if point == "judged":
            everybody_looked.wait()
        else:
            time.sleep(GAP_S)

    def ask(number: int) -> str:
        who = number // 2
        choice = ("refuse", "skip", "cancel")[who % 3]
        try:
            if number % 2:
                chosen = [one.pk for one in machines]
                wish = Wish(chosen, rule, title=choice, choices=[("slot_taken", choice)])
                make_series(wish, actor=teachers[who], at=MONDAY)
                return choice
            start = MONDAY + timedelta(days=1 + who % 4 * 7) + hours(4)
            services.book(
                person=members[who],
                machine_id=machines[who % 2].pk,
                start=start,
                end=start + hours(1),
                actor=members[who],
                at=MONDAY,
            )
        except DomainError as refusal:
            assert set(refusal.codes) <= {"slot_taken", "series_nothing_left"}
            return "refused"
        return "booked"

    monkeypatch.setattr(services, "failpoint", hold)
    told = all_at_once(20, ask)
    assert sum(told.values()) == 20
    assert told["cancel"] == 3  # nothing has begun, so everything makes way for these
    live = Booking.objects.filter(state__in=list(LIVE)).order_by("machine", "held_start")
    for earlier, later in itertools.pairwise(live):
        assert earlier.machine_id != later.machine_id or earlier.held_end <= later.held_start
    made = Series.objects.annotate(made=Count("bookings")).values_list("title", "made")
    assert Counter(title for title, _made in made) == {
        title: count for title, count in told.items() if title in {"refuse", "skip", "cancel"}
    }
    for title, count in made:  # all of it, or what was left of it; never a part by chance
        assert count == 8 or (title == "skip" and 0 < count < 8)


def test_two_supervisors_at_once_give_each_machine_one_owner() -> None:
    machines = [make_machine() for _ in range(5)]

    def supervise(number: int) -> str:
        held = [
            take_lease(machine.pk, owner=f"supervisor-{number}", at=MONDAY, seconds=30)
            for machine in machines
        ]
        assert set(held) <= {1, None}
        return f"{sum(lease is not None for lease in held)} machines"

    outcome = all_at_once(8, supervise)
    assert sum(int(told.split()[0]) * times for told, times in outcome.items()) == len(machines)
    assert set(Machine.objects.values_list("lease_number", flat=True)) == {1}


def test_two_processes_that_note_why_a_queue_waits_never_stop_each_other() -> None:
    """Each writes the whole site, in groups of its own; the rows are taken in one order."""
    cast = make_cast(at=MONDAY)
    ids = [make_job(cast, state=State.QUEUED, at=MONDAY).pk for _ in range(40)]

    def notes(who: int) -> str:
        for number in range(10):
            reasons = {
                job: [{"code": "waiting_busy", "params": {"n": f"{job}{number}"}}]
                for job in (ids if who else reversed(ids))
            }
            note_waiting(cast.site.pk, reasons, at=MONDAY)
        return "noted"

    assert all_at_once(2, notes) == {"noted": 2}
