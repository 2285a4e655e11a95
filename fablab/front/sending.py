"""Sends an answer as fast as its client reads, without a page thread."""

import asyncio
import logging
import os
import stat
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from fablab.front.bridge import Answer, Headers, Span
from fablab.front.limits import Limits
from fablab.front.ranges import Unsatisfiable, asked_part

log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

CHUNK = 131_072


def header(scope: dict[str, Any], name: bytes) -> str | None:
    """Return the first value of a request header."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name), None)


async def send_answer(
    scope: dict[str, Any], receive: Receive, send: Send, answer: Answer, limits: Limits, disk: Executor
) -> None:
    """Send an answer and close it. A client that goes, or takes nothing for ``idle`` seconds, is left."""
    try:
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [
                    (name.lower().encode("latin-1"), value.encode("latin-1"))
                    for name, value in answer.headers
                ],
            }
        )
        if isinstance(answer.content, bytes):
            await send({"type": "http.response.body", "body": answer.content})
        elif scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
        else:
            await _send_span(receive, send, answer.content, limits, disk)
    finally:
        answer.close()


async def _send_span(receive: Receive, send: Send, span: Span, limits: Limits, disk: Executor) -> None:
    loop = asyncio.get_running_loop()
    # uvicorn swallows what is sent to a client that has gone; only receiving tells.
    gone = asyncio.ensure_future(receive())
    try:
        place, end = span.start, span.start + span.length
        while place < end and not gone.done():
            data = await loop.run_in_executor(disk, os.pread, span.descriptor, min(CHUNK, end - place), place)
            if not data:
                log.error("A file became shorter while it was sent")
                return
            place += len(data)
            try:
                async with asyncio.timeout(limits.idle):
                    await send({"type": "http.response.body", "body": data, "more_body": place < end})
            except TimeoutError:
                log.info("A client took nothing of its file for %s s and was left", limits.idle)
                return
        if span.length == 0:
            await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()


def with_file(scope: dict[str, Any], answer: Answer, limits: Limits) -> Answer:
    """Return ``answer`` with the file that its ``X-Send-File`` names as content, or the part asked for.

    Opens the file: call it in a thread. The view has checked who asks; here only the folders are checked, with
    links resolved.
    """
    assert answer.send_file is not None
    path = Path(answer.send_file).resolve()
    if not any(path.is_relative_to(folder.resolve()) for folder in limits.send_from):
        log.error("X-Send-File names a file outside the folders that may be sent from")
        return Answer(500, [("Content-Length", "0")], b"")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        log.warning("A file to be sent is not there")
        return Answer(404, [("Content-Length", "0")], b"")
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        return Answer(404, [("Content-Length", "0")], b"")
    headers = [pair for pair in answer.headers if pair[0].lower() not in {"content-length", "accept-ranges"}]
    etag = next((value for name, value in headers if name.lower() == "etag"), None)
    if etag is None:
        etag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
        headers.append(("ETag", etag))
    headers.append(("Accept-Ranges", "bytes"))
    return _part(scope, answer.status, headers, etag, Span(descriptor, 0, status.st_size))


def _part(scope: dict[str, Any], status: int, headers: Headers, etag: str, whole: Span) -> Answer:
    condition = header(scope, b"if-range")
    asked = header(scope, b"range") if condition in {None, etag} and status == 200 else None
    try:
        part = asked_part(asked, whole.length)
    except Unsatisfiable:
        whole.close()
        kept = [pair for pair in headers if pair[0].lower() not in {"content-type", "content-disposition"}]
        return Answer(
            416, [*kept, ("Content-Range", f"bytes */{whole.length}"), ("Content-Length", "0")], b""
        )
    if part is None:
        return Answer(status, [*headers, ("Content-Length", str(whole.length))], whole)
    start, length = part
    place = f"bytes {start}-{start + length - 1}/{whole.length}"
    return Answer(
        206,
        [*headers, ("Content-Range", place), ("Content-Length", str(length))],
        Span(whole.descriptor, start, length),
    )
