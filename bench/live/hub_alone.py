"""The live layer without supervision: what printers push is published at once. Shows what the hub itself costs.

    python -m bench.live.hub_alone SITE '["MACHINE", ...]' '["JOB", ...]' PRINTER_PORT...      says {"port": N}

Sign-ins, rights and snapshots are the real ones, from the database named by ``FABLAB_VAR``.
"""

import asyncio
import json
import socket
import sys
from typing import Any

import django
import uvicorn
import uvloop

from bench.live.listening import listen_to

WORDS = {"PrintPaused": ("paused", "paused"), "PrintResumed": ("printing", "running")}


async def main(site: str, machines: list[str], jobs: list[str], ports: list[int]) -> None:
    from fablab.live.consumer import live
    from fablab.live.push import publish_async

    async def publish(number: int, text: str) -> None:
        message: dict[str, Any] = json.loads(text)
        job, machine = jobs[number], machines[number]
        if (event := message.get("event")) is not None and event["type"] in WORDS:
            report, state = WORDS[event["type"]]
            board: dict[str, Any] = {"machines": {machine: {"report": report}}}
            await publish_async(f"board:{site}", board, patch=True)
            await publish_async(f"job:{job}", {"state": state}, patch=True)
        elif (current := message.get("current")) is not None:
            progress = {
                "percent": current["progress"]["completion"],
                "minutes_left": current["progress"]["printTimeLeft"] // 60,
            }
            board = {"machines": {machine: {"seen_at": current["serverTime"], "progress": progress}}}
            await publish_async(f"board:{site}", board, patch=True, figures=True)
            await publish_async(f"job:{job}", {"progress": progress}, patch=True, figures=True)

    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(live, log_level="warning", access_log=False, lifespan="off")
    tasks = [asyncio.create_task(listen_to(number, port, publish)) for number, port in enumerate(ports)]
    print(json.dumps({"port": listening.getsockname()[1]}), flush=True)
    await uvicorn.Server(config).serve(sockets=[listening])
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    django.setup()
    uvloop.run(
        main(
            sys.argv[1],
            json.loads(sys.argv[2]),
            json.loads(sys.argv[3]),
            [int(port) for port in sys.argv[4:]],
        )
    )
