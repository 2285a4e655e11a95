"""A machine paused because it needs somebody: who comes next on it is told once (case 27)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from equipment.machines.models import Machine
from equipment.machines.states import Plate
from fablab.core.words import say
from fablab.notices.models import Notice
from fablab.notices.services import mark_seen
from jobs.dispatch import services as dispatch
from jobs.lifecycle.models import Attempt, Job, Order
from jobs.lifecycle.services import step_attempt
from jobs.lifecycle.states import OrderState, Source, State, Verb
from jobs.lifecycle.table import Action
from jobs.planning.pauses import tell_of_pauses
from jobs.planning.queries import Outlook
from tests.builders import MONDAY, hours, make_booking, minutes
from tests.builders_jobs import Cast, make_cast, make_job, make_linked_machine

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast(at=MONDAY)


def pauses(cast: Cast) -> Job:
    """The owner's object is being made, and its machine pauses."""
    job = make_job(cast, state=State.RUNNING, at=MONDAY)
    step_attempt(Attempt.objects.get(jobs=job).pk, Action.PAUSE, source=Source.MACHINE, at=MONDAY)
    return job


def told() -> list[tuple[str, str]]:
    return sorted((notice.person.username, notice.link) for notice in Notice.objects.select_related("person"))


def test_who_booked_next_and_whose_object_comes_next_are_told_once_each(cast: Cast) -> None:
    pauses(cast)
    booking = make_booking(cast.machine, cast.person("other_member"), start=MONDAY + hours(1))
    first = make_job(cast, state=State.QUEUED, at=MONDAY - hours(1), owner="instructor")
    make_job(cast, state=State.QUEUED, at=MONDAY, owner="manager")
    assert tell_of_pauses(MONDAY) == 2
    assert tell_of_pauses(MONDAY + minutes(1)) == 0
    assert told() == sorted(
        [
            (cast.person("other_member").username, f"/reservations/{booking.pk}/"),
            (cast.person("instructor").username, f"/objets/{first.pk}/"),
        ]
    )
    notice = Notice.objects.all()[0]
    assert (
        say(notice.code, notice.params)
        == f"{cast.machine.name} est en pause. Ton tour viendra peut-être plus tard."
    )


def test_it_is_taken_back_when_the_machine_goes_on_and_who_read_it_is_not_told_again(cast: Cast) -> None:
    job = pauses(cast)
    attempt = Attempt.objects.get(jobs=job).pk
    make_booking(cast.machine, cast.person("other_member"), start=MONDAY + hours(1))
    tell_of_pauses(MONDAY)
    step_attempt(attempt, Action.RESUME, source=Source.MACHINE, at=MONDAY + minutes(1))
    tell_of_pauses(MONDAY + minutes(1))
    assert told() == []
    step_attempt(attempt, Action.PAUSE, source=Source.MACHINE, at=MONDAY + minutes(2))
    assert tell_of_pauses(MONDAY + minutes(2)) == 1
    mark_seen(cast.person("other_member"), Notice.objects.get().pk, at=MONDAY + minutes(3))
    assert tell_of_pauses(MONDAY + minutes(4)) == 0


def test_a_pause_that_a_person_asked_for_tells_nobody(cast: Cast) -> None:
    job = pauses(cast)
    Order.objects.create(
        attempt=Attempt.objects.get(jobs=job),
        verb=Verb.PAUSE,
        state=OrderState.DONE,
        lease_number=1,
        created_at=MONDAY,
        expires_at=MONDAY + minutes(1),
    )
    make_booking(cast.machine, cast.person("other_member"), start=MONDAY + hours(1))
    assert tell_of_pauses(MONDAY) == 0


def test_a_booking_much_later_one_that_is_over_and_ones_own_are_not_concerned(cast: Cast) -> None:
    pauses(cast)
    make_booking(cast.machine, cast.person("other_member"), start=MONDAY + hours(4))
    make_booking(cast.machine, cast.person("other_member"), start=MONDAY - hours(2))
    make_booking(cast.machine, cast.person("owner"), start=MONDAY + hours(1))
    make_job(cast, state=State.QUEUED, at=MONDAY)
    assert tell_of_pauses(MONDAY) == 0


def test_an_object_that_goes_to_another_machine_is_not_troubled(cast: Cast) -> None:
    pauses(cast)
    make_linked_machine(cast.site, cast.model, at=MONDAY, plate=Plate.CLEAR)
    make_job(cast, state=State.QUEUED, at=MONDAY, owner="other_member")
    assert tell_of_pauses(MONDAY) == 0


def test_the_watch_over_the_machines_tells_it(cast: Cast) -> None:
    pauses(cast)
    make_booking(cast.machine, cast.person("other_member"), start=MONDAY + hours(1))
    dispatch.look({}, at=MONDAY, memory=dispatch.Memory())
    assert [name for name, _link in told()] == [cast.person("other_member").username]
    Machine.objects.all().update(retired_at=MONDAY)
    dispatch.look({}, at=MONDAY + timedelta(minutes=5), memory=dispatch.Memory())
    assert told() == []


def queries_of(cast: Cast, machines: int) -> int:
    for _ in range(machines):
        machine = make_linked_machine(cast.site, cast.model, at=MONDAY)
        job = make_job(cast, state=State.RUNNING, at=MONDAY, on=machine)
        step_attempt(Attempt.objects.get(jobs=job).pk, Action.PAUSE, source=Source.MACHINE, at=MONDAY)
    tell_of_pauses(MONDAY + minutes(1))  # from now on everybody knows
    with CaptureQueriesContext(connection) as queries:
        assert tell_of_pauses(MONDAY + minutes(1)) == 0
    return len(queries)


def test_asking_again_costs_no_more_queries_for_more_machines_that_wait(cast: Cast) -> None:
    for number in range(5):
        make_job(cast, state=State.QUEUED, at=MONDAY + minutes(number), owner="other_member")
    assert queries_of(cast, 1) == queries_of(cast, 4)


def test_a_site_that_cannot_be_planned_keeps_nobody_elsewhere_from_the_news(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses(cast)
    make_job(cast, state=State.QUEUED, at=MONDAY, owner="instructor")
    booking = make_booking(cast.machine, cast.person("other_member"), start=MONDAY + hours(1))

    def breaks(self: Outlook, at: object) -> None:
        raise ValueError("a file that says odd things")

    monkeypatch.setattr(Outlook, "plan", breaks)
    dispatch.look({}, at=MONDAY, memory=dispatch.Memory())
    assert told() == [(cast.person("other_member").username, f"/reservations/{booking.pk}/")]


def test_a_pause_that_somebody_asked_for_says_nothing_of_a_later_one(cast: Cast) -> None:
    job = make_job(cast, state=State.RUNNING, at=MONDAY)
    attempt = Attempt.objects.get(jobs=job)
    Order.objects.create(
        attempt=attempt,
        verb=Verb.PAUSE,
        state=OrderState.DONE,
        lease_number=1,
        created_at=MONDAY,
        expires_at=MONDAY + minutes(1),
    )
    make_booking(cast.machine, cast.person("other_member"), start=MONDAY + hours(2))
    step_attempt(attempt.pk, Action.PAUSE, source=Source.MACHINE, at=MONDAY + minutes(0.1))
    assert tell_of_pauses(MONDAY + minutes(1)) == 0
    # Gone on at its own panel, which makes no order; then the filament ends.
    step_attempt(attempt.pk, Action.RESUME, source=Source.MACHINE, at=MONDAY + minutes(2))
    step_attempt(attempt.pk, Action.PAUSE, source=Source.MACHINE, at=MONDAY + minutes(60))
    assert tell_of_pauses(MONDAY + minutes(60)) == 1
