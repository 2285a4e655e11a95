"""A press and a start that leaves at the same moment: whoever is second sees what the first did. On both databases.

Each test holds one of the two open in the middle, until the other has ended or waits for it.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection

from equipment.machines.locks import lock_machine
from fablab.core.errors import DomainError
from jobs.lifecycle import apply as moves
from jobs.lifecycle.models import Attempt, Job, Order
from jobs.lifecycle.services import press, step_attempt
from jobs.lifecycle.states import Source, State
from jobs.lifecycle.table import Action
from jobs.supervision import records
from tests.builders_jobs import Cast, make_cast, make_job

NOW = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
PATIENCE_S = 30
HELD_S = 1.0  # long enough for the other to come to the same place, where it waits

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast(at=NOW)


@pytest.mark.parametrize("action", [Action.ASK_STOP, Action.RELEASE])
def test_nothing_counts_as_surely_not_started_while_its_start_leaves(
    cast: Cast, action: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The press has read "not started"; now supervision takes the start. One of the two must lose."""
    job = make_job(cast, state=State.LOADED, at=NOW)
    staff = cast.person("staff")
    _, order = press(job.pk, Action.START, actor=staff, at=NOW, plate_clear=True)
    assert order is not None
    has_read, start_ended = threading.Event(), threading.Event()
    effects = dict(moves._EFFECTS)
    effect = effects.get(action, moves._nothing)

    def held(step: moves._Step) -> None:
        has_read.set()
        start_ended.wait(HELD_S)
        effect(step)

    monkeypatch.setattr(moves, "_EFFECTS", {**effects, action: held})
    with ThreadPoolExecutor(2) as pool:

        def ask() -> str:
            try:
                try:
                    return press(job.pk, action, actor=staff, at=NOW)[0].state
                except DomainError as refusal:
                    return refusal.code
            finally:
                connection.close()

        def start() -> Order | None:
            try:
                has_read.wait(PATIENCE_S)
                return records.take(order.pk, lease_number=1, at=NOW)
            finally:
                start_ended.set()
                connection.close()

        asked, started = pool.submit(ask), pool.submit(start)
        asked.result(PATIENCE_S)
        taken = started.result(PATIENCE_S)
    job.refresh_from_db()
    if taken is None:
        assert Attempt.objects.get().start_sent_at is None
        assert job.state in {State.CANCELLED, State.QUEUED}
    else:
        assert job.state in {State.STOPPING, State.LOADED}
        assert Attempt.objects.get().ended_at is None


def test_a_report_and_a_press_never_wait_for_each_other(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report holds all it needs up to the machine; an order is written at the same time."""
    job = make_job(cast, state=State.RUNNING, at=NOW)
    attempt = Attempt.objects.get()
    staff = cast.person("staff")
    at_the_machine, order_asked = threading.Event(), threading.Event()

    def held(machine_id: str) -> object:
        at_the_machine.set()
        order_asked.wait(HELD_S)
        return lock_machine(machine_id)

    monkeypatch.setattr("jobs.lifecycle.attempts.lock_machine", held)
    with ThreadPoolExecutor(2) as pool:

        def report() -> bool:
            try:
                return step_attempt(attempt.pk, Action.FINISH, source=Source.MACHINE, at=NOW)
            finally:
                connection.close()

        def ask() -> str:
            try:
                at_the_machine.wait(PATIENCE_S)
                try:
                    press(job.pk, Action.PAUSE, actor=staff, at=NOW)
                except DomainError as refusal:
                    return refusal.code
                return "asked"
            finally:
                order_asked.set()
                connection.close()

        reported, asked = pool.submit(report), pool.submit(ask)
        assert reported.result(PATIENCE_S)
        assert asked.result(PATIENCE_S) in {"asked", "wrong_state"}
    assert Job.objects.get(pk=job.pk).state == State.FINISHED
