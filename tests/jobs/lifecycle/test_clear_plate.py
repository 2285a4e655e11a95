"""A person on site says that the plate is empty: the right to one start, and finished objects go to the shelf."""

from datetime import datetime

import pytest

from equipment.machines.models import Machine
from equipment.machines.services import hear
from equipment.machines.states import Plate, Report
from equipment.sites.models import Presence
from fablab.core.errors import Conflict, NotAllowed, NotFound, Refused
from jobs.lifecycle.models import Job, JobEvent
from jobs.lifecycle.services import clear_plate
from jobs.lifecycle.states import State
from tests.builders_jobs import Cast, make_job


def test_the_object_gets_a_shelf_place_in_the_same_moment(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.FINISHED, at=now)
    clear_plate(cast.machine.pk, actor=cast.person("staff"), at=now)
    job = Job.objects.get(pk=job.pk)
    assert (job.state, job.shelf) == (State.READY, "A1")
    event = JobEvent.objects.get(job=job)
    assert (event.action, event.actor, event.details["shelf"]) == ("shelve", cast.person("staff"), "A1")


def test_the_next_object_gets_the_next_place(cast: Cast, now: datetime) -> None:
    make_job(cast, state=State.READY, at=now, shelf="A1")
    job = make_job(cast, state=State.FINISHED, at=now)
    clear_plate(cast.machine.pk, actor=cast.person("staff"), at=now)
    assert Job.objects.get(pk=job.pk).shelf == "A2"


def test_it_makes_a_new_right_each_time(cast: Cast, now: datetime) -> None:
    first = clear_plate(cast.machine.pk, actor=cast.person("staff"), at=now).plate_token
    second = clear_plate(cast.machine.pk, actor=cast.person("instructor"), at=now).plate_token
    assert first
    assert second not in {"", first}


@pytest.mark.parametrize(
    ("part", "refusal"), [("owner", NotAllowed), ("other_member", NotAllowed), ("elsewhere", NotFound)]
)
def test_only_people_on_duty_here_may(cast: Cast, now: datetime, part: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        clear_plate(cast.machine.pk, actor=cast.person(part), at=now)
    assert Machine.objects.get().plate == Plate.TO_CLEAR


def test_who_looked_before_something_else_was_made_there_must_look_again(cast: Cast, now: datetime) -> None:
    shown = cast.machine.plate_number
    staff = cast.person("staff")
    clear_plate(cast.machine.pk, actor=staff, at=now, seen_plate=shown)
    hear(cast.machine.pk, report=Report.PRINTING, path="fl/a.gcode", at=now)
    hear(cast.machine.pk, report=Report.READY, at=now)

    with pytest.raises(Conflict) as refused:
        clear_plate(cast.machine.pk, actor=staff, at=now, seen_plate=shown)
    assert refused.value.codes == ["plate_used_since"]
    machine = Machine.objects.get()
    assert (machine.plate, machine.plate_token) == (Plate.TO_CLEAR, "")
    assert clear_plate(machine.pk, actor=staff, at=now, seen_plate=machine.plate_number).plate == Plate.CLEAR


def test_not_from_home(cast: Cast, now: datetime) -> None:
    Presence.objects.all().delete()
    with pytest.raises(Refused) as refused:
        clear_plate(cast.machine.pk, actor=cast.person("staff"), at=now)
    assert refused.value.codes == ["not_on_site"]


def test_not_while_it_works(cast: Cast, now: datetime) -> None:
    Machine.objects.update(report=Report.PRINTING)
    with pytest.raises(Refused) as refused:
        clear_plate(cast.machine.pk, actor=cast.person("staff"), at=now)
    assert refused.value.codes == ["machine_working"]
