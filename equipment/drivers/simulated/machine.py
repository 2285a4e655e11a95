"""A machine in memory: what it does follows from the time and from what it was asked. Used from any thread."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from equipment.drivers.base import (
    BUSY,
    Code,
    DriverError,
    MachineReport,
    Observation,
    Progress,
    Push,
    PushEvent,
    PushKind,
    RemoteFile,
    Temperature,
)

# How long it changes from one state to the next, in seconds of its own, quicker or slower time.
LASTS_S = {
    MachineReport.STARTING: 60.0,
    MachineReport.PAUSING: 5.0,
    MachineReport.RESUMING: 5.0,
    MachineReport.CANCELLING: 10.0,
    MachineReport.FINISHING: 5.0,
}
_AFTER = {
    MachineReport.STARTING: MachineReport.PRINTING,
    MachineReport.PAUSING: MachineReport.PAUSED,
    MachineReport.RESUMING: MachineReport.PRINTING,
    MachineReport.CANCELLING: MachineReport.READY,
    MachineReport.FINISHING: MachineReport.READY,
    MachineReport.PRINTING: MachineReport.FINISHING,
}
_TOLD = {
    MachineReport.PAUSED: PushEvent.PRINT_PAUSED,
    MachineReport.FINISHING: PushEvent.PRINT_DONE,
}
ROOM, TOOL, BED = 22.0, 210.0, 60.0  # degrees Celsius
WARMS_S = 20.0
EVENTS_KEPT = 200


@dataclass(frozen=True, slots=True)
class Stored:
    """A file as it lies there, and what became of it."""

    size: int
    sha1: str
    seconds: int  # of work
    successes: int = 0
    failures: int = 0
    last_at: datetime | None = None
    last_success: bool | None = None

    def as_file(self, path: str) -> RemoteFile:
        return RemoteFile(
            path,
            self.size,
            self.sha1,
            None,
            self.successes,
            self.failures,
            self.last_at,
            self.last_success,
        )


class SimulatedMachine:
    """One machine. `monotonic` is the clock of its time, `speed` how much quicker than that it lives."""

    def __init__(self, speed: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._speed = speed
        self._monotonic = monotonic
        self._lock = threading.RLock()
        self._files: dict[str, Stored] = {}
        self._report = MachineReport.READY
        self._since = 0.0  # of this report, in the machine's time
        self._path: str | None = None  # stays after the end
        self._done_s = 0.0  # worked on it before `_since`
        self._events: deque[tuple[int, Push]] = deque(maxlen=EVENTS_KEPT)
        self._number = 0
        self._listeners: set[Callable[[], object]] = set()
        self._began = monotonic()

    # --- looking ------------------------------------------------------------------------------------------

    def observation(self, at: datetime) -> Observation:
        with self._lock:
            now = self._live()
            return Observation(
                at=at,
                report=self._report,
                path=self._path,
                origin="local" if self._path else None,
                user=None,
                progress=self._progress(now),
                temperatures=self._temperatures(now),
                raw=self._report.value,
            )

    def files(self) -> Mapping[str, Stored]:
        with self._lock:
            self._live()
            return dict(self._files)

    def seconds_to_change(self) -> float:
        """Of the clock, not of the machine; infinite when it waits for people."""
        with self._lock:
            now = self._live()
            return max(0.0, self._lasts() - (now - self._since)) / self._speed

    def listen(self, wake: Callable[[], object]) -> tuple[int, Callable[[], None]]:
        """Be woken at each event: the number of the last one, and how to stop."""
        with self._lock:
            self._listeners.add(wake)
            return self._number, lambda: self._listeners.discard(wake)

    def events_after(self, number: int) -> tuple[int, list[Push]]:
        with self._lock:
            self._live()
            return self._number, [push for known, push in self._events if known > number]

    # --- asking -------------------------------------------------------------------------------------------

    def store(self, path: str, file: Stored) -> None:
        with self._lock:
            known = self._files.setdefault(path, file)
            if (known.size, known.sha1) != (file.size, file.sha1):
                raise DriverError(Code.FILE_DIFFERS)

    def delete(self, path: str) -> None:
        with self._lock:
            self._live()
            if self._report in BUSY and path == self._path:
                raise DriverError(Code.BUSY)
            self._files.pop(path, None)

    def start(self, path: str) -> None:
        with self._lock:
            now = self._live()
            if self._report is not MachineReport.READY:
                raise DriverError(Code.BUSY, state=self._report.value)
            if path not in self._files:
                raise DriverError(Code.FILE_MISSING)
            self._path, self._done_s = path, 0.0
            self._become(MachineReport.STARTING, now)
            self._tell(PushEvent.PRINT_STARTED)

    def pause(self) -> None:
        with self._lock:
            now = self._live()
            self._demand_busy()
            if self._report in (MachineReport.STARTING, MachineReport.PRINTING, MachineReport.RESUMING):
                self._become(MachineReport.PAUSING, now)

    def resume(self) -> None:
        with self._lock:
            now = self._live()
            self._demand_busy()
            if self._report in (MachineReport.PAUSING, MachineReport.PAUSED):
                self._become(MachineReport.RESUMING, now)
                self._tell(PushEvent.PRINT_RESUMED)

    def stop(self) -> None:
        with self._lock:
            now = self._live()
            self._demand_busy()
            if self._report not in (MachineReport.CANCELLING, MachineReport.FINISHING):
                self._become(MachineReport.CANCELLING, now)
                self._count_run(success=False)
                self._tell(PushEvent.PRINT_CANCELLED)

    # --- living -------------------------------------------------------------------------------------------

    def _live(self) -> float:
        """Do all that was due by now, each at its own moment. Returns the machine's time."""
        now = (self._monotonic() - self._began) * self._speed
        while now - self._since >= (lasts := self._lasts()):
            self._become(_AFTER[self._report], self._since + lasts)
            if self._report in _TOLD:
                if self._report is MachineReport.FINISHING:
                    self._count_run(success=True)
                self._tell(_TOLD[self._report])
        return now

    def _lasts(self) -> float:
        """Seconds of the machine that its present state takes in all."""
        if self._report is MachineReport.PRINTING:
            return max(0.0, self._seconds() - self._done_s)
        return LASTS_S.get(self._report, math.inf)

    def _become(self, report: MachineReport, now: float) -> None:
        if self._report is MachineReport.PRINTING:
            self._done_s += now - self._since
        self._report, self._since = report, now

    def _demand_busy(self) -> None:
        if self._report not in BUSY:
            raise DriverError(Code.NOT_PRINTING)

    def _seconds(self) -> float:
        stored = self._files.get(self._path or "")
        return float(stored.seconds) if stored else 0.0

    def _progress(self, now: float) -> Progress:
        if self._path is None or not self._seconds():
            return Progress()
        working = now - self._since if self._report is MachineReport.PRINTING else 0.0
        done = min(self._done_s + working, self._seconds())
        left = (self._seconds() - done) / self._speed
        return Progress(
            percent=round(100 * done / self._seconds(), 2),
            seconds_left=math.ceil(left) if self._report in BUSY else None,
            printed_seconds=int(done / self._speed),
            origin="simulation",
        )

    def _temperatures(self, now: float) -> Mapping[str, Temperature]:
        heats = self._report in BUSY and self._report not in (
            MachineReport.CANCELLING,
            MachineReport.FINISHING,
        )
        held = heats and self._report is not MachineReport.STARTING
        warm = 1.0 if held else 1.0 - math.exp(-(now - self._since) / WARMS_S)
        found = {}
        for name, target in (("tool0", TOOL), ("bed", BED)):
            goal = target if heats else ROOM
            start = ROOM if heats or self._path is None else target
            found[name] = Temperature(round(start + (goal - start) * warm, 1), target if heats else 0.0)
        return found

    def _count_run(self, *, success: bool) -> None:
        stored = self._files.get(self._path or "")
        if self._path and stored:
            self._files[self._path] = replace(
                stored,
                successes=stored.successes + success,
                failures=stored.failures + (not success),
                last_at=datetime.now(UTC),
                last_success=success,
            )

    def _tell(self, event: PushEvent) -> None:
        self._number += 1
        self._events.append((self._number, Push(PushKind.EVENT, event=event, path=self._path)))
        for wake in tuple(self._listeners):
            wake()
