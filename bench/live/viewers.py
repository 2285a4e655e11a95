"""Many open sockets in one process: the load generator. It reads frames itself, so that it costs little.

    python -m bench.live.viewers        (all else by commands on standard input)

``{"port", "path", "cookies": [...], "subscribe": [[...], ...]}`` opens one socket for each cookie and subscribes to its
topics; the answer ``{"open": N}`` comes when each has heard a snapshot of all. ``{"count": true}`` starts counting;
``{"result": true}`` answers ``{"seen": {"NUMBER:WORD": [[monotonic seconds, ...] per event]}, ...}``.
"""

import asyncio
import base64
import json
import os
import sys
import time
from functools import partial
from typing import Any

import uvloop

CLOSE, PING, PONG, TEXT = 8, 9, 10, 1


class Counters:
    """What all sockets of this process heard."""

    def __init__(self, machines: dict[str, int], jobs: dict[str, int]) -> None:
        self.machines = machines  # id in frames -> number
        self.jobs = jobs
        self.ready = asyncio.Event()
        self.waiting = 0
        self.counting = False
        self.bytes = 0
        self.frames = 0
        self.closed = 0
        self.gaps = 0
        self.snapshots = 0
        self.seen: list[tuple[int, str, str, float]] = []  # number, word, on what, when


def frame(opcode: int, payload: bytes) -> bytes:
    """Return a client's frame. The mask is zero: it has to be there, not to be a secret."""
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
    return bytes([0x80 | opcode]) + length + b"\0\0\0\0" + payload


class Viewer(asyncio.Protocol):
    """One socket. ``topics`` empty: it counts as ready when it is open (the bare relay knows no topics)."""

    def __init__(self, counters: Counters, port: int, path: str, cookie: str, topics: list[str]) -> None:
        self._counters = counters
        self._handshake = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n"
            f"Cookie: sessionid={cookie}\r\n\r\n"
        ).encode()
        self._topics = topics
        self._missing = set(topics)
        self._versions: dict[str, int] = {}
        self._data = b""
        self._open = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self._handshake)

    def connection_lost(self, error: Exception | None) -> None:
        self._counters.closed += 1

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        counters = self._counters
        if counters.counting:
            counters.bytes += len(data)
        self._data += data
        if not self._open:
            head, found, rest = self._data.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                raise RuntimeError(f"no websocket: {head[:200]!r}")
            self._open, self._data = True, rest
            for topic in self._topics:
                self._transport.write(frame(TEXT, json.dumps({"type": "subscribe", "topic": topic}).encode()))
            if not self._topics:
                self._is_ready()
        while (length := len(self._data)) >= 2:
            opcode, size, start = self._data[0] & 15, self._data[1] & 127, 2
            if size > 125:
                start = 4 if size == 126 else 10
                if length < start:
                    return
                size = int.from_bytes(self._data[2:start], "big")
            if length < start + size:
                return
            payload, self._data = self._data[start : start + size], self._data[start + size :]
            if opcode == TEXT:
                self._take(payload, now)
            elif opcode == PING:
                self._transport.write(frame(PONG, payload))
            elif opcode == CLOSE:
                self._transport.close()

    def _is_ready(self) -> None:
        self._counters.waiting -= 1
        if self._counters.waiting == 0:
            self._counters.ready.set()

    def _take(self, payload: bytes, now: float) -> None:
        counters = self._counters
        if counters.counting:
            counters.frames += 1
        message = json.loads(payload)
        if "event" in message:
            self._relayed(message["event"], now)
            return
        topic = message.get("topic")
        if message["type"] == "refused":
            raise RuntimeError(f"refused: {message}")
        if message["type"] == "snapshot":
            counters.snapshots += counters.counting
            if topic in self._missing:
                self._missing.discard(topic)
                if not self._missing:
                    self._is_ready()
        elif message["type"] == "change":
            counters.gaps += self._versions[topic] != message["after"]
            if counters.counting:
                self._changed(topic, message["data"], now)
        self._versions[topic] = message["version"]

    def _changed(self, topic: str, data: dict[str, Any], now: float) -> None:
        if topic.startswith("board:"):
            for key, machine in data.get("machines", {}).items():
                if (word := (machine or {}).get("report")) in {"paused", "printing"}:
                    self._counters.seen.append((self._counters.machines[key], word, "board", now))
        elif (state := data.get("state")) in {"paused", "running"}:
            word = "printing" if state == "running" else "paused"
            self._counters.seen.append((self._counters.jobs[topic.partition(":")[2]], word, "job", now))

    def _relayed(self, event: dict[str, Any], now: float) -> None:
        if self._counters.counting and event["type"] in {"PrintPaused", "PrintResumed"}:
            number = int(event["payload"]["path"][len("fl/bench-") : -len(".gcode")])
            word = "paused" if event["type"] == "PrintPaused" else "printing"
            self._counters.seen.append((number, word, "board", now))


async def main() -> None:
    loop = asyncio.get_running_loop()
    counters: Counters | None = None
    while line := await asyncio.to_thread(sys.stdin.readline):
        command = json.loads(line)
        if "port" in command:
            counters = Counters(command["machines"], command["jobs"])
            counters.waiting = len(command["cookies"])
            opener = partial(Viewer, counters, command["port"], command["path"])
            for cookie, topics in zip(command["cookies"], command["subscribe"], strict=True):
                await loop.create_connection(partial(opener, cookie, topics), "127.0.0.1", command["port"])
            async with asyncio.timeout(120):
                await counters.ready.wait()
            answer: dict[str, Any] = {"open": len(command["cookies"])}
        elif "count" in command:
            assert counters is not None
            counters.counting = True
            answer = {"counting": True}
        else:
            assert counters is not None
            counters.counting = False
            answer = {
                "seen": counters.seen,
                "bytes": counters.bytes,
                "frames": counters.frames,
                "closed": counters.closed,
                "gaps": counters.gaps,
                "snapshots": counters.snapshots,
            }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
