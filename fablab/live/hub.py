"""One hub per process: takes what is published, keeps each watched topic's last state, fills the sockets' mailboxes.

No task per socket and message, and no channel layer behind each socket: a change costs one difference, one encoding
and one entry in each mailbox. Everything here runs on the serving loop.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, TypeVar

from fablab.core.threads import DatabaseThreads
from fablab.live.channel import Channel
from fablab.live.frames import refused
from fablab.live.mailbox import Mailbox
from fablab.live.message import Message
from fablab.live.topics import SHAPES, Shape, Topic

if TYPE_CHECKING:
    from fablab.live.socket import Socket

log = logging.getLogger(__name__)
T = TypeVar("T")


class Hub:
    """Make it on the serving loop; ``close`` it there. ``recheck`` is called with the sockets to look at again."""

    def __init__(self, recheck: Callable[[list["Socket"]], None], threads: Executor | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        self.sockets: set[Socket] = set()
        self._recheck = recheck
        self._threads = threads or DatabaseThreads(2, "live")
        self._channels: dict[tuple[str, Shape], Channel] = {}
        self._readings: dict[Channel, asyncio.Task[bool]] = {}
        self._waiting: dict[Channel, dict[Mailbox, None]] = {}
        self._parts: dict[tuple[Channel, str], bool] = {}  # being read -> and to be read once more
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something for as long as the hub lives."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """End every task and thread of the hub."""
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()
        await asyncio.to_thread(self._threads.shutdown)

    async def in_thread(self, call: Callable[..., T], *args: Any) -> T:
        """Run a call that may read the database."""
        return await self.loop.run_in_executor(self._threads, call, *args)

    def watched(self, name: str) -> bool:
        """Tell whether anybody watches this topic here. Safe to ask from any thread."""
        return any((name, shape) in self._channels for shape in SHAPES)

    # --- those who watch ------------------------------------------------------------------------------------------

    async def watch(self, topic: Topic, shape: Shape, mailbox: Mailbox) -> bool:
        """Put a snapshot into the mailbox and every change after it; False when there is nothing to see."""
        channel = self._channels.get((topic.name, shape))
        if channel is None:
            channel = self._channels[topic.name, shape] = Channel(topic, shape)
        if channel.ready:
            channel.admit(mailbox)
            return True
        self._waiting.setdefault(channel, {})[mailbox] = None
        return await asyncio.shield(self._read(channel))

    def leave(self, topic: Topic, shape: Shape, mailbox: Mailbox) -> None:
        """Stop filling the mailbox from this topic. What nobody watches is forgotten."""
        channel = self._channels.get((topic.name, shape))
        if channel is None:
            return
        channel.watchers.pop(mailbox, None)
        self._waiting.get(channel, {}).pop(mailbox, None)
        mailbox.forget(channel)
        self._forget_if_unwatched(channel)

    def _forget_if_unwatched(self, channel: Channel) -> None:
        if not channel.watchers and not self._waiting.get(channel) and channel not in self._readings:
            self._forget(channel)

    def _forget(self, channel: Channel) -> None:
        channel.close()
        self._waiting.pop(channel, None)
        if self._channels.get((channel.topic.name, channel.shape)) is channel:
            del self._channels[channel.topic.name, channel.shape]

    # --- what the database says -----------------------------------------------------------------------------------

    def _read(self, channel: Channel) -> asyncio.Task[bool]:
        """Read the snapshot once for all who wait for it."""
        if channel not in self._readings:
            self._readings[channel] = self.start(self._reading(channel))
        return self._readings[channel]

    async def _reading(self, channel: Channel) -> bool:
        held = channel.hold()
        try:
            state = await self.in_thread(channel.topic.kind.snapshot, channel.topic.key, channel.shape)
        except LookupError:
            self._gone(channel)
            return False
        except Exception:
            log.exception("%s could not be read", channel.topic.name)
            channel.let_go(held)
            if not channel.ready:
                self._gone(channel)
            return channel.ready
        finally:
            del self._readings[channel]
        channel.settle(state, held)
        for mailbox in self._waiting.pop(channel, {}):
            channel.admit(mailbox)
        self._forget_if_unwatched(channel)
        return True

    def _read_part(self, channel: Channel, part: str) -> None:
        """Read one thing of a topic of many; once more when it is asked for while it is being read."""
        under_way = (channel, part) in self._parts
        self._parts[channel, part] = under_way
        if not under_way:
            self.start(self._reading_part(channel, part))

    async def _reading_part(self, channel: Channel, part: str) -> None:
        topic, once_more = channel.topic, True
        read = topic.kind.part
        while once_more and read is not None:
            self._parts[channel, part] = False
            held = channel.hold()
            try:
                patch = await self.in_thread(read, topic.key, channel.shape, part)
            except Exception:
                log.exception("%s of %s could not be read again", part, topic.name)
                channel.let_go(held)
            else:
                channel.settle(patch, held, patch=True)
            once_more = self._parts[channel, part]
        del self._parts[channel, part]

    def _gone(self, channel: Channel) -> None:
        for mailbox in channel.watchers:
            mailbox.forget(channel)
            mailbox.say(refused(channel.topic.wire, "not_found"))
        channel.watchers.clear()
        self._forget(channel)

    # --- what is published ----------------------------------------------------------------------------------------

    def accept(self, message: Message) -> None:
        """Take a message. Never raises: it may come from another process, of another version."""
        try:
            if message.verb == "recheck":
                self._recheck(
                    [socket for socket in self.sockets if socket.sign_in.person_id == message.subject]
                )
                return
            for shape in SHAPES:
                channel = self._channels.get((message.subject, shape))
                if channel is None:
                    continue
                if (
                    message.verb == "read_again"
                    and message.part
                    and channel.ready
                    and channel.topic.kind.part
                ):
                    self._read_part(channel, message.part)
                elif message.verb == "read_again":
                    self._read_again(channel)
                elif (update := message.update(shape)) is not None:
                    channel.take(update)
        except Exception:
            log.exception("A live message about %s was left out", message.subject)

    def _read_again(self, channel: Channel) -> None:
        reading = self._readings.get(channel)
        if reading is None:
            self._read(channel)
        else:  # that reading may have begun before the change
            reading.add_done_callback(lambda task: None if task.cancelled() else self._once_more(channel))

    def _once_more(self, channel: Channel) -> None:
        if self._channels.get((channel.topic.name, channel.shape)) is channel:
            self._read(channel)

    def read_everything_again(self) -> None:
        """After messages may have been lost, ask the database about every watched topic."""
        for channel in [*self._channels.values()]:
            self._read_again(channel)
