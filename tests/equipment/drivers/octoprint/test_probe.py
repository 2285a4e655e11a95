"""A first contact: who answers, as whom we are known, what we may not do."""

import pytest

from equipment.drivers.addresses import parse_allowed
from equipment.drivers.base import Code, Connection, DriverError
from equipment.drivers.octoprint.driver import OctoPrintDriver
from tests.equipment.drivers.octoprint.conftest import MakeDriver
from tests.fakes import hostile_machine as hostile
from tests.fakes.hostile_machine import Behaviour, HostileMachine
from tests.fixtures.octoprint import OctoPrint


@pytest.mark.octoprint
async def test_an_ordinary_account_has_all_the_rights_that_are_needed(
    octoprint: OctoPrint, driver: OctoPrintDriver
) -> None:
    found = await driver.probe()

    assert (found.version, found.account, found.permissions_missing) == (octoprint.version, "operator", ())


@pytest.mark.octoprint
async def test_an_administrator_lacks_nothing(octoprint: OctoPrint, make_driver: MakeDriver) -> None:
    assert (await make_driver(octoprint, octoprint.api_key).probe()).permissions_missing == ()


@pytest.mark.octoprint
async def test_an_account_that_may_only_look_is_told_which_rights_it_lacks(
    octoprint: OctoPrint, make_driver: MakeDriver
) -> None:
    found = await make_driver(octoprint, octoprint.viewer_key).probe()

    assert found.account == "viewer"
    assert found.permissions_missing == ("FILES_DELETE", "FILES_SELECT", "FILES_UPLOAD", "PRINT")


@pytest.mark.octoprint
@pytest.mark.parametrize("key", ["wrong", "", "a key with spaces", "x" * 2000])
async def test_a_wrong_key_is_called_a_wrong_key(
    octoprint: OctoPrint, make_driver: MakeDriver, key: str
) -> None:
    """Pitfall 4: OctoPrint answers 403 to a wrong key, as to a missing right."""
    with pytest.raises(DriverError) as refused:
        await make_driver(octoprint, key).probe()

    assert refused.value.code is Code.BAD_KEY


@pytest.mark.octoprint
async def test_every_call_calls_a_wrong_key_a_wrong_key(
    octoprint: OctoPrint, make_driver: MakeDriver
) -> None:
    driver = make_driver(octoprint, "wrong")
    for call in (
        driver.observe,
        driver.pause,
        driver.stop,
        lambda: driver.remote_file("fl/x.gcode"),
        lambda: driver.list_folder("fl"),
        lambda: driver.delete("fl/x.gcode"),
        lambda: driver.start("fl/x.gcode"),
    ):
        with pytest.raises(DriverError) as refused:
            await call()
        assert (refused.value.code, refused.value.certain) == (Code.BAD_KEY, True)
    assert [push.reason async for push in driver.watch()] == [Code.BAD_KEY]


@pytest.mark.octoprint
async def test_a_missing_right_is_not_called_a_wrong_key(
    octoprint: OctoPrint, make_driver: MakeDriver
) -> None:
    driver = make_driver(octoprint, octoprint.viewer_key)
    for call in (driver.pause, driver.stop, lambda: driver.start("fl/x.gcode")):
        with pytest.raises(DriverError) as refused:
            await call()
        assert (refused.value.code, refused.value.certain) == (Code.NOT_ALLOWED, True)


@pytest.mark.parametrize(
    "behaviour",
    [
        hostile.html,
        lambda: hostile.answer(b"<h1>nothing here</h1>", status="404 Not Found", kind="text/html"),
        lambda: hostile.json_answer({"text": "OtherPrint 1.0", "server": "1.0", "name": "x", "groups": []}),
        lambda: hostile.json_answer({"text": 17, "server": [], "name": {"a": 1}}),
        lambda: hostile.json_answer({}),
        hostile.deep_json,
    ],
    ids=["HTML", "404", "another program", "wrong types", "empty", "deep"],
)
async def test_whatever_else_answers_there_is_not_octoprint(behaviour: Behaviour) -> None:
    with HostileMachine() as machine:
        machine.behaves(behaviour)
        driver = OctoPrintDriver(Connection(machine.url, "key", parse_allowed([f"127.0.0.1:{machine.port}"])))
        try:
            with pytest.raises(DriverError) as refused:
                await driver.probe()
        finally:
            await driver.close()
    assert refused.value.code is Code.NOT_OCTOPRINT
