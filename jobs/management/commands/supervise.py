"""Supervision alone, beside web processes: any number of them share out the machines by lease."""

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connections
from django.utils import timezone

from jobs.management.instance import refuse_without_common_layer
from jobs.management.supervising import supervise
from jobs.management.waking import wake

END_SECONDS = 5


class Command(BaseCommand):
    help = "Watch machines and carry out orders (scaled installation: DATABASE_URL and REDIS_URL)."

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_without_common_layer("supervise")
        watchers = wake(timezone.now())
        connections.close_all()
        for watcher in watchers:
            watcher.start()
        asyncio.run(run())
        for watcher in watchers:
            watcher.end()
        for watcher in watchers:
            watcher.join(END_SECONDS)


async def run() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await supervise(stop)
