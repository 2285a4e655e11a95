"""Where a machine's camera gives a still picture. Shown to nobody, and only where the place allows cameras (SEC-17)."""

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.db import transaction

from equipment.machines.connection import address_problem
from equipment.machines.live import machine_changed
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine
from equipment.machines.record import log, write
from equipment.machines.states import WATCHED
from equipment.sites.queries import require_role
from equipment.sites.states import STAFF_ROLES
from fablab.core.errors import Malformed, NotFound, Problem, Refused
from fablab.people.models import User

# The part behind host and port is sent as it is written.
PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*")


@dataclass(frozen=True)
class Camera:
    """``base``: scheme, host and port; ``path``: the rest, beginning with a slash, with its query."""

    base: str
    path: str


def camera_at(address: str) -> Camera:
    """Take a camera's address apart. Raises ``ValueError`` for what cannot be one."""
    parts = urlsplit(address)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.fragment or not parts.netloc or not PATH.fullmatch(path):
        raise ValueError("not the address of a picture")
    return Camera(f"{parts.scheme}://{parts.netloc}", path)


def has_camera(machine: Machine) -> bool:
    """Say whether a still may be asked of this machine. ``machine.site`` must be loaded."""
    return bool(machine.camera_address) and machine.site.cameras_allowed and machine.driver in WATCHED


def set_camera(machine_id: str, *, address: str, actor: User, at: datetime) -> Machine:
    """Say where the machine's camera gives its picture; empty: it has none.

    The address must lie in the networks of the installation, as a machine's own. Raises ``NotFound``, ``NotAllowed``
    (staff only), ``Refused``: ``cameras_not_allowed`` by the site's legal switch; ``Malformed``: ``camera_address...``.
    """
    address = address.strip()
    with transaction.atomic():
        machine = lock_machine(machine_id)
        if machine.retired_at is not None:
            raise NotFound
        require_role(actor, machine.site_id, STAFF_ROLES)
        if address:
            if not machine.site.cameras_allowed:
                raise Refused("cameras_not_allowed")
            _check(address)
        write(machine, camera_address=address)
        log(machine, "camera_set" if address else "camera_removed", actor, at)
    machine_changed(machine)
    return machine


def _check(address: str) -> None:
    try:
        camera = camera_at(address) if len(address) <= 200 else None
    except ValueError:
        camera = None
    if camera is None:
        raise Malformed(Problem("camera_address_invalid", field="camera_address"))
    problem = address_problem(camera.base)
    if problem is not None:
        code = "camera_address_invalid" if problem.code == "address_invalid" else "address_forbidden"
        raise Malformed(Problem(code, problem.params, "camera_address"))
