"""A machine in memory lives by the clock that it is given; here the clock is moved by hand."""

from datetime import UTC, datetime

import pytest

from equipment.drivers.base import Code, DriverError, MachineReport, PushEvent
from equipment.drivers.simulated.machine import BED, ROOM, TOOL, SimulatedMachine, Stored

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
HOUR = Stored(1000, "a" * 40, 3600)
PATH = "fl/1-0a1b2c3d.gcode"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def machine(clock: Clock) -> SimulatedMachine:
    """Sixty times as fast: an hour's work takes a minute, warming up a second."""
    made = SimulatedMachine(60, clock)
    made.store(PATH, HOUR)
    return made


def report(machine: SimulatedMachine) -> MachineReport:
    return machine.observation(AT).report


def events(machine: SimulatedMachine) -> list[PushEvent | None]:
    return [push.event for push in machine.events_after(0)[1]]


def test_an_hours_work_takes_a_minute_and_each_state_comes_in_its_order(
    machine: SimulatedMachine, clock: Clock
) -> None:
    assert report(machine) is MachineReport.READY
    machine.start(PATH)
    seen = []
    for now in (0.0, 0.99, 1.01, 31.0, 60.9, 61.05, 61.2):
        clock.now = now
        look = machine.observation(AT)
        seen.append((look.report, look.progress.percent))
    assert seen == [
        (MachineReport.STARTING, 0.0),
        (MachineReport.STARTING, 0.0),
        (MachineReport.PRINTING, pytest.approx(0.02, abs=0.01)),
        (MachineReport.PRINTING, 50.0),
        (MachineReport.PRINTING, pytest.approx(99.83, abs=0.01)),
        (MachineReport.FINISHING, 100.0),
        (MachineReport.READY, 100.0),
    ]
    assert events(machine) == [PushEvent.PRINT_STARTED, PushEvent.PRINT_DONE]
    found = machine.files()[PATH]
    assert (found.successes, found.failures, found.last_success) == (1, 0, True)
    assert machine.observation(AT).path == PATH, "the file stays selected, as on a real machine"


def test_who_looks_only_after_the_end_finds_that_it_was_made(machine: SimulatedMachine, clock: Clock) -> None:
    machine.start(PATH)
    clock.now = 10_000.0
    assert machine.files()[PATH].successes == 1
    assert report(machine) is MachineReport.READY


def test_a_pause_stops_the_work_and_not_the_clock(machine: SimulatedMachine, clock: Clock) -> None:
    machine.start(PATH)
    clock.now = 31.0
    machine.pause()
    machine.pause()
    assert report(machine) is MachineReport.PAUSING
    clock.now = 1000.0
    look = machine.observation(AT)
    assert (look.report, look.progress.percent) == (MachineReport.PAUSED, 50.0)
    assert look.progress.seconds_left == 30
    machine.resume()
    assert report(machine) is MachineReport.RESUMING
    clock.now = 1015.1
    assert machine.observation(AT).progress.percent == pytest.approx(75, abs=0.2)
    assert events(machine) == [
        PushEvent.PRINT_STARTED,
        PushEvent.PRINT_PAUSED,
        PushEvent.PRINT_RESUMED,
    ]


@pytest.mark.parametrize("paused", [True, False])
def test_a_stop_ends_it_once_as_a_failure_of_the_file(
    machine: SimulatedMachine, clock: Clock, paused: bool
) -> None:
    machine.start(PATH)
    clock.now = 20.0
    if paused:
        machine.pause()
        clock.now = 21.0
    machine.stop()
    machine.stop()
    assert report(machine) is MachineReport.CANCELLING
    clock.now = 22.0
    assert report(machine) is MachineReport.READY
    assert events(machine).count(PushEvent.PRINT_CANCELLED) == 1
    found = machine.files()[PATH]
    assert (found.successes, found.failures, found.last_success) == (0, 1, False)


def test_it_warms_up_before_it_prints_and_cools_down_after(machine: SimulatedMachine, clock: Clock) -> None:
    assert machine.observation(AT).temperatures["tool0"].target == 0
    machine.start(PATH)
    warming = machine.observation(AT).temperatures["tool0"]
    assert (warming.actual, warming.target) == (ROOM, TOOL)
    clock.now = 30.0
    held = machine.observation(AT).temperatures
    assert (held["tool0"].actual, held["bed"].actual) == (TOOL, BED)
    clock.now = 61.5
    cooling = machine.observation(AT).temperatures["tool0"]
    assert cooling.target == 0
    assert ROOM < (cooling.actual or 0) < TOOL
    clock.now = 200.0
    assert machine.observation(AT).temperatures["tool0"].actual == ROOM


def test_another_file_under_the_same_name_and_a_start_at_work_are_refused(machine: SimulatedMachine) -> None:
    with pytest.raises(DriverError) as differs:
        machine.store(PATH, Stored(1000, "b" * 40, 60))
    machine.start(PATH)
    with pytest.raises(DriverError) as busy:
        machine.start(PATH)
    assert (differs.value.code, busy.value.code) == (Code.FILE_DIFFERS, Code.BUSY)
