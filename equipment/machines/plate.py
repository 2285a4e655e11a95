"""The plate gate: what must be true before anything starts (REL-17). Each function is called under the machine's lock.

The plate is a stored fact, "to clear" until a recorded person on site says otherwise. Saying so makes a token, the
right to one start; a start uses it up, and so does every sign that somebody or something else was at work.
"""

from datetime import datetime

from equipment.machines.live import machine_changed
from equipment.machines.models import Machine
from equipment.machines.outages import lasted_between
from equipment.machines.record import log, write
from equipment.machines.states import AT_WORK, USED_AT_MOST, Plate
from equipment.sites.queries import is_on_site, open_until, require_role
from equipment.sites.states import ON_DUTY_ROLES
from fablab.core.clock import local_day
from fablab.core.errors import NotAllowed, Problem, Refused
from fablab.core.ids import new_id
from fablab.people.models import User

# Reasons to mark a plate after which something new may lie there, and reasons to end a right that may do that.
BEGINNINGS = frozenset({"start", "work_seen", "foreign_print"})
MAY_FILL = frozenset({"start", "in_use", "unwatched"})


def clear_plate(machine: Machine, *, actor: User, at: datetime, own_work: bool = False) -> Machine:
    """Record that this person emptied the plate, and make the right to one start.

    ``own_work``: the caller has seen that only this person's own work is concerned, and that they may make it here.
    Raises ``NotFound``, ``NotAllowed``: ``not_on_site``; ``Refused``: ``machine_working``.
    """
    if not own_work:
        require_role(actor, machine.site_id, ON_DUTY_ROLES)
        if not is_on_site(actor, machine.site_id, at):
            raise NotAllowed("not_on_site")
    if machine.report in AT_WORK:
        raise Refused(Problem("machine_working", {"machine": machine.name}))
    write(machine, plate=Plate.CLEAR, plate_token=new_id(), plate_cleared_by=actor, plate_cleared_at=at)
    log(machine, "plate_cleared", actor, at)
    machine_changed(machine)
    return machine


def mark_plate(machine: Machine, *, at: datetime, why: str) -> Machine:
    """Record that something lies on the plate, or may: every ending and every start."""
    begins = why in BEGINNINGS
    marked = machine.plate == Plate.TO_CLEAR and not machine.plate_token
    if begins:
        write(machine, plate_number=machine.plate_number + 1)
    if marked:
        return machine
    write(machine, plate=Plate.TO_CLEAR, plate_token="")
    log(machine, "plate_to_clear", None, at, {"why": why})
    machine_changed(machine)
    return machine


def other_filling(machine: Machine) -> None:
    """Something else may lie on the plate now: a page from before shows one that nobody may clear any more."""
    write(machine, plate_number=machine.plate_number + 1)


def void_plate_token(machine: Machine, *, at: datetime, why: str) -> Machine:
    """End the right to start, used or overtaken: a person must confirm the plate anew, and look at it for that."""
    if why in MAY_FILL:
        other_filling(machine)
    if machine.plate_token:
        write(machine, plate_token="")
        log(machine, "plate_token_void", None, at, {"why": why})
        machine_changed(machine)
    return machine


def right_holds(machine: Machine, at: datetime) -> bool:
    """Say whether the plate is clear and the right to one start is still good: it ends when the site closes.

    Asked at each use instead of ended by a task, so that a night off changes nothing. Who cleared a plate before the
    doors opened has the right on that local day. ``machine.site`` must be loaded.
    """
    cleared = machine.plate_cleared_at
    if machine.plate != Plate.CLEAR or not machine.plate_token or cleared is None:
        return False
    used_until = machine.in_use_since + USED_AT_MOST if machine.in_use_since is not None else None
    if used_until is not None and not machine.linked and cleared < used_until <= at:
        return False  # cleared while somebody used it by hand, who never said that they went
    if lasted_between(machine, cleared, at):
        return False  # somebody had their hands in it meanwhile
    closes = open_until(machine.site, cleared)
    if closes is None:
        zone = machine.site.time_zone
        return local_day(cleared, zone) == local_day(at, zone)
    return at < closes
