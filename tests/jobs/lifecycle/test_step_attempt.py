"""What a machine reports, late, twice or with a step missing, becomes the right history."""

from datetime import datetime

import pytest

from equipment.machines.models import Machine
from equipment.machines.states import Plate
from jobs.lifecycle.models import Attempt, AttemptJob, Job, JobEvent
from jobs.lifecycle.services import step_attempt
from jobs.lifecycle.states import Source, State
from jobs.lifecycle.table import Action
from tests.builders_jobs import Cast, clear, make_job


def report(action: Action, at: datetime, **details: object) -> bool:
    attempt = Attempt.objects.get()
    return step_attempt(attempt.pk, action, source=Source.MACHINE, at=at, **details)  # type: ignore[arg-type]


def test_a_missed_start_is_written_before_the_end_that_was_seen(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.LOADED, at=now)
    assert report(Action.FINISH, now)
    events = JobEvent.objects.filter(job=job).values_list("action", "details__inferred")
    assert list(events) == [("start", True), ("finish", None)]


@pytest.mark.parametrize("action", [Action.START, Action.RESUME])
def test_a_report_that_comes_twice_changes_nothing(cast: Cast, now: datetime, action: Action) -> None:
    make_job(cast, state=State.RUNNING, at=now)
    assert not report(action, now)
    assert not JobEvent.objects.exists()


@pytest.mark.parametrize(
    ("action", "reason"), [(Action.FINISH, ""), (Action.FAIL, "connection"), (Action.STOPPED, "asked")]
)
def test_every_ending_marks_the_plate_and_closes_the_attempt(
    cast: Cast, now: datetime, action: Action, reason: str
) -> None:
    make_job(cast, state=State.RUNNING, at=now)
    clear(cast.machine, at=now)
    assert report(action, now, reason=reason)
    machine, attempt = Machine.objects.get(), Attempt.objects.get()
    assert (machine.plate, machine.plate_token) == (Plate.TO_CLEAR, "")
    assert attempt.ended_at == now
    assert not AttemptJob.objects.filter(live=True).exists()


def test_a_second_ending_is_ignored(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.RUNNING, at=now)
    assert report(Action.STOPPED, now, reason="cancelled_at_machine")
    assert not report(Action.FAIL, now, reason="connection"), (
        "OctoPrint says cancelled and failed: it counts once"
    )
    assert Job.objects.get(pk=job.pk).state == State.CANCELLED


def test_the_plate_is_not_empty_from_the_start_on(cast: Cast, now: datetime) -> None:
    make_job(cast, state=State.LOADED, at=now)
    clear(cast.machine, at=now)
    report(Action.START, now)
    assert Machine.objects.get().plate == Plate.TO_CLEAR


def test_an_attempt_with_two_jobs_ends_when_both_have(cast: Cast, now: datetime) -> None:
    first = make_job(cast, state=State.RUNNING, at=now)
    second = make_job(cast, state=State.QUEUED, at=now)
    Job.objects.filter(pk=second.pk).update(state=State.RUNNING)
    AttemptJob.objects.create(attempt=Attempt.objects.get(), job=second, number=1)
    report(Action.FINISH, now)
    assert set(Job.objects.filter(pk__in=[first.pk, second.pk]).values_list("state", flat=True)) == {
        "finished"
    }
    assert Attempt.objects.get().outcome == "finished"
