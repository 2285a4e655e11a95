"""Bringing a file to OctoPrint: streamed, counted, limited, hashed before."""

import asyncio
import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from equipment.drivers.base import Code, DriverError
from equipment.drivers.web import Answer, Web

CHUNK = 128 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Measured:
    size: int
    sha1: str


def measure(source: Path) -> Measured:
    """Size and SHA-1, which is what OctoPrint tells of its files; it guards against mishaps, not malice."""
    digest = hashlib.sha1(usedforsecurity=False)
    size = 0
    with source.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return Measured(size, digest.hexdigest())


@dataclass(frozen=True, slots=True)
class Parcel:
    source: Path
    measured: Measured
    folder: str
    name: str
    note: Mapping[str, str | int]
    on_progress: Callable[[int, int], None] | None


async def post(web: Web, parcel: Parcel) -> Answer:
    """Send the file without overwriting. Raises `timed_out` when no byte is taken for a while."""
    mark = secrets.token_hex(16)
    fields = {
        "noOverwrite": "true",
        "filename": parcel.name,
        "path": parcel.folder,
        "userdata": json.dumps(dict(parcel.note)),
    }
    head = b"".join(_field(mark, name, value) for name, value in fields.items())
    # The name goes in a field of its own: a header cannot hold every name.
    head += (
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="upload.gcode"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    tail = f"\r\n--{mark}--\r\n".encode()
    total = len(head) + parcel.measured.size + len(tail)
    limits = web.limits
    try:
        async with asyncio.timeout(limits.upload_stall) as stall:
            return await web.request(
                "POST",
                "/api/files/local",
                content=_stream(parcel, head, tail, stall, limits.upload_stall),
                headers={
                    "Content-Type": f"multipart/form-data; boundary={mark}",
                    "Content-Length": str(total),
                },
                seconds=60 + total / limits.upload_slowest,
            )
    except TimeoutError as problem:
        raise DriverError(Code.TIMED_OUT, certain=False) from problem


def _field(mark: str, name: str, value: str) -> bytes:
    return f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


async def _stream(
    parcel: Parcel, head: bytes, tail: bytes, stall: asyncio.Timeout, patience: float
) -> AsyncIterator[bytes]:
    total = parcel.measured.size
    sent = 0
    loop = asyncio.get_running_loop()
    yield head
    with parcel.source.open("rb") as file:
        while sent < total:
            chunk = await asyncio.to_thread(file.read, min(CHUNK, total - sent))
            if not chunk:
                # Shorter than measured a moment ago: never complete another file silently.
                raise OSError("the file changed while it was being sent")
            yield chunk
            # Control returns when the chunk was handed on, so a machine that takes nothing stalls here.
            stall.reschedule(loop.time() + patience)
            sent += len(chunk)
            if parcel.on_progress is not None:
                parcel.on_progress(sent, total)
    yield tail
