"""What is kept for a day goes at the first look after it, whenever that is."""

from datetime import timedelta

import pytest

from fablab.core.models import IdempotentAnswer, Witness
from fablab.people.models import SignInAttempt
from jobs.management.tidying import Tidying
from tests.builders import MONDAY, hours, make_person

pytestmark = pytest.mark.django_db


def leave_traces() -> None:
    IdempotentAnswer.objects.create(person=make_person(), key="k", request_digest="", created_at=MONDAY)
    SignInAttempt.objects.create(username="lea", failures=3, tried_at=MONDAY)


def traces() -> tuple[int, int]:
    return IdempotentAnswer.objects.count(), SignInAttempt.objects.count()


def test_they_stay_for_a_day_and_are_gone_after_it() -> None:
    tidy = Tidying()
    leave_traces()
    tidy(MONDAY + hours(23))
    assert traces() == (1, 1)
    tidy(MONDAY + hours(25))
    assert traces() == (0, 0)


def test_a_night_without_the_process_only_delays_it() -> None:
    leave_traces()
    assert Tidying()(MONDAY + timedelta(days=3)) is False
    assert traces() == (0, 0)


def test_it_looks_once_an_hour_and_not_at_each_step() -> None:
    tidy = Tidying()
    tidy(MONDAY + hours(30))
    leave_traces()
    tidy(MONDAY + hours(30.5))
    assert traces() == (1, 1)
    tidy(MONDAY + hours(31))
    assert traces() == (0, 0)


def test_a_clock_that_was_put_back_does_not_stop_it() -> None:
    tidy = Tidying()
    tidy(MONDAY + timedelta(days=365))
    leave_traces()
    tidy(MONDAY + hours(25))
    assert traces() == (0, 0)


def test_nothing_goes_while_the_clock_is_doubted_and_all_of_it_when_it_is_believed_again() -> None:
    leave_traces()
    witness = Witness.objects.create(at=MONDAY, doubted_since=MONDAY, why="stepped")
    tidy = Tidying()
    tidy(MONDAY + hours(25))
    assert traces() == (1, 1)
    Witness.objects.filter(pk=witness.pk).update(doubted_since=None)
    tidy(MONDAY + hours(25))
    assert traces() == (0, 0)
