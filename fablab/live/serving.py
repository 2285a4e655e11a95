"""The hub of this process: made at the first socket, or when the server starts."""

import asyncio

from fablab.live import guard, relay
from fablab.live.hub import Hub
from fablab.live.socket import Socket

_current: Hub | None = None


def current() -> Hub | None:
    """Return the hub of this process, if it serves sockets. Safe to ask from any thread."""
    return _current if _current is not None and not _current.loop.is_closed() else None


def here() -> Hub:
    """Return the hub of the running loop; make and start it at the first call."""
    global _current
    if _current is None or _current.loop is not asyncio.get_running_loop():

        def recheck(sockets: list[Socket]) -> None:
            hub.start(guard.look_safely(hub, sockets, rights_changed=True))

        _current = hub = Hub(recheck)
        hub.start(guard.watch_over(hub))
        relay.listen(hub)
    return _current


async def close() -> None:
    """End the hub of the running loop, if there is one."""
    global _current
    if _current is not None and _current.loop is asyncio.get_running_loop():
        hub, _current = _current, None
        await hub.close()
