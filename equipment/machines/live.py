"""Topics of machines and boards, and who may watch them. What they show is composed in ``fablab.api.shapes``."""

from collections.abc import Iterable

from equipment.machines.models import Machine
from equipment.machines.queries import in_use
from equipment.sites.live import board_topic
from equipment.sites.queries import roles_of
from equipment.sites.states import ON_DUTY_ROLES
from fablab.live import push
from fablab.live.topics import Shape
from fablab.people.models import User


def machine_topic(machine_id: str) -> str:
    return f"machine:{machine_id}"


def machine_changed(machine: Machine) -> None:
    """Tell those who watch this machine or its site's board to look again. After a write."""
    push.changed(machine_topic(machine.pk))
    push.part_changed(board_topic(machine.site_id), machine.pk)


def power_turned(site_ids: Iterable[str]) -> None:
    """Tell those who watch machines of these sites that an announced power cut began there, or is over."""
    for machine in in_use().filter(site_id__in=list(site_ids)):
        machine_changed(machine)


def may_watch_machine(person: User, machine_id: str) -> Shape | None:
    """Everybody with a role at its site sees a machine's state; names and files only those on duty there."""
    machine = in_use().filter(pk=machine_id).first()
    roles = roles_of(person, machine.site_id) if machine else frozenset()
    if roles & ON_DUTY_ROLES:
        return "staff"
    return "public" if roles else None


def may_watch_board(person: User, site_id: str) -> Shape | None:
    """The board of a room is for its instructors and staff."""
    return "staff" if roles_of(person, site_id) & ON_DUTY_ROLES else None
