"""A process that is frozen between taking a start and sending it sends nothing when it wakes (fault case 8)."""

import pytest

from jobs.lifecycle.states import OrderState
from jobs.lifecycle.table import ORDER_LIFETIME_S, Action
from jobs.supervision import bench, orders
from tests.fakes.faulty_proxy import Fault, FaultyProxy
from tests.fixtures.octoprint import OctoPrint
from tests.jobs.supervision.conftest import MakeLab
from tests.jobs.supervision.lab import Lab

pytestmark = pytest.mark.octoprint


@pytest.mark.parametrize(
    ("asleep", "why"),
    [(bench.LEASE_S, "lease_lost"), (ORDER_LIFETIME_S + 1, "expired")],
    ids=["long enough to lose the machine", "until after the order's time, and the lease was renewed first"],
)
async def test_a_start_that_slept_between_the_last_look_and_its_first_byte_does_not_leave(
    make_lab: MakeLab, octoprint: OctoPrint, monkeypatch: pytest.MonkeyPatch, asleep: float, why: str
) -> None:
    with FaultyProxy(octoprint.port) as proxy:
        lab = await make_lab(octoprint, port=proxy.port)
        await lab.watch()
        job = await lab.loaded()
        path = (await lab.attempt(job)).remote_path
        # The start's own look takes long enough to be seen under way on a busy computer.
        proxy.fault("GET /api/job", Fault.DELAY, times=None, seconds=2.0)

        await lab.press(job, Action.START, plate_clear=True)
        await lab.until(lambda: lab.order(job), lambda found: found.state == OrderState.TAKEN)
        fall_asleep(lab, monkeypatch, asleep, renewed=why == "expired")

        order = await lab.until(lambda: lab.order(job), lambda found: found.settled_at is not None)
        assert (order.state, order.outcome) == (OrderState.REFUSED, why)
        assert [line for line in proxy.requests if "POST /api/files/local/fl/" in line] == []
        assert lab.starts(path) == 0
        assert (await lab.attempt(job)).start_sent_at is None


def fall_asleep(lab: Lab, monkeypatch: pytest.MonkeyPatch, seconds: float, *, renewed: bool) -> None:
    """The one clock that runs on while a process sleeps has run on."""
    awake = bench.since_boot

    def later() -> float:
        return awake() + seconds

    monkeypatch.setattr(bench, "since_boot", later)
    monkeypatch.setattr(orders, "since_boot", later)
    if renewed:
        lab.watcher.lease.until = later() + bench.LEASE_S
