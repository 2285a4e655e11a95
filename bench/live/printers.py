"""Many OctoPrint servers in one process, as far as a client watches them: REST, push, prompt events, 2 s reports.

    python -m bench.live.printers COUNT

Says one line when ready: ``{"ports": [...]}``. Each server prints the file ``fl/bench-NUMBER.gcode``. A command
``{"seconds", "per_second", "seed"}`` has people pause and resume prints, each machine in its turn; the answer is
``{"happened": [[number, "paused" | "printing", monotonic seconds], ...]}``. ``{"reset": true}`` puts all back to
printing before a server is started; nobody is told.
"""

import asyncio
import json
import random
import sys
import time
from typing import Any

import uvloop
from aiohttp import web

SIZE = 2_875_000
SHA1 = "a" * 40
REPORT_EVERY = 2.0


def path_of(number: int) -> str:
    return f"fl/bench-{number}.gcode"


class Printer:
    """One server. ``paused`` is its only state: it always prints."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.paused = False
        self.percent = 5.0
        self.sockets: set[web.WebSocketResponse] = set()
        self.let_in = asyncio.Event()  # a client was; whoever waits for the next one clears it

    # --- what it says -----------------------------------------------------------------------------------------

    def text(self) -> str:
        return "Paused" if self.paused else "Printing"

    def state(self) -> dict[str, Any]:
        flags = dict.fromkeys(
            ("cancelling", "closedOrError", "error", "finishing", "pausing", "ready", "resuming"), False
        )
        flags |= {"operational": True, "paused": self.paused, "printing": not self.paused, "sdReady": False}
        return {"text": self.text(), "error": "", "flags": flags}

    def job(self) -> dict[str, Any]:
        path = path_of(self.number)
        file = {
            "name": path[3:],
            "display": path[3:],
            "path": path,
            "origin": "local",
            "size": SIZE,
            "date": 1,
        }
        return {"file": file, "user": "lab", "estimatedPrintTime": None, "filament": None}

    def progress(self) -> dict[str, Any]:
        return {
            "completion": self.percent,
            "filepos": int(SIZE * self.percent / 100),
            "printTime": int(self.percent * 60),
            "printTimeLeft": int((100 - self.percent) * 60),
            "printTimeLeftOrigin": "linear",
        }

    def temperatures(self) -> dict[str, Any]:
        return {
            "tool0": {"actual": round(210 + random.uniform(-1, 1), 1), "target": 210.0, "offset": 0},
            "bed": {"actual": round(60 + random.uniform(-1, 1), 1), "target": 60.0, "offset": 0},
        }

    def current(self) -> dict[str, Any]:
        return {
            "state": self.state(),
            "job": self.job(),
            "progress": self.progress(),
            "currentZ": 1.2,
            "offsets": {},
            "temps": [{"time": int(time.time()), **self.temperatures()}],
            "logs": [],
            "messages": [],
            "resends": {"count": 0, "transmitted": 1000, "ratio": 0},
            "busyFiles": [{"origin": "local", "path": path_of(self.number)}],
            "serverTime": time.time(),
        }

    # --- what happens -----------------------------------------------------------------------------------------

    async def tell(self, message: dict[str, Any]) -> None:
        text = json.dumps(message)
        for socket in [*self.sockets]:
            await socket.send_str(text)

    async def report(self) -> None:
        await asyncio.sleep(random.uniform(0, REPORT_EVERY))
        while True:
            self.percent = min(99.0, self.percent + 0.05)
            await self.tell({"current": self.current()})
            await asyncio.sleep(REPORT_EVERY)

    async def turn(self) -> tuple[int, str, float]:
        """Pause or resume; return what a viewer should see and when the first prompt event of it left."""
        self.paused = not self.paused
        at = time.monotonic()
        words = ("PrintPaused", "PAUSED") if self.paused else ("PrintResumed", "PRINTING")
        payload = {
            "name": path_of(self.number)[3:],
            "path": path_of(self.number),
            "origin": "local",
            "user": "lab",
        }
        await self.tell({"event": {"type": words[0], "payload": payload}})
        state = {"state_id": words[1], "state_string": self.text()}
        await self.tell({"event": {"type": "PrinterStateChanged", "payload": state}})
        return self.number, "paused" if self.paused else "printing", at

    # --- how it is asked --------------------------------------------------------------------------------------

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if path == "/sockjs/websocket":
            return await self.push(request)
        answers: dict[str, Any] = {
            "/api/version": {"api": "0.1", "server": "1.11.8", "text": "OctoPrint 1.11.8"},
            "/api/currentuser": {"name": "lab", "permissions": ["ADMIN"], "groups": ["admins"]},
            "/api/login": {"name": "lab", "session": "bench"},
            "/api/connection": {"current": {"state": self.text(), "port": "VIRTUAL", "baudrate": 115200}},
            "/api/job": {"job": self.job(), "progress": self.progress(), "state": self.text()},
            "/api/printer": {"state": self.state(), "temperature": self.temperatures()},
            f"/api/files/local/{path_of(self.number)}": {
                "name": path_of(self.number)[3:],
                "path": path_of(self.number),
                "type": "machinecode",
                "origin": "local",
                "size": SIZE,
                "hash": SHA1,
                "date": 1,
                "user": "lab",
                "prints": {"success": 0, "failure": 0},
            },
        }
        if path in answers:
            return web.json_response(answers[path])
        return web.json_response({"error": "Not found"}, status=404)

    async def push(self, request: web.BaseRequest) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        await socket.send_json({"connected": {"version": "1.11.8", "safe_mode": None}})
        async for message in socket:
            if message.type is web.WSMsgType.TEXT and "auth" in json.loads(message.data):
                await socket.send_json({"history": self.current()})
                await socket.send_json({"current": self.current()})
                self.sockets.add(socket)
                self.let_in.set()
        self.sockets.discard(socket)
        return socket


async def main(count: int) -> None:
    printers = [Printer(number) for number in range(count)]
    ports = []
    for printer in printers:
        runner = web.ServerRunner(web.Server(printer.answer, access_log=None))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        ports.append(runner.addresses[0][1])
    reporting = [asyncio.create_task(printer.report()) for printer in printers]
    print(json.dumps({"ports": ports}), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        command = json.loads(line)
        if "reset" in command:
            for printer in printers:
                printer.paused = False
            print(json.dumps({"reset": True}), flush=True)
            continue
        chance = random.Random(command["seed"])
        happened = []
        loop = asyncio.get_running_loop()
        begin, steps = loop.time(), int(command["seconds"] * command["per_second"])
        # Each machine in its turn, in an order of chance: none twice within a short time.
        order = [number for _ in range(steps // count + 1) for number in chance.sample(range(count), count)]
        for step in range(steps):
            due = begin + (step + chance.uniform(0, 0.5)) / command["per_second"]
            await asyncio.sleep(max(0.0, due - loop.time()))
            happened.append(await printers[order[step]].turn())
        print(json.dumps({"happened": happened}), flush=True)
    for task in reporting:
        task.cancel()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
