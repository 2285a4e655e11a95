"""What OctoPrint's messages mean. Pure: a payload goes in, the lab's words come out.

Nothing here trusts a payload's shape: wrong types are read as "not said".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from equipment.drivers.base import (
    NO_PROGRESS,
    NO_TEMPERATURES,
    MachineReport,
    Observation,
    Progress,
    PushEvent,
    RemoteFile,
    Temperature,
)
from equipment.drivers.foreign import finite, path_of, text_of

LONGEST_NAME = 100
LONGEST_ERROR = 300
MOST_HEATERS = 12
LONGEST_WAIT = 10 * 365 * 24 * 3600  # seconds; more is nonsense and would not fit a database's integer
MOST_PRINTS = 2**30 - 1  # two of them are added and kept
LONGEST_STORED = 255  # what a try keeps of a path; ours are shorter

_NEEDED = frozenset({"STATUS", "FILES_LIST", "FILES_UPLOAD", "FILES_SELECT", "FILES_DELETE", "PRINT"})


def needed_permissions(version: str) -> frozenset[str]:
    """The rights an account must have. From 2 on no hash is told, so a file is read back to prove it."""
    return _NEEDED if version.startswith("1.") else _NEEDED | {"FILES_DOWNLOAD"}


# The state in words, for what the flags do not tell: both a request that finds no printer, and starting.
_NOT_CONNECTED = (
    "offline",
    "closed",
    "connecting",
    "opening serial",
    "detecting serial",
    "opening connection",
)

# In this order: 2.x reports a paused print as printing too, and a change goes before what it changes.
_FLAGS = (
    ("cancelling", MachineReport.CANCELLING),
    ("pausing", MachineReport.PAUSING),
    ("resuming", MachineReport.RESUMING),
    ("finishing", MachineReport.FINISHING),
    ("paused", MachineReport.PAUSED),
    ("printing", MachineReport.PRINTING),
)

EVENTS: Mapping[str, PushEvent] = {
    "PrintStarted": PushEvent.PRINT_STARTED,
    "PrintPaused": PushEvent.PRINT_PAUSED,
    "PrintResumed": PushEvent.PRINT_RESUMED,
    "PrintCancelled": PushEvent.PRINT_CANCELLED,
    "PrintFailed": PushEvent.PRINT_FAILED,
    "PrintDone": PushEvent.PRINT_DONE,
    "Connected": PushEvent.MACHINE_CONNECTED,
    "Disconnected": PushEvent.MACHINE_DISCONNECTED,
    "Error": PushEvent.MACHINE_ERROR,
    "PrinterStateChanged": PushEvent.STATE_CHANGED,
}
_OF_A_FILE = frozenset(event for event in PushEvent if event.value.startswith("print_"))


def section(payload: object, *names: str) -> Mapping[str, Any]:
    """A part of a payload; empty when it is missing or something else."""
    for name in names:
        payload = payload.get(name) if isinstance(payload, dict) else None
    return payload if isinstance(payload, dict) else {}


def report_of(text: str | None, flags: Mapping[str, Any], error: str | None) -> MachineReport:
    """One word for a state. Flags first: texts are for people and change between releases."""
    words = (text or "").lower()
    if flags.get("closedOrError") is True or flags.get("error") is True:
        failed = flags.get("error") is True or bool(error) or "error" in words
        return MachineReport.ERROR if failed else MachineReport.DISCONNECTED
    if words == "starting" and flags.get("printing") is True:
        return MachineReport.STARTING
    for flag, report in _FLAGS:
        if flags.get(flag) is True:
            return report
    if flags.get("ready") is True and flags.get("operational") is True:
        return MachineReport.READY
    if flags.get("operational") is not True:
        # The request for the flags is refused while no printer is connected: then only words are left.
        if "error" in words:
            return MachineReport.ERROR
        if words.startswith(_NOT_CONNECTED):
            return MachineReport.DISCONNECTED
    return MachineReport.UNKNOWN


def observation_of(
    at: datetime,
    *,
    state: Mapping[str, Any],
    job: Mapping[str, Any],
    progress: Mapping[str, Any],
    temperatures: Mapping[str, Temperature] = NO_TEMPERATURES,
    error: str | None = None,
    error_reason: str | None = None,
) -> Observation:
    """Put together what the REST answers, and what the push channel sends in one message."""
    text = text_of(state.get("text"), LONGEST_NAME)
    error = text_of(state.get("error"), LONGEST_ERROR) or text_of(error, LONGEST_ERROR)
    file = section(job, "file")
    return Observation(
        at=at,
        report=report_of(text, section(state, "flags"), error),
        path=path_of(file.get("path")),
        origin=text_of(file.get("origin"), LONGEST_NAME),
        user=text_of(job.get("user"), LONGEST_NAME),
        progress=progress_of(progress),
        temperatures=temperatures,
        error=error,
        raw=text or "",
        error_reason=text_of(error_reason, LONGEST_NAME),
    )


def pushed_observation(
    at: datetime, payload: Mapping[str, Any], temperatures: Mapping[str, Temperature]
) -> Observation:
    """A `current` or `history` message. `temperatures` are the last known: not every message has some."""
    return observation_of(
        at,
        state=section(payload, "state"),
        job=section(payload, "job"),
        progress=section(payload, "progress"),
        temperatures=temperatures,
    )


def progress_of(payload: Mapping[str, Any]) -> Progress:
    percent = finite(payload.get("completion"))
    progress = Progress(
        percent=None if percent is None else min(max(percent, 0.0), 100.0),
        seconds_left=_seconds(payload.get("printTimeLeft")),
        printed_seconds=_seconds(payload.get("printTime")),
        origin=text_of(payload.get("printTimeLeftOrigin"), LONGEST_NAME),
    )
    return NO_PROGRESS if progress == NO_PROGRESS else progress


def _seconds(value: object) -> int | None:
    number = finite(value)
    return int(number) if number is not None and 0 <= number <= LONGEST_WAIT else None


def temperatures_of(payload: object) -> Mapping[str, Temperature]:
    """Heaters by OctoPrint's own names (`tool0`, `bed`, `chamber`); whatever is no heater is left out."""
    if not isinstance(payload, dict):
        return NO_TEMPERATURES
    found: dict[str, Temperature] = {}
    for name, values in payload.items():
        label = text_of(name, 30)
        if label is None or not isinstance(values, dict) or len(found) >= MOST_HEATERS:
            continue
        reading = Temperature(finite(values.get("actual")), finite(values.get("target")))
        if reading != Temperature(None, None):
            found[label] = reading
    return MappingProxyType(found)


def last_temperatures(payload: Mapping[str, Any]) -> Mapping[str, Temperature] | None:
    """The newest of a push message's readings; `None` when it has none."""
    readings = payload.get("temps")
    if not isinstance(readings, list) or not readings:
        return None
    return temperatures_of(readings[-1]) or None


def remote_file_of(payload: Mapping[str, Any]) -> RemoteFile | None:
    """A file's description; `None` for folders and for what has no path."""
    path = path_of(payload.get("path"), LONGEST_STORED)
    if path is None or payload.get("type") == "folder":
        return None
    prints = section(payload, "prints")
    last = section(prints, "last")
    success = last.get("success")
    sha1 = payload.get("hash")
    return RemoteFile(
        path=path,
        size=_count(payload.get("size")),
        sha1=sha1.lower() if isinstance(sha1, str) and len(sha1) == 40 and sha1.isalnum() else None,
        uploader=text_of(payload.get("user"), LONGEST_NAME),
        prints_success=_count(prints.get("success"), MOST_PRINTS) or 0,
        prints_failure=_count(prints.get("failure"), MOST_PRINTS) or 0,
        last_print_at=_moment(last.get("date")),
        last_print_success=success if isinstance(success, bool) else None,
    )


def _count(value: object, most: int = 2**63 - 1) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most else None


def _moment(value: object) -> datetime | None:
    number = finite(value)
    try:
        return None if number is None else datetime.fromtimestamp(number, UTC)
    except (OverflowError, OSError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class Happening:
    """An event in the lab's words."""

    event: PushEvent
    path: str | None
    reason: str | None
    user: str | None


@dataclass(frozen=True, slots=True)
class ToldError:
    """What OctoPrint says of an error at the moment it happens."""

    error: str | None
    reason: str | None


def told_error_of(message: Mapping[str, Any]) -> ToldError | None:
    """An `event` message that tells of an error; `None` for every other."""
    if message.get("type") != "Error":
        return None
    payload = section(message, "payload")
    return ToldError(
        text_of(payload.get("error"), LONGEST_ERROR), text_of(payload.get("reason"), LONGEST_NAME)
    )


def happening_of(message: Mapping[str, Any]) -> Happening | None:
    """An `event` message; `None` for what tells nothing new.

    A cancel arrives as `PrintCancelled` and again as `PrintFailed`: the second is left out. How far a failed
    print was is left out too: it comes as percent or as a fraction, depending on the reason.
    """
    name = message.get("type")
    event = EVENTS.get(name) if isinstance(name, str) else None
    if event is None:
        return None
    payload = section(message, "payload")
    reason = text_of(payload.get("reason"), LONGEST_NAME)
    if event is PushEvent.PRINT_FAILED and reason == "cancelled":
        return None
    if event is PushEvent.STATE_CHANGED:
        reason = (text_of(payload.get("state_id"), LONGEST_NAME) or "").lower() or None
    elif event in (PushEvent.PRINT_FAILED, PushEvent.MACHINE_ERROR):
        reason = text_of(payload.get("error"), LONGEST_ERROR) or reason
    return Happening(
        event=event,
        path=path_of(payload.get("path")) if event in _OF_A_FILE else None,
        reason=reason,
        # Who did it. Never `owner`, who started the print: a printer cancels and pauses by itself too.
        user=text_of(payload.get("user"), LONGEST_NAME),
    )
