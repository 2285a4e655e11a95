"""Fault case 20: the server's clock jumps by an hour, either way, while a start is on its way."""

from dataclasses import replace
from datetime import timedelta

import pytest

from fablab.core.witness import Reading, clock_is_trusted, look
from jobs.lifecycle.models import Attempt, Order
from jobs.lifecycle.press import press
from jobs.lifecycle.services import expire_orders, take_order
from jobs.lifecycle.states import UNSETTLED, OrderState, State
from jobs.lifecycle.table import Action
from jobs.recovery.queries import may_start_by_itself
from tests.builders import MONDAY, hours
from tests.builders_jobs import Cast, make_cast, make_job

pytestmark = pytest.mark.django_db

RIGHT = Reading(MONDAY, 24 * 3600.0, False)


@pytest.fixture
def cast() -> Cast:
    look(RIGHT, None)
    return make_cast(at=MONDAY)


def jumped(by: timedelta) -> Reading:
    """Return what the computer says a second later."""
    return replace(RIGHT, at=MONDAY + by, running_s=RIGHT.running_s + 1)


@pytest.mark.parametrize("by", [hours(1), hours(-1)])
def test_a_start_that_was_asked_for_before_the_jump_is_not_sent_after_it(cast: Cast, by: timedelta) -> None:
    job = make_job(cast, state=State.LOADED, at=MONDAY)
    _job, order = press(job.pk, Action.START, actor=cast.person("staff"), at=MONDAY, plate_clear=True)
    assert order is not None
    assert take_order(order.pk, lease_number=1, at=MONDAY + by) is None
    expire_orders(at=MONDAY + by)
    assert not Order.objects.filter(state__in=UNSETTLED).exists()
    assert Order.objects.get().state == OrderState.EXPIRED
    assert Attempt.objects.get().start_sent_at is None


@pytest.mark.parametrize("by", [hours(1), hours(-1)])
def test_nothing_starts_by_itself_from_the_first_look_after_the_jump_on(cast: Cast, by: timedelta) -> None:
    assert may_start_by_itself(cast.site.pk, MONDAY)
    assert look(jumped(by), RIGHT)
    assert not may_start_by_itself(cast.site.pk, MONDAY + by)
    assert not clock_is_trusted(MONDAY + by)
