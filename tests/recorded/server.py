"""A light server that speaks what real OctoPrint servers said: one scene at a time, and replies to order.

It holds one file of ours: whatever was recorded of ``answers.FILE`` is said of the file that was sent here. Nothing in
it moves by itself, except that an accepted start shows ``after_start``, and a pause, resume or cancel what was recorded
of it. Put a ``tests.fakes.faulty_proxy.FaultyProxy`` in front of it for a bad line.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from equipment.drivers.octoprint.wire import EVENTS
from tests.fixtures.octoprint import OctoPrint
from tests.recorded.answers import FILE, NAME, Answer, Recording, Scene, read

UPLOAD = "POST /api/files/local"
JOB = "POST /api/job"
KEY = "a-recorded-key"
# Replies that any scene gives, unless it has its own answer or another was ordered.
USUAL = ("version", "account", "signed-in")
SHOWN_AFTER = {"pause": ("pausing", "paused"), "resume": ("resumed",), "cancel": ("cancelling", "cancelled")}
FILES = "/api/files/local/"
DOWNLOADS = "/downloads/files/local/"


@dataclass
class Order:
    """The next ``times`` requests that begin with ``request`` get this reply.

    Nothing follows from them, unless ``acts``: then what would have followed does.
    """

    request: str
    reply: str
    times: int
    acts: bool
    hits: int = 0


@dataclass
class Stored:
    path: str
    content: bytes

    @property
    def sha1(self) -> str:
        return hashlib.sha1(self.content).hexdigest()


@dataclass
class RecordedServer:
    """``requests``: method and path of each, oldest first. ``file``: what was sent here, none while there is none."""

    recording: Recording
    port: int = 0
    scene: Scene = field(init=False)
    after_start: str = "printing-early"
    file: Stored | None = None
    requests: list[str] = field(default_factory=list)
    spoken: set[str] = field(default_factory=set)  # names of replies
    _orders: list[Order] = field(default_factory=list)
    _sockets: set[web.WebSocketResponse] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.scene = self.recording.scenes["free"]

    # --- what a test orders -----------------------------------------------------------------------------------------

    async def show(self, name: str, *, silently: bool = False) -> None:
        """Be in another state from now on; whoever listens hears the events on the way there, and a report.

        ``silently``: nobody is told, it is only found by asking.
        """
        self.scene = self.recording.scenes[name]
        if silently:
            return
        for frame in self.scene.push:
            if frame.get("event", {}).get("type") in EVENTS or "current" in frame:
                await self._tell(frame)

    def answer_next(self, request: str, reply: str, times: int = 1, *, acts: bool = False) -> Order:
        """Have a recorded reply given to the next requests that begin so, e.g. ``UPLOAD, "upload-too-large"``."""
        order = Order(request, reply, times, acts)
        self._orders.append(order)
        return order

    def starts(self) -> int:
        """How many requests to start a file came."""
        return len([one for one in self.requests if one.startswith(f"{UPLOAD}/")])

    def as_octoprint(self, basedir: Path) -> OctoPrint:
        """How the tests of real servers know one. What they would read in its log is in ``requests`` here."""
        return OctoPrint(
            name=f"recorded-{self.recording.release}",
            url=f"http://127.0.0.1:{self.port}",
            api_key=KEY,
            operator_key=KEY,
            viewer_key=KEY,
            user="operator",
            password="",
            version=self.recording.release,
            pid=0,
            basedir=basedir,
            starts=1,
            ready_after_s=0.0,
        )

    # --- how it is asked --------------------------------------------------------------------------------------------

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/sockjs/websocket":
            return await self._push(request)
        asked = f"{request.method} {request.path}"
        self.requests.append(asked)
        body = await request.read()
        if request.path.startswith(DOWNLOADS) and self.file is not None:
            return web.Response(body=self.file.content)
        for order in self._orders:
            if asked.startswith(order.request) and order.hits < order.times:
                order.hits += 1
                if order.acts:
                    await self._follow(asked, request, body)
                return self._say(self._reply(order.reply))
        # A key that lets nobody in says so to everything.
        own = self.scene.answer(asked) or self.scene.answer(self._as_recorded(asked))
        if own is not None and (
            own.status != 200 or not asked.startswith(f"GET {FILES}") or self._has(asked)
        ):
            return self._say(own)
        return self._say(await self._follow(asked, request, body))

    async def _follow(self, asked: str, request: web.BaseRequest, body: bytes) -> Answer:
        """What follows from a request in this state, as it was recorded there."""
        if asked == UPLOAD:
            return await self._take(request, body)
        if asked.startswith(f"{UPLOAD}/"):
            return await self._start(asked)
        if asked == JOB:
            return await self._order(json.loads(body))
        if asked.startswith("DELETE "):
            if self._has(asked):
                self.file = None
                return self._reply("deleted")
            return self._reply("file-missing")
        if asked.startswith(f"GET {FILES}"):
            if self._has(asked):
                return self._reply("file")
            holds = self.file is not None and self.file.path.startswith(
                asked.removeprefix(f"GET {FILES}") + "/"
            )
            return self._reply("folder" if holds else "file-missing")
        found = next((one for one in map(self._reply, USUAL) if one.request == asked), None)
        assert found is not None, f"nothing was recorded of {asked} in {self.scene.name}"
        return found

    async def _take(self, request: web.BaseRequest, body: bytes) -> Answer:
        fields = parts_of(request.headers["Content-Type"], body)
        path = "/".join(one.decode() for one in (fields["path"], fields["filename"]) if one)
        if self.file is not None and self.file.path == path:
            return self._reply("upload-exists")
        self.file = Stored(path, fields["file"])
        return self._reply("stored")

    async def _start(self, asked: str) -> Answer:
        if not self._has(asked):
            return self._reply("start-missing")
        if self._is("operational") and self._is("ready"):
            await self.show(self.after_start)
            return self._reply("start-accepted")
        return self._reply("start-while-printing" if self._is("operational") else "start-unconnected")

    async def _order(self, command: Mapping[str, Any]) -> Answer:
        word = str(command.get("action", command["command"]))
        if not (self._is("printing") or self._is("paused")):
            return self._reply("cancel-refused" if word == "cancel" else "pause-refused")
        for name in SHOWN_AFTER[word]:
            await self.show(name)
        return self._reply(f"{word}-accepted")

    async def _push(self, request: web.BaseRequest) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        await socket.send_json(self.recording.scenes["free"].push[0])
        async for message in socket:
            if message.type is web.WSMsgType.TEXT and "auth" in json.loads(message.data):
                await socket.send_json(self._of_our_file(self._frame("history")))
                self._sockets.add(socket)
        self._sockets.discard(socket)
        return socket

    # --- how it is said ---------------------------------------------------------------------------------------------

    def _reply(self, name: str) -> Answer:
        self.spoken.add(name)
        return self.recording.replies[name]

    def _frame(self, kind: str) -> Mapping[str, Any]:
        return next(frame for frame in self.scene.push if kind in frame)

    def _is(self, flag: str) -> bool:
        return bool(self._frame("current")["current"]["state"]["flags"][flag])

    def _has(self, asked: str) -> bool:
        return self.file is not None and asked.endswith(FILES + self.file.path)

    def _as_recorded(self, asked: str) -> str:
        return asked.replace(self.file.path, FILE) if self.file is not None else asked

    def _say(self, answer: Answer) -> web.Response:
        if answer.kind == "application/json":
            return web.json_response(self._of_our_file(answer.body), status=answer.status)
        return web.Response(text=answer.body, status=answer.status, content_type=answer.kind)

    async def _tell(self, frame: Mapping[str, Any]) -> None:
        text = json.dumps(self._of_our_file(frame))
        for socket in [*self._sockets]:
            await socket.send_str(text)

    def _of_our_file(self, value: Any) -> Any:
        """The same said of the file that lies here: its names, its size, its hash."""
        if self.file is None:
            return value
        if isinstance(value, list):
            return [self._of_our_file(one) for one in value]
        if isinstance(value, str):
            return {FILE: self.file.path, NAME: self.file.path.rpartition("/")[2]}.get(value, value)
        if not isinstance(value, dict):
            return value
        said = {name: self._of_our_file(one) for name, one in value.items()}
        if value.get("path") == FILE:
            now = {"size": len(self.file.content), "hash": self.file.sha1}
            said |= {name: one for name, one in now.items() if name in value}
        return said


def parts_of(kind: str, body: bytes) -> dict[str, bytes]:
    """The fields of a form as the driver sends it: name -> content."""
    mark = b"--" + kind.partition("boundary=")[2].encode()
    found = {}
    for part in body.split(mark)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        found[head.partition(b'name="')[2].partition(b'"')[0].decode()] = content.removesuffix(b"\r\n")
    return found


@asynccontextmanager
async def speaking(release: str) -> AsyncIterator[RecordedServer]:
    """A server of this release on a port of its own."""
    server = RecordedServer(read(release))
    runner = web.ServerRunner(web.Server(server.answer, access_log=None))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.port = runner.addresses[0][1]
        yield server
    finally:
        await runner.cleanup()
