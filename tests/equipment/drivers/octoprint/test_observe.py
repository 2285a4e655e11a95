"""Looking at a real OctoPrint."""

import pytest

from equipment.drivers.base import MachineReport
from equipment.drivers.octoprint.driver import OctoPrintDriver
from tests.equipment.drivers.octoprint.conftest import MakeDriver
from tests.equipment.drivers.octoprint.helpers import Gcode, a_name, printing, until
from tests.fixtures.octoprint import OctoPrint

pytestmark = pytest.mark.octoprint


async def test_a_free_machine_is_ready_with_temperatures_and_without_progress(
    driver: OctoPrintDriver,
) -> None:
    seen = await until(driver, lambda seen: bool(seen.temperatures))

    assert (seen.report, seen.is_ready, seen.is_busy, seen.is_away) == (
        MachineReport.READY,
        True,
        False,
        False,
    )
    assert set(seen.temperatures) == {"bed", "tool0"}
    assert seen.temperatures["tool0"].target == 0
    assert seen.error is None
    assert seen.raw == "Operational"
    assert seen.at.utcoffset() is not None


async def test_progress_rises_and_what_is_not_known_yet_is_not_zero(
    driver: OctoPrintDriver, gcode: Gcode
) -> None:
    """Pitfall 20: completion counts bytes, and the time left is unknown for long."""
    await printing(driver, gcode(20))
    first = await until(driver, lambda seen: (seen.progress.percent or 0) > 0)
    assert first.progress.seconds_left is None

    second = await until(driver, lambda seen: (seen.progress.percent or 0) > (first.progress.percent or 0))

    assert 0 < (second.progress.percent or 0) < 100


async def test_after_a_finished_print_the_file_stays_selected_and_counts_one_success(
    driver: OctoPrintDriver, gcode: Gcode
) -> None:
    file = await driver.send(gcode(0.5), "fl", a_name(), {})
    await driver.start(file.path)
    await until(driver, lambda seen: seen.is_busy)

    seen = await until(driver, lambda seen: seen.is_ready)

    assert (seen.path, seen.progress.percent) == (file.path, 100)
    kept = await driver.remote_file(file.path)
    assert kept is not None
    assert (kept.prints_success, kept.prints_failure, kept.last_print_success) == (1, 0, True)
    assert kept.last_print_at is not None


async def test_a_print_that_somebody_else_started_shows_whose_it_is(
    octoprint: OctoPrint, driver: OctoPrintDriver, gcode: Gcode
) -> None:
    """Fault case 23: someone uses the machine past the queue."""
    file = await driver.send(gcode(20), "other", a_name(), {})
    octoprint.ask(f"/api/files/local/{file.path}", {"command": "select", "print": True})

    seen = await until(driver, lambda seen: seen.is_busy)

    assert (seen.path, seen.origin, seen.user) == (file.path, "local", "lab")


async def test_a_printer_that_is_not_connected_is_an_observation_and_no_error(
    octoprint_unconnected: OctoPrint, make_driver: MakeDriver
) -> None:
    """Pitfall 13: OctoPrint refuses to tell the printer's state then, with 409."""
    seen = await make_driver(octoprint_unconnected).observe()

    assert (seen.report, seen.is_away, seen.is_ready, seen.is_busy) == (
        MachineReport.DISCONNECTED,
        True,
        False,
        False,
    )
    assert (seen.path, seen.temperatures, seen.error) == (None, {}, None)


async def test_connecting_is_not_taken_for_ready_at_any_moment(
    octoprint: OctoPrint, driver: OctoPrintDriver
) -> None:
    octoprint.ask("/api/connection", {"command": "disconnect"})
    await until(driver, lambda seen: seen.report is MachineReport.DISCONNECTED)
    octoprint.ask("/api/connection", {"command": "connect"})
    reports = set()
    while MachineReport.READY not in reports:
        reports.add((await driver.observe()).report)

    assert reports <= {MachineReport.DISCONNECTED, MachineReport.READY}


async def test_starting_and_finishing_are_never_seen_as_ready(
    octoprint: OctoPrint, driver: OctoPrintDriver, gcode: Gcode
) -> None:
    """Pitfall 8: a print that has just ended still holds the machine."""
    file = await driver.send(gcode(0.3), "fl", a_name(), {})
    await driver.start(file.path)
    reports: list[MachineReport] = []
    while not reports or reports[-1] is not MachineReport.READY:
        reports.append((await driver.observe()).report)

    assert MachineReport.UNKNOWN not in reports
    kept = await driver.remote_file(file.path)
    assert kept is not None
    assert kept.prints_success == 1, "ready was seen before the print was over"
