"""A print from the printer's own card, started at its screen (case 23): it is nobody's of the queue."""

import asyncio
from collections.abc import Iterator

import pytest

from equipment.machines.states import Plate
from jobs.lifecycle.models import Job, Order
from jobs.lifecycle.states import OrderState, State
from jobs.lifecycle.table import Action
from tests.fixtures.octoprint import OctoPrint
from tests.jobs.supervision.lab import Lab

pytestmark = pytest.mark.octoprint

# A name longer than the eight letters of such cards: OctoPrint 1.11's virtual printer does not find a shorter one.
NAME = "vase-from-the-card.gcode"
MOVES = b"".join(b"G1 X%d F600\n" % (step % 2 * 90) for step in range(30))


@pytest.fixture
def card(octoprint: OctoPrint) -> Iterator[str]:
    """A file on the card, which somebody else put there. Its name at the printer's screen."""
    file = octoprint.basedir / "virtualSd" / NAME
    file.write_bytes(MOVES)
    yield NAME
    octoprint.free()
    file.unlink()


async def test_case_23_a_print_from_the_card_is_not_of_the_queue_which_waits_and_its_end_releases_nothing(
    lab: Lab, card: str
) -> None:
    await lab.watch()
    job = await lab.loaded()
    path = (await lab.attempt(job)).remote_path
    await asyncio.to_thread(lab.server.gcode, f"!!DEBUG:start_sd {card}")

    machine = await lab.until(lab.machine, lambda found: found.report_foreign)
    assert (machine.report, machine.report_path) == ("printing", card)
    assert machine.plate == Plate.TO_CLEAR
    with pytest.raises(Exception, match="machine_working"):
        await lab.press(job, Action.START, plate_clear=True)
    behind = await lab.queue()

    async def looked() -> Job:
        await lab.supervisor.tick()
        return await lab.job(behind)

    assert (await looked()).state == State.QUEUED
    await lab.until(lab.machine, lambda found: found.report == "ready", seconds=60)

    machine = await lab.machine()
    assert (machine.plate, machine.plate_token, machine.report_foreign) == (Plate.TO_CLEAR, "", False)
    assert ((await lab.job(job)).state, (await looked()).state) == (State.LOADED, State.QUEUED)
    assert lab.starts(path) == 0

    async def pressed() -> Order:
        """Somebody who emptied the plate presses; again, when the printer is not quite done with its card."""
        await (
            lab.supervisor.keep_leases()
        )  # as its process does all the time: the card took longer than a lease
        await lab.press(job, Action.START, plate_clear=True)
        order: Order = await lab.until(lambda: lab.order(job), lambda found: found.settled_at is not None)
        return order

    order = await lab.until(pressed, lambda found: found.state == OrderState.DONE)
    assert order.outcome == "accepted"
