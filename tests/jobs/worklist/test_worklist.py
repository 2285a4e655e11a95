"""The list of a real place, and "Je m'en occupe" (``jobs.worklist``)."""

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from equipment.machines.models import Machine
from equipment.machines.states import Driver, Plate, Report
from fablab.core.errors import Conflict, NotAllowed, NotFound
from fablab.core.models import Witness
from jobs.lifecycle.models import Attempt, Job, Order
from jobs.lifecycle.services import press
from jobs.lifecycle.states import OrderState, State, Verb
from jobs.lifecycle.table import Action
from jobs.recovery.models import Interruption
from jobs.worklist.models import Handling
from jobs.worklist.queries import _queue, digest_at, worklist, worklist_and_digest
from jobs.worklist.services import give_back, take
from jobs.worklist.states import Need
from tests.builders import MONDAY, hours, minutes
from tests.builders_jobs import Cast, clear, make_cast, make_job, make_linked_machine
from tests.jobs.recovery.power import comes_back_idle, machine_at_work

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    cast = make_cast(at=MONDAY)
    clear(cast.machine, at=MONDAY)
    return cast


def needs(cast: Cast) -> list[Need]:
    return [task.entry.need for task in worklist(cast.person("instructor"), cast.site.pk, MONDAY)]


def test_a_quiet_place_needs_nobody(cast: Cast) -> None:
    machine_at_work(cast, "Vase", MONDAY)
    assert needs(cast) == []


def test_a_start_that_was_asked_needs_nobody_until_its_time_is_over_though_nothing_supervises(
    cast: Cast,
) -> None:
    job = make_job(cast, state=State.LOADED, at=MONDAY)
    press(job.pk, Action.START, actor=cast.person("staff"), at=MONDAY, plate_clear=True)
    assert needs(cast) == []
    Order.objects.update(expires_at=MONDAY)
    assert needs(cast) == [Need.LOADED]
    Order.objects.update(state=OrderState.DONE)
    Attempt.objects.update(start_sent_at=MONDAY)
    assert needs(cast) == [], "accepted, and not reported yet"


def test_everything_that_needs_a_hand_is_there_in_order(cast: Cast) -> None:
    def machine(name: str, **fields: Any) -> Machine:
        given = {"plate": Plate.CLEAR, **fields}
        return make_linked_machine(cast.site, cast.model, at=MONDAY, name=name, **given)

    Witness.objects.create(at=MONDAY, doubted_since=MONDAY, why="stepped")
    unsure = make_job(cast, state=State.RUNNING, at=MONDAY, on=machine("Incertaine"))
    Attempt.objects.filter(jobs=unsure).update(unsure_since=MONDAY, unsure_why="silent")
    machine("Aide", needs_help_since=MONDAY, needs_help_why="Ça sent le chaud")
    make_job(cast, state=State.PAUSED, at=MONDAY, on=machine("Pause", report=Report.PAUSED))
    refused = make_job(cast, state=State.LOADED, at=MONDAY, on=machine("Refusée"))
    Order.objects.create(
        attempt=Attempt.objects.get(jobs=refused),
        verb=Verb.START,
        state=OrderState.REFUSED,
        outcome="busy",
        lease_number=1,
        created_at=MONDAY,
        settled_at=MONDAY,
        expires_at=MONDAY,
    )
    machine("Muette", report=Report.SILENT)
    make_job(cast, state=State.RUNNING, at=MONDAY - hours(2), on=machine("Main", driver=Driver.HANDOVER))
    make_job(cast, state=State.LOADED, at=MONDAY, on=machine("Chargée"))
    make_job(cast, state=State.FAILED, at=MONDAY, on=cast.machine)
    machine("Pleine", plate=Plate.TO_CLEAR)
    make_job(cast, state=State.SUBMITTED, at=MONDAY)
    make_job(cast, state=State.READY, at=MONDAY - hours(24 * 9), on=cast.machine)
    assert needs(cast) == [
        Need.CLOCK,
        Need.UNSURE,
        Need.HELP,
        Need.PAUSED,
        Need.NOT_STARTED,
        Need.UNREACHABLE,
        Need.OVERDUE,
        Need.LOADED,
        Need.FAILED,
        Need.PLATE,
        Need.DECIDE,
        Need.PICK_UP,
    ]


def test_a_disk_that_is_nearly_full_is_told_the_same_at_each_look_until_there_is_room(
    cast: Cast, settings: Settings
) -> None:
    settings.DISK_LOW_BYTES = 2**70
    assert needs(cast) == [Need.DISK]
    assert digest_at(cast.site.pk, MONDAY) == digest_at(cast.site.pk, MONDAY + minutes(0.1))
    take(cast.site.pk, f"disk:{cast.site.pk}", actor=cast.person("staff"), at=MONDAY)
    assert handled_by(cast) == ["staff"]
    settings.DISK_LOW_BYTES = 1
    assert needs(cast) == []


def test_files_are_looked_at_by_instructors_so_others_on_duty_are_not_sent_there(cast: Cast) -> None:
    make_job(cast, state=State.SUBMITTED, at=MONDAY)
    for part, seen in (("instructor", [Need.DECIDE]), ("staff", []), ("manager", [])):
        tasks, digest = worklist_and_digest(cast.person(part), cast.site.pk, MONDAY)
        assert [task.entry.need for task in tasks] == seen, part
        assert digest == digest_at(cast.site.pk, MONDAY), "pages of all watch the same"
    with pytest.raises(Conflict):
        take(cast.site.pk, f"decide:{cast.site.pk}", actor=cast.person("staff"), at=MONDAY)


def test_a_plate_with_an_object_waiting_and_a_file_to_be_carried_stand_before_an_idle_plate(
    cast: Cast,
) -> None:
    make_linked_machine(cast.site, cast.model, at=MONDAY, name="Pleine")
    assert needs(cast) == [Need.PLATE]
    make_job(cast, state=State.QUEUED, at=MONDAY)
    assert needs(cast) == [Need.PLATE_WAITED]
    Machine.objects.filter(pk=cast.machine.pk).update(driver=Driver.HANDOVER)
    assert needs(cast) == [Need.PLATE_WAITED, Need.TO_TAKE]


def test_after_a_cut_one_entry_stands_for_all_its_objects(cast: Cast) -> None:
    jobs = [machine_at_work(cast, title, MONDAY - hours(2)) for title in ("A", "B")]
    Interruption.objects.create(site=cast.site, began_at=MONDAY - hours(1), noticed_at=MONDAY)
    for job in jobs:
        comes_back_idle(job, MONDAY)
    (first, *rest) = worklist(cast.person("staff"), cast.site.pk, MONDAY)
    assert (first.entry.need, first.entry.count) == (Need.INTERRUPTED, 2)
    assert {task.entry.need for task in rest} == {Need.PLATE}


def test_it_takes_as_many_queries_for_110_machines_as_for_3(cast: Cast) -> None:
    def fill(count: int) -> int:
        for _ in range(count):
            machine = make_linked_machine(cast.site, cast.model, at=MONDAY)
            make_job(cast, state=State.LOADED, at=MONDAY, on=machine)
            make_job(cast, state=State.QUEUED, at=MONDAY)
            make_job(cast, state=State.FAILED, at=MONDAY, on=cast.machine)
        with CaptureQueriesContext(connection) as asked:
            worklist(cast.person("staff"), cast.site.pk, MONDAY)
        return len(asked)

    assert fill(3) == fill(107)


def test_of_a_long_queue_only_the_first_for_each_goal_is_read(cast: Cast) -> None:
    """Ten thousand objects may wait: rows that are read do not grow with them, and the answers stay the same."""
    carried = make_linked_machine(
        cast.site, cast.model, at=MONDAY, name="Main", driver=Driver.HANDOVER, plate=Plate.CLEAR
    )
    other = make_linked_machine(cast.site, cast.model, at=MONDAY, name="Pleine", plate=Plate.TO_CLEAR)
    for minute in range(12):
        make_job(cast, state=State.QUEUED, at=MONDAY - minutes(minute))
    named = make_job(cast, state=State.QUEUED, at=MONDAY - minutes(3), machine=carried)
    first = make_job(cast, state=State.QUEUED, at=MONDAY - minutes(2), machine=carried, priority=5)
    heads = _queue(cast.site.pk).heads
    assert len(heads) == 2, "one that names the machine, one that names the model"
    tasks = {
        task.entry.machine_name: task.entry for task in worklist(cast.person("staff"), cast.site.pk, MONDAY)
    }
    assert (tasks["Main"].job and tasks["Main"].job.id) == first.pk
    assert (tasks["Main"].count, tasks["Pleine"].count) == (14, 12)
    Job.objects.filter(pk__in=[named.pk, first.pk]).update(machine=other)
    tasks = {
        task.entry.machine_name: task.entry for task in worklist(cast.person("staff"), cast.site.pk, MONDAY)
    }
    assert tasks["Main"].job is not None
    assert tasks["Main"].job.since == MONDAY - minutes(11)
    assert (tasks["Main"].count, tasks["Pleine"].count) == (12, 14)


def test_a_plate_is_told_with_the_object_that_lies_there(cast: Cast) -> None:
    job = make_job(cast, state=State.FINISHED, at=MONDAY)
    Machine.objects.filter(pk=cast.machine.pk).update(plate=Plate.TO_CLEAR)
    (task,) = worklist(cast.person("staff"), cast.site.pk, MONDAY)
    assert task.entry.need is Need.PLATE
    assert [one.number for one in task.entry.lies_there] == [job.number]


def test_a_machine_out_of_order_keeps_what_is_to_be_put_back_and_what_is_to_be_taken_off(cast: Cast) -> None:
    Machine.objects.filter(pk=cast.machine.pk).update(
        plate=Plate.TO_CLEAR, out_of_order_since=MONDAY, out_of_order_reason="Buse bouchée"
    )
    made = make_job(cast, state=State.FINISHED, at=MONDAY)
    loaded = make_job(cast, state=State.LOADED, at=MONDAY)
    (task,) = worklist(cast.person("staff"), cast.site.pk, MONDAY)
    assert (task.entry.need, task.entry.job and task.entry.job.id) == (Need.PUT_BACK, loaded.pk)
    press(loaded.pk, Action.RELEASE, actor=cast.person("staff"), at=MONDAY)
    (task,) = worklist(cast.person("staff"), cast.site.pk, MONDAY)
    assert (task.entry.need, [one.id for one in task.entry.lies_there]) == (Need.PLATE, [made.pk])


# --- "Je m'en occupe" ---------------------------------------------------------------------------------------------


@pytest.fixture
def plate(cast: Cast) -> str:
    """A plate to empty; its entry's key."""
    machine = make_linked_machine(cast.site, cast.model, at=MONDAY, name="Pleine")
    return f"plate:{machine.pk}"


def later(at_minute: float) -> datetime:
    """Let the time pass, all machines being heard."""
    at = MONDAY + minutes(at_minute)
    Machine.objects.update(seen_at=at)
    return at


def handled_by(cast: Cast, at_minute: float = 0) -> list[str]:
    at = later(at_minute)
    tasks = worklist(cast.person("staff"), cast.site.pk, at)
    return [task.handled.name if task.handled else "" for task in tasks]


def test_who_goes_is_named_to_the_others_for_a_quarter_of_an_hour(cast: Cast, plate: str) -> None:
    take(cast.site.pk, plate, actor=cast.person("staff"), at=MONDAY)
    assert handled_by(cast) == ["staff"]
    assert handled_by(cast, 14) == ["staff"]
    assert handled_by(cast, 15) == [""]


def test_the_second_one_reads_who_has_it(cast: Cast, plate: str) -> None:
    take(cast.site.pk, plate, actor=cast.person("staff"), at=MONDAY)
    with pytest.raises(Conflict) as refusal:
        take(cast.site.pk, plate, actor=cast.person("instructor"), at=later(1))
    assert refusal.value.problems[0].params == {"person": "staff"}
    take(cast.site.pk, plate, actor=cast.person("instructor"), at=later(15))
    assert handled_by(cast, 15) == ["instructor"]
    assert Handling.objects.count() == 1


def test_who_leaves_it_lets_others_go_and_nobody_gives_back_what_is_anothers(cast: Cast, plate: str) -> None:
    take(cast.site.pk, plate, actor=cast.person("staff"), at=MONDAY)
    with pytest.raises(NotFound):
        give_back(cast.site.pk, plate, actor=cast.person("instructor"), at=MONDAY)
    give_back(cast.site.pk, plate, actor=cast.person("staff"), at=MONDAY)
    assert handled_by(cast) == [""]
    take(cast.site.pk, plate, actor=cast.person("instructor"), at=MONDAY)
    assert handled_by(cast) == ["instructor"]


def test_it_ends_with_the_entry_so_that_the_next_one_of_the_kind_is_open_to_all(
    cast: Cast, plate: str
) -> None:
    take(cast.site.pk, plate, actor=cast.person("staff"), at=MONDAY)
    machine = Machine.objects.get(name="Pleine")
    make_job(cast, state=State.FINISHED, at=MONDAY + minutes(5), on=machine)
    assert handled_by(cast, 6) == [""]
    take(cast.site.pk, plate, actor=cast.person("instructor"), at=later(6))
    assert handled_by(cast, 6) == ["instructor"]


def test_what_is_done_already_cannot_be_taken(cast: Cast, plate: str) -> None:
    clear(Machine.objects.get(name="Pleine"), at=MONDAY)
    with pytest.raises(Conflict) as refusal:
        take(cast.site.pk, plate, actor=cast.person("staff"), at=MONDAY)
    assert refusal.value.code == "entry_over"


def test_only_those_on_duty_at_the_place_read_and_take(cast: Cast, plate: str) -> None:
    for part, error in (("owner", NotAllowed), ("elsewhere", NotFound)):
        with pytest.raises(error):
            worklist(cast.person(part), cast.site.pk, MONDAY)
        with pytest.raises(error):
            take(cast.site.pk, plate, actor=cast.person(part), at=MONDAY)
    assert not Handling.objects.exists()
    assert not Job.objects.exists()


def test_who_forgot_to_say_that_a_machine_is_free_hides_its_plate_for_a_day_at_most(cast: Cast) -> None:
    used = {"driver": Driver.HANDOVER, "plate": Plate.TO_CLEAR, "plate_token": ""}
    Machine.objects.update(**used, in_use_since=MONDAY - hours(1))
    assert needs(cast) == []
    Machine.objects.update(in_use_since=MONDAY - hours(24))
    assert needs(cast) == [Need.PLATE]
