"""How services say that something changed. After the commit only; never raises into its caller.

The database is the truth and this a hint: a message may be lost without harm, since each carries a whole state (or a
patch that the next one repeats), and whoever finds a gap subscribes again.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial

from django.conf import settings
from django.db import transaction

from fablab.live import relay, serving
from fablab.live.merge import State
from fablab.live.message import Message, by_shape

log = logging.getLogger(__name__)

Given = State | Callable[[], State]


def publish(
    topic: str, state: Given, *, version: int | None = None, figures: bool = False, patch: bool = False
) -> None:
    """Tell those who watch ``topic`` (``job:ID``, ``me:PERSON``...) its new state.

    ``state`` is one mapping for everybody, or ``{"public": ..., "staff": ...}``, or a function that returns either:
    it is called after the commit, and not at all when nobody watches. With ``patch`` it is laid over the last known
    state (RFC 7396: nested, ``None`` removes). ``figures`` are latest-wins and thinned to one a second; everything
    else goes at once and in order. ``version``, a row's growing number, keeps a late message from undoing a newer
    one; the numbers that clients see are the hub's own.
    """
    try:
        given = state if callable(state) else by_shape(state)
    except Exception:
        log.exception("%s was not published: its state is no JSON", topic)
    else:
        _after_commit(topic, partial(_publish, topic, given, version, figures, patch))


async def publish_async(
    topic: str, state: State, *, version: int | None = None, figures: bool = False, patch: bool = False
) -> None:
    """Do as ``publish`` does, from a loop that is in no transaction."""
    try:
        _publish(topic, by_shape(state), version, figures, patch)
    except Exception:
        log.exception("%s was not published", topic)


def read_again(topic: str) -> None:
    """Have the registered snapshot of ``topic`` read anew after the commit, for each shape that is watched."""
    _after_commit(topic, partial(_send, Message("read_again", topic, {})))


def changed(*topics: str) -> None:
    """Have each of ``topics`` read anew (``read_again``): what services call after a write."""
    for topic in topics:
        read_again(topic)


def part_changed(topic: str, part: str) -> None:
    """Have one thing of a topic of many (a board's machine) read anew after the commit, by the registered ``part``."""
    _after_commit(topic, partial(_send, Message("read_again", topic, {}, part=part)))


def recheck(person_id: str) -> None:
    """Look again at a person's sockets after the commit: sign-out, other roles, other password, deactivation.

    A sign-in that ended closes with 4401; a subscription that would be refused now, or given another shape, closes
    the socket with 4403, and the client connects anew.
    """
    _after_commit(person_id, partial(_send, Message("recheck", person_id, {})))


def live_layer_ready() -> bool:
    """Tell whether messages reach the sockets of this process, for ``/readyz``."""
    return serving.current() is not None and (not settings.REDIS_URL or relay.heard())


def _after_commit(subject: str, send: Callable[[], None]) -> None:
    try:
        if transaction.get_connection().in_atomic_block:
            transaction.on_commit(send, robust=True)
        else:
            send()
    except Exception:
        log.exception("%s was not published", subject)


def _publish(
    topic: str,
    state: Mapping[str, str] | Callable[[], State],
    version: int | None,
    figures: bool,
    patch: bool,
) -> None:
    hub = serving.current()
    if not settings.REDIS_URL and (hub is None or not hub.watched(topic)):
        return
    bodies = by_shape(state()) if callable(state) else state
    _send(Message("state", topic, bodies, patch, figures, version))


def _send(message: Message) -> None:
    hub = serving.current()
    if hub is not None:
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if running is hub.loop:
            hub.accept(message)
        else:
            hub.loop.call_soon_threadsafe(hub.accept, message)
    relay.post(message)
