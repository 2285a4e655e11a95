"""Labs with real machines."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Protocol

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from tests.builders_jobs import Cast, make_cast
from tests.fixtures.octoprint import OctoPrint
from tests.jobs.supervision.lab import Lab, connect, make_supervisor


class MakeLab(Protocol):
    """The lab's machine is that server, perhaps behind the port of a proxy, perhaps with another key.

    `also`: ports of other machines.
    """

    async def __call__(
        self,
        server: OctoPrint,
        *,
        port: int | None = None,
        key: str | None = None,
        also: tuple[int, ...] = (),
    ) -> Lab: ...


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast(at=timezone.now())


@pytest.fixture
async def make_lab(cast: Cast, settings: Settings) -> AsyncIterator[MakeLab]:
    async with AsyncExitStack() as stack:

        async def make(
            server: OctoPrint, *, port: int | None = None, key: str | None = None, also: tuple[int, ...] = ()
        ) -> Lab:
            port = port or server.port
            # Both: a server may stand behind a proxy for one machine and be reached directly for another.
            settings.MACHINE_NETWORKS = [f"127.0.0.1:{one}" for one in sorted({port, server.port, *also})]
            supervisor, bench, end = make_supervisor()
            stack.callback(end)
            stack.push_async_callback(supervisor.close)
            lab = Lab(cast, server, bench, supervisor)
            key = server.operator_key if key is None else key
            await lab.db(connect, cast.machine, f"http://127.0.0.1:{port}", key)
            return lab

        yield make


@pytest.fixture
async def lab(make_lab: MakeLab, octoprint: OctoPrint) -> Lab:
    """A lab with one free machine."""
    return await make_lab(octoprint)
