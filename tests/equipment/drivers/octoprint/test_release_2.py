"""The same journey on OctoPrint 2: it differs in small things that a driver must not stumble over."""

import asyncio
import hashlib
from collections.abc import Iterator

import pytest

from equipment.drivers.base import Code, DriverError, MachineReport, PushEvent
from tests.equipment.drivers.octoprint.conftest import MakeDriver
from tests.equipment.drivers.octoprint.helpers import Gcode, a_name, printing, until
from tests.equipment.drivers.octoprint.test_watch import listening
from tests.fixtures.octoprint import OctoPrint, running, starts_in_log

pytestmark = pytest.mark.octoprint
RELEASE = "2.0.0rc7"


@pytest.fixture(scope="module")
def newer() -> Iterator[OctoPrint]:
    with running(octoprint_version=RELEASE) as (servers, _):
        yield servers[0]


async def test_connect_send_verify_start_pause_resume_stop_finish_on_release_2(
    newer: OctoPrint, make_driver: MakeDriver, gcode: Gcode
) -> None:
    driver = make_driver(newer)
    found = await driver.probe()
    assert (found.version, found.account, found.permissions_missing) == (RELEASE, "operator", ())

    source = gcode(30)
    async with listening(driver) as listener:
        file = await driver.send(source, "fl", a_name(), {"attempt": 1})
        assert file.sha1 == hashlib.sha1(source.read_bytes()).hexdigest()
        await driver.start(file.path)
        started = await listener.event(PushEvent.PRINT_STARTED)
        assert started.path == file.path
        seen = await until(driver, lambda seen: (seen.progress.percent or 0) > 0)
        assert (seen.report, seen.path, seen.user) == (MachineReport.PRINTING, file.path, "operator")

        await driver.pause()
        seen = await until(
            driver, lambda seen: not seen.is_changing and seen.report is not MachineReport.PRINTING
        )
        assert seen.report is MachineReport.PAUSED, "2.x calls a paused print printing as well"
        await driver.resume()
        await until(driver, lambda seen: seen.report is MachineReport.PRINTING)
        await driver.stop()
        await until(driver, lambda seen: seen.is_ready)

        short = await driver.send(gcode(1), "fl", a_name(), {"attempt": 2})
        await driver.start(short.path)
        done = await listener.event(PushEvent.PRINT_DONE)
        await until(driver, lambda seen: seen.is_ready)

    assert done.path == short.path
    assert listener.print_events() == [
        PushEvent.PRINT_STARTED,
        PushEvent.PRINT_PAUSED,
        PushEvent.PRINT_RESUMED,
        PushEvent.PRINT_CANCELLED,
        PushEvent.PRINT_STARTED,
        PushEvent.PRINT_DONE,
    ]
    kept = await driver.remote_file(short.path)
    assert kept is not None
    assert (kept.prints_success, kept.prints_failure, kept.last_print_success) == (1, 0, True)
    assert [start.path for start in starts_in_log(newer)] == [file.path, short.path]


async def test_a_firmware_error_names_its_reason_on_release_2(
    newer: OctoPrint, make_driver: MakeDriver, gcode: Gcode
) -> None:
    """The failure itself says "unknown" there; the reason came in the event before."""
    await asyncio.to_thread(newer.free)
    driver = make_driver(newer)
    file = await printing(driver, gcode(30))
    async with listening(driver) as listener:
        await asyncio.to_thread(newer.gcode, "!!DEBUG:trigger_fatal_error_marlin")
        failed = await listener.event(PushEvent.PRINT_FAILED)
        seen = await until(driver, lambda seen: seen.report is MachineReport.ERROR)

    assert failed.path == file.path
    assert "Thermal Runaway" in (failed.reason or "")
    assert seen.error_reason == "firmware"  # asked afterwards, it tells no reason at all


async def test_what_lies_there_under_our_name_is_read_before_it_is_believed_on_release_2(
    newer: OctoPrint, make_driver: MakeDriver, gcode: Gcode
) -> None:
    """2.x tells no hash: the file is read back."""
    name = a_name()
    await asyncio.to_thread(newer.upload, name, gcode(1, extra="; swapped!").read_bytes(), folder="fl")

    with pytest.raises(DriverError) as failed:
        await make_driver(newer).send(gcode(1, extra="; approved"), "fl", name, {})

    assert failed.value.code is Code.FILE_DIFFERS
