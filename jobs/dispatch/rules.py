"""May this job be claimed for this machine now? Pure: guards as data, each failed one is a reason that people read.

A plate to clear is no guard: the file may lie ready on the machine while somebody empties the plate; only the start
waits for that.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from jobs.lifecycle.table import APPROVAL_UNDO_S

UNKNOWN_LENGTH = timedelta(
    minutes=30
)  # a file whose time nobody could estimate must not fill the last minutes
Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """A booking's hold on a machine, buffers included."""

    booking_id: str
    person_id: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class MachineNow:
    """A linked machine as dispatch sees it."""

    id: str
    name: str
    model_id: str
    formats: frozenset[str]
    in_service: bool
    heard: bool  # lately, by the supervisor that owns it
    ready: bool
    foreign: bool  # prints what did not come through the queue
    taken: bool  # has a live attempt
    closes_at: datetime | None  # None: the site is closed now
    held: tuple[Held, ...] = ()  # live bookings that are not over, by start
    outages: tuple[tuple[datetime, datetime | None], ...] = ()
    idle_since: datetime | None = None  # None: it never made anything


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queued job as dispatch sees it. ``own_booking``: the live booking that it belongs to."""

    id: str
    owner_id: str
    model_id: str
    machine_id: str | None
    format: str
    approved_at: datetime | None
    length: timedelta | None
    own_booking: Held | None = None
    booked_machine_id: str | None = None
    put_off: Mapping[str, tuple[str, datetime]] | None = None  # machine -> (code, until): it refused the file

    @property
    def must_fit(self) -> timedelta:
        return self.length if self.length is not None else UNKNOWN_LENGTH


Check = Callable[[Waiting, MachineNow, datetime], Params | None]


@dataclass(frozen=True, slots=True)
class Guard:
    """``check`` returns None when the guard holds, else the values for its sentence."""

    code: str
    check: Check


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a job does not move, as it is stored with it."""

    code: str
    params: Params

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "params": dict(self.params)}


def _approval(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    return {} if job.approved_at is None else None


def _just_approved(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    undo_until = job.approved_at + timedelta(seconds=APPROVAL_UNDO_S) if job.approved_at else at
    return {} if at < undo_until else None


def _format(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    return None if job.format in machine.formats else {"machine": machine.name}


def _in_service(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    end = at + job.must_fit
    out = any(start < end and (until is None or until > at) for start, until in machine.outages)
    return None if machine.in_service and not out else {"machine": machine.name}


def _heard(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    return None if machine.heard else {"machine": machine.name}


def _foreign(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    return {"machine": machine.name} if machine.foreign else None


def _free(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    if machine.foreign or not machine.heard:
        return None  # said by a better sentence
    return {"machine": machine.name} if machine.taken or not machine.ready else None


def _own_booking(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    """A job of a booking starts in that booking, on its machine."""
    if job.own_booking is None:
        return None
    if job.booked_machine_id != machine.id or at < job.own_booking.start:
        return {"start": job.own_booking.start.isoformat()}
    return None


def _others_booking(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    now = next((held for held in machine.held if held.start <= at < held.end), None)
    if now is None or now.person_id == job.owner_id:
        return None
    return {"machine": machine.name, "until": now.end.isoformat()}


def _next_booking(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    end = at + job.must_fit
    later = next(
        (held for held in machine.held if at < held.start < end and held.person_id != job.owner_id), None
    )
    return None if later is None else {"machine": machine.name, "start": later.start.isoformat()}


def _open(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    return {} if machine.closes_at is None else None


def _closing(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    if machine.closes_at is None or at + job.must_fit <= machine.closes_at:
        return None
    return {"closes": machine.closes_at.isoformat()}


def _put_off(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    refused = (job.put_off or {}).get(machine.id)
    return {"machine": machine.name} if refused and refused[1] > at else None


GUARDS: tuple[Guard, ...] = (
    Guard("waiting_approval", _approval),
    Guard("waiting_undo", _just_approved),
    Guard("waiting_closed", _open),
    Guard("waiting_out_of_order", _in_service),
    Guard("waiting_unreachable", _heard),
    Guard("waiting_foreign_print", _foreign),
    Guard("waiting_machine_busy", _free),
    Guard("waiting_own_booking", _own_booking),
    Guard("waiting_booking", _others_booking),
    Guard("waiting_next_booking", _next_booking),
    Guard("waiting_closing_time", _closing),
    Guard("waiting_format", _format),
    Guard("waiting_file_refused", _put_off),
)
NO_MACHINE = "waiting_no_machine"
ALL_CODES = frozenset({guard.code for guard in GUARDS} | {NO_MACHINE})


def why_not(job: Waiting, machine: MachineNow, at: datetime) -> tuple[Reason, ...]:
    """Return one reason for each guard that fails; empty: the job may be claimed for this machine."""
    found = ((guard.code, guard.check(job, machine, at)) for guard in GUARDS)
    return tuple(Reason(code, params) for code, params in found if params is not None)


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a job goes now, or why it waits."""

    job_id: str
    machine_id: str | None
    reasons: tuple[Reason, ...] = ()


def choose(jobs: Sequence[Waiting], machines: Iterable[MachineNow], at: datetime) -> list[Choice]:
    """Give each job, in the order of the queue, a machine or its reasons. No machine is given twice.

    A job that names a machine goes there; one that names a model goes to the compatible machine that has been idle
    for longest. The reasons of a job that could go to several machines are those of the one that lacks least.
    """
    there = list(machines)
    taken: set[str] = set()
    choices = []
    for job in jobs:
        possible = [machine for machine in there if _could_take(job, machine)]
        if not possible:
            choices.append(Choice(job.id, None, (Reason(NO_MACHINE, {}),)))
            continue
        judged = [(machine, _reasons(job, machine, taken, at)) for machine in possible]
        free = [machine for machine, reasons in judged if not reasons]
        if free:
            machine = min(free, key=_idle_longest)
            taken.add(machine.id)
            choices.append(Choice(job.id, machine.id))
        else:
            _, reasons = min(judged, key=lambda pair: (len(pair[1]), pair[0].name))
            choices.append(Choice(job.id, None, reasons))
    return choices


def _could_take(job: Waiting, machine: MachineNow) -> bool:
    if machine.model_id != job.model_id:
        return False  # what was approved for one model never goes to another, whatever was booked or wished
    named = job.machine_id or job.booked_machine_id
    return named is None or machine.id == named


def _reasons(job: Waiting, machine: MachineNow, taken: set[str], at: datetime) -> tuple[Reason, ...]:
    reasons = why_not(job, machine, at)
    if machine.id in taken and not any(reason.code == "waiting_machine_busy" for reason in reasons):
        return (*reasons, Reason("waiting_machine_busy", {"machine": machine.name}))
    return reasons


def _idle_longest(machine: MachineNow) -> tuple[bool, float, str]:
    since = machine.idle_since
    return (since is not None, since.timestamp() if since else 0.0, machine.name)
