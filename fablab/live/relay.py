"""Carries messages between processes (``REDIS_URL``): one layer subscription per process, on a thread of its own.

Redis may stop and come back. What could not be sent meanwhile is sent late; a process that did not hear its own
beat for a while may have missed something, and has every watched topic read again from the database.
"""

import asyncio
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from channels.layers import channel_layers
from django.conf import settings

from fablab.live.hub import Hub
from fablab.live.message import Message

log = logging.getLogger(__name__)

GROUP = "live"
BEAT = 5.0  # seconds
DEAF = 15.0  # seconds without our own beat: something may have been missed
READD = 3600.0  # seconds; a membership ends by itself after a day
MOST_WAITING = 1000


class Relay:
    """Everything but ``__init__`` belongs to one loop. ``deliver`` gets other processes' messages, ``missed`` is
    called when some may have been lost."""

    def __init__(
        self,
        layer: Any,
        deliver: Callable[[Message], None] | None = None,
        missed: Callable[[], None] | None = None,
        *,
        beat: float = BEAT,
        deaf: float = DEAF,
    ) -> None:
        self.heard_at: float | None = None
        self.deliver = deliver
        self.missed = missed
        self._layer = layer
        self._beat = beat
        self._deaf = deaf
        self._origin = secrets.token_hex(8)
        self._outbox: deque[dict[str, Any]] = deque(maxlen=MOST_WAITING)
        self._something = asyncio.Event()

    def post(self, message: Message) -> None:
        self._outbox.append({"type": "live.message", "origin": self._origin, "message": message.packed()})
        self._something.set()

    async def run(self) -> None:
        """Send and listen until cancelled."""
        await asyncio.gather(self._send(), self._listen(), self._beats())

    async def close(self) -> None:
        """Give back the connections to Redis."""
        await self._layer.flush()

    async def _send(self) -> None:
        pause = 0.0
        while True:
            await self._something.wait()
            while self._outbox:
                event = self._outbox[0]
                try:
                    await self._layer.group_send(GROUP, event)
                except Exception as error:  # noqa: BLE001 - any trouble of Redis is the same to us: wait, try again
                    if not pause:
                        log.warning("Live messages wait: %s", error)
                    pause = min(5.0, pause * 2 or 0.5)
                    await asyncio.sleep(pause)
                    continue
                if pause:
                    log.warning("Live messages go again")
                    pause = 0.0
                if self._outbox and self._outbox[0] is event:  # not pushed out meanwhile by newer ones
                    self._outbox.popleft()
            self._something.clear()

    async def _beats(self) -> None:
        while True:
            if not self._outbox:
                self._outbox.append({"type": "live.beat", "origin": self._origin})
                self._something.set()
            await asyncio.sleep(self._beat)

    async def _listen(self) -> None:
        channel: str | None = None
        added_at = float("-inf")
        pause = 0.0
        while True:
            try:
                if channel is None:
                    channel, added_at = await self._layer.new_channel(), float("-inf")
                if time.monotonic() - added_at > READD:
                    await self._layer.group_add(GROUP, channel)
                    added_at = time.monotonic()
                async with asyncio.timeout(READD):
                    event = await self._layer.receive(channel)
                pause = 0.0
            except TimeoutError:
                channel = None  # a receive that is given up takes its channel with it
                continue
            except Exception as error:  # noqa: BLE001 - as above
                if not pause:
                    log.warning("Live messages of other processes are not heard: %s", error)
                pause = min(5.0, pause * 2 or 0.5)
                channel = None
                await asyncio.sleep(pause)
                continue
            self._take(event)

    def _take(self, event: dict[str, Any]) -> None:
        if event["origin"] == self._origin:
            now = time.monotonic()
            deaf = self.heard_at is not None and now - self.heard_at > self._deaf
            self.heard_at = now
            if deaf and self.missed is not None:
                self.missed()
        elif event["type"] == "live.message" and self.deliver is not None:
            try:
                message = Message(**event["message"])
            except TypeError:
                log.warning("A live message of another version was left out")
                return
            self.deliver(message)


class RelayThread:
    """A relay on a loop of its own, for a process that may have no other loop."""

    def __init__(self) -> None:
        self._hub: Hub | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run()), name="live-relay", daemon=True
        )
        self._thread.start()
        self._ready.wait()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        # A layer of its own: the connections of one belong to the loop that made them.
        self._relay = Relay(channel_layers.make_backend("default"), self._to_hub, self._missed)
        self._ready.set()
        running = asyncio.create_task(self._relay.run())
        await self._end.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await self._relay.close()

    def stop(self) -> None:
        """End the thread and its connections."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    def _to_hub(self, message: Message) -> None:
        if self._hub is not None and not self._hub.loop.is_closed():
            self._hub.loop.call_soon_threadsafe(self._hub.accept, message)

    def _missed(self) -> None:
        if self._hub is not None and not self._hub.loop.is_closed():
            self._hub.loop.call_soon_threadsafe(self._hub.read_everything_again)

    def serve(self, hub: Hub) -> None:
        self._hub = hub

    def post(self, message: Message) -> None:
        self._loop.call_soon_threadsafe(self._relay.post, message)

    @property
    def heard_at(self) -> float | None:
        return self._relay.heard_at


_thread: RelayThread | None = None
_starting = threading.Lock()


def _this() -> RelayThread | None:
    global _thread
    if not settings.REDIS_URL:
        return None
    with _starting:
        if _thread is None:
            _thread = RelayThread()
    return _thread


def post(message: Message) -> None:
    """Tell the other processes, if there are any."""
    if (thread := _this()) is not None:
        thread.post(message)


def listen(hub: Hub) -> None:
    """Give other processes' messages to this hub."""
    if (thread := _this()) is not None:
        thread.serve(hub)


def heard(within: float = DEAF) -> bool:
    """Tell whether our own beat came back through Redis lately."""
    at = _thread.heard_at if _thread is not None else None
    return at is not None and time.monotonic() - at < within


def stop() -> None:
    """End the relay of this process, if there is one."""
    global _thread
    with _starting:
        thread, _thread = _thread, None
    if thread is not None:
        thread.stop()
