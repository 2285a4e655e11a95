"""What is kept for a day goes at the first look after it, whenever that is."""

import os
import time
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from fablab.core.models import IdempotentAnswer, Witness
from fablab.people.models import SignInAttempt
from jobs.management.tidying import Tidying
from jobs.uploads.services import receive
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


def test_what_killed_processes_left_of_peoples_files_goes_hourly_and_not_at_the_next_start_alone(
    settings: Settings, tmp_path: Path
) -> None:
    settings.VAR_DIR, settings.MEDIA_ROOT = tmp_path, tmp_path / "files"
    left = [tmp_path / "spool" / "half.upload.stl", tmp_path / "files" / "uploads" / "23" / "23456789abcdef"]
    left[0].parent.mkdir()
    left[0].write_bytes(b"solid")
    left[1].mkdir(parents=True)
    (left[1] / "file").write_bytes(b"solid")
    other = receive(BytesIO(b"solid"), name="cube.stl", owner=make_person(), at=MONDAY)
    tidy = Tidying()
    tidy(MONDAY)
    assert [path.exists() for path in left] == [True, True]
    for path in [*left, other.folder]:
        os.utime(path, (time.time() - 90_000, time.time() - 90_000))
    tidy(MONDAY + hours(1))
    assert [path.exists() for path in left] == [False, False]
    assert other.path.exists()
