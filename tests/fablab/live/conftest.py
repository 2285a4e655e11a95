"""A real server with the one consumer, real sockets, and topics of our own to watch."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp
import pytest
import uvicorn
from django.contrib.auth import get_user_model
from django.test import Client

from fablab.live import serving, topics
from fablab.live.consumer import PATH, live
from fablab.live.topics import Shape

PATIENCE = 5.0  # seconds; only ever waited for when something is broken


@dataclass
class Lamps:
    """Things to watch, kept in memory: what each shows, who may look and how."""

    shown: dict[tuple[str, Shape], dict[str, Any]] = field(default_factory=dict)
    allowed: dict[tuple[str, str], Shape] = field(default_factory=dict)
    looks: list[tuple[str, Shape]] = field(default_factory=list)
    before_look: Callable[[], None] = lambda: None

    def may_watch(self, person: Any, key: str) -> Shape | None:
        return self.allowed.get((person.username, key))

    def snapshot(self, key: str, shape: Shape) -> dict[str, Any]:
        self.looks.append((key, shape))
        state = dict(self.shown[key, shape])
        self.before_look()
        return state


@pytest.fixture
def lamps() -> Iterator[Lamps]:
    lamps = Lamps()
    topics.register("lamp", lamps.may_watch, lamps.snapshot, figures_every=0.3)
    yield lamps
    topics.unregister("lamp")


@pytest.fixture
def amina(transactional_db: None) -> Any:
    return get_user_model().objects.create_user("amina", "une-lampe-verte")


def cookie_of(person: Any) -> str:
    """Sign in and return the session cookie's value."""
    client = Client()
    client.force_login(person)
    return client.cookies["sessionid"].value


async def until(holds: Callable[[], bool], seconds: float = 15) -> None:
    """Wait for a condition that nothing announces."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not holds():
        assert asyncio.get_running_loop().time() < deadline, f"not within {seconds} s"
        await asyncio.sleep(0.01)


class Viewer:
    """One open socket, as a browser or a program holds it."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        self.connection = connection

    async def say(self, **message: Any) -> None:
        await self.connection.send_str(json.dumps(message))

    async def hears(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            message = await self.connection.receive()
        assert message.type is aiohttp.WSMsgType.TEXT, f"closed with {self.connection.close_code}"
        heard: dict[str, Any] = json.loads(message.data)
        return heard

    async def is_closed_with(self, seconds: float = PATIENCE) -> int | None:
        async with asyncio.timeout(seconds):
            while (await self.connection.receive()).type is aiohttp.WSMsgType.TEXT:
                continue
        return self.connection.close_code

    async def watches(self, topic: str) -> dict[str, Any]:
        await self.say(type="subscribe", topic=topic)
        return await self.hears()

    async def hears_nothing_but_pong(self) -> None:
        await self.say(type="ping")
        assert await self.hears() == {"type": "pong"}


class Site:
    """The running server; ``opens`` connects one more viewer."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._http = aiohttp.ClientSession()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def opens(
        self, cookie: str | None = None, token: str | None = None, origin: str | None = None, **extra: str
    ) -> Viewer:
        headers = dict(extra)
        if cookie is not None:
            headers["Cookie"] = f"sessionid={cookie}"
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if origin is not None:
            headers["Origin"] = origin
        return Viewer(await self._http.ws_connect(self.origin + PATH, headers=headers, max_msg_size=0))


@asynccontextmanager
async def serving_live() -> AsyncIterator[Site]:
    # Named as TCP, or the loop does not switch Nagle's delay off.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(live, log_config=None, lifespan="off", ws_max_size=1_000_000))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        async with Site(listening.getsockname()[1]) as site:
            yield site
    finally:
        server.should_exit = True
        await running
        listening.close()
        await serving.close()


@pytest.fixture
async def site(transactional_db: None) -> AsyncIterator[Site]:
    async with serving_live() as site:
        yield site
