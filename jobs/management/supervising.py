"""Keeps the watch over machines alive: an error of the watch itself is logged, and it starts again."""

import asyncio
import logging

from jobs.supervision.loop import run as watch_over_machines

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0


async def supervise(stop: asyncio.Event) -> None:
    """Run the supervision until ``stop`` is set; begin again after a failure, with a pause that doubles."""
    pause = FIRST_PAUSE_SECONDS
    while not stop.is_set():
        try:
            await watch_over_machines(stop)
        except Exception:
            logger.exception("supervision failed, it starts again in %g s", pause)
        else:
            if stop.is_set():
                return
            logger.error("supervision ended by itself, it starts again in %g s", pause)
        try:
            await asyncio.wait_for(stop.wait(), pause)
        except TimeoutError:
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
