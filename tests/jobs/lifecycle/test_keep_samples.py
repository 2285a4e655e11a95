"""The points of a plot: written for all machines together, thinned, shown to who may see the object."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fablab.core.errors import NotFound
from jobs.lifecycle import samples
from jobs.lifecycle.models import Attempt, AttemptSample
from jobs.lifecycle.states import State
from jobs.lifecycle.thinning import MOST, Sample
from tests.builders import MONDAY
from tests.builders_jobs import Cast, make_cast, make_job, make_linked_machine

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast(at=MONDAY)


def attempt_of(cast: Cast, state: State = State.RUNNING) -> Attempt:
    machine = make_linked_machine(cast.site, cast.model, at=MONDAY)
    job = make_job(cast, state=state, at=MONDAY, on=machine)
    return Attempt.objects.get(parts__job=job)


def moments(count: int) -> list[Sample]:
    return [
        Sample(MONDAY + timedelta(seconds=10 * n), n / 50, 60, {"tool0": (200.0 + n % 9, 210.0)})
        for n in range(count)
    ]


def write(attempt: Attempt, count: int) -> None:
    samples.keep([(attempt.pk, moment) for moment in moments(count)])


def test_what_was_kept_is_read_again_in_the_order_of_time(cast: Cast) -> None:
    attempt = attempt_of(cast)

    samples.keep([(attempt.pk, moment) for moment in reversed(moments(5))])

    assert samples.samples_of(attempt.pk) == moments(5)


def test_fifty_machines_are_one_transaction(cast: Cast) -> None:
    attempts = [attempt_of(cast) for _ in range(50)]
    batch = [(attempt.pk, moment) for attempt in attempts for moment in moments(3)]

    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert samples.keep(batch) == 150

    writes = [query["sql"] for query in queries if query["sql"].startswith("INSERT")]
    assert len(writes) <= 3


def test_an_attempt_that_is_gone_does_not_cost_the_others_their_points(cast: Cast) -> None:
    attempt = attempt_of(cast)

    assert samples.keep([("gone", moments(1)[0]), (attempt.pk, moments(1)[0])]) == 1


def test_an_attempt_that_ended_is_thinned(cast: Cast) -> None:
    ended = attempt_of(cast, State.FINISHED)
    write(ended, MOST + 300)

    assert samples.thin_all(MONDAY + timedelta(hours=1)) > 0

    assert AttemptSample.objects.filter(attempt=ended).count() <= MOST
    assert samples.thin_all(MONDAY + timedelta(hours=2)) == 0


def test_a_running_one_is_thinned_when_it_gets_very_long(cast: Cast) -> None:
    short, long = attempt_of(cast), attempt_of(cast)
    write(short, MOST + 300)
    write(long, 2 * MOST + 1)

    samples.thin_all(MONDAY + timedelta(hours=1))

    assert AttemptSample.objects.filter(attempt=short).count() == MOST + 300
    assert AttemptSample.objects.filter(attempt=long).count() <= MOST


def test_a_plot_reads_no_more_points_than_it_can_show(cast: Cast) -> None:
    attempt = attempt_of(cast)
    write(attempt, 2 * MOST)

    assert len(samples.samples_of(attempt.pk)) <= MOST


@pytest.mark.parametrize(
    ("part", "sees"),
    [("owner", True), ("instructor", True), ("staff", True), ("other_member", False), ("elsewhere", False)],
)
def test_an_attempt_is_seen_by_who_sees_its_object(cast: Cast, part: str, sees: bool) -> None:
    attempt = attempt_of(cast)

    if sees:
        assert samples.attempt_for(cast.person(part), attempt.pk).attempt == attempt
    else:
        with pytest.raises(NotFound):
            samples.attempt_for(cast.person(part), attempt.pk)


def test_on_a_common_plate_nobody_reads_of_somebody_elses_object(cast: Cast) -> None:
    attempt = attempt_of(cast)
    beside = make_job(cast, state=State.QUEUED, at=MONDAY, owner="other_member")
    attempt.parts.create(job=beside, number=1)

    own = samples.attempt_for(cast.person("other_member"), attempt.pk)

    assert [part.job_id for part in own.parts] == [beside.pk]
    assert len(samples.attempt_for(cast.person("staff"), attempt.pk).parts) == 2
