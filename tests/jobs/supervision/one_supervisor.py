"""What the process of one supervisor runs in tests. The server that such processes are forked from reads it ahead."""

import asyncio
import os
import signal

import django
from django.conf import settings

django.setup()

from jobs.supervision import loop  # noqa: E402  # models exist after the setup


def supervise(owner: str, failpoint: str, networks: list[str]) -> None:
    """Supervise until asked to end. ``failpoint``: where to die; ``networks``: the addresses that may be reached."""
    os.environ["FABLAB_FAILPOINT"] = failpoint
    settings.MACHINE_NETWORKS = networks
    asyncio.run(_until_ended(owner))


async def _until_ended(owner: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await loop.run(stop, owner=owner)
