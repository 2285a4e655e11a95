"""What must never happen, tried on purpose: the wrong machine, a start that nobody meant, a right that has no ground.

Each test is a way in that was open once. Times are ``NOW``, inside the opening hours of every built site.
"""

from datetime import UTC, datetime, timedelta

import pytest

from equipment.bookings.models import Booking
from equipment.certifications.models import Certificate
from equipment.machines.models import Machine, MachineModel
from equipment.machines.services import change_machine, put_out_of_order, retire_machine
from equipment.sites.models import SiteRole
from fablab.core.errors import Conflict, DomainError, Malformed, Refused
from jobs.dispatch.services import look
from jobs.lifecycle.models import Attempt, AttemptJob, Job, Order
from jobs.lifecycle.services import (
    change_job,
    claim,
    clear_plate,
    create_job,
    press,
    take_order,
    upload_inspected,
)
from jobs.lifecycle.states import OrderState, State
from jobs.lifecycle.table import Action
from jobs.preparation.queries import findings_for
from jobs.supervision import records
from jobs.uploads.models import Upload
from tests.builders_jobs import Cast, make_cast, make_job, make_linked_machine, make_upload

NOW = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast(at=NOW)


def another_model(cast: Cast, name: str = "Mini") -> MachineModel:
    """Make a smaller printer of the same kind, which takes the same format."""
    limits = {**cast.model.limits, "bed_mm": [120, 120]}
    return MachineModel.objects.create(
        kind=cast.kind,
        name=name,
        limits=limits,
        formats=["gcode"],
        prepares=["stl"],
        materials=["PLA", "PETG"],
        qualities=["draft", "normal", "fine"],
    )


def booked(cast: Cast, machine: Machine) -> Booking:
    return Booking.objects.create(
        machine=machine,
        person=cast.person("owner"),
        start=NOW - timedelta(minutes=10),
        end=NOW + timedelta(hours=2),
        held_start=NOW - timedelta(minutes=10),
        held_end=NOW + timedelta(hours=2),
        created_at=NOW - timedelta(days=1),
    )


def leases() -> dict[str, int]:
    return dict(Machine.objects.values_list("pk", "lease_number"))


# --- a file reaches a machine that it was not approved for -----------------------------------------------------------


def test_an_approved_file_does_not_follow_a_booking_to_a_machine_of_another_model(cast: Cast) -> None:
    small = make_linked_machine(cast.site, another_model(cast), at=NOW)
    job = make_job(cast, state=State.QUEUED, at=NOW)
    Job.objects.filter(pk=job.pk).update(booking=booked(cast, small))
    assert look(leases(), at=NOW) == []
    assert not Attempt.objects.filter(machine=small).exists()


def test_an_approved_file_is_not_claimed_for_a_machine_that_became_another_model(cast: Cast) -> None:
    job = make_job(cast, state=State.QUEUED, at=NOW, machine=cast.machine)
    Machine.objects.filter(pk=cast.machine.pk).update(model=another_model(cast))
    assert look(leases(), at=NOW) == []
    with pytest.raises(DomainError):
        claim(job.pk, cast.machine.pk, lease_number=1, at=NOW)
    assert not Attempt.objects.exists()


def test_a_file_that_lies_ready_does_not_start_on_a_machine_that_became_another_model(cast: Cast) -> None:
    job = make_job(cast, state=State.LOADED, at=NOW)
    Machine.objects.filter(pk=cast.machine.pk).update(model=another_model(cast))
    with pytest.raises(Refused):
        press(job.pk, Action.START, actor=cast.person("staff"), at=NOW, plate_clear=True)


def test_a_machine_does_not_become_another_model_under_a_file(cast: Cast) -> None:
    make_job(cast, state=State.LOADED, at=NOW)
    Machine.objects.filter(pk=cast.machine.pk).update(address="http://10.0.0.9:5000")
    with pytest.raises(Refused) as refusal:
        change_machine(cast.machine.pk, model_id=another_model(cast).pk, actor=cast.person("staff"), at=NOW)
    assert refusal.value.codes == ["machine_working"]


def test_a_booking_of_another_model_is_refused_when_a_job_is_made_or_changed(cast: Cast) -> None:
    booking = booked(cast, make_linked_machine(cast.site, another_model(cast), at=NOW))
    owner = cast.person("owner")
    with pytest.raises(Malformed):
        create_job(
            owner=owner,
            upload_id=make_upload(owner, at=NOW).pk,
            site_id=cast.site.pk,
            machine_model_id=cast.model.pk,
            booking_id=booking.pk,
            at=NOW,
        )
    job = make_job(cast, state=State.DRAFT, at=NOW)
    with pytest.raises(Malformed):
        change_job(job.pk, actor=owner, at=NOW, booking_id=booking.pk)


def test_a_job_stays_at_its_site_whatever_machine_is_asked_for(cast: Cast) -> None:
    owner = cast.person("owner")
    SiteRole.objects.create(person=owner, site=cast.elsewhere, role="member")
    there = make_linked_machine(cast.elsewhere, cast.model, at=NOW)
    job = make_job(cast, state=State.DRAFT, at=NOW)
    with pytest.raises(Malformed):
        change_job(job.pk, actor=owner, at=NOW, machine_id=there.pk)
    assert Job.objects.get(pk=job.pk).machine_id is None


def test_a_preparation_of_the_file_before_does_not_become_the_machine_file_of_another(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker has judged the first file; the owner hands in another one between its look and its write."""
    owner = cast.person("owner")
    first = make_upload(owner, at=NOW, format="gcode")
    second = make_upload(owner, at=NOW, format="gcode")
    job = make_job(cast, state=State.SUBMITTED, at=NOW, upload=first)
    Job.objects.filter(pk=job.pk).update(machine_file=None)
    changed: list[bool] = []

    def change_meanwhile(upload: Upload, model: MachineModel, settings: dict[str, object]) -> object:
        if not changed:
            changed.append(True)
            Job.objects.filter(pk=job.pk).update(upload=second, machine_file=None)
        return findings_for(upload, model, settings)

    monkeypatch.setattr("jobs.lifecycle.drafts.findings_for", change_meanwhile)
    upload_inspected(first.pk, at=NOW)
    job.refresh_from_db()
    assert changed and job.upload_id == second.pk
    assert job.machine_file_id != first.pk


# --- a start that nobody meant ---------------------------------------------------------------------------------------


def loaded_and_pressed(cast: Cast) -> Order:
    job = make_job(cast, state=State.LOADED, at=NOW)
    _, order = press(job.pk, Action.START, actor=cast.person("staff"), at=NOW, plate_clear=True)
    assert order is not None
    return order


def test_a_certificate_that_ended_while_the_file_lay_ready_ends_the_start(cast: Cast) -> None:
    order = loaded_and_pressed(cast)
    Certificate.objects.filter(person=cast.person("owner")).delete()
    assert take_order(order.pk, lease_number=1, at=NOW) is None
    order.refresh_from_db()
    assert (order.state, order.outcome) == (OrderState.REFUSED, "approval_void")


def test_nobody_can_ask_for_the_start_of_what_is_not_approved_any_more(cast: Cast) -> None:
    job = make_job(cast, state=State.LOADED, at=NOW)
    Certificate.objects.filter(person=cast.person("owner")).delete()
    with pytest.raises(Refused) as refusal:
        press(job.pk, Action.START, actor=cast.person("staff"), at=NOW, plate_clear=True)
    assert "approval_void" in refusal.value.codes


def test_a_clock_that_jumps_back_does_not_make_an_old_press_young(cast: Cast) -> None:
    order = loaded_and_pressed(cast)
    assert take_order(order.pk, lease_number=1, at=NOW - timedelta(hours=1)) is None
    order.refresh_from_db()
    assert (order.state, order.outcome) == (OrderState.EXPIRED, "expired")


def test_a_start_that_did_not_arrive_is_not_sent_again_to_a_machine_out_of_order(cast: Cast) -> None:
    order = loaded_and_pressed(cast)
    assert records.take(order.pk, lease_number=1, at=NOW) is not None
    assert records.start_order_that_holds(cast.machine.pk, lease_number=1, at=NOW) == order
    put_out_of_order(cast.machine.pk, actor=cast.person("staff"), reason="Ça fume", at=NOW)
    assert records.start_order_that_holds(cast.machine.pk, lease_number=1, at=NOW) is None
    assert not records.situation(cast.machine.pk, at=NOW).order_holds


# --- what gets stuck or lost -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.SENDING, State.LOADED, State.RUNNING])
def test_a_machine_is_not_retired_with_an_object_on_it(cast: Cast, state: State) -> None:
    make_job(cast, state=state, at=NOW)
    Machine.objects.filter(pk=cast.machine.pk).update(report="silent")
    with pytest.raises(Refused) as refusal:
        retire_machine(cast.machine.pk, actor=cast.person("staff"), at=NOW)
    assert "machine_working" in refusal.value.codes


def test_clearing_a_plate_shelves_only_what_was_made_on_it(cast: Cast) -> None:
    """First tried here and failed, then made on the machine beside: it still lies there."""
    job = make_job(cast, state=State.FINISHED, at=NOW)
    beside = make_linked_machine(cast.site, cast.model, at=NOW)
    Attempt.objects.filter(jobs=job).update(machine=beside)
    assert job.machine_file is not None
    failed = Attempt.objects.create(
        machine=cast.machine,
        machine_file=job.machine_file,
        file_sha256=job.machine_file.sha256,
        claimed_at=NOW - timedelta(hours=3),
        ended_at=NOW - timedelta(hours=2),
        outcome="failed",
    )
    AttemptJob.objects.create(attempt=failed, job=job, number=2, live=False, outcome="failed")
    clear_plate(cast.machine.pk, actor=cast.person("staff"), at=NOW)
    assert Job.objects.get(pk=job.pk).state == State.FINISHED
    clear_plate(beside.pk, actor=cast.person("staff"), at=NOW)
    assert Job.objects.get(pk=job.pk).state == State.READY


# --- a right that is got around -------------------------------------------------------------------------------------


def test_who_may_not_send_machine_files_cannot_slip_one_in_after_sending(cast: Cast) -> None:
    owner = cast.person("owner")
    job = make_job(cast, state=State.SUBMITTED, at=NOW)
    own_gcode = make_upload(owner, at=NOW, format="gcode")
    change_job(job.pk, actor=owner, at=NOW, upload_id=own_gcode.pk)
    with pytest.raises(Refused) as refusal:
        press(
            job.pk,
            Action.APPROVE,
            actor=cast.person("instructor"),
            at=NOW,
            seen_sha256=own_gcode.sha256,
        )
    assert "machine_files_not_allowed" in refusal.value.codes


def test_an_instructor_does_not_approve_settings_that_changed_while_they_looked(cast: Cast) -> None:
    """The file is the same, so its hash says nothing: another material is asked for by now."""
    owner = cast.person("owner")
    certify_for_machine_files(cast)
    file = make_upload(owner, at=NOW, format="gcode")
    job = make_job(cast, state=State.SUBMITTED, at=NOW, upload=file, machine_file=file)
    seen = job.version
    change_job(job.pk, actor=owner, at=NOW, settings={"material": "PETG"})
    with pytest.raises(Refused) as refusal:
        press(
            job.pk,
            Action.APPROVE,
            actor=cast.person("instructor"),
            at=NOW,
            seen_sha256=file.sha256,
            seen_version=seen,
        )
    assert refusal.value.codes == ["file_changed"]


def certify_for_machine_files(cast: Cast) -> None:
    Certificate.objects.filter(person=cast.person("owner")).update(may_send_machine_files=True)


def test_plate_clear_is_said_of_the_machine_that_was_looked_at(cast: Cast) -> None:
    """The file was taken to the machine beside since the page was shown: nobody has looked at that plate."""
    beside = make_linked_machine(cast.site, cast.model, at=NOW)
    job = make_job(cast, state=State.LOADED, at=NOW, on=beside)
    staff = cast.person("staff")
    with pytest.raises(Conflict) as refusal:
        press(job.pk, Action.START, actor=staff, at=NOW, plate_clear=True, machine=cast.machine.pk)
    assert refusal.value.code == "wrong_state"
    assert Machine.objects.get(pk=beside.pk).plate == "to_clear"
    assert not Order.objects.exists()
    press(job.pk, Action.START, actor=staff, at=NOW, plate_clear=True, machine=beside.pk)


def test_a_machine_does_not_move_to_another_address_under_a_print(cast: Cast) -> None:
    job = make_job(cast, state=State.RUNNING, at=NOW)
    with pytest.raises(Refused) as refused:
        change_machine(
            cast.machine.pk, address="http://192.168.1.77:5000", actor=cast.person("manager"), at=NOW
        )
    assert refused.value.codes == ["machine_working"]
    assert Job.objects.get(pk=job.pk).state == State.RUNNING
