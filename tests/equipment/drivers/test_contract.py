"""Every kind of machine, the same questions (REL-21), each to a real counterpart.

What a kind says it can do decides which questions it is asked; what it says it cannot do, it must refuse.
"""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from equipment.drivers.base import (
    Capabilities,
    Code,
    Connection,
    Driver,
    DriverError,
    MachineReport,
    PushKind,
)
from equipment.drivers.registry import UnknownKind, make_driver
from tests.equipment.drivers.counterparts import TABLE, Counterpart, Kind
from tests.equipment.drivers.octoprint.helpers import until
from tests.fixtures.octoprint import OctoPrint


@dataclass(frozen=True)
class Machine:
    kind: Kind
    there: Counterpart


def kinds_that(suits: Callable[[Kind], bool] = lambda kind: True) -> pytest.MarkDecorator:
    """Ask this question of the kinds that suit it."""
    asked = [name for name, kind in TABLE.items() if suits(kind)]
    return pytest.mark.parametrize(
        "machine",
        [pytest.param(name, marks=[pytest.mark.octoprint] * (name == "octoprint")) for name in asked],
        indirect=True,
    )


@pytest.fixture
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    def server() -> OctoPrint:
        found: OctoPrint = request.getfixturevalue("octoprint")
        return found

    kind = TABLE[request.param]
    with kind.counterpart(tmp_path, server) as there:
        yield Machine(kind, there)


@pytest.fixture
async def driver(machine: Machine) -> AsyncIterator[Driver]:
    driver = machine.kind.made(machine.there.good)
    yield driver
    await driver.close()


@pytest.fixture
def source(machine: Machine, tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(machine.there.file)
    return path


async def refusal(
    kind: Kind, connection: Connection, ask: Callable[[Driver], Awaitable[object]] = lambda one: one.probe()
) -> DriverError:
    driver = kind.made(connection)
    try:
        with pytest.raises(DriverError) as refused:
            async with asyncio.timeout(15):
                await ask(driver)
    finally:
        await driver.close()
    return refused.value


CALLS: dict[str, tuple[Callable[[Capabilities], bool], Callable[[Driver, Path], Awaitable[object]]]] = {
    "probe": (lambda can: can.address, lambda one, source: one.probe()),
    "observe": (lambda can: can.observe, lambda one, source: one.observe()),
    "send": (lambda can: can.send, lambda one, source: one.send(source, "fl", "1-0a1b2c3d.dst", {})),
    "remote_file": (lambda can: can.send, lambda one, source: one.remote_file("1-0a1b2c3d.dst")),
    "list_folder": (lambda can: can.send, lambda one, source: one.list_folder("fl")),
    "delete": (lambda can: can.send, lambda one, source: one.delete("1-0a1b2c3d.dst")),
    "start": (lambda can: can.start, lambda one, source: one.start("1-0a1b2c3d.dst", source)),
    "pause": (lambda can: can.pause, lambda one, source: one.pause()),
    "resume": (lambda can: can.resume, lambda one, source: one.resume()),
    "stop": (lambda can: can.stop, lambda one, source: one.stop()),
}


# --- what it says of itself -------------------------------------------------------------------------------


def test_a_kind_nobody_knows_is_refused() -> None:
    with pytest.raises(UnknownKind):
        make_driver("teleporter", Connection("http://127.0.0.1:1"))


@kinds_that()
async def test_what_it_says_it_can_do_hangs_together(machine: Machine, driver: Driver) -> None:
    can = driver.capabilities
    assert can == machine.kind.can, "the same for every address"
    assert all(isinstance(value, bool) for value in dataclasses.asdict(can).values())
    assert can.address or can == Capabilities(), "without an address nothing can be done"
    assert can.start or not can.streams
    assert can.observe or not (can.push or can.temperatures or can.pause or can.resume or can.stop)
    assert can.pause == can.resume, "who can stop for a moment can go on"


@kinds_that()
@pytest.mark.parametrize("call", CALLS)
async def test_what_it_cannot_do_is_refused_for_certain_and_the_rest_is_tried(
    call: str, machine: Machine, driver: Driver, source: Path
) -> None:
    can, ask = CALLS[call]
    try:
        async with asyncio.timeout(15):
            await ask(driver, source)
        refused = None
    except DriverError as problem:
        refused = problem
    if can(machine.kind.can):
        assert refused is None or refused.code is not Code.NOT_SUPPORTED
    else:
        assert refused is not None
        assert (refused.code, refused.certain, refused.params) == (Code.NOT_SUPPORTED, True, {"call": call})


@kinds_that()
async def test_its_address_has_one_spelling_and_others_are_refused_before_anything_is_asked(
    machine: Machine, driver: Driver
) -> None:
    there = machine.there
    if there.other_spelling:
        other = machine.kind.made(replace(there.good, address=there.other_spelling))
        assert other.place() == driver.place()
        await other.close()
    for address in there.invalid:
        wrong = machine.kind.made(replace(there.good, address=address))
        with pytest.raises(DriverError) as refused:
            wrong.place()
        assert (address, refused.value.code) == (address, Code.ADDRESS_INVALID)
        await wrong.close()


# --- reaching it ------------------------------------------------------------------------------------------


@kinds_that(lambda kind: kind.can.address)
async def test_it_connects_and_says_as_whom(machine: Machine, driver: Driver) -> None:
    found = await driver.probe()
    assert found.permissions_missing == ()
    if machine.kind.can.key:
        assert found.version
        assert found.account


@kinds_that(lambda kind: kind.can.key)
async def test_it_refuses_a_wrong_key_by_name_and_never_shows_it(machine: Machine) -> None:
    assert machine.there.wrong_key is not None
    refused = await refusal(machine.kind, machine.there.wrong_key)
    assert refused.code is Code.BAD_KEY
    assert machine.there.wrong_key.key not in f"{refused!r} {refused} {machine.there.wrong_key!r}"


@kinds_that(lambda kind: kind.limited_to_places)
async def test_it_says_that_nobody_is_there(machine: Machine) -> None:
    assert machine.there.nobody is not None
    refused = await refusal(machine.kind, machine.there.nobody)
    assert (refused.code, refused.certain) == (machine.there.said_of_nobody, True)


@kinds_that(lambda kind: kind.limited_to_places)
async def test_it_does_not_go_where_it_may_not(machine: Machine, tmp_path: Path) -> None:
    source = tmp_path / "secret"
    source.write_bytes(b"not for strangers")
    for ask in (
        lambda one: one.probe(),
        lambda one: one.send(source, "fl", "1-0a1b2c3d.gcode", {}) if machine.kind.can.send else one.probe(),
        lambda one: one.start("1-0a1b2c3d.gcode", source) if machine.kind.can.start else one.probe(),
    ):
        refused = await refusal(machine.kind, machine.there.forbidden, ask)
        assert (refused.code, refused.certain) == (Code.ADDRESS_FORBIDDEN, True)
    wrong = machine.kind.made(machine.there.forbidden)
    with pytest.raises(DriverError) as told:
        wrong.place()
    assert told.value.code is Code.ADDRESS_FORBIDDEN
    await wrong.close()


@kinds_that(lambda kind: kind.can.observe and kind.limited_to_places)
async def test_it_gives_up_a_peer_that_accepts_and_says_nothing(machine: Machine) -> None:
    assert machine.there.mute is not None
    assert (await refusal(machine.kind, machine.there.mute)).code is Code.TIMED_OUT


# --- files ------------------------------------------------------------------------------------------------


@kinds_that(lambda kind: kind.can.send)
async def test_a_file_is_stored_proven_listed_never_written_over_and_removed(
    machine: Machine, driver: Driver, source: Path, tmp_path: Path
) -> None:
    counted: list[tuple[int, int]] = []
    name = machine.there.name
    file = await driver.send(source, "fl", name, {"attempt": 1}, lambda *count: counted.append(count))
    size = len(machine.there.file)
    assert file.size == size
    assert counted
    assert counted == sorted(counted), "it never counts backwards"
    assert counted[-1] == (size, size)
    assert await driver.remote_file(file.path) == file
    assert file.path in [listed.path for listed in await driver.list_folder("fl")]

    assert await driver.send(source, "fl", name, {}) == file, "the same file again is found there"
    other = tmp_path / "other"
    other.write_bytes(machine.there.file + b"\n; changed\n")
    with pytest.raises(DriverError) as refused:
        await driver.send(other, "fl", name, {})
    assert refused.value.code is Code.FILE_DIFFERS
    assert await driver.remote_file(file.path) == file, "what lay there is untouched"

    await driver.delete(file.path)
    await driver.delete(file.path)
    assert await driver.remote_file(file.path) is None
    assert file.path not in [listed.path for listed in await driver.list_folder("fl")]


@kinds_that(lambda kind: kind.can.send or kind.can.streams)
async def test_our_own_file_that_cannot_be_read_is_no_trouble_of_the_machine(
    machine: Machine, driver: Driver, tmp_path: Path
) -> None:
    with pytest.raises(OSError, match="gone"):
        if machine.kind.can.streams:
            await driver.start("", tmp_path / "gone")
        else:
            await driver.send(tmp_path / "gone", "fl", machine.there.name, {})


# --- orders -----------------------------------------------------------------------------------------------


@kinds_that(lambda kind: kind.can.observe and kind.can.start)
async def test_it_starts_observes_refuses_a_second_start_stops_and_is_ready_again(
    machine: Machine, driver: Driver, source: Path
) -> None:
    assert (await driver.observe()).report is MachineReport.READY
    file = await driver.send(source, "fl", machine.there.name, {})
    await driver.start(file.path)
    seen = await until(driver, lambda seen: seen.is_busy)
    assert seen.path == file.path
    with pytest.raises(DriverError) as second:
        await driver.start(file.path)
    assert (second.value.code, second.value.certain) == (Code.BUSY, True)
    with pytest.raises(DriverError) as kept:
        await driver.delete(file.path)
    assert kept.value.code is Code.BUSY
    await driver.stop()
    await until(driver, lambda seen: seen.is_ready)
    await driver.delete(file.path)


@kinds_that(lambda kind: kind.can.start and not kind.can.streams)
async def test_a_file_that_is_not_there_is_not_started(driver: Driver) -> None:
    with pytest.raises(DriverError) as refused:
        await driver.start("fl/nobody-sent-this.gcode")
    assert (refused.value.code, refused.value.certain) == (Code.FILE_MISSING, True)


@kinds_that(lambda kind: kind.can.observe and kind.can.stop)
async def test_with_nothing_at_work_there_is_nothing_to_stop_or_pause(
    machine: Machine, driver: Driver
) -> None:
    orders = [driver.stop, *([driver.pause, driver.resume] if machine.kind.can.pause else [])]
    for order in orders:
        with pytest.raises(DriverError) as refused:
            await order()
        assert (refused.value.code, refused.value.certain) == (Code.NOT_PRINTING, True)


@kinds_that(lambda kind: kind.can.pause)
async def test_it_pauses_once_however_often_it_is_asked_and_goes_on(
    machine: Machine, driver: Driver, source: Path
) -> None:
    file = await driver.send(source, "fl", f"pause-{machine.there.name}", {})
    await driver.start(file.path)
    await until(driver, lambda seen: seen.report is MachineReport.PRINTING)
    await driver.pause()
    await until(driver, lambda seen: seen.is_paused)
    await driver.pause()
    assert (await driver.observe()).is_paused
    await driver.resume()
    await until(driver, lambda seen: seen.report is MachineReport.PRINTING)
    await driver.stop()
    await until(driver, lambda seen: seen.is_ready)


@kinds_that(lambda kind: kind.can.streams)
async def test_a_start_that_carries_the_file_ends_when_the_machine_has_every_byte(
    machine: Machine, driver: Driver, source: Path
) -> None:
    counted: list[tuple[int, int]] = []
    size = len(machine.there.file)
    await driver.start("", source, lambda *count: counted.append(count))
    assert machine.there.received() == machine.there.file
    assert counted == sorted(counted)
    assert counted[-1] == (size, size)


@kinds_that(lambda kind: kind.can.streams)
async def test_a_start_that_should_carry_a_file_and_has_none_is_refused(driver: Driver) -> None:
    with pytest.raises(DriverError) as refused:
        await driver.start("fl/a-path.plt")
    assert (refused.value.code, refused.value.certain) == (Code.FILE_MISSING, True)


# --- being told, and the end ------------------------------------------------------------------------------


@kinds_that(lambda kind: kind.can.push)
async def test_it_pushes_connected_first(driver: Driver) -> None:
    async with asyncio.timeout(15):
        async for push in driver.watch():
            assert push.kind is PushKind.CONNECTED
            assert push.observation is not None
            break


@kinds_that(lambda kind: kind.can.push and kind.can.key)
async def test_it_pushes_lost_last_also_when_it_was_never_let_in(machine: Machine) -> None:
    assert machine.there.wrong_key is not None
    wrong = machine.kind.made(machine.there.wrong_key)
    try:
        pushes = [push async for push in wrong.watch()]
    finally:
        await wrong.close()
    assert [(push.kind, push.reason) for push in pushes] == [(PushKind.LOST, Code.BAD_KEY)]


@kinds_that(lambda kind: not kind.can.push)
async def test_who_tells_nothing_unasked_is_lost_at_once(driver: Driver) -> None:
    async with asyncio.timeout(15):
        pushes = [push async for push in driver.watch()]
    assert [(push.kind, push.reason) for push in pushes] == [(PushKind.LOST, Code.NOT_SUPPORTED)]


@kinds_that()
async def test_it_closes_twice_without_complaint(machine: Machine, driver: Driver) -> None:
    if machine.kind.can.address:
        await driver.probe()
    await driver.close()
    await driver.close()
