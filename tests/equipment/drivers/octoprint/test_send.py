"""Sending a file and proving that it arrived."""

import hashlib
from pathlib import Path

import pytest

from equipment.drivers.base import Code, DriverError
from equipment.drivers.octoprint.driver import OctoPrintDriver
from tests.equipment.drivers.octoprint.conftest import MakeDriver
from tests.equipment.drivers.octoprint.helpers import Gcode, a_name, until
from tests.fixtures.octoprint import OctoPrint, StartServers, starts_in_log

pytestmark = pytest.mark.octoprint


async def test_a_file_that_was_sent_is_there_byte_for_byte_and_nothing_starts(
    octoprint: OctoPrint, driver: OctoPrintDriver, gcode: Gcode
) -> None:
    source = gcode(5)
    name = a_name()

    file = await driver.send(source, "fl", name, {"attempt": 17, "lab": "Saint-Ouen"})

    assert file.path == f"fl/{name}"
    assert file.size == source.stat().st_size
    assert file.sha1 == hashlib.sha1(source.read_bytes()).hexdigest()
    assert file.uploader == "operator"
    assert (file.prints_success, file.prints_failure, file.last_print_at) == (0, 0, None)
    assert (octoprint.basedir / "uploads" / file.path).read_bytes() == source.read_bytes()
    kept = octoprint.ask(f"/api/files/local/{file.path}")
    assert kept["userdata"] == {"attempt": 17, "lab": "Saint-Ouen"}
    assert (await driver.observe()).is_ready
    assert file.path not in [start.path for start in starts_in_log(octoprint)]


async def test_progress_counts_the_bytes_of_the_file_up_to_its_size(
    driver: OctoPrintDriver, tmp_path: Path
) -> None:
    source = tmp_path / "large.gcode"
    source.write_bytes(b"; a comment\n" * 100_000)
    reports: list[tuple[int, int]] = []

    await driver.send(source, "fl", a_name(), {}, lambda sent, total: reports.append((sent, total)))

    size = source.stat().st_size
    assert len(reports) > 5
    assert reports == sorted(reports)
    assert reports[-1] == (size, size)
    assert {total for _, total in reports} == {size}


@pytest.mark.parametrize(
    "name",
    [
        "pièce été.gcode",
        "قطعة.gcode",
        "🧵 bobine 👩🏽‍🔧.gcode",
        "a:b*c?.gcode",
        "100%20.gcode",
        "semi;colon & more.gcode",
        'quote".gcode',
        "con.gcode",
        ".hidden.gcode",
        "a+b=c#d.gcode",
        "é" * 120 + ".gcode",
    ],
)
async def test_whatever_name_the_machine_makes_of_ours_its_path_finds_the_file(
    octoprint: OctoPrint, driver: OctoPrintDriver, gcode: Gcode, name: str
) -> None:
    """Pitfall 16: names are rewritten, so the path of the answer counts."""
    source = gcode(1, extra=f"; {name.encode().hex()}")

    file = await driver.send(source, "fl/names", name, {})

    assert file.sha1 == hashlib.sha1(source.read_bytes()).hexdigest()
    again = await driver.remote_file(file.path)
    assert again == file
    assert file in await driver.list_folder("fl/names")
    await driver.start(file.path)
    seen = await until(driver, lambda seen: seen.path == file.path)
    assert seen.path == file.path
    octoprint.free()
    await driver.delete(file.path)
    assert await driver.remote_file(file.path) is None


@pytest.mark.parametrize("name", ["../up.gcode", "a\\b.gcode", "x" * 300 + ".gcode", "model.stl", "noending"])
async def test_a_name_or_type_that_the_machine_refuses_is_refused_storage(
    driver: OctoPrintDriver, gcode: Gcode, name: str
) -> None:
    """Pitfall 17: OctoPrint takes G-code only."""
    with pytest.raises(DriverError) as refused:
        await driver.send(gcode(1), "fl", name, {})

    assert (refused.value.code, refused.value.certain) == (Code.STORAGE_REFUSED, True)


async def test_the_same_file_sent_twice_is_the_same_file(driver: OctoPrintDriver, gcode: Gcode) -> None:
    """After a lost answer the sender may send again without harm."""
    source, name = gcode(1), a_name()
    first = await driver.send(source, "fl", name, {})

    second = await driver.send(source, "fl", name, {})

    assert second == first


async def test_another_file_is_never_overwritten(
    octoprint: OctoPrint, driver: OctoPrintDriver, gcode: Gcode
) -> None:
    """Pitfall 15: overwriting a file loses its history."""
    first, second, name = gcode(1, extra="; one"), gcode(1, extra="; two"), a_name()
    stored = await driver.send(first, "fl", name, {"attempt": 1})

    with pytest.raises(DriverError) as refused:
        await driver.send(second, "fl", name, {"attempt": 2})

    assert (refused.value.code, refused.value.certain) == (Code.FILE_DIFFERS, True)
    assert await driver.remote_file(stored.path) == stored
    assert octoprint.ask(f"/api/files/local/{stored.path}")["userdata"] == {"attempt": 1}


async def test_a_file_that_is_being_printed_is_not_replaced(driver: OctoPrintDriver, gcode: Gcode) -> None:
    name = a_name()
    stored = await driver.send(gcode(20, extra="; one"), "fl", name, {})
    await driver.start(stored.path)
    await until(driver, lambda seen: seen.is_busy)

    with pytest.raises(DriverError) as refused:
        await driver.send(gcode(20, extra="; two"), "fl", name, {})

    assert (refused.value.code, refused.value.certain) == (Code.FILE_DIFFERS, True)


async def test_a_file_larger_than_the_machine_takes_is_refused_storage(
    octoprint_servers: StartServers, make_driver: MakeDriver, tmp_path: Path
) -> None:
    """Pitfall 5: OctoPrint answers 400 with an empty body, which is no JSON."""
    (server,) = octoprint_servers(max_upload=200_000)
    driver = make_driver(server)
    source = tmp_path / "large.gcode"
    source.write_bytes(b"; a comment\n" * 50_000)

    with pytest.raises(DriverError) as refused:
        await driver.send(source, "fl", a_name(), {})

    assert refused.value.code is Code.STORAGE_REFUSED
    assert await driver.list_folder("fl") == ()


async def test_an_account_without_the_right_is_told_so(
    octoprint: OctoPrint, make_driver: MakeDriver, gcode: Gcode
) -> None:
    with pytest.raises(DriverError) as refused:
        await make_driver(octoprint, octoprint.viewer_key).send(gcode(1), "fl", a_name(), {})

    assert refused.value.code is Code.NOT_ALLOWED


async def test_a_wrong_key_is_told_so(octoprint: OctoPrint, make_driver: MakeDriver, gcode: Gcode) -> None:
    with pytest.raises(DriverError) as refused:
        await make_driver(octoprint, "wrong").send(gcode(1), "fl", a_name(), {})

    assert refused.value.code is Code.BAD_KEY


async def test_a_folder_that_is_not_there_is_empty(driver: OctoPrintDriver) -> None:
    assert await driver.list_folder("nobody/made/this") == ()
    assert await driver.remote_file("nobody/made/this.gcode") is None


async def test_folders_above_the_uploads_are_not_reached(driver: OctoPrintDriver) -> None:
    for path in ("../config.yaml", "fl/../../config.yaml", "./x.gcode"):
        with pytest.raises(DriverError) as refused:
            await driver.remote_file(path)
        assert refused.value.code is Code.FILE_MISSING


async def test_deleting_a_file_twice_is_no_error_and_one_being_printed_is_busy(
    octoprint: OctoPrint, driver: OctoPrintDriver, gcode: Gcode
) -> None:
    file = await driver.send(gcode(20), "fl", a_name(), {})
    await driver.start(file.path)
    await until(driver, lambda seen: seen.is_busy)
    with pytest.raises(DriverError) as refused:
        await driver.delete(file.path)
    assert (refused.value.code, refused.value.certain) == (Code.BUSY, True)
    octoprint.free()

    await driver.delete(file.path)
    await driver.delete(file.path)

    assert await driver.remote_file(file.path) is None


async def test_a_source_that_is_not_there_is_an_error_of_ours(
    driver: OctoPrintDriver, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        await driver.send(tmp_path / "gone.gcode", "fl", a_name(), {})
