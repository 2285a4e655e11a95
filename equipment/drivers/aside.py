"""Calls that block, each in a thread that may hang without holding anything else up.

A dead network share blocks whoever touches it, for minutes or for ever, and no time-out reaches into that. So
such a call gets a thread of its own: not one of a pool, which others wait for, and a daemon, which the end of the
process does not wait for.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

T = TypeVar("T")

MOST = 8  # calls to one place at a time; more would only hang too
_running: Counter[str] = Counter()
_lock = threading.Lock()


def begin(place: str, call: Callable[[], T]) -> "asyncio.Future[T]":
    """Begin a call beside the loop. Its result comes to the future; a cancelled future leaves the call running.

    Raises TimeoutError at once when so many calls to this place have not ended.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    with _lock:
        if _running[place] >= MOST:
            raise TimeoutError(f"{MOST} calls to one place have not ended")
        _running[place] += 1

    def work() -> None:
        try:
            result = call()
        except BaseException as problem:  # noqa: BLE001 - handed to whoever waits
            _ended(place)
            _hand_over(loop, future, partial(future.set_exception, problem))
        else:
            _ended(place)
            _hand_over(loop, future, partial(future.set_result, result))

    threading.Thread(target=work, name="aside", daemon=True).start()
    return future


async def aside(place: str, seconds: float, call: Callable[[], T]) -> T:
    """The result of a blocking call, or TimeoutError after so many seconds; the call itself may go on."""
    async with asyncio.timeout(seconds):
        return await begin(place, call)


def _ended(place: str) -> None:
    with _lock:
        _running[place] -= 1
        if not _running[place]:
            del _running[place]


def _hand_over(
    loop: asyncio.AbstractEventLoop, future: "asyncio.Future[T]", settle: Callable[[], None]
) -> None:
    def settle_if_awaited() -> None:
        if not future.done():
            settle()

    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(settle_if_awaited)
