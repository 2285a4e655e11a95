"""Drive a real OctoPrint through the states that matter and note what it answers there."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from typing import Any, Self

import aiohttp

from equipment.drivers.octoprint.push import SUBSCRIPTION
from tests.fixtures.octoprint import OctoPrint, gcode_lasting
from tests.recorded.answers import CARD_FILE, FILE, FOLDER, NAME, Answer, Scene, neutral

PATIENCE_S = 30.0
LOOK_S = 0.03
STATE = ("GET /api/job", "GET /api/printer")
ERROR = "GET /api/printer/error"
OUR_FILE = f"GET /api/files/local/{FILE}"
START = {"command": "select", "print": True}
PAUSE, RESUME = ({"command": "pause", "action": action} for action in ("pause", "resume"))
CANCEL = {"command": "cancel"}

STEADY = gcode_lasting(8)
LONG_STEPS = (
    b"G28\n" + b"G4 P100\n" * 5 + b"G4 P2500\n" * 12
)  # a pause or a cancel waits for the running command
SHORT = gcode_lasting(0.5)
CHANGE_FILAMENT = b"G28\n" + b"G4 P100\n" * 10 + b"M600\n" + b"G4 P100\n" * 20
FROM_THE_CARD = b"".join(b"G1 X%d F600\n" % (step % 2 * 90) for step in range(50))


class Drive:
    """``async with Drive(server, larger=20_001) as drive: await drive.through_all()``; then ``scenes``, ``replies``.

    ``larger``: bytes that are too many for one upload.
    """

    def __init__(self, server: OctoPrint, *, larger: int) -> None:
        self.server = server
        self.larger = larger
        self.scenes: dict[str, Scene] = {}
        self.replies: dict[str, Answer] = {}
        self._events: list[Mapping[str, Any]] = []
        self._report: Mapping[str, Any] = {}
        self._reports: dict[str, Mapping[str, Any]] = {}  # the newest of each state, since the last scene
        self._news = asyncio.Condition()  # something was heard
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._session = await self._stack.enter_async_context(aiohttp.ClientSession(self.server.url))
        listening = asyncio.create_task(self._listen())
        self._stack.callback(listening.cancel)
        await self._until(lambda: bool(self._report))
        return self

    async def __aexit__(self, *reason: object) -> None:
        await self._stack.aclose()

    async def through_all(self) -> None:
        await self._free()
        await self._prints()
        await self._pauses()
        await self._ends()
        await self._foreign()
        await self._accidents()
        await self._unconnected()
        await self._refusals()
        await self._revoked()

    # --- states -----------------------------------------------------------------------------------------------------

    async def _free(self) -> None:
        await self._until(lambda: bool(self._report.get("temps")))  # the first ones come a moment later
        await self._scene("free", "connected, nothing was ever selected", "Operational")
        await self._reply("version", "GET /api/version")
        await self._reply("account", "GET /api/currentuser")
        await self._reply("signed-in", "POST /api/login", {"passive": True})
        await self._reply("nothing-selected", "POST /api/job", {"command": "start"})

    async def _prints(self) -> None:
        await self._store(STEADY, "stored")
        await self._reply("file", OUR_FILE)
        await self._reply("folder", f"GET /api/files/local/{FOLDER}")
        await self._reply("start-accepted", f"POST /api/files/local/{FILE}", START)
        await self._far(10)
        await self._scene("printing-early", "our file, a tenth of it", "Printing", percent=10.0)
        await self._reply("start-while-printing", f"POST /api/files/local/{FILE}", START)
        await self._reply("delete-while-printing", f"DELETE /api/files/local/{FILE}")
        await self._far(60)
        await self._scene("printing-late", "the same print, more than half of it", "Printing", percent=60.0)
        await self._end()

    async def _pauses(self) -> None:
        await self._start(LONG_STEPS)
        await self._far(30)  # the first long command runs
        await self._reply("pause-accepted", "POST /api/job", PAUSE)
        await self._scene("pausing", "a person paused, a long command still runs", "Pausing")
        await self._scene("paused", "a person paused", "Paused")
        await self._reply("resume-accepted", "POST /api/job", RESUME)
        await self._scene("resumed", "a person resumed", "Printing")
        await self._far(38)
        await self._reply("cancel-accepted", "POST /api/job", CANCEL)
        await self._scene("cancelling", "a person cancelled, a long command still runs", "Cancelling")
        await self._scene("cancelled", "a person cancelled", "Operational", more=(OUR_FILE,))
        for name, how, commands in (
            ("paused-by-printer", "the printer asked: // action:pause", ("!!DEBUG:action_pause",)),
            (
                "paused-run-out",
                "filament ran out, as Marlin says it: // action:out_of_filament T0, // action:paused",
                ("!!DEBUG:action_custom out_of_filament T0", "!!DEBUG:action_custom paused"),
            ),
        ):
            await self._start(STEADY)
            await self._type(*commands)
            await self._scene(name, how, "Paused")
            await self._end()
        await self._start(CHANGE_FILAMENT)
        await self._scene("paused-m600", "M600 in the file: // action:paused, a prompt, busy", "Paused")
        await self._type("M876 S0")
        await self._end()

    async def _ends(self) -> None:
        await self._type("!!DEBUG:sleep_after_next M400 2")
        await self._start(SHORT)
        await self._scene("finishing", "all is sent, moves are still being made", "Finishing")
        await self._scene("finished", "printed to its end", "Operational", more=(OUR_FILE,))

    async def _foreign(self) -> None:
        (self.server.basedir / "virtualSd" / CARD_FILE).write_bytes(FROM_THE_CARD)
        await self._ask("POST /api/printer/sd", {"command": "refresh"}, key=self.server.api_key)
        await self._type(f"!!DEBUG:start_sd {CARD_FILE}")
        await self._scene("from-the-card", "started at the printer's own screen", "Printing from SD")
        await self._end()

    async def _accidents(self) -> None:
        for name, how, command in (
            ("halted", "the firmware halted: thermal runaway", "!!DEBUG:trigger_fatal_error_marlin"),
            ("line-lost", "the cable was pulled", "!!DEBUG:drop_connection"),
        ):
            await self._start(STEADY)
            await self._type(command)
            await self._scene(name, how, "Offline after error", more=(ERROR, OUR_FILE))
            await self._connect()

    async def _unconnected(self) -> None:
        await self._ask("POST /api/connection", {"command": "disconnect"}, key=self.server.api_key)
        await self._scene("unconnected", "nobody connected the printer", "Offline")
        await self._reply("start-unconnected", f"POST /api/files/local/{FILE}", START)
        await self._reply(
            "print-unconnected", "POST /api/files/local", form=_form(NAME, STEADY, print="true")
        )
        await self._connect()

    async def _refusals(self) -> None:
        await self._reply("pause-refused", "POST /api/job", PAUSE)
        await self._reply("cancel-refused", "POST /api/job", CANCEL)
        upload = "POST /api/files/local"
        await self._reply("upload-exists", upload, form=_form(NAME, STEADY, noOverwrite="true"))
        await self._reply("upload-wrong-type", upload, form=_form("model.stl", b"solid"))
        await self._reply("upload-bad-name", upload, form=_form("../up.gcode", STEADY))
        await self._reply_to_too_much()
        await self._reply("upload-not-allowed", upload, form=_form(NAME, STEADY), key=self.server.viewer_key)
        missing = "GET /api/files/local/fl/nothing.gcode"
        await self._reply("file-missing", missing)
        await self._reply("folder-missing", missing.replace("/fl/", "/no/"))
        await self._reply("start-missing", missing.replace("GET", "POST"), START)
        await self._reply(
            "start-not-allowed", f"POST /api/files/local/{FILE}", START, key=self.server.viewer_key
        )
        await self._reply("deleted", f"DELETE /api/files/local/{FILE}")

    async def _reply_to_too_much(self) -> None:
        """It answers and hangs up before it has read everything: on a busy machine the answer may be lost."""
        async with asyncio.timeout(PATIENCE_S):
            while "upload-too-large" not in self.replies:
                form = _form("large.gcode", b";" * self.larger)
                with suppress(aiohttp.ClientConnectionError):
                    await self._reply("upload-too-large", "POST /api/files/local", form=form)

    async def _revoked(self) -> None:
        keys = (await self._ask("GET /api/plugin/appkeys?all=true", key=self.server.api_key)).body["keys"]
        app = next(key["app_id"] for key in keys if key["user_id"] == "operator")
        revoke = {"command": "revoke", "app": app, "user": "operator"}
        await self._ask("POST /api/plugin/appkeys", revoke, key=self.server.api_key)
        asked = [
            await self._ask(one) for one in (*STATE, "GET /api/version", "GET /api/currentuser", OUR_FILE)
        ]
        asked.append(await self._ask("POST /api/login", {"passive": True}))
        asked.append(await self._ask("POST /api/files/local", form=_form(NAME, STEADY)))
        how = "the key was revoked; an open socket goes on receiving"
        self.scenes["revoked"] = Scene("revoked", how, tuple(neutral_answer(one) for one in asked))

    # --- steps ------------------------------------------------------------------------------------------------------

    async def _start(self, content: bytes) -> None:
        await self._store(content)
        self._forget()
        await self._ask(f"POST /api/files/local/{FILE}", START)
        await self._until(lambda: any(state_in(frame) == "PRINTING" for frame in self._events))
        self._forget()

    async def _store(self, content: bytes, reply: str = "") -> None:
        """Our file afresh: what it remembers of prints is of this content only."""
        await self._ask(f"DELETE /api/files/local/{FILE}")
        form = _form(NAME, content, noOverwrite="true", userdata='{"attempt": "1"}')
        answer = await self._ask("POST /api/files/local", form=form)
        assert answer.status == 201, answer
        if reply:
            self.replies[reply] = neutral_answer(answer)

    async def _end(self) -> None:
        await self._ask("POST /api/job", CANCEL)
        await self._await("Operational")
        self._forget()

    async def _connect(self) -> None:
        await self._ask("POST /api/connection", {"command": "connect"}, key=self.server.api_key)
        await self._await("Operational")
        self._forget()

    async def _type(self, *commands: str) -> None:
        await self._ask("POST /api/printer/command", {"commands": commands}, key=self.server.api_key)

    async def _far(self, percent: float) -> None:
        await self._await("Printing", percent)

    async def _await(self, text: str, percent: float = 0.0) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            job = (await self._ask("GET /api/job")).body
            if job["state"] == text and (job["progress"]["completion"] or 0) >= percent:
                return
            assert time.monotonic() < deadline, f"{job}, not {text}"
            await asyncio.sleep(LOOK_S)

    async def _until(self, wanted: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(wanted)

    def _forget(self) -> None:
        self._events.clear()
        self._reports.clear()

    # --- noting -----------------------------------------------------------------------------------------------------

    async def _reply(self, name: str, request: str, body: object = None, **more: Any) -> None:
        self.replies[name] = neutral_answer(await self._ask(request, body, **more))

    async def _scene(
        self, name: str, how: str, text: str, *, percent: float = 40.0, more: tuple[str, ...] = ()
    ) -> None:
        """Note everything as soon as the server, in all its answers, says that it is in this state."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            await self._await(text)
            answers = [await self._ask(request) for request in (*STATE, *more)]
            first = await self._first_frames()
            states = {answers[0].body["state"], first[-1]["history"]["state"]["text"]}
            if answers[1].status == 200:
                states.add(answers[1].body["state"]["text"])
            if states == {text}:
                break
            assert time.monotonic() < deadline, f"{name}: {states}"
        await self._until(lambda: text in self._reports)
        frames = [*first, *self._events, {"current": self._reports[text]}]
        self._forget()
        self.scenes[name] = Scene(
            name,
            how,
            tuple(neutral_answer(one, percent) for one in answers),
            tuple(neutral(frame, percent=percent) for frame in frames),
        )

    async def _ask(
        self, request: str, body: object = None, *, form: aiohttp.FormData | None = None, key: str = ""
    ) -> Answer:
        method, path = request.split(" ", 1)
        async with self._session.request(
            method,
            path,
            json=body if form is None and body is not None else None,
            data=form,
            headers={"X-Api-Key": key or self.server.operator_key},
        ) as answer:
            text = await answer.text()
        kind = answer.content_type
        content = json.loads(text) if kind == "application/json" else text
        return Answer(request.partition("?")[0], answer.status, kind, content)

    async def _socket(self) -> aiohttp.ClientWebSocketResponse[bool]:
        """Sign in as the driver does, with reports as often as OctoPrint gives them."""
        socket = await self._session.ws_connect("/sockjs/websocket")
        await socket.send_json(SUBSCRIPTION)
        login = (await self._ask("POST /api/login", {"passive": True})).body
        await socket.send_json({"auth": f"{login['name']}:{login['session']}"})
        return socket

    async def _first_frames(self) -> list[Mapping[str, Any]]:
        """What whoever signs in now hears first: the greeting and the state."""
        socket = await self._socket()
        try:
            found: list[Mapping[str, Any]] = []
            while not found or "history" not in found[-1]:
                frame = await socket.receive_json(timeout=PATIENCE_S)
                if "connected" in frame or "history" in frame:
                    found.append(frame)
            return found
        finally:
            await socket.close()

    async def _listen(self) -> None:
        socket = await self._socket()
        async for message in socket:
            frame = json.loads(message.data)
            if "event" in frame:
                self._events.append(frame)
            if "current" in frame:
                self._report = frame["current"]
                self._reports[self._report["state"]["text"]] = self._report
            async with self._news:
                self._news.notify_all()


def state_in(frame: Mapping[str, Any]) -> str:
    """The state that an event tells of; empty for other frames."""
    return str((frame.get("event", {}).get("payload") or {}).get("state_id", ""))


def neutral_answer(answer: Answer, percent: float = 40.0) -> Answer:
    return Answer(answer.request, answer.status, answer.kind, neutral(answer.body, percent=percent))


def _form(name: str, content: bytes, **fields: str) -> aiohttp.FormData:
    form = aiohttp.FormData({"path": FOLDER, "filename": name, **fields})
    form.add_field("file", content, filename=name, content_type="application/octet-stream")
    return form
