"""The plate gate: a stored fact, cleared only by a recorded person on site, with a token for one start (REL-17)."""

from datetime import timedelta

import pytest
from django.db import transaction

from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine
from equipment.machines.said import take_in_use
from equipment.machines.services import (
    add_machine,
    clear_plate,
    hear,
    mark_plate,
    put_out_of_order,
    void_plate_token,
)
from equipment.machines.states import AT_WORK, Plate, Report
from equipment.sites.states import Role
from fablab.core.errors import NotAllowed, NotFound, Refused
from fablab.people.models import User
from tests.builders import (
    MONDAY,
    hours,
    make_linked_machine,
    make_machine,
    make_model,
    make_person,
    make_present,
    make_site,
    minutes,
)

pytestmark = pytest.mark.django_db


def clear(machine: Machine, actor: User) -> Machine:
    with transaction.atomic():
        return clear_plate(lock_machine(machine.pk), actor=actor, at=MONDAY)


def somebody_there(machine: Machine, role: Role = Role.STAFF) -> User:
    person = make_person("Karim", role, site=machine.site)
    make_present(person, machine.site)
    return person


def test_a_new_machine_has_no_clear_plate() -> None:
    site = make_site()
    staff = make_person("Karim", Role.STAFF, site=site)
    machine = add_machine(site_id=site.pk, model_id=make_model().pk, name="Ada", actor=staff, at=MONDAY)
    assert (machine.plate, machine.plate_token) == (Plate.TO_CLEAR, "")


def test_clearing_says_who_and_when_and_makes_a_new_token_each_time() -> None:
    machine = make_machine()
    person = somebody_there(machine)
    clear(machine, person)
    machine.refresh_from_db()
    assert (machine.plate, machine.plate_cleared_by, machine.plate_cleared_at) == (
        Plate.CLEAR,
        person,
        MONDAY,
    )
    first = machine.plate_token
    assert len(first) == 14
    assert clear(machine, person).plate_token not in {first, ""}
    event = machine.events.filter(action="plate_cleared").first()
    assert event is not None
    assert (event.actor, event.source, event.at) == (person, "person", MONDAY)


@pytest.mark.parametrize("role", [Role.INSTRUCTOR, Role.STAFF, Role.MANAGER])
def test_those_on_duty_clear_plates_only_where_they_are(role: Role) -> None:
    machine = make_machine()
    person = make_person("P", role, site=machine.site)
    with pytest.raises(NotAllowed) as refusal:
        clear(machine, person)
    assert refusal.value.codes == ["not_on_site"]
    make_present(person, machine.site, until=MONDAY)  # left a moment ago
    with pytest.raises(NotAllowed):
        clear(machine, person)
    make_present(person, machine.site)
    assert clear(machine, person).plate == Plate.CLEAR


def test_a_member_does_not_clear_plates_and_another_sites_machine_is_unknown() -> None:
    machine = make_machine()
    with pytest.raises(NotAllowed) as refusal:
        clear(machine, make_person("Léa", site=machine.site))
    assert refusal.value.codes == ["not_allowed"]
    elsewhere = make_machine()
    with pytest.raises(NotFound):
        clear(machine, somebody_there(elsewhere))
    machine.refresh_from_db()
    assert machine.plate == Plate.TO_CLEAR


@pytest.mark.parametrize("report", sorted(AT_WORK))
def test_a_plate_is_not_clear_while_the_machine_works(report: Report) -> None:
    machine = make_linked_machine(report=report, plate=Plate.TO_CLEAR, plate_token="")
    with pytest.raises(Refused) as refusal:
        clear(machine, somebody_there(machine))
    assert refusal.value.codes == ["machine_working"]


def test_marking_it_takes_the_token_with_it() -> None:
    machine = make_linked_machine()
    with transaction.atomic():
        mark_plate(lock_machine(machine.pk), at=MONDAY, why="finish")
    machine.refresh_from_db()
    assert (machine.plate, machine.plate_token) == (Plate.TO_CLEAR, "")
    assert machine.events.get(action="plate_to_clear").details == {"why": "finish"}


def test_a_void_token_leaves_the_plate_as_it_is() -> None:
    machine = make_linked_machine()
    with transaction.atomic():
        void_plate_token(lock_machine(machine.pk), at=MONDAY, why="start")
    machine.refresh_from_db()
    assert (machine.plate, machine.plate_token) == (Plate.CLEAR, "")


@pytest.mark.parametrize("foreign", [True, False])
@pytest.mark.parametrize("work", sorted(AT_WORK))
def test_work_seen_to_begin_or_end_ours_or_not_means_something_on_the_plate(
    work: Report, foreign: bool
) -> None:
    machine = make_linked_machine()
    hear(machine.pk, report=work, path="fl/a.gcode", foreign=foreign, at=MONDAY)
    machine.refresh_from_db()
    assert (machine.plate, machine.plate_token) == (Plate.TO_CLEAR, "")
    Machine.objects.update(plate=Plate.CLEAR, plate_token="token")  # as if somebody had erred
    hear(machine.pk, report=Report.READY, at=MONDAY + hours(1))
    machine.refresh_from_db()
    assert (machine.plate, machine.plate_token) == (Plate.TO_CLEAR, "")


@pytest.mark.parametrize("lost", [Report.SILENT, Report.DISCONNECTED, Report.ERROR, Report.UNKNOWN])
def test_lost_contact_ends_the_right_to_start_for_nobody_saw_what_happened_meanwhile(lost: Report) -> None:
    machine = make_linked_machine()
    hear(machine.pk, report=lost, at=MONDAY)
    hear(machine.pk, report=Report.READY, at=MONDAY + minutes(5))
    machine.refresh_from_db()
    assert (machine.plate, machine.plate_token) == (Plate.CLEAR, "")


@pytest.mark.parametrize(("away", "holds"), [(minutes(1), True), (minutes(2), False)])
def test_a_time_in_which_nobody_watched_ends_the_right_to_start_though_the_machine_says_the_same_as_before(
    away: timedelta, holds: bool
) -> None:
    """While this program was off, somebody may have printed from the machine's own pages, to the end."""
    machine = make_linked_machine()
    hear(machine.pk, report=Report.READY, at=MONDAY)
    cleared = clear(machine, somebody_there(machine))
    hear(machine.pk, report=Report.READY, at=MONDAY + away)
    machine.refresh_from_db()
    assert bool(machine.plate_token) is holds
    assert machine.plate_number == cleared.plate_number + (not holds), "who looked before looks again"


def test_what_was_heard_before_the_machine_was_lost_to_another_supervisor_is_not_written() -> None:
    machine = make_linked_machine(lease_number=7)
    assert not hear(machine.pk, report=Report.PRINTING, foreign=True, at=MONDAY, lease_number=6)
    machine.refresh_from_db()
    assert (machine.report, machine.plate) == (Report.READY, Plate.CLEAR)
    assert hear(machine.pk, report=Report.PRINTING, foreign=True, at=MONDAY, lease_number=7)


def test_contact_lost_in_the_middle_of_a_print_leaves_the_plate_to_be_cleared() -> None:
    machine = make_linked_machine()
    for number, report in enumerate([Report.PRINTING, Report.SILENT, Report.READY]):
        hear(machine.pk, report=report, at=MONDAY + minutes(number))
    machine.refresh_from_db()
    assert (machine.plate, machine.plate_token) == (Plate.TO_CLEAR, "")


@pytest.mark.parametrize("why", ["start", "work_seen", "foreign_print"])
def test_each_beginning_is_another_filling_of_the_plate_and_an_ending_is_none(why: str) -> None:
    machine = make_machine()
    assert machine.plate == Plate.TO_CLEAR, "also where somebody has to look already"
    with transaction.atomic():
        filled = mark_plate(lock_machine(machine.pk), at=MONDAY, why=why).plate_number
        ended = mark_plate(lock_machine(machine.pk), at=MONDAY, why="work_ended").plate_number
    assert (filled, ended) == (machine.plate_number + 1, filled)


def test_who_uses_it_by_hand_may_leave_something_there() -> None:
    machine = make_machine()
    take_in_use(machine.pk, actor=somebody_there(machine), at=MONDAY)
    assert Machine.objects.get().plate_number == machine.plate_number + 1


def test_a_machine_out_of_order_starts_nothing_on_an_old_token() -> None:
    machine = make_linked_machine()
    put_out_of_order(machine.pk, actor=somebody_there(machine), reason="Bruit", at=MONDAY)
    machine.refresh_from_db()
    assert machine.plate_token == ""


def test_the_lock_refuses_outside_a_transaction(transactional_db: None) -> None:
    machine = make_machine()
    with pytest.raises(RuntimeError, match="outside a transaction"):
        lock_machine(machine.pk)
    with transaction.atomic(), pytest.raises(NotFound):
        lock_machine("nobody")
