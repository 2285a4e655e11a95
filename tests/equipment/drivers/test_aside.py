"""A call that hangs in the system costs whoever made it a time-out, and nobody else anything."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from equipment.drivers.aside import MOST, aside, begin
from tests.fixtures.octoprint import PROJECT


@pytest.fixture
def woken() -> Iterator[threading.Event]:
    """What a hanging call waits for."""
    event = threading.Event()
    yield event
    event.set()


async def test_a_result_and_an_error_come_to_whoever_asked() -> None:
    assert await aside("here", 10, lambda: 6 * 7) == 42
    with pytest.raises(ZeroDivisionError):
        await aside("here", 10, lambda: 1 // 0)


async def test_a_call_that_hangs_is_given_up_and_others_go_on_meanwhile(woken: threading.Event) -> None:
    hanging = asyncio.ensure_future(aside("dead share", 0.3, woken.wait))
    assert await aside("another", 10, lambda: "at once") == "at once"
    assert not hanging.done()
    with pytest.raises(TimeoutError):
        await hanging


async def test_calls_to_one_place_do_not_pile_up_and_are_taken_again_when_it_wakes(
    woken: threading.Event,
) -> None:
    calls = [begin("dead share", woken.wait) for _ in range(MOST)]
    with pytest.raises(TimeoutError):
        begin("dead share", woken.wait)
    assert await aside("another", 10, lambda: True)
    woken.set()
    await asyncio.wait_for(asyncio.gather(*calls), 10)
    assert await aside("dead share", 10, lambda: "awake") == "awake"


def test_a_process_ends_although_a_call_hangs() -> None:
    program = """
import asyncio, threading
from equipment.drivers.aside import aside

async def main():
    try:
        await aside("dead share", 0.1, threading.Event().wait)
    except TimeoutError:
        print("given up")

asyncio.run(main())
"""
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=PROJECT, timeout=30
    )
    assert (said.stdout, said.returncode) == ("given up\n", 0), said.stderr


def test_a_result_for_a_loop_that_has_ended_bothers_nobody(woken: threading.Event) -> None:
    ended = threading.Event()

    def slow() -> None:
        woken.wait()
        ended.set()

    async def ask() -> None:
        with pytest.raises(TimeoutError):
            await aside("dead share", 0.05, slow)

    asyncio.run(ask())
    woken.set()
    assert ended.wait(10)
