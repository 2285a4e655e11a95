"""A machine that talks without end fills no memory: it is read from as fast as it is understood (SEC-21)."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import cast

from equipment.drivers.base import Driver, Push, PushKind
from jobs.supervision.bench import Bench, Lease
from jobs.supervision.watch import PUSHES_WAITING, Watch

FLOOD = 5 * PUSHES_WAITING


class Chatterbox:
    """Says something at each turn of the loop, and counts what was taken of it."""

    said = 0

    async def watch(self) -> AsyncIterator[Push]:
        while True:
            self.said += 1
            yield Push(PushKind.STATE)


async def test_pushes_that_nobody_has_read_yet_are_limited() -> None:
    machine = Chatterbox()
    with ThreadPoolExecutor(1) as threads:
        watch = Watch("m", cast("Driver", machine), Lease(1, float("inf")), Bench(threads))
        listening = asyncio.create_task(watch._listen())
        for _ in range(FLOOD):
            if machine.said > FLOOD:
                break
            await asyncio.sleep(0)
        before = machine.said
        await watch.step()  # one is understood: one more is taken
        for _ in range(10):
            await asyncio.sleep(0)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    assert before == PUSHES_WAITING + 1
    assert machine.said == before + 1
