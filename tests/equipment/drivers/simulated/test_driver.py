"""The simulation's driver: its speeds, its memory, and what it tells unasked."""

import asyncio
import io
import subprocess
import sys
from pathlib import Path

import pytest

from equipment.drivers.base import Code, Connection, DriverError, MachineReport, PushEvent, PushKind
from equipment.drivers.leaving import NotLeft, only_while
from equipment.drivers.simulated.driver import SimulatedDriver
from equipment.drivers.simulated.duration import LONGEST_S, seconds_of
from tests.fixtures.octoprint import PROJECT


def driver(machine: str, address: str = "simulated://3600") -> SimulatedDriver:
    return SimulatedDriver(Connection(address, machine=machine))


@pytest.fixture
def part(tmp_path: Path) -> Path:
    path = tmp_path / "part.gcode"
    path.write_text(";TIME:3600\nG28\n")
    return path


async def test_what_a_machine_does_outlives_its_driver_and_is_no_other_machines(part: Path) -> None:
    first = driver("outlives", "simulated://real")
    file = await first.send(part, "fl", "1.gcode", {})
    await first.start(file.path)
    await first.close()
    again = driver("outlives", "simulated://real")
    assert (await again.observe()).report is MachineReport.STARTING
    assert (await driver("another", "simulated://real").observe()).report is MachineReport.READY
    assert await driver("another", "simulated://real").remote_file(file.path) is None


def test_a_process_that_begins_anew_finds_its_machines_idle_and_empty_as_after_a_power_cut(
    part: Path,
) -> None:
    program = f"""
import asyncio
from pathlib import Path
from equipment.drivers.base import Connection
from equipment.drivers.simulated.driver import SimulatedDriver

async def main():
    driver = SimulatedDriver(Connection("simulated://real", machine="ada"))
    print((await driver.observe()).report, await driver.list_folder("fl"))
    await driver.start((await driver.send(Path({str(part)!r}), "fl", "1.gcode", {{}})).path)

asyncio.run(main())
"""
    for _ in range(2):
        said = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, cwd=PROJECT, timeout=30
        )
        assert said.stdout == "ready ()\n", said.stderr


async def test_it_tells_of_a_whole_print_without_being_asked(part: Path) -> None:
    one = driver("tells")
    file = await one.send(part, "fl", "1.gcode", {})
    told: list[PushEvent | None] = []
    kinds: list[PushKind] = []
    async with asyncio.timeout(30):
        async for push in one.watch():
            kinds.append(push.kind)
            if push.kind is PushKind.CONNECTED:
                await one.start(file.path)
            if push.kind is PushKind.EVENT:
                assert push.path == file.path
                told.append(push.event)
            if push.event is PushEvent.PRINT_DONE:
                break
    assert told == [PushEvent.PRINT_STARTED, PushEvent.PRINT_DONE]
    assert kinds[0] is PushKind.CONNECTED
    assert kinds.count(PushKind.STATE) >= 2


async def test_a_closed_driver_is_lost_to_whoever_watches() -> None:
    one = driver("closed")
    kinds = []
    async with asyncio.timeout(10):
        async for push in one.watch():
            kinds.append(push.kind)
            if push.kind is PushKind.CONNECTED:
                await one.close()
    assert (kinds[0], kinds[-1]) == (PushKind.CONNECTED, PushKind.LOST)


async def test_an_order_that_may_not_leave_any_more_changes_nothing(part: Path) -> None:
    one = driver("held back")
    file = await one.send(part, "fl", "1.gcode", {})
    with only_while(lambda: False), pytest.raises(NotLeft):
        await one.start(file.path)
    assert (await one.observe()).report is MachineReport.READY


@pytest.mark.parametrize(("address", "speed"), [("real", 1), ("quick", 60), ("7", 7), ("3600", 3600)])
async def test_its_version_says_that_it_is_a_simulation_and_how_fast(address: str, speed: int) -> None:
    assert (await driver("x", f"simulated://{address}").probe()).version == f"simulation x{speed}"


@pytest.mark.parametrize(
    "address", ["simulated://3601", "simulated://-1", "simulated://1.5", "simulated:quick"]
)
async def test_another_speed_is_no_address(address: str) -> None:
    with pytest.raises(DriverError) as refused:
        driver("x", address).place()
    assert refused.value.code is Code.ADDRESS_INVALID


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (";FLAVOR:Marlin\n;TIME:6666\n", 6666),
        ("G28\n; estimated printing time (normal mode) = 1d 2h 3m 4s\n", 93784),
        ("; estimated printing time (normal mode) = 12m 5s\n", 725),
        (";TIME:1\n", 10),
        (";TIME:9999999\n", LONGEST_S),
        ("G1 X1\n" * 20_000, 234),
        ("", 10),
        ("G1 X1\n" * 200_000 + "; estimated printing time (normal mode) = 1h 0m 0s\n", 3600),
    ],
)
def test_how_long_a_file_takes_is_what_its_slicer_wrote_else_a_guess_by_its_size(
    text: str, seconds: int
) -> None:
    data = text.encode()
    assert seconds_of(io.BytesIO(data), len(data)) == seconds
