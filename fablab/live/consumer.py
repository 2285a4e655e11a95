"""The one websocket consumer, ``/ws/v1/live/``. A frame from the client changes nothing but its subscriptions.

Plain ASGI: a Channels consumer would hang a channel layer behind each socket, which measured ten times slower.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from fablab.live import serving
from fablab.live.mailbox import Mailbox
from fablab.live.signin import Scope, origin_allowed, user_for
from fablab.live.socket import SIGNED_OUT, Socket

PATH = "/ws/v1/live/"
LARGEST_FRAME = 4096  # bytes
FRAMES_PER_SECOND = 30
BURST = 100
POLICY, TOO_LARGE, NOT_TEXT = 1008, 1009, 1003

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Allowance:
    """So many frames a second, after so many at once."""

    def __init__(self, now: float) -> None:
        self._left = float(BURST)
        self._at = now

    def spend(self, now: float) -> bool:
        self._left = min(float(BURST), self._left + (now - self._at) * FRAMES_PER_SECOND)
        self._at = now
        self._left -= 1
        return self._left >= 0


async def live(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one socket. Closes with 4401 (not signed in, or no longer), 4403 (rights changed), 1008, 1009, 1003."""
    await receive()
    if scope["path"] != PATH or not origin_allowed(scope):
        await send({"type": "websocket.close", "code": POLICY})  # before accepting: the client sees 403
        return
    hub = serving.here()
    sign_in = await hub.in_thread(user_for, scope)
    await send({"type": "websocket.accept"})
    if sign_in is None:
        await send({"type": "websocket.close", "code": SIGNED_OUT})
        return
    socket = Socket(hub, sign_in)
    tasks = [
        asyncio.create_task(_listen(socket, receive, hub.loop.time)),
        asyncio.create_task(_write(socket.mailbox, send)),
    ]
    socket.open(abort=tasks[0].cancel)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        socket.close()
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


async def _write(mailbox: Mailbox, send: Send) -> None:
    try:
        while (frame := await mailbox.next()) is not None:
            await send(frame)
        await send({"type": "websocket.close", "code": mailbox.closing})
    except OSError:
        return  # the client has gone


async def _listen(socket: Socket, receive: Receive, clock: Callable[[], float]) -> None:
    """Take what the client asks, one thing after the other, until it goes or asks too much."""
    allowance = Allowance(clock())
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            return
        text = event.get("text")
        if not allowance.spend(clock()):
            await _end(socket, POLICY)
        elif text is None:
            await _end(socket, NOT_TEXT)
        elif len(text) > LARGEST_FRAME or len(text.encode()) > LARGEST_FRAME:
            await _end(socket, TOO_LARGE)
        else:
            await _take(socket, text)


async def _end(socket: Socket, code: int) -> None:
    """Have the writer close the socket, and wait for that: it ends this task too."""
    socket.mailbox.close(code)
    await asyncio.Event().wait()


async def _take(socket: Socket, text: str) -> None:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        message = None
    verb = message.get("type") if isinstance(message, dict) else None
    topic = message.get("topic") if isinstance(message, dict) else None
    handler = HANDLERS.get(verb) if isinstance(verb, str) else None
    if handler is None or (handler is not _ping and not isinstance(topic, str)):
        socket.malformed()
    else:
        await handler(socket, str(topic))


async def _subscribe(socket: Socket, topic: str) -> None:
    await socket.subscribe(topic)


async def _unsubscribe(socket: Socket, topic: str) -> None:
    socket.unsubscribe(topic)


async def _ping(socket: Socket, topic: str) -> None:
    socket.ping()


HANDLERS: dict[str, Callable[[Socket, str], Awaitable[None]]] = {
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "ping": _ping,
}
