"""Noticing that a place was interrupted (``jobs.recovery.services``)."""

from datetime import datetime

import pytest

from fablab.core.models import Witness
from jobs.lifecycle.models import Job
from jobs.lifecycle.states import State
from jobs.management.waking import LossWatch, wake
from jobs.recovery.models import Interruption
from jobs.recovery.queries import may_start_by_itself, start_gap
from jobs.recovery.services import notice_absence, notice_losses, settle
from tests.builders import MONDAY, hours, minutes
from tests.builders_jobs import Cast, make_cast, make_job
from tests.jobs.recovery.power import comes_back_idle, falls_silent, goes_on, machine_at_work

pytestmark = pytest.mark.django_db

LONG_AGO = MONDAY - hours(500)


@pytest.fixture
def cast() -> Cast:
    return make_cast(at=MONDAY)


def woken(last_sign: datetime | None, *, started: datetime = LONG_AGO) -> list[Interruption]:
    return notice_absence(last_sign=last_sign, computer_started=started, at=MONDAY)


def test_an_absence_with_work_on_a_machine_opens_one_interruption_from_the_last_sign_of_life(
    cast: Cast,
) -> None:
    machine_at_work(cast, "Vase", MONDAY - hours(2))
    (opened,) = woken(MONDAY - hours(1))
    assert (opened.site, opened.began_at) == (cast.site, MONDAY - hours(1))
    assert woken(MONDAY - hours(1)) == []
    assert Interruption.objects.count() == 1


def test_a_short_restart_of_ours_interrupts_nothing(cast: Cast) -> None:
    machine_at_work(cast, "Vase", MONDAY - hours(2))
    assert woken(MONDAY - minutes(1)) == []


def test_a_computer_that_went_off_for_a_moment_was_interrupted(cast: Cast) -> None:
    machine_at_work(cast, "Vase", MONDAY - hours(2))
    assert len(woken(MONDAY - minutes(1), started=MONDAY - minutes(0.5))) == 1


def test_a_night_without_work_on_any_machine_is_no_interruption(cast: Cast) -> None:
    make_job(cast, state=State.QUEUED, at=MONDAY - hours(2))
    make_job(cast, state=State.LOADED, at=MONDAY - hours(2))
    assert woken(MONDAY - hours(12)) == []


def test_a_new_installation_remembers_nothing_and_was_not_interrupted(cast: Cast) -> None:
    machine_at_work(cast, "Vase", MONDAY - hours(2))
    assert woken(None) == []


def test_what_begins_the_process_reads_the_last_sign_of_life_before_it_leaves_its_own(cast: Cast) -> None:
    machine_at_work(cast, "Vase", MONDAY - hours(2))
    Witness.objects.create(at=MONDAY - hours(1))
    assert [one.name for one in wake(MONDAY)] == ["clock", "losses"]
    assert Interruption.objects.get().began_at == MONDAY - hours(1)
    assert Witness.objects.get().at == MONDAY


def test_machines_that_lose_their_work_together_while_the_server_lives_are_an_interruption(
    cast: Cast,
) -> None:
    jobs = [machine_at_work(cast, title, MONDAY - hours(1)) for title in ("Vase", "Boîte", "Dragon")]
    for job in jobs:
        falls_silent(job)
    assert notice_losses(MONDAY) == []
    comes_back_idle(jobs[0], MONDAY)
    assert notice_losses(MONDAY) == []
    comes_back_idle(jobs[1], MONDAY + minutes(1))
    (opened,) = notice_losses(MONDAY + minutes(1))
    assert (opened.site, opened.began_at) == (cast.site, MONDAY)
    comes_back_idle(jobs[2], MONDAY + minutes(2))
    assert notice_losses(MONDAY + minutes(2)) == []


def test_two_broken_prints_while_the_others_go_on_are_no_cut(cast: Cast) -> None:
    jobs = [machine_at_work(cast, title, MONDAY - hours(1)) for title in ("A", "B", "C", "D")]
    for job in jobs[:2]:
        comes_back_idle(job, MONDAY)
    for job in jobs[2:]:
        goes_on(job, MONDAY)
    assert notice_losses(MONDAY) == []


def test_losses_that_lie_apart_or_have_another_reason_are_no_cut(cast: Cast) -> None:
    jobs = [machine_at_work(cast, title, MONDAY - hours(1)) for title in ("A", "B", "C")]
    comes_back_idle(jobs[0], MONDAY - minutes(4))
    comes_back_idle(jobs[1], MONDAY)
    comes_back_idle(jobs[2], MONDAY, why="firmware")
    assert notice_losses(MONDAY) == []


def test_what_was_settled_is_not_asked_again(cast: Cast) -> None:
    jobs = [machine_at_work(cast, title, MONDAY - hours(1)) for title in ("A", "B")]
    for job in jobs:
        comes_back_idle(job, MONDAY)
    LossWatch()(MONDAY)
    choices = {job.pk: "stop" for job in jobs}
    assert settle(cast.site.pk, choices, actor=cast.person("staff"), at=MONDAY + minutes(1)).done
    assert set(Job.objects.values_list("state", flat=True)) == {State.FAILED}
    assert notice_losses(MONDAY + minutes(2)) == []
    assert Interruption.objects.count() == 1


def test_nothing_starts_by_itself_until_all_is_settled_and_then_with_a_gap_for_a_while(cast: Cast) -> None:
    assert may_start_by_itself(cast.site.pk, MONDAY)
    assert start_gap(cast.site, MONDAY) == 0
    machine_at_work(cast, "Vase", MONDAY - hours(2))
    woken(MONDAY - hours(1))
    assert not may_start_by_itself(cast.site.pk, MONDAY)
    assert may_start_by_itself(cast.elsewhere.pk, MONDAY)
    assert start_gap(cast.site, MONDAY) == 60
    (job,) = Job.objects.all()
    assert settle(cast.site.pk, {job.pk: "leave"}, actor=cast.person("staff"), at=MONDAY).done
    assert may_start_by_itself(cast.site.pk, MONDAY)
    assert start_gap(cast.site, MONDAY + minutes(29)) == 60
    assert start_gap(cast.site, MONDAY + minutes(31)) == 0
    cast.site.start_gap_s = 15
    assert start_gap(cast.site, MONDAY) == 15


def test_nothing_starts_by_itself_while_the_clock_is_doubted(cast: Cast) -> None:
    Witness.objects.create(at=MONDAY, doubted_since=MONDAY, why="stepped")
    assert not may_start_by_itself(cast.site.pk, MONDAY)
