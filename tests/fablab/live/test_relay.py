"""Several processes: what one publishes reaches the sockets of all, with a real Redis that also stops and returns."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer

from fablab.live import push
from fablab.live import relay as relays
from fablab.live.message import Message
from fablab.live.relay import Relay
from tests.fablab.live.conftest import Lamps, Site, cookie_of, until
from tests.fixtures.services import OwnRedis


class Process:
    """What stands for one more process: a relay with a layer of its own, and what it was told."""

    def __init__(self, url: str) -> None:
        self.heard: list[str] = []
        self.missed = 0
        self.relay = Relay(
            RedisPubSubChannelLayer(hosts=[url]),
            lambda message: self.heard.append(message.subject),
            self._missed,
            beat=0.1,
            deaf=0.6,
        )

    def _missed(self) -> None:
        self.missed += 1

    def says(self, subject: str) -> None:
        self.relay.post(Message("state", subject, {"public": "{}"}))


@asynccontextmanager
async def processes(url: str, count: int) -> AsyncIterator[list[Process]]:
    them = [Process(url) for _ in range(count)]
    running = [asyncio.create_task(one.relay.run()) for one in them]
    try:
        await until(lambda: all(one.relay.heard_at is not None for one in them))
        yield them
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for one in them:
            await one.relay.close()


async def test_what_one_process_says_reaches_all_others_in_order_and_not_itself(redis_server: str) -> None:
    async with processes(redis_server, 3) as (first, second, third):
        for number in range(50):
            first.says(f"lamp:{number}")
        await until(lambda: len(second.heard) == len(third.heard) == 50)
        assert second.heard == third.heard == [f"lamp:{number}" for number in range(50)]
        assert first.heard == []


async def test_redis_may_stop_and_return_and_everything_is_read_again(own_redis: OwnRedis) -> None:
    async with processes(own_redis.url, 2) as (first, second):
        own_redis.stop()
        first.says("lamp:during")
        await asyncio.sleep(0.8)  # the outage itself: longer than what counts as deaf
        assert second.heard == []
        await asyncio.to_thread(own_redis.start)
        await until(lambda: first.missed > 0 and second.missed > 0, 30)
        first.says("lamp:after")
        await until(lambda: "lamp:after" in second.heard)


async def test_a_message_of_another_version_is_left_out(redis_server: str) -> None:
    async with processes(redis_server, 2) as (first, second):
        first.relay._outbox.append({"type": "live.message", "origin": "x", "message": {"colour": "red"}})
        first.says("lamp:A")
        await until(lambda: bool(second.heard))
        assert second.heard == ["lamp:A"]


@pytest.fixture
def relay_ends() -> Iterator[None]:
    yield
    relays.stop()


async def test_a_hub_tells_its_sockets_what_another_process_published(
    redis_server: str,
    amina: object,
    lamps: Lamps,
    site: Site,
    settings: object,
    relay_ends: None,
) -> None:
    settings.REDIS_URL = redis_server  # type: ignore[attr-defined]  # pytest-django's wrapper
    settings.CHANNEL_LAYERS = {  # type: ignore[attr-defined]
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [redis_server]},
        }
    }
    lamps.allowed["amina", "A"] = "public"
    lamps.shown["A", "public"] = {"state": "off"}
    cookie = await asyncio.to_thread(cookie_of, amina)
    async with processes(redis_server, 1) as (other,):
        viewer = await site.opens(cookie)
        await viewer.watches("lamp:A")
        await until(push.live_layer_ready)
        other.relay.post(Message("state", "lamp:A", {"public": '{"state":"on"}'}))
        assert (await viewer.hears())["data"] == {"state": "on"}
        push.publish("lamp:A", {"state": "dim"})
        assert (await viewer.hears())["data"] == {"state": "dim"}
        await until(lambda: other.heard == ["lamp:A"])
