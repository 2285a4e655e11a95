"""Who may ask for a camera still, when, and how often (SEC-17)."""

from datetime import timedelta

import pytest

from equipment.machines.models import Machine
from fablab.core.errors import NotFound, Refused
from jobs.lifecycle import stills
from jobs.lifecycle.models import Attempt, Still
from jobs.lifecycle.states import State
from tests.builders import MONDAY
from tests.builders_jobs import Cast, make_cast, make_job

pytestmark = pytest.mark.django_db
SOON = MONDAY + timedelta(seconds=9)


@pytest.fixture
def cast() -> Cast:
    cast = make_cast(at=MONDAY)
    cast.site.cameras_allowed = True
    cast.site.save()
    Machine.objects.filter(pk=cast.machine.pk).update(camera_address="http://10.0.0.9/still.jpg")
    return cast


def attempt_of(cast: Cast, state: State = State.RUNNING) -> str:
    make_job(cast, state=state, at=MONDAY)
    return Attempt.objects.get(machine=cast.machine).pk


def ask(cast: Cast, attempt: str, part: str = "owner", at: object = MONDAY) -> Still:
    return stills.ask(attempt, actor=cast.person(part), at=at)  # type: ignore[arg-type]  # a time


@pytest.mark.parametrize("part", ["owner", "instructor", "staff", "manager"])
def test_the_owner_and_the_team_may_ask(cast: Cast, part: str) -> None:
    assert ask(cast, attempt_of(cast), part).asked_by == cast.person(part)


@pytest.mark.parametrize("part", ["other_member", "elsewhere"])
def test_for_everybody_else_there_is_nothing(cast: Cast, part: str) -> None:
    with pytest.raises(NotFound):
        ask(cast, attempt_of(cast), part)


@pytest.mark.parametrize("state", [State.LOADED, State.FINISHED, State.FAILED, State.CANCELLED])
def test_there_is_a_picture_only_while_it_is_made(cast: Cast, state: State) -> None:
    attempt = attempt_of(cast, State.FINISHED if state is State.CANCELLED else state)

    with pytest.raises(NotFound):
        ask(cast, attempt)


def test_a_site_that_switches_cameras_off_has_none(cast: Cast) -> None:
    attempt = attempt_of(cast)
    cast.site.cameras_allowed = False
    cast.site.save()

    with pytest.raises(NotFound):
        ask(cast, attempt, "manager")


def test_a_machine_without_a_camera_has_none(cast: Cast) -> None:
    attempt = attempt_of(cast)
    Machine.objects.filter(pk=cast.machine.pk).update(camera_address="")

    with pytest.raises(NotFound):
        ask(cast, attempt)


def test_two_people_who_press_at_once_wait_for_the_same_picture(cast: Cast) -> None:
    attempt = attempt_of(cast)

    assert ask(cast, attempt) == ask(cast, attempt, "staff")
    assert Still.objects.count() == 1


def test_ten_seconds_lie_between_two_pictures(cast: Cast) -> None:
    attempt = attempt_of(cast)
    first = ask(cast, attempt)
    stills.settle(first.pk, file="stills/one.jpg", at=MONDAY)

    with pytest.raises(Refused) as refusal:
        ask(cast, attempt, "staff", SOON)

    assert refusal.value.problems[0].code == "still_too_soon"
    assert ask(cast, attempt, at=MONDAY + timedelta(seconds=10)) != first


def test_one_that_nobody_answered_does_not_stand_in_the_way(cast: Cast) -> None:
    attempt = attempt_of(cast)
    first = ask(cast, attempt)

    second = ask(cast, attempt, at=MONDAY + timedelta(seconds=31))

    first.refresh_from_db()
    assert first.error == "no_answer"
    assert second != first


def test_what_was_settled_stays_as_it_is(cast: Cast) -> None:
    still = ask(cast, attempt_of(cast))

    assert stills.settle(still.pk, error="timed_out", at=MONDAY)
    assert not stills.settle(still.pk, file="stills/one.jpg", at=MONDAY)


def test_pictures_of_an_attempt_that_ended_go_with_it(cast: Cast) -> None:
    attempt = attempt_of(cast)
    ask(cast, attempt)
    Attempt.objects.filter(pk=attempt).update(ended_at=SOON)

    assert stills.purge(SOON) == 1
