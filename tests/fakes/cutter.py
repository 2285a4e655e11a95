"""A cutter on a real socket: it takes what is written to it, as fast and as long as it is told to."""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

Behaviour = Callable[["Cutter", socket.socket], None]


def takes_all(cutter: "Cutter", line: socket.socket) -> None:
    while part := line.recv(65536):
        cutter.took(part)


def takes_slowly(cutter: "Cutter", line: socket.socket) -> None:
    """A small buffer that is emptied bit by bit, as a knife moves."""
    while part := line.recv(2048):
        cutter.took(part)
        if cutter.leaving.wait(0.002):
            return


def takes_nothing(cutter: "Cutter", line: socket.socket) -> None:
    """Accepts, and reads not one byte: its buffer is full and its lid is open."""
    cutter.leaving.wait()


def resets_after(count: int) -> Behaviour:
    """Takes so many bytes, then loses its power: the line is reset."""

    def behave(cutter: "Cutter", line: socket.socket) -> None:
        while len(cutter.received) < count and (part := line.recv(min(4096, count))):
            cutter.took(part)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return behave


def talks_without_end(cutter: "Cutter", line: socket.socket) -> None:
    """Says a great deal while it is written to; a hostile or broken machine."""
    with suppress(OSError):
        while not cutter.leaving.is_set():
            line.sendall(b"?" * 65536)


def hangs_up_when_it_has_all(cutter: "Cutter", line: socket.socket) -> None:
    """Closes without waiting for the other side's end, as simple print servers do after `PU;SP0;`."""
    while not cutter.received.endswith(b"SP0;") and (part := line.recv(4096)):
        cutter.took(part)


class Cutter:
    """Listens on a port of its own; every connection is met with the same behaviour."""

    def __init__(self, behaviour: Behaviour = takes_all, *, buffer: int = 0) -> None:
        self.behaviour = behaviour
        self.received = bytearray()  # of all connections, in order
        self.connections = 0
        self.leaving = threading.Event()
        self._changed = threading.Condition()
        self._socket = socket.socket()
        if buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen()
        self.port = int(self._socket.getsockname()[1])
        self._threads = [threading.Thread(target=self._listen)]

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def took(self, part: bytes) -> None:
        with self._changed:
            self.received += part
            self._changed.notify_all()

    def wait_until(self, count: int, seconds: float = 20) -> None:
        """Wait until so many bytes were taken."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.received) >= count, seconds), len(self.received)

    def wait_until_met(self, seconds: float = 20) -> None:
        """Wait until somebody came in: the other side's kernel says so before the listener has counted it."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.connections > 0, seconds)

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.leaving.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(10)

    def _listen(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return  # the test has ended
            with self._changed:
                self.connections += 1
                self._changed.notify_all()
            thread = threading.Thread(target=self._meet, args=[line])
            self._threads.append(thread)
            thread.start()

    def _meet(self, line: socket.socket) -> None:
        with line, suppress(OSError):  # the other side may cut the line at any moment
            self.behaviour(self, line)
