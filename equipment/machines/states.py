"""What people see of a machine, and the plate that stands between two jobs."""

from datetime import timedelta
from enum import StrEnum


class Condition(StrEnum):
    """What a person must know or do. It is derived (``condition_of``), never stored."""

    FREE = "free"
    BUSY = "busy"
    BUSY_ELSEWHERE = "busy_elsewhere"  # prints something that did not come through the queue
    NEEDS_CLEARING = "needs_clearing"
    NEEDS_HELP = "needs_help"
    OUT_OF_ORDER = "out_of_order"
    UNREACHABLE = "unreachable"  # we cannot hear it, or do not understand it: nobody says free or busy


class Plate(StrEnum):
    """What must be empty before the next job. Not clear until a person on site said so (REL-17)."""

    CLEAR = "clear"
    TO_CLEAR = "to_clear"


class Driver(StrEnum):
    """How files and orders reach a machine. What each can do: ``equipment.drivers.base.Capabilities``."""

    HANDOVER = "handover"  # no link: a person carries the file and says what happens
    OCTOPRINT = "octoprint"
    FOLDER = "folder"  # files are laid in a folder that the machine reads
    RAWTCP = "rawtcp"  # HPGL to a cutter's port: what is sent is made at once
    SIMULATED = "simulated"  # in memory, for teaching and demonstrations


# Named sets of drivers; a test holds them against what each driver says it can do.
LINKED = frozenset(
    {Driver.OCTOPRINT, Driver.SIMULATED}
)  # the machine itself reports; else a person at it does
FED = LINKED | {Driver.FOLDER}  # a file is stored there before anything starts
STARTED_BY_LINE = LINKED | {Driver.RAWTCP}  # a start is an order, sent by supervision
STREAMED = STARTED_BY_LINE - FED  # the file goes with the start, and is made as it arrives
WATCHED = FED | STARTED_BY_LINE  # supervision holds a line to these


class Report(StrEnum):
    """What we last understood of the machine's own words; ``equipment.drivers.base.MachineReport`` and silence."""

    READY = "ready"
    STARTING = "starting"
    PRINTING = "printing"
    PAUSING = "pausing"
    PAUSED = "paused"
    RESUMING = "resuming"
    CANCELLING = "cancelling"
    FINISHING = "finishing"
    DISCONNECTED = "disconnected"
    ERROR = "error"
    UNKNOWN = "unknown"
    SILENT = "silent"  # no answer
    NEVER = "never"  # not heard yet


AT_WORK = frozenset(
    {
        Report.STARTING,
        Report.PRINTING,
        Report.PAUSING,
        Report.PAUSED,
        Report.RESUMING,
        Report.CANCELLING,
        Report.FINISHING,
    }
)
USED_AT_MOST = timedelta(hours=12)  # nobody uses a machine for longer; who forgot to say so is gone
STALE_AFTER_S = 15  # older signs of life are shown as such (UX-16)


def condition_of(
    *,
    linked: bool,
    out_of_order: bool,
    plate: Plate,
    needs_plate: bool,
    report: Report,
    stale: bool,
    live_attempt: bool,
    foreign: bool,
    started: bool = False,
    unsure: bool = False,
    needs_help: bool = False,
    in_use: bool = False,
    waits_for_line: bool = False,
) -> Condition:
    """Return what people see. The most important thing a person must do wins; silence is never "free".

    ``live_attempt``: a job lies on the machine or is on its way. ``started``: it moved, or may have. ``unsure``: what
    became of it is not proven, so nobody says free or printing (UX-5). ``needs_help`` and ``in_use`` are a person's
    word (UX-2). ``waits_for_line``: what lies ready can be begun by line alone; otherwise a line that is down says
    nothing of a machine without a link, which people go on using.
    """
    if out_of_order:
        return Condition.OUT_OF_ORDER
    lost = report in {Report.SILENT, Report.NEVER, Report.UNKNOWN, Report.DISCONNECTED, Report.ERROR}
    if unsure or (linked and (stale or lost)) or (waits_for_line and report is Report.SILENT):
        return Condition.UNREACHABLE
    if needs_help:
        return Condition.NEEDS_HELP
    if foreign and report in AT_WORK:
        return Condition.BUSY_ELSEWHERE
    if started or in_use or (linked and report in AT_WORK):
        return Condition.BUSY
    if needs_plate and plate is Plate.TO_CLEAR:
        return Condition.NEEDS_CLEARING
    if live_attempt:
        return Condition.BUSY
    return Condition.FREE
