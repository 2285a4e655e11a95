"""A fleet in one process: printers that speak OctoPrint, and dead ones of three kinds.

    python -m bench.fleet.crowd LIVE DEAD {idle|printing}

Says ``{"ports": [...]}``, the live ones first. Every live printer reports once a second, whatever it was asked.
``{"cut": number}`` closes that printer's push socket and answers ``{"back_s": seconds}`` when a client has been let in
again (null after 60 s). Of the dead, one in three refuses connections, one takes them and says nothing, one
answers a byte every half second.
"""

import asyncio
import json
import random
import socket
import sys
import time
from contextlib import suppress
from typing import Any

import uvloop
from aiohttp import web

from bench.live import printers

REPORT_EVERY = 1.0
BACK_WITHIN = 60.0
DRIP_EVERY = 0.5
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n"


class Machine(printers.Printer):
    """One live server; idle ones have nothing selected."""

    def __init__(self, number: int, *, printing: bool) -> None:
        super().__init__(number)
        self.printing = printing

    def text(self) -> str:
        return super().text() if self.printing else "Operational"

    def state(self) -> dict[str, Any]:
        found = super().state()
        if not self.printing:
            found["flags"] |= {"printing": False, "paused": False, "ready": True}
        return found

    def job(self) -> dict[str, Any]:
        if self.printing:
            return super().job()
        return {"file": dict.fromkeys(("name", "display", "path", "origin", "size", "date")), "user": None}

    def progress(self) -> dict[str, Any]:
        return super().progress() if self.printing else dict.fromkeys(super().progress())

    async def report(self) -> None:
        await asyncio.sleep(random.uniform(0, REPORT_EVERY))
        while True:
            self.percent = min(99.0, self.percent + 0.02)
            await self.tell({"current": self.current()})
            await asyncio.sleep(REPORT_EVERY)

    async def cut(self) -> float | None:
        """Close the push socket; return how long it took until a client was let in again."""
        begin = time.monotonic()
        self.let_in.clear()
        for one in [*self.sockets]:
            self.sockets.discard(one)
            await one.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(BACK_WITHIN):
                await self.let_in.wait()
                return time.monotonic() - begin
        return None


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while await reader.read(65536):
            continue
    writer.close()


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        await reader.readuntil(b"\r\n\r\n")
        for byte in HEAD + b"{" + b" " * 4000:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(DRIP_EVERY)
    writer.close()


async def dead(count: int) -> tuple[list[int], list[object]]:
    """Return the ports of ``count`` dead machines, and what must be kept for them to stay so."""
    ports: list[int] = []
    kept: list[object] = []
    for number in range(count):
        if number % 3 == 0:
            refusing = socket.socket()
            refusing.bind(("127.0.0.1", 0))  # and never listens
            kept.append(refusing)
            ports.append(int(refusing.getsockname()[1]))
            continue
        server = await asyncio.start_server(silent if number % 3 == 1 else dripping, "127.0.0.1", 0)
        kept.append(server)
        ports.append(int(server.sockets[0].getsockname()[1]))
    return ports, kept


async def main(live: int, gone: int, state: str) -> None:
    machines = [Machine(number, printing=state == "printing") for number in range(live)]
    ports = []
    for machine in machines:
        runner = web.ServerRunner(web.Server(machine.answer, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.append(runner.addresses[0][1])
    dead_ports, kept = await dead(gone)
    reporting = [asyncio.create_task(machine.report()) for machine in machines]
    print(json.dumps({"ports": ports + dead_ports}), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        back = await machines[json.loads(line)["cut"]].cut()
        print(json.dumps({"back_s": back}), flush=True)
    for task in reporting:
        task.cancel()
    del kept


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
