"""A machine that answers as badly as one can, to every request alike.

Real counterparts are preferred everywhere else; no real machine sends a gigabyte where a state is
expected, on order and at once.
"""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

GIGABYTE = 1024**3
Behaviour = Callable[[], Iterator[bytes]]
_MEGABYTE = b" " * (1024 * 1024)


def answer(body: bytes, *, status: str = "200 OK", kind: str = "application/json") -> Iterator[bytes]:
    """An ordinary answer with any body."""
    yield _head(status, kind, len(body)) + body


def json_answer(content: object, status: str = "200 OK") -> Iterator[bytes]:
    return answer(json.dumps(content).encode(), status=status)


def a_gigabyte(*, announced: bool) -> Iterator[bytes]:
    """A gigabyte of blanks; announced with its length, or in pieces whose sum nobody knows."""
    if announced:
        yield _head("200 OK", "application/json", GIGABYTE)
    else:
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
    for _ in range(GIGABYTE // len(_MEGABYTE)):
        yield _MEGABYTE


def one_byte_a_second() -> Iterator[bytes]:
    """An answer that would take half an hour, each byte of it in time."""
    head = _head("200 OK", "application/json", 2000)
    yield head
    for _ in range(2000):
        yield b""  # a pause
        yield b" "


def endless_headers() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        yield b"X-More: " + b"a" * 4000 + b"\r\n"


def deep_json(depth: int = 100_000) -> Iterator[bytes]:
    return answer(b"[" * depth + b"]" * depth)


def html() -> Iterator[bytes]:
    return answer(b"<!doctype html><title>Router</title><h1>Welcome</h1>", kind="text/html")


def html_error() -> Iterator[bytes]:
    return answer(b"<h1>Internal Server Error</h1>", status="500 Internal Server Error", kind="text/html")


def no_http() -> Iterator[bytes]:
    """What a server says while it starts up."""
    yield b"Not found\n"


def silence() -> Iterator[bytes]:
    """Accepts, listens, never says a word."""
    while True:
        yield b""


def hang_up() -> Iterator[bytes]:
    yield from ()


def _head(status: str, kind: str, length: int) -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    ).encode()


class HostileMachine:
    """Answers with what `behaviour` gives, one connection after the other in threads of their own.

    `with HostileMachine() as machine: machine.behaves(deep_json)`; an empty piece is a pause of `pause` seconds.
    """

    def __init__(self, pause: float = 1.0) -> None:
        self._pause = pause
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.2)
        self.port = int(self._listener.getsockname()[1])
        self.requests: list[str] = []
        self._behaviour: Behaviour = hang_up
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def behaves(self, behaviour: Behaviour) -> Self:
        """From now on. `behaviour` is called without arguments for each request."""
        self._behaviour = behaviour
        return self

    def __enter__(self) -> Self:
        thread = threading.Thread(target=self._accept, daemon=True)
        self._threads.append(thread)
        thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in list(self._threads):
            thread.join(10)
        self._listener.close()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            client.settimeout(5)
            try:
                head = client.recv(65536)
                self.requests.append(head.split(b"\r\n", 1)[0].decode("latin-1"))
                for piece in self._behaviour():
                    if self._ended.is_set():
                        return
                    if piece:
                        client.sendall(piece)
                    elif self._ended.wait(self._pause):
                        return
            except OSError:
                return  # the driver hung up, as it should
