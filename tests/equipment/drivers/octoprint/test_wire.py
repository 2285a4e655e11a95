"""What OctoPrint's messages mean, and that no message of a stranger can break the reading."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipment.drivers.base import BUSY, MachineReport, PushEvent, Temperature
from equipment.drivers.octoprint import wire

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FLAGS = dict.fromkeys(
    ("cancelling", "closedOrError", "error", "finishing", "operational", "paused", "pausing", "printing", "ready",
     "resuming", "sdReady"),
    False,
)  # fmt: skip
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
names = st.sampled_from(
    ["state", "text", "flags", "error", "job", "file", "path", "origin", "user", "progress", "completion", "temps",
     "printTimeLeft", "type", "payload", "reason", "prints", "last", "date", "success", "size", "hash", "state_id"]
)  # fmt: skip
nearly_right: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.dictionaries(names, anything, max_size=5),
    lambda inner: st.dictionaries(names, inner | anything, max_size=5),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "true", "report"),
    [
        ("Operational", {"operational", "ready"}, MachineReport.READY),
        ("Starting", {"operational", "printing"}, MachineReport.STARTING),
        ("Printing", {"operational", "printing"}, MachineReport.PRINTING),
        ("Printing from SD", {"operational", "printing"}, MachineReport.PRINTING),
        ("Pausing", {"operational", "printing", "pausing"}, MachineReport.PAUSING),
        ("Paused", {"operational", "paused"}, MachineReport.PAUSED),
        ("Paused", {"operational", "paused", "printing"}, MachineReport.PAUSED),  # as 2.x says it
        ("Resuming", {"operational", "printing", "resuming"}, MachineReport.RESUMING),
        ("Cancelling", {"operational", "printing", "cancelling"}, MachineReport.CANCELLING),
        ("Finishing", {"operational", "printing", "finishing"}, MachineReport.FINISHING),
        ("Offline", {"closedOrError"}, MachineReport.DISCONNECTED),
        ("Offline after error", {"closedOrError"}, MachineReport.ERROR),
        ("Error", {"closedOrError", "error"}, MachineReport.ERROR),
        # without flags: OctoPrint refuses them while no printer is connected
        ("Offline", set(), MachineReport.DISCONNECTED),
        ("Closed", set(), MachineReport.DISCONNECTED),
        ("Offline after error", set(), MachineReport.ERROR),
        ("Connecting", set(), MachineReport.DISCONNECTED),
        ("Opening serial connection", set(), MachineReport.DISCONNECTED),
        ("Detecting serial connection", set(), MachineReport.DISCONNECTED),
    ],
)
def test_every_state_that_octoprint_was_seen_in_has_one_word(
    text: str, true: set[str], report: MachineReport
) -> None:
    flags = {**FLAGS, **dict.fromkeys(true, True)} if true else {}

    assert wire.report_of(text, flags, None) is report


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("Dreaming", {}),
        ("Printing", {}),  # words alone never make a machine busy
        ("Operational", {}),  # nor free
        ("Operational", {"operational": True}),
        ("Operational", {"ready": True}),
        ("Operational", {"operational": "yes", "ready": "yes"}),
        ("Transferring file to SD", {"operational": True}),
        ("", {}),
        (None, {}),
    ],
)
def test_an_unknown_state_is_neither_busy_nor_free(text: str | None, flags: dict[str, Any]) -> None:
    """REL-21."""
    report = wire.report_of(text, {**FLAGS, **flags} if flags else {}, None)

    assert report is MachineReport.UNKNOWN
    assert report not in BUSY


def test_an_unknown_state_keeps_its_words_for_the_log() -> None:
    seen = wire.observation_of(NOON, state={"text": "Dreaming"}, job={}, progress={})

    assert (seen.report, seen.raw) == (MachineReport.UNKNOWN, "Dreaming")


def test_a_file_on_the_card_is_told_from_one_in_the_uploads() -> None:
    """Pitfall 26."""
    job = {"file": {"path": "card.gco", "origin": "sdcard"}, "user": None}

    seen = wire.observation_of(NOON, state={}, job=job, progress={})

    assert (seen.path, seen.origin, seen.user) == ("card.gco", "sdcard", None)


def test_a_cancel_that_comes_again_as_a_failure_is_left_out() -> None:
    again = {"type": "PrintFailed", "payload": {"reason": "cancelled", "path": "fl/1.gcode"}}
    failure = {"type": "PrintFailed", "payload": {"reason": "error", "error": "MAXTEMP", "progress": 0.03}}

    assert wire.happening_of(again) is None
    happening = wire.happening_of(failure)
    assert happening is not None
    assert (happening.event, happening.reason) == (PushEvent.PRINT_FAILED, "MAXTEMP")


def test_who_started_a_print_is_not_taken_for_who_cancelled_it() -> None:
    happening = wire.happening_of({"type": "PrintCancelled", "payload": {"owner": "operator"}})

    assert happening is not None
    assert happening.user is None


def test_foreign_text_is_shortened_and_cannot_turn_or_break_a_line() -> None:
    seen = wire.observation_of(
        NOON,
        state={"text": "x" * 10_000, "error": "bad\r\nSet-Cookie: a=b\x00\u202etxt"},
        job={"user": "u" * 10_000, "file": {"path": "p" * 10_000}},
        progress={"printTimeLeftOrigin": "o" * 10_000},
    )

    assert len(seen.raw) <= 100 and len(seen.user or "") <= 100
    assert seen.path is None, "a shortened path would be another file"
    assert seen.error == "bad  Set-Cookie: a=b  txt"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (12.5, 12.5),
        (140, 100.0),
        (-3, 0.0),
        (True, None),
        ("12", None),
        (None, None),
        (float("inf"), None),
        (10**400, None),
    ],
)
def test_completion_is_a_number_from_0_to_100_or_unknown(said: object, kept: float | None) -> None:
    assert wire.progress_of({"completion": said}).percent == kept


def test_heaters_are_read_and_whatever_else_is_there_is_left_out() -> None:
    said = {
        "tool0": {"actual": 205.1, "target": 205, "offset": 0},
        "bed": {"actual": 60.0, "target": None},
        "time": 1795312676,
        "history": [],
        "odd": {"actual": "hot"},
        **{f"tool{number}": {"actual": 1.0, "target": 0.0} for number in range(1, 50)},
    }

    found = wire.temperatures_of(said)

    assert found["tool0"] == Temperature(205.1, 205.0)
    assert found["bed"] == Temperature(60.0, None)
    assert not {"time", "history", "odd"} & set(found)
    assert len(found) <= wire.MOST_HEATERS


@given(nearly_right)
def test_no_state_can_break_the_reading(payload: dict[str, Any]) -> None:
    seen = wire.pushed_observation(NOON, payload, {})
    wire.last_temperatures(payload)

    assert seen.report in MachineReport
    assert seen.progress.percent is None or 0 <= seen.progress.percent <= 100
    f"{seen.raw}{seen.path}{seen.error}{seen.user}".encode()


@given(nearly_right, st.sampled_from(sorted(wire.EVENTS)))
def test_no_event_can_break_the_reading(payload: dict[str, Any], name: str) -> None:
    happening = wire.happening_of({"type": name, "payload": payload})
    if happening is not None:
        f"{happening.path}{happening.reason}{happening.user}".encode()


@given(nearly_right)
def test_no_file_can_break_the_reading(payload: dict[str, Any]) -> None:
    found = wire.remote_file_of(payload)
    if found is not None:
        found.path.encode()
        assert 0 <= found.prints_success + found.prints_failure < 2**31, "as many as a try keeps"
        assert len(found.path) <= 255


def test_rights_are_asked_for_by_release() -> None:
    assert "FILES_DOWNLOAD" not in wire.needed_permissions("1.11.8")
    assert "FILES_DOWNLOAD" in wire.needed_permissions("2.0.0rc7")
