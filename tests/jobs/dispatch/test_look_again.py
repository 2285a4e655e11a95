"""Dispatch looks each second: what does not change costs next to nothing, and nothing is seen late for it."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from equipment.machines.models import Machine
from jobs.dispatch import services as dispatch
from jobs.lifecycle.models import Job
from jobs.lifecycle.states import State
from tests.builders import MONDAY
from tests.builders_jobs import Cast, make_cast, make_job

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
A_PLAN = 6  # queries; a look that plans needs more


@pytest.fixture
def cast() -> Cast:
    return make_cast(at=MONDAY)


def waiting(cast: Cast) -> Job:
    return make_job(cast, state=State.QUEUED, at=MONDAY)


class Looking:
    """A process that looks again and again."""

    def __init__(self, cast: Cast) -> None:
        self.memory = dispatch.Memory()
        self.leases = {cast.machine.pk: cast.machine.lease_number}
        self.look(MONDAY - SECOND)

    def look(self, at: datetime) -> tuple[int, list[dispatch.Claimed]]:
        with CaptureQueriesContext(connection) as queries:
            claimed = dispatch.look(self.leases, at=at, memory=self.memory)
        return len(queries), claimed


def test_where_nobody_waits_a_look_is_two_queries(cast: Cast) -> None:
    assert Looking(cast).look(MONDAY)[0] == 2


def test_where_jobs_wait_and_nothing_changes_nothing_is_planned_for_five_seconds(cast: Cast) -> None:
    Machine.objects.update(out_of_order_since=MONDAY)
    waiting(cast)
    looking = Looking(cast)
    assert all(looking.look(MONDAY + second * SECOND)[0] <= A_PLAN for second in (0, 1, 3))
    assert looking.look(MONDAY + 4 * SECOND)[0] > A_PLAN


def test_a_new_job_and_a_changed_machine_are_seen_at_the_next_look(cast: Cast) -> None:
    Machine.objects.update(out_of_order_since=MONDAY)
    waiting(cast)
    looking = Looking(cast)
    looking.look(MONDAY)
    second = waiting(cast)
    looking.look(MONDAY + SECOND)
    assert Job.objects.get(pk=second.pk).waiting_for
    Machine.objects.filter(pk=cast.machine.pk).update(out_of_order_since=None, version=99)
    assert len(looking.look(MONDAY + 2 * SECOND)[1]) == 1


def test_the_moment_at_which_a_job_may_begin_is_not_missed(cast: Cast) -> None:
    job = waiting(cast)
    job.approvals.update(at=MONDAY - 7 * SECOND)
    looking = Looking(cast)
    assert looking.look(MONDAY)[1] == []
    assert looking.look(MONDAY + 2 * SECOND)[1] == []
    assert len(looking.look(MONDAY + 3 * SECOND)[1]) == 1


def test_a_clock_that_was_put_back_does_not_stop_the_looking(cast: Cast) -> None:
    Machine.objects.update(out_of_order_since=MONDAY)
    waiting(cast)
    looking = Looking(cast)
    looking.look(MONDAY)
    assert looking.look(MONDAY - timedelta(hours=1))[0] > A_PLAN
