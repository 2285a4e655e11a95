"""A real uvicorn with the front and a small application behind it; raw sockets as clients."""

import asyncio
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from django.db import OperationalError
from pytest_django.fixtures import Settings

from fablab.front.bridge import FileWrapper
from fablab.front.forms import NO_ROOM
from fablab.front.front import Front
from fablab.front.limits import Limits
from tests.fixtures.services import wait_until

PATIENCE = 10.0  # seconds


class Application:
    """What stands behind the front: it notes on which threads it is called and what it was given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        size = 0
        beginning = environ["wsgi.input"].read(20)
        while chunk := environ["wsgi.input"].read(65_536):
            size += len(chunk)
        self.calls.append({**environ, "beginning": beginning, "size": size + len(beginning)})
        headers = [("Content-Type", "text/plain")]
        if path.startswith("/sent/"):
            headers += [
                ("X-Send-File", str(self.folder / path.removeprefix("/sent/"))),
                ("Content-Length", "0"),
            ]
            start_response("200 OK", headers)
            return [b""]
        if path == "/wrapped":
            start_response("200 OK", headers)
            wrapped: Iterable[bytes] = FileWrapper((self.folder / "model.stl").open("rb"))
            return wrapped
        if path == "/long":
            start_response("200 OK", headers)
            return (b"x" * 65_536 for _ in range(256))
        if path == "/broken":
            raise RuntimeError("a page that cannot be made")
        if path == "/no-room":  # as the parser of forms does on a full disk
            environ[NO_ROOM] = True
            start_response("500 Internal Server Error", headers)
            return [b"what Django says of it"]
        if path == "/none":
            start_response("204 No Content", [])
            return []
        start_response("200 OK", headers)
        return [b"a ", b"page"]


def who_asks(scope: Mapping[str, Any]) -> str | None:
    """Léa, or whom the cookie names; nobody where it says so, and no answer where the database is away."""
    name = next((value.decode() for name, value in scope["headers"] if name == b"cookie"), "lea")
    if name == "away":
        raise OperationalError("away")
    return None if name == "nobody" else name


class Running:
    """The server. ``spooled`` counts the bytes that nameless files hold now."""

    def __init__(
        self, port: int, application: Application, limits: Limits, told: list[tuple[str, str]]
    ) -> None:
        self.port = port
        self.application = application
        self.limits = limits
        self.told = told  # whose piece still comes, and for what address

    def connects(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def asks(self, text: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        """Send one request, read the whole answer: status, headers, body."""
        with self.connects() as client:
            client.sendall(request(text) + body)
            return read_answer(client)

    def spooled(self) -> int:
        return sum(handle.stat().st_size for handle in open_files(self.limits.spool))

    def named_files(self) -> list[str]:
        spool = self.limits.spool
        return sorted(path.name for path in spool.iterdir()) if spool.exists() else []


def open_files(folder: Path) -> list[Path]:
    """Return this process's handles of files in ``folder``, named or not."""
    found = []
    for handle in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            if str(handle.readlink()).startswith(f"{folder}/"):
                found.append(handle)
    return found


def request(text: str) -> bytes:
    """``text`` is the request line and headers, one a line."""
    lines = [line.strip() for line in text.strip().splitlines()]
    return "\r\n".join([f"{lines[0]} HTTP/1.1", "Host: lab", *lines[1:], "", ""]).encode()


def read_answer(client: socket.socket) -> tuple[int, dict[str, str], bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        more = client.recv(65_536)
        assert more, f"cut off after {data!r}"
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        more = client.recv(65_536)
        assert more, "cut off in the body"
        body += more
    return int(status.split(" ")[1]), headers, body


Starter = Callable[..., Running]
SmallFiles = Callable[[int], AbstractContextManager[None]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """Return a function that starts a server; keyword arguments change its limits."""
    told: list[tuple[str, str]] = []
    running: list[tuple[uvicorn.Server, threading.Thread, Front, socket.socket]] = []
    media = tmp_path / "files"
    media.mkdir()
    (media / "model.stl").write_bytes(bytes(range(256)) * 40)

    def start_one(**changed: Any) -> Running:
        limits = replace(
            Limits(
                spool=tmp_path / "spool",
                send_from=(media,),
                upload_bytes=50_000_000,
                other_bytes=100_000,
                spool_bytes=1_000_000_000,
                person_spool_bytes=1_000_000_000,
            ),
            **changed,
        )
        application = Application(media)
        front = Front(application, limits, who_asks, lambda *coming: told.append(coming))
        front.open()
        # Named as TCP, or the loop does not switch Nagle's delay off.
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(front, log_config=None, access_log=False, lifespan="off"))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])), daemon=True)
        thread.start()
        running.append((server, thread, front, listening))
        wait_until(lambda: server.started, PATIENCE, "the server has started")
        return Running(listening.getsockname()[1], application, limits, told)

    yield start_one
    for server, thread, front, listening in running:
        server.should_exit = True
        server.force_exit = True
        thread.join(PATIENCE)
        front.close()
        listening.close()
        assert not thread.is_alive()


@pytest.fixture
def server(start: Starter) -> Running:
    return start()


@pytest.fixture
def small_files(settings: Settings, tmp_path: Path) -> SmallFiles:
    """Return a context in which this process may write no larger files, as on a full disk.

    Left before the test ends: what the test runner then writes of it may go to a file as well.
    """
    settings.VAR_DIR = tmp_path  # what is noted of it is not for other tests

    @contextmanager
    def limit(size: int) -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limit


@pytest.fixture
def several() -> Iterator[ExitStack]:
    """Close many clients at the end, however the test ends."""
    with ExitStack() as stack:
        yield stack


def seconds_for(server: Running, count: int) -> list[float]:
    """Ask for a page ``count`` times, each on a connection of its own."""
    took = []
    for _ in range(count):
        began = time.perf_counter()
        status, _, body = server.asks("GET /page\nConnection: close")
        took.append(time.perf_counter() - began)
        assert (status, body) == (200, b"a page")
    return took
