"""Drivers for the real server, closed after each test."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from equipment.drivers.octoprint.driver import OctoPrintDriver
from equipment.drivers.web import Limits
from tests.fixtures.octoprint import OctoPrint, gcode_lasting, running

MakeDriver = Callable[..., OctoPrintDriver]


@pytest.fixture
async def make_driver() -> AsyncIterator[MakeDriver]:
    """`make_driver(server, key=None, limits=None)`: a driver that is closed when the test ends."""
    async with AsyncExitStack() as stack:

        def make(server: OctoPrint, key: str | None = None, limits: Limits | None = None) -> OctoPrintDriver:
            driver = OctoPrintDriver(server.connection(key), limits=limits)
            stack.push_async_callback(driver.close)
            return driver

        yield make


@pytest.fixture(scope="module")
def octoprint_unconnected() -> Iterator[OctoPrint]:
    """A server whose printer was never connected."""
    with running(no_connect=True) as (servers, _):
        yield servers[0]


@pytest.fixture
def driver(octoprint: OctoPrint, make_driver: MakeDriver) -> OctoPrintDriver:
    """The operator's driver for the session's server."""
    return make_driver(octoprint)


@pytest.fixture
def gcode(tmp_path: Path) -> Callable[..., Path]:
    """`gcode(seconds, extra="")`: a file whose print takes about so long."""

    def make(seconds: float = 30, extra: str = "") -> Path:
        path = tmp_path / f"print-{len(list(tmp_path.iterdir()))}.gcode"
        path.write_bytes(gcode_lasting(seconds, extra))
        return path

    return make
