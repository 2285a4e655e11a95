"""What lies on a machine, as those on duty read it before they empty its plate."""

from datetime import datetime, timedelta

import pytest

from equipment.machines.models import Machine
from equipment.machines.states import Driver, Plate
from jobs.lifecycle.lying import lying_on
from jobs.lifecycle.models import Job
from jobs.lifecycle.services import clear_plate, press, take
from jobs.lifecycle.states import State
from jobs.lifecycle.table import Action
from tests.builders_jobs import Cast, make_job


def there(cast: Cast) -> list[int]:
    return [job.number for job in lying_on([cast.machine.pk]).get(cast.machine.pk, [])]


@pytest.fixture
def by_hand(cast: Cast) -> Cast:
    Machine.objects.filter(pk=cast.machine.pk).update(driver=Driver.HANDOVER, address="")
    cast.machine.refresh_from_db()
    return cast


def ends(cast: Cast, job: Job, action: Action, at: datetime) -> None:
    press(
        job.pk,
        action,
        actor=cast.person("staff"),
        at=at,
        reason="other" if action is Action.FAIL else "asked",
    )


@pytest.mark.parametrize("action", [Action.FAIL, Action.STOPPED])
def test_what_failed_or_was_stopped_lies_there_until_somebody_has_emptied_the_plate(
    by_hand: Cast, now: datetime, action: Action
) -> None:
    cast, staff = by_hand, by_hand.person("staff")
    first, second = (make_job(cast, state=State.QUEUED, at=now) for _ in range(2))
    take(first.pk, cast.machine.pk, actor=staff, at=now)
    press(first.pk, Action.START, actor=staff, at=now, plate_clear=True)
    ends(cast, first, action, now + timedelta(minutes=5))
    assert there(cast) == [first.number]
    take(second.pk, cast.machine.pk, actor=staff, at=now + timedelta(minutes=6))
    press(second.pk, Action.START, actor=staff, at=now + timedelta(minutes=7), plate_clear=True)
    assert Machine.objects.get(pk=cast.machine.pk).plate == Plate.TO_CLEAR
    assert there(cast) == [], "the second one is being made on a plate that was empty"
    ends(cast, second, action, now + timedelta(minutes=9))
    assert there(cast) == [second.number]


def test_what_was_emptied_with_a_tap_of_its_own_is_not_there_any_more_when_the_next_one_runs(
    cast: Cast, now: datetime
) -> None:
    failed = make_job(cast, state=State.FAILED, at=now)
    assert there(cast) == [failed.number]
    clear_plate(cast.machine.pk, actor=cast.person("staff"), at=now + timedelta(minutes=1))
    assert there(cast) == []
    Machine.objects.filter(pk=cast.machine.pk).update(plate=Plate.TO_CLEAR)  # as the next start leaves it
    assert there(cast) == []


def test_what_was_begun_and_ended_in_the_moment_of_the_clearing_lies_there(
    by_hand: Cast, now: datetime
) -> None:
    cast, staff = by_hand, by_hand.person("staff")
    job = make_job(cast, state=State.QUEUED, at=now)
    take(job.pk, cast.machine.pk, actor=staff, at=now)
    press(job.pk, Action.START, actor=staff, at=now, plate_clear=True)
    ends(cast, job, Action.FAIL, now)
    assert there(cast) == [job.number]
