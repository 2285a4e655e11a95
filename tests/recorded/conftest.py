"""Recorded servers of both releases, and labs whose machine is one of them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from equipment.drivers.octoprint.driver import OctoPrintDriver
from tests.jobs.supervision.conftest import MakeLab, cast, make_lab
from tests.jobs.supervision.lab import Lab
from tests.recorded.answers import RELEASES
from tests.recorded.server import RecordedServer, speaking

__all__ = ["cast", "make_lab"]


@pytest.fixture(params=RELEASES)
async def recorded(request: pytest.FixtureRequest) -> AsyncIterator[RecordedServer]:
    """A server that says what a real one of this release said; the test runs once for each release."""
    async with speaking(request.param) as server:
        yield server


@pytest.fixture
async def driver(recorded: RecordedServer, tmp_path: Path) -> AsyncIterator[OctoPrintDriver]:
    async with AsyncExitStack() as stack:
        driver = OctoPrintDriver(recorded.as_octoprint(tmp_path).connection())
        stack.push_async_callback(driver.close)
        yield driver


@pytest.fixture
async def lab(recorded: RecordedServer, make_lab: MakeLab, tmp_path: Path) -> Lab:
    """A lab whose machine is the recorded server."""
    return await make_lab(recorded.as_octoprint(tmp_path))
