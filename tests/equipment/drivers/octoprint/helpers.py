"""What several tests of the OctoPrint driver need."""

import asyncio
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Protocol

from equipment.drivers.addresses import parse_allowed
from equipment.drivers.base import Connection, Driver, MachineReport, Observation, RemoteFile
from equipment.drivers.octoprint.driver import OctoPrintDriver
from equipment.drivers.web import Limits
from tests.fakes.faulty_proxy import FaultyProxy
from tests.fixtures.octoprint import OctoPrint

_numbers = count(1)


class Gcode(Protocol):
    def __call__(self, seconds: float = 30, extra: str = "") -> Path: ...


def a_name() -> str:
    """A file name that no test of this run has used."""
    return f"{next(_numbers)}-0a1b2c3d.gcode"


async def until(driver: Driver, wanted: Callable[[Observation], bool], seconds: float = 30) -> Observation:
    """Look until an observation is as wanted. Fails with the last one."""
    seen: Observation | None = None
    try:
        async with asyncio.timeout(seconds):
            while True:
                seen = await driver.observe()
                if wanted(seen):
                    return seen
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not as wanted after {seconds} s: {seen}") from None


async def printing(driver: Driver, source: Path) -> RemoteFile:
    """Send and start a file, and wait until it prints."""
    file = await driver.send(source, "fl", a_name(), {})
    await driver.start(file.path)
    await until(driver, lambda seen: seen.report is MachineReport.PRINTING and seen.path == file.path)
    return file


def through(proxy: FaultyProxy, server: OctoPrint, limits: Limits | None = None) -> OctoPrintDriver:
    """The operator's driver over a bad line. Close it before the line goes."""
    allowed = parse_allowed([f"127.0.0.1:{proxy.port}"])
    return OctoPrintDriver(Connection(proxy.url, server.operator_key, allowed), limits=limits)
