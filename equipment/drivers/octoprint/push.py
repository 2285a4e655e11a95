"""OctoPrint's push channel: one connection, from its beginning to its loss."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import aiohttp

from equipment.drivers.base import (
    NO_TEMPERATURES,
    Code,
    DriverError,
    Observation,
    Push,
    PushEvent,
    PushKind,
)
from equipment.drivers.foreign import read_json, text_of
from equipment.drivers.octoprint import wire
from equipment.drivers.web import Answer, Web

SUBSCRIPTION = {
    "subscribe": {
        "state": {"logs": False, "messages": False},
        "events": sorted(wire.EVENTS),
        "plugins": False,
    }
}
THROTTLE = {"throttle": 4}  # regular reports every 2 s instead of every half second

_NO_REASONS = {None, "error", "unknown"}
_ENDINGS = {PushEvent.PRINT_CANCELLED, PushEvent.PRINT_FAILED, PushEvent.PRINT_DONE}

Refusal = Callable[[Answer], Awaitable[DriverError]]
Socket = aiohttp.ClientWebSocketResponse[bool]


async def watch(
    web: Web, clock: Callable[[], datetime], refusal: Refusal, on_error: Callable[[wire.ToldError], None]
) -> AsyncIterator[Push]:
    """See `base.Driver.watch`. The reason of `lost` is a code of `DriverError`; `on_error` hears errors first."""
    reason: str = Code.ANSWER_LOST
    try:
        socket = await web.open_push("/sockjs/websocket")
        try:
            channel = _Channel(socket, web, clock)
            yield await channel.enter(refusal)
            while True:
                message = await channel.next_message(web.limits.push_silence)
                told = wire.told_error_of(wire.section(message, "event"))
                if told is not None:
                    on_error(told)
                for push in channel.read(message):
                    yield push
        finally:
            await socket.close()
    except DriverError as problem:
        reason = problem.code
    yield Push(PushKind.LOST, reason=reason)


class _Channel:
    """What has to be remembered during one connection."""

    def __init__(self, socket: Socket, web: Web, clock: Callable[[], datetime]) -> None:
        self._socket = socket
        self._web = web
        self._clock = clock
        self._temperatures = NO_TEMPERATURES
        self._running: str | None = None  # OctoPrint forgets it before it tells of the end
        self._error: str | None = None  # 2.x tells it in an event before the end, and not again
        self._second = 0.0
        self._frames = 0

    async def enter(self, refusal: Refusal) -> Push:
        """Be let in. A session belongs to one login, so each connection logs in by itself."""
        patience = self._web.limits.push_reply
        while "connected" not in await self.next_message(patience):
            pass
        # Before authentication, so that nothing comes that was not asked for.
        await self._say(SUBSCRIPTION)
        await self._say(THROTTLE)
        login = await self._web.request("POST", "/api/login", command={"passive": True})
        if login.status != 200:
            raise await refusal(login)
        ticket = login.json_object()
        name, session = text_of(ticket.get("name"), 200), text_of(ticket.get("session"), 200)
        if name is None or session is None:
            raise DriverError(Code.BAD_KEY)
        await self._say({"auth": f"{name}:{session}"})
        # A malformed authentication gets no answer at all: only waiting tells.
        try:
            async with asyncio.timeout(patience):
                while True:
                    message = await self.next_message(patience)
                    seen = self._observation(message)
                    if seen is not None:
                        return Push(PushKind.CONNECTED, observation=seen, path=seen.path, user=seen.user)
                    self._demand_welcome(message)
        except TimeoutError as problem:
            raise DriverError(Code.TIMED_OUT) from problem

    async def next_message(self, patience: float) -> Mapping[str, Any]:
        """The next frame as an object. Raises DriverError when none comes, or none that can be read."""
        try:
            frame = await self._socket.receive(timeout=patience)
        except TimeoutError as problem:
            raise DriverError(Code.TIMED_OUT) from problem
        except (aiohttp.ClientError, OSError) as problem:
            raise DriverError(Code.ANSWER_LOST) from problem
        if frame.type is not aiohttp.WSMsgType.TEXT:
            too_large = self._socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
            binary = frame.type is aiohttp.WSMsgType.BINARY
            if too_large:
                raise DriverError(Code.ANSWER_TOO_LARGE)
            raise DriverError(Code.ANSWER_UNREADABLE if binary else Code.ANSWER_LOST)
        self._count_frame()
        try:
            message = read_json(frame.data)
        except ValueError as problem:
            raise DriverError(Code.ANSWER_UNREADABLE) from problem
        return message if isinstance(message, dict) else {}

    def read(self, message: Mapping[str, Any]) -> list[Push]:
        """What a message says; nothing for messages and keys that we do not know."""
        self._demand_welcome(message)
        found: list[Push] = []
        seen = self._observation(message)
        if seen is not None:
            found.append(Push(PushKind.STATE, observation=seen, path=seen.path, user=seen.user))
        happening = wire.happening_of(wire.section(message, "event"))
        if happening is not None:
            found.append(self._remember(happening))
        return found

    def _remember(self, happening: wire.Happening) -> Push:
        """Add what OctoPrint said earlier and leaves out now."""
        event, path, reason = happening.event, happening.path, happening.reason
        if event is PushEvent.PRINT_STARTED:
            self._error = None
        elif event is PushEvent.MACHINE_ERROR:
            self._error = reason
        elif event is PushEvent.PRINT_FAILED and reason in _NO_REASONS:
            reason = self._error or reason
        if event.value.startswith("print_"):
            path = path or self._running
            self._running = None if event in _ENDINGS else path
        return Push(PushKind.EVENT, event=event, path=path, reason=reason, user=happening.user)

    def _observation(self, message: Mapping[str, Any]) -> Observation | None:
        payload = message.get("current", message.get("history"))
        if not isinstance(payload, dict):
            return None
        self._temperatures = wire.last_temperatures(payload) or self._temperatures
        seen = wire.pushed_observation(self._clock(), payload, self._temperatures)
        if seen.is_busy and seen.path is not None:
            self._running = seen.path
        return seen

    @staticmethod
    def _demand_welcome(message: Mapping[str, Any]) -> None:
        """The account was changed or removed, or the session is over: log in anew, or find that we cannot."""
        if "reauthRequired" in message:
            raise DriverError(Code.ANSWER_LOST)

    def _count_frame(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._second >= 1.0:
            self._second, self._frames = now, 0
        self._frames += 1
        if self._frames > self._web.limits.frames_a_second:
            raise DriverError(Code.ANSWER_TOO_LARGE)

    async def _say(self, message: Mapping[str, object]) -> None:
        try:
            await self._socket.send_str(json.dumps(message))
        except (aiohttp.ClientError, OSError, RuntimeError) as problem:
            raise DriverError(Code.ANSWER_LOST) from problem
