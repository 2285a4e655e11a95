"""People are told at once, before the database is written, and figures at most once a second."""

from collections.abc import Mapping
from typing import Any

import pytest

from fablab.live import push
from jobs.lifecycle.states import State
from jobs.supervision import records, telling
from tests.jobs.supervision.lab import Lab

pytestmark = pytest.mark.octoprint

Frame = tuple[str, Mapping[str, Any], bool]


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> list[Frame]:
    """What was published, in order, beside the writes: ("keep", ...) stands for the database."""
    seen: list[Frame] = []
    publish, keep = push.publish_async, records.keep

    async def recorded(topic: str, state: Mapping[str, Any], **more: Any) -> None:
        seen.append((topic, state, bool(more.get("figures"))))
        await publish(topic, state, **more)

    def kept(found: Any, heard: Any, decisions: Any, **more: Any) -> bool:
        seen.append(("keep", {"report": heard.report if heard else None}, False))
        return keep(found, heard, decisions, **more)

    monkeypatch.setattr(telling, "publish_async", recorded)
    monkeypatch.setattr(records, "keep", kept)
    return seen


async def test_a_pause_in_octoprints_pages_is_told_before_it_is_written(
    lab: Lab, frames: list[Frame]
) -> None:
    await lab.watch()
    job = await lab.started(60)
    topic = f"machine:{lab.cast.machine.pk}"
    frames.clear()

    await lab.ask("/api/job", {"command": "pause", "action": "pause"})
    await lab.until_state(job, State.PAUSED)

    told = [
        index for index, (name, state, _) in enumerate(frames) if name == topic and _says(state, "paused")
    ]
    written = [
        index
        for index, (name, state, _) in enumerate(frames)
        if name == "keep" and state["report"] == "paused"
    ]
    assert told[0] < written[0]


async def test_members_are_told_state_and_progress_and_nothing_of_the_machines_inside(
    lab: Lab, frames: list[Frame]
) -> None:
    await lab.watch()
    job = await lab.started(3)
    await lab.until_state(job, State.FINISHED)

    public = [state["public"] for name, state, _ in frames if name == f"machine:{lab.cast.machine.pk}"]
    assert {key for state in public for key in state} <= {"state", "seen_at", "progress"}
    assert "busy" in [state.get("state") for state in public]
    jobs = [state for name, state, figures in frames if name == f"job:{job}" and figures]
    assert jobs and all(set(state) == {"progress"} for state in jobs)
    assert jobs[-1]["progress"]["percent"] > 0


async def test_nobody_is_told_the_same_state_again(lab: Lab, frames: list[Frame]) -> None:
    await lab.watch()
    frames.clear()
    for _ in range(5):
        await lab.watcher.look()
    states = [state for name, state, figures in frames if name.startswith("machine:") and not figures]
    figures = [state for name, state, thinned in frames if name.startswith("machine:") and thinned]
    assert states == []
    assert len(figures) <= 2


async def test_loss_of_contact_is_never_told_as_free_or_printing(lab: Lab, frames: list[Frame]) -> None:
    await lab.watch()
    job = await lab.started(60)
    frames.clear()
    await lab.ask("/api/connection", {"command": "disconnect"})
    await lab.until_state(job, State.FAILED)
    states = [
        state["public"]["state"]
        for name, state, figures in frames
        if name.startswith("machine:") and not figures
    ]
    assert states and "free" not in states
    assert states[-1] == "unreachable"


def _says(state: Mapping[str, Any], *reports: str) -> bool:
    return state.get("staff", {}).get("report") in reports
