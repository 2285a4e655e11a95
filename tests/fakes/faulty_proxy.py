"""A proxy in front of a real machine that loses, delays and cuts what a test tells it to.

It works on bytes of TCP, so that the peer on either side is real and only the line is bad. A connection may carry
one request after the other (browsers keep theirs), never two at once. Runs in a thread of its own; use it as a
context.
"""

import re
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from types import TracebackType
from typing import Self

PIECE = 65536
BEGINS = re.compile(rb"[A-Z]+ \S+ HTTP/1\.[01]\r\n")  # a request
PATIENCE = 30.0  # seconds until a silent connection is given up


class Fault(StrEnum):
    DROP_REPLY = "drop_reply"  # the machine gets the request and acts; its answer never arrives
    DROP_REQUEST = "drop_request"  # the machine never hears of it; the line is cut
    SWALLOW_REQUEST = "swallow_request"  # the machine never hears of it; the line stays open and silent
    STALL = "stall"  # the line stays open and takes nothing
    DELAY = "delay"  # the request waits `seconds` before it is passed on
    DRIBBLE = "dribble"  # the answer comes byte by byte, `seconds` apart
    CUT_REPLY = "cut_reply"  # the answer ends after `after` bytes
    CUT_REQUEST = "cut_request"  # the line is cut after `after` bytes of the request went through
    REDIRECT = "redirect"  # answered with 302 to `location`, not passed on
    ANSWER = "answer"  # answered with `body` as it stands, not passed on


@dataclass
class Rule:
    """What happens to requests whose first line matches, `times` times (None: always)."""

    pattern: re.Pattern[str]
    fault: Fault
    times: int | None = 1
    seconds: float = 0.0
    after: int = 0
    location: str = ""
    body: bytes = b""
    hits: int = 0
    hit: threading.Event = field(default_factory=threading.Event)


class FaultyProxy:
    """`with FaultyProxy(port) as proxy: proxy.fault("POST /api/files/local/", Fault.DROP_REPLY)`."""

    def __init__(self, target_port: int) -> None:
        self._target = ("127.0.0.1", target_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.2)
        self.port = int(self._listener.getsockname()[1])
        self.requests: list[str] = []  # first lines, in order of arrival
        self.passed_on: list[str] = []  # those of which the machine heard something
        self._carried: list[int] = []  # bytes of each of those, its head too
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._frozen = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fault(
        self,
        pattern: str,
        fault: Fault,
        *,
        times: int | None = 1,
        seconds: float = 0.0,
        after: int = 0,
        location: str = "",
        body: bytes = b"",
    ) -> Rule:
        """Give requests a fault. `pattern` is searched in the first line, e.g. `POST /api/job`."""
        rule = Rule(re.compile(pattern), fault, times, seconds, after, location, body)
        with self._lock:
            self._rules.append(rule)
        return rule

    def bytes_of(self, pattern: str) -> list[int]:
        """Return how many bytes of each matching request went through, its head too, in order of arrival."""
        found = zip(self.passed_on, self._carried, strict=True)
        return [count for line, count in found if re.search(pattern, line)]

    def heal(self) -> None:
        """Pass everything on from now on."""
        with self._lock:
            self._rules.clear()

    def freeze(self) -> None:
        """Pass nothing on any more and keep every connection open: a machine that lost its power."""
        self._frozen.set()

    def cut_all(self) -> None:
        """Cut every open connection, as pulling the network cable and putting it back would."""
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            _shut(connection)

    def __enter__(self) -> Self:
        self._spawn(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self.cut_all()
        for thread in list(self._threads):
            thread.join(10)
        self._listener.close()

    def _spawn(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            self._spawn(partial(self._serve, client))

    def _serve(self, client: socket.socket) -> None:
        with self._lock:
            self._open.add(client)
        try:
            client.settimeout(PATIENCE)
            self._handle(client)
        except OSError:
            return  # either side hung up: that is what lines do
        finally:
            with self._lock:
                self._open.discard(client)
            client.close()

    def _handle(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n" not in head:
            part = client.recv(PIECE)
            if not part:
                return
            head += part
        with ExitStack() as until_closed:
            machine: socket.socket | None = None
            while head:
                line = head.split(b"\r\n", 1)[0].decode("latin-1")
                self.requests.append(line)
                rule = self._rule_for(line)
                if rule and self._keeps_back(client, rule):
                    return
                machine = machine or until_closed.enter_context(self._connected())
                with self._lock:
                    place = len(self._carried)
                    self.passed_on.append(line)
                    self._carried.append(0)
                head = self._relay(client, machine, head, rule, place)

    def _keeps_back(self, client: socket.socket, rule: Rule) -> bool:
        """Do what a rule says of a request that the machine never hears of. Returns whether it was one."""
        if rule.fault is Fault.SWALLOW_REQUEST:
            while client.recv(PIECE):
                pass
        elif rule.fault is Fault.STALL:
            self._ended.wait()
        elif rule.fault in (Fault.REDIRECT, Fault.ANSWER):
            client.sendall(rule.body or _redirection(rule.location))
            _shut(client, socket.SHUT_WR)
        elif rule.fault is Fault.DELAY:
            return self._ended.wait(rule.seconds)
        else:
            return rule.fault is Fault.DROP_REQUEST
        return True

    @contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        with socket.create_connection(self._target, timeout=PATIENCE) as machine:
            with self._lock:
                self._open.add(machine)
            try:
                yield machine
            finally:
                with self._lock:
                    self._open.discard(machine)

    def _relay(
        self, client: socket.socket, machine: socket.socket, head: bytes, rule: Rule | None, place: int
    ) -> bytes:
        """Carry bytes both ways, in one thread: a socket that two threads close cannot be reasoned about.

        Returns the beginning of the next request on the same connection; nothing when the connection is over.
        """
        fault = rule.fault if rule else None
        if rule and fault is Fault.CUT_REQUEST:
            got = head
            while len(got) < rule.after and (part := client.recv(PIECE)):
                got += part
            machine.sendall(got[: rule.after])
            self._carried[place] += len(got[: rule.after])
            return b""
        machine.sendall(head)
        self._carried[place] += len(head)
        answered = 0
        while not self._ended.is_set():
            for side in select.select([client, machine], [], [], 0.2)[0]:
                part = side.recv(PIECE)
                if not part:
                    return b""
                if self._frozen.is_set():
                    continue
                if side is client:
                    if BEGINS.match(part):
                        return part
                    machine.sendall(part)
                    self._carried[place] += len(part)
                elif fault is Fault.DROP_REPLY:
                    return b""  # the machine has answered, so it has acted
                elif rule and fault is Fault.CUT_REPLY:
                    client.sendall(part[: rule.after - answered])
                    answered += len(part)
                    if answered >= rule.after:
                        return b""
                elif rule and fault is Fault.DRIBBLE:
                    for byte in part:
                        client.sendall(bytes([byte]))
                        if self._ended.wait(rule.seconds):
                            return b""
                else:
                    client.sendall(part)
        return b""

    def _rule_for(self, line: str) -> Rule | None:
        with self._lock:
            for rule in self._rules:
                if rule.pattern.search(line) and (rule.times is None or rule.hits < rule.times):
                    rule.hits += 1
                    rule.hit.set()
                    return rule
        return None


def _redirection(location: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


def _shut(connection: socket.socket, how: int = socket.SHUT_RDWR) -> None:
    try:
        connection.shutdown(how)
    except OSError:
        return  # it was closed already
