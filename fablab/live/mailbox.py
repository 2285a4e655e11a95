"""What waits to be sent to one socket. Bounded: a slow phone costs little memory and holds nobody up.

Figures that wait are folded into the next ones. Changes of state wait in order, none left out; when too many wait, all
of a topic's changes give way to a new snapshot of it, made when its turn comes.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from fablab.live.channel import Change, Channel
from fablab.live.frames import PONG, Frame

LIMIT = 256
TOO_SLOW = 1008


class Look:
    """A snapshot that is made when its turn comes, so it is never older than what is sent before it."""

    __slots__ = ("channel",)

    def __init__(self, channel: Channel) -> None:
        self.channel = channel


class Mailbox:
    """``clock`` gives seconds; ``sending_since`` is when the send that is under way began."""

    def __init__(self, clock: Callable[[], float], limit: int = LIMIT) -> None:
        self.sending_since: float | None = None
        self.closing: int | None = None
        self._clock = clock
        self._limit = limit
        self._entries: deque[Change | Look | Frame] = deque()
        self._waiter: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, change: Change) -> None:
        """Add a change of a channel."""
        if not (self._entries and self._fold(change)):
            self._append(change)

    def _fold(self, change: Change) -> bool:
        """Let a waiting entry of the same channel stand for ``change`` too; tell whether one does."""
        for place in range(len(self._entries) - 1, -1, -1):
            entry = self._entries[place]
            if isinstance(entry, Look) and entry.channel is change.channel:
                return True
            if isinstance(entry, Change) and entry.channel is change.channel:
                if not entry.figures:
                    return False
                self._entries[place] = entry.then(change)
                return True
        return False

    def look_again(self, channel: Channel) -> None:
        """Replace whatever waits of this channel by a snapshot."""
        self.forget(channel)
        self._append(Look(channel))

    def forget(self, channel: Channel) -> None:
        """Drop what waits of this channel."""
        self._entries = deque(
            entry for entry in self._entries if isinstance(entry, dict) or entry.channel is not channel
        )

    def say(self, frame: Frame) -> None:
        """Add an answer to something the client asked. A second pong says no more than the first."""
        if frame is not PONG or frame not in self._entries:
            self._append(frame)

    def close(self, code: int) -> None:
        """Send nothing more, close with ``code``."""
        if self.closing is None:
            self.closing = code
            self._entries.clear()
            self._wake()

    def _append(self, entry: Change | Look | Frame) -> None:
        if self.closing is not None:
            return
        if len(self._entries) >= self._limit:
            self._shorten()
            if isinstance(entry, Change) and self._fold(entry):
                return
        if len(self._entries) >= 2 * self._limit:
            self.close(TOO_SLOW)  # it asks and asks and reads no answers
            return
        self._entries.append(entry)
        self._wake()

    def _shorten(self) -> None:
        answers: list[Change | Look | Frame] = [entry for entry in self._entries if isinstance(entry, dict)]
        channels = dict.fromkeys(entry.channel for entry in self._entries if not isinstance(entry, dict))
        self._entries = deque(answers)
        self._entries.extend(Look(channel) for channel in channels)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def next(self) -> Frame | None:
        """Wait for the next frame to send; None when the socket is to be closed."""
        self.sending_since = None
        while not self._entries:
            if self.closing is not None:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        entry = self._entries.popleft()
        self.sending_since = self._clock()
        if isinstance(entry, Change):
            return entry.frame()
        return entry.channel.shown_to(self) if isinstance(entry, Look) else entry
