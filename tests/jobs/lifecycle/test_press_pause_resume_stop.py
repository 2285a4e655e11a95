"""Pause, resume and stop of a linked machine are asked for; the job changes when the machine reports."""

from datetime import datetime

import pytest

from equipment.machines.models import Machine
from equipment.machines.states import Plate, Report
from equipment.sites.models import Presence
from fablab.core.errors import NotAllowed, Refused
from jobs.lifecycle.models import Attempt, Order
from jobs.lifecycle.services import press
from jobs.lifecycle.states import State, Verb
from jobs.lifecycle.table import Action
from tests.builders_jobs import Cast, make_job


@pytest.mark.parametrize("part", ["owner", "instructor", "staff", "manager"])
def test_a_pause_is_asked_by_owner_and_helpers(cast: Cast, now: datetime, part: str) -> None:
    job = make_job(cast, state=State.RUNNING, at=now)
    seen, order = press(job.pk, Action.PAUSE, actor=cast.person(part), at=now)
    assert seen.state == State.RUNNING
    assert order is not None
    assert order.verb == Verb.PAUSE


def test_the_owner_may_not_resume(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.PAUSED, at=now)
    with pytest.raises(NotAllowed):
        press(job.pk, Action.RESUME, actor=cast.person("owner"), at=now)


def test_resuming_takes_somebody_on_site(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.PAUSED, at=now)
    Presence.objects.all().delete()
    with pytest.raises(Refused) as refused:
        press(job.pk, Action.RESUME, actor=cast.person("staff"), at=now)
    assert refused.value.codes == ["not_on_site"]


@pytest.mark.parametrize("state", [State.RUNNING, State.PAUSED])
def test_a_stop_is_asked_and_the_job_is_stopping(cast: Cast, now: datetime, state: State) -> None:
    job = make_job(cast, state=state, at=now)
    seen, order = press(job.pk, Action.ASK_STOP, actor=cast.person("owner"), at=now)
    assert seen.state == State.STOPPING
    assert order is not None
    assert order.verb == Verb.STOP
    assert seen.reason == "by_owner"


def test_a_stop_is_asked_although_the_machine_is_not_heard(cast: Cast, now: datetime) -> None:
    """Safety first: whoever sees smoke presses stop, heard or not; supervision sends it when it can."""
    job = make_job(cast, state=State.RUNNING, at=now)
    Machine.objects.update(report=Report.SILENT)
    seen, order = press(job.pk, Action.ASK_STOP, actor=cast.person("staff"), at=now)
    assert (seen.state, order is not None) == (State.STOPPING, True)


@pytest.mark.parametrize("state", [State.SENDING, State.LOADED])
def test_what_never_started_is_cancelled_at_once_and_the_plate_stays(
    cast: Cast, now: datetime, state: State
) -> None:
    job = make_job(cast, state=state, at=now)
    Machine.objects.update(plate=Plate.CLEAR, plate_token="t")
    seen, order = press(job.pk, Action.ASK_STOP, actor=cast.person("staff"), at=now)
    assert (seen.state, order, seen.reason) == (State.CANCELLED, None, "by_lab")
    assert Machine.objects.get().plate == Plate.CLEAR
    assert Attempt.objects.get().ended_at == now


def test_a_start_that_was_sent_is_not_called_never_started(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.LOADED, at=now)
    Attempt.objects.update(start_sent_at=now)
    seen, order = press(job.pk, Action.ASK_STOP, actor=cast.person("staff"), at=now)
    assert seen.state == State.STOPPING
    assert order is not None


def test_two_stops_make_one_order(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.RUNNING, at=now)
    press(job.pk, Action.ASK_STOP, actor=cast.person("owner"), at=now)
    assert Order.objects.filter(verb=Verb.STOP).count() == 1
