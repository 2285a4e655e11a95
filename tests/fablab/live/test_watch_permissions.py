"""Who may open a socket, who may watch what, and how soon that ends (SEC-6)."""

import asyncio
import importlib
from typing import Any

import aiohttp
import pytest
from django.conf import settings
from django.contrib.auth import get_user_model

from fablab.live import consumer, push, serving, signin, topics
from tests.fablab.live.conftest import Lamps, Site, cookie_of, until


@pytest.fixture
def cookie(amina: Any, lamps: Lamps) -> str:
    lamps.allowed["amina", "A"] = "public"
    for key in ("A", "B"):
        lamps.shown[key, "public"] = {"state": "off"}
        lamps.shown[key, "staff"] = {"state": "off", "note": "flickers"}
    return cookie_of(amina)


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Tokens that are good, by what they open."""
    known: dict[str, Any] = {}
    monkeypatch.setattr(signin, "_token_reader", known.get)
    monkeypatch.setattr(signin, "_tokens_alive", None)
    return known


def sign_out(cookie: str) -> None:
    importlib.import_module(settings.SESSION_ENGINE).SessionStore(cookie).flush()


async def in_thread(call: Any, *args: Any) -> Any:
    return await serving.here().in_thread(call, *args)


async def test_without_a_sign_in_the_socket_is_accepted_and_closed_with_4401(site: Site) -> None:
    assert await (await site.opens()).is_closed_with() == 4401
    assert await (await site.opens(cookie="invented")).is_closed_with() == 4401
    assert await (await site.opens(token="invented")).is_closed_with() == 4401
    assert await (await site.opens(Cookie="sessionid=;;=, [x")).is_closed_with() == 4401


async def test_a_program_comes_with_its_token(
    site: Site, cookie: str, amina: Any, tokens: dict[str, Any]
) -> None:
    tokens["secret"] = amina
    viewer = await site.opens(token="secret")
    assert (await viewer.watches("lamp:A"))["type"] == "snapshot"


async def test_a_bad_token_is_not_mended_by_a_good_cookie(
    site: Site, cookie: str, tokens: dict[str, Any]
) -> None:
    assert await (await site.opens(cookie, token="invented")).is_closed_with() == 4401


@pytest.mark.parametrize(
    "origin", ["http://elsewhere.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1", ""]
)
async def test_a_page_of_another_origin_gets_403(site: Site, cookie: str, origin: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await site.opens(cookie, origin=origin.format(port=site.port))
    assert refusal.value.status == 403


async def test_a_foreign_name_that_points_at_our_address_gets_403(site: Site, cookie: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await site.opens(cookie, origin="http://evil.example", Host="evil.example")
    assert refusal.value.status == 403


async def test_pages_of_our_own_and_of_listed_origins_may(site: Site, cookie: str, settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://lab.example", "https://*.labs.example"]
    for origin in (site.origin, "https://lab.example", "https://metz.labs.example"):
        assert (await (await site.opens(cookie, origin=origin)).watches("lamp:A"))["type"] == "snapshot"
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await site.opens(cookie, origin="https://labs.example.evil.example")


@pytest.mark.parametrize(
    "topic",
    ["lamp:B", "lamp:unknown", "lamp:", "lamp", "sun:A", "", "LAMP:A", "lamp:A\n", "lamp:A:A", "x" * 900],
)
async def test_what_one_may_not_watch_looks_like_what_does_not_exist(
    site: Site, cookie: str, topic: str
) -> None:
    viewer = await site.opens(cookie)
    assert await viewer.watches(topic) == {"type": "refused", "topic": topic, "code": "not_found"}
    push.publish("lamp:B", {"state": "on"})
    await viewer.hears_nothing_but_pong()


async def test_what_is_gone_is_refused_though_one_might_watch_it(
    site: Site, cookie: str, lamps: Lamps
) -> None:
    lamps.allowed["amina", "gone"] = "public"
    assert (await (await site.opens(cookie)).watches("lamp:gone"))["code"] == "not_found"


async def test_a_sign_out_closes_the_socket_within_five_seconds_even_when_nobody_says_so(
    site: Site, cookie: str
) -> None:
    viewer = await site.opens(cookie)
    await viewer.watches("lamp:A")
    await in_thread(sign_out, cookie)
    assert await viewer.is_closed_with(5.0) == 4401


async def test_a_sign_out_that_is_said_closes_the_socket_at_once(site: Site, cookie: str, amina: Any) -> None:
    viewer = await site.opens(cookie)
    await viewer.watches("lamp:A")
    await in_thread(sign_out, cookie)
    push.recheck(str(amina.pk))
    assert await viewer.is_closed_with(1.5) == 4401


async def test_a_subscription_asks_for_the_sign_in_again(site: Site, cookie: str) -> None:
    viewer = await site.opens(cookie)
    await in_thread(sign_out, cookie)
    await viewer.say(type="subscribe", topic="lamp:A")
    assert await viewer.is_closed_with(1.5) == 4401


async def test_deactivation_a_new_password_and_a_withdrawn_token_close_the_socket(
    site: Site, cookie: str, amina: Any, tokens: dict[str, Any]
) -> None:
    people = get_user_model().objects

    def change(**fields: Any) -> None:
        people.filter(pk=amina.pk).update(**fields)

    for withdraw in (
        lambda: change(is_active=False),
        lambda: change(password="another"),
        tokens.clear,
        lambda: people.filter(pk=amina.pk).delete(),
    ):
        await in_thread(lambda: change(is_active=True, password=amina.password))
        tokens["secret"] = amina
        viewer = await site.opens(token="secret")
        await viewer.watches("lamp:A")
        await in_thread(withdraw)
        push.recheck(str(amina.pk))
        assert await viewer.is_closed_with() == 4401


@pytest.mark.parametrize("now", [None, "staff"])
async def test_other_rights_close_the_socket_so_that_it_comes_back_with_them(
    site: Site, cookie: str, amina: Any, lamps: Lamps, now: Any
) -> None:
    viewer = await site.opens(cookie)
    await viewer.watches("lamp:A")
    lamps.allowed["amina", "A"] = now
    push.recheck(str(amina.pk))
    assert await viewer.is_closed_with() == 4403


async def test_other_rights_are_noticed_within_five_seconds_even_when_nobody_says_so(
    site: Site, cookie: str, amina: Any, lamps: Lamps, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles = {str(amina.pk): "member"}
    monkeypatch.setattr(signin, "_rights_reader", lambda people: {pk: roles[pk] for pk in people})
    viewer = await site.opens(cookie)
    await viewer.watches("lamp:A")
    roles[str(amina.pk)] = "nobody"
    lamps.allowed.clear()
    assert await viewer.is_closed_with(5.0) == 4403


async def test_looking_again_leaves_alone_whoever_may_go_on(site: Site, cookie: str, amina: Any) -> None:
    viewer = await site.opens(cookie)
    await viewer.watches("lamp:A")
    push.recheck(str(amina.pk))
    push.publish("lamp:A", {"state": "on"})
    assert (await viewer.hears())["data"] == {"state": "on"}


def test_the_message_types_are_these_and_none_changes_anything_but_subscriptions() -> None:
    assert set(consumer.HANDLERS) == {"subscribe", "unsubscribe", "ping"}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", '{"type":"start","topic":"lamp:A"}', '{"type":"subscribe"}', '{"type":"subscribe","topic":7}',
     '{"type":["ping"]}', "[" * 4000],
)  # fmt: skip
async def test_what_makes_no_sense_is_answered_and_harms_nothing(site: Site, cookie: str, text: str) -> None:
    viewer = await site.opens(cookie)
    await viewer.connection.send_str(text)
    assert await viewer.hears() == {"type": "refused", "topic": None, "code": "malformed"}
    await viewer.hears_nothing_but_pong()


async def test_large_frames_and_bytes_close_the_socket(site: Site, cookie: str) -> None:
    for text, code in (("x" * 4097, 1009), ("é" * 2049, 1009)):
        viewer = await site.opens(cookie)
        await viewer.connection.send_str(text)
        assert await viewer.is_closed_with() == code
    viewer = await site.opens(cookie)
    await viewer.connection.send_bytes(b"{}")
    assert await viewer.is_closed_with() == 1003


async def test_ten_thousand_frames_close_the_socket_and_the_server_stays_healthy(
    site: Site, cookie: str
) -> None:
    flood, other = await site.opens(cookie), await site.opens(cookie)
    await other.watches("lamp:A")

    async def pour() -> None:
        for _ in range(10_000):
            await flood.say(type="ping")

    pouring = asyncio.create_task(pour())
    assert await flood.is_closed_with() == 1008
    pouring.cancel()
    await asyncio.gather(pouring, return_exceptions=True)
    push.publish("lamp:A", {"state": "on"})
    assert (await other.hears())["data"] == {"state": "on"}


async def test_a_socket_watches_a_bounded_number_of_topics(site: Site, cookie: str, lamps: Lamps) -> None:
    for number in range(65):
        lamps.allowed["amina", str(number)] = "public"
        lamps.shown[str(number), "public"] = {"number": number}
    viewer = await site.opens(cookie)
    for number in range(64):
        assert (await viewer.watches(f"lamp:{number}"))["type"] == "snapshot"
    assert (await viewer.watches("lamp:64"))["code"] == "too_many_topics"
    await viewer.say(type="unsubscribe", topic="lamp:0")
    assert (await viewer.watches("lamp:64"))["type"] == "snapshot"


async def test_a_socket_that_goes_leaves_nothing_behind(site: Site, cookie: str) -> None:
    viewer = await site.opens(cookie)
    await viewer.watches("lamp:A")
    hub = serving.here()
    await viewer.connection.close()
    await until(lambda: not hub.sockets)
    assert not hub.watched("lamp:A")


def test_every_kind_of_topic_is_known_by_its_prefix(lamps: Lamps) -> None:
    assert "lamp" in topics.registered()
