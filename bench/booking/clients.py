"""Many people's programs in one process: connections that stay open and send one request after the other.

    python -m bench.booking.clients        (all else by commands on standard input)

``{"ports": [...], "connections": N, "requests": [[TOKEN, BODY], ...], "seconds": S}`` posts bookings, each connection
the next one of the list, until the list or the time is over. With ``"together": true`` each connection sends one,
all at the same moment. With ``"get": PATH`` the path is read instead, with the tokens in turn. The answer is
``{"took", "answers": [[STATUS, SECONDS, CODES, ALTERNATIVES], ...]}``.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import uvloop

ADDRESS = "/api/v1/bookings/"


def request_bytes(port: int, token: str, path: str, body: dict[str, Any] | None) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    head = (
        f"{'GET' if body is None else 'POST'} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Authorization: Bearer {token}\r\nAccept: application/json\r\n"
    )
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return f"{head}\r\n".encode() + content


class Line(asyncio.Protocol):
    """One connection; ``ask`` sends and waits for the whole answer."""

    def __init__(self) -> None:
        self._data = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(RuntimeError("the server cut the connection"))

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, found, rest = self._data.partition(b"\r\n\r\n")
        if not found or self._answer is None:
            return
        lines = head.lower().split(b"\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        if len(rest) >= length:
            self._data = b""
            self._answer.set_result((int(lines[0].split()[1]), rest))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        self._transport.close()


def noted(status: int, seconds: float, content: bytes) -> list[Any]:
    """Return what is kept of an answer; of a refusal why, and how many other times it offers."""
    if status < 400:
        return [status, seconds, [], 0]
    told = json.loads(content)
    codes = sorted({problem["code"] for problem in told["problems"]})
    return [status, seconds, codes, len(told.get("alternatives", ()))]


async def run(command: dict[str, Any]) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    ports = command["ports"]
    lines = []
    for number in range(command["connections"]):
        port = ports[number % len(ports)]
        _, line = await loop.create_connection(Line, "127.0.0.1", port)
        lines.append((line, port))
    path = command.get("get")
    waiting: Iterator[tuple[str, dict[str, Any] | None]] = iter(command["requests"])
    answers: list[list[Any]] = []
    until = time.monotonic() + command["seconds"]

    async def keep_asking(line: Line, port: int) -> None:
        for token, body in waiting:
            request = request_bytes(port, token, path or ADDRESS, None if path else body)
            sent = time.monotonic()
            status, content = await line.ask(request)
            now = time.monotonic()
            answers.append(noted(status, now - sent, content))
            if command.get("together") or now > until:
                return

    began = time.monotonic()
    await asyncio.gather(*(keep_asking(line, port) for line, port in lines))
    took = time.monotonic() - began
    for line, _ in lines:
        line.close()
    return {"took": took, "answers": answers}


async def main() -> None:
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await run(json.loads(line))), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
