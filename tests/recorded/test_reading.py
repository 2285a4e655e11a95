"""What our driver makes of everything that was recorded: each state, each refusal, on both releases."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import cast

import pytest

from equipment.drivers.base import Code, DriverError, MachineReport, Push, PushEvent
from equipment.drivers.octoprint.driver import OctoPrintDriver
from tests.equipment.drivers.octoprint.test_watch import listening
from tests.fixtures.octoprint import gcode_lasting
from tests.recorded.answers import CARD_FILE, DATA, FILE, FOLDER, NAME, RELEASES, read
from tests.recorded.server import JOB, UPLOAD, RecordedServer

START = f"{UPLOAD}/"
Report = MachineReport
# Each scene: what the machine does, with which file, how far (percent; None: not known).
SEEN: dict[str, tuple[MachineReport, str | None, float | None]] = {
    "free": (Report.READY, None, None),
    "printing-early": (Report.PRINTING, FILE, 10.0),
    "printing-late": (Report.PRINTING, FILE, 60.0),
    "pausing": (Report.PAUSING, FILE, 40.0),
    "paused": (Report.PAUSED, FILE, 40.0),
    "resumed": (Report.PRINTING, FILE, 40.0),
    "paused-by-printer": (Report.PAUSED, FILE, 40.0),
    "paused-m600": (Report.PAUSED, FILE, 40.0),
    "paused-run-out": (Report.PAUSED, FILE, 40.0),
    "cancelling": (Report.CANCELLING, FILE, None),
    "cancelled": (Report.READY, FILE, None),
    "finishing": (Report.FINISHING, FILE, 100.0),
    "finished": (Report.READY, FILE, 100.0),
    "from-the-card": (Report.PRINTING, CARD_FILE, 40.0),
    "halted": (Report.ERROR, None, None),
    "line-lost": (Report.ERROR, None, None),
    "unconnected": (Report.DISCONNECTED, None, None),
}
ON_THE_CARD = {"1.11.8": (CARD_FILE, "sdcard"), "2.0.0rc7": ("vase-f~1.gco", "printer")}
Call = Callable[[OctoPrintDriver, Path], Awaitable[object]]
# Each refusal: to which request, what was called, what the driver says it means.
REFUSED: dict[str, tuple[str, Call, Code]] = {
    "start-while-printing": (START, lambda driver, _: driver.start(FILE), Code.BUSY),
    "start-unconnected": (START, lambda driver, _: driver.start(FILE), Code.BUSY),
    "start-missing": (START, lambda driver, _: driver.start(FILE), Code.FILE_MISSING),
    "start-not-allowed": (START, lambda driver, _: driver.start(FILE), Code.NOT_ALLOWED),
    "pause-refused": (JOB, lambda driver, _: driver.pause(), Code.NOT_PRINTING),
    "cancel-refused": (JOB, lambda driver, _: driver.stop(), Code.NOT_PRINTING),
    "upload-wrong-type": (
        UPLOAD,
        lambda driver, file: driver.send(file, FOLDER, NAME, {}),
        Code.STORAGE_REFUSED,
    ),
    "upload-bad-name": (
        UPLOAD,
        lambda driver, file: driver.send(file, FOLDER, NAME, {}),
        Code.STORAGE_REFUSED,
    ),
    "upload-too-large": (
        UPLOAD,
        lambda driver, file: driver.send(file, FOLDER, NAME, {}),
        Code.STORAGE_REFUSED,
    ),
    "upload-not-allowed": (
        UPLOAD,
        lambda driver, file: driver.send(file, FOLDER, NAME, {}),
        Code.NOT_ALLOWED,
    ),
    "delete-while-printing": ("DELETE ", lambda driver, _: driver.delete(FILE), Code.BUSY),
}
# What the server says by itself in the journey below.
BY_ITSELF = {
    "version", "account", "signed-in", "stored", "file", "folder", "upload-exists", "start-accepted", "pause-accepted",
    "resume-accepted", "cancel-accepted", "file-missing", "deleted",
}  # fmt: skip
IN_TESTS_OF_THEIR_OWN = {"nothing-selected", "print-unconnected", "folder-missing"}


@pytest.mark.parametrize("release", RELEASES)
def test_everything_that_was_recorded_is_read_by_a_test_and_tells_its_release_and_day(release: str) -> None:
    recording = read(release)
    assert {*recording.scenes} == {*SEEN, "revoked"}
    assert {*recording.replies} == {*REFUSED, *BY_ITSELF, *IN_TESTS_OF_THEIR_OWN}
    assert recording.recorded >= "2026-11-22"
    assert recording.replies["version"].body["server"] == release


def test_the_recordings_are_small_and_nothing_else_lies_among_them() -> None:
    files = [path for path in DATA.rglob("*") if path.is_file()]
    assert {path.parent.name for path in files} == {*RELEASES}
    assert sum(path.stat().st_size for path in files) < 200_000


@pytest.mark.parametrize("name", SEEN)
async def test_each_recorded_state_is_seen_as_what_it_is_by_asking_and_by_listening(
    recorded: RecordedServer, driver: OctoPrintDriver, name: str
) -> None:
    report, path, percent = SEEN[name]
    if path == CARD_FILE:
        path = ON_THE_CARD[recorded.recording.release][0]
    await recorded.show(name)

    looked = await driver.observe()
    heard = await first_push(driver)

    for seen in (looked, heard.observation):
        assert seen is not None
        assert (seen.report, seen.path, seen.progress.percent) == (report, path, percent)
    assert looked.is_paused == name.startswith("paused")
    if report is not Report.DISCONNECTED and name != "free" and not looked.is_away:
        assert looked.temperatures["tool0"].actual == 21.3


async def test_a_print_from_the_card_is_told_from_one_of_ours(
    recorded: RecordedServer, driver: OctoPrintDriver
) -> None:
    await recorded.show("from-the-card")
    seen = await driver.observe()
    assert (seen.path, seen.origin) == ON_THE_CARD[recorded.recording.release]
    assert seen.user is None  # started at the printer's own screen


@pytest.mark.parametrize("name", REFUSED)
async def test_each_recorded_refusal_is_called_what_it_is(
    recorded: RecordedServer, driver: OctoPrintDriver, tmp_path: Path, name: str
) -> None:
    request, call, code = REFUSED[name]
    order = recorded.answer_next(request, name)
    with pytest.raises(DriverError) as refused:
        await call(driver, a_file(tmp_path))
    assert (refused.value.code, refused.value.certain, order.hits) == (code, True, 1)


async def test_a_revoked_key_is_called_a_bad_key_whatever_is_asked(
    recorded: RecordedServer, driver: OctoPrintDriver, tmp_path: Path
) -> None:
    await recorded.show("revoked")
    for call in (
        driver.probe(),
        driver.observe(),
        driver.remote_file(FILE),
        driver.send(a_file(tmp_path), FOLDER, NAME, {}),
    ):
        with pytest.raises(DriverError) as refused:
            await call
        assert refused.value.code is Code.BAD_KEY
    assert (await first_push(driver)).reason == Code.BAD_KEY


async def test_a_whole_journey_with_the_recorded_answers(
    recorded: RecordedServer, driver: OctoPrintDriver, tmp_path: Path
) -> None:
    assert (await driver.probe()).permissions_missing == ()
    path = (await driver.send(a_file(tmp_path), FOLDER, "7-5e6f7a8b.gcode", {})).path
    assert path == "fl/7-5e6f7a8b.gcode"
    assert (await driver.send(a_file(tmp_path), FOLDER, "7-5e6f7a8b.gcode", {})).path == path
    assert [file.path for file in await driver.list_folder(FOLDER)] == [path]
    assert await driver.remote_file(FILE) is None

    async with listening(driver) as listener:
        await driver.start(path)
        assert (await listener.event(PushEvent.PRINT_STARTED)).path == path
        await driver.pause()
        assert (await listener.event(PushEvent.PRINT_PAUSED)).path == path
        await driver.resume()
        assert (await listener.event(PushEvent.PRINT_RESUMED)).path == path
        await driver.stop()
        assert (await listener.event(PushEvent.PRINT_CANCELLED)).path == path
    assert (await driver.observe()).is_ready
    await driver.delete(path)
    assert await driver.list_folder(FOLDER) == ()
    assert recorded.spoken == BY_ITSELF


async def test_a_folder_that_is_not_there_holds_no_file(
    recorded: RecordedServer, driver: OctoPrintDriver
) -> None:
    recorded.answer_next("GET /api/files/local/no/nothing.gcode", "folder-missing")
    assert await driver.remote_file("no/nothing.gcode") is None


async def test_a_halt_of_the_firmware_is_told_with_its_reason_to_whoever_listened(
    recorded: RecordedServer, driver: OctoPrintDriver, tmp_path: Path
) -> None:
    """2.x tells the reason in one event, and not when it is asked afterwards."""
    path = (await driver.send(a_file(tmp_path), FOLDER, NAME, {})).path
    await driver.start(path)
    async with listening(driver) as listener:
        await recorded.show("halted")
        assert "Thermal Runaway" in ((await listener.event(PushEvent.PRINT_FAILED)).reason or "")
        seen = await driver.observe()
        assert (seen.report, seen.error_reason) == (Report.ERROR, "firmware")
        assert "Thermal Runaway" in (seen.error or "")

        # Somebody connected it again, and then the cable came off: another error, which is no halt.
        await recorded.show("free")
        assert (await driver.observe()).is_ready
        await recorded.show("line-lost")
        seen = await driver.observe()
        assert (seen.report, seen.error_reason) == (Report.ERROR, None)


def a_file(folder: Path) -> Path:
    path = folder / "print.gcode"
    path.write_bytes(gcode_lasting(3))
    return path


async def first_push(driver: OctoPrintDriver) -> Push:
    async with aclosing(cast(AsyncGenerator[Push, None], driver.watch())) as pushes:
        return await anext(pushes)
