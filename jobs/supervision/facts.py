"""The words in which supervision thinks: what is known of a machine, and what may be decided. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum

from equipment.drivers.base import Observation, PushEvent, RemoteFile
from jobs.lifecycle.states import State
from jobs.lifecycle.table import Action


class Why(StrEnum):
    """Codes kept with attempts, jobs, orders and plates. Sentences: the words of this room and of ``lifecycle``."""

    # nobody knows what becomes of the print
    SILENT = "silent"
    DISCONNECTED = "disconnected"
    IDLE = "idle_unexplained"
    UNKNOWN_STATE = "unknown_state"
    START_UNPROVEN = "start_unproven"
    STOP_UNPROVEN = "stop_unproven"
    WRONG_FILE = "wrong_file"
    PRINTS_UNKNOWN = "prints_unknown"
    LINE_BROKEN = "line_broken"
    # how it ended
    LOST = "lost"
    CONNECTION = "connection"
    MACHINE_ERROR = "firmware"
    FAILED_THERE = "printer_error"
    STOPPED_THERE = "cancelled_at_machine"
    STOP_ASKED = "asked"
    # why a loaded file goes back
    FILE_MISSING = "file_missing"
    FILE_DIFFERS = "file_differs"
    # what becomes of the plate
    FOREIGN_PRINT = "foreign_print"
    CONTACT_LOST = "contact_lost"
    # three starts, and none of them happened
    NEVER_STARTED = "never_started"


class StartAsked(StrEnum):
    """What we know of the start that we sent for this attempt."""

    NOT = "not"
    IN_FLIGHT = "in_flight"  # no answer yet
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"  # no answer ever came


@dataclass(frozen=True, slots=True)
class LiveTry:
    """The attempt on this machine, as the database has it.

    ``runs``: how often the machine had printed the file before our start.
    """

    state: State
    path: str
    sha1: str = ""
    size: int | None = None
    runs: int = 0
    start_sent: bool = False
    unsure_why: str = ""


@dataclass(frozen=True, slots=True)
class Ending:
    """An end that the machine told of, once for each attempt."""

    event: PushEvent
    reason: str | None = None
    user: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a decision rests on. Fields in seconds count from when it became so, 0 when it is not so."""

    attempt: LiveTry | None
    seen: Observation | None  # None: no answer
    ending: Ending | None = None
    file: RemoteFile | None = None
    file_asked: bool = (
        False  # the machine was asked for our file; ``file`` None then means that it is not there
    )
    start: StartAsked = StartAsked.NOT
    since_start_s: float = 0.0
    since_stop_s: float = 0.0
    silent_s: float = 0.0
    idle_s: float = 0.0
    idle_looks: int = 0
    away_s: float = 0.0
    unknown_s: float = 0.0
    may_start_again: bool = False  # order not expired, plate still clear, not done before
    stop_sent_for_wrong_file: bool = False
    just_ended: str = ""  # path of the print that ended in the last half minute
    foreign_begun: bool = False  # a start of a file that is not ours was heard of since the last look
    plate_open: bool = False  # the plate counts as clear
    plate_token: bool = False  # and a start may rest on that
    known_error: str = ""  # the machine's error that was dealt with before
    out_of_order: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A move of the job table, reported by the machine."""

    action: Action
    reason: str = ""
    details: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unsure:
    """Nobody knows; with an empty ``why`` we know again."""

    why: str


@dataclass(frozen=True, slots=True)
class NotStarted:
    """The start we sent is proven not to have happened: the file is loaded as before, a person is asked again."""


@dataclass(frozen=True, slots=True)
class StartAgain:
    """The start never reached the machine, and its order still holds: one new start."""


@dataclass(frozen=True, slots=True)
class StopWrongFile:
    """After our accepted start another file prints: ask the machine to stop, tell a person."""


@dataclass(frozen=True, slots=True)
class GiveBack:
    """The loaded file is not what we sent: back to the queue."""

    why: str


@dataclass(frozen=True, slots=True)
class MarkPlate:
    """Something is on the plate that we did not start."""

    why: str


@dataclass(frozen=True, slots=True)
class VoidToken:
    """A clearing from before does not count any more for a start."""

    why: str


@dataclass(frozen=True, slots=True)
class EndRight:
    """Contact was lost since our start: should that prove not to have happened, it is not sent once more (REL-17)."""

    why: str


@dataclass(frozen=True, slots=True)
class HoldMachine:
    """Out of order until staff have looked."""

    error: str


Decision = (
    Step
    | Unsure
    | NotStarted
    | StartAgain
    | StopWrongFile
    | GiveBack
    | MarkPlate
    | VoidToken
    | EndRight
    | HoldMachine
)
