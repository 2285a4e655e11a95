"""The bare relay: what printers push at once goes to every socket as it is. No sign-in, no rights, no state.

python -m bench.live.relay PRINTER_PORT...      says {"port": N}
"""

import asyncio
import json
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
import uvloop

from bench.live.listening import listen_to

sends: dict[int, Callable[[Any], Awaitable[None]]] = {}


async def relay(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    sends[id(send)] = send
    try:
        while (await receive())["type"] != "websocket.disconnect":
            continue
    finally:
        del sends[id(send)]


async def broadcast(number: int, text: str) -> None:
    if text.startswith('{"event"'):
        for send in [*sends.values()]:
            await send({"type": "websocket.send", "text": text})


async def main(ports: list[int]) -> None:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(relay, log_level="warning", access_log=False, lifespan="off")
    tasks = [asyncio.create_task(listen_to(number, port, broadcast)) for number, port in enumerate(ports)]
    print(json.dumps({"port": listening.getsockname()[1]}), flush=True)
    await uvicorn.Server(config).serve(sockets=[listening])
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    uvloop.run(main([int(port) for port in sys.argv[1:]]))
