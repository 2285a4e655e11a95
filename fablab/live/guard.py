"""Looks every few seconds whether those who watch still may: a socket must not outlive a sign-out by 5 s (SEC-6)."""

import asyncio
import logging
from collections.abc import Sequence

from fablab.live import signin
from fablab.live.hub import Hub
from fablab.live.socket import RIGHTS_CHANGED, SIGNED_OUT, Socket

log = logging.getLogger(__name__)

EVERY = 3.0  # seconds; with the queries it stays under the 5 s
STUCK = 60.0  # seconds in which a client took nothing of what was sent


async def watch_over(hub: Hub, every: float = EVERY) -> None:
    """Look for as long as the hub lives."""
    while True:
        await asyncio.sleep(every)
        await look_safely(hub, [*hub.sockets])


async def look_safely(hub: Hub, sockets: Sequence[Socket], *, rights_changed: bool = False) -> None:
    """Look; trouble with the database is logged, and the next turn looks again."""
    try:
        await look(hub, sockets, rights_changed=rights_changed)
    except Exception:
        log.exception("The sign-ins of the live sockets could not be checked")


async def look(hub: Hub, sockets: Sequence[Socket], *, rights_changed: bool = False) -> None:
    """Close what holds no longer. A few queries for all, and a check of each subscription where rights changed."""
    if not sockets:
        return
    gone = await hub.in_thread(signin.ended, [*{socket.sign_in for socket in sockets}])
    rights = await hub.in_thread(signin.rights, [*{socket.sign_in.person_id for socket in sockets}])
    for socket in sockets:
        now = rights.get(socket.sign_in.person_id)
        since = socket.mailbox.sending_since
        if socket.sign_in in gone:
            socket.mailbox.close(SIGNED_OUT)
        elif since is not None and hub.loop.time() - since > STUCK:
            socket.abort()
        elif rights_changed or now != socket.rights:
            if await hub.in_thread(socket.still_allowed):
                socket.rights = now
            else:
                socket.mailbox.close(RIGHTS_CHANGED)
