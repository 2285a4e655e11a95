"""The life of a job as data. ``services.apply`` reads it, the matrix test walks it, ``lifecycle_table`` prints it.

Who may act is said in parts that the caller turns a person into (``Who``); guards are names that ``services``
checks against facts. For a machine with a link, start, pause, resume and stop are *reports*: a person's press writes
an Order instead, and ``ordered_by`` says whose press counts.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from jobs.lifecycle.states import ON_MACHINE, OPEN, State, Verb


class Action(StrEnum):
    SUBMIT = "submit"
    SEND_BACK = "send_back"
    APPROVE = "approve"
    REJECT = "reject"
    VOID = "void"
    CLAIM = "claim"
    RELEASE = "release"
    LOAD = "load"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    ASK_STOP = "ask_stop"
    STOPPED = "stopped"
    FINISH = "finish"
    FAIL = "fail"
    REQUEUE = "requeue"
    SHELVE = "shelve"
    COLLECT = "collect"
    CANCEL = "cancel"


class Who(StrEnum):
    """Parts that may act.

    ``OPERATOR``: who stands at a machine without a link: an instructor or staff member marked present, or, for kinds
    whose guide says so, the trained owner of the object while somebody on duty is in the house.
    """

    OWNER = "owner"
    INSTRUCTOR = "instructor"
    STAFF = "staff"
    OPERATOR = "operator"
    DISPATCHER = "dispatcher"
    MACHINE = "machine"
    POLICY = "policy"
    SYSTEM = "system"


class Guard(StrEnum):
    """What must hold beside state and actor; each failure is a problem with this code."""

    NO_BLOCKING_FINDING = "no_blocking_finding"
    PREPARED = "preparation_not_ended"
    CERTIFIED = "not_certified"
    REASON = "reason_missing"
    SAME_FILE = "file_changed"
    NOT_OWN_JOB = "own_job"
    APPROVAL_VALID = "approval_void"
    SURELY_NOT_STARTED = "may_have_started"
    ATTEMPTS_LEFT = "no_attempts_left"
    IN_SERVICE = "machine_out_of_order_now"
    PLATE_CLEAR = "plate_to_clear"


@dataclass(frozen=True)
class Row:
    """One line of the table: from any of ``frm`` to ``to``, by any of ``who``.

    ``to_unless_started``: where it leads when the machine surely did not start (ask_stop only).
    ``ordered_by`` and ``verb``: whose press asks a linked machine for it.
    """

    action: Action
    frm: frozenset[State]
    to: State
    who: frozenset[Who]
    guards: tuple[Guard, ...] = ()
    to_unless_started: State | None = None
    ordered_by: frozenset[Who] = field(default_factory=frozenset)
    verb: Verb | None = None
    marks_plate: bool = False  # the plate is to be cleared afterwards

    def target(self, *, started: bool) -> State:
        """Return the state this row leads to."""
        return self.to_unless_started if self.to_unless_started and not started else self.to


def _row(action: Action, frm: set[State] | frozenset[State], to: State, who: set[Who], *guards: Guard) -> Row:
    return Row(action, frozenset(frm), to, frozenset(who), guards)


S, A, W, G = State, Action, Who, Guard

TABLE: tuple[Row, ...] = (
    _row(A.SUBMIT, {S.DRAFT, S.NEEDS_CHANGES}, S.SUBMITTED, {W.OWNER},
         G.PREPARED, G.NO_BLOCKING_FINDING, G.CERTIFIED),
    _row(A.SEND_BACK, {S.SUBMITTED}, S.NEEDS_CHANGES, {W.INSTRUCTOR}, G.REASON),
    _row(A.APPROVE, {S.SUBMITTED}, S.QUEUED, {W.INSTRUCTOR, W.POLICY},
         G.NOT_OWN_JOB, G.SAME_FILE, G.PREPARED, G.CERTIFIED),
    _row(A.REJECT, {S.SUBMITTED}, S.REJECTED, {W.INSTRUCTOR}, G.REASON),
    _row(A.VOID, {S.QUEUED}, S.SUBMITTED, {W.OWNER, W.STAFF, W.INSTRUCTOR, W.SYSTEM}),
    _row(A.CLAIM, {S.QUEUED}, S.SENDING, {W.DISPATCHER, W.OPERATOR}, G.APPROVAL_VALID),
    _row(A.RELEASE, {S.SENDING, S.LOADED}, S.QUEUED, {W.DISPATCHER, W.OPERATOR, W.INSTRUCTOR, W.STAFF},
         G.SURELY_NOT_STARTED),
    _row(A.LOAD, {S.SENDING}, S.LOADED, {W.DISPATCHER, W.OPERATOR}),
    Row(A.START, frozenset({S.SENDING, S.LOADED}), S.RUNNING, frozenset({W.MACHINE, W.OPERATOR}),
        (G.IN_SERVICE, G.PLATE_CLEAR, G.APPROVAL_VALID), ordered_by=frozenset({W.INSTRUCTOR, W.STAFF}),
        verb=Verb.START),
    Row(A.PAUSE, frozenset({S.RUNNING}), S.PAUSED, frozenset({W.MACHINE, W.OPERATOR}),
        ordered_by=frozenset({W.OWNER, W.INSTRUCTOR, W.STAFF}), verb=Verb.PAUSE),
    Row(A.RESUME, frozenset({S.PAUSED}), S.RUNNING, frozenset({W.MACHINE, W.OPERATOR}),
        ordered_by=frozenset({W.INSTRUCTOR, W.STAFF}), verb=Verb.RESUME),
    Row(A.ASK_STOP, frozenset({S.SENDING, S.LOADED, S.RUNNING, S.PAUSED}), S.STOPPING,
        frozenset({W.OWNER, W.INSTRUCTOR, W.STAFF}), to_unless_started=S.CANCELLED, verb=Verb.STOP),
    Row(A.STOPPED, frozenset({S.STOPPING, S.RUNNING, S.PAUSED}), S.CANCELLED,
        frozenset({W.MACHINE, W.OPERATOR, W.INSTRUCTOR, W.STAFF}), (G.REASON,), marks_plate=True),
    Row(A.FINISH, frozenset({S.RUNNING, S.PAUSED, S.STOPPING}), S.FINISHED,
        frozenset({W.MACHINE, W.OPERATOR, W.INSTRUCTOR, W.STAFF}), marks_plate=True),
    Row(A.FAIL, ON_MACHINE, S.FAILED, frozenset({W.MACHINE, W.OPERATOR, W.INSTRUCTOR, W.STAFF}), (G.REASON,),
        marks_plate=True),
    _row(A.REQUEUE, {S.FAILED}, S.QUEUED, {W.INSTRUCTOR, W.STAFF}, G.APPROVAL_VALID, G.ATTEMPTS_LEFT),
    _row(A.SHELVE, {S.FINISHED}, S.READY, {W.SYSTEM}),
    _row(A.COLLECT, {S.FINISHED, S.READY}, S.COLLECTED, {W.OWNER, W.STAFF}),
    _row(A.CANCEL, OPEN | {S.FAILED}, S.CANCELLED, {W.OWNER, W.INSTRUCTOR, W.STAFF}),
)  # fmt: skip

ROWS: dict[Action, Row] = {row.action: row for row in TABLE}
MAX_ATTEMPTS = 3
APPROVAL_UNDO_S = 10  # nothing reaches a machine in this time (UX-7)
ORDER_LIFETIME_S = 60
CLOCK_SKEW_S = 30  # an order from further in the future was written before the clock jumped back: it is old
LOADED_LIFETIME_S = 30 * 60  # loaded and not started: released by itself


def row_for(action: Action, state: State) -> Row | None:
    """Return the row by which ``action`` leaves ``state``, or None when the table has none."""
    row = ROWS[action]
    return row if state in row.frm else None


def actions_of(state: State, parts: frozenset[Who], *, linked: bool) -> tuple[Action, ...]:
    """Return what somebody playing ``parts`` may do or ask for in ``state``, in the table's order."""
    return tuple(
        row.action
        for row in TABLE
        if state in row.frm and (parts & row.who or (linked and parts & row.ordered_by))
    )


_ALREADY: dict[Action, frozenset[State]] = {
    Action.START: ON_MACHINE - {State.SENDING, State.LOADED},
    Action.PAUSE: frozenset({State.PAUSED, State.STOPPING}),
    Action.RESUME: frozenset({State.RUNNING, State.STOPPING}),
}


def steps_for(action: Action, state: State) -> tuple[Action, ...]:
    """Return the steps that a machine's report ``action`` means in ``state``: late, double and missed reports.

    An empty tuple: nothing new. A missed start is put before what follows from it.
    """
    if state not in ON_MACHINE or state in _ALREADY.get(action, frozenset()):
        return ()
    if action is Action.RESUME and state in {State.SENDING, State.LOADED}:
        return (Action.START,)
    needs_start = {Action.PAUSE, Action.FINISH, Action.STOPPED}
    if action in needs_start and state in {State.SENDING, State.LOADED}:
        return (Action.START, action)
    return (action,) if row_for(action, state) else ()
