"""When a lab counts as interrupted, and what most likely became of its objects (``jobs.recovery.rules``)."""

import pytest

from jobs.lifecycle.states import State
from jobs.recovery.rules import choices_for, lost_together, most_likely, now_of, was_interrupted
from jobs.recovery.states import Now, Outcome
from tests.builders import minutes


@pytest.mark.parametrize(
    ("silent", "restarted", "interrupted"),
    [(1, False, False), (3, False, True), (0.5, True, True), (-60, False, True)],
    ids=["our-own-restart", "a-long-absence", "the-computer-went-off", "the-clock-went-back"],
)
def test_an_absence_longer_than_a_restart_interrupts(
    silent: float, restarted: bool, interrupted: bool
) -> None:
    assert was_interrupted(silent_for=minutes(silent), computer_restarted=restarted) is interrupted


@pytest.mark.parametrize(
    ("lost", "silent", "alive", "together"),
    [(1, 0, 0, False), (2, 0, 0, True), (2, 0, 2, False), (2, 1, 2, True), (1, 5, 0, False), (6, 0, 1, True)],
)
def test_two_machines_that_lost_their_work_while_few_went_on_are_a_cut(
    lost: int, silent: int, alive: int, together: bool
) -> None:
    assert lost_together(lost=lost, silent=silent, alive=alive) is together


@pytest.mark.parametrize(
    ("state", "vouched", "now"),
    [
        (State.FAILED, False, Now.LOST),
        (State.FINISHED, False, Now.MADE),
        (State.READY, False, Now.MADE),
        (State.RUNNING, True, Now.GOES_ON),
        (State.RUNNING, False, Now.UNKNOWN),
        (State.PAUSED, False, Now.UNKNOWN),
        (State.QUEUED, False, None),
        (State.CANCELLED, False, None),
        (State.COLLECTED, False, None),
    ],
)
def test_what_is_known_of_an_object_follows_from_its_state_and_the_machines_word(
    state: State, vouched: bool, now: Now | None
) -> None:
    assert now_of(state, started=True, vouched=vouched, last_try=True) is now
    assert now_of(state, started=True, vouched=vouched, last_try=False) is None


def test_what_was_lost_is_tried_again_unless_three_tries_failed() -> None:
    assert most_likely(Now.LOST, tries_left=True, told=True) is Outcome.AGAIN
    assert most_likely(Now.LOST, tries_left=False, told=True) is Outcome.STOP
    assert choices_for(Now.LOST, tries_left=False) == (Outcome.STOP,)


def test_of_a_machine_that_was_not_heard_since_nothing_is_presumed() -> None:
    assert most_likely(Now.UNKNOWN, tries_left=True, told=False) is Outcome.LEAVE


def test_a_machine_without_a_link_will_never_tell_so_a_person_has_to_say() -> None:
    assert most_likely(Now.UNKNOWN, tries_left=True, told=False, linked=False) is None


def test_what_goes_on_or_was_made_needs_no_choice() -> None:
    for now in (Now.GOES_ON, Now.MADE):
        assert choices_for(now, tries_left=True) == ()
        assert most_likely(now, tries_left=True, told=True) is None


def test_what_nobody_saw_start_cannot_be_said_to_have_ended() -> None:
    assert Outcome.DONE not in choices_for(Now.UNKNOWN, tries_left=True, started=False)
