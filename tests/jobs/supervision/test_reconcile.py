"""What a look at a machine means: the fault cases of REQUIREMENTS 5.2 as a table, and what holds in every case."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipment.drivers.base import MachineReport, Observation, PushEvent, RemoteFile
from jobs.lifecycle.states import STARTED, State
from jobs.lifecycle.table import ROWS, Action, steps_for
from jobs.supervision.facts import (
    Decision,
    Ending,
    EndRight,
    Facts,
    GiveBack,
    HoldMachine,
    LiveTry,
    MarkPlate,
    NotStarted,
    StartAgain,
    StartAsked,
    Step,
    StopWrongFile,
    Unsure,
    VoidToken,
    Why,
)
from jobs.supervision.reconcile import decide, is_foreign, wants_file, why_not_start
from tests.jobs.supervision.situations import (
    ACCEPTED,
    AWAY,
    CANCELLED,
    DONE,
    FAILED,
    FOREIGN,
    HALTED,
    OURS,
    PAUSED,
    PRINTING,
    READY,
    READY_OURS_SELECTED,
    THEIRS,
    UNKNOWN,
    a_try,
    facts,
    remote,
    seen,
)

LOADED = a_try(State.LOADED)
START_SENT = a_try(State.LOADED, start_sent=True)
RUNNING = a_try(State.RUNNING)
STOPPING = a_try(State.STOPPING)
NOTHING: tuple[Decision, ...] = ()

SCENARIOS: list[tuple[str, Facts, tuple[Decision, ...]]] = [
    ("a print is under way", facts(RUNNING, PRINTING), NOTHING),
    (
        "a print begins after our start",
        facts(START_SENT, PRINTING, start=ACCEPTED),
        (Step(Action.START, details={"asked": True}),),
    ),
    (
        "somebody starts our file in the machine's own pages",
        facts(LOADED, PRINTING),
        (Step(Action.START, details={"asked": False}),),
    ),
    (
        "our file is paused before we heard of its start",
        facts(START_SENT, PAUSED),
        (Step(Action.START, details={"asked": True}), Step(Action.PAUSE)),
    ),
    ("a pause is reported", facts(RUNNING, PAUSED), (Step(Action.PAUSE),)),
    ("pausing is not paused", facts(RUNNING, seen(MachineReport.PAUSING, OURS)), NOTHING),
    ("a resume is reported", facts(a_try(State.PAUSED), PRINTING), (Step(Action.RESUME),)),
    ("a paused print of a job that stops is no pause", facts(STOPPING, PAUSED), NOTHING),
    (
        "a stop that nothing follows is told to a person",
        facts(STOPPING, PRINTING, since_stop_s=91),
        (Unsure(Why.STOP_UNPROVEN),),
    ),
    (
        "a cancel that takes its time is still under way",
        facts(STOPPING, seen(MachineReport.CANCELLING, OURS), since_stop_s=300),
        NOTHING,
    ),
    ("the end is told", facts(RUNNING, PRINTING, ending=DONE), (Step(Action.FINISH),)),
    (
        "a finish wins over a stop that came too late",
        facts(STOPPING, PRINTING, ending=DONE),
        (Step(Action.FINISH),),
    ),
    # 1
    ("case 1: the printer is gone", facts(RUNNING, AWAY), (Unsure(Why.DISCONNECTED),)),
    ("case 1: that is known already", facts(a_try(unsure_why=Why.DISCONNECTED), AWAY, away_s=9), NOTHING),
    (
        "case 1: then the failure is told",
        facts(RUNNING, AWAY, ending=FAILED),
        (Step(Action.FAIL, Why.CONNECTION, {"error": "SerialTimeoutException: "}),),
    ),
    (
        "case 1: or the count grew",
        facts(RUNNING, AWAY, file=remote(0, 1, last=False)),
        (Step(Action.FAIL, Why.CONNECTION, {"inferred": True}),),
    ),
    ("case 1: or it stays away", facts(RUNNING, AWAY, away_s=10), (Step(Action.FAIL, Why.CONNECTION),)),
    (
        "case 1: a print that ended before the printer went is finished",
        facts(RUNNING, AWAY, file=remote(1, last=True)),
        (Step(Action.FINISH, details={"inferred": True}),),
    ),
    # 2
    ("case 2: no answer for a moment is nothing", facts(RUNNING, None, silent_s=0), NOTHING),
    ("case 2: no answer for longer", facts(RUNNING, None, silent_s=0.5), (Unsure(Why.SILENT),)),
    ("case 2: back and idle, nobody remembers", facts(RUNNING, READY, file=remote()), (Unsure(Why.IDLE),)),
    (
        "case 2: for twenty seconds",
        facts(RUNNING, READY, file=remote(), idle_s=20),
        (Step(Action.FAIL, Why.LOST, {"inferred": True}),),
    ),
    (
        "case 2: back, the file is gone, for twenty seconds",
        facts(RUNNING, READY, file=None, idle_s=20),
        (Step(Action.FAIL, Why.LOST, {"inferred": True}),),
    ),
    (
        "case 2: nobody could ask for the file: a person decides",
        facts(RUNNING, READY, idle_s=500),
        (Unsure(Why.IDLE),),
    ),
    (
        "case 2: the machine prints on without saying what",
        facts(RUNNING, seen(MachineReport.PRINTING)),
        (Unsure(Why.PRINTS_UNKNOWN),),
    ),
    (
        "case 2: back, and it has ended meanwhile",
        facts(RUNNING, READY, file=remote(1, last=True)),
        (Step(Action.FINISH, details={"inferred": True}),),
    ),
    (
        "case 2: a job that was being stopped is stopped",
        facts(STOPPING, READY, file=remote(), idle_s=20),
        (Step(Action.STOPPED, Why.STOP_ASKED, {"inferred": True}),),
    ),
    ("case 2: contact is back and it prints", facts(a_try(unsure_why=Why.SILENT), PRINTING), (Unsure(""),)),
    # 3, 4
    ("case 3: loaded, and the machine has the file", facts(LOADED, READY, file=remote()), NOTHING),
    ("case 3: loaded, and the file is gone", facts(LOADED, READY, file=None), (GiveBack(Why.FILE_MISSING),)),
    (
        "case 3: loaded, and it is another file",
        facts(LOADED, READY, file=remote(sha1="1" * 40)),
        (GiveBack(Why.FILE_DIFFERS),),
    ),
    (
        "case 4: killed after the start, and it prints",
        facts(START_SENT, PRINTING, start=UNKNOWN),
        (Step(Action.START, details={"asked": True}),),
    ),
    (
        "case 4: killed after the start, and it has ended",
        facts(START_SENT, READY, start=UNKNOWN, file=remote(1, last=True)),
        (Step(Action.FINISH, details={"inferred": True}),),
    ),
    # 5, 6
    (
        "case 5: the answer was lost, it prints",
        facts(START_SENT, PRINTING, start=UNKNOWN),
        (Step(Action.START, details={"asked": True}),),
    ),
    (
        "case 6: idle once proves nothing",
        facts(START_SENT, READY, start=UNKNOWN, file=remote(), idle_looks=1, may_start_again=True),
        NOTHING,
    ),
    (
        "rel 17: silent for five seconds since the start, it is not sent once more",
        facts(START_SENT, None, start=UNKNOWN, silent_s=5, may_start_again=True),
        (EndRight(Why.CONTACT_LOST), Unsure(Why.SILENT)),
    ),
    (
        "rel 17: silent for a moment since the start, its order still holds",
        facts(START_SENT, None, start=UNKNOWN, silent_s=4.9, may_start_again=True),
        (Unsure(Why.SILENT),),
    ),
    (
        "rel 17: the printer was away since the start, it is not sent once more",
        facts(START_SENT, AWAY, start=UNKNOWN, may_start_again=True),
        (EndRight(Why.CONTACT_LOST), Unsure(Why.DISCONNECTED)),
    ),
    (
        "case 6: idle three times, the order holds",
        facts(START_SENT, READY, start=UNKNOWN, file=remote(), idle_looks=3, idle_s=2, may_start_again=True),
        (StartAgain(),),
    ),
    (
        "case 6: idle three times, the order does not hold",
        facts(START_SENT, READY, start=UNKNOWN, file=remote(), idle_looks=3, idle_s=2),
        (NotStarted(),),
    ),
    (
        "case 6: the file could not be asked for",
        facts(START_SENT, READY, start=UNKNOWN, idle_looks=9, since_start_s=59, may_start_again=True),
        NOTHING,
    ),
    (
        "case 6: for a minute: a person is asked",
        facts(START_SENT, READY, start=UNKNOWN, idle_looks=9, since_start_s=60, may_start_again=True),
        (Unsure(Why.START_UNPROVEN),),
    ),
    (
        "a start on its way is waited for",
        facts(START_SENT, READY, start=StartAsked.IN_FLIGHT, file=remote(), idle_looks=9),
        NOTHING,
    ),
    # 9
    (
        "case 9: idle for two seconds",
        facts(RUNNING, READY_OURS_SELECTED, file=remote(), idle_s=2),
        (Unsure(Why.IDLE),),
    ),
    ("case 9: and printing again", facts(a_try(unsure_why=Why.IDLE), PRINTING), (Unsure(""),)),
    # 22
    (
        "case 22: cancelled there",
        facts(RUNNING, READY, ending=CANCELLED),
        (Step(Action.STOPPED, Why.STOPPED_THERE, {"by": "lab"}),),
    ),
    (
        "case 22: cancelled by our stop",
        facts(STOPPING, READY, ending=CANCELLED),
        (Step(Action.STOPPED, Why.STOP_ASKED, {"by": "lab"}),),
    ),
    (
        "case 22: cancelled while nobody listened",
        facts(RUNNING, READY, file=remote(0, 1, last=False)),
        (Step(Action.STOPPED, Why.STOPPED_THERE, {"inferred": True}),),
    ),
    # 23
    (
        "case 23: a foreign print, the plate counts as clear",
        facts(None, FOREIGN, plate_open=True),
        (MarkPlate(Why.FOREIGN_PRINT),),
    ),
    ("case 23: a foreign print, the plate is to clear anyway", facts(None, FOREIGN), NOTHING),
    (
        "case 23: with a job loaded",
        facts(LOADED, FOREIGN, plate_open=True, plate_token=True),
        (MarkPlate(Why.FOREIGN_PRINT),),
    ),
    (
        "case 23: it came and went between two looks",
        facts(LOADED, READY, foreign_begun=True, plate_open=True),
        (MarkPlate(Why.FOREIGN_PRINT),),
    ),
    ("case 23: its end releases nothing", facts(LOADED, READY), NOTHING),
    (
        "a late report of our own end is no foreign print",
        facts(None, PRINTING, just_ended=OURS, plate_open=True),
        NOTHING,
    ),
    (
        "our ended file printed once more is foreign",
        facts(None, PRINTING, plate_open=True),
        (MarkPlate(Why.FOREIGN_PRINT),),
    ),
    (
        "our file on the card is not ours",
        facts(LOADED, replace(PRINTING, origin="sdcard"), plate_open=True),
        (MarkPlate(Why.FOREIGN_PRINT),),
    ),
    (
        "ours ended unseen, another runs",
        facts(RUNNING, FOREIGN, file=remote(1, last=True)),
        (Step(Action.FINISH, details={"inferred": True}),),
    ),
    (
        "ours was lost, another runs",
        facts(RUNNING, FOREIGN, file=remote()),
        (Step(Action.FAIL, Why.LOST, {"inferred": True}),),
    ),
    (
        "ours ended unseen and is printed once more",
        facts(RUNNING, PRINTING, file=remote(1, last=True)),
        (Step(Action.FINISH, details={"inferred": True}),),
    ),
    # 25
    (
        "case 25: after our start another file prints",
        facts(START_SENT, FOREIGN, start=ACCEPTED, file=remote()),
        (StopWrongFile(), Unsure(Why.WRONG_FILE)),
    ),
    (
        "case 25: it is asked to stop once",
        facts(START_SENT, FOREIGN, start=ACCEPTED, file=remote(), stop_sent_for_wrong_file=True),
        (Unsure(Why.WRONG_FILE),),
    ),
    (
        "case 25: a start nobody knows of stops nobody's print",
        facts(START_SENT, FOREIGN, start=UNKNOWN, file=remote()),
        (Unsure(Why.WRONG_FILE),),
    ),
    # 26
    (
        "case 26: accepted and idle for a while",
        facts(START_SENT, READY, start=ACCEPTED, file=remote(), since_start_s=89, idle_looks=9),
        NOTHING,
    ),
    (
        "case 26: accepted and proven idle",
        facts(START_SENT, READY, start=ACCEPTED, file=remote(), since_start_s=90, idle_looks=9),
        (NotStarted(),),
    ),
    (
        "case 26: accepted, and nobody can tell",
        facts(START_SENT, READY, start=ACCEPTED, since_start_s=150),
        (Unsure(Why.START_UNPROVEN),),
    ),
    (
        "case 26: the printer is not connected",
        facts(START_SENT, AWAY, start=ACCEPTED, since_start_s=90, file=remote()),
        (NotStarted(),),
    ),
    # 27
    (
        "case 27: a pause of any length is no failure",
        facts(a_try(State.PAUSED), PAUSED, since_start_s=1e6),
        NOTHING,
    ),
    # 28
    (
        "case 28: the firmware halts in mid-print",
        facts(RUNNING, HALTED),
        (
            HoldMachine("MAXTEMP triggered, system stopped!"),
            Step(Action.FAIL, Why.MACHINE_ERROR, {"error": "MAXTEMP triggered, system stopped!"}),
        ),
    ),
    (
        "case 28: the failure is told as well",
        facts(RUNNING, HALTED, ending=FAILED),
        (
            HoldMachine("MAXTEMP triggered, system stopped!"),
            Step(Action.FAIL, Why.MACHINE_ERROR, {"error": "SerialTimeoutException: "}),
        ),
    ),
    (
        "case 28: it halts while idle",
        facts(None, HALTED, plate_token=True),
        (VoidToken(Why.CONTACT_LOST), HoldMachine("MAXTEMP triggered, system stopped!")),
    ),
    (
        "case 28: staff have looked, the old error stays on its screen",
        facts(None, HALTED, known_error="MAXTEMP triggered, system stopped!"),
        NOTHING,
    ),
    # the plate and the right to start
    (
        "contact is lost: the clearing does not count any more",
        facts(LOADED, None, silent_s=6, plate_token=True),
        (VoidToken(Why.CONTACT_LOST),),
    ),
    (
        "one missed answer leaves the clearing alone",
        facts(LOADED, None, silent_s=1, plate_token=True),
        NOTHING,
    ),
    # unknown states
    (
        "a state we do not know is neither busy nor free",
        facts(RUNNING, seen(MachineReport.UNKNOWN), unknown_s=3),
        NOTHING,
    ),
    (
        "a state we do not know, for long",
        facts(RUNNING, seen(MachineReport.UNKNOWN), unknown_s=15),
        (Unsure(Why.UNKNOWN_STATE),),
    ),
]


@pytest.mark.parametrize(("situation", "known", "expected"), SCENARIOS, ids=[row[0] for row in SCENARIOS])
def test_what_a_look_means(situation: str, known: Facts, expected: tuple[Decision, ...]) -> None:
    assert decide(known) == expected


MISMATCHES = [
    ("already sent", START_SENT, READY, remote(), "already_sent"),
    ("not loaded", a_try(State.SENDING), READY, remote(), "not_loaded"),
    ("another print", LOADED, FOREIGN, remote(), "busy"),
    ("our file prints already", LOADED, PRINTING, remote(), "busy"),
    ("no printer", LOADED, AWAY, remote(), "printer_disconnected"),
    ("a state nobody knows", LOADED, seen(MachineReport.UNKNOWN), remote(), "unknown_state"),
    ("no file", LOADED, READY, None, "file_missing"),
    ("another path", LOADED, READY, remote(path=THEIRS), "file_differs"),
    ("another size", LOADED, READY, remote(size=99), "file_differs"),
    ("another hash", LOADED, READY, remote(sha1="1" * 40), "file_differs"),
    ("no hash", LOADED, READY, remote(sha1=None), "file_differs"),
]


@pytest.mark.parametrize(
    ("what", "attempt", "look", "file", "why"), MISMATCHES, ids=[m[0] for m in MISMATCHES]
)
def test_case_25_one_mismatch_alone_and_no_start_is_sent(
    what: str, attempt: LiveTry, look: Observation, file: RemoteFile | None, why: str
) -> None:
    assert why_not_start(attempt, look, file) == why


def test_a_start_is_sent_when_everything_fits() -> None:
    assert why_not_start(LOADED, READY, remote()) == ""


# --- what holds in every case -----------------------------------------------------------------------------------

paths = st.sampled_from([None, OURS, THEIRS])
looks = st.none() | st.builds(
    seen,
    st.sampled_from(list(MachineReport)),
    paths,
    error=st.sampled_from([None, "halted"]),
    error_reason=st.sampled_from([None, "firmware", "timeout"]),
)
durations = st.floats(0, 400, allow_nan=False)
tries = st.none() | st.builds(
    LiveTry,
    state=st.sampled_from(list(STARTED | {State.SENDING, State.LOADED})),
    path=st.sampled_from(["", OURS]),
    sha1=st.just("0" * 40),
    size=st.just(100),
    runs=st.integers(0, 2),
    start_sent=st.booleans(),
    unsure_why=st.sampled_from(["", *list(Why)]),
)
files = st.none() | st.builds(
    remote, st.integers(0, 3), st.integers(0, 3), last=st.sampled_from([None, True, False])
)
everything = st.builds(
    Facts,
    attempt=tries,
    seen=looks,
    ending=st.none() | st.builds(Ending, st.sampled_from([PushEvent.PRINT_DONE, PushEvent.PRINT_FAILED])),
    file=files,
    file_asked=st.booleans(),
    start=st.sampled_from(list(StartAsked)),
    since_start_s=durations,
    since_stop_s=durations,
    silent_s=durations,
    idle_s=durations,
    idle_looks=st.integers(0, 5),
    away_s=durations,
    unknown_s=durations,
    may_start_again=st.booleans(),
    stop_sent_for_wrong_file=st.booleans(),
    just_ended=st.sampled_from(["", OURS]),
    foreign_begun=st.booleans(),
    plate_open=st.booleans(),
    plate_token=st.booleans(),
    known_error=st.sampled_from(["", "halted"]),
    out_of_order=st.booleans(),
)
ENDS = {Action.FINISH, Action.FAIL, Action.STOPPED}


def steps(decisions: tuple[Decision, ...]) -> list[Step]:
    return [one for one in decisions if isinstance(one, Step)]


@given(everything)
def test_silence_never_ends_or_starts_anything(known: Facts) -> None:
    quiet = decide(replace(known, seen=None, ending=None))
    assert steps(quiet) == []
    assert not any(isinstance(one, StartAgain | NotStarted | StopWrongFile | GiveBack) for one in quiet)


@given(everything)
def test_a_second_start_needs_an_unknown_first_one_three_idle_looks_and_an_order_that_holds(
    known: Facts,
) -> None:
    if any(isinstance(one, StartAgain) for one in decide(known)):
        assert known.start is StartAsked.UNKNOWN
        assert known.idle_looks >= 3
        assert known.may_start_again
        assert known.seen is not None and known.seen.is_ready
        assert known.file is not None and known.file_asked


@given(everything)
def test_not_started_is_said_only_with_the_machines_own_count_as_proof(known: Facts) -> None:
    if any(isinstance(one, NotStarted) for one in decide(known)):
        assert known.attempt is not None and known.attempt.state not in STARTED
        assert known.file is not None
        assert known.file.prints_success + known.file.prints_failure <= known.attempt.runs


@given(everything)
def test_an_idle_report_ends_a_print_only_after_twenty_seconds_or_with_a_proof(known: Facts) -> None:
    idle = replace(known, seen=READY, ending=None)
    if idle.attempt is None or not any(step.action in ENDS for step in steps(decide(idle))):
        return
    grown = idle.file is not None and (
        idle.file.prints_success + idle.file.prints_failure > idle.attempt.runs
    )
    assert grown or (idle.idle_s >= 20 and idle.file_asked)


@given(everything)
def test_at_most_one_end_is_said_at_once_and_nothing_after_it(known: Facts) -> None:
    actions = [step.action for step in steps(decide(known))]
    assert sum(action in ENDS for action in actions) <= 1
    if any(action in ENDS for action in actions):
        assert actions[-1] in ENDS


@given(everything)
def test_every_step_is_a_move_that_the_job_table_knows_or_that_changes_nothing(known: Facts) -> None:
    if known.attempt is None:
        assert steps(decide(known)) == []
        return
    state = known.attempt.state
    for step in steps(decide(known)):
        for action in steps_for(step.action, state):
            state = ROWS[action].target(started=True)
        if step.action in (Action.FAIL, Action.STOPPED):
            assert step.reason


@given(everything)
def test_running_is_said_only_when_our_own_file_is_at_work(known: Facts) -> None:
    if any(step.action is Action.START for step in steps(decide(known))):
        assert known.seen is not None and known.seen.is_busy
        assert known.attempt is not None and known.seen.path == known.attempt.path
        assert not is_foreign(known)


@given(everything)
def test_a_foreign_print_never_leaves_a_plate_that_counts_as_clear(known: Facts) -> None:
    if is_foreign(known) and (known.plate_open or known.plate_token):
        assert any(isinstance(one, MarkPlate) for one in decide(known))


@given(everything)
def test_nobody_else_is_stopped_unless_our_start_was_accepted(known: Facts) -> None:
    if any(isinstance(one, StopWrongFile) for one in decide(known)):
        assert known.start is StartAsked.ACCEPTED
        assert known.seen is not None and known.seen.path is not None
        assert known.attempt is not None and known.seen.path != known.attempt.path
        assert not known.stop_sent_for_wrong_file


@given(everything)
def test_the_same_facts_always_lead_to_the_same_decisions(known: Facts) -> None:
    assert decide(known) == decide(known)


@given(everything)
def test_what_the_database_knows_already_is_not_said_again(known: Facts) -> None:
    if known.attempt is not None:
        assert Unsure(known.attempt.unsure_why) not in decide(known)


@given(everything, st.booleans())
def test_a_machine_out_of_order_is_not_put_out_of_order_again(known: Facts, reconnected: bool) -> None:
    if any(isinstance(one, HoldMachine) for one in decide(known)):
        assert not known.out_of_order
    wants_file(known, reconnected=reconnected)
