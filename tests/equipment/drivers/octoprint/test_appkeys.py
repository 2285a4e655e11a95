"""Getting a key by OctoPrint's Application Keys workflow."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from equipment.drivers.addresses import parse_allowed
from equipment.drivers.base import Code, Connection, DriverError
from equipment.drivers.octoprint.appkeys import Decision, KeyDesk
from tests.equipment.drivers.octoprint.conftest import MakeDriver
from tests.fakes import hostile_machine as hostile
from tests.fakes.hostile_machine import HostileMachine
from tests.fixtures.octoprint import OctoPrint, running


@pytest.fixture
def server() -> Iterator[OctoPrint]:
    """A server of its own for each test: three requests a minute are all it allows."""
    with running() as (servers, _):
        yield servers[0]


def pending(server: OctoPrint) -> dict[str, Any]:
    """The requests that OctoPrint shows the operator, by the token of its dialog."""
    found: dict[str, Any] = server.ask("/api/plugin/appkeys", key=server.operator_key)["pending"]
    return found


def await_none_pending(server: OctoPrint, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while pending(server):
        assert time.monotonic() < deadline, "OctoPrint kept a request that nobody asked about"
        time.sleep(0.2)


def decide(server: OctoPrint, yes: bool) -> None:
    """What the person's click in OctoPrint's dialog does."""
    (dialog,) = pending(server)
    server.ask(f"/plugin/appkeys/decision/{dialog}", {"decision": yes}, key=server.operator_key)


@pytest.mark.octoprint
async def test_a_person_who_agrees_hands_out_a_key_that_acts_as_them_and_only_once(
    server: OctoPrint, make_driver: MakeDriver
) -> None:
    async with KeyDesk(server.connection("")) as desk:
        assert await desk.is_offered()
        request = await desk.request("Fab lab", "operator")
        assert request.dialog_url == f"{server.url}/plugin/appkeys/auth/{request.token}?user=operator"
        assert (await desk.poll(request)).decision is Decision.WAITING
        asked = asyncio.Event()
        waiting = asyncio.create_task(desk.wait(request, every=0.2, on_wait=asked.set))
        async with asyncio.timeout(10):
            await asked.wait()
        await asyncio.to_thread(decide, server, True)
        key = await waiting
        again = await desk.poll(request)

    assert (await make_driver(server, key).probe()).account == "operator"
    assert again.decision is Decision.GONE
    assert key not in repr(again) + repr(request)


@pytest.mark.octoprint
async def test_a_person_who_refuses_and_one_who_never_answers(server: OctoPrint) -> None:
    async with KeyDesk(server.connection("")) as desk:
        refused = await desk.request("Fab lab")
        await asyncio.to_thread(decide, server, False)
        with pytest.raises(DriverError) as no:
            await desk.wait(refused, every=0.1)
        ignored = await desk.request("Fab lab")
        with pytest.raises(DriverError) as late:
            await desk.wait(ignored, every=0.2, at_most=1.0)

    assert no.value.code is Code.KEY_REFUSED
    assert late.value.code is Code.KEY_REQUEST_EXPIRED


@pytest.mark.octoprint
async def test_a_request_nobody_asks_about_is_dropped_and_too_many_are_refused(server: OctoPrint) -> None:
    """Pitfall 23: five seconds without a question, three requests a minute."""
    async with KeyDesk(server.connection("")) as desk:
        forgotten = await desk.request("Fab lab")
        await desk.request("Fab lab")
        await desk.request("Fab lab")
        with pytest.raises(DriverError) as refused:
            await desk.request("Fab lab")
        await asyncio.to_thread(await_none_pending, server)
        assert (await desk.poll(forgotten)).decision is Decision.GONE

    assert refused.value.code is Code.TOO_MANY_REQUESTS


@pytest.mark.parametrize(
    "content",
    [
        {"app_token": "../../api/settings", "auth_dialog": "http://elsewhere/"},
        {"app_token": 17},
        {"auth_dialog": "http://elsewhere/"},
    ],
)
async def test_a_token_that_could_lead_elsewhere_is_not_used(content: object) -> None:
    with HostileMachine() as machine:
        machine.behaves(lambda: hostile.json_answer(content, "201 CREATED"))
        connection = Connection(machine.url, "", parse_allowed([f"127.0.0.1:{machine.port}"]))
        async with KeyDesk(connection) as desk:
            with pytest.raises(DriverError) as refused:
                await desk.request("Fab lab")
    assert refused.value.code is Code.ANSWER_UNREADABLE


async def test_a_server_without_the_workflow_says_so() -> None:
    with HostileMachine() as machine:
        machine.behaves(lambda: hostile.answer(b"", status="404 Not Found"))
        connection = Connection(machine.url, "", parse_allowed([f"127.0.0.1:{machine.port}"]))
        async with KeyDesk(connection) as desk:
            assert not await desk.is_offered()
