"""What people say of a machine in one tap: it is used, it is free, it needs help, it does not work (UX-2, J17).

The word of a person is the only sign of life of a machine without a link. A fault may be told by anybody who stands
before it, without an account; only the site's staff read it, and how often is limited for each machine.
"""

from datetime import datetime, timedelta

from django.db import transaction

from equipment.machines.live import machine_changed
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine, MachineEvent
from equipment.machines.plate import void_plate_token
from equipment.machines.queries import in_use
from equipment.machines.record import log, write
from equipment.machines.states import USED_AT_MOST
from equipment.sites.queries import require_role
from equipment.sites.states import ON_DUTY_ROLES
from fablab.core.errors import NotFound, Problem, Refused
from fablab.people.models import User

FAULT_TOLD = "fault_told"  # ``needs_help_why`` of a fault that anybody may have told: staff alone read it
FAULTS_AN_HOUR = 3  # more are counted nowhere: staff know by then


def tell_fault(machine_id: str, *, actor: User | None, at: datetime) -> bool:
    """Note that somebody before the machine says that it does not work; anybody may. Returns whether it was news.

    Told again, or too often, it changes nothing, and whoever tells reads the same thanks. Raises ``NotFound``.
    """
    with transaction.atomic():
        if not in_use().filter(pk=machine_id).exists():
            raise NotFound
        machine = lock_machine(machine_id)
        lately = MachineEvent.objects.filter(
            machine=machine, action=FAULT_TOLD, at__gt=at - timedelta(hours=1)
        ).count()
        if machine.needs_help_since is not None or lately >= FAULTS_AN_HOUR:
            return False
        write(machine, needs_help_since=at, needs_help_why=FAULT_TOLD)
        log(machine, FAULT_TOLD, actor, at, source="person")
    machine_changed(machine)
    return True


def ask_help(machine_id: str, *, actor: User, at: datetime, why: str = "") -> Machine:
    """Say that somebody must come to the machine: instructors and staff, in one tap. May be repeated."""
    with transaction.atomic():
        machine = _on_duty(machine_id, actor)
        if machine.needs_help_since is None or machine.needs_help_why == FAULT_TOLD:
            write(machine, needs_help_since=at, needs_help_why=why.strip()[:200])
            log(machine, "needs_help", actor, at)
    machine_changed(machine)
    return machine


def helped(machine_id: str, *, actor: User, at: datetime) -> Machine:
    """Say that somebody has seen to it: instructors and staff. May be repeated."""
    with transaction.atomic():
        machine = _on_duty(machine_id, actor)
        if machine.needs_help_since is not None:
            write(machine, needs_help_since=None, needs_help_why="")
            log(machine, "helped", actor, at)
    machine_changed(machine)
    return machine


def take_in_use(machine_id: str, *, actor: User, at: datetime) -> Machine:
    """Say that somebody uses a machine without a link, by hand and without a job: instructors and staff.

    What they leave on the plate nobody knows: who confirmed it clear before must look again.
    Raises ``Refused``: ``machine_speaks_itself`` for one that reports what it does.
    """
    with transaction.atomic():
        machine = _on_duty(machine_id, actor)
        if machine.linked:
            raise Refused(Problem("machine_speaks_itself", {"machine": machine.name}))
        write(machine, in_use_since=at)
        log(machine, "in_use", actor, at)
        void_plate_token(machine, at=at, why="in_use")
    machine_changed(machine)
    return machine


def set_free(machine_id: str, *, actor: User, at: datetime) -> Machine:
    """Say that nobody uses it by hand any more, and that it needs no help: instructors and staff. May be repeated."""
    with transaction.atomic():
        machine = _on_duty(machine_id, actor)
        if machine.in_use_since is not None or machine.needs_help_since is not None:
            if machine.in_use_since is not None and not machine.linked:
                void_plate_token(machine, at=at, why="in_use")
            write(machine, in_use_since=None, needs_help_since=None, needs_help_why="")
            log(machine, "free", actor, at)
    machine_changed(machine)
    return machine


def used_by_hand(machine: Machine, at: datetime) -> bool:
    """Say whether a person's "je l'utilise" still holds."""
    since = machine.in_use_since
    return since is not None and not machine.linked and at - since < USED_AT_MOST


def help_needed(machine: Machine, *, staff: bool) -> bool:
    """Say whether people read that it needs help: a fault that anybody may have told is the staff's to judge."""
    return machine.needs_help_since is not None and (staff or machine.needs_help_why != FAULT_TOLD)


def _on_duty(machine_id: str, actor: User) -> Machine:
    machine = lock_machine(machine_id)
    if machine.retired_at is not None:
        raise NotFound
    require_role(actor, machine.site_id, ON_DUTY_ROLES)
    return machine
