"""The main job by API and websocket alone: handed in, approved, started, made, cleared, collected."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.fixtures.octoprint import OctoPrint, starts_in_log
from tests.journeys.lab import Api, Lab, open_lab
from tests.journeys.shapes import tile
from tests.journeys.steps import approved, hand_in, press_start, wait_machine, wait_state

pytestmark = pytest.mark.octoprint


class Follower:
    """A websocket that keeps the data of one topic, and every state it went through."""

    def __init__(self, lab: Lab, api: Api, topic: str) -> None:
        self._url = lab.url.replace("http", "ws") + "/ws/v1/live/"
        self._token, self._topic = api.token, topic
        self.states: list[str] = []
        self.percents: list[float] = []
        self.subscribed = asyncio.Event()

    async def follow(self, *, until: str) -> None:
        data: dict[str, Any] = {}
        version = 0
        headers = {"Authorization": f"Bearer {self._token}"}
        async with aiohttp.ClientSession() as session, session.ws_connect(self._url, headers=headers) as line:
            await line.send_json({"type": "subscribe", "topic": self._topic})
            async for message in line:
                frame = message.json()
                if frame["type"] == "snapshot":
                    data, version = frame["data"], frame["version"]
                    self.subscribed.set()
                elif frame["type"] == "change":
                    assert frame["after"] == version, "no change was left out"
                    version = frame["version"]
                    merge(data, frame["data"])
                self._note(data)
                if data.get("state") == until:
                    return

    def _note(self, data: dict[str, Any]) -> None:
        if self.states[-1:] != [data["state"]]:
            self.states.append(data["state"])
        percent = data["progress"].get("percent")  # a null of a change takes the key away
        if data["state"] == "running" and percent is not None and self.percents[-1:] != [percent]:
            self.percents.append(percent)


def merge(data: dict[str, Any], patch: dict[str, Any]) -> None:
    for key, value in patch.items():
        if value is None:
            data.pop(key, None)
        elif isinstance(value, dict) and isinstance(data.get(key), dict):
            merge(data[key], value)
        else:
            data[key] = value


async def test_from_a_model_to_the_shelf(tmp_path: Path, octoprint_servers: Any) -> None:
    servers: list[OctoPrint] = octoprint_servers(ambient=200)
    printer = servers[0]
    with open_lab(tmp_path, servers) as lab:
        await asyncio.to_thread(_journey_begins, lab)
        lea, karim = await asyncio.to_thread(lambda: (lab.api("lea"), lab.api("karim")))
        job = await asyncio.to_thread(hand_in, lab, lea, "plaque.stl", tile(12, 12, 2))
        assert job["state"] == "draft", job
        assert job["preparation"]["state"] == "ready", job
        follower = Follower(lab, lea, f"job:{job['id']}")
        following = asyncio.create_task(follower.follow(until="ready"))
        await asyncio.wait_for(follower.subscribed.wait(), 10)
        answer = await asyncio.to_thread(lea.post, f"/api/v1/jobs/{job['id']}/submit/")
        assert answer.status == 200, answer
        await asyncio.to_thread(approved, lab, job["id"])
        await asyncio.to_thread(wait_state, karim, job["id"], "loaded")
        started = await asyncio.to_thread(press_start, lab, job["id"])
        assert started["order"]["verb"] == "start"
        again = await asyncio.to_thread(karim.post, f"/api/v1/jobs/{job['id']}/start/", {"plate_clear": True})
        assert again.status == 409, again
        await asyncio.to_thread(lambda: wait_state(karim, job["id"], "finished", seconds=120))
        machine = (await asyncio.to_thread(lea.get, f"/api/v1/jobs/{job['id']}/"))["machine"]["id"]
        await asyncio.to_thread(wait_machine, karim, machine, "needs_clearing")
        cleared = await asyncio.to_thread(karim.post, f"/api/v1/machines/{machine}/clear-plate/")
        assert (cleared.status, cleared["plate"]) == (200, "clear")
        await asyncio.wait_for(following, 20)

        assert follower.states == [
            "draft", "submitted", "queued", "sending", "loaded", "running", "finished", "ready",
        ]  # fmt: skip
        assert follower.percents == sorted(follower.percents), follower.percents
        assert len(follower.percents) >= 3, follower.percents
        ready = await asyncio.to_thread(lea.get, f"/api/v1/jobs/{job['id']}/")
        assert ready["shelf"] == "A1"
        collected = await asyncio.to_thread(lea.post, f"/api/v1/jobs/{job['id']}/collect/")
        assert collected["state"] == "collected"
        _history_names_every_step(await asyncio.to_thread(lea.get, f"/api/v1/jobs/{job['id']}/events/"))
        starts = starts_in_log(printer)
        assert len(starts) == 1, starts
        assert starts[0].path.startswith("fl/")


def _journey_begins(lab: Lab) -> None:
    me = lab.api("lea").get("/api/v1/me/")
    assert me.status == 200, me


def _history_names_every_step(events: dict[str, Any]) -> None:
    steps = [(event["action"], event["source"]) for event in events["results"]]
    assert steps == [
        ("create", "person"),
        ("submit", "person"),
        ("approve", "person"),
        ("claim", "dispatcher"),
        ("load", "dispatcher"),
        ("start", "machine"),
        ("finish", "machine"),
        ("shelve", "system"),
        ("collect", "person"),
    ], steps
