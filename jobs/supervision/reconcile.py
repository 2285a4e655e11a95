"""What a look at a machine means for the job on it. Pure: facts go in, decisions come out, nothing is done here.

The database holds intent, the machine holds fact (REL-1). Silence proves nothing, one idle report in mid-print is no
end, and a start is never sent again unless it has been proven that the first one did not happen. Durations are
monotonic seconds, so that a clock that jumps decides nothing (fault case 20).
"""

from equipment.drivers.base import MachineReport, Observation, PushEvent, RemoteFile
from jobs.lifecycle.states import STARTED, State
from jobs.lifecycle.table import Action
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

UNSURE_AFTER_S = 0.4  # two looks in mid-print without an answer: "On vérifie la machine"
LOST_AFTER_S = 5.0  # without an answer: the machine counts as silent, and a clearing of its plate no more
IDLE_IS_END_S = 20.0  # idle in mid-print without any record of an end: the print is lost
AWAY_IS_END_S = 10.0  # the host says that its printer is gone: so is the print
UNKNOWN_AFTER_S = 15.0
START_SEEN_WITHIN_S = 90.0  # an accepted start that nobody saw happen is looked into
ASK_A_PERSON_AFTER_S = 60.0  # later, when looking did not help
IDLE_LOOKS = 3  # that prove, over some seconds, that a start with an unknown outcome did not happen
IDLE_PROOF_S = 2.0
STOP_SEEN_WITHIN_S = 90.0
LATE_REPORT_S = 30.0  # reports of a print that has just ended change nothing

FIRMWARE = frozenset({"firmware", "emergency"})  # error reasons after which staff look at the machine first


def decide(facts: Facts) -> tuple[Decision, ...]:
    """Return what follows from a look, in the order in which it is to be done. Same facts, same decisions."""
    return (*_about_machine(facts), *_about_attempt(facts))


def is_ours(facts: Facts) -> bool:
    """Say whether the machine is at work on our attempt's file."""
    attempt, seen = facts.attempt, facts.seen
    return (
        attempt is not None
        and seen is not None
        and seen.is_busy
        and bool(attempt.path)
        and seen.path == attempt.path
        and seen.origin in (None, "local")
    )


def is_foreign(facts: Facts) -> bool:
    """Say whether the machine is at work on something that did not come through the queue."""
    seen, attempt = facts.seen, facts.attempt
    if seen is None or not seen.is_busy or is_ours(facts):
        return False
    if seen.path is not None and seen.path == facts.just_ended:
        return False  # a late report of our own print
    if seen.path is None:
        # Nothing is named: while our print should be running it may well be ours.
        return attempt is None or not (attempt.state in STARTED or attempt.start_sent)
    return True


def wants_file(facts: Facts, *, reconnected: bool) -> bool:
    """Say whether what the machine remembers of our file would help to decide."""
    attempt, seen = facts.attempt, facts.seen
    if attempt is None or not attempt.path or seen is None:
        return False
    if reconnected:
        return True
    if not (attempt.state in STARTED or attempt.start_sent):
        return False
    return seen.is_ready or seen.is_away or (seen.is_busy and not is_ours(facts))


def why_not_start(attempt: LiveTry, seen: Observation, file: RemoteFile | None) -> str:
    """Return why a start must not be sent now, or nothing: one mismatch and nothing is sent (REL-3)."""
    if attempt.state is not State.LOADED or not attempt.path:
        return "not_loaded"
    if attempt.start_sent:
        return "already_sent"
    if seen.is_away:
        return "printer_disconnected"
    if seen.is_busy:
        return "busy"
    if not seen.is_ready:
        return "unknown_state"
    if file is None:
        return Why.FILE_MISSING
    if not _same_file(attempt, file):
        return Why.FILE_DIFFERS
    return ""


# --- the machine, whatever is on it ---------------------------------------------------------------------------


def _about_machine(facts: Facts) -> list[Decision]:
    found: list[Decision] = []
    seen = facts.seen
    if (is_foreign(facts) or facts.foreign_begun) and (facts.plate_open or facts.plate_token):
        found.append(MarkPlate(Why.FOREIGN_PRINT))
    elif facts.plate_token and _contact_is_lost(facts):
        found.append(VoidToken(Why.CONTACT_LOST))
    if facts.may_start_again and _contact_is_lost(facts):
        found.append(EndRight(Why.CONTACT_LOST))
    if _halted(facts) and not facts.out_of_order:
        assert seen is not None  # only a look tells of a halt
        found.append(HoldMachine(seen.error or "error"))
    return found


def _contact_is_lost(facts: Facts) -> bool:
    """Nobody can say what happened at the machine meanwhile: who looked at its plate must look again."""
    if facts.seen is None:
        return facts.silent_s >= LOST_AFTER_S
    return facts.seen.is_away or _reports_unknown_long(facts)


def _halted(facts: Facts) -> bool:
    """A heating error or another halt of the firmware, told of for the first time."""
    seen = facts.seen
    return (
        seen is not None
        and seen.report is MachineReport.ERROR
        and (seen.error_reason or "").lower() in FIRMWARE
        and (seen.error or "error") != facts.known_error
    )


def _reports_unknown_long(facts: Facts) -> bool:
    return (
        facts.seen is not None
        and facts.seen.report is MachineReport.UNKNOWN
        and facts.unknown_s >= UNKNOWN_AFTER_S
    )


# --- the attempt ----------------------------------------------------------------------------------------------


def _about_attempt(facts: Facts) -> list[Decision]:
    attempt = facts.attempt
    if attempt is None:
        return []
    if facts.ending is not None:
        return [_told_end(facts, attempt, facts.ending)]
    if facts.seen is None:
        found = _silent(facts, attempt)
    elif is_ours(facts):
        found = _at_work_on_ours(facts, attempt, facts.seen)
    elif facts.seen.is_busy:
        found = _at_work_on_something_else(facts, attempt, facts.seen)
    elif facts.seen.is_ready:
        found = _idle(facts, attempt)
    elif facts.seen.is_away:
        found = _away(facts, attempt)
    else:
        found = [Unsure(Why.UNKNOWN_STATE)] if _reports_unknown_long(facts) and _moved(attempt) else []
        return _news(found, attempt)
    return _news(found, attempt, knows_again=facts.seen is not None)


def _news(found: list[Decision], attempt: LiveTry, *, knows_again: bool = False) -> list[Decision]:
    """Leave out what the database says already; know again when nothing speaks against it."""
    if not found and knows_again and attempt.unsure_why:
        return [Unsure("")]
    return [one for one in found if not (isinstance(one, Unsure) and one.why == attempt.unsure_why)]


def _moved(attempt: LiveTry) -> bool:
    """Whether the machine started, or may have."""
    return attempt.state in STARTED or attempt.start_sent


def _told_end(facts: Facts, attempt: LiveTry, ending: Ending) -> Step:
    by: dict[str, object] = {"by": ending.user} if ending.user else {}
    if ending.event is PushEvent.PRINT_DONE:
        return Step(Action.FINISH)
    if ending.event is PushEvent.PRINT_CANCELLED:
        return Step(Action.STOPPED, _stop_reason(attempt), by)
    told: dict[str, object] = {"error": ending.reason} if ending.reason else {}
    return Step(Action.FAIL, _failure_reason(facts), told)


def _stop_reason(attempt: LiveTry) -> str:
    return Why.STOP_ASKED if attempt.state is State.STOPPING else Why.STOPPED_THERE


def _failure_reason(facts: Facts) -> str:
    seen = facts.seen
    if seen is None:
        return Why.CONNECTION
    if seen.report is MachineReport.ERROR and (seen.error_reason or "").lower() in FIRMWARE:
        return Why.MACHINE_ERROR
    return Why.CONNECTION if seen.is_away else Why.FAILED_THERE


def _ran(attempt: LiveTry, file: RemoteFile | None) -> bool:
    """Whether the machine's own counts prove that our print took place and ended."""
    return file is not None and file.prints_success + file.prints_failure > attempt.runs


def _inferred_end(attempt: LiveTry, file: RemoteFile) -> Step:
    """The end that nobody told us of, from what the machine remembers of the file."""
    if file.last_print_success:
        return Step(Action.FINISH, details={"inferred": True})
    if file.last_print_success is None:
        return Step(Action.FAIL, Why.LOST, {"inferred": True})
    # A machine that failed would be away: one that is free again was asked to cancel.
    return Step(Action.STOPPED, _stop_reason(attempt), {"inferred": True})


def _same_file(attempt: LiveTry, file: RemoteFile) -> bool:
    return (
        file.path == attempt.path
        and file.sha1 is not None
        and file.sha1 == attempt.sha1
        and (attempt.size is None or file.size == attempt.size)
    )


def _silent(facts: Facts, attempt: LiveTry) -> list[Decision]:
    if _moved(attempt) and facts.silent_s >= UNSURE_AFTER_S:
        return [Unsure(Why.SILENT)]
    return []


def _at_work_on_ours(facts: Facts, attempt: LiveTry, seen: Observation) -> list[Decision]:
    if attempt.state in STARTED and facts.file is not None and _ran(attempt, facts.file):
        return [_inferred_end(attempt, facts.file)]  # ours is over; somebody prints it once more
    found: list[Decision] = []
    if attempt.state not in STARTED:
        asked = attempt.start_sent or facts.start is not StartAsked.NOT
        found.append(Step(Action.START, details={"asked": asked, **({"by": seen.user} if seen.user else {})}))
    if seen.is_paused and attempt.state not in (State.PAUSED, State.STOPPING):
        found.append(Step(Action.PAUSE))
    if seen.report is MachineReport.PRINTING and attempt.state is State.PAUSED:
        found.append(Step(Action.RESUME))
    if (
        attempt.state is State.STOPPING
        and seen.report in (MachineReport.PRINTING, MachineReport.PAUSED)
        and facts.since_stop_s >= STOP_SEEN_WITHIN_S
    ):
        found.append(Unsure(Why.STOP_UNPROVEN))
    elif attempt.unsure_why:
        found.append(Unsure(""))
    return found


def _at_work_on_something_else(facts: Facts, attempt: LiveTry, seen: Observation) -> list[Decision]:
    if seen.path is None and _moved(attempt):
        return [Unsure(Why.PRINTS_UNKNOWN)]
    if attempt.state in STARTED:
        if not facts.file_asked:
            return [Unsure(Why.WRONG_FILE)]
        if facts.file is not None and _ran(attempt, facts.file):
            return [_inferred_end(attempt, facts.file)]
        return [Step(Action.FAIL, Why.LOST, {"inferred": True})]
    if not attempt.start_sent:
        return []  # the queue waits
    if facts.file is not None and _ran(attempt, facts.file):
        return [_inferred_end(attempt, facts.file)]  # ours was short, the other came after it
    if facts.start is StartAsked.ACCEPTED and facts.file_asked and not facts.stop_sent_for_wrong_file:
        return [StopWrongFile(), Unsure(Why.WRONG_FILE)]
    return [Unsure(Why.WRONG_FILE)]


def _idle(facts: Facts, attempt: LiveTry) -> list[Decision]:
    if _moved(attempt) and facts.file is not None and _ran(attempt, facts.file):
        return [_inferred_end(attempt, facts.file)]
    if attempt.state in STARTED:
        if facts.idle_s < IDLE_IS_END_S or not facts.file_asked:
            return [Unsure(Why.IDLE)]
        if attempt.state is State.STOPPING:
            return [Step(Action.STOPPED, Why.STOP_ASKED, {"inferred": True})]
        return [Step(Action.FAIL, Why.LOST, {"inferred": True})]
    if attempt.start_sent:
        return _idle_after_start(facts, attempt)
    if attempt.state is State.LOADED and facts.file_asked:
        if facts.file is not None and _ran(attempt, facts.file):
            return [_inferred_end(attempt, facts.file)]  # somebody started it there, and it has ended
        if facts.file is None:
            return [GiveBack(Why.FILE_MISSING)]
        if not _same_file(attempt, facts.file):
            return [GiveBack(Why.FILE_DIFFERS)]
    return []


def _idle_after_start(facts: Facts, attempt: LiveTry) -> list[Decision]:
    proven = facts.file is not None and facts.file_asked and not _ran(attempt, facts.file)
    if facts.start is StartAsked.IN_FLIGHT:
        return []
    if facts.start is StartAsked.UNKNOWN:
        if facts.idle_looks >= IDLE_LOOKS and facts.idle_s >= IDLE_PROOF_S and proven:
            return [StartAgain()] if facts.may_start_again else [NotStarted()]
        late = facts.since_start_s >= ASK_A_PERSON_AFTER_S
    else:
        if facts.since_start_s >= START_SEEN_WITHIN_S and proven and facts.idle_looks >= IDLE_LOOKS:
            return [NotStarted()]
        late = facts.since_start_s >= START_SEEN_WITHIN_S + ASK_A_PERSON_AFTER_S
    return [Unsure(Why.START_UNPROVEN)] if late or attempt.unsure_why else []


def _away(facts: Facts, attempt: LiveTry) -> list[Decision]:
    if not _moved(attempt):
        return []
    if attempt.state in STARTED and _halted(facts):
        return [Step(Action.FAIL, Why.MACHINE_ERROR, _told(facts))]
    if facts.file is not None and _ran(attempt, facts.file):
        if facts.file.last_print_success:
            return [Step(Action.FINISH, details={"inferred": True})]
        return [Step(Action.FAIL, _failure_reason(facts), {**_told(facts), "inferred": True})]
    if attempt.state in STARTED:
        if facts.away_s >= AWAY_IS_END_S:
            return [Step(Action.FAIL, _failure_reason(facts), _told(facts))]
        return [Unsure(Why.DISCONNECTED)]
    if facts.start is StartAsked.IN_FLIGHT:
        return []
    if facts.since_start_s >= START_SEEN_WITHIN_S and facts.file is not None:
        return [NotStarted()]
    return [Unsure(Why.DISCONNECTED)]


def _told(facts: Facts) -> dict[str, object]:
    return {"error": facts.seen.error} if facts.seen is not None and facts.seen.error else {}
