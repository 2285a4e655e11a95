""" "Plateau vide, lancer": an order, written once, with every reason when it must not be."""

from datetime import datetime, timedelta

import pytest

from equipment.machines.models import Machine, MachineKind
from equipment.machines.services import change_machine, hear
from equipment.machines.states import Plate, Report
from equipment.sites.models import OpeningHours, Presence
from fablab.core.errors import Conflict, NotAllowed, NotFound, Refused
from jobs.lifecycle.models import Job, Order
from jobs.lifecycle.services import clear_plate, note_start_sent, press, settle_order, take_order
from jobs.lifecycle.states import OrderState, State
from jobs.lifecycle.table import Action
from tests.builders_jobs import Cast, make_job, make_linked_machine


def start(cast: Cast, job: Job, at: datetime, *, part: str = "staff", plate_clear: bool = True) -> Order:
    _, order = press(job.pk, Action.START, actor=cast.person(part), at=at, plate_clear=plate_clear)
    assert order is not None
    return order


def test_it_clears_the_plate_and_asks_in_one_tap(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.LOADED, at=now)
    order = start(cast, job, now)
    machine = Machine.objects.get(pk=cast.machine.pk)
    assert (machine.plate, machine.plate_cleared_by) == (Plate.CLEAR, cast.person("staff"))
    assert order.plate_token == machine.plate_token != ""
    assert order.expires_at == now + timedelta(seconds=60)
    assert order.lease_number == machine.lease_number


@pytest.mark.parametrize("driver", ["octoprint", "handover"])
def test_a_tap_on_an_old_page_starts_nothing_on_a_plate_that_filled_since(
    cast: Cast, now: datetime, driver: str
) -> None:
    job = make_job(cast, state=State.LOADED, at=now)
    Machine.objects.filter(pk=cast.machine.pk).update(driver=driver, plate_number=5)
    staff = cast.person("staff")
    with pytest.raises(Conflict) as refused:
        press(job.pk, Action.START, actor=staff, at=now, plate_clear=True, seen_plate=4)
    assert refused.value.codes == ["plate_used_since"]
    assert (Order.objects.count(), Job.objects.get().state) == (0, State.LOADED)
    assert Machine.objects.get().plate == Plate.TO_CLEAR
    press(job.pk, Action.START, actor=staff, at=now, plate_clear=True, seen_plate=5)
    assert Order.objects.exists() is (driver == "octoprint")


def test_a_press_is_a_request_and_changes_no_state(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.LOADED, at=now)
    start(cast, job, now)
    assert Job.objects.get(pk=job.pk).state == State.LOADED


def test_the_second_press_is_told_so_and_writes_nothing(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.LOADED, at=now)
    start(cast, job, now)
    with pytest.raises(Conflict) as refused:
        start(cast, job, now, part="instructor")
    assert refused.value.codes == ["already_asked"]
    assert Order.objects.count() == 1


def test_a_start_that_was_sent_and_not_reported_yet_is_not_asked_for_again(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.LOADED, at=now)
    order = start(cast, job, now)
    note_start_sent(order.attempt_id, at=now)
    settle_order(order.pk, state=OrderState.DONE, outcome="accepted", at=now)
    token = Machine.objects.get().plate_token
    with pytest.raises(Conflict) as refused:
        start(cast, job, now, part="instructor")
    assert refused.value.codes == ["already_started"]
    assert Order.objects.count() == 1
    assert Machine.objects.get().plate_token == token, "the plate is not cleared anew"


def test_a_running_job_is_already_started(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.RUNNING, at=now)
    with pytest.raises(Conflict) as refused:
        start(cast, job, now)
    assert refused.value.codes == ["already_started"]


def test_a_file_on_its_way_cannot_be_started_yet(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.SENDING, at=now)
    with pytest.raises(Conflict):
        start(cast, job, now)
    assert not Order.objects.exists()


@pytest.mark.parametrize("part", ["owner", "other_member", "elsewhere"])
def test_who_has_no_duty_here_starts_nothing(cast: Cast, now: datetime, part: str) -> None:
    job = make_job(cast, state=State.LOADED, at=now)
    with pytest.raises(NotAllowed if part == "owner" else NotFound):
        start(cast, job, now, part=part)
    assert not Order.objects.exists()


def without_presence(cast: Cast) -> None:
    Presence.objects.all().delete()


def closed(cast: Cast) -> None:
    OpeningHours.objects.all().delete()


def silent(cast: Cast) -> None:
    Machine.objects.update(report=Report.SILENT)


def not_heard_for_a_minute(cast: Cast) -> None:
    machine = Machine.objects.get()
    assert machine.seen_at is not None
    Machine.objects.update(seen_at=machine.seen_at - timedelta(minutes=1))


def out_of_order(cast: Cast) -> None:
    Machine.objects.update(out_of_order_since=cast.machine.seen_at)


def at_work(cast: Cast) -> None:
    Machine.objects.update(report=Report.PRINTING)


def dangerous(cast: Cast) -> None:
    MachineKind.objects.update(remote_start=False)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (without_presence, "not_on_site"),
        (closed, "closed_now"),
        (silent, "machine_unreachable"),
        (not_heard_for_a_minute, "machine_unreachable"),
        (out_of_order, "machine_out_of_order_now"),
        (at_work, "machine_working"),
        (dangerous, "no_remote_start"),
    ],
)
def test_each_thing_in_the_way_has_its_own_sentence(spoil, code: str, cast: Cast, now: datetime) -> None:  # type: ignore[no-untyped-def]
    job = make_job(cast, state=State.LOADED, at=now)
    spoil(cast)
    with pytest.raises(Refused) as refused:
        start(cast, job, now)
    assert code in refused.value.codes
    assert not Order.objects.exists()
    assert Machine.objects.get().plate == Plate.TO_CLEAR, "nothing is half done"


def test_all_reasons_come_at_once(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.LOADED, at=now)
    out_of_order(cast)
    silent(cast)
    without_presence(cast)
    with pytest.raises(Refused) as refused:
        start(cast, job, now)
    assert set(refused.value.codes) == {"not_on_site", "machine_unreachable", "machine_out_of_order_now"}


def test_a_plate_that_nobody_cleared_refuses_a_plain_start(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.LOADED, at=now)
    with pytest.raises(Refused) as refused:
        start(cast, job, now, plate_clear=False)
    assert refused.value.codes == ["plate_to_clear"]


def test_after_a_stop_was_asked_a_start_that_nobody_took_is_void(cast: Cast, now: datetime) -> None:
    job = make_job(cast, state=State.LOADED, at=now)
    order = start(cast, job, now)
    job, stop = press(job.pk, Action.ASK_STOP, actor=cast.person("owner"), at=now)
    assert (job.state, stop) == (State.CANCELLED, None)
    order.refresh_from_db()
    assert order.state == OrderState.EXPIRED


def test_rel_22_where_power_is_weak_a_press_right_after_another_start_is_told_how_long_to_wait(
    cast: Cast, now: datetime
) -> None:
    cast.site.start_gap_s = 60
    cast.site.save()
    second = make_linked_machine(cast.site, cast.model, at=now)
    start(cast, make_job(cast, state=State.LOADED, at=now), now)
    job = make_job(cast, state=State.LOADED, at=now, on=second)
    with pytest.raises(Refused) as refused:
        start(cast, job, now + timedelta(seconds=20))
    assert [(problem.code, problem.params) for problem in refused.value.problems] == [
        ("start_gap", {"seconds": 40})
    ]
    later = now + timedelta(seconds=60)
    Machine.objects.update(seen_at=later)
    assert start(cast, job, later)


def test_an_order_that_was_never_sent_makes_nobody_wait(cast: Cast, now: datetime) -> None:
    cast.site.start_gap_s = 60
    cast.site.save()
    second = make_linked_machine(cast.site, cast.model, at=now)
    first = start(cast, make_job(cast, state=State.LOADED, at=now), now)
    settle_order(first.pk, state=OrderState.REFUSED, outcome="not_printing", at=now)
    assert start(cast, make_job(cast, state=State.LOADED, at=now, on=second), now)


def test_who_looked_before_a_start_left_looks_again_even_if_nobody_saw_it_happen(
    cast: Cast, now: datetime
) -> None:
    """Two tabs show the same plate; one starts, contact is lost, staff say that it failed: something may lie there."""
    job = make_job(cast, state=State.LOADED, at=now)
    shown = Machine.objects.get(pk=cast.machine.pk).plate_number
    order = start(cast, job, now)
    assert take_order(order.pk, lease_number=order.lease_number, at=now) is not None
    note_start_sent(order.attempt_id, at=now)
    hear(cast.machine.pk, report=Report.SILENT, at=now)
    press(job.pk, Action.FAIL, actor=cast.person("staff"), at=now, reason="other")
    hear(cast.machine.pk, report=Report.READY, at=now)
    with pytest.raises(Conflict) as refused:
        clear_plate(cast.machine.pk, actor=cast.person("staff"), at=now, seen_plate=shown)
    assert refused.value.codes == ["plate_used_since"]


@pytest.mark.parametrize("state", [State.SENDING, State.RUNNING])
def test_a_machine_with_a_file_on_its_way_or_at_work_gets_no_other_connection(
    cast: Cast, now: datetime, state: State
) -> None:
    make_job(cast, state=state, at=now)
    with pytest.raises(Refused) as refused:
        change_machine(cast.machine.pk, driver="handover", address="", actor=cast.person("staff"), at=now)
    assert refused.value.codes == ["machine_working"]
