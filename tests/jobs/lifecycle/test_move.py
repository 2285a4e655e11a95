"""Staff move a waiting object, with a reason that its owner reads."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from equipment.machines.models import Machine
from fablab.core.errors import Conflict, Malformed, NotAllowed, NotFound
from jobs.lifecycle.models import Job, JobEvent
from jobs.lifecycle.services import move
from jobs.lifecycle.states import State
from jobs.planning.queries import site_plan
from tests.builders import make_booking
from tests.builders_jobs import Cast, make_job, make_linked_machine


def queue(cast: Cast, now: datetime, count: int = 3) -> list[Job]:
    """Objects of different people would take turns; of one person they wait by age."""
    jobs = [make_job(cast, state=State.QUEUED, at=now) for _ in range(count)]
    for number, job in enumerate(jobs):
        Job.objects.filter(pk=job.pk).update(queued_at=now - timedelta(hours=1) + timedelta(minutes=number))
    return jobs


def order(cast: Cast, now: datetime) -> list[str]:
    return list(site_plan(cast.site.pk, now))


def by_staff(cast: Cast, job: Job, now: datetime, **given: Any) -> Job:
    return move(job.pk, actor=cast.person("staff"), at=now, **{"reason": "Exposition demain", **given})


def test_it_comes_first_then_last_then_where_it_was(cast: Cast, now: datetime) -> None:
    a, b, c = (job.pk for job in queue(cast, now))
    job = Job.objects.get(pk=c)
    by_staff(cast, job, now, place="first")
    assert order(cast, now) == [c, a, b]
    by_staff(cast, Job.objects.get(pk=a), now, place="first")
    assert order(cast, now) == [a, c, b]
    by_staff(cast, job, now, place="last")
    assert order(cast, now) == [a, b, c]
    by_staff(cast, Job.objects.get(pk=b), now, place="last")
    assert order(cast, now) == [a, c, b]
    for one in (a, b, c):
        by_staff(cast, Job.objects.get(pk=one), now, place="usual")
    assert order(cast, now) == [a, b, c]


def test_to_another_machine_of_its_model_its_approval_stays_and_a_booking_elsewhere_is_untied(
    cast: Cast, now: datetime
) -> None:
    other = make_linked_machine(cast.site, cast.model, at=now)
    booking = make_booking(cast.machine, cast.person("owner"), start=now + timedelta(hours=1))
    job = make_job(cast, state=State.QUEUED, at=now, machine=cast.machine, booking=booking)
    moved = by_staff(cast, job, now, machine_id=other.pk)
    assert (moved.machine, moved.booking, moved.state) == (other, None, State.QUEUED)
    assert moved.approvals.filter(voided_at__isnull=True).exists()
    assert site_plan(cast.site.pk, now)[job.pk].machine_id == other.pk


def test_who_why_and_where_stand_in_its_history(cast: Cast, now: datetime) -> None:
    (job,) = queue(cast, now, 1)
    moved = by_staff(cast, job, now, place="first")
    event = JobEvent.objects.get(job=job, action="move")
    assert (event.actor, event.at, event.version) == (cast.person("staff"), now, moved.version)
    assert event.details == {"reason": "Exposition demain", "place": "first"}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"place": "first", "reason": " "}, "reason_missing"),
        ({}, "nowhere_to_move"),
        ({"place": "second"}, "not_a_choice"),
        ({"machine_id": "none"}, "unknown_machine"),
    ],
)
def test_what_is_missing_is_said_and_nothing_moves(
    cast: Cast, now: datetime, given: dict[str, Any], code: str
) -> None:
    (job,) = queue(cast, now, 1)
    with pytest.raises(Malformed) as refused:
        by_staff(cast, job, now, **given)
    assert refused.value.codes == [code]
    assert Job.objects.get(pk=job.pk).version == job.version


def test_a_machine_of_another_model_or_place_or_one_that_is_retired_is_none_it_could_go_to(
    cast: Cast, now: datetime
) -> None:
    (job,) = queue(cast, now, 1)
    elsewhere = make_linked_machine(cast.elsewhere, cast.model, at=now)
    retired = make_linked_machine(cast.site, cast.model, at=now, retired_at=now)
    for machine in (elsewhere, retired):
        with pytest.raises(Malformed):
            by_staff(cast, job, now, machine_id=Machine.objects.get(pk=machine.pk).pk)


@pytest.mark.parametrize("state", [State.SUBMITTED, State.SENDING, State.RUNNING, State.READY])
def test_only_what_waits_can_be_moved(cast: Cast, now: datetime, state: State) -> None:
    job = make_job(cast, state=state, at=now)
    with pytest.raises(Conflict):
        by_staff(cast, job, now, place="first")


@pytest.mark.parametrize("part", ["owner", "instructor", "other_member", "elsewhere"])
def test_nobody_but_staff_moves_anything(cast: Cast, now: datetime, part: str) -> None:
    (job,) = queue(cast, now, 1)
    unseen = part in {"other_member", "elsewhere"}
    with pytest.raises(NotFound if unseen else NotAllowed):
        move(job.pk, actor=cast.person(part), at=now, place="first", reason="x")
