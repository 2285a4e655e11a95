"""What the plan knows of jobs and machines. Pure: loaded by ``queries``, or made up by a test."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from fablab.core.clock import Span

# A file whose time nobody could estimate must not fill the last minutes of a day.
UNKNOWN_LENGTH = timedelta(minutes=30)
CHANGEOVER = timedelta(minutes=10)  # emptying the plate and starting the next one
HORIZON = timedelta(days=14)  # nobody is told a time that lies further away
Params = Mapping[str, Any]


class Held(NamedTuple):
    """A booking's hold on a machine, buffers included."""

    booking_id: str
    person_id: str
    start: datetime
    end: datetime


class Reason(NamedTuple):
    """Why a job does not move, as it is stored with it."""

    code: str
    params: Params

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "params": dict(self.params)}


@dataclass(frozen=True, slots=True)
class MachineNow:
    """A machine as the plan sees it. Times are aware, in UTC.

    ``open``, ``cuts`` (announced power cuts) and ``held`` are in order and reach ``HORIZON`` far; they may begin before
    now. ``free_at`` matters while it is at work: when that is expected to end and the plate to be empty, None when
    nobody can say.
    """

    id: str
    name: str
    model_id: str
    formats: frozenset[str]
    open: tuple[Span, ...]
    by_line: bool = True  # dispatch claims for it; else a person takes the next job at the machine
    only_named: bool = False  # takes what names it, nothing else: a simulation beside real machines
    in_service: bool = True
    needs_help: bool = False
    heard: bool = True  # lately; always, where the machine itself says nothing
    ready: bool = True
    foreign: bool = False  # prints what did not come through the queue
    taken: bool = False  # has a live attempt
    free_at: datetime | None = None
    may_overrun: bool = False  # past closing time and into bookings
    material: str = ""  # what is in it; blank: nobody said
    nozzle_mm: float | None = None
    frame: str = ""
    plate_clear: bool = False
    idle_since: datetime | None = None  # None: it never made anything
    held: tuple[Held, ...] = ()  # live bookings that are not over
    outages: tuple[tuple[datetime, datetime | None], ...] = ()
    cuts: tuple[Span, ...] = ()

    @property
    def at_work(self) -> bool:
        return self.taken or self.foreign or not self.ready

    @property
    def usable(self) -> bool:
        """Whether anybody can say when it makes the next thing."""
        return self.in_service and self.heard and not self.needs_help

    @property
    def rank(self) -> tuple[bool, bool, bool, float, str, str]:
        """Which of equal machines is taken first: one that the file can go to by itself (it is on its way now, where
        one without a line waits for somebody to carry it), an empty plate, the longest idle one, then by name."""
        since = self.idle_since
        idle = since.timestamp() if since else 0.0
        return (not self.by_line, not self.plate_clear, since is not None, idle, self.name, self.id)

    def open_until(self, at: datetime) -> datetime | None:
        """Return when the site closes that is open at ``at``, else None."""
        return next((span.end for span in self.open if span.start <= at < span.end), None)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queued job as the plan sees it. ``own_booking``: the live booking that it belongs to."""

    id: str
    owner_id: str
    model_id: str
    queued_at: datetime
    format: str = "gcode"
    machine_id: str | None = None  # only this one
    approved_at: datetime | None = None
    length: timedelta | None = None  # None: nobody could estimate it
    priority: int = 0
    material: str = ""
    nozzle_mm: float | None = None  # what its file was made for
    frame: str = ""
    own_booking: Held | None = None
    booked_machine_id: str | None = None
    # machine -> (code, until): it refused the file
    put_off: Mapping[str, tuple[str, datetime]] = field(default_factory=dict)

    @property
    def must_fit(self) -> timedelta:
        return self.length if self.length is not None else UNKNOWN_LENGTH

    @property
    def named(self) -> str | None:
        """The one machine it may go to, when there is one."""
        return self.machine_id or self.booked_machine_id


class Place(NamedTuple):
    """Where a job stands.

    ``number`` counts from 1 among those that wait for the same machine model. ``machine_id`` is where it would go as
    things stand. ``reasons`` is empty when dispatch is to claim it now, and never empty otherwise.
    """

    job_id: str
    number: int
    machine_id: str | None
    expected_start: datetime | None
    reasons: tuple[Reason, ...]
    machine_name: str = ""
