"""Pausing, resuming, stopping."""

import pytest

from equipment.drivers.base import Code, DriverError, MachineReport
from equipment.drivers.octoprint.driver import OctoPrintDriver
from tests.equipment.drivers.octoprint.conftest import MakeDriver
from tests.equipment.drivers.octoprint.helpers import Gcode, printing, until
from tests.fixtures.octoprint import OctoPrint

pytestmark = pytest.mark.octoprint


async def test_a_print_is_paused_resumed_and_stopped(driver: OctoPrintDriver, gcode: Gcode) -> None:
    file = await printing(driver, gcode(30))

    await driver.pause()
    seen = await until(driver, lambda seen: seen.report is MachineReport.PAUSED)
    assert (seen.is_busy, seen.path) == (True, file.path)

    await driver.resume()
    await until(driver, lambda seen: seen.report is MachineReport.PRINTING)

    await driver.stop()
    seen = await until(driver, lambda seen: seen.is_ready)
    assert seen.progress.percent is None
    kept = await driver.remote_file(file.path)
    assert kept is not None
    assert (kept.prints_success, kept.prints_failure, kept.last_print_success) == (0, 1, False)


async def test_a_second_pause_does_not_resume(driver: OctoPrintDriver, gcode: Gcode) -> None:
    """Pitfall 18: without an action OctoPrint toggles."""
    await printing(driver, gcode(30))
    await driver.pause()
    await until(driver, lambda seen: seen.is_paused)

    await driver.pause()
    await driver.pause()

    for _ in range(20):
        assert (await driver.observe()).report is MachineReport.PAUSED


async def test_a_pause_that_waits_for_a_running_command_is_seen_as_pausing(
    driver: OctoPrintDriver, gcode: Gcode
) -> None:
    """Pitfall 19: a pause lasts as long as the command that runs."""
    await printing(driver, gcode(1, extra="G4 P3000\n" * 4))

    await driver.pause()

    seen = await until(driver, lambda seen: seen.report is not MachineReport.PRINTING)
    assert (seen.report, seen.is_changing, seen.is_busy) == (MachineReport.PAUSING, True, True)


@pytest.mark.parametrize("order", ["pause", "resume", "stop"])
async def test_without_a_print_there_is_nothing_to_order(driver: OctoPrintDriver, order: str) -> None:
    with pytest.raises(DriverError) as refused:
        await getattr(driver, order)()

    assert (refused.value.code, refused.value.certain) == (Code.NOT_PRINTING, True)
    assert (await driver.observe()).is_ready


@pytest.mark.parametrize("order", ["pause", "resume", "stop"])
async def test_without_a_printer_the_refusal_says_so(
    octoprint_unconnected: OctoPrint, make_driver: MakeDriver, order: str
) -> None:
    with pytest.raises(DriverError) as refused:
        await getattr(make_driver(octoprint_unconnected), order)()

    assert (refused.value.code, refused.value.certain) == (Code.PRINTER_DISCONNECTED, True)


async def test_starting_is_refused_while_paused(driver: OctoPrintDriver, gcode: Gcode) -> None:
    file = await printing(driver, gcode(30))
    await driver.pause()
    await until(driver, lambda seen: seen.is_paused)

    with pytest.raises(DriverError) as refused:
        await driver.start(file.path)

    assert (refused.value.code, refused.value.certain) == (Code.BUSY, True)
    assert (await driver.observe()).is_paused
