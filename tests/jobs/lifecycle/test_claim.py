"""A queued job is taken by one machine, once."""

from datetime import datetime

import pytest

from fablab.core.errors import Conflict
from jobs.lifecycle.models import Attempt, Job
from jobs.lifecycle.services import claim, step_attempt
from jobs.lifecycle.states import Source, State
from jobs.lifecycle.table import MAX_ATTEMPTS, Action
from tests.builders import make_booking
from tests.builders_jobs import Cast, make_job, make_linked_machine


def test_it_makes_the_attempt(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.QUEUED, at=now)
    attempt = claim(job.pk, cast.machine.pk, lease_number=1, at=now)
    job = Job.objects.get(pk=job.pk)
    assert (job.state, job.attempts_made) == (State.SENDING, 1)
    assert (attempt.machine, attempt.file_sha256) == (
        cast.machine,
        job.machine_file and job.machine_file.sha256,
    )


def test_the_second_taker_finds_it_gone(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.QUEUED, at=now)
    other = make_linked_machine(cast.site, cast.model, at=now)
    claim(job.pk, cast.machine.pk, lease_number=1, at=now)
    with pytest.raises(Conflict):
        claim(job.pk, other.pk, lease_number=1, at=now)
    assert Attempt.objects.count() == 1


def test_a_machine_takes_one_at_a_time(cast: Cast, now: datetime) -> None:
    first = make_job(cast, state=State.QUEUED, at=now)
    second = make_job(cast, state=State.QUEUED, at=now, owner="other_member")
    claim(first.pk, cast.machine.pk, lease_number=1, at=now)
    with pytest.raises(Conflict) as refused:
        claim(second.pk, cast.machine.pk, lease_number=1, at=now)
    assert refused.value.codes == ["machine_taken"]
    assert Job.objects.get(pk=second.pk).state == State.QUEUED


@pytest.mark.parametrize("by", ["machine", "booking"])
def test_what_was_sent_elsewhere_since_the_plan_was_made_is_not_taken(
    cast: Cast, now: datetime, by: str
) -> None:
    job = make_job(cast, state=State.QUEUED, at=now)
    other = make_linked_machine(cast.site, cast.model, at=now)
    to = other if by == "machine" else make_booking(other, cast.person("owner"), start=now)
    Job.objects.update(**{by: to})
    with pytest.raises(Conflict) as refused:
        claim(job.pk, cast.machine.pk, lease_number=1, at=now)
    assert refused.value.codes == ["moved_elsewhere"]
    assert (Job.objects.get().state, Attempt.objects.count()) == (State.QUEUED, 0)
    claim(job.pk, other.pk, lease_number=1, at=now)


def test_who_lost_the_machine_claims_nothing(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.QUEUED, at=now)
    with pytest.raises(Conflict) as refused:
        claim(job.pk, cast.machine.pk, lease_number=2, at=now)
    assert refused.value.codes == ["lease_lost"]
    assert Job.objects.get(pk=job.pk).state == State.QUEUED


def test_a_release_for_which_nobody_is_to_blame_costs_no_try(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.QUEUED, at=now)
    for _ in range(MAX_ATTEMPTS + 1):
        attempt = claim(job.pk, cast.machine.pk, lease_number=1, at=now)
        step_attempt(
            attempt.pk, Action.RELEASE, source=Source.DISPATCHER, at=now, reason="closing", blameless=True
        )
    job = Job.objects.get(pk=job.pk)
    assert (job.state, job.attempts_made) == (State.QUEUED, 0)


def test_it_keeps_its_place_when_it_is_released(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.QUEUED, at=now)
    queued_at = Job.objects.get(pk=job.pk).queued_at
    attempt = claim(job.pk, cast.machine.pk, lease_number=1, at=now)
    step_attempt(attempt.pk, Action.RELEASE, source=Source.DISPATCHER, at=now, reason="sending_failed")
    assert Job.objects.get(pk=job.pk).queued_at == queued_at
