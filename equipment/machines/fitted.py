"""What is in a machine now, and what it may do without a person: said by people, read by the plan and by dispatch."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict

from django.db import transaction

from equipment.machines.live import machine_changed
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine, MachineKind
from equipment.machines.record import log, write
from equipment.machines.states import STARTED_BY_LINE, Driver
from equipment.sites.queries import require_role
from equipment.sites.states import ON_DUTY_ROLES, STAFF_ROLES
from fablab.core.errors import Malformed, NotFound, Problem, Refused
from fablab.live import push
from fablab.people.models import User

FINEST_MM, WIDEST_MM = 0.2, 1.2  # of a nozzle
PUT_IN = "put_in"  # lines of a machine's log
FREEDOM = "freedom_set"


class Contents(TypedDict, total=False):
    """What is in a machine. What is not named stays; blank: nobody knows; no nozzle: the model's own."""

    material: str
    nozzle_mm: float | None
    frame: str


class Freedom(TypedDict, total=False):
    """What a machine may do without a person. What is not named stays."""

    auto_start: bool
    may_overrun: bool


def has_nozzle(machine: Machine) -> bool:
    """Say whether machines of this model have a nozzle that people change."""
    return isinstance(machine.model.limits, Mapping) and "nozzle_mm" in machine.model.limits


def put_in(machine_id: str, given: Contents, *, actor: User, at: datetime) -> Machine:
    """Say what is in a machine: objects that need something else wait.

    Raises ``NotFound``, ``NotAllowed`` (instructors and staff), ``Malformed`` with every wrong field:
    ``material_not_of_model``, ``nozzle_not_here``, ``nozzle_out_of_range``, ``frame_not_of_kind``.
    """
    with transaction.atomic():
        machine = _in_use(machine_id)
        require_role(actor, machine.site_id, ON_DUTY_ROLES)
        problems = _contents_problems(machine, given)
        if problems:
            raise Malformed(*problems)
        _change(machine, given, PUT_IN, actor, at)
    _tell(machine)
    return machine


def set_free(machine_id: str, given: Freedom, *, actor: User, at: datetime) -> Machine:
    """Say what a machine may do without a person: start what lies ready, work past closing or into a booking.

    Raises ``NotFound``, ``NotAllowed`` (staff only), ``Refused`` with every reason why it never starts by itself:
    ``never_started_from_here`` (its kind), ``not_started_by_line`` (its connection).
    """
    with transaction.atomic():
        machine = _in_use(machine_id)
        require_role(actor, machine.site_id, STAFF_ROLES)
        if given.get("auto_start"):
            problems = why_no_auto_start(machine)
            if problems:
                raise Refused(*problems)
        _change(machine, given, FREEDOM, actor, at)
    _tell(machine)
    return machine


def why_no_auto_start(machine: Machine) -> list[Problem]:
    """Return every reason why this machine can never start by itself, as it is and is connected now."""
    return _start_problems(machine.model.kind, machine.driver)


def _start_problems(kind: MachineKind, driver: str) -> list[Problem]:
    problems = []
    if not kind.remote_start:
        problems.append(Problem("never_started_from_here", {"kind": kind.name}, "auto_start"))
    if Driver(driver) not in STARTED_BY_LINE:
        problems.append(Problem("not_started_by_line", field="auto_start"))
    return problems


def _contents_problems(machine: Machine, given: Contents) -> list[Problem]:
    problems = []
    material, nozzle, frame = given.get("material"), given.get("nozzle_mm"), given.get("frame")
    if material and material not in machine.model.materials:
        problems.append(
            Problem("material_not_of_model", {"choices": ", ".join(machine.model.materials)}, "material")
        )
    if nozzle is not None and not has_nozzle(machine):
        problems.append(Problem("nozzle_not_here", field="nozzle_mm"))
    elif nozzle is not None and not FINEST_MM <= nozzle <= WIDEST_MM:
        limits = {"least": FINEST_MM, "most": WIDEST_MM}
        problems.append(Problem("nozzle_out_of_range", limits, "nozzle_mm"))
    frames = [choice.code for choice in machine.model.kind.by_hand.frames]
    if frame and frame not in frames:
        problems.append(Problem("frame_not_of_kind", {"choices": ", ".join(frames)}, "frame"))
    return problems


def _in_use(machine_id: str) -> Machine:
    machine = lock_machine(machine_id)
    if machine.retired_at is not None:
        raise NotFound
    return machine


def _change(machine: Machine, given: Mapping[str, Any], action: str, actor: User, at: datetime) -> None:
    """Write what is new; what was so already leaves no line."""
    new = {name: value for name, value in given.items() if value != getattr(machine, name)}
    if new:
        write(machine, **new)
        log(machine, action, actor, at, new)


def _tell(machine: Machine) -> None:
    machine_changed(machine)
    push.changed(f"queue:{machine.site_id}")  # who waits for what, and for how long
