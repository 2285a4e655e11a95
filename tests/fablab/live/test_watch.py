"""Watching: subscribe, snapshot, numbered changes."""

import asyncio
import threading
import time
from typing import Any

import pytest
from django.db import transaction

from fablab.api.live import register as register_topics
from fablab.live import push, serving, topics
from fablab.live.merge import merged
from tests.fablab.live.conftest import PATIENCE, Lamps, Site, cookie_of


@pytest.fixture
def cookie(amina: Any, lamps: Lamps) -> str:
    lamps.allowed["amina", "A"] = "public"
    lamps.shown["A", "public"] = {"state": "off", "figures": {"watts": 0}}
    lamps.shown["A", "staff"] = {"state": "off", "figures": {"watts": 0}, "note": "flickers"}
    return cookie_of(amina)


async def test_a_snapshot_comes_first_and_then_only_what_differs_from_the_last_number(
    site: Site, cookie: str
) -> None:
    viewer = await site.opens(cookie)
    first = await viewer.watches("lamp:A")
    assert first == {
        "type": "snapshot",
        "topic": "lamp:A",
        "version": first["version"],
        "data": {"state": "off", "figures": {"watts": 0}},
    }

    push.publish("lamp:A", {"state": "on", "figures": {"watts": 0}})
    push.publish("lamp:A", {"state": "on", "figures": {"watts": 9, "hours": 1}})
    second, third = await viewer.hears(), await viewer.hears()

    assert second == {
        "type": "change",
        "topic": "lamp:A",
        "after": first["version"],
        "version": second["version"],
        "data": {"state": "on"},
    }
    assert third["after"] == second["version"] > first["version"]
    assert third["version"] > third["after"]
    assert third["data"] == {"figures": {"watts": 9, "hours": 1}}


async def test_a_field_that_is_gone_arrives_as_null(site: Site, cookie: str) -> None:
    viewer = await site.opens(cookie)
    await viewer.watches("lamp:A")
    push.publish("lamp:A", {"state": "off"})
    assert (await viewer.hears())["data"] == {"figures": None}


async def test_nothing_is_sent_when_nothing_differs(site: Site, cookie: str) -> None:
    viewer = await site.opens(cookie)
    await viewer.watches("lamp:A")
    push.publish("lamp:A", {"state": "off", "figures": {"watts": 0}})
    await viewer.hears_nothing_but_pong()


async def test_each_shape_hears_its_own_and_the_other_is_not_told(
    site: Site, cookie: str, lamps: Lamps
) -> None:
    viewer = await site.opens(cookie)
    await viewer.watches("lamp:A")
    push.publish("lamp:A", {"staff": {"state": "off", "note": "smells"}})
    push.publish("lamp:A", {"public": {"state": "on"}, "staff": {"state": "on", "note": "burns"}})
    heard = await viewer.hears()
    assert heard["data"] == {"state": "on", "figures": None}


async def test_a_patch_is_laid_over_the_last_known_state(site: Site, cookie: str) -> None:
    viewer = await site.opens(cookie)
    await viewer.watches("lamp:A")
    push.publish("lamp:A", {"figures": {"watts": 4}}, patch=True)
    assert (await viewer.hears())["data"] == {"figures": {"watts": 4}}
    second = await (await site.opens(cookie)).watches("lamp:A")
    assert second["data"] == {"state": "off", "figures": {"watts": 4}}


async def test_the_database_is_read_once_for_all_who_watch_the_same(
    site: Site, cookie: str, lamps: Lamps
) -> None:
    viewers = [await site.opens(cookie) for _ in range(20)]
    for viewer in viewers:
        await viewer.say(type="subscribe", topic="lamp:A")
    snapshots = [await viewer.hears() for viewer in viewers]
    assert all(snapshot == snapshots[0] for snapshot in snapshots)
    assert lamps.looks == [("A", "public")]


async def test_what_changes_while_the_snapshot_is_read_is_not_missed(
    site: Site, cookie: str, lamps: Lamps
) -> None:
    reading, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        reading.set()
        assert go_on.wait(PATIENCE)

    lamps.before_look = hold
    viewer = await site.opens(cookie)
    await viewer.say(type="subscribe", topic="lamp:A")
    assert await asyncio.to_thread(reading.wait, PATIENCE)
    push.publish("lamp:A", {"state": "broken"})  # committed after the read began
    go_on.set()
    assert (await viewer.hears())["data"] == {"state": "broken"}


async def test_a_change_from_another_thread_goes_out_at_once_though_the_loop_is_idle(
    site: Site, cookie: str
) -> None:
    viewer = await site.opens(cookie)
    await viewer.watches("lamp:A")
    began = time.monotonic()
    await asyncio.to_thread(push.publish, "lamp:A", {"state": "on"})
    await viewer.hears()
    assert time.monotonic() - began < 1


async def test_a_change_that_is_rolled_back_is_never_told(site: Site, cookie: str) -> None:
    viewer = await site.opens(cookie)
    await viewer.watches("lamp:A")

    def change_and_fail() -> None:
        with transaction.atomic():
            push.publish("lamp:A", {"state": "on"})
            transaction.set_rollback(True)
        with transaction.atomic():
            push.publish("lamp:A", lambda: {"state": "dim"})

    hub = serving.here()
    await hub.in_thread(change_and_fail)
    assert (await viewer.hears())["data"] == {"state": "dim", "figures": None}


async def test_changes_of_state_arrive_in_order_and_none_is_left_out(site: Site, cookie: str) -> None:
    viewer = await site.opens(cookie)
    first = await viewer.watches("lamp:A")
    for step in range(200):
        push.publish("lamp:A", {"state": f"step {step}"})
    last = first["version"]
    for step in range(200):
        change = await viewer.hears()
        assert (change["type"], change["after"]) == ("change", last)
        assert change["data"]["state"] == f"step {step}"
        last = change["version"]


async def test_a_message_that_was_overtaken_is_left_out(site: Site, cookie: str) -> None:
    viewer = await site.opens(cookie)
    await viewer.watches("lamp:A")
    push.publish("lamp:A", {"state": "new"}, version=8)
    push.publish("lamp:A", {"state": "old"}, version=7)
    assert (await viewer.hears())["data"]["state"] == "new"
    await viewer.hears_nothing_but_pong()


async def test_figures_are_thinned_to_the_newest_and_lose_no_change_of_state(site: Site, cookie: str) -> None:
    viewer = await site.opens(cookie)
    state = (await viewer.watches("lamp:A"))["data"]
    hub = serving.here()
    began = hub.loop.time()
    heard: list[dict[str, Any]] = []

    async def hear_until_the_end() -> None:
        while not heard or heard[-1]["data"].get("figures") != {"watts": 300}:
            heard.append(await viewer.hears())

    hearing = asyncio.create_task(hear_until_the_end())
    for watts in range(1, 301):
        await push.publish_async("lamp:A", {"figures": {"watts": watts}}, patch=True, figures=True)
        if watts == 150:
            await push.publish_async("lamp:A", {"state": "half"}, patch=True)
        await asyncio.sleep(0.002)
    async with asyncio.timeout(PATIENCE):
        await hearing
    took = hub.loop.time() - began

    assert len(heard) <= took / 0.3 + 3  # one a turn, the first, and the change of state
    halves = [change for change in heard if "state" in change["data"]]
    assert [change["data"] for change in halves] == [{"state": "half"}]
    for change in heard:
        state = merged(state, change["data"])
    assert state == {"state": "half", "figures": {"watts": 300}}


async def test_after_unsubscribing_nothing_comes_and_nothing_is_kept(
    site: Site, cookie: str, lamps: Lamps
) -> None:
    viewer = await site.opens(cookie)
    await viewer.watches("lamp:A")
    assert serving.here().watched("lamp:A")
    await viewer.say(type="unsubscribe", topic="lamp:A")
    await viewer.hears_nothing_but_pong()
    assert not serving.here().watched("lamp:A")
    push.publish("lamp:A", {"state": "on"})
    await viewer.hears_nothing_but_pong()


async def test_subscribing_again_gives_a_new_snapshot(site: Site, cookie: str) -> None:
    viewer = await site.opens(cookie)
    first = await viewer.watches("lamp:A")
    push.publish("lamp:A", {"state": "on"})
    await viewer.hears()
    again = await viewer.watches("lamp:A")
    assert (again["type"], again["data"]) == ("snapshot", {"state": "on"})
    assert again["version"] > first["version"]


async def test_me_is_the_client_itself_and_nobody_else_has_that_name(
    site: Site, cookie: str, amina: Any
) -> None:
    topics.register("me", lambda person, key: "public", lambda key, shape: {"person": key, "shape": shape})
    try:
        viewer = await site.opens(cookie)
        snapshot = await viewer.watches("me")
        assert (snapshot["topic"], snapshot["data"]["person"]) == ("me", str(amina.pk))
        push.publish(f"me:{amina.pk}", {"messages": 1}, patch=True)
        assert (await viewer.hears())["data"] == {"messages": 1}
        refusal = await viewer.watches(f"me:{amina.pk}")
        assert refusal["code"] == "not_found"
    finally:
        register_topics()  # the installation's own "me" again


async def test_what_a_room_reads_anew_reaches_those_who_watch(site: Site, cookie: str, lamps: Lamps) -> None:
    viewer = await site.opens(cookie)
    await viewer.watches("lamp:A")
    lamps.shown["A", "public"] = {"state": "new", "figures": {"watts": 0}}
    push.read_again("lamp:A")
    assert (await viewer.hears())["data"] == {"state": "new"}


async def test_what_was_deleted_is_refused_to_those_who_watched(
    site: Site, cookie: str, lamps: Lamps
) -> None:
    viewer = await site.opens(cookie)
    await viewer.watches("lamp:A")
    del lamps.shown["A", "public"]
    push.read_again("lamp:A")
    assert await viewer.hears() == {"type": "refused", "topic": "lamp:A", "code": "not_found"}


async def test_a_publisher_never_suffers_from_what_it_publishes(
    site: Site, cookie: str, caplog: pytest.LogCaptureFixture
) -> None:
    viewer = await site.opens(cookie)
    await viewer.watches("lamp:A")

    def broken() -> dict[str, Any]:
        raise RuntimeError("no state")

    push.publish("lamp:A", {"no": object()})
    push.publish("lamp:A", broken)
    await push.publish_async("lamp:A", {"no": object()})
    await viewer.hears_nothing_but_pong()
    assert caplog.text.count("was not published") == 3


async def test_one_thing_of_a_topic_of_many_is_read_again_alone(
    site: Site, cookie: str, lamps: Lamps
) -> None:
    shelf = {"lamps": {"a": {"state": "off"}, "b": {"state": "off"}}}
    read: list[str] = []

    def one_lamp(key: str, shape: str, part: str) -> dict[str, Any]:
        read.append(part)
        return {"lamps": {part: {"state": "on"} if part != "b" else None}}

    topics.register("shelf", lambda person, key: "public", lambda key, shape: shelf, part=one_lamp)
    try:
        viewer = await site.opens(cookie)
        await viewer.watches("shelf:A")
        push.part_changed("shelf:A", "a")
        assert (await viewer.hears())["data"] == {"lamps": {"a": {"state": "on"}}}
        push.part_changed("shelf:A", "b")
        assert (await viewer.hears())["data"] == {"lamps": {"b": None}}
        assert read == ["a", "b"]
    finally:
        topics.unregister("shelf")


async def test_fields_named_as_figures_are_thinned_however_they_come(
    site: Site, cookie: str, lamps: Lamps
) -> None:
    lamps.shown["A", "public"] = {"state": "off", "watts": 0}
    topics.register("lamp", lamps.may_watch, lamps.snapshot, figures_every=0.5, figures={"watts"})
    viewer = await site.opens(cookie)
    await viewer.watches("lamp:A")
    push.publish("lamp:A", {"state": "step 1", "watts": 1})
    assert [(await viewer.hears())["data"] for _ in range(2)] == [{"state": "step 1"}, {"watts": 1}]
    push.publish("lamp:A", {"state": "step 2", "watts": 2})
    push.publish("lamp:A", {"state": "step 3", "watts": 3})
    heard = [(await viewer.hears())["data"] for _ in range(3)]
    assert heard == [{"state": "step 2"}, {"state": "step 3"}, {"watts": 3}]
