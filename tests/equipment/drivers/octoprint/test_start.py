"""Starting a print, on a real OctoPrint."""

import pytest

from equipment.drivers.base import Code, DriverError
from equipment.drivers.octoprint.driver import OctoPrintDriver
from tests.equipment.drivers.octoprint.conftest import MakeDriver
from tests.equipment.drivers.octoprint.helpers import Gcode, a_name, until
from tests.fixtures.octoprint import OctoPrint, StartServers, starts_in_log

pytestmark = pytest.mark.octoprint


async def test_a_start_prints_exactly_the_file_that_was_sent(
    octoprint: OctoPrint, driver: OctoPrintDriver, gcode: Gcode
) -> None:
    file = await driver.send(gcode(20), "fl", a_name(), {"attempt": 1})

    await driver.start(file.path)

    seen = await until(driver, lambda seen: seen.is_busy)
    assert (seen.path, seen.origin, seen.user) == (file.path, "local", "operator")
    assert [start.path for start in starts_in_log(octoprint)].count(file.path) == 1


async def test_a_start_while_something_prints_is_refused_as_busy_and_changes_nothing(
    octoprint: OctoPrint, driver: OctoPrintDriver, gcode: Gcode
) -> None:
    first = await driver.send(gcode(20), "fl", a_name(), {})
    second = await driver.send(gcode(20), "fl", a_name(), {})
    await driver.start(first.path)
    await until(driver, lambda seen: seen.is_busy)

    with pytest.raises(DriverError) as refused:
        await driver.start(second.path)

    assert (refused.value.code, refused.value.certain) == (Code.BUSY, True)
    assert (await driver.observe()).path == first.path
    assert second.path not in [start.path for start in starts_in_log(octoprint)]


async def test_a_start_at_the_very_moment_a_print_ends_starts_or_says_busy_but_is_never_dropped(
    octoprint: OctoPrint, driver: OctoPrintDriver, gcode: Gcode
) -> None:
    """Pitfall 8: within 0.1 s of an end OctoPrint accepts a start and forgets it."""
    first = await driver.send(gcode(0.5), "fl", a_name(), {})
    second = await driver.send(gcode(20), "fl", a_name(), {})
    await driver.start(first.path)
    refusals = 0
    while True:
        try:
            await driver.start(second.path)
        except DriverError as refused:
            assert (refused.code, refused.certain) == (Code.BUSY, True)
            refusals += 1
        else:
            break

    seen = await until(driver, lambda seen: seen.is_busy)
    assert refusals > 0
    assert seen.path == second.path
    assert [start.path for start in starts_in_log(octoprint)][-2:] == [first.path, second.path]


async def test_a_file_that_is_not_there_is_not_started(driver: OctoPrintDriver) -> None:
    with pytest.raises(DriverError) as refused:
        await driver.start("fl/nobody-sent-this.gcode")

    assert (refused.value.code, refused.value.certain) == (Code.FILE_MISSING, True)
    assert (await driver.observe()).is_ready


async def test_without_a_printer_a_start_is_refused_for_that_reason(
    octoprint_servers: StartServers, make_driver: MakeDriver, gcode: Gcode
) -> None:
    """Fault case 26: OctoPrint stores the file with 201 and starts nothing."""
    (server,) = octoprint_servers(no_connect=True)
    driver = make_driver(server)
    file = await driver.send(gcode(5), "fl", a_name(), {})

    with pytest.raises(DriverError) as refused:
        await driver.start(file.path)

    assert (refused.value.code, refused.value.certain) == (Code.PRINTER_DISCONNECTED, True)
    assert starts_in_log(server) == []
