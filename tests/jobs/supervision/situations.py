"""Facts for tests of reconcile: each says only what the test is about."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from equipment.drivers.base import MachineReport, Observation, PushEvent, RemoteFile
from jobs.lifecycle.states import State
from jobs.supervision.facts import Ending, Facts, LiveTry, StartAsked

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
OURS = "fl/abc-12345678.gcode"
THEIRS = "somebody.gcode"
SHA1 = "0" * 40


def seen(report: MachineReport, path: str | None = None, **more: Any) -> Observation:
    return Observation(at=AT, report=report, path=path, origin="local", user=None, raw=report.value, **more)


def a_try(state: State = State.RUNNING, **more: Any) -> LiveTry:
    started = state in (State.RUNNING, State.PAUSED, State.STOPPING)
    return LiveTry(state, OURS, SHA1, 100, **{"start_sent": started, **more})


def remote(success: int = 0, failure: int = 0, *, last: bool | None = None, **more: Any) -> RemoteFile:
    plain = RemoteFile(OURS, 100, SHA1, "operator", success, failure, None, last)
    return replace(plain, **more)


def facts(attempt: LiveTry | None, look: Observation | None, **more: Any) -> Facts:
    if "file" in more:
        more.setdefault("file_asked", True)
    return Facts(attempt=attempt, seen=look, **more)


READY = seen(MachineReport.READY)
READY_OURS_SELECTED = seen(MachineReport.READY, OURS)
PRINTING = seen(MachineReport.PRINTING, OURS)
PAUSED = seen(MachineReport.PAUSED, OURS)
FOREIGN = seen(MachineReport.PRINTING, THEIRS)
AWAY = seen(MachineReport.DISCONNECTED)
HALTED = seen(MachineReport.ERROR, error="MAXTEMP triggered, system stopped!", error_reason="firmware")
DONE = Ending(PushEvent.PRINT_DONE)
CANCELLED = Ending(PushEvent.PRINT_CANCELLED, user="lab")
FAILED = Ending(PushEvent.PRINT_FAILED, reason="SerialTimeoutException: ")
ACCEPTED, UNKNOWN = StartAsked.ACCEPTED, StartAsked.UNKNOWN
