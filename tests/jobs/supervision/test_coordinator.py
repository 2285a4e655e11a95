"""When a machine is asked again, and what is worth a line in the log."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from jobs.supervision.coordinator import Backoff, Contact, Coordinator


def a_coordinator(now: float = 0.0, *, push: bool = True) -> Coordinator:
    coordinator = Coordinator(Random(7), now)
    coordinator.push_is_up = push
    return coordinator


def test_the_first_look_comes_at_once() -> None:
    assert a_coordinator(100.0).wait_s(100.0) == 0.0


@given(st.integers())
def test_a_machine_whose_push_speaks_is_asked_every_ten_to_fifteen_seconds(seed: int) -> None:
    coordinator = Coordinator(Random(seed), 0.0)
    coordinator.push_is_up = True
    coordinator.heard(0.0)
    assert 10.0 <= coordinator.wait_s(0.0) <= 15.0


@given(st.integers())
def test_without_push_it_is_asked_more_often(seed: int) -> None:
    coordinator = Coordinator(Random(seed), 0.0)
    coordinator.heard(0.0)
    assert 3.0 <= coordinator.wait_s(0.0) <= 5.0


def test_while_a_change_is_expected_it_is_asked_every_half_second_and_not_longer() -> None:
    coordinator = a_coordinator()
    coordinator.heard(0.0)
    coordinator.expect_change(0.0, seconds=2.0)
    assert coordinator.wait_s(0.0) == 0.5
    coordinator.heard(1.0)
    assert coordinator.wait_s(1.0) == 0.5
    coordinator.heard(2.5)
    assert coordinator.wait_s(2.5) >= 10.0


@given(st.integers(), st.integers(1, 40))
def test_a_machine_that_does_not_answer_is_asked_ever_less_often_but_within_the_cap(
    seed: int, misses: int
) -> None:
    backoff = Backoff(Random(seed))
    pauses = [backoff.failed() for _ in range(misses)]
    for number, pause in enumerate(pauses):
        full = min(15.0, 2.0**number)
        assert full / 2 <= pause <= full
    backoff.worked()
    assert backoff.failed() <= 1.0


def test_two_machines_lost_together_are_not_asked_together() -> None:
    pauses = {Backoff(Random(seed)).failed() for seed in range(20)}
    assert len(pauses) == 20


def test_a_loss_is_told_once_and_the_return_once_with_its_duration() -> None:
    coordinator = a_coordinator()
    assert coordinator.heard(0.0) is None
    assert coordinator.missed(10.0, "timed_out") == Contact("timed_out")
    assert [coordinator.missed(at, "timed_out") for at in (11.0, 13.0, 17.0)] == [None, None, None]
    assert not coordinator.in_contact
    assert coordinator.heard(40.0) == Contact("timed_out", 30.0)
    assert coordinator.heard(50.0) is None


def test_case_29_another_reason_of_the_same_loss_is_told_too() -> None:
    coordinator = a_coordinator()
    coordinator.missed(0.0, "connection_refused")
    assert coordinator.missed(5.0, "bad_key") == Contact("bad_key")
    assert coordinator.missed(9.0, "bad_key") is None
