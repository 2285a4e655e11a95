"""Background work: steps repeat while there is something to do, survive errors, and end when asked."""

import threading
from collections.abc import Iterator
from datetime import datetime
from itertools import count

import pytest

from fablab.core.waking import ring
from jobs.management.stepping import Stepping
from tests.fixtures.services import wait_until

numbers = count()


@pytest.fixture
def name() -> str:
    """A bell of this test's own."""
    return f"test-{next(numbers)}"


@pytest.fixture
def started() -> Iterator[list[Stepping]]:
    running: list[Stepping] = []
    yield running
    for stepping in running:
        stepping.end()
        stepping.join(10)
        assert not stepping.is_alive()


def test_a_step_repeats_at_once_while_it_finds_work(name: str, started: list[Stepping]) -> None:
    times: list[datetime] = []

    def step(at: datetime) -> bool:
        times.append(at)
        return len(times) < 50

    stepping = Stepping(name, step)
    started.append(stepping)
    stepping.start()
    wait_until(lambda: len(times) >= 50, 5, "fifty steps")
    assert (times[49] - times[0]).total_seconds() < 0.9  # a look each second would have taken 49 s


def test_the_bell_wakes_a_waiting_step_before_its_next_look(name: str, started: list[Stepping]) -> None:
    looked = threading.Semaphore(0)

    def step(at: datetime) -> bool:
        looked.release()
        return False

    stepping = Stepping(name, step)
    started.append(stepping)
    stepping.start()
    assert looked.acquire(timeout=5)
    for _ in range(20):
        ring(name)
        assert looked.acquire(timeout=0.9)


def test_a_step_that_fails_is_logged_and_tried_again(
    name: str, started: list[Stepping], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.management.stepping.LOOK_SECONDS", 0.01)
    tries: list[int] = []

    def step(at: datetime) -> bool:
        tries.append(1)
        if len(tries) < 3:
            raise RuntimeError("the disk is full")
        return False

    stepping = Stepping(name, step)
    started.append(stepping)
    stepping.start()
    wait_until(lambda: len(tries) >= 4, 5, "the step goes on after two failures")
    assert [record.message for record in caplog.records if "failed" in record.message] == [
        f"{name} failed, next try in 0.01 s",
        f"{name} failed, next try in 0.02 s",
    ]


def test_a_waiting_worker_ends_at_once(name: str) -> None:
    stepping = Stepping(name, lambda at: False)
    stepping.start()
    stepping.end()
    stepping.join(0.5)
    assert not stepping.is_alive()
