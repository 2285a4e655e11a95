"""What is in a machine, and what it may do without a person: who says so, what is refused, and who is told."""

from datetime import timedelta
from typing import Any

import pytest

from equipment.machines import fitted
from equipment.machines.models import Machine, MachineEvent, MachineKind
from equipment.machines.services import change_machine
from equipment.machines.states import STARTED_BY_LINE, Driver
from fablab.core.errors import Malformed, NotAllowed, NotFound, Refused
from jobs.lifecycle.models import Job
from jobs.lifecycle.states import State
from jobs.planning.queries import site_plan
from tests.builders import MONDAY
from tests.builders_jobs import Cast, make_cast, make_job

pytestmark = pytest.mark.django_db
FRAMES = {"frames": [{"code": "180x130", "fr": "Cadre 180 × 130"}]}


@pytest.fixture
def cast() -> Cast:
    return make_cast(at=MONDAY)


def put_in(cast: Cast, part: str = "instructor", **given: Any) -> Machine:
    return fitted.put_in(cast.machine.pk, fitted.Contents(**given), actor=cast.person(part), at=MONDAY)  # type: ignore[typeddict-item]  # any of the three


def set_free(cast: Cast, part: str = "staff", **given: Any) -> Machine:
    return fitted.set_free(cast.machine.pk, fitted.Freedom(**given), actor=cast.person(part), at=MONDAY)  # type: ignore[typeddict-item]  # any of the two


def stored(cast: Cast) -> Machine:
    return Machine.objects.get(pk=cast.machine.pk)


# --- what is in it ------------------------------------------------------------------------------------------------


def test_an_instructor_says_what_is_in_it_and_the_log_keeps_who_and_what(cast: Cast) -> None:
    put_in(cast, material="PETG", nozzle_mm=0.6)

    machine = stored(cast)
    assert (machine.material, machine.nozzle_mm, machine.frame) == ("PETG", 0.6, "")
    assert machine.version == cast.machine.version + 1
    line = MachineEvent.objects.get(machine=machine)
    assert (line.action, line.actor) == (fitted.PUT_IN, cast.person("instructor"))
    assert line.details == {"material": "PETG", "nozzle_mm": 0.6}


def test_what_is_not_named_stays_and_nobody_knows_is_an_answer(cast: Cast) -> None:
    put_in(cast, material="PETG", nozzle_mm=0.6)
    put_in(cast, material="")
    assert (stored(cast).material, stored(cast).nozzle_mm) == ("", 0.6)
    put_in(cast, nozzle_mm=None)
    assert stored(cast).nozzle_mm is None


def test_what_was_so_already_leaves_no_line(cast: Cast) -> None:
    put_in(cast, material="PLA")
    put_in(cast, material="PLA")
    assert MachineEvent.objects.filter(machine=cast.machine).count() == 1


def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_written(cast: Cast) -> None:
    with pytest.raises(Malformed) as refused:
        put_in(cast, material="wood", nozzle_mm=4.0, frame="180x130")
    assert {(problem.code, problem.field) for problem in refused.value.problems} == {
        ("material_not_of_model", "material"),
        ("nozzle_out_of_range", "nozzle_mm"),
        ("frame_not_of_kind", "frame"),
    }
    assert stored(cast).version == cast.machine.version


@pytest.mark.parametrize("nozzle", [0.19, 1.21, -0.4, 0.0, float("nan"), float("inf")])
def test_a_nozzle_that_does_not_exist_is_refused(cast: Cast, nozzle: float) -> None:
    with pytest.raises(Malformed):
        put_in(cast, nozzle_mm=nozzle)


@pytest.mark.parametrize("nozzle", [0.2, 0.4, 1.2])
def test_nozzles_from_fine_to_wide_are_taken(cast: Cast, nozzle: float) -> None:
    assert put_in(cast, nozzle_mm=nozzle).nozzle_mm == nozzle


def test_a_frame_of_the_kinds_guide_is_taken_and_a_nozzle_only_where_the_model_has_one(cast: Cast) -> None:
    MachineKind.objects.filter(pk=cast.kind.pk).update(guide=FRAMES)
    cast.model.limits = {}
    cast.model.save()
    assert put_in(cast, frame="180x130").frame == "180x130"
    with pytest.raises(Malformed) as refused:
        put_in(cast, nozzle_mm=0.4)
    assert refused.value.code == "nozzle_not_here"


def test_who_waits_for_another_material_reads_it_in_the_plan_at_once(cast: Cast) -> None:
    job = make_job(cast, state=State.QUEUED, at=MONDAY - timedelta(minutes=5))
    Job.objects.filter(pk=job.pk).update(settings={**job.settings, "material": "PLA"})
    assert not site_plan(cast.site.pk, MONDAY)[job.pk].reasons
    put_in(cast, material="PETG")
    assert [one.code for one in site_plan(cast.site.pk, MONDAY)[job.pk].reasons] == ["waiting_material"]
    put_in(cast, material="")
    assert not site_plan(cast.site.pk, MONDAY)[job.pk].reasons


@pytest.mark.parametrize("part", ["owner", "other_member"])
def test_members_do_not_say_what_is_in_it(cast: Cast, part: str) -> None:
    with pytest.raises(NotAllowed):
        put_in(cast, part, material="PLA")


def test_a_retired_machine_is_nobodys(cast: Cast) -> None:
    Machine.objects.filter(pk=cast.machine.pk).update(retired_at=MONDAY)
    with pytest.raises(NotFound):
        put_in(cast, material="PLA")
    with pytest.raises(NotFound):
        set_free(cast, may_overrun=True)


# --- what it may do without a person ------------------------------------------------------------------------------


def test_staff_allow_a_start_without_a_press_and_work_past_closing(cast: Cast) -> None:
    set_free(cast, auto_start=True, may_overrun=True)
    assert (stored(cast).auto_start, stored(cast).may_overrun) == (True, True)
    set_free(cast, auto_start=False)
    assert (stored(cast).auto_start, stored(cast).may_overrun) == (False, True)
    assert [line.details for line in MachineEvent.objects.filter(action=fitted.FREEDOM)] == [
        {"auto_start": True, "may_overrun": True},
        {"auto_start": False},
    ]


def test_an_instructor_does_not(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        set_free(cast, "instructor", auto_start=True)


@pytest.mark.parametrize("driver", list(Driver))
def test_only_what_is_started_by_line_starts_by_itself(cast: Cast, driver: Driver) -> None:
    Machine.objects.filter(pk=cast.machine.pk).update(driver=driver)
    if driver in STARTED_BY_LINE:
        assert set_free(cast, auto_start=True).auto_start
    else:
        with pytest.raises(Refused) as refused:
            set_free(cast, auto_start=True)
        assert refused.value.codes == ["not_started_by_line"]


def test_a_laser_never_does_and_every_reason_is_said(cast: Cast) -> None:
    MachineKind.objects.filter(pk=cast.kind.pk).update(remote_start=False)
    Machine.objects.filter(pk=cast.machine.pk).update(driver=Driver.HANDOVER)
    with pytest.raises(Refused) as refused:
        set_free(cast, auto_start=True, may_overrun=True)
    assert refused.value.codes == ["never_started_from_here", "not_started_by_line"]
    assert not stored(cast).may_overrun
    assert set_free(cast, auto_start=False, may_overrun=True).may_overrun


def test_another_connection_or_model_takes_back_what_does_not_hold_there(cast: Cast) -> None:
    Machine.objects.filter(pk=cast.machine.pk).update(address="http://10.0.0.9:5000")
    set_free(cast, auto_start=True)
    put_in(cast, material="PETG", nozzle_mm=0.6)
    staff = cast.person("staff")
    change_machine(cast.machine.pk, name="Hedy", actor=staff, at=MONDAY)
    assert (stored(cast).auto_start, stored(cast).material) == (True, "PETG")
    change_machine(cast.machine.pk, driver=Driver.HANDOVER, address="", actor=staff, at=MONDAY)
    assert (stored(cast).auto_start, stored(cast).material) == (False, "PETG")
    cast.model.pk, cast.model.name = "another", "Ender"
    cast.model.save(force_insert=True)
    change_machine(cast.machine.pk, model_id="another", actor=staff, at=MONDAY)
    assert (stored(cast).material, stored(cast).nozzle_mm) == ("", None)
