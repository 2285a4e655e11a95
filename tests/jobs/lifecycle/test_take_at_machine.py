"""A person takes the next object to a machine without a link, and says what happens there: their word is the report."""

from datetime import UTC, datetime, timedelta

import pytest

from equipment.certifications.models import Certificate
from equipment.machines.models import Machine
from equipment.machines.states import LINKED, Driver, Plate
from equipment.sites.models import Presence
from fablab.core.errors import Conflict, DomainError, NotAllowed, NotFound, Refused
from jobs.lifecycle.models import Attempt, Job
from jobs.lifecycle.queries import Viewer, actions_for, job_for
from jobs.lifecycle.services import apply, clear_plate, press, take
from jobs.lifecycle.states import Source, State
from jobs.lifecycle.table import Action
from tests.builders import make_booking
from tests.builders_jobs import Cast, make_cast, make_job

NOW = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
GUIDE = {"owner_operates": True, "plate_word": "hoop", "frames": [{"code": "180", "fr": "Cadre 180"}]}
pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    """A lab whose machine has no link: an embroidery machine, say, with an empty hoop."""
    cast = make_cast(at=NOW)
    Machine.objects.filter(pk=cast.machine.pk).update(driver=Driver.HANDOVER, address="", plate=Plate.CLEAR)
    cast.kind.icon, cast.kind.guide = "hoop", GUIDE
    cast.kind.save()
    cast.machine.refresh_from_db()
    return cast


def queued(cast: Cast) -> Job:
    return make_job(cast, state=State.QUEUED, at=NOW)


def steps_of(job: Job) -> list[tuple[str, str]]:
    return [
        (event.action, event.actor.display_name if event.actor else event.source)
        for event in job.events.select_related("actor").order_by("version")
    ]


def test_taken_started_finished_cleared_and_collected_leaves_the_history_of_a_print(cast: Cast) -> None:
    job, staff = queued(cast), cast.person("staff")
    assert take(job.pk, cast.machine.pk, actor=staff, at=NOW).state == State.LOADED
    for action, state in (
        (Action.START, State.RUNNING),
        (Action.PAUSE, State.PAUSED),
        (Action.RESUME, State.RUNNING),
        (Action.FINISH, State.FINISHED),
    ):
        moved, order = press(job.pk, action, actor=staff, at=NOW)
        assert (moved.state, order) == (state, None), (
            "the person's word is the fact: no order waits for a machine"
        )
    assert Machine.objects.get(pk=cast.machine.pk).plate == Plate.TO_CLEAR
    clear_plate(cast.machine.pk, actor=staff, at=NOW)
    press(job.pk, Action.COLLECT, actor=cast.person("owner"), at=NOW)
    assert steps_of(job) == [
        *((action, "staff") for action in ("claim", "load", "start", "pause", "resume", "finish")),
        ("shelve", "staff"),
        ("collect", "owner"),
    ]


def test_the_plate_gate_holds_and_one_tap_can_say_that_it_is_empty(cast: Cast) -> None:
    job, staff = queued(cast), cast.person("staff")
    Machine.objects.filter(pk=cast.machine.pk).update(plate=Plate.TO_CLEAR)
    take(job.pk, cast.machine.pk, actor=staff, at=NOW)
    with pytest.raises(Refused) as refused:
        press(job.pk, Action.START, actor=staff, at=NOW)
    assert refused.value.code == "plate_to_clear"
    assert press(job.pk, Action.START, actor=staff, at=NOW, plate_clear=True)[0].state == State.RUNNING
    assert Machine.objects.get(pk=cast.machine.pk).plate == Plate.TO_CLEAR, "something lies there from now on"


def test_a_machine_that_broke_after_the_object_was_taken_there_is_not_started_by_anybodys_word(
    cast: Cast,
) -> None:
    job, staff = queued(cast), cast.person("staff")
    take(job.pk, cast.machine.pk, actor=staff, at=NOW)
    Machine.objects.filter(pk=cast.machine.pk).update(
        out_of_order_since=NOW, out_of_order_reason="Aiguille", plate=Plate.TO_CLEAR
    )
    for plate_clear in (False, True):
        with pytest.raises(Refused) as refused:
            press(job.pk, Action.START, actor=staff, at=NOW, plate_clear=plate_clear)
        assert refused.value.codes[0] == "machine_out_of_order_now"
    assert Machine.objects.get(pk=cast.machine.pk).plate == Plate.TO_CLEAR, "what is refused clears no plate"
    assert Action.START not in actions_for(Job.objects.get(pk=job.pk), Viewer(staff, NOW))
    assert press(job.pk, Action.RELEASE, actor=staff, at=NOW)[0].state == State.QUEUED


def test_of_two_who_take_it_one_does_and_the_other_reads_that_somebody_was_quicker(cast: Cast) -> None:
    first, second = queued(cast), queued(cast)
    take(first.pk, cast.machine.pk, actor=cast.person("staff"), at=NOW)
    with pytest.raises(Conflict):
        take(first.pk, cast.machine.pk, actor=cast.person("instructor"), at=NOW)
    with pytest.raises(Refused) as refused:
        take(second.pk, cast.machine.pk, actor=cast.person("instructor"), at=NOW)
    assert refused.value.code == "machine_taken"
    second.refresh_from_db()
    assert second.state == State.QUEUED


def test_every_reason_why_it_cannot_be_taken_is_said_at_once(cast: Cast) -> None:
    job = queued(cast)
    Machine.objects.filter(pk=cast.machine.pk).update(out_of_order_since=NOW, driver=Driver.FOLDER)
    make_booking(cast.machine, cast.person("other_member"), start=NOW - timedelta(minutes=5))
    job.approvals.update(at=NOW - timedelta(seconds=3))
    with pytest.raises(Refused) as refused:
        take(job.pk, cast.machine.pk, actor=cast.person("staff"), at=NOW)
    assert {problem.code for problem in refused.value.problems} == {
        "approved_just_now",
        "machine_fed_by_line",
        "machine_out_of_order_now",
        "booked_by_other",
    }


@pytest.mark.parametrize("driver", list(Driver))
def test_only_what_nobody_feeds_by_line_is_fed_by_hand(cast: Cast, driver: Driver) -> None:
    job = queued(cast)
    Machine.objects.filter(pk=cast.machine.pk).update(driver=driver)
    if driver is Driver.HANDOVER:
        assert take(job.pk, cast.machine.pk, actor=cast.person("staff"), at=NOW).state == State.LOADED
        return
    # Where the machine itself reports, nobody at it is the link; elsewhere dispatch would claim the same job.
    with pytest.raises(NotAllowed if driver in LINKED else Refused) as refused:
        take(job.pk, cast.machine.pk, actor=cast.person("staff"), at=NOW)
    assert refused.value.codes == (["not_allowed"] if driver in LINKED else ["machine_fed_by_line"])
    job.refresh_from_db()
    assert job.state == State.QUEUED
    assert not Attempt.objects.exists()


def test_an_approval_that_does_not_hold_any_more_sends_the_object_back_to_be_looked_at(cast: Cast) -> None:
    job = queued(cast)
    Certificate.objects.filter(person=cast.person("owner")).update(revoked_at=NOW)
    with pytest.raises(Conflict):
        take(job.pk, cast.machine.pk, actor=cast.person("staff"), at=NOW)
    job.refresh_from_db()
    assert (job.state, job.reason) == (State.SUBMITTED, "certificate")


def test_what_is_put_into_the_machine_is_known_from_then_on(cast: Cast) -> None:
    job = queued(cast)
    Job.objects.filter(pk=job.pk).update(settings={**job.settings, "frame": "180"})
    job.approvals.update(settings={**job.settings, "frame": "180"})
    Machine.objects.filter(pk=cast.machine.pk).update(in_use_since=NOW)
    take(job.pk, cast.machine.pk, actor=cast.person("staff"), at=NOW)
    machine = Machine.objects.get(pk=cast.machine.pk)
    assert (machine.frame, machine.material, machine.in_use_since) == ("180", "PLA", None)


# --- who ----------------------------------------------------------------------------------------------------------

# Taking and every step after it: who may, where the guide lets trained owners operate.
OPERATED = {
    "owner": True,
    "other_member": NotFound,
    "instructor": True,
    "staff": True,
    "manager": True,
    "elsewhere": NotFound,
}


@pytest.mark.parametrize(("part", "outcome"), OPERATED.items())
def test_who_may_take_an_object_to_the_machine(cast: Cast, part: str, outcome: object) -> None:
    job = queued(cast)
    if outcome is True:
        assert take(job.pk, cast.machine.pk, actor=cast.person(part), at=NOW).state == State.LOADED
        return
    with pytest.raises(NotFound):
        take(job.pk, cast.machine.pk, actor=cast.person(part), at=NOW)


def _nobody_on_duty(cast: Cast) -> None:
    Presence.objects.all().delete()


def _no_certificate(cast: Cast) -> None:
    Certificate.objects.filter(person=cast.person("owner")).update(until=NOW.date() - timedelta(days=1))


def _not_in_the_guide(cast: Cast) -> None:
    cast.kind.guide = {**GUIDE, "owner_operates": False}
    cast.kind.save()


@pytest.mark.parametrize("without", [_nobody_on_duty, _no_certificate, _not_in_the_guide])
def test_an_owner_operates_only_trained_with_somebody_on_duty_where_the_guide_says_so(
    cast: Cast, without: object
) -> None:
    job = make_job(cast, state=State.LOADED, at=NOW, on=cast.machine)
    owner = cast.person("owner")
    assert Action.START in actions_for(job_for(owner, job.pk), Viewer(owner, NOW))
    assert callable(without)
    without(cast)
    assert Action.START not in actions_for(job_for(owner, job.pk), Viewer(owner, NOW))
    with pytest.raises(NotAllowed):
        press(job.pk, Action.START, actor=owner, at=NOW)


# On a machine without a link, of an object of the owner's: from which states each part may do what.
BY_HAND = {
    Action.LOAD: ({State.SENDING}, {"owner", "instructor", "staff", "manager"}),
    Action.START: ({State.SENDING, State.LOADED}, {"owner", "instructor", "staff", "manager"}),
    Action.PAUSE: ({State.RUNNING}, {"owner", "instructor", "staff", "manager"}),
    Action.RESUME: ({State.PAUSED}, {"owner", "instructor", "staff", "manager"}),
    Action.STOPPED: (
        {State.RUNNING, State.PAUSED, State.STOPPING},
        {"owner", "instructor", "staff", "manager"},
    ),
    Action.FINISH: (
        {State.RUNNING, State.PAUSED, State.STOPPING},
        {"owner", "instructor", "staff", "manager"},
    ),
    Action.FAIL: (
        {State.SENDING, State.LOADED, State.RUNNING, State.PAUSED, State.STOPPING},
        {"owner", "instructor", "staff", "manager"},
    ),
    Action.RELEASE: ({State.SENDING, State.LOADED}, {"owner", "instructor", "staff", "manager"}),
    Action.REQUEUE: ({State.FAILED}, {"instructor", "staff", "manager"}),
}


@pytest.mark.parametrize("action", BY_HAND)
def test_who_may_say_what_of_an_object_on_a_machine_without_a_link(cast: Cast, action: Action) -> None:
    states, parts = BY_HAND[action]
    for state in sorted(states):
        for part in cast.people:
            job = make_job(cast, state=state, at=NOW, on=cast.machine)
            try:
                apply(job.pk, action, actor=cast.person(part), source=Source.PERSON, at=NOW, reason="other")
                done = True
            except DomainError as refusal:
                assert refusal.status == (404 if part in {"other_member", "elsewhere"} else 403), (
                    part,
                    refusal,
                )
                done = False
            assert done is (part in parts), f"{part}: {action} of a {state} job"
            job.parts.all().delete()
            cast.machine.attempts.all().delete()
            Machine.objects.filter(pk=cast.machine.pk).update(plate=Plate.CLEAR)


# --- an owner's plate ---------------------------------------------------------------------------------------------


def test_an_owner_empties_the_hoop_of_their_own_object_and_it_goes_to_the_shelf(cast: Cast) -> None:
    owner, job = cast.person("owner"), make_job(cast, state=State.RUNNING, at=NOW, on=cast.machine)
    press(job.pk, Action.FINISH, actor=owner, at=NOW)
    clear_plate(cast.machine.pk, actor=owner, at=NOW)
    job.refresh_from_db()
    assert (job.state, job.shelf) == (State.READY, "A1")


def test_an_owner_does_not_take_somebody_elses_object_off_the_machine(cast: Cast) -> None:
    others = make_job(cast, state=State.FINISHED, at=NOW, on=cast.machine, owner="other_member")
    Machine.objects.filter(pk=cast.machine.pk).update(plate=Plate.TO_CLEAR)
    owner, job = cast.person("owner"), queued(cast)
    take(job.pk, cast.machine.pk, actor=owner, at=NOW)
    with pytest.raises(NotAllowed):
        press(job.pk, Action.START, actor=owner, at=NOW, plate_clear=True)
    others.refresh_from_db()
    assert others.state == State.FINISHED
    assert (
        press(job.pk, Action.START, actor=cast.person("staff"), at=NOW, plate_clear=True)[0].state
        == "running"
    )
    others.refresh_from_db()
    assert others.state == State.READY, "whoever emptied it has put it away"


def test_an_owner_does_not_empty_a_hoop_with_what_failed_of_somebody_else(cast: Cast) -> None:
    theirs = make_job(cast, state=State.RUNNING, at=NOW, on=cast.machine, owner="other_member")
    press(theirs.pk, Action.FAIL, actor=cast.person("staff"), at=NOW, reason="other")
    job = make_job(cast, state=State.LOADED, at=NOW, on=cast.machine)
    with pytest.raises(NotAllowed):
        press(job.pk, Action.START, actor=cast.person("owner"), at=NOW, plate_clear=True)
    assert Machine.objects.get(pk=cast.machine.pk).plate == Plate.TO_CLEAR
