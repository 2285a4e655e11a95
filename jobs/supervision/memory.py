"""What one watch remembers of its machine between two looks. Pure: the caller brings the monotonic time.

Nothing here outlives the process: what must survive is in the database, and a new process begins its waits anew, which
only makes it more patient.
"""

from dataclasses import dataclass, field

from equipment.drivers.base import MachineReport, Observation, Push, PushEvent, RemoteFile
from jobs.supervision.facts import Ending, Facts, LiveTry, StartAsked
from jobs.supervision.reconcile import LATE_REPORT_S

ENDINGS = frozenset({PushEvent.PRINT_DONE, PushEvent.PRINT_CANCELLED, PushEvent.PRINT_FAILED})


@dataclass(frozen=True, slots=True)
class KeptMachine:
    """What the database says of the machine, as far as decisions need it."""

    plate_open: bool
    plate_token: bool
    out_of_order: bool


@dataclass
class Memory:
    """Signs of life, spells of idleness, events, and what we asked. Times are monotonic seconds."""

    seen: Observation | None = None
    file: RemoteFile | None = None
    file_asked: bool = False
    known_error: str = ""
    looked: bool = False  # at least once, answered or not
    _attempt: str = ""
    _path: str = ""
    _ending: Ending | None = None
    _start: StartAsked = StartAsked.NOT
    _start_at: float | None = None
    _started_again: bool = False
    _wrong_stopped: bool = False
    _stop_at: float | None = None
    _looked_at: float = (
        0.0  # the last look, answered or not: how long something lasted is proven only up to it
    )
    _silent_since: float | None = None
    _idle_since: float | None = None
    _idle_looks: int = 0
    _away_since: float | None = None
    _unknown_since: float | None = None
    _last_path: str | None = None
    _ended: tuple[str, float] = field(default=("", float("-inf")))
    _foreign_begun: bool = False

    def follow(self, attempt_id: str, path: str, now: float, *, stopping: bool, start_sent: bool) -> None:
        """Tell which attempt is on the machine ("" for none). Another one makes us forget what belonged to the last."""
        if attempt_id != self._attempt:
            if self._path:
                self._ended = (self._path, now)
            self._attempt = attempt_id
            self._ending, self._stop_at = None, None
            self._start, self._start_at = StartAsked.NOT, None
            self._started_again = self._wrong_stopped = False
            self._idle_since, self._idle_looks = None, 0
            self.file, self.file_asked = None, False
        self._path = path
        if stopping and self._stop_at is None:
            self._stop_at = now
        if start_sent and self._start is StartAsked.NOT:
            # Sent by a process that ended since: nobody knows what came of it, nor what the machine went through
            # meanwhile. One that lost its power too has no record of a print that began; so a person is asked.
            self.start_went(StartAsked.UNKNOWN, now)
            self._started_again = True
        if not start_sent and self._start in (StartAsked.UNKNOWN, StartAsked.ACCEPTED):
            self._start, self._start_at = StartAsked.NOT, None

    def is_followed(self, path: str | None) -> bool:
        """Say whether this is the file of the attempt on the machine."""
        return bool(self._path) and path == self._path

    def start_went(self, asked: StartAsked, now: float) -> None:
        """Note how far our start has come."""
        if self._start_at is None or asked is StartAsked.IN_FLIGHT:
            self._start_at, self._idle_looks, self._idle_since = now, 0, None
        if asked is StartAsked.IN_FLIGHT:
            self._started_again = False  # an order of its own, on a clearing of its own
        self._start = asked

    def start_again(self, now: float) -> None:
        """Note that the one new start is being sent."""
        self.start_went(StartAsked.IN_FLIGHT, now)
        self._started_again = True

    def stop_for_wrong_file(self) -> None:
        self._wrong_stopped = True

    def event(self, push: Push, now: float) -> None:
        """Note an event of the push channel. Only those of our own file, and starts of others, mean anything here."""
        if push.event is PushEvent.PRINT_STARTED and push.path is not None and push.path != self._path:
            self._foreign_begun = True
            self._ended = ("", float("-inf"))  # whatever runs now is no late report
        if push.event not in ENDINGS or self._ending is not None or not self._path:
            return
        path = push.path or self._last_path
        if path == self._path:
            self._ending = Ending(push.event, push.reason, push.user)

    def look(self, seen: Observation, now: float) -> None:
        """Note a look that was answered."""
        self.seen, self.looked = seen, True
        self._looked_at, self._silent_since = now, None
        if seen.is_busy and seen.path is not None:
            self._last_path = seen.path
        self._idle_looks = self._idle_looks + 1 if seen.is_ready else 0
        self._idle_since = _since(self._idle_since, seen.is_ready, now)
        self._away_since = _since(self._away_since, seen.is_away, now)
        self._unknown_since = _since(self._unknown_since, seen.report is MachineReport.UNKNOWN, now)
        if seen.report is not MachineReport.ERROR:
            self.known_error = ""
        self.file, self.file_asked = None, False

    def file_is(self, file: RemoteFile | None) -> None:
        """Note what the machine just said of our file."""
        self.file, self.file_asked = file, True

    def miss(self, now: float) -> None:
        """Note a look that was not answered."""
        self.seen, self.looked, self._looked_at = None, True, now
        self._silent_since = now if self._silent_since is None else self._silent_since
        self._idle_since, self._idle_looks, self._away_since, self._unknown_since = None, 0, None, None
        self.file, self.file_asked = None, False

    @property
    def silent_s(self) -> float:
        return self._proven(self._silent_since)

    @property
    def start(self) -> StartAsked:
        return self._start

    def _proven(self, since: float | None) -> float:
        return 0.0 if since is None else self._looked_at - since

    def facts(self, attempt: LiveTry | None, machine: KeptMachine, now: float, *, order_holds: bool) -> Facts:
        """Put together what a decision rests on. ``order_holds``: the start's order would still allow one."""

        def lasted(since: float | None) -> float:
            return 0.0 if since is None else max(0.0, now - since)

        ended, ended_at = self._ended
        return Facts(
            attempt=attempt,
            seen=self.seen,
            ending=self._ending,
            file=self.file,
            file_asked=self.file_asked,
            start=self._start,
            since_start_s=lasted(self._start_at),
            since_stop_s=lasted(self._stop_at),
            silent_s=self.silent_s,
            idle_s=self._proven(self._idle_since),
            idle_looks=self._idle_looks,
            away_s=self._proven(self._away_since),
            unknown_s=self._proven(self._unknown_since),
            may_start_again=order_holds and not self._started_again,
            stop_sent_for_wrong_file=self._wrong_stopped,
            just_ended=ended if now - ended_at < LATE_REPORT_S else "",
            foreign_begun=self._foreign_begun,
            plate_open=machine.plate_open,
            plate_token=machine.plate_token,
            known_error=self.known_error,
            out_of_order=machine.out_of_order,
        )

    def settled(self) -> None:
        """Note that decisions were carried out: what speaks only once has spoken."""
        self._foreign_begun = False
        if self.seen is not None and self.seen.report is MachineReport.ERROR:
            self.known_error = self.seen.error or "error"


def _since(since: float | None, holds: bool, now: float) -> float | None:
    if not holds:
        return None
    return now if since is None else since
