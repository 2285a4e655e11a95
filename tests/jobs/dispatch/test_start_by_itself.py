"""A machine that opted in starts by itself on a plate that a person confirmed clear, and never otherwise (SEC-22)."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from equipment.bookings.states import BookingState
from equipment.machines.models import Machine
from equipment.machines.services import hear
from equipment.sites.models import OpeningHours, PowerCut, Presence
from fablab.core.models import Witness
from fablab.core.witness import Why
from jobs.dispatch import services as dispatch
from jobs.lifecycle.models import Attempt, Job, JobEvent, Order
from jobs.lifecycle.services import settle_order, take_order
from jobs.lifecycle.states import OrderState, State, Verb
from jobs.recovery.models import Interruption
from tests.builders import MONDAY, make_booking, make_person
from tests.builders_jobs import Cast, clear, make_cast, make_job, make_linked_machine

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    cast = make_cast(at=MONDAY)
    opt_in(cast.machine, cast)
    return cast


def opt_in(machine: Machine, cast: Cast) -> None:
    clear(machine, at=MONDAY)
    Machine.objects.filter(pk=machine.pk).update(auto_start=True, plate_cleared_by=cast.person("staff"))
    machine.refresh_from_db()


def loaded(cast: Cast, machine: Machine | None = None) -> Job:
    return make_job(cast, state=State.LOADED, at=MONDAY, on=machine or cast.machine)


def look(*machines: Machine) -> list[Order]:
    dispatch.look({machine.pk: machine.lease_number for machine in machines}, at=MONDAY)
    return list(Order.objects.filter(verb=Verb.START).order_by("created_at"))


def test_it_orders_one_start_in_the_name_of_who_cleared_the_plate_and_says_that_nobody_pressed(
    cast: Cast,
) -> None:
    job = loaded(cast)
    (order,) = look(cast.machine)
    assert (order.actor, order.state) == (cast.person("staff"), OrderState.WAITING)
    assert order.plate_token == cast.machine.plate_token
    event = JobEvent.objects.get(job=job, action="auto_start")
    assert (event.actor, event.source, event.details["auto"]) == (cast.person("staff"), "dispatcher", True)
    job.refresh_from_db()
    assert (job.state, job.version) == (State.LOADED, event.version)
    assert look(cast.machine) == [order]
    assert take_order(order.pk, lease_number=cast.machine.lease_number, at=MONDAY) is not None


def closed(cast: Cast) -> None:
    OpeningHours.objects.filter(site=cast.site).update(opens=0, closes=60)


def absent(cast: Cast) -> None:
    Presence.objects.all().delete()


def only_elsewhere(cast: Cast) -> None:
    Presence.objects.update(site=cast.elsewhere)


def not_opted_in(cast: Cast) -> None:
    Machine.objects.update(auto_start=False)


def no_remote_start(cast: Cast) -> None:
    cast.kind.remote_start = False
    cast.kind.save()


def plate_to_clear(cast: Cast) -> None:
    Machine.objects.update(plate="to_clear", plate_token="")


def token_used_up(cast: Cast) -> None:
    Machine.objects.update(plate_token="")


def cleared_by_nobody_who_is_known_any_more(cast: Cast) -> None:
    Machine.objects.update(plate_cleared_by=None)


def cleared_by_a_member_at_their_own_work(cast: Cast) -> None:
    Machine.objects.update(plate_cleared_by=cast.person("owner"))


def clock_doubted(cast: Cast) -> None:
    Witness.objects.update_or_create(
        pk=1, defaults={"at": MONDAY, "doubted_since": MONDAY, "why": Why.STEPPED}
    )


def after_a_power_cut(cast: Cast) -> None:
    Interruption.objects.create(site=cast.site, began_at=MONDAY, noticed_at=MONDAY)


def power_cut_announced(cast: Cast) -> None:
    soon = MONDAY + timedelta(minutes=29)
    PowerCut.objects.create(site=cast.site, start=soon, end=soon + timedelta(hours=1))


def closing_soon(cast: Cast) -> None:
    OpeningHours.objects.filter(site=cast.site).update(opens=0, closes=10 * 60 + 29)  # it is 10:00 there


def booked_soon(cast: Cast) -> None:
    make_booking(cast.machine, make_person(site=cast.site), start=MONDAY + timedelta(minutes=29))


def silent(cast: Cast) -> None:
    Machine.objects.update(seen_at=MONDAY - timedelta(minutes=1))


def at_work(cast: Cast) -> None:
    Machine.objects.update(report="printing")


def out_of_order(cast: Cast) -> None:
    Machine.objects.update(out_of_order_since=MONDAY)


def fault_told_by_anybody(cast: Cast) -> None:
    Machine.objects.update(needs_help_since=MONDAY, needs_help_why="fault_told")


def other_material(cast: Cast) -> None:
    Machine.objects.update(material="PETG")


def approval_gone(cast: Cast) -> None:
    cast.person("owner").is_active = False
    cast.person("owner").save()


def lease_elsewhere(cast: Cast) -> None:
    Machine.objects.update(lease_number=9)


@pytest.mark.parametrize(
    "stands_against",
    [
        closed,
        absent,
        only_elsewhere,
        not_opted_in,
        no_remote_start,
        plate_to_clear,
        token_used_up,
        cleared_by_nobody_who_is_known_any_more,
        cleared_by_a_member_at_their_own_work,
        clock_doubted,
        after_a_power_cut,
        power_cut_announced,
        closing_soon,
        booked_soon,
        silent,
        at_work,
        out_of_order,
        fault_told_by_anybody,
        other_material,
        approval_gone,
        lease_elsewhere,
    ],
)
def test_sec_22_nothing_starts_by_itself_when_anything_stands_against_it(
    cast: Cast, stands_against: Callable[[Cast], object]
) -> None:
    loaded(cast)
    stands_against(cast)
    assert look(cast.machine) == []


def test_a_machine_that_may_overrun_starts_by_itself_before_closing(cast: Cast) -> None:
    loaded(cast)
    closing_soon(cast)
    Machine.objects.update(may_overrun=True)
    assert len(look(cast.machine)) == 1


@pytest.mark.parametrize("became", [OrderState.REFUSED, OrderState.EXPIRED, OrderState.UNKNOWN])
def test_a_start_that_came_to_nothing_is_not_tried_again_by_itself(cast: Cast, became: OrderState) -> None:
    loaded(cast)
    (order,) = look(cast.machine)
    settle_order(order.pk, state=became, outcome="x", at=MONDAY)
    assert len(look(cast.machine)) == 1


def test_rel_22_starts_are_staggered_where_power_is_weak(cast: Cast) -> None:
    cast.site.start_gap_s = 60
    cast.site.save()
    second = make_linked_machine(cast.site, cast.model, at=MONDAY)
    opt_in(second, cast)
    loaded(cast)
    loaded(cast, second)
    leases = {machine.pk: machine.lease_number for machine in (cast.machine, second)}
    assert len(look(cast.machine, second)) == 1
    dispatch.look(leases, at=MONDAY + timedelta(seconds=59))
    assert Order.objects.count() == 1
    Machine.objects.update(seen_at=MONDAY + timedelta(seconds=59))
    dispatch.look(leases, at=MONDAY + timedelta(seconds=60))
    assert Order.objects.count() == 2
    assert len(set(Attempt.objects.values_list("orders__pk", flat=True))) == 2


def test_after_a_time_in_which_nobody_watched_it_waits_for_somebody_to_look_at_the_plate(cast: Cast) -> None:
    loaded(cast)
    Machine.objects.update(seen_at=MONDAY)
    later = MONDAY + timedelta(minutes=40)
    hear(cast.machine.pk, report=cast.machine.report, at=later)
    assert dispatch.look({cast.machine.pk: cast.machine.lease_number}, at=later) == []
    assert not Order.objects.exists()


def test_a_booking_that_was_cancelled_holds_nothing_up(cast: Cast) -> None:
    job = loaded(cast)
    job.booking = make_booking(
        cast.machine,
        cast.person("owner"),
        start=MONDAY + timedelta(hours=3),
        state=BookingState.CANCELLED,
    )
    job.save()
    assert len(look(cast.machine)) == 1


def test_after_i_am_done_the_buffer_is_nobodys_time_to_begin_in(cast: Cast) -> None:
    """What is kept free after a use is kept free of one's own next object, too."""
    own = make_booking(
        cast.machine, cast.person("owner"), start=MONDAY - timedelta(hours=1), end=MONDAY - timedelta(minutes=5),
        held_end=MONDAY + timedelta(minutes=5), state=BookingState.IN_USE,
    )  # fmt: skip
    for ended_at, starts in ((MONDAY - timedelta(minutes=5), 0), (None, 1)):
        type(own).objects.filter(pk=own.pk).update(ended_at=ended_at)
        Job.objects.all().update(state=State.CANCELLED)
        Attempt.objects.all().update(ended_at=MONDAY)
        Job.objects.filter(pk=loaded(cast).pk).update(booking=own)
        assert len(look(cast.machine)) == starts
