"""A bad line to a real OctoPrint: what is certain afterwards, and what is not (REL-2)."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from equipment.drivers.base import Code, DriverError
from equipment.drivers.octoprint.driver import OctoPrintDriver
from equipment.drivers.web import Limits
from tests.equipment.drivers.octoprint.helpers import Gcode, a_name, printing, through, until
from tests.fakes.faulty_proxy import Fault, FaultyProxy
from tests.fixtures.octoprint import OctoPrint, starts_in_log

pytestmark = pytest.mark.octoprint

START = "POST /api/files/local/fl/"
UPLOAD = "POST /api/files/local HTTP"


@pytest.fixture
def line(octoprint: OctoPrint) -> Iterator[FaultyProxy]:
    with FaultyProxy(octoprint.port) as proxy:
        yield proxy


@pytest.fixture
async def driver(line: FaultyProxy, octoprint: OctoPrint) -> AsyncIterator[OctoPrintDriver]:
    driver = through(line, octoprint, Limits(answer=1.5, upload_stall=1.0))
    yield driver
    await driver.close()


async def problem_of_start(driver: OctoPrintDriver, path: str) -> DriverError:
    with pytest.raises(DriverError) as failed:
        await driver.start(path)
    return failed.value


async def test_when_the_answer_to_a_start_is_lost_the_print_runs_and_we_do_not_claim_to_know(
    octoprint: OctoPrint, line: FaultyProxy, driver: OctoPrintDriver, gcode: Gcode
) -> None:
    """Fault case 5."""
    file = await driver.send(gcode(20), "fl", a_name(), {})
    line.fault(START, Fault.DROP_REPLY)

    failed = await problem_of_start(driver, file.path)

    assert (failed.code, failed.certain) == (Code.ANSWER_LOST, False)
    seen = await until(driver, lambda seen: seen.is_busy)
    assert seen.path == file.path
    assert [start.path for start in starts_in_log(octoprint)].count(file.path) == 1
    assert len([sent for sent in line.requests if sent.startswith(START)]) == 1, "sent again blindly"


@pytest.mark.parametrize(
    ("fault", "code"), [(Fault.DROP_REQUEST, Code.ANSWER_LOST), (Fault.SWALLOW_REQUEST, Code.TIMED_OUT)]
)
async def test_when_a_start_is_lost_nothing_prints_and_we_do_not_claim_to_know(
    octoprint: OctoPrint, line: FaultyProxy, driver: OctoPrintDriver, gcode: Gcode, fault: Fault, code: Code
) -> None:
    """Fault case 6."""
    file = await driver.send(gcode(20), "fl", a_name(), {})
    line.fault(START, fault)

    failed = await problem_of_start(driver, file.path)

    assert (failed.code, failed.certain) == (code, False)
    assert (await driver.observe()).is_ready
    assert file.path not in [start.path for start in starts_in_log(octoprint)]


async def test_a_start_that_arrives_late_is_not_called_certain(
    line: FaultyProxy, driver: OctoPrintDriver, gcode: Gcode
) -> None:
    file = await driver.send(gcode(20), "fl", a_name(), {})
    line.fault(START, Fault.DELAY, seconds=2.0)

    failed = await problem_of_start(driver, file.path)

    assert (failed.code, failed.certain) == (Code.TIMED_OUT, False)
    seen = await until(driver, lambda seen: seen.is_busy)
    assert seen.path == file.path


async def test_a_start_that_could_not_look_first_was_certainly_not_sent(
    line: FaultyProxy, driver: OctoPrintDriver, gcode: Gcode
) -> None:
    file = await driver.send(gcode(20), "fl", a_name(), {})
    line.fault("GET /api/job", Fault.DROP_REPLY, times=None)  # a question may be asked again, an order not

    failed = await problem_of_start(driver, file.path)

    assert failed.certain
    assert not [sent for sent in line.requests if sent.startswith(START)]


async def test_a_start_towards_nobody_was_certainly_not_sent(octoprint: OctoPrint) -> None:
    with FaultyProxy(octoprint.port) as line:
        driver = through(line, octoprint)
    try:
        failed = await problem_of_start(driver, "fl/x.gcode")
    finally:
        await driver.close()
    assert (failed.code, failed.certain) == (Code.CONNECTION_REFUSED, True)


@pytest.mark.parametrize("order", ["pause", "stop"])
async def test_when_the_answer_to_an_order_is_lost_it_is_not_repeated(
    line: FaultyProxy, driver: OctoPrintDriver, gcode: Gcode, order: str
) -> None:
    await printing(driver, gcode(20))
    line.fault("POST /api/job", Fault.DROP_REPLY)

    with pytest.raises(DriverError) as failed:
        await getattr(driver, order)()

    assert (failed.value.code, failed.value.certain) == (Code.ANSWER_LOST, False)
    assert len([sent for sent in line.requests if sent.startswith("POST /api/job")]) == 1
    await until(driver, lambda seen: seen.is_paused if order == "pause" else seen.is_ready)


async def test_half_an_answer_is_lost_and_a_dribbled_one_times_out(
    line: FaultyProxy, driver: OctoPrintDriver
) -> None:
    line.fault("GET /api/job", Fault.CUT_REPLY, after=400)
    with pytest.raises(DriverError) as cut:
        await driver.observe()
    line.fault("GET /api/job", Fault.DRIBBLE, seconds=0.05)
    began = time.monotonic()
    with pytest.raises(DriverError) as dribbled:
        await driver.observe()

    assert cut.value.code is Code.ANSWER_LOST
    assert dribbled.value.code is Code.TIMED_OUT
    assert time.monotonic() - began < 3
    assert (await driver.observe()).is_ready


async def test_an_upload_that_is_cut_leaves_no_file_and_can_be_sent_again(
    line: FaultyProxy, driver: OctoPrintDriver, tmp_path: Path
) -> None:
    source, name = tmp_path / "large.gcode", a_name()
    source.write_bytes(b"; a comment\n" * 200_000)
    line.fault(UPLOAD, Fault.CUT_REQUEST, after=1_500_000)

    with pytest.raises(DriverError) as failed:
        await driver.send(source, "fl", name, {})
    assert (failed.value.code, failed.value.certain) == (Code.ANSWER_LOST, False)
    assert await driver.remote_file(f"fl/{name}") is None

    file = await driver.send(source, "fl", name, {})
    assert file.size == source.stat().st_size


async def test_an_upload_whose_answer_is_lost_is_found_when_it_is_sent_again(
    line: FaultyProxy, driver: OctoPrintDriver, gcode: Gcode
) -> None:
    """Fault case 3, seen from the driver: never two files."""
    source, name = gcode(1), a_name()
    line.fault(UPLOAD, Fault.DROP_REPLY)
    with pytest.raises(DriverError) as failed:
        await driver.send(source, "fl", name, {"attempt": 5})
    assert (failed.value.code, failed.value.certain) == (Code.ANSWER_LOST, False)

    file = await driver.send(source, "fl", name, {"attempt": 5})

    assert file.path == f"fl/{name}"
    assert [stored.path for stored in await driver.list_folder("fl")].count(file.path) == 1


async def test_an_upload_that_nobody_takes_ends_in_time(
    line: FaultyProxy, driver: OctoPrintDriver, tmp_path: Path
) -> None:
    source = tmp_path / "large.gcode"
    source.write_bytes(b"; a comment\n" * 2_000_000)
    line.fault(UPLOAD, Fault.STALL)
    began = time.monotonic()

    with pytest.raises(DriverError) as failed:
        await driver.send(source, "fl", a_name(), {})

    assert (failed.value.code, failed.value.certain) == (Code.TIMED_OUT, False)
    assert time.monotonic() - began < 6


async def test_a_file_that_another_client_replaced_after_sending_is_seen_to_differ(
    octoprint: OctoPrint, driver: OctoPrintDriver, gcode: Gcode
) -> None:
    """Fault case 25: what lies there now is not what was approved."""
    source, name = gcode(1, extra="; approved"), a_name()
    file = await driver.send(source, "fl", name, {})
    octoprint.upload(name, gcode(1, extra="; swapped!").read_bytes(), folder="fl")
    changed = await driver.remote_file(file.path)
    assert changed is not None
    assert (changed.path, changed.size) == (file.path, file.size)
    assert changed.sha1 != file.sha1

    with pytest.raises(DriverError) as failed:
        await driver.send(source, "fl", name, {})

    assert (failed.value.code, failed.value.certain) == (Code.FILE_DIFFERS, True)
