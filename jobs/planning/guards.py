"""May this job be made on this machine now? Pure: guards as data, each failed one is a reason that people read.

The plan asks these of the machine where a job would go, a person's page of any machine, an automatic start of its own.
A plate to clear is no guard: the file may lie ready on the machine while somebody empties it; only the start waits.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from jobs.lifecycle.table import APPROVAL_UNDO_S
from jobs.planning.facts import MachineNow, Params, Reason, Waiting

NOT_REACHED = "waiting_unreachable"
UNDO = timedelta(seconds=APPROVAL_UNDO_S)


REFUSES_FILE = "waiting_file_refused"  # the machine has no room for it, or does not take it
PUT_OFF_FOR = {  # a machine is not asked again for so long
    REFUSES_FILE: timedelta(minutes=5),  # somebody has to make room there
    NOT_REACHED: timedelta(minutes=1),
}


class About(StrEnum):
    """Whom a guard asks: those that ask one alone are asked once for many pairs."""

    JOB = "job"
    MACHINE = "machine"
    FIT = "fit"  # what is in the machine: changed by hands, not by time
    PAIR = "pair"


Check = Callable[[Waiting, MachineNow, datetime], Params | None]


@dataclass(frozen=True, slots=True)
class Guard:
    """``check`` returns None when the guard holds, else the values for its sentence."""

    code: str
    about: About
    check: Check


def _approval(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    return {} if job.approved_at is None else None


def _just_approved(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    return {} if job.approved_at is not None and at < job.approved_at + UNDO else None


def _open(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    return {} if machine.open_until(at) is None else None


def _in_service(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    return None if machine.in_service else {"machine": machine.name}


def _outage(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    if not machine.in_service:
        return None  # said already
    out = any(start <= at and (until is None or until > at) for start, until in machine.outages)
    return {"machine": machine.name} if out else None


def _next_outage(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    later = [start for start, until in machine.outages if at < start < at + job.must_fit and start != until]
    return {"machine": machine.name, "start": min(later).isoformat()} if later else None


def _needs_help(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    return {"machine": machine.name} if machine.needs_help else None


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
    if machine.may_overrun:
        return None
    end = at + job.must_fit
    later = next(
        (held for held in machine.held if at < held.start < end and held.person_id != job.owner_id), None
    )
    return None if later is None else {"machine": machine.name, "start": later.start.isoformat()}


def _closing(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    closes = machine.open_until(at)
    if closes is None or machine.may_overrun or at + job.must_fit <= closes:
        return None
    return None if _too_long(job, machine, at) is not None else {"closes": closes.isoformat()}


def _too_long(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    if machine.may_overrun or not machine.open:
        return None
    longest = max(span.end - span.start for span in machine.open)
    if job.must_fit <= longest:
        return None
    return {"hours": round(job.must_fit / timedelta(hours=1), 1)}


def _power_cut(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    end = at + job.must_fit
    cut = next((cut for cut in machine.cuts if cut.start < end and cut.end > at), None)
    return None if cut is None else {"start": cut.start.isoformat(), "end": cut.end.isoformat()}


def _format(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    return None if job.format in machine.formats else {"machine": machine.name}


def _material(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    if not job.material or not machine.material or job.material == machine.material:
        return None
    return {"machine": machine.name, "material": job.material}


def _nozzle(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    if job.nozzle_mm is None or machine.nozzle_mm is None or abs(job.nozzle_mm - machine.nozzle_mm) < 0.01:
        return None
    return {"machine": machine.name, "nozzle_mm": job.nozzle_mm}


def _frame(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    if not job.frame or not machine.frame or job.frame == machine.frame:
        return None
    return {"machine": machine.name, "frame": job.frame}


def _put_off(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    return {"machine": machine.name} if _put_off_for(job, machine, at) not in ("", NOT_REACHED) else None


def _not_reached(job: Waiting, machine: MachineNow, at: datetime) -> Params | None:
    """The machine seemed to be there, and its file did not get through."""
    not_said = machine.heard and _put_off_for(job, machine, at) == NOT_REACHED
    return {"machine": machine.name} if not_said else None


def _put_off_for(job: Waiting, machine: MachineNow, at: datetime) -> str:
    code, until = job.put_off.get(machine.id, ("", at))
    return code if until > at else ""


GUARDS: tuple[Guard, ...] = (
    Guard("waiting_approval", About.JOB, _approval),
    Guard("waiting_undo", About.JOB, _just_approved),
    Guard("waiting_format", About.FIT, _format),
    Guard("waiting_material", About.FIT, _material),
    Guard("waiting_nozzle", About.FIT, _nozzle),
    Guard("waiting_frame", About.FIT, _frame),
    Guard("waiting_out_of_order", About.MACHINE, _in_service),
    Guard("waiting_needs_help", About.MACHINE, _needs_help),
    Guard(NOT_REACHED, About.MACHINE, _heard),
    Guard("waiting_closed", About.MACHINE, _open),
    Guard("waiting_too_long", About.PAIR, _too_long),
    Guard("waiting_foreign_print", About.MACHINE, _foreign),
    Guard("waiting_machine_busy", About.MACHINE, _free),
    Guard("waiting_own_booking", About.PAIR, _own_booking),
    Guard("waiting_booking", About.PAIR, _others_booking),
    Guard("waiting_next_booking", About.PAIR, _next_booking),
    Guard("waiting_closing_time", About.PAIR, _closing),
    Guard("waiting_power_cut", About.PAIR, _power_cut),
    Guard("waiting_out_of_order", About.MACHINE, _outage),
    Guard("waiting_next_outage", About.PAIR, _next_outage),
    Guard(NOT_REACHED, About.PAIR, _not_reached),
    Guard(REFUSES_FILE, About.PAIR, _put_off),
)
BUSY = "waiting_machine_busy"
NO_MACHINE = "waiting_no_machine"
OPERATOR = "waiting_operator"  # the machine is free: a person takes the file there
TURN = "waiting_turn"  # the machine is kept for a job that comes first
BY_PLAN = frozenset({NO_MACHINE, OPERATOR, TURN})
ALL_CODES = frozenset({guard.code for guard in GUARDS} | BY_PLAN)


def why_not(
    job: Waiting, machine: MachineNow, at: datetime, *, among: Iterable[Guard] = GUARDS
) -> tuple[Reason, ...]:
    """Return one reason for each guard that fails; empty: the job may be made on this machine now."""
    found = ((guard.code, guard.check(job, machine, at)) for guard in among)
    return tuple(Reason(code, params) for code, params in found if params is not None)


def could_take(job: Waiting, machine: MachineNow) -> bool:
    """Say whether the job may go to this machine at all: its model, which the approval binds, and the one it names.

    A simulation makes nothing: where there are real machines of its model it takes only what was sent to it by name.
    """
    if machine.model_id != job.model_id:
        return False
    return job.named == machine.id or (job.named is None and not machine.only_named)
