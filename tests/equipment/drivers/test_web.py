"""The way to a machine, with machines that misbehave (SEC-3, SEC-21): through a real driver, on real sockets."""

import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from equipment.drivers.addresses import parse_allowed
from equipment.drivers.base import Code, Connection, DriverError
from equipment.drivers.octoprint.driver import OctoPrintDriver
from equipment.drivers.web import Limits, Lookup
from tests.fakes import hostile_machine as hostile
from tests.fakes.hostile_machine import Behaviour, HostileMachine

QUICK = Limits(connect=0.5, answer=1.5)
CANARY = "canary-key-that-must-never-show"


@asynccontextmanager
async def a_driver(
    address: str, allowed: list[str], *, lookup: Lookup | None = None, limits: Limits = QUICK
) -> AsyncIterator[OctoPrintDriver]:
    driver = OctoPrintDriver(
        Connection(address, CANARY, parse_allowed(allowed)), limits=limits, lookup=lookup
    )
    try:
        yield driver
    finally:
        await driver.close()


async def refusal(driver: OctoPrintDriver) -> DriverError:
    with pytest.raises(DriverError) as refused:
        await driver.observe()
    assert CANARY not in f"{refused.value!r} {refused.value} {refused.value.params}"
    return refused.value


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("127.0.0.1", "loopback"),
        ("localhost", "loopback"),
        ("0x7f000001", "loopback"),
        ("2130706433", "loopback"),
        ("127.1", "loopback"),
        ("[::ffff:127.0.0.1]", "embedded_ipv4"),
        ("[::1]", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("169.254.169.254", "metadata"),
        ("[fe80::1]", "link_local"),
        ("224.0.0.1", "multicast"),
        ("192.168.77.1", "not_listed"),
    ],
)
async def test_a_forbidden_address_is_never_connected_to(host: str, reason: str) -> None:
    with HostileMachine() as machine:
        async with a_driver(f"http://{host}:{machine.port}", ["10.0.0.0/8:1-65535"]) as driver:
            refused = await refusal(driver)

        assert refused.code in (Code.ADDRESS_FORBIDDEN, Code.ADDRESS_INVALID)
        if refused.code is Code.ADDRESS_FORBIDDEN:
            assert refused.params["reason"] == reason
        assert refused.certain
        assert machine.requests == []


async def test_a_name_that_changes_its_address_is_checked_at_each_connection() -> None:
    """A rebinding name server: first an allowed address, then one that only this computer should reach."""
    answers = iter(["127.0.0.1", "127.0.0.2", "169.254.169.254", "127.0.0.1"])
    asked: list[str] = []

    async def lookup(host: str, port: int) -> Sequence[tuple[int, str]]:
        asked.append(host)
        return [(socket.AF_INET, next(answers))]

    with HostileMachine() as machine:
        machine.behaves(lambda: hostile.json_answer([]))
        allowed = [f"127.0.0.1:{machine.port}"]
        async with a_driver(f"http://octopi.test:{machine.port}", allowed, lookup=lookup) as driver:
            first = await refusal(driver)
            second = await refusal(driver)
            third = await refusal(driver)
            fourth = await refusal(driver)

        assert first.code is Code.ANSWER_UNREADABLE  # connected, and a list is no job
        assert (second.code, second.params["reason"]) == (Code.ADDRESS_FORBIDDEN, "loopback")
        assert (third.code, third.params["reason"]) == (Code.ADDRESS_FORBIDDEN, "metadata")
        assert fourth.code is Code.ANSWER_UNREADABLE
        assert len(asked) == 4, "one look-up for each connection"
        assert len(machine.requests) == 2


async def test_of_several_addresses_of_a_name_only_the_allowed_ones_are_used() -> None:
    async def lookup(host: str, port: int) -> Sequence[tuple[int, str]]:
        return [
            (socket.AF_INET6, "fe80::1"),
            (socket.AF_INET, "169.254.169.254"),
            (socket.AF_INET, "127.0.0.1"),
        ]

    with HostileMachine() as machine:
        machine.behaves(lambda: hostile.json_answer([]))
        async with a_driver(
            f"http://octopi.test:{machine.port}", [f"127.0.0.1:{machine.port}"], lookup=lookup
        ) as driver:
            assert (await refusal(driver)).code is Code.ANSWER_UNREADABLE


async def test_a_redirection_is_not_followed() -> None:
    with HostileMachine() as inner, HostileMachine() as machine:
        location = f"http://127.0.0.1:{inner.port}/api/job"
        machine.behaves(
            lambda: iter(
                [f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()]
            )
        )
        allowed = [f"127.0.0.1:{machine.port}", f"127.0.0.1:{inner.port}"]
        async with a_driver(machine.url, allowed) as driver:
            refused = await refusal(driver)
            pushes = [push async for push in driver.watch()]

        assert (refused.code, refused.certain) == (Code.REDIRECTED, True)
        assert [push.reason for push in pushes] == [Code.REDIRECTED]
        assert inner.requests == []


BAD_ANSWERS: list[tuple[str, Behaviour, set[Code]]] = [
    ("a gigabyte, announced", lambda: hostile.a_gigabyte(announced=True), {Code.ANSWER_TOO_LARGE}),
    ("a gigabyte, in pieces", lambda: hostile.a_gigabyte(announced=False), {Code.ANSWER_TOO_LARGE}),
    ("JSON 100,000 deep", hostile.deep_json, {Code.ANSWER_UNREADABLE}),
    ("HTML", hostile.html, {Code.ANSWER_UNREADABLE}),
    ("no HTTP", hostile.no_http, {Code.ANSWER_UNREADABLE}),
    ("a byte a second", hostile.one_byte_a_second, {Code.TIMED_OUT}),
    ("silence", hostile.silence, {Code.TIMED_OUT}),
    ("hanging up", hostile.hang_up, {Code.ANSWER_LOST}),
    (
        "endless headers",
        hostile.endless_headers,
        {Code.ANSWER_UNREADABLE, Code.ANSWER_TOO_LARGE, Code.TIMED_OUT},
    ),
    ("not a number", lambda: hostile.answer(b'{"state": NaN}'), {Code.ANSWER_UNREADABLE}),
    ("a list", lambda: hostile.json_answer([1, 2]), {Code.ANSWER_UNREADABLE}),
    ("half of it", lambda: iter([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"]), {Code.ANSWER_LOST}),
    ("compressed", lambda: hostile.answer(b"\x1f\x8b\x08\x00rubbish"), {Code.ANSWER_UNREADABLE}),
    ("server error", lambda: hostile.html_error(), {Code.SERVER_FAILED}),
]


@pytest.mark.parametrize(
    ("behaviour", "codes"), [case[1:] for case in BAD_ANSWERS], ids=[c[0] for c in BAD_ANSWERS]
)
async def test_a_bad_answer_is_an_error_within_the_limits(behaviour: Behaviour, codes: set[Code]) -> None:
    with HostileMachine() as machine:
        machine.behaves(behaviour)
        async with a_driver(machine.url, [f"127.0.0.1:{machine.port}"]) as driver:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            began = time.monotonic()

            refused = await refusal(driver)

            assert refused.code in codes
            assert time.monotonic() - began < QUICK.answer + 1
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024, "kilobytes"


@pytest.mark.parametrize(
    ("behaviour", "codes"), [case[1:] for case in BAD_ANSWERS], ids=[c[0] for c in BAD_ANSWERS]
)
async def test_a_bad_answer_ends_the_push_channel_with_a_reason(
    behaviour: Behaviour, codes: set[Code]
) -> None:
    with HostileMachine() as machine:
        machine.behaves(behaviour)
        async with a_driver(machine.url, [f"127.0.0.1:{machine.port}"]) as driver:
            async with asyncio.timeout(QUICK.answer + 1):
                pushes = [push async for push in driver.watch()]

    assert [push.kind for push in pushes] == ["lost"]
    assert pushes[0].reason in {code.value for code in Code}


async def test_a_bad_machine_delays_no_other() -> None:
    """Every misbehaviour at once, and beside them a machine that answers: it must answer as quickly as alone."""
    with HostileMachine() as good:
        good.behaves(lambda: hostile.json_answer([]))
        machines = [HostileMachine().behaves(behaviour) for _, behaviour, _ in BAD_ANSWERS for _ in range(3)]
        async with a_driver(good.url, [f"127.0.0.1:{good.port}"]) as driver:
            for machine in machines:
                machine.__enter__()
            try:
                bad = [asyncio.create_task(_observe(machine)) for machine in machines]
                waits = []
                while not all(task.done() for task in bad):
                    began = time.monotonic()
                    await refusal(driver)
                    waits.append(time.monotonic() - began)
                await asyncio.gather(*bad)
            finally:
                for machine in machines:
                    machine.__exit__(None, None, None)

    assert len(waits) > 3
    assert sorted(waits)[len(waits) // 2] < 0.5


async def _observe(machine: HostileMachine) -> None:
    async with a_driver(machine.url, [f"127.0.0.1:{machine.port}"]) as driver:
        await refusal(driver)


async def test_nobody_there_is_refused_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with a_driver(f"http://127.0.0.1:{port}", [f"127.0.0.1:{port}"]) as driver:
        assert (await refusal(driver)).code is Code.CONNECTION_REFUSED


async def test_a_name_nobody_knows_says_so() -> None:
    async with a_driver("http://no-such-machine.invalid", ["10.0.0.0/8:80"], limits=Limits()) as driver:
        assert (await refusal(driver)).code is Code.NAME_UNKNOWN


async def test_a_look_up_that_hangs_ends_in_time() -> None:
    async def lookup(host: str, port: int) -> Sequence[tuple[int, str]]:
        await asyncio.Event().wait()
        raise AssertionError("never reached")

    async with a_driver("http://octopi.test", ["10.0.0.0/8:80"], lookup=lookup) as driver:
        refused = await refusal(driver)
    assert (refused.code, refused.certain) == (Code.TIMED_OUT, True)


async def test_an_address_that_is_none_says_so() -> None:
    async with a_driver("ftp://192.168.1.5", ["192.168.1.0/24:21"]) as driver:
        assert (await refusal(driver)).code is Code.ADDRESS_INVALID


def test_a_connection_does_not_show_its_key() -> None:
    assert CANARY not in repr(Connection("http://192.168.1.5", CANARY))
