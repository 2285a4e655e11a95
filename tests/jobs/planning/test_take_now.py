"""Who stands at a machine that people feed takes the next object, unless the plan says that it is not the time."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from equipment.machines.models import Machine
from equipment.machines.states import Driver, Plate
from equipment.sites.models import OpeningHours, PowerCut
from fablab.core.errors import Refused
from jobs.lifecycle.models import Attempt, Job
from jobs.lifecycle.states import State
from jobs.planning.services import take_now
from tests.builders import MONDAY, make_booking, make_person, minutes
from tests.builders_jobs import Cast, make_cast, make_job, make_linked_machine

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    cast = make_cast(at=MONDAY)
    Machine.objects.filter(pk=cast.machine.pk).update(driver=Driver.HANDOVER, address="", plate=Plate.CLEAR)
    cast.machine.refresh_from_db()
    return cast


def queued(cast: Cast) -> Job:
    job = make_job(cast, state=State.QUEUED, at=MONDAY)
    job.approvals.update(at=MONDAY - timedelta(minutes=5))
    return job


def test_it_is_taken_when_nothing_speaks_against_it(cast: Cast) -> None:
    job = take_now(queued(cast).pk, cast.machine.pk, actor=cast.person("staff"), at=MONDAY)
    assert job.state == State.LOADED


def somebody_comes_soon(cast: Cast) -> None:
    make_booking(cast.machine, make_person(site=cast.site), start=MONDAY + minutes(5))


def somebody_uses_it(cast: Cast) -> None:
    Machine.objects.update(in_use_since=MONDAY - minutes(5))


def it_needs_help(cast: Cast) -> None:
    Machine.objects.update(needs_help_since=MONDAY, needs_help_why="Elle fume")


def the_doors_are_shut(cast: Cast) -> None:
    OpeningHours.objects.all().delete()


def the_power_goes(cast: Cast) -> None:
    PowerCut.objects.create(site=cast.site, start=MONDAY + minutes(5), end=MONDAY + minutes(65))


def it_was_sent_to_another(cast: Cast) -> None:
    Job.objects.update(machine=make_linked_machine(cast.site, cast.model, at=MONDAY))


@pytest.mark.parametrize(
    ("happens", "code"),
    [
        (somebody_comes_soon, "waiting_next_booking"),
        (somebody_uses_it, "waiting_machine_busy"),
        (it_needs_help, "waiting_needs_help"),
        (the_doors_are_shut, "waiting_closed"),
        (the_power_goes, "waiting_power_cut"),
        (it_was_sent_to_another, "other_machine"),
    ],
)
def test_a_page_that_stayed_open_takes_nothing_against_the_plan(
    cast: Cast, happens: Callable[[Cast], None], code: str
) -> None:
    job = queued(cast)
    happens(cast)
    with pytest.raises(Refused) as refused:
        take_now(job.pk, cast.machine.pk, actor=cast.person("staff"), at=MONDAY)
    assert refused.value.codes == [code]
    assert (Job.objects.get().state, Attempt.objects.count()) == (State.QUEUED, 0)
