"""HTTP through the front to Django, websockets to the one consumer, the server's start and end to both."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fablab.settings")

pages = get_wsgi_application()  # sets Django up: what follows needs it

from fablab.front.front import Front  # noqa: E402 - needs Django set up
from fablab.front.limits import from_settings  # noqa: E402 - as above
from fablab.live import relay, serving  # noqa: E402 - as above
from fablab.live.consumer import live  # noqa: E402 - as above
from fablab.live.signin import person_at  # noqa: E402 - as above
from jobs.uploads.arriving import still_coming  # noqa: E402 - as above

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

front = Front(pages, from_settings(), person_at, still_coming)


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Serve one connection."""
    if scope["type"] == "http":
        await front(scope, receive, send)
    elif scope["type"] == "websocket":
        await live(scope, receive, send)
    elif scope["type"] == "lifespan":
        await _lifespan(receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    await asyncio.to_thread(front.open)
    serving.here()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await serving.close()
    await asyncio.to_thread(relay.stop)
    await asyncio.to_thread(front.close)
    await send({"type": "lifespan.shutdown.complete"})
