"""Jobs are claimed for idle machines, once, and whoever waits is told why."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from equipment.bookings.states import BookingState
from equipment.machines.models import Machine
from equipment.sites.models import PowerCut
from jobs.dispatch import services as dispatch
from jobs.lifecycle import services as lifecycle
from jobs.lifecycle.models import Attempt, Job, JobEvent
from jobs.lifecycle.on_machines import live_attempt, undeleted_remote_files
from jobs.lifecycle.states import OrderState, State, Verb
from jobs.lifecycle.table import Action
from jobs.planning.guards import REFUSES_FILE
from jobs.planning.queries import next_for_machine
from jobs.uploads.models import Upload
from tests.builders import MONDAY, make_booking, make_person
from tests.builders_jobs import Cast, make_cast, make_job, make_linked_machine, make_upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast(at=MONDAY)


def leases(*machines: Machine) -> dict[str, int]:
    return {machine.pk: machine.lease_number for machine in machines}


def queued(cast: Cast, *, approved: datetime = MONDAY - timedelta(minutes=5), **fields: Any) -> Job:
    job = make_job(cast, state=State.QUEUED, at=MONDAY, **fields)
    job.approvals.update(at=approved)
    job.queued_at = (
        MONDAY - timedelta(minutes=5) + timedelta(seconds=job.number)
    )  # in the order of their making
    job.save(update_fields=["queued_at"])
    return job


def look(cast: Cast, at: datetime = MONDAY) -> list[dispatch.Claimed]:
    return dispatch.look(leases(cast.machine), at=at)


def codes(job: Job) -> list[str]:
    job.refresh_from_db()
    return [reason["code"] for reason in job.waiting_for]


def test_an_idle_machine_gets_the_next_job_also_while_its_plate_is_to_clear(cast: Cast) -> None:
    assert cast.machine.plate == "to_clear"
    job = queued(cast)
    (claimed,) = look(cast)
    job.refresh_from_db()
    assert (claimed.job_id, claimed.machine_id, job.state) == (job.pk, cast.machine.pk, State.SENDING)
    assert look(cast) == []


def test_ux_7_an_approval_of_nine_seconds_ago_reaches_no_machine_and_ten_seconds_do(cast: Cast) -> None:
    job = queued(cast, approved=MONDAY - timedelta(seconds=9))
    assert look(cast) == []
    assert codes(job) == ["waiting_undo"]
    assert len(look(cast, MONDAY + timedelta(seconds=1))) == 1


def test_a_machine_whose_lease_is_not_ours_is_left_to_its_supervisor(cast: Cast) -> None:
    queued(cast)
    assert dispatch.look({}, at=MONDAY) == []
    assert not Attempt.objects.exists()


def test_case_8_a_lease_that_passed_on_claims_nothing(cast: Cast) -> None:
    job = queued(cast)
    stale = leases(cast.machine)
    Machine.objects.filter(pk=cast.machine.pk).update(lease_number=7)
    assert dispatch.look(stale, at=MONDAY) == []
    job.refresh_from_db()
    assert job.state == State.QUEUED


def test_a_second_job_waits_for_the_machine_and_says_so(cast: Cast) -> None:
    queued(cast)
    second = queued(cast)
    assert len(look(cast)) == 1
    look(cast)
    assert codes(second) == ["waiting_machine_busy"]


def test_reasons_are_written_once_and_go_when_the_job_does(cast: Cast) -> None:
    Machine.objects.filter(pk=cast.machine.pk).update(out_of_order_since=MONDAY, out_of_order_reason="buse")
    job = queued(cast)
    look(cast)
    version = Job.objects.get(pk=job.pk).version
    look(cast)
    assert (codes(job), job.version) == (["waiting_out_of_order"], version)
    Machine.objects.filter(pk=cast.machine.pk).update(out_of_order_since=None)
    look(cast)
    assert codes(job) == []


def test_somebody_elses_booking_keeps_the_machine_and_ones_own_does_not(cast: Cast) -> None:
    job = queued(cast)
    other = make_booking(cast.machine, make_person(site=cast.site), start=MONDAY + timedelta(minutes=10))
    look(cast)
    assert codes(job) == ["waiting_next_booking"]
    other.person = cast.person("owner")
    other.save()
    assert len(look(cast)) == 1


def test_rel_22_a_job_of_a_booking_starts_in_it(cast: Cast) -> None:
    booking = make_booking(cast.machine, cast.person("owner"), start=MONDAY + timedelta(minutes=30))
    job = queued(cast, booking=booking)
    look(cast)
    assert codes(job) == ["waiting_own_booking"]
    begins = MONDAY + timedelta(minutes=30)
    Machine.objects.filter(pk=cast.machine.pk).update(seen_at=begins)
    assert len(look(cast, begins)) == 1


def test_a_job_of_a_booking_does_not_begin_in_the_buffer_after_it(cast: Cast) -> None:
    own = make_booking(
        cast.machine, cast.person("owner"), start=MONDAY - timedelta(hours=1), end=MONDAY - timedelta(minutes=5),
        held_end=MONDAY + timedelta(minutes=5), state=BookingState.IN_USE, ended_at=MONDAY - timedelta(minutes=5),
    )  # fmt: skip
    job = queued(cast, booking=own)
    look(cast)
    assert codes(job) == ["waiting_booking"]


def test_an_announced_power_cut_is_said_to_be_one_and_not_a_closing_time(cast: Cast) -> None:
    soon = MONDAY + timedelta(minutes=20)
    PowerCut.objects.create(site=cast.site, start=soon, end=soon + timedelta(hours=1))
    job = queued(cast)
    look(cast)
    assert codes(job) == ["waiting_power_cut"]
    Machine.objects.update(may_overrun=True)
    look(cast)
    assert codes(job) == ["waiting_power_cut"]


@pytest.mark.parametrize(
    ("there", "code"),
    [
        ({"material": "PETG"}, "waiting_material"),
        ({"frame": "13x18"}, "waiting_frame"),
        ({"nozzle_mm": 0.6}, "waiting_nozzle"),
        ({"needs_help_since": MONDAY, "needs_help_why": "bobine"}, "waiting_needs_help"),
    ],
)
def test_what_is_in_the_machine_or_wrong_with_it_is_said(
    cast: Cast, there: dict[str, Any], code: str
) -> None:
    job = queued(cast)
    Job.objects.filter(pk=job.pk).update(settings={**job.settings, "frame": "10x10"})
    assert job.machine_file is not None
    report = {**(job.machine_file.report or {}), "facts": {"nozzle_mm": 0.4}}
    Upload.objects.filter(pk=job.machine_file_id).update(report=report)
    Machine.objects.update(**there)
    look(cast)
    assert codes(job) == [code]


def test_a_fault_that_anybody_may_have_told_does_not_stop_the_queue(cast: Cast) -> None:
    queued(cast)
    Machine.objects.update(needs_help_since=MONDAY, needs_help_why="fault_told")
    assert len(look(cast)) == 1


def test_a_job_for_a_machine_without_a_link_is_left_to_the_person_there_and_says_so(cast: Cast) -> None:
    Machine.objects.update(driver="handover", report="never")
    job = queued(cast)
    assert look(cast) == []
    assert codes(job) == ["waiting_operator"]
    (first,) = next_for_machine(cast.machine.pk, MONDAY)
    assert (first.job_id, first.reasons) == (job.pk, ())
    assert first.place.expected_start == MONDAY


@pytest.mark.parametrize("driver", ["folder", "rawtcp"])
def test_machines_that_are_fed_by_line_and_say_nothing_get_their_next_job_from_dispatch(
    cast: Cast, driver: str
) -> None:
    Machine.objects.update(driver=driver, report="never", seen_at=None)
    queued(cast)
    assert len(look(cast)) == 1


def test_a_machine_that_was_not_heard_for_a_while_gets_nothing(cast: Cast) -> None:
    job = queued(cast)
    look(cast, MONDAY + timedelta(seconds=46))
    assert codes(job) == ["waiting_unreachable"]


def test_an_approval_that_does_not_hold_any_more_goes_back_to_the_instructor(cast: Cast) -> None:
    job = queued(cast)
    cast.model.limits = {**cast.model.limits, "nozzle_mm": 0.6}
    cast.model.save()
    assert look(cast) == []
    job.refresh_from_db()
    assert (job.state, job.reason) == (State.SUBMITTED, "profile")


def test_looking_takes_as_many_queries_for_thirty_waiting_jobs_as_for_three(cast: Cast) -> None:
    Machine.objects.filter(pk=cast.machine.pk).update(out_of_order_since=MONDAY)
    counts = []
    for more in (3, 27):
        for _ in range(more):
            queued(cast)
        look(cast)
        with CaptureQueriesContext(connection) as queries:
            look(cast)
        # What PostgreSQL has prepared has no text here; only reads are prepared.
        counts.append(sum((query["sql"] or "SELECT").startswith("SELECT") for query in queries))
    assert counts[0] == counts[1]


# --- sent, or not -----------------------------------------------------------------------------------------------


def sending(cast: Cast) -> Job:
    job = queued(
        cast, machine_file=make_upload(cast.person("owner"), at=MONDAY, format="gcode", content=b"G28")
    )
    assert len(look(cast)) == 1
    return job


def test_a_file_that_arrived_is_loaded(cast: Cast) -> None:
    job = sending(cast)
    live = live_attempt(cast.machine.pk)
    assert live is not None
    dispatch.was_sent(live.id, remote_path="fl/x.gcode", remote_sha1="0" * 40, remote_runs=0, at=MONDAY)
    job.refresh_from_db()
    attempt = Attempt.objects.get()
    assert (job.state, attempt.remote_path, attempt.loaded_at) == (State.LOADED, "fl/x.gcode", MONDAY)


def test_a_file_that_did_not_arrive_puts_the_job_back_in_its_place_and_the_third_time_it_has_failed(
    cast: Cast,
) -> None:
    job = queued(cast)
    place = Job.objects.get(pk=job.pk).queued_at
    for attempt, expected in ((1, State.QUEUED), (2, State.QUEUED), (3, State.FAILED)):
        look(cast)
        live = live_attempt(cast.machine.pk)
        assert live is not None
        dispatch.was_not_sent(live, code="timed_out", put_off="", at=MONDAY)
        job.refresh_from_db()
        assert (job.attempts_made, job.state, job.reason) == (attempt, expected, "sending_failed")
        assert job.queued_at == place


def test_case_13_a_machine_whose_storage_is_full_is_named_and_the_job_stays_queued(cast: Cast) -> None:
    job = queued(cast)
    for _ in range(5):
        dispatch.look(leases(cast.machine), at=MONDAY)
        live = live_attempt(cast.machine.pk)
        if live is not None:
            dispatch.was_not_sent(live, code="storage_refused", put_off=REFUSES_FILE, at=MONDAY)
    assert codes(job) == ["waiting_file_refused"]
    assert (job.state, job.attempts_made) == (State.QUEUED, 0)
    assert JobEvent.objects.filter(job=job, action=Action.CLAIM).count() == 1


def test_what_one_machine_refused_another_process_plans_for_another_machine(cast: Cast) -> None:
    """Each process claims for its own machines; both must plan alike, or neither claims."""
    job = queued(cast)
    other = make_linked_machine(cast.site, cast.model, at=MONDAY)
    Machine.objects.filter(pk=cast.machine.pk).update(plate="clear")
    Machine.objects.filter(pk=other.pk).update(plate="to_clear")
    look(cast)
    live = live_attempt(cast.machine.pk)
    assert live is not None
    dispatch.was_not_sent(live, code="storage_refused", put_off=REFUSES_FILE, at=MONDAY)
    assert dispatch.look(leases(cast.machine), at=MONDAY) == []
    (claimed,) = dispatch.look(leases(other), at=MONDAY)
    assert (claimed.job_id, claimed.machine_id) == (job.pk, other.pk)


def test_a_file_that_claims_to_take_millions_of_years_stops_nobodys_queue(cast: Cast) -> None:
    odd = queued(cast, owner="other_member")
    Upload.objects.filter(pk=odd.machine_file_id).update(report={"minutes": 5.76e9})
    job = queued(cast)
    assert [claimed.job_id for claimed in look(cast)] == [job.pk]
    assert "waiting_too_long" in codes(odd)


def test_noting_why_forty_jobs_wait_takes_as_many_writes_as_for_ten(cast: Cast) -> None:
    counts = []
    for more in (10, 30):
        for _ in range(more):
            queued(cast)
        Machine.objects.update(out_of_order_since=MONDAY)
        Job.objects.update(waiting_for=[])
        with CaptureQueriesContext(connection) as queries:
            look(cast)
        counts.append(len(queries))
    assert counts[0] == counts[1], counts


def test_a_job_that_was_cancelled_while_its_file_travelled_is_not_loaded_and_its_file_is_removed_later(
    cast: Cast,
) -> None:
    job = sending(cast)
    live = live_attempt(cast.machine.pk)
    assert live is not None
    lifecycle.press(job.pk, Action.ASK_STOP, actor=cast.person("owner"), at=MONDAY)
    assert not dispatch.is_still_wanted(live.id)
    assert not dispatch.was_sent(
        live.id, remote_path="fl/x.gcode", remote_sha1="0" * 40, remote_runs=0, at=MONDAY
    )
    job.refresh_from_db()
    assert job.state == State.CANCELLED
    assert undeleted_remote_files(cast.machine.pk) == [(live.id, "fl/x.gcode")]


# --- loaded and forgotten ---------------------------------------------------------------------------------------


def test_what_nobody_started_for_half_an_hour_goes_back_without_counting_as_a_try(cast: Cast) -> None:
    job = make_job(cast, state=State.LOADED, at=MONDAY)
    loaded = Attempt.objects.get().loaded_at
    assert loaded is not None
    due = loaded + timedelta(minutes=30)
    assert dispatch.release_the_forgotten([cast.machine.pk], at=due - timedelta(seconds=1)) == []
    assert dispatch.release_the_forgotten([cast.machine.pk], at=due) == [cast.machine.pk]
    job.refresh_from_db()
    assert (job.state, job.reason, job.attempts_made) == (State.QUEUED, "not_started_in_time", 0)


def test_rel_12_after_a_night_without_a_look_it_goes_back_all_the_same(cast: Cast) -> None:
    job = make_job(cast, state=State.LOADED, at=MONDAY)
    assert dispatch.release_the_forgotten([cast.machine.pk], at=MONDAY + timedelta(hours=12))
    job.refresh_from_db()
    assert job.state == State.QUEUED


def test_at_closing_what_was_not_started_goes_back(cast: Cast) -> None:
    job = make_job(cast, state=State.LOADED, at=MONDAY)
    cast.site.opening_hours.update(opens=0, closes=10 * 60 + 5)  # it is 10:00 there
    assert dispatch.release_the_forgotten([cast.machine.pk], at=MONDAY) == []
    assert dispatch.release_the_forgotten([cast.machine.pk], at=MONDAY + timedelta(minutes=5))
    job.refresh_from_db()
    assert (job.state, job.reason) == (State.QUEUED, "closing")


def test_a_job_whose_start_is_asked_for_or_may_have_happened_is_not_taken_back(cast: Cast) -> None:
    job = make_job(cast, state=State.LOADED, at=MONDAY)
    attempt = Attempt.objects.get()
    order = attempt.orders.create(
        verb=Verb.START,
        lease_number=1,
        created_at=MONDAY,
        expires_at=MONDAY + timedelta(minutes=1),
        state=OrderState.WAITING,
    )
    late = MONDAY + timedelta(hours=1)
    assert dispatch.release_the_forgotten([cast.machine.pk], at=late) == []
    order.state = OrderState.UNKNOWN
    order.save()
    Attempt.objects.update(start_sent_at=MONDAY)
    assert dispatch.release_the_forgotten([cast.machine.pk], at=late) == []
    job.refresh_from_db()
    assert job.state == State.LOADED


def test_the_longest_idle_machine_of_the_site_gets_the_job(cast: Cast) -> None:
    second = make_linked_machine(cast.site, cast.model, at=MONDAY)
    make_job(cast, state=State.FINISHED, at=MONDAY - timedelta(hours=1))  # on the first, an hour ago
    queued(cast)
    (claimed,) = dispatch.look(leases(cast.machine, second), at=MONDAY)
    assert claimed.machine_id == second.pk
