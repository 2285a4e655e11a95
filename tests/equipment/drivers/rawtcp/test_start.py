"""A file streamed to a cutter: all of it, or an error that says whether a byte may have left."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from equipment.drivers.addresses import AllowedAddress, parse_allowed
from equipment.drivers.base import Code, Connection, DriverError
from equipment.drivers.leaving import NotLeft, only_while
from equipment.drivers.rawtcp.driver import RawTcpDriver
from equipment.drivers.rawtcp.stream import Limits
from tests.fakes import cutter as behaviours
from tests.fakes.cutter import Behaviour, Cutter

DRAWING = b"IN;SP1;" + b"PU0,0;PD4000,0,4000,4000,0,4000,0,0;" * 60_000 + b"PU;SP0;"
QUICK = Limits(stall=0.6, parting=0.5, look=0.02)


def allowed(port: int) -> tuple[AllowedAddress, ...]:
    return parse_allowed([f"127.0.0.1:{port}"])


@contextmanager
def a_cutter(behaviour: Behaviour, limits: Limits = QUICK) -> Iterator[tuple[Cutter, RawTcpDriver]]:
    with Cutter(behaviour, buffer=4096) as cutter:
        yield cutter, RawTcpDriver(Connection(cutter.address, "", allowed(cutter.port)), limits=limits)


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    path = tmp_path / "drawing.plt"
    path.write_bytes(DRAWING)
    return path


@pytest.fixture
async def counted() -> AsyncIterator[list[tuple[int, int]]]:
    yield []


async def refusal(driver: RawTcpDriver, drawing: Path) -> DriverError:
    with pytest.raises(DriverError) as refused:
        async with asyncio.timeout(30):
            await driver.start("", drawing)
    return refused.value


async def test_a_cutter_that_takes_it_bit_by_bit_gets_every_byte_and_what_it_has_taken_is_counted(
    drawing: Path, counted: list[tuple[int, int]], tmp_path: Path
) -> None:
    short = tmp_path / "short.plt"
    short.write_bytes(DRAWING[:400_000])
    with a_cutter(behaviours.takes_slowly, Limits(look=0.02)) as (cutter, driver):
        await driver.start("", short, lambda *count: counted.append(count))
        cutter.wait_until(400_000)
        assert bytes(cutter.received) == DRAWING[:400_000]
    assert counted == sorted(counted)
    assert len(counted) > 20
    assert counted[-1] == (400_000, 400_000)


async def test_a_cutter_that_hangs_up_when_it_has_all_has_all(drawing: Path) -> None:
    with a_cutter(behaviours.hangs_up_when_it_has_all) as (cutter, driver):
        await driver.start("", drawing)
        assert bytes(cutter.received) == DRAWING


async def test_a_line_that_is_reset_in_the_middle_leaves_everybody_uncertain(drawing: Path) -> None:
    with a_cutter(behaviours.resets_after(100_000)) as (cutter, driver):
        refused = await refusal(driver, drawing)
        assert (refused.code, refused.certain) == (Code.ANSWER_LOST, False)
        assert 100_000 <= len(cutter.received) < len(DRAWING)


async def test_a_cutter_that_closes_with_bytes_unread_is_no_success(drawing: Path, tmp_path: Path) -> None:
    """The rest lies in its computer's memory, confirmed to ours, and is thrown away."""
    short = tmp_path / "short.plt"
    short.write_bytes(DRAWING[:3000])

    def closes_early(cutter: Cutter, line: socket.socket) -> None:
        cutter.took(line.recv(1000, socket.MSG_WAITALL))

    with a_cutter(closes_early) as (_, driver):
        refused = await refusal(driver, short)
        assert (refused.code, refused.certain) == (Code.ANSWER_LOST, False)


async def test_a_cutter_that_takes_nothing_is_given_up_and_nothing_reaches_it_afterwards(
    drawing: Path,
) -> None:
    with a_cutter(behaviours.takes_nothing) as (cutter, driver):
        refused = await refusal(driver, drawing)
        assert (refused.code, refused.certain) == (Code.TIMED_OUT, False)
        await asyncio.to_thread(cutter.wait_until_met)
        assert cutter.connections == 1


async def test_a_cutter_that_pauses_for_less_than_its_time_is_not_given_up(tmp_path: Path) -> None:
    """While it cuts it takes nothing; each byte taken gives it its whole time again."""
    short = tmp_path / "short.plt"
    short.write_bytes(DRAWING[:120_000])

    def pauses(cutter: Cutter, line: socket.socket) -> None:
        while part := line.recv(8192):
            cutter.took(part)
            if cutter.leaving.wait(0.15):
                return

    with a_cutter(pauses, Limits(stall=1.5, parting=0.5, look=0.02)) as (cutter, driver):
        await driver.start("", short)  # lasts longer than one pause may
        cutter.wait_until(120_000)


async def test_the_whole_has_a_limit_although_each_piece_comes_in_time(drawing: Path) -> None:
    with a_cutter(behaviours.takes_slowly, Limits(whole=0.5, look=0.02)) as (_, driver):
        refused = await refusal(driver, drawing)
        assert (refused.code, refused.certain) == (Code.TIMED_OUT, False)


async def test_a_machine_that_talks_without_end_is_not_listened_to(drawing: Path) -> None:
    with a_cutter(behaviours.talks_without_end) as (_, driver):
        refused = await refusal(driver, drawing)
        assert (refused.code, refused.certain) == (Code.ANSWER_TOO_LARGE, False)


async def test_where_nobody_listens_it_is_certain_that_nothing_left(drawing: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    driver = RawTcpDriver(Connection(f"tcp://127.0.0.1:{port}", "", allowed(port)))
    refused = await refusal(driver, drawing)
    assert (refused.code, refused.certain) == (Code.CONNECTION_REFUSED, True)


async def test_an_order_that_may_not_leave_any_more_opens_the_line_and_says_nothing(drawing: Path) -> None:
    with a_cutter(behaviours.takes_all) as (cutter, driver):
        with only_while(lambda: False), pytest.raises(NotLeft):
            await driver.start("", drawing)
        assert cutter.received == b""


async def test_a_second_start_while_the_first_streams_is_busy(drawing: Path) -> None:
    with a_cutter(behaviours.takes_nothing, Limits(look=0.02)) as (cutter, driver):
        moved = asyncio.Event()
        first = asyncio.ensure_future(driver.start("", drawing, lambda *count: moved.set()))
        await asyncio.wait_for(moved.wait(), 20)
        refused = await refusal(driver, drawing)
        assert (refused.code, refused.certain) == (Code.BUSY, True)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await asyncio.to_thread(cutter.wait_until_met)
        assert cutter.connections == 1


async def test_a_start_that_is_cancelled_cuts_the_line_and_the_rest_never_arrives(drawing: Path) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def until_cut(cutter: Cutter, line: socket.socket) -> None:
        try:
            behaviours.takes_slowly(cutter, line)
        finally:
            loop.call_soon_threadsafe(ended.set)

    with a_cutter(until_cut) as (cutter, driver):
        streaming = asyncio.ensure_future(driver.start("", drawing))
        await asyncio.to_thread(cutter.wait_until, 10_000)
        streaming.cancel()
        with pytest.raises(asyncio.CancelledError):
            await streaming
        await asyncio.wait_for(ended.wait(), 20)  # reset, not waited for to the end
        assert len(cutter.received) < len(DRAWING)


async def test_a_file_that_shrinks_while_it_is_streamed_is_never_taken_for_the_whole(drawing: Path) -> None:
    with a_cutter(behaviours.takes_slowly, Limits(look=0.02)) as (cutter, driver):
        streaming = asyncio.ensure_future(driver.start("", drawing))
        await asyncio.to_thread(cutter.wait_until, 10_000)
        await asyncio.to_thread(drawing.write_bytes, DRAWING[:300_000])
        with pytest.raises(DriverError) as refused:
            await asyncio.wait_for(streaming, 30)
        assert (refused.value.code, refused.value.certain) == (Code.FILE_DIFFERS, False)


async def test_a_name_is_looked_up_once_and_only_an_allowed_address_of_it_is_reached(drawing: Path) -> None:
    with a_cutter(behaviours.takes_all) as (cutter, _):
        named = Connection(f"tcp://localhost:{cutter.port}", "", allowed(cutter.port))
        await RawTcpDriver(named).start("", drawing)
        assert bytes(cutter.received) == DRAWING
        elsewhere = Connection(named.address, "", parse_allowed(["10.0.0.0/8:9100"]))
        refused = await refusal(RawTcpDriver(elsewhere), drawing)
        assert (refused.code, refused.params) == (Code.ADDRESS_FORBIDDEN, {"reason": "loopback"})
        assert cutter.connections == 1


async def test_a_name_that_nobody_knows_is_name_unknown() -> None:
    driver = RawTcpDriver(Connection("tcp://cutter.invalid", "", allowed(9100)))
    with pytest.raises(DriverError) as refused:
        await driver.probe()
    assert (refused.value.code, refused.value.certain) == (Code.NAME_UNKNOWN, True)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("tcp://10.0.0.7", "tcp://10.0.0.7:9100"),
        ("tcp://CUTTER.lan:9101/", "tcp://cutter.lan:9101"),
        ("tcp://[fd12::7]:9100", "tcp://[fd12::7]:9100"),
    ],
)
def test_an_address_is_a_host_and_a_port_which_is_9100_when_it_is_left_out(address: str, place: str) -> None:
    everywhere = parse_allowed(["10.0.0.0/8:1-65535", "[fd00::/8]:1-65535"])
    assert RawTcpDriver(Connection(address, "", everywhere)).place() == place


@pytest.mark.parametrize(
    "address",
    [
        "tcp://",
        "tcp://10.0.0.7:0",
        "tcp://10.0.0.7:70000",
        "tcp://u@10.0.0.7",
        "tcp://10.0.0.7:9100/x",
        "tcp://10.0.0.7?x",
        "tcp://10.0.0.7#x",
        "tcp://10.0.0.7:9100 ",
        "tcp://[fd12::7",
    ],
)
def test_anything_more_or_less_is_no_address(address: str) -> None:
    with pytest.raises(DriverError) as refused:
        RawTcpDriver(Connection(address)).place()
    assert refused.value.code is Code.ADDRESS_INVALID
