"""A simulation makes nothing: beside a real machine it gets only what was sent to it by name."""

from datetime import timedelta

import pytest

from equipment.machines.models import Machine
from jobs.dispatch import services as dispatch
from jobs.lifecycle.models import Job
from jobs.lifecycle.services import move, press
from jobs.lifecycle.states import State
from jobs.lifecycle.table import Action
from jobs.planning.queries import next_for_machine
from jobs.worklist.queries import worklist
from jobs.worklist.states import Need
from tests.builders import MONDAY, make_booking
from tests.builders_jobs import Cast, make_cast, make_job, make_linked_machine

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast(at=MONDAY)


def simulation(cast: Cast) -> Machine:
    return make_linked_machine(
        cast.site, cast.model, at=MONDAY, driver="simulated", address="simulated://quick", lease_number=1
    )


def claimed(*machines: Machine) -> list[tuple[str, str]]:
    found = dispatch.look({machine.pk: machine.lease_number for machine in machines}, at=MONDAY)
    return [(one.job_id, one.machine_id) for one in found]


def why(job: Job) -> list[str]:
    job.refresh_from_db()
    return [reason["code"] for reason in job.waiting_for]


def test_of_two_objects_that_name_only_the_model_the_second_waits_for_the_real_machine(cast: Cast) -> None:
    there = simulation(cast)
    first, second = (make_job(cast, state=State.QUEUED, at=MONDAY) for _ in range(2))
    (only,) = claimed(cast.machine, there)
    assert only[0] in {first.pk, second.pk}
    assert only[1] == cast.machine.pk
    claimed(cast.machine, there)
    assert why(second if only[0] == first.pk else first) == ["waiting_machine_busy"]
    assert next_for_machine(there.pk, MONDAY) == []


def test_it_waits_also_while_the_real_machine_is_out_of_order(cast: Cast) -> None:
    there = simulation(cast)
    Machine.objects.filter(pk=cast.machine.pk).update(out_of_order_since=MONDAY, out_of_order_reason="buse")
    job = make_job(cast, state=State.QUEUED, at=MONDAY)
    assert claimed(cast.machine, there) == []
    assert why(job) == ["waiting_out_of_order"]


def test_what_names_the_simulation_goes_there(cast: Cast) -> None:
    there = simulation(cast)
    job = make_job(cast, state=State.QUEUED, at=MONDAY, machine=there)
    assert claimed(cast.machine, there) == [(job.pk, there.pk)]


def test_what_is_made_in_a_booking_of_the_simulation_goes_there(cast: Cast) -> None:
    there = simulation(cast)
    start = MONDAY - timedelta(minutes=10)
    booking = make_booking(there, cast.person("owner"), start=start)
    job = make_job(cast, state=State.QUEUED, at=MONDAY, booking=booking)
    assert claimed(cast.machine, there) == [(job.pk, there.pk)]


def test_a_failed_object_that_is_made_again_does_not_go_there_and_one_that_staff_move_there_does(
    cast: Cast,
) -> None:
    there, staff = simulation(cast), cast.person("staff")
    Machine.objects.filter(pk=cast.machine.pk).update(out_of_order_since=MONDAY, out_of_order_reason="buse")
    job = make_job(cast, state=State.FAILED, at=MONDAY)
    press(job.pk, Action.REQUEUE, actor=staff, at=MONDAY)
    assert claimed(cast.machine, there) == []
    move(job.pk, actor=staff, at=MONDAY, reason="Pour montrer", machine_id=there.pk)
    assert claimed(cast.machine, there) == [(job.pk, there.pk)]


def test_in_a_teaching_lab_whose_machines_are_all_simulations_they_take_what_comes(cast: Cast) -> None:
    there = simulation(cast)
    Machine.objects.filter(pk=cast.machine.pk).update(driver="simulated", address="simulated://quick")
    cast.machine.refresh_from_db()
    for _ in range(2):
        make_job(cast, state=State.QUEUED, at=MONDAY)
    assert {machine for _, machine in claimed(cast.machine, there)} == {cast.machine.pk, there.pk}


def test_nobody_is_sent_to_empty_the_plate_of_a_simulation_for_an_object_that_does_not_go_there(
    cast: Cast,
) -> None:
    there = simulation(cast)
    make_job(cast, state=State.QUEUED, at=MONDAY)
    entries = [task.entry for task in worklist(cast.person("staff"), cast.site.pk, MONDAY)]
    assert {(entry.need, entry.machine_id) for entry in entries} == {
        (Need.PLATE_WAITED, cast.machine.pk),
        (Need.PLATE, there.pk),
    }
