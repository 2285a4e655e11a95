"""One topic in one shape: its last state, its number, and the mailboxes of those who watch it.

Lives on the serving loop only. A difference is worked out and encoded once for all sockets that stand at the same
number; only a socket that lags behind with figures needs one of its own, and those are shared as well.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Protocol

from fablab.live.frames import Frame, frame
from fablab.live.merge import State, difference, merged, split
from fablab.live.topics import Shape, Topic

SLICE = 32  # mailboxes filled in one turn of the loop


class Change:
    """A step of a channel from one number to a later one, and its frame (made when first asked for)."""

    __slots__ = ("_frame", "after", "before_state", "channel", "figures", "state", "version")

    def __init__(
        self,
        channel: "Channel",
        after: int,
        before_state: State,
        version: int,
        state: State,
        *,
        figures: bool,
    ) -> None:
        self.channel = channel
        self.after = after
        self.before_state = before_state
        self.version = version
        self.state = state
        self.figures = figures
        self._frame: Frame | None = None

    def frame(self) -> Frame:
        if self._frame is None:
            self._frame = frame(
                type="change",
                topic=self.channel.topic.wire,
                after=self.after,
                version=self.version,
                data=difference(self.before_state, self.state),
            )
        return self._frame

    def then(self, newer: "Change") -> "Change":
        """Return the one step that stands for this one and ``newer`` together."""
        return self.channel.step(self, newer)


@dataclass(frozen=True)
class Update:
    """A new state, or a ``patch`` of it.

    ``order`` is the publisher's own growing number (a row's version): an update older than the last one came late
    and is left out.
    """

    state: State
    patch: bool
    figures: bool
    order: int | None


class Watcher(Protocol):
    """What a channel needs of a mailbox."""

    def put(self, change: Change) -> None: ...
    def look_again(self, channel: "Channel") -> None: ...
    def forget(self, channel: "Channel") -> None: ...
    def say(self, frame: Frame) -> None: ...


class Channel:
    """``state`` is what everybody was told; ``newest`` may be ahead of it by figures that wait for their second."""

    def __init__(self, topic: Topic, shape: Shape, clock: Callable[[], float] = time.time) -> None:
        self.topic = topic
        self.shape = shape
        self.watchers: dict[Watcher, int] = {}  # with the number of the last snapshot each was given
        self.state: State = {}
        self.version = 0
        self.ready = False
        self._held: list[list[Update]] = []  # one list for each reading of the database that is under way
        self._clock = clock
        self._newest: State = {}
        self._order: int | None = None
        self._told_at = float("-inf")
        self._timer: asyncio.TimerHandle | None = None
        self._snapshot: tuple[int, Frame] | None = None
        self._steps: dict[tuple[int, int], Change] = {}

    def admit(self, watcher: Watcher) -> None:
        """Give the watcher a snapshot, and from then on what changes after it."""
        self.watchers[watcher] = self.version
        watcher.look_again(self)

    def hold(self) -> list[Update]:
        """Begin to keep what is published, because the database is being read; give the list back to ``settle``."""
        held: list[Update] = []
        self._held.append(held)
        return held

    def let_go(self, held: list[Update]) -> None:
        """Keep no more for a reading that is over."""
        self._held = [other for other in self._held if other is not held]

    def settle(self, state: State, held: list[Update], *, patch: bool = False) -> None:
        """Begin, or begin anew, with what the database says; what was published while it was read goes on top.

        A change committed before the read is in ``state``, one committed later was published later and is in
        ``held``, so nothing falls between the two.
        """
        self.let_go(held)
        self._newest = merged(self._newest, state) if patch else state
        for update in held:
            self._lay(update)
        if self.ready:
            self._tell(self._newest, figures=False)
        else:
            self.state = self._newest
            self.version = self._next_version()
            self.ready = True

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _next_version(self) -> int:
        # Milliseconds keep the numbers growing over a restart of the server; the + 1 within one millisecond.
        return max(self.version + 1, int(self._clock() * 1000))

    def _lay(self, update: Update) -> bool:
        if update.order is not None:
            if self._order is not None and update.order < self._order:
                return False
            self._order = update.order
        self._newest = merged(self._newest, update.state) if update.patch else update.state
        return True

    def take(self, update: Update) -> None:
        """Accept a new state. State changes go at once; figures at most every ``figures_every`` seconds."""
        for held in self._held:
            held.append(update)
        if not self.ready or not self._lay(update):
            return
        if not update.figures:
            # A patch goes alone: figures that wait for their time would make many large frames of many small ones.
            self._tell(merged(self.state, update.state) if update.patch else self._newest, figures=False)
        else:
            self._tell_figures_in_time()

    def _tell_figures_in_time(self) -> None:
        if self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        wait = self._told_at + self.topic.kind.figures_every - loop.time()
        if wait > 0:
            self._timer = loop.call_later(wait, self._tell_figures)
        else:
            self._tell_figures()

    def _tell_figures(self) -> None:
        self._timer = None
        self._told_at = asyncio.get_running_loop().time()
        self._tell(self._newest, figures=True)

    def _tell(self, state: State, *, figures: bool) -> None:
        patch = difference(self.state, state)
        later: State = {}
        if patch and not figures and self.topic.kind.figures:
            patch, later = split(patch, self.state, self.topic.kind.figures)
            state = merged(self.state, patch) if later else state
        if patch:
            change = Change(self, self.version, self.state, self._next_version(), state, figures=figures)
            self.version = change.version
            self._steps.clear()
            self._fan_out(change, iter([*self.watchers]))
        self.state = state
        if later:
            self._tell_figures_in_time()

    def _fan_out(self, change: Change, rest: Iterator[Watcher]) -> None:
        """Fill some mailboxes and leave the others to the loop's next turn.

        A loop writes to its sockets between turns: so the first viewer does not wait until the frame is made ready
        for the last (measured with 500: half the median). Later changes follow in the same order, slice by slice.
        """
        for watcher in islice(rest, SLICE):
            if self.watchers.get(watcher, change.version) < change.version:
                watcher.put(change)
        if (left := next(rest, None)) is not None:
            asyncio.get_running_loop().call_soon(self._fan_out, change, chain((left,), rest))

    def step(self, older: Change, newer: Change) -> Change:
        """Return one change from before ``older`` to after ``newer``, the same object for every socket."""
        key = (older.after, newer.version)
        if key not in self._steps:
            self._steps[key] = Change(
                self,
                older.after,
                older.before_state,
                newer.version,
                newer.state,
                figures=older.figures and newer.figures,
            )
        return self._steps[key]

    def shown_to(self, watcher: Watcher) -> Frame:
        """Return the snapshot, and remember that this watcher needs nothing older any more."""
        if watcher in self.watchers:
            self.watchers[watcher] = self.version
        return self._whole()

    def _whole(self) -> Frame:
        """Return the frame of the whole state, encoded once per number."""
        if self._snapshot is None or self._snapshot[0] != self.version:
            text = frame(type="snapshot", topic=self.topic.wire, version=self.version, data=self.state)
            self._snapshot = (self.version, text)
        return self._snapshot[1]
