""" "C'est moi": a trained person says that a print which did not come through the queue is theirs.

It is then counted and told; it gives no right: its end releases nothing without a new look at the plate.
"""

from datetime import datetime

from django.db import transaction

from equipment.certifications.queries import is_certified
from equipment.machines import foreign
from equipment.machines.live import machine_changed
from equipment.machines.locks import lock_machine
from equipment.machines.models import ForeignPrint, Machine
from equipment.machines.queries import machine_for
from equipment.machines.record import log
from equipment.sites.queries import roles_of
from equipment.sites.states import ON_DUTY_ROLES
from fablab.core.clock import local_day
from fablab.core.errors import Conflict, NotAllowed, Problem, Refused
from fablab.live import push
from fablab.notices.services import withdraw
from fablab.people.models import User


def may_adopt(person: User, machine: Machine, at: datetime) -> bool:
    """Say whether the person is trained for this kind of machine at its site. ``model__kind`` and ``site`` loaded."""
    kind = machine.model.kind
    return not kind.needs_certificate or is_certified(
        person, kind.pk, machine.site_id, local_day(at, machine.site.time_zone)
    )


def adopt(machine_id: str, *, actor: User, at: datetime) -> ForeignPrint:
    """Say "C'est moi" to what runs on the machine now. May be repeated by the same person.

    Raises ``NotFound``, ``NotAllowed``: ``not_certified``; ``Refused``: ``nothing_foreign``;
    ``Conflict``: ``already_adopted`` by somebody else.
    """
    machine = machine_for(actor, machine_id)
    if not may_adopt(actor, machine, at):
        raise NotAllowed(Problem("not_certified", {"kind": machine.model.kind.name}))
    with transaction.atomic():
        machine = lock_machine(machine_id)
        one = foreign.now_on(machine_id)
        if one is None:
            raise Refused(Problem("nothing_foreign", {"machine": machine.name}))
        if one.person_id not in {None, actor.pk}:
            raise Conflict("already_adopted")
        if one.person_id is None:
            ForeignPrint.objects.filter(pk=one.pk, person__isnull=True).update(person=actor, adopted_at=at)
            log(machine, "foreign_adopted", actor, at)
    machine_changed(machine)
    push.changed(f"me:{actor.pk}")
    return foreign.get(one.pk)


def disown(foreign_id: str, *, actor: User, at: datetime) -> ForeignPrint:
    """Undo a "C'est moi": the person themself, or instructors and staff of the site; also when it has ended.

    Raises ``NotFound``, ``NotAllowed``. May be repeated.
    """
    one = foreign.get(foreign_id)
    machine_for(actor, one.machine_id)
    own = one.person_id == actor.pk
    if not own and not roles_of(actor, one.machine.site_id) & ON_DUTY_ROLES:
        raise NotAllowed(Problem("not_allowed", {"action": "disown"}))
    with transaction.atomic():
        machine = lock_machine(one.machine_id)
        if ForeignPrint.objects.filter(pk=one.pk, person__isnull=False).update(person=None, adopted_at=None):
            log(machine, "foreign_disowned", actor, at)
            withdraw(f"foreign:{one.pk}:ended")
    machine_changed(machine)
    if one.person_id is not None:
        push.changed(f"me:{one.person_id}")
    return foreign.get(one.pk)
