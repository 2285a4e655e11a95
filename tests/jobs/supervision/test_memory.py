"""What is remembered between two looks at a machine."""

from equipment.drivers.base import MachineReport, Push, PushEvent, PushKind
from jobs.lifecycle.states import State
from jobs.lifecycle.table import Action
from jobs.supervision.facts import Facts, MarkPlate, StartAsked, Step, Unsure, Why
from jobs.supervision.memory import KeptMachine, Memory
from jobs.supervision.reconcile import decide
from tests.jobs.supervision.situations import HALTED, OURS, PRINTING, READY, THEIRS, a_try, remote, seen

CLEAR = KeptMachine(plate_open=True, plate_token=True, out_of_order=False)


def event(
    kind: PushEvent, path: str | None = OURS, reason: str | None = None, user: str | None = None
) -> Push:
    return Push(PushKind.EVENT, event=kind, path=path, reason=reason, user=user)


def a_memory(*, start_sent: bool = True) -> Memory:
    memory = Memory()
    memory.follow("abc", OURS, 0.0, stopping=False, start_sent=start_sent)
    return memory


def facts_of(memory: Memory, now: float, state: State = State.RUNNING, *, order_holds: bool = False) -> Facts:
    return memory.facts(a_try(state, start_sent=True), CLEAR, now, order_holds=order_holds)


def test_case_9_an_idle_spell_is_counted_from_its_beginning_and_ended_by_a_busy_look() -> None:
    memory = a_memory()
    memory.look(PRINTING, 0.0)
    memory.look(READY, 1.0)
    memory.look(READY, 3.0)
    assert (facts_of(memory, 3.0).idle_s, facts_of(memory, 3.0).idle_looks) == (2.0, 2)
    memory.look(PRINTING, 4.0)
    memory.look(READY, 24.0)
    assert (facts_of(memory, 24.0).idle_s, facts_of(memory, 24.0).idle_looks) == (0.0, 1)


def test_case_22_a_cancel_is_counted_once_although_two_events_come() -> None:
    memory = a_memory()
    memory.event(event(PushEvent.PRINT_CANCELLED, user="lab"), 1.0)
    memory.event(event(PushEvent.PRINT_FAILED, reason="cancelled"), 1.1)
    assert decide(facts_of(memory, 2.0)) == (Step(Action.STOPPED, Why.STOPPED_THERE, {"by": "lab"}),)


def test_an_end_without_a_name_is_ours_when_ours_was_at_work() -> None:
    memory = a_memory()
    memory.look(PRINTING, 0.0)
    memory.event(event(PushEvent.PRINT_FAILED, path=None, reason="error"), 1.0)
    assert facts_of(memory, 1.0).ending is not None


def test_ends_of_other_files_are_nothing_to_our_print() -> None:
    memory = a_memory()
    memory.event(event(PushEvent.PRINT_DONE, path=THEIRS), 1.0)
    assert facts_of(memory, 1.0).ending is None


def test_reports_that_come_late_after_an_end_change_nothing_for_half_a_minute() -> None:
    memory = a_memory()
    memory.look(PRINTING, 0.0)
    memory.event(event(PushEvent.PRINT_DONE), 1.0)
    memory.follow("", "", 1.0, stopping=False, start_sent=False)
    memory.look(PRINTING, 2.0)
    memory.event(event(PushEvent.PRINT_DONE), 2.0)
    assert decide(memory.facts(None, CLEAR, 2.0, order_holds=False)) == ()
    memory.look(PRINTING, 40.0)
    assert decide(memory.facts(None, CLEAR, 40.0, order_holds=False)) == (MarkPlate(Why.FOREIGN_PRINT),)


def test_case_23_our_ended_file_started_anew_there_is_foreign_at_once() -> None:
    memory = a_memory()
    memory.look(PRINTING, 0.0)
    memory.follow("", "", 1.0, stopping=False, start_sent=False)
    memory.event(event(PushEvent.PRINT_STARTED), 5.0)
    memory.look(PRINTING, 5.0)
    assert decide(memory.facts(None, CLEAR, 5.0, order_holds=False)) == (MarkPlate(Why.FOREIGN_PRINT),)
    memory.settled()
    assert not memory.facts(None, CLEAR, 5.0, order_holds=False).foreign_begun


def test_case_4_a_start_sent_by_a_process_that_died_has_an_unknown_outcome() -> None:
    memory = a_memory(start_sent=True)
    assert facts_of(memory, 0.0).start is StartAsked.UNKNOWN


def test_case_6_there_is_one_new_start_and_never_a_second_one() -> None:
    memory = a_memory(start_sent=False)
    memory.start_went(StartAsked.IN_FLIGHT, 1.0)
    memory.start_went(StartAsked.UNKNOWN, 2.0)
    assert facts_of(memory, 3.0, order_holds=True).may_start_again
    memory.start_again(3.0)
    memory.start_went(StartAsked.UNKNOWN, 4.0)
    assert not facts_of(memory, 5.0, order_holds=True).may_start_again


def test_idle_looks_are_counted_anew_after_each_start_that_is_sent() -> None:
    memory = a_memory(start_sent=False)
    for at in (0.0, 1.0, 2.0):
        memory.look(READY, at)
    memory.start_went(StartAsked.IN_FLIGHT, 3.0)
    assert facts_of(memory, 3.0).idle_looks == 0
    assert facts_of(memory, 4.0).since_start_s == 1.0


def test_silence_is_counted_from_the_first_look_that_was_not_answered() -> None:
    memory = a_memory()
    memory.look(PRINTING, 0.0)
    memory.miss(1.0)
    memory.miss(7.0)
    assert memory.silent_s == 6.0
    assert Unsure(Why.SILENT) in decide(facts_of(memory, 7.0))
    memory.look(PRINTING, 8.0)
    assert memory.silent_s == 0.0


def test_what_was_known_of_a_file_does_not_outlive_the_look() -> None:
    memory = a_memory()
    memory.look(READY, 0.0)
    memory.file_is(remote(1, last=True))
    memory.look(READY, 1.0)
    assert (facts_of(memory, 1.0).file, facts_of(memory, 1.0).file_asked) == (None, False)


def test_case_28_a_halt_that_was_dealt_with_is_dealt_with_once_until_it_is_gone() -> None:
    memory = a_memory()
    memory.look(HALTED, 0.0)
    assert memory.known_error == ""
    memory.settled()
    assert memory.known_error == HALTED.error
    memory.look(READY, 5.0)
    assert memory.known_error == ""


def test_a_state_that_nobody_knows_is_counted_on_its_own() -> None:
    memory = a_memory()
    memory.look(seen(MachineReport.UNKNOWN), 0.0)
    memory.look(seen(MachineReport.UNKNOWN), 16.0)
    assert facts_of(memory, 16.0).unknown_s == 16.0
