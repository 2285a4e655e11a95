"""States of a job, orders and attempts, with the named sets that rules speak of."""

from enum import StrEnum


class State(StrEnum):
    DRAFT = "draft"
    NEEDS_CHANGES = "needs_changes"
    SUBMITTED = "submitted"
    QUEUED = "queued"
    SENDING = "sending"
    LOADED = "loaded"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    FINISHED = "finished"
    READY = "ready"
    FAILED = "failed"
    COLLECTED = "collected"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


OPEN = frozenset({State.DRAFT, State.NEEDS_CHANGES, State.SUBMITTED, State.QUEUED})
ON_MACHINE = frozenset({State.SENDING, State.LOADED, State.RUNNING, State.PAUSED, State.STOPPING})
STARTED = frozenset({State.RUNNING, State.PAUSED, State.STOPPING})  # the machine moved, or may have
MADE = frozenset({State.FINISHED, State.READY})
ENDED = frozenset({State.COLLECTED, State.REJECTED, State.CANCELLED})
EDITABLE = frozenset({State.DRAFT, State.NEEDS_CHANGES, State.SUBMITTED, State.QUEUED})


class Verb(StrEnum):
    """What may be asked of a linked machine."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


class OrderState(StrEnum):
    WAITING = "waiting"  # nobody has taken it yet
    TAKEN = "taken"  # being sent: the outcome may be unknown
    DONE = "done"  # the machine accepted it; the job changes when the machine reports
    REFUSED = "refused"  # surely not done
    EXPIRED = "expired"  # never sent
    UNKNOWN = "unknown"  # sent, and no answer told what became of it


UNSETTLED = frozenset({OrderState.WAITING, OrderState.TAKEN})


class Source(StrEnum):
    """Who or what made an event."""

    PERSON = "person"
    MACHINE = "machine"
    DISPATCHER = "dispatcher"
    POLICY = "policy"
    SYSTEM = "system"
