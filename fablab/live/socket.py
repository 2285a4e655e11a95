"""One open socket: who it is, what it watches, what waits to be sent."""

from collections.abc import Callable
from typing import Any

from fablab.live.frames import PONG, refused
from fablab.live.hub import Hub
from fablab.live.mailbox import Mailbox
from fablab.live.signin import SignIn, still_signed_in
from fablab.live.topics import Shape, Topic, asked

MOST_TOPICS = 64
SIGNED_OUT = 4401
RIGHTS_CHANGED = 4403


class Socket:
    """``abort`` ends it without a word, for a client that reads nothing any more."""

    def __init__(self, hub: Hub, sign_in: SignIn) -> None:
        self.sign_in = sign_in
        self.rights = sign_in.rights
        self.mailbox = Mailbox(hub.loop.time)
        self._hub = hub
        self._watched: dict[str, tuple[Topic, Shape]] = {}

    def open(self, abort: Callable[[], Any]) -> None:
        self.abort = abort
        self._hub.sockets.add(self)

    def close(self) -> None:
        self._hub.sockets.discard(self)
        for wire in [*self._watched]:
            self._leave(wire)

    async def subscribe(self, wire: str) -> None:
        """Check the right to watch, now; then snapshot and changes, or a refusal that tells nothing."""
        topic = asked(wire, self.sign_in.person_id)
        if topic is None:
            self._refuse(wire, "not_found")
            return
        if wire not in self._watched and len(self._watched) >= MOST_TOPICS:
            self._refuse(wire, "too_many_topics")
            return
        person = await self._hub.in_thread(still_signed_in, self.sign_in)
        if person is None:
            self.mailbox.close(SIGNED_OUT)
            return
        shape = await self._hub.in_thread(topic.kind.may_watch, person, topic.key)
        if wire in self._watched and self._watched[wire][1] != shape:
            self._leave(wire)
        if shape is None:
            self._refuse(wire, "not_found")
            return
        self._watched[wire] = (topic, shape)
        if not await self._hub.watch(topic, shape, self.mailbox):
            self._watched.pop(wire, None)
            self._refuse(wire, "not_found")

    def unsubscribe(self, wire: str) -> None:
        if wire in self._watched:
            self._leave(wire)

    def ping(self) -> None:
        self.mailbox.say(PONG)

    def malformed(self) -> None:
        self.mailbox.say(refused(None, "malformed"))

    def _refuse(self, wire: str, code: str) -> None:
        self.mailbox.say(refused(wire, code))

    def _leave(self, wire: str) -> None:
        topic, shape = self._watched.pop(wire)
        self._hub.leave(topic, shape, self.mailbox)

    def still_allowed(self) -> bool:
        """Tell whether every subscription would be granted again, in the same shape. Call it in a thread."""
        person = still_signed_in(self.sign_in)
        return person is not None and all(
            topic.kind.may_watch(person, topic.key) == shape for topic, shape in [*self._watched.values()]
        )
