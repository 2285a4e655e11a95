"""Thousands of prints through random faults, in a model of machine, line, process and database (REL-14, level U).

What is real here: what is remembered and decided. A start stands on one clearing of the plate, and on nothing older.
"""

from dataclasses import dataclass, field, replace
from random import Random

import pytest

from equipment.drivers.base import MachineReport, Observation, Push, PushEvent, PushKind, RemoteFile
from jobs.lifecycle.states import ON_MACHINE, STARTED, State
from jobs.lifecycle.table import ROWS, Action, steps_for
from jobs.supervision.facts import (
    EndRight,
    Facts,
    GiveBack,
    LiveTry,
    MarkPlate,
    NotStarted,
    StartAgain,
    StartAsked,
    Step,
    StopWrongFile,
    Unsure,
    VoidToken,
)
from jobs.supervision.memory import KeptMachine, Memory
from jobs.supervision.reconcile import decide, is_foreign, wants_file, why_not_start
from tests.faults.runs import first_seed, times
from tests.jobs.supervision.situations import SHA1, THEIRS, seen

RUNS = times("FABLAB_RANDOM_RUNS", 400)
FIRST = first_seed(0)
STORM_S, CALM_S = 150, 400


@dataclass
class Printer:
    """A machine as it is, whoever may see it."""

    path: str | None = None
    left: int = 0
    paused: bool = False
    connected: bool = True
    prints: dict[str, list[bool]] = field(default_factory=dict)
    starts: list[tuple[str, int]] = field(
        default_factory=list
    )  # (path, how often the plate had been cleared)
    dirty: bool = False
    started_dirty: list[str] = field(default_factory=list)
    events: list[Push] = field(default_factory=list)

    def start(self, path: str, clearings: int) -> bool:
        if self.path is not None or not self.connected:
            return False
        self.path, self.left, self.paused = path, 25, False
        self.starts.append((path, clearings))
        if self.dirty:
            self.started_dirty.append(path)
        self.dirty = True
        self._tell(PushEvent.PRINT_STARTED)
        return True

    def end(self, event: PushEvent | None) -> None:
        """End the print; without an event the server restarted and remembers nothing."""
        if self.path is None:
            return
        if event is not None:
            self.prints.setdefault(self.path, []).append(event is PushEvent.PRINT_DONE)
            self._tell(event)
        self.path = None

    def second(self) -> None:
        if self.path is not None and not self.paused:
            self.left -= 1
            if self.left <= 0:
                self.end(PushEvent.PRINT_DONE)

    def look(self) -> Observation:
        if not self.connected:
            return seen(MachineReport.DISCONNECTED)
        if self.path is None:
            return seen(MachineReport.READY)
        return seen(MachineReport.PAUSED if self.paused else MachineReport.PRINTING, self.path)

    def file(self, path: str) -> RemoteFile:
        runs = self.prints.get(path, [])
        last = runs[-1] if runs else None
        return RemoteFile(path, 100, SHA1, None, sum(runs), len(runs) - sum(runs), None, last)

    def _tell(self, event: PushEvent) -> None:
        self.events.append(Push(PushKind.EVENT, event=event, path=self.path))


@dataclass
class World:
    """One job after another on one machine, watched by one supervisor that may die."""

    chance: Random
    now: float = 0.0
    printer: Printer = field(default_factory=Printer)
    memory: Memory = field(default_factory=Memory)
    attempt: int = 0
    live: LiveTry | None = None
    clear: bool = False
    token: bool = False
    clearings: int = 0
    order: float | None = (
        None  # when the start's order expires; the order is on its way or its outcome unknown
    )
    line: bool = True
    outcomes: list[str] = field(default_factory=list)

    def spin(self, faults: bool) -> None:
        self.now += 1
        self.printer.second()
        if faults:
            self._fault()
        self._person()
        self._supervise(faults)

    def _fault(self) -> None:
        printer, roll = self.printer, self.chance.random()
        if roll < 0.02:
            self.memory = Memory()  # the supervisor was killed and started again
        elif roll < 0.05:
            self.line = not self.line
        elif roll < 0.06:
            printer.end(None)
        elif roll < 0.07:
            printer.end(PushEvent.PRINT_CANCELLED)
        elif roll < 0.08:
            printer.end(PushEvent.PRINT_FAILED)
            printer.connected = False
        elif roll < 0.10:
            printer.connected = True
        elif roll < 0.11:
            printer.start(THEIRS, self.clearings)
        elif roll < 0.12:
            printer.paused = printer.path is not None and not printer.paused
        if self.chance.random() < 0.3:
            printer.events.clear()  # the push channel was down

    def _person(self) -> None:
        """Clears the plate when nothing prints, and presses start."""
        printer = self.printer
        if self.live is None:
            self.attempt += 1
            self.live = LiveTry(State.LOADED, f"fl/{self.attempt}.gcode", SHA1, 100)
        free = printer.path is None and self.live.state is State.LOADED and not self.live.start_sent
        if free and self.order is None and self.chance.random() < 0.1:
            printer.dirty, self.clear, self.token = False, True, True
            self.clearings += 1
        elif free and self.token and self.order is None and self.chance.random() < 0.3:
            self._send_start()

    def _send_start(self) -> None:
        """As ``Orders``: proven, taken with its token, sent once."""
        assert self.live is not None
        if not self.line or why_not_start(self.live, self.printer.look(), self.printer.file(self.live.path)):
            return
        self.token = False
        self.order = self.now + 60
        self.live = replace(self.live, start_sent=True)
        self._follow()
        self.memory.start_went(StartAsked.IN_FLIGHT, self.now)
        self._travel()

    def _travel(self) -> None:
        assert self.live is not None
        roll = self.chance.random()
        if roll < 0.15:
            self.memory.start_went(StartAsked.UNKNOWN, self.now)  # the request was lost
        elif roll < 0.25:
            self.memory = Memory()  # killed before it was sent
        else:
            accepted = self.printer.start(self.live.path, self.clearings)
            if roll < 0.40:
                self.memory.start_went(StartAsked.UNKNOWN, self.now)  # the answer was lost
            elif roll < 0.50:
                self.memory = Memory()  # killed after it was sent
            elif accepted:
                self.memory.start_went(StartAsked.ACCEPTED, self.now)
                self.order = None
            else:
                self.memory.start_went(StartAsked.NOT, self.now)
                self._not_started()

    def _not_started(self) -> None:
        assert self.live is not None
        self.live = replace(self.live, start_sent=False, unsure_why="")
        self.order = None

    def _follow(self) -> None:
        live = self.live
        self.memory.follow(
            str(self.attempt) if live else "",
            live.path if live else "",
            self.now,
            stopping=False,
            start_sent=live is not None and live.start_sent,
        )

    def _supervise(self, faults: bool) -> None:
        self._follow()
        if self.line:
            for push in self.printer.events:
                self.memory.event(push, self.now)
            self.printer.events.clear()
            self.memory.look(self.printer.look(), self.now)
        else:
            self.memory.miss(self.now)
        if self.order is not None and self.order <= self.now:
            self.order = None
        for _ in range(4):
            self._follow()
            known = self._facts()
            if self.live is not None and wants_file(known, reconnected=True) and self.chance.random() < 0.8:
                self.memory.file_is(self.printer.file(self.live.path))
                known = self._facts()
            if is_foreign(known):
                self.clear = self.token = False
            decisions = decide(known)
            moved = [self._carry_out(decision) for decision in decisions]
            self.memory.settled()
            if not any(moved):
                break

    def _facts(self) -> Facts:
        holds = self.order is not None and self.clear and not self.token
        return self.memory.facts(
            self.live, KeptMachine(self.clear, self.token, False), self.now, order_holds=holds
        )

    def _carry_out(self, decision: object) -> bool:
        match decision:
            case MarkPlate():
                self.clear = self.token = False
            case VoidToken():
                self.token = False
            case EndRight():
                self.order = None
            case Unsure(why) if self.live is not None:
                self.live = replace(self.live, unsure_why=why)
            case NotStarted():
                self._not_started()
                return True
            case StartAgain():
                self.memory.start_again(self.now)
                self._travel()
            case GiveBack():
                raise AssertionError("the file was never touched")
            case StopWrongFile():
                self.memory.stop_for_wrong_file()
                self.printer.end(PushEvent.PRINT_CANCELLED)
            case Step(action) if self.live is not None:
                return self._step(action)
        return False

    def _step(self, action: Action) -> bool:
        assert self.live is not None
        before = self.live.state
        state = before
        for step in steps_for(action, state):
            state = ROWS[step].target(started=True)
        if state in STARTED and before not in STARTED:
            self.clear = self.token = False
            self.order = None
        if state in ON_MACHINE:
            self.live = replace(self.live, state=state)
        else:
            self.clear = self.token = False
            self.outcomes.append(state)
            self.live, self.order = None, None
        return state is not before


@pytest.mark.parametrize("block", range(4))
def test_rel_14_no_start_stands_on_an_old_clearing_and_every_print_comes_to_an_end(block: int) -> None:
    outcomes: set[str] = set()
    prints = 0
    seeds = range(FIRST + block * RUNS // 4, FIRST + (block + 1) * RUNS // 4)
    for seed in seeds:
        world = World(Random(seed))
        for _ in range(STORM_S):
            world.spin(faults=True)
        world.line, world.printer.connected, world.printer.paused = True, True, False
        ours = [start for start in world.printer.starts if start[0] != THEIRS]
        assert len({clearing for _, clearing in ours}) == len(ours), (
            f"seed {seed}: two starts on one clearing"
        )
        assert world.printer.started_dirty.count(THEIRS) == len(world.printer.started_dirty), (
            f"seed {seed}: dirty"
        )
        before = world.attempt
        for _ in range(CALM_S):
            world.spin(faults=False)
        assert world.attempt > before, f"seed {seed}: stuck with {world.live}"
        outcomes |= set(world.outcomes)
        prints += len(world.outcomes)
    print(f"seeds {seeds[0]} to {seeds[-1]}: {prints} prints, {sorted(outcomes)}")
    assert {State.FINISHED, State.FAILED, State.CANCELLED} <= outcomes
