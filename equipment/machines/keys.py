"""Getting a machine's key without copying secrets: a person says yes in OctoPrint's own page.

Asynchronous, since each step asks the machine; the rows are read and written in between, in no common transaction.
A page runs these with ``async_to_sync`` and asks ``poll_key`` about every second, or OctoPrint forgets the request.
"""

from datetime import datetime

from asgiref.sync import sync_to_async

from equipment.machines import connection
from equipment.machines.connection import KeyState
from equipment.machines.models import Machine
from equipment.machines.queries import machine_for
from equipment.machines.services import settle_key_request, store_key_request
from equipment.machines.states import Driver
from equipment.sites.queries import require_role
from equipment.sites.states import STAFF_ROLES
from fablab.core.errors import Refused
from fablab.people.models import User


async def request_key(machine_id: str, *, actor: User, at: datetime) -> str:
    """Ask the machine's OctoPrint for a key; return the address of the page where a person agrees.

    Raises ``NotFound``, ``NotAllowed`` (staff), ``Refused``: ``connection_...`` with the exact reason.
    """
    machine = await sync_to_async(_for_staff)(machine_id, actor)
    if machine.driver != Driver.OCTOPRINT:
        raise Refused("connection_no_link")
    asked = await connection.ask_for_key(machine.address)
    await sync_to_async(store_key_request)(machine_id, asked.sealed_request, actor=actor, at=at)
    return asked.dialog_url


async def poll_key(machine_id: str, *, actor: User, at: datetime) -> KeyState:
    """Ask once whether the person agreed; when they did, the key is in the machine's row already.

    Raises as ``request_key``, and ``Refused``: ``no_key_request``.
    """
    machine = await sync_to_async(_for_staff)(machine_id, actor)
    request = machine.sealed_key_request
    if not request:
        raise Refused("no_key_request")
    state, sealed_key = await connection.poll_for_key(machine.address, request)
    if state is not KeyState.WAITING:
        kept = await sync_to_async(settle_key_request)(machine_id, request, sealed_key, actor=actor, at=at)
        if not kept:
            raise Refused("no_key_request")
    return state


def _for_staff(machine_id: str, actor: User) -> Machine:
    machine = machine_for(actor, machine_id)
    require_role(actor, machine.site_id, STAFF_ROLES)
    return machine
