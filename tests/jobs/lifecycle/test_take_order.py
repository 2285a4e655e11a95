"""Supervision takes an order once, or not at all: each thing that does not fit sends nothing (REL-3)."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from equipment.machines.models import Machine
from equipment.sites.models import OpeningHours
from jobs.lifecycle.models import Attempt, Job, Order
from jobs.lifecycle.services import expire_orders, press, take_order
from jobs.lifecycle.states import OrderState, State
from jobs.lifecycle.table import Action
from tests.builders_jobs import Cast, make_job


@pytest.fixture
def order(cast: Cast, now: datetime) -> Order:
    job = make_job(cast, state=State.LOADED, at=now)
    _, order = press(job.pk, Action.START, actor=cast.person("staff"), at=now, plate_clear=True)
    assert order is not None
    return order


def take(order: Order, at: datetime, lease: int = 1) -> Order | None:
    return take_order(order.pk, lease_number=lease, at=at)


def test_it_is_taken_once(order: Order, now: datetime) -> None:
    assert take(order, now) is not None
    assert take(order, now) is None
    order.refresh_from_db()
    assert (order.state, order.taken_at) == (OrderState.TAKEN, now)


def test_taking_a_start_uses_up_the_plate_token(order: Order, now: datetime) -> None:
    take(order, now)
    assert Machine.objects.get().plate_token == ""


def expired(order: Order, now: datetime) -> dict[str, object]:
    return {"at": order.expires_at}


def another_owner(order: Order, now: datetime) -> dict[str, object]:
    Machine.objects.update(lease_number=2)
    return {"lease": 2}


def stale_owner(order: Order, now: datetime) -> dict[str, object]:
    return {"lease": 7}


def plate_marked(order: Order, now: datetime) -> dict[str, object]:
    Machine.objects.update(plate="to_clear")
    return {}


def other_token(order: Order, now: datetime) -> dict[str, object]:
    Machine.objects.update(plate_token="another")
    return {}


def out_of_order(order: Order, now: datetime) -> dict[str, object]:
    Machine.objects.update(out_of_order_since=now)
    return {}


def attempt_over(order: Order, now: datetime) -> dict[str, object]:
    Attempt.objects.update(ended_at=now)
    return {}


def job_moved_on(order: Order, now: datetime) -> dict[str, object]:
    Job.objects.filter(parts__attempt=order.attempt).update(state=State.RUNNING)
    return {}


@pytest.mark.parametrize(
    ("spoil", "outcome"),
    [
        (expired, "expired"),
        (another_owner, "lease_lost"),
        (stale_owner, "lease_lost"),
        (plate_marked, "plate_token"),
        (other_token, "plate_token"),
        (out_of_order, "out_of_order"),
        (attempt_over, "attempt_ended"),
        (job_moved_on, "not_loaded"),
    ],
)
def test_each_mismatch_alone_sends_nothing(
    spoil: Callable[[Order, datetime], dict[str, object]], outcome: str, order: Order, now: datetime
) -> None:
    given = spoil(order, now)
    assert take(order, **{"at": now, **given}) is None  # type: ignore[arg-type]
    order.refresh_from_db()
    assert order.state in {OrderState.REFUSED, OrderState.EXPIRED}
    assert order.outcome == outcome


def test_what_nobody_takes_expires_and_what_was_taken_and_lost_is_unknown(
    order: Order, now: datetime
) -> None:
    assert expire_orders(at=now + timedelta(seconds=59)) == 0
    assert expire_orders(at=now + timedelta(seconds=60)) == 1
    order.refresh_from_db()
    assert order.state == OrderState.EXPIRED
    Order.objects.update(state=OrderState.TAKEN, settled_at=None)
    assert expire_orders(at=now + timedelta(hours=12)) == 1, "at or before: a night off changes nothing"
    order.refresh_from_db()
    assert (order.state, order.outcome) == (OrderState.UNKNOWN, "answer_lost")


def test_a_plate_that_was_cleared_before_the_site_closed_is_no_right_the_next_day(
    cast: Cast, now: datetime, order: Order
) -> None:
    OpeningHours.objects.update(opens=9 * 60, closes=18 * 60)
    Machine.objects.update(plate_cleared_at=now - timedelta(days=1))
    assert take(order, now) is None
    order.refresh_from_db()
    assert order.outcome == "plate_token"
