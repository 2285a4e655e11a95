"""Settling everything that was interrupted, at once (``jobs.recovery.services.settle``)."""

import pytest

from equipment.machines.models import Machine
from equipment.machines.states import Driver, Plate
from fablab.core.errors import Conflict, Malformed, NotAllowed, NotFound
from jobs.lifecycle.models import Job
from jobs.lifecycle.states import State
from jobs.recovery.models import Interruption
from jobs.recovery.queries import interrupted_jobs, interruption_for
from jobs.recovery.services import notice_absence, settle
from jobs.recovery.states import Now, Outcome
from tests.builders import MONDAY, hours, minutes
from tests.builders_jobs import Cast, make_cast, make_job
from tests.jobs.recovery.power import comes_back_idle, falls_silent, goes_on, machine_at_work, machine_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast(at=MONDAY)


def cut(cast: Cast, *titles: str) -> list[Job]:
    """Have machines print these, lose the power, and be noticed."""
    jobs = [
        machine_at_work(cast, title, MONDAY - hours(2) + minutes(number))
        for number, title in enumerate(titles)
    ]
    notice_absence(last_sign=MONDAY - hours(1), computer_started=MONDAY - hours(500), at=MONDAY)
    return jobs


def rows(cast: Cast) -> dict[str, tuple[Now, Outcome | None]]:
    interruption = Interruption.objects.get(settled_at__isnull=True)
    return {one.job.title: (one.now, one.chosen) for one in interrupted_jobs(interruption, MONDAY)}


def test_each_object_is_shown_with_what_most_likely_became_of_it(cast: Cast) -> None:
    lost, unknown, alive, made, by_hand, _ = cut(
        cast, "Perdu", "Muet", "Continue", "Fini", "Brodé", "Pas encore entendu"
    )
    comes_back_idle(lost, MONDAY)
    falls_silent(unknown)
    goes_on(alive, MONDAY)
    Job.objects.filter(pk=made.pk).update(state=State.FINISHED)
    Machine.objects.filter(pk=machine_of(by_hand).pk).update(driver=Driver.HANDOVER)
    assert rows(cast) == {
        "Perdu": (Now.LOST, Outcome.AGAIN),
        "Muet": (Now.UNKNOWN, Outcome.AGAIN),
        "Continue": (Now.GOES_ON, None),
        "Fini": (Now.MADE, None),
        "Brodé": (Now.UNKNOWN, None),  # no machine will ever tell: somebody looks and says
        "Pas encore entendu": (Now.UNKNOWN, Outcome.LEAVE),
    }


def test_all_are_settled_in_one_go_and_keep_their_order(cast: Cast) -> None:
    jobs = cut(cast, "A", "B", "C")
    places = list(Job.objects.order_by("queued_at").values_list("title", flat=True))
    comes_back_idle(jobs[0], MONDAY)
    falls_silent(jobs[1])
    comes_back_idle(jobs[2], MONDAY)
    make_job(cast, state=State.QUEUED, at=MONDAY, title="D")
    settled = settle(
        cast.site.pk, {job.pk: "again" for job in jobs}, actor=cast.person("staff"), at=MONDAY + minutes(1)
    )
    assert settled.done
    queue = Job.objects.filter(state=State.QUEUED).order_by("queued_at")
    assert list(queue.values_list("title", flat=True)) == [*places, "D"]
    closed = Interruption.objects.get()
    assert (closed.settled_at, closed.settled_by) == (MONDAY + minutes(1), cast.person("staff"))
    assert {machine_of(job).plate for job in jobs} == {Plate.TO_CLEAR}


def test_another_outcome_is_one_word_for_each_object(cast: Cast) -> None:
    done, stop, leave = cut(cast, "Fini", "Arrêté", "Laissé")
    for job in (done, stop, leave):
        falls_silent(job)
    choices = {done.pk: "done", stop.pk: "stop", leave.pk: "leave"}
    assert settle(cast.site.pk, choices, actor=cast.person("instructor"), at=MONDAY).done
    states = {job.title: job.state for job in Job.objects.all()}
    assert states == {"Fini": State.FINISHED, "Arrêté": State.FAILED, "Laissé": State.RUNNING}


def test_an_object_that_is_refused_is_told_and_leaves_the_others(cast: Cast) -> None:
    first, voided = cut(cast, "Premier", "Sans accord")
    for job in (first, voided):
        falls_silent(job)
    voided.approvals.update(voided_at=MONDAY)
    settled = settle(
        cast.site.pk, {first.pk: "again", voided.pk: "again"}, actor=cast.person("staff"), at=MONDAY
    )
    assert not settled.done
    assert {job: error.code for job, error in settled.refused.items()} == {voided.pk: "approval_void"}
    states = {job.title: job.state for job in Job.objects.all()}
    assert states == {"Premier": State.QUEUED, "Sans accord": State.RUNNING}  # nothing half
    assert settle(cast.site.pk, {voided.pk: "stop"}, actor=cast.person("staff"), at=MONDAY).done


def test_an_object_that_nobody_said_anything_of_keeps_the_screen_open(cast: Cast) -> None:
    seen, newer = cut(cast, "Vu", "Arrivé après")
    falls_silent(seen)
    falls_silent(newer)
    settled = settle(cast.site.pk, {seen.pk: "again"}, actor=cast.person("staff"), at=MONDAY)
    assert (settled.done, settled.missing) == (False, (newer.pk,))


def test_a_machine_that_took_its_print_up_again_is_not_overruled(cast: Cast) -> None:
    (job,) = cut(cast, "Vase")
    goes_on(job, MONDAY)
    settled = settle(cast.site.pk, {job.pk: "again"}, actor=cast.person("staff"), at=MONDAY)
    assert settled.done  # it is heard printing: nothing was to be decided
    job.refresh_from_db()
    assert job.state == State.RUNNING


def test_what_a_machine_said_before_the_cut_settles_nothing(cast: Cast) -> None:
    (job,) = cut(cast, "Vase")
    settled = settle(cast.site.pk, {}, actor=cast.person("staff"), at=MONDAY)
    assert (settled.done, settled.missing) == (False, (job.pk,))
    assert settle(cast.site.pk, {job.pk: "stop"}, actor=cast.person("staff"), at=MONDAY).done
    job.refresh_from_db()
    assert job.state == State.FAILED


def test_an_outcome_that_an_object_cannot_have_changes_nothing(cast: Cast) -> None:
    first, second = cut(cast, "A", "B")
    comes_back_idle(first, MONDAY)
    comes_back_idle(second, MONDAY)
    with pytest.raises(Malformed):
        settle(cast.site.pk, {first.pk: "again", second.pk: "done"}, actor=cast.person("staff"), at=MONDAY)
    assert set(Job.objects.values_list("state", flat=True)) == {State.FAILED}


def test_only_those_on_duty_at_the_place_settle_and_only_once(cast: Cast) -> None:
    (job,) = cut(cast, "Vase")
    comes_back_idle(job, MONDAY)
    with pytest.raises(NotAllowed):
        settle(cast.site.pk, {job.pk: "again"}, actor=cast.person("owner"), at=MONDAY)
    with pytest.raises(NotFound):
        interruption_for(cast.person("elsewhere"), cast.site.pk)
    assert interruption_for(cast.person("manager"), cast.site.pk) is not None
    settle(cast.site.pk, {job.pk: "again"}, actor=cast.person("staff"), at=MONDAY)
    with pytest.raises(Conflict):
        settle(cast.site.pk, {job.pk: "again"}, actor=cast.person("staff"), at=MONDAY)


def test_what_was_laid_ready_meanwhile_makes_way_for_the_older_object_on_its_machine(cast: Cast) -> None:
    (job,) = cut(cast, "Vase")
    machine = machine_of(job)
    comes_back_idle(job, MONDAY)
    younger = make_job(cast, state=State.LOADED, at=MONDAY, on=machine, title="Plus jeune")
    other = make_job(cast, state=State.LOADED, at=MONDAY, title="Ailleurs")
    assert settle(cast.site.pk, {job.pk: "again"}, actor=cast.person("staff"), at=MONDAY + minutes(1)).done
    states = {one.pk: one.state for one in Job.objects.all()}
    assert states == {job.pk: State.QUEUED, younger.pk: State.QUEUED, other.pk: State.LOADED}
    younger.refresh_from_db()
    assert younger.attempts_made == 0  # nobody tried it


def test_what_was_started_meanwhile_stays_where_it_is(cast: Cast) -> None:
    (job,) = cut(cast, "Vase")
    comes_back_idle(job, MONDAY)
    younger = make_job(
        cast, state=State.RUNNING, at=MONDAY + minutes(10), on=machine_of(job), title="Plus jeune"
    )
    assert settle(cast.site.pk, {job.pk: "again"}, actor=cast.person("staff"), at=MONDAY + minutes(11)).done
    younger.refresh_from_db()
    assert younger.state == State.RUNNING
