"""What every driver promises, in the lab's words.

A driver turns one machine's own language into the few words below. Everything that a driver hands
out was said by a machine, so it is limited in length, checked for its type, and never trusted to be
complete: a value that the machine did not give is `None`, not zero.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Protocol

from equipment.drivers.addresses import AllowedAddress


class MachineReport(StrEnum):
    """What a machine says of itself, whatever it calls it."""

    READY = "ready"  # nothing runs; says nothing about the plate
    STARTING = "starting"
    PRINTING = "printing"
    PAUSING = "pausing"  # may last minutes: a machine finishes the running command first
    PAUSED = "paused"
    RESUMING = "resuming"
    CANCELLING = "cancelling"
    FINISHING = "finishing"
    DISCONNECTED = "disconnected"  # the host answers, the machine behind it is not connected
    ERROR = "error"  # as disconnected, and the host says that something went wrong
    UNKNOWN = "unknown"  # a state this driver does not know: neither busy nor free


BUSY = frozenset(
    {
        MachineReport.STARTING,
        MachineReport.PRINTING,
        MachineReport.PAUSING,
        MachineReport.PAUSED,
        MachineReport.RESUMING,
        MachineReport.CANCELLING,
        MachineReport.FINISHING,
    }
)
CHANGING = frozenset(  # a next report is expected soon
    {
        MachineReport.STARTING,
        MachineReport.PAUSING,
        MachineReport.RESUMING,
        MachineReport.CANCELLING,
        MachineReport.FINISHING,
    }
)
AWAY = frozenset({MachineReport.DISCONNECTED, MachineReport.ERROR})


@dataclass(frozen=True, slots=True)
class Temperature:
    """Degrees Celsius. A target of 0 means that the heater is off."""

    actual: float | None
    target: float | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the running file is; `None` where the machine does not know (yet)."""

    percent: float | None = None  # 0 to 100; of bytes sent for OctoPrint, not of time
    seconds_left: int | None = None
    printed_seconds: int | None = None  # pauses excluded
    origin: str | None = None  # how the time left was found, in the machine's own word


NO_PROGRESS = Progress()
NO_TEMPERATURES: Mapping[str, Temperature] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at a machine, complete in itself."""

    at: datetime  # aware, UTC: when the driver looked, never a machine's clock
    report: MachineReport
    path: str | None  # the selected file; it stays after the end of a print
    origin: str | None  # where that file lies; only "local" can be ours
    user: str | None  # the account that selected the file
    progress: Progress = NO_PROGRESS
    temperatures: Mapping[str, Temperature] = field(default_factory=lambda: NO_TEMPERATURES)
    error: str | None = None  # the machine's own sentence
    raw: str = ""  # the state as the machine wrote it, for the log
    error_reason: str | None = None  # the machine's own word: firmware, timeout, connection...

    @property
    def is_ready(self) -> bool:
        """Whether a start can be accepted. Says nothing about the plate."""
        return self.report is MachineReport.READY

    @property
    def is_busy(self) -> bool:
        """Whether a print holds the machine, paused or not."""
        return self.report in BUSY

    @property
    def is_paused(self) -> bool:
        return self.report is MachineReport.PAUSED

    @property
    def is_away(self) -> bool:
        """Whether the host answers but the machine behind it does not."""
        return self.report in AWAY

    @property
    def is_changing(self) -> bool:
        """Whether another report is expected within seconds."""
        return self.report in CHANGING


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file in a machine's storage, and what the machine remembers of it."""

    path: str
    size: int | None  # bytes
    sha1: str | None  # 40 lower-case hex digits
    uploader: str | None
    prints_success: int
    prints_failure: int
    last_print_at: datetime | None  # by the machine's clock, which may be wrong
    last_print_success: bool | None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a kind of machine can do; pages offer only that. What is not named here cannot be done."""

    address: bool = False  # there is something to reach; without it only a person reaches the machine
    key: bool = False  # it lets in by a key
    send: bool = False  # stores files: `send`, `remote_file`, `list_folder`, `delete`
    start: bool = False  # begins by an order
    streams: bool = False  # takes the file with its start, and makes what has arrived
    pause: bool = False
    resume: bool = False
    stop: bool = False
    observe: bool = False  # says itself what it does; else a person at it does
    push: bool = False  # says it unasked: `watch`
    temperatures: bool = False
    camera: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """What a first contact found."""

    version: str
    account: str | None
    permissions_missing: tuple[str, ...]  # in the machine's own words, sorted; empty when all is well


class PushKind(StrEnum):
    CONNECTED = "connected"  # the first of a connection, with an observation
    STATE = "state"  # a regular report, with an observation; may lag seconds behind an event
    EVENT = "event"  # something happened, just now
    LOST = "lost"  # the last of a connection, with a reason


class PushEvent(StrEnum):
    """Events in one vocabulary. They are hints to look: an observation decides."""

    PRINT_STARTED = "print_started"
    PRINT_PAUSED = "print_paused"
    PRINT_RESUMED = "print_resumed"
    PRINT_CANCELLED = "print_cancelled"  # once for each cancel, whoever asked
    PRINT_FAILED = "print_failed"
    PRINT_DONE = "print_done"  # the machine may need a moment more to be ready
    MACHINE_CONNECTED = "machine_connected"
    MACHINE_DISCONNECTED = "machine_disconnected"
    MACHINE_ERROR = "machine_error"
    STATE_CHANGED = "state_changed"  # `reason` holds the machine's own word, in lower case


@dataclass(frozen=True, slots=True)
class Push:
    """One message of the push channel.

    `path` is the file concerned, also where the machine had forgotten it by then. `reason` is the
    machine's own text for events, and a code of `DriverError` for `lost`.
    """

    kind: PushKind
    observation: Observation | None = None
    event: PushEvent | None = None
    path: str | None = None
    reason: str | None = None
    user: str | None = None


class Code(StrEnum):
    """Why something did not work. Pages make sentences of these."""

    # the kind of machine
    NOT_SUPPORTED = "not_supported"  # params: call; machines of this kind cannot do that, nothing was tried
    # the way to the machine
    ADDRESS_FORBIDDEN = "address_forbidden"  # params: reason
    ADDRESS_INVALID = "address_invalid"  # params: reason
    NAME_UNKNOWN = "name_unknown"
    NO_ROUTE = "no_route"
    FOLDER_MISSING = "folder_missing"  # params: reason; not there, not a folder, or reached by a link
    FOLDER_UNREADABLE = "folder_unreadable"  # we may not look into it
    FOLDER_READ_ONLY = "folder_read_only"  # we may look and not write
    CONNECTION_REFUSED = "connection_refused"
    CERTIFICATE_REFUSED = "certificate_refused"
    TIMED_OUT = "timed_out"
    REDIRECTED = "redirected"
    # what answers there
    NOT_OCTOPRINT = "not_octoprint"
    BAD_KEY = "bad_key"
    NOT_ALLOWED = "not_allowed"  # the account lacks a right
    ANSWER_LOST = "answer_lost"  # asked, and the line went before the answer was complete
    ANSWER_TOO_LARGE = "answer_too_large"
    ANSWER_UNREADABLE = "answer_unreadable"
    SERVER_FAILED = "server_failed"  # params: status
    # what the machine refuses
    PRINTER_DISCONNECTED = "printer_disconnected"
    BUSY = "busy"
    NOT_PRINTING = "not_printing"  # nothing to pause, resume or stop
    FILE_MISSING = "file_missing"
    FILE_DIFFERS = "file_differs"
    STORAGE_REFUSED = "storage_refused"  # too large, wrong type, refused name
    # workflow of a key
    KEY_REFUSED = "key_refused"
    KEY_REQUEST_EXPIRED = "key_request_expired"
    TOO_MANY_REQUESTS = "too_many_requests"


class DriverError(Exception):
    """A machine could not be asked, or said no.

    `certain` is True when the machine surely did not do what was asked, False when nobody knows:
    then look before asking again. Neither the text nor `params` ever hold a key.
    """

    def __init__(self, code: Code, *, certain: bool = True, **params: str | int) -> None:
        super().__init__(code.value)
        self.code = code
        self.certain = certain
        self.params: Mapping[str, str | int] = params

    def __str__(self) -> str:
        details = "".join(f" {name}={value}" for name, value in self.params.items())
        return f"{self.code.value}{details}{'' if self.certain else ' (outcome unknown)'}"


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a machine is and how to be let in: all that a driver is given."""

    address: str  # as the kind writes it: http://host:port, tcp://host:port, /a/folder...
    key: str = field(default="", repr=False)
    allowed: tuple[AllowedAddress, ...] = ()  # nothing listed: nothing reached
    folders: tuple[PurePosixPath, ...] = ()  # only in and below these; nothing listed: none
    machine: str = ""  # its id, for what lives in this process only


class Driver(Protocol):
    """One machine. Used from one event loop; every call ends, well or badly, within its limit.

    Every method raises `DriverError` and nothing else, cancellation and what is said below apart. Looking
    is free and may be repeated; an order (`start`, `pause`, `resume`, `stop`) is one request, sent at most
    once by each call. What `capabilities` denies raises `not_supported`, which is certain.
    """

    @property
    def capabilities(self) -> Capabilities:
        """The same for every machine of the kind, whatever its address."""
        ...

    def place(self) -> str:
        """The address in one spelling, so that two can be compared. Asks nobody, looks nothing up.

        Raises `address_invalid` and, as far as the address itself shows it, `address_forbidden`.
        """
        ...

    async def probe(self) -> Probe:
        """Who answers, as whom we are known, which rights we lack. Changes nothing."""
        ...

    async def observe(self) -> Observation:
        """The machine's state now. A machine that is not connected is an answer, not an error."""
        ...

    def watch(self) -> AsyncIterator[Push]:
        """One push connection: `connected` first, `lost` last and always, also when it never connected.

        Does not raise, does not reconnect. Close the iterator to hang up. A machine that does not `push` is
        `lost` at once, for `not_supported`.
        """
        ...

    async def send(
        self,
        source: Path,
        folder: str,
        name: str,
        note: Mapping[str, str | int],
        on_progress: Callable[[int, int], None] | None = None,
    ) -> RemoteFile:
        """Store `source` on the machine and prove it: size and hash were read back and are the same.

        Never overwrites: a file that is there already is returned if it is the same, else `file_differs`.
        The machine may choose another name: use the returned path, never build one. Starts nothing.
        `note` is kept with the file where the machine can. `on_progress(sent, total)` counts bytes.

        Raises OSError when `source` cannot be read.
        """
        ...

    async def remote_file(self, path: str) -> RemoteFile | None:
        """What the machine knows of this file; `None` when it is not there.

        A machine that tells no hash is asked for the file itself, once: this may take as long as sending.
        """
        ...

    async def list_folder(self, folder: str) -> tuple[RemoteFile, ...]:
        """The files in a folder, by path; empty when it is not there. Hashes only where the machine tells."""
        ...

    async def start(
        self,
        path: str,
        source: Path | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Make exactly this file, if the machine is ready now; else `busy` or `printer_disconnected`.

        Success means accepted, not started: only an observation shows that. When `certain` is False
        the print may be running.

        `path` is what `send` returned. A machine that `streams` was sent nothing before: it takes the file
        now from `source`, and `path` is not read. Then the call lasts until the machine has taken all, which may
        be as long as the work itself; success means taken, not made; `on_progress(taken, total)` counts
        bytes; cancelling the call cuts the line, and what was taken until then may still be made.
        Raises OSError when `source` cannot be read, and then the machine was not reached.
        """
        ...

    async def pause(self) -> None:
        """Ask for a pause of whatever prints. Accepted is not done. Pausing a paused print is no error."""
        ...

    async def resume(self) -> None:
        """Ask to go on. Accepted is not done."""
        ...

    async def stop(self) -> None:
        """Ask to cancel whatever prints. Accepted is not done."""
        ...

    async def delete(self, path: str) -> None:
        """Remove a file; one that is not there is no error, one being printed is `busy`."""
        ...

    async def close(self) -> None:
        """Let go of everything. The driver cannot be used afterwards. May be called twice."""
        ...
