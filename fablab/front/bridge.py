"""Django's WSGI application, called on a page thread with everything already there, and left as soon as it answered.

What it answers is taken whole, into memory or a nameless file, so a client that reads slowly holds no thread.
"""

import io
import logging
import os
import stat
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import IO, Any

from fablab.front.bodies import Body
from fablab.front.forms import NO_ROOM
from fablab.front.limits import Limits
from fablab.front.spool import StorageFull, nameless_file, write_all

log = logging.getLogger(__name__)

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Headers = list[tuple[str, str]]

SEND_FILE = "x-send-file"
NO_BODY = {204, 304}


@dataclass
class Span:
    """``length`` bytes of an open file, from ``start``. Whoever sends it closes it."""

    descriptor: int
    start: int
    length: int

    def close(self) -> None:
        os.close(self.descriptor)


@dataclass
class Answer:
    """A whole answer: ``content`` is in memory or in a file; ``send_file`` names one that the front shall send."""

    status: int
    headers: Headers
    content: bytes | Span
    send_file: str | None = field(default=None)

    def close(self) -> None:
        if isinstance(self.content, Span):
            self.content.close()


class FileWrapper:
    """What Django wraps a file in that is to be sent as it is (``wsgi.file_wrapper``)."""

    def __init__(self, filelike: Any, block_size: int = 65_536) -> None:
        self.filelike = filelike
        self._block_size = block_size

    def __iter__(self) -> "FileWrapper":
        return self

    def __next__(self) -> bytes:
        data: bytes = self.filelike.read(self._block_size)
        if not data:
            raise StopIteration
        return data

    def close(self) -> None:
        if hasattr(self.filelike, "close"):
            self.filelike.close()

    def span(self) -> Span | None:
        """Return the rest of a plain file under a descriptor of our own; None for anything else."""
        try:
            descriptor = self.filelike.fileno()
            start = self.filelike.tell()
        except (AttributeError, OSError):
            return None
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        return Span(os.dup(descriptor), start, max(0, status.st_size - start))


def environ_of(scope: dict[str, Any], body: Body) -> dict[str, Any]:
    """Return the WSGI environment of a request whose body is there whole."""
    server = scope.get("server") or ("localhost", 80)
    client = scope.get("client")
    root = scope.get("root_path", "")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": _latin(root),
        "PATH_INFO": _latin(scope["path"].removeprefix(root)),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0] if client else "",
        "REMOTE_PORT": str(client[1]) if client else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body.stream,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
    }
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1")
        if "_" in name:  # would look like the header with dashes that a proxy vouches for
            continue
        key = name.upper().replace("-", "_")
        if key in {"CONTENT_LENGTH", "TRANSFER_ENCODING"}:
            continue
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        value = raw_value.decode("latin-1")
        if key in environ:
            value = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}"
        environ[key] = value
    environ["CONTENT_LENGTH"] = str(body.size)
    return environ


def _latin(text: str) -> str:
    return text.encode("utf-8").decode("latin-1")


class _Content:
    """Collects what an application yields: in memory first, in a file when it gets long."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held = io.BytesIO()
        self._file: IO[bytes] | None = None

    def write(self, data: bytes) -> None:
        if self._file is None and self._held.tell() + len(data) > self._limits.answer_in_memory:
            self._file = nameless_file(self._limits.spool)
            write_all(self._file, self._held.getvalue())
            self._held = io.BytesIO()
        if self._file is None:
            self._held.write(data)
        else:
            write_all(self._file, data)

    def finished(self) -> bytes | Span:
        if self._file is None:
            return self._held.getvalue()
        span = Span(os.dup(self._file.fileno()), 0, self._file.tell())
        self.close()
        return span

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def answer(application: Application, environ: dict[str, Any], limits: Limits) -> Answer:
    """Call the application on this thread and return its whole answer.

    :raises StorageFull: when a long answer, or a form's file, finds no room.
    """
    started: list[tuple[str, Headers]] = []
    content = _Content(limits)

    def start_response(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], None]:
        started[:] = [(status, headers)]
        return content.write

    try:
        result = application(environ, start_response)
        try:
            span = result.span() if isinstance(result, FileWrapper) else None
            if span is None:
                for data in result:
                    content.write(data)
        finally:
            if hasattr(result, "close"):
                result.close()
        status, headers = started[0]
        if NO_ROOM in environ and status.startswith("500 "):
            raise StorageFull("a form's file found no room")
        return _whole(int(status.split(" ", 1)[0]), headers, span or content.finished())
    finally:
        content.close()


def _whole(status: int, headers: Headers, content: bytes | Span) -> Answer:
    kept = [(name, value) for name, value in headers if name.lower() != SEND_FILE]
    send_file = next((value for name, value in headers if name.lower() == SEND_FILE), None)
    length = content.length if isinstance(content, Span) else len(content)
    if status not in NO_BODY and not any(name.lower() == "content-length" for name, _ in kept):
        kept.append(("Content-Length", str(length)))
    return Answer(status, kept, content, send_file)
