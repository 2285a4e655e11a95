"""The push channel of a real OctoPrint: prompt, honest about its loss, one event for each thing."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from equipment.drivers.base import Code, DriverError, MachineReport, Push, PushEvent, PushKind
from equipment.drivers.octoprint.driver import OctoPrintDriver
from equipment.drivers.web import Limits
from tests.equipment.drivers.octoprint.conftest import MakeDriver
from tests.equipment.drivers.octoprint.helpers import Gcode, a_name, printing, through, until
from tests.fakes.faulty_proxy import Fault, FaultyProxy
from tests.fixtures.octoprint import OctoPrint, StartServers

pytestmark = pytest.mark.octoprint

PRINT_EVENTS = {event for event in PushEvent if event.value.startswith("print_")}


class Listener:
    """Collects what a push channel says, with the moment each message came."""

    def __init__(self) -> None:
        self.pushes: list[Push] = []
        self.moments: list[float] = []
        self._news = asyncio.Event()

    def hear(self, push: Push) -> None:
        self.pushes.append(push)
        self.moments.append(time.monotonic())
        self._news.set()

    async def wait(self, wanted: Callable[[Push], bool], seconds: float = 20) -> Push:
        """The first push, heard already or still to come, that is as wanted."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    self._news.clear()
                    for push in self.pushes:
                        if wanted(push):
                            return push
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"not heard within {seconds} s: {self.pushes}") from None

    async def event(self, event: PushEvent, seconds: float = 20) -> Push:
        return await self.wait(lambda push: push.event is event, seconds)

    def print_events(self) -> list[PushEvent]:
        return [push.event for push in self.pushes if push.event in PRINT_EVENTS and push.event is not None]


@asynccontextmanager
async def listening(driver: OctoPrintDriver) -> AsyncIterator[Listener]:
    """A listener that has been let in."""
    listener = Listener()

    async def listen() -> None:
        async for push in driver.watch():
            listener.hear(push)

    task = asyncio.create_task(listen())
    try:
        first = await listener.wait(lambda push: True)
        assert first.kind is PushKind.CONNECTED, first
        yield listener
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_first_message_says_how_the_machine_is(driver: OctoPrintDriver) -> None:
    async with listening(driver) as listener:
        first = listener.pushes[0].observation
        warm = await listener.wait(lambda push: bool(push.observation and push.observation.temperatures))

    assert first is not None
    assert (first.report, first.is_ready) == (MachineReport.READY, True)
    assert warm.observation is not None
    assert warm.observation.temperatures["bed"].actual == pytest.approx(21.3, abs=1)


async def test_a_print_is_told_at_once_from_start_to_end(driver: OctoPrintDriver, gcode: Gcode) -> None:
    file = await driver.send(gcode(3), "fl", a_name(), {})
    async with listening(driver) as listener:
        asked = time.monotonic()
        await driver.start(file.path)
        started = await listener.event(PushEvent.PRINT_STARTED)
        after = listener.moments[listener.pushes.index(started)] - asked
        done = await listener.event(PushEvent.PRINT_DONE)

    assert after < 1.0
    assert (started.path, started.user) == (file.path, "operator")
    assert done.path == file.path
    assert listener.print_events() == [PushEvent.PRINT_STARTED, PushEvent.PRINT_DONE]


async def test_regular_reports_come_every_two_seconds_with_a_rising_completion(
    driver: OctoPrintDriver, gcode: Gcode
) -> None:
    await printing(driver, gcode(30))
    async with listening(driver) as listener:
        await listener.wait(lambda push: len([p for p in listener.pushes if p.kind is PushKind.STATE]) >= 4)

    states = [
        (moment, push.observation)
        for moment, push in zip(listener.moments, listener.pushes, strict=True)
        if push.kind is PushKind.STATE
    ]
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(states)]
    assert gaps[-1] == pytest.approx(2.0, abs=0.6)
    percents = [seen.progress.percent or 0.0 for _, seen in states if seen is not None]
    assert percents == sorted(percents)
    assert 0 < percents[-1] < 100


async def test_a_cancel_in_octoprints_own_pages_is_one_event_with_who_did_it(
    octoprint: OctoPrint, driver: OctoPrintDriver, gcode: Gcode
) -> None:
    """Pitfall 6: OctoPrint tells a cancel twice, as cancelled and as failed."""
    file = await printing(driver, gcode(30))
    async with listening(driver) as listener:
        await asyncio.to_thread(octoprint.ask, "/api/job", {"command": "cancel"})
        cancelled = await listener.event(PushEvent.PRINT_CANCELLED)
        await listener.wait(lambda push: push.reason == "operational")
        await until(driver, lambda seen: seen.is_ready)

    assert (cancelled.path, cancelled.user) == (file.path, "lab")
    assert listener.print_events() == [PushEvent.PRINT_CANCELLED]


async def test_a_reset_of_the_printer_is_a_cancel_by_nobody(
    octoprint: OctoPrint, driver: OctoPrintDriver, gcode: Gcode
) -> None:
    await printing(driver, gcode(30))
    async with listening(driver) as listener:
        await asyncio.to_thread(octoprint.gcode, "!!DEBUG:reset")
        cancelled = await listener.event(PushEvent.PRINT_CANCELLED)

    assert cancelled.user is None


async def test_a_pause_by_the_printer_is_told(
    octoprint: OctoPrint, driver: OctoPrintDriver, gcode: Gcode
) -> None:
    """Fault case 27: run-out, door, filament change."""
    file = await printing(driver, gcode(30))
    async with listening(driver) as listener:
        await asyncio.to_thread(octoprint.gcode, "!!DEBUG:action_pause")
        paused = await listener.event(PushEvent.PRINT_PAUSED)

    assert paused.path == file.path


@pytest.mark.parametrize(
    ("command", "report", "text"),
    [
        ("!!DEBUG:drop_connection", MachineReport.ERROR, "SerialTimeout"),
        ("!!DEBUG:action_disconnect", MachineReport.DISCONNECTED, "error"),
        ("!!DEBUG:trigger_fatal_error_marlin", MachineReport.ERROR, "Thermal Runaway"),
        ("!!DEBUG:maxtemp_error", MachineReport.ERROR, "MAXTEMP"),
        ("!!DEBUG:mintemp_error", MachineReport.ERROR, "MINTEMP"),
        ("M112", MachineReport.ERROR, "emergency stop"),
    ],
)
async def test_a_lost_printer_fails_the_print_that_ran(
    octoprint: OctoPrint,
    driver: OctoPrintDriver,
    gcode: Gcode,
    command: str,
    report: MachineReport,
    text: str,
) -> None:
    """Fault cases 1 and 28; pitfall 10: by then OctoPrint has forgotten which file it was."""
    file = await printing(driver, gcode(30))
    async with listening(driver) as listener:
        await asyncio.to_thread(octoprint.gcode, command)
        failed = await listener.event(PushEvent.PRINT_FAILED)
        await listener.event(PushEvent.MACHINE_DISCONNECTED)
        seen = await until(driver, lambda seen: seen.is_away)

    assert failed.path == file.path
    assert text in (failed.reason or "")
    assert listener.print_events() == [PushEvent.PRINT_FAILED]
    assert (seen.report, seen.path) == (report, None)


async def test_a_firmware_error_is_told_apart_from_a_pulled_cable(
    octoprint: OctoPrint, driver: OctoPrintDriver, gcode: Gcode
) -> None:
    await printing(driver, gcode(30))
    await asyncio.to_thread(octoprint.gcode, "!!DEBUG:trigger_fatal_error_marlin")
    broken = await until(driver, lambda seen: seen.is_away)
    await asyncio.to_thread(octoprint.free)
    await printing(driver, gcode(30))
    await asyncio.to_thread(octoprint.gcode, "!!DEBUG:drop_connection")
    pulled = await until(driver, lambda seen: seen.is_away)

    assert broken.error_reason == "firmware"
    assert "Thermal Runaway" in (broken.error or "")
    assert pulled.error_reason != "firmware"


async def test_a_silent_printer_is_given_up_by_octoprint_and_told(
    octoprint_servers: StartServers, make_driver: MakeDriver, gcode: Gcode
) -> None:
    (server,) = octoprint_servers(silence=1)
    driver = make_driver(server)
    file = await printing(driver, gcode(60))
    async with listening(driver) as listener:
        await asyncio.to_thread(server.gcode, "!!DEBUG:go_awol")
        failed = await listener.event(PushEvent.PRINT_FAILED, seconds=40)

    assert failed.path == file.path


async def test_a_killed_server_loses_the_channel_at_once_and_the_restarted_one_is_let_in_again(
    octoprint_servers: StartServers, make_driver: MakeDriver, gcode: Gcode
) -> None:
    """Fault case 2, pitfalls 11, 12 and 25: the print leaves no trace; each connection logs in anew."""
    (server,) = octoprint_servers(respawn=True)
    driver = make_driver(server)
    file = await printing(driver, gcode(60))
    async with listening(driver) as listener:
        killed = time.monotonic()
        os.kill(server.pid, signal.SIGKILL)
        lost = await listener.wait(lambda push: push.kind is PushKind.LOST)
        after = listener.moments[-1] - killed
    assert (lost.reason, listener.pushes[-1]) == (Code.ANSWER_LOST, lost)
    assert after < 2

    # Ask while it starts: whatever it says then is an error of a known kind, never an exception of another.
    codes = set()
    again = asyncio.create_task(asyncio.to_thread(octoprint_servers.next_server))
    while not again.done():
        codes |= {push.reason async for push in _until_lost(driver)}
    await again

    async with listening(driver) as listener:
        seen = listener.pushes[0].observation
    assert codes <= {None, *Code}
    assert Code.CONNECTION_REFUSED in codes
    assert seen is not None
    assert (seen.report, seen.path, seen.progress.percent) == (MachineReport.READY, None, None)
    kept = await driver.remote_file(file.path)
    assert kept is not None
    assert (kept.prints_success, kept.prints_failure) == (0, 0)


async def _until_lost(driver: OctoPrintDriver) -> AsyncIterator[Push]:
    """One connection, hung up as soon as it is let in."""
    async for push in driver.watch():
        yield push
        if push.kind is PushKind.CONNECTED:
            return


async def test_a_dead_line_is_noticed_by_pinging(octoprint: OctoPrint) -> None:
    """Pitfall: a peer that is gone without a word is silent, as an idle one may be."""
    with FaultyProxy(octoprint.port) as proxy:
        driver = through(proxy, octoprint, Limits(ping=1.0))
        try:
            async with listening(driver) as listener:
                proxy.freeze()
                frozen = time.monotonic()
                lost = await listener.wait(lambda push: push.kind is PushKind.LOST)
        finally:
            await driver.close()

    assert lost.reason == Code.ANSWER_LOST
    assert time.monotonic() - frozen < 5


async def test_an_unanswered_login_ends_the_connection_in_time(octoprint: OctoPrint) -> None:
    """Pitfall 24: a malformed authentication gets no answer at all."""
    with FaultyProxy(octoprint.port) as proxy:
        body = b'{"name": "nobody", "session": "no-such-session"}'
        head = b"HTTP/1.1 200 OK\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n"
        proxy.fault("POST /api/login", Fault.ANSWER, body=head + body, times=None)
        driver = through(proxy, octoprint, Limits(push_reply=1.0))
        began = time.monotonic()
        try:
            pushes = [push async for push in driver.watch()]
        finally:
            await driver.close()

    assert [push.kind for push in pushes] == [PushKind.LOST]
    assert pushes[0].reason in (Code.TIMED_OUT, Code.ANSWER_LOST)
    assert time.monotonic() - began < 5


async def test_a_revoked_key_is_found_by_asking_although_the_socket_stays_open(
    octoprint: OctoPrint, make_driver: MakeDriver
) -> None:
    """Fault case 29, pitfall 22."""
    made = await asyncio.to_thread(
        octoprint.ask,
        "/api/plugin/appkeys",
        {"command": "generate", "app": "to be revoked", "user": "operator"},
    )
    driver = make_driver(octoprint, made["api_key"])
    async with listening(driver) as listener:
        await asyncio.to_thread(
            octoprint.ask, "/api/plugin/appkeys", {"command": "revoke", "key": made["api_key"]}
        )
        with pytest.raises(DriverError) as refused:
            await driver.observe()
        heard = len(listener.pushes)
        await listener.wait(lambda push: len(listener.pushes) > heard)

    assert refused.value.code is Code.BAD_KEY
