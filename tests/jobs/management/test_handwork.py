"""Machines that no line watches are looked after all the same: estimates go out, forgotten objects come back."""

from datetime import UTC, datetime, timedelta

import pytest

from equipment.machines.models import Machine
from equipment.machines.states import Driver, Plate
from jobs.lifecycle.estimates import tell
from jobs.lifecycle.models import Job
from jobs.lifecycle.states import State
from jobs.management.handwork import EVERY, Handwork
from tests.builders_jobs import Cast, make_cast, make_job

NOW = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    cast = make_cast(at=NOW)
    Machine.objects.filter(pk=cast.machine.pk).update(driver=Driver.HANDOVER, address="", plate=Plate.CLEAR)
    cast.machine.refresh_from_db()
    return cast


def state_of(job: Job) -> str:
    return str(Job.objects.values_list("state", flat=True).get(pk=job.pk))


def test_an_object_that_was_taken_and_not_started_for_half_an_hour_goes_back_to_its_place(cast: Cast) -> None:
    job = make_job(cast, state=State.LOADED, at=NOW, on=cast.machine)  # loaded three minutes before
    step = Handwork()
    step(NOW + timedelta(minutes=26))
    assert state_of(job) == State.LOADED
    step(NOW + timedelta(minutes=26, seconds=5))
    assert state_of(job) == State.LOADED, "looked at every 15 seconds"
    step(NOW + timedelta(minutes=28))
    job.refresh_from_db()
    assert (job.state, job.attempts_made) == (State.QUEUED, 0), "no try was made"


def test_what_runs_is_never_given_back(cast: Cast) -> None:
    job = make_job(cast, state=State.RUNNING, at=NOW, on=cast.machine)
    Handwork()(NOW + timedelta(days=2))
    assert state_of(job) == State.RUNNING


def test_estimates_go_to_who_watches_the_machine_the_board_or_the_object(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(
        cast, state=State.RUNNING, at=NOW, on=cast.machine
    )  # thirty minutes, begun two minutes before
    told: dict[str, object] = {}
    monkeypatch.setattr(
        "fablab.live.push.publish", lambda topic, state, **options: told.update({topic: (state, options)})
    )
    assert tell(NOW + timedelta(minutes=4)) == 1
    progress = {"percent": 20.0, "minutes_left": 24, "estimated": True, "at": "2026-03-04T14:04:00.000Z"}
    figures = {"patch": True, "figures": True}
    assert told == {
        f"machine:{cast.machine.pk}": ({"progress": progress}, figures),
        f"board:{cast.site.pk}": ({"machines": {cast.machine.pk: {"progress": progress}}}, figures),
        f"job:{job.pk}": ({"progress": progress}, figures),
    }


def test_a_clock_that_was_put_back_does_not_stop_the_looks(cast: Cast) -> None:
    job = make_job(cast, state=State.LOADED, at=NOW, on=cast.machine)
    step = Handwork()
    step(NOW + timedelta(days=1) - timedelta(hours=23, minutes=50))
    assert state_of(job) == State.LOADED
    step(NOW)
    assert step._next == NOW + EVERY
