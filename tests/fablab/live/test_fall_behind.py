"""A socket that reads slowly: figures fold, changes of state wait in order, too many become one snapshot."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from fablab.live import topics
from fablab.live.channel import Channel, Update
from fablab.live.frames import PONG, refused
from fablab.live.mailbox import TOO_SLOW, Mailbox
from fablab.live.merge import merged


@pytest.fixture
def channel() -> Iterator[Channel]:
    topics.register("lamp", lambda person, key: "public", lambda key, shape: {}, figures_every=0.0)
    topic = topics.named("lamp:A")
    assert topic is not None
    channel = Channel(topic, "public", clock=lambda: 1000.0)
    channel.settle({"state": "off", "watts": 0}, channel.hold())
    yield channel
    topics.unregister("lamp")


def tell(channel: Channel, **fields: Any) -> None:
    channel.take(Update(fields, patch=True, figures=set(fields) == {"watts"}, order=None))


async def read(mailbox: Mailbox) -> dict[str, Any]:
    async with asyncio.timeout(2):
        frame = await mailbox.next()
    assert frame is not None
    read: dict[str, Any] = json.loads(frame["text"])
    return read


def open_mailbox(channel: Channel, limit: int = 8) -> Mailbox:
    mailbox = Mailbox(asyncio.get_running_loop().time, limit)
    channel.watchers[mailbox] = channel.version
    return mailbox


async def test_waiting_figures_become_one_change_from_the_last_sent_number(channel: Channel) -> None:
    mailbox = open_mailbox(channel)
    first = channel.version
    for watts in range(1, 100):
        tell(channel, watts=watts)
    assert len(mailbox) == 1
    change = await read(mailbox)
    assert (change["after"], change["version"]) == (first, channel.version)
    assert change["data"] == {"watts": 99}


async def test_every_change_of_state_is_kept_between_folded_figures(channel: Channel) -> None:
    mailbox = open_mailbox(channel)
    last, state = channel.version, dict(channel.state)
    for step in range(3):
        for watts in range(step * 10 + 1, step * 10 + 10):
            tell(channel, watts=watts)
        tell(channel, state=f"step {step}")
    steps = []
    while len(mailbox):
        change = await read(mailbox)
        assert change["after"] == last
        last, state = change["version"], dict(merged(state, change["data"]))
        steps += [change["data"]["state"]] if "state" in change["data"] else []
    assert steps == ["step 0", "step 1", "step 2"]
    assert (last, state) == (channel.version, {"state": "step 2", "watts": 29})


async def test_sockets_that_lag_alike_share_one_encoded_frame(channel: Channel) -> None:
    mailboxes = [open_mailbox(channel) for _ in range(3)]
    for watts in range(1, 5):
        tell(channel, watts=watts)
    frames = [await mailbox.next() for mailbox in mailboxes]
    assert frames[0] is frames[1] is frames[2]


async def test_too_many_waiting_changes_give_way_to_a_snapshot_of_the_moment_it_is_sent(
    channel: Channel,
) -> None:
    mailbox = open_mailbox(channel, limit=8)
    for step in range(50):
        tell(channel, state=f"step {step}")
    assert len(mailbox) == 1
    tell(channel, watts=7)
    snapshot = await read(mailbox)
    assert (snapshot["type"], snapshot["version"]) == ("snapshot", channel.version)
    assert snapshot["data"] == {"state": "step 49", "watts": 7}
    tell(channel, state="after")
    change = await read(mailbox)
    assert (change["type"], change["after"]) == ("change", snapshot["version"])


async def test_answers_survive_when_changes_give_way(channel: Channel) -> None:
    mailbox = open_mailbox(channel, limit=8)
    mailbox.say(refused("lamp:Z", "not_found"))
    for step in range(50):
        tell(channel, state=f"step {step}")
    assert [(await read(mailbox))["type"] for _ in range(2)] == ["refused", "snapshot"]


async def test_who_asks_and_never_reads_is_closed(channel: Channel) -> None:
    mailbox = open_mailbox(channel, limit=8)
    for _ in range(100):
        mailbox.say(PONG)
    assert len(mailbox) == 1
    for number in range(100):
        mailbox.say(refused(str(number), "not_found"))
    assert mailbox.closing == TOO_SLOW
    assert await mailbox.next() is None


async def test_numbers_grow_though_the_clock_stands_still_or_goes_back(channel: Channel) -> None:
    numbers = [channel.version]
    for step in range(5):
        tell(channel, state=str(step))
        numbers.append(channel.version)
    assert numbers == sorted(set(numbers))
    assert numbers[0] == 1_000_000


async def test_with_many_viewers_the_first_do_not_wait_for_the_last_and_each_hears_everything_in_order(
    channel: Channel,
) -> None:
    mailboxes = [open_mailbox(channel) for _ in range(100)]
    first = channel.version
    tell(channel, state="one")
    waiting = [len(mailbox) for mailbox in mailboxes]
    assert (waiting[0], waiting[-1]) == (1, 0)
    tell(channel, state="two")
    late = open_mailbox(channel)
    channel.admit(late)
    for mailbox in mailboxes:
        one, two = await read(mailbox), await read(mailbox)
        assert (one["after"], one["data"]) == (first, {"state": "one"})
        assert (two["after"], two["data"]) == (one["version"], {"state": "two"})
    snapshot = await read(late)
    assert (snapshot["version"], snapshot["data"]["state"], len(late)) == (channel.version, "two", 0)


async def test_a_snapshot_taken_while_a_change_still_goes_round_is_not_followed_by_that_change(
    channel: Channel,
) -> None:
    crowd = [open_mailbox(channel) for _ in range(100)]
    last = open_mailbox(channel)
    channel.admit(last)
    tell(channel, state="one")
    assert (await read(last))["data"]["state"] == "one"
    assert (await read(crowd[-1]))["data"] == {"state": "one"}
    tell(channel, state="two")
    await read(crowd[-1])
    change = await read(last)
    assert (change["type"], change["data"]) == ("change", {"state": "two"})
