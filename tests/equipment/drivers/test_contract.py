"""Every kind of machine, the same questions (REL-21). A kind without a counterpart here fails."""

import asyncio
import dataclasses
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from equipment.drivers.addresses import parse_allowed
from equipment.drivers.base import Code, Connection, Driver, DriverError, MachineReport, PushKind
from equipment.drivers.registry import KINDS, UnknownKind, make_driver
from tests.equipment.drivers.octoprint.helpers import a_name, until
from tests.fixtures.octoprint import OctoPrint, gcode_lasting

pytestmark = pytest.mark.octoprint


@dataclasses.dataclass(frozen=True)
class Counterpart:
    """A real machine of one kind: how to reach it, and a file it can make."""

    kind: str
    good: Connection
    wrong_key: Connection
    long_file: bytes
    short_file: bytes


def octoprint_counterpart(server: OctoPrint) -> Counterpart:
    return Counterpart(
        "octoprint",
        good=server.connection(),
        wrong_key=server.connection("wrong"),
        long_file=gcode_lasting(30),
        short_file=gcode_lasting(1),
    )


COUNTERPARTS = {"octoprint": octoprint_counterpart}


def test_every_kind_has_a_counterpart_and_every_counterpart_is_a_kind() -> None:
    assert set(COUNTERPARTS) == set(KINDS)


def test_a_kind_nobody_knows_is_refused() -> None:
    with pytest.raises(UnknownKind):
        make_driver("teleporter", Connection("http://127.0.0.1:1", ""))


@pytest.fixture(params=sorted(KINDS))
def machine(request: pytest.FixtureRequest, octoprint: OctoPrint) -> Iterator[Counterpart]:
    yield COUNTERPARTS[request.param](octoprint)


@pytest.fixture
async def driver(machine: Counterpart) -> AsyncIterator[Driver]:
    driver = make_driver(machine.kind, machine.good)
    yield driver
    await driver.close()


async def refusal(kind: str, connection: Connection) -> DriverError:
    driver = make_driver(kind, connection)
    try:
        with pytest.raises(DriverError) as refused:
            async with asyncio.timeout(15):
                await driver.probe()
    finally:
        await driver.close()
    return refused.value


async def test_it_says_what_it_can_do(driver: Driver) -> None:
    said = dataclasses.asdict(driver.capabilities)
    assert said
    assert all(isinstance(value, bool) for value in said.values())


async def test_it_connects_and_says_as_whom(driver: Driver) -> None:
    found = await driver.probe()
    assert found.version
    assert found.account
    assert found.permissions_missing == ()


async def test_it_refuses_a_wrong_key_by_name(machine: Counterpart) -> None:
    assert (await refusal(machine.kind, machine.wrong_key)).code is Code.BAD_KEY


async def test_it_says_that_nobody_is_there(machine: Counterpart) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    nobody = Connection(f"http://127.0.0.1:{port}", "key", parse_allowed([f"127.0.0.1:{port}"]))
    assert (await refusal(machine.kind, nobody)).code is Code.CONNECTION_REFUSED


async def test_it_does_not_go_where_it_may_not(machine: Counterpart) -> None:
    forbidden = dataclasses.replace(machine.good, allowed=())
    refused = await refusal(machine.kind, forbidden)
    assert (refused.code, refused.certain) == (Code.ADDRESS_FORBIDDEN, True)


async def test_it_gives_up_a_peer_that_accepts_and_says_nothing(machine: Counterpart) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        mute = Connection(f"http://127.0.0.1:{port}", "key", parse_allowed([f"127.0.0.1:{port}"]))
        assert (await refusal(machine.kind, mute)).code is Code.TIMED_OUT


async def test_it_sends_proves_starts_observes_stops_and_deletes(
    machine: Counterpart, driver: Driver, tmp_path: Path
) -> None:
    source = tmp_path / "long.gcode"
    source.write_bytes(machine.long_file)
    assert (await driver.observe()).report is MachineReport.READY

    file = await driver.send(source, "fl", a_name(), {"attempt": 1})
    assert await driver.remote_file(file.path) == file
    assert file.path in [listed.path for listed in await driver.list_folder("fl")]
    await driver.start(file.path)
    seen = await until(driver, lambda seen: seen.is_busy)
    assert seen.path == file.path
    with pytest.raises(DriverError) as second:
        await driver.start(file.path)
    assert (second.value.code, second.value.certain) == (Code.BUSY, True)

    await driver.stop()
    await until(driver, lambda seen: seen.is_ready)
    await driver.delete(file.path)
    assert await driver.remote_file(file.path) is None


async def test_it_pushes_connected_first_and_lost_last(machine: Counterpart, driver: Driver) -> None:
    async for push in driver.watch():
        assert push.kind is PushKind.CONNECTED
        assert push.observation is not None
        break
    wrong = make_driver(machine.kind, machine.wrong_key)
    try:
        pushes = [push async for push in wrong.watch()]
    finally:
        await wrong.close()
    assert [(push.kind, push.reason) for push in pushes] == [(PushKind.LOST, Code.BAD_KEY)]


async def test_it_closes_twice_without_complaint(driver: Driver) -> None:
    await driver.observe()
    await driver.close()
    await driver.close()
