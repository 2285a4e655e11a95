"""Every write about a machine. The plate gate is in ``plate.py``, what supervision writes in ``heard.py``.

Each write that people see makes ``version`` grow and tells those who watch. Rows are written by single fields, so
that what supervision hears and what a person presses never undo each other.
"""

import re
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from equipment.machines import connection, fitted
from equipment.machines.heard import Lease, drop_lease, hear, keep_leases, take_lease
from equipment.machines.live import machine_changed
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine, MachineModel
from equipment.machines.outages import (
    back_in_service,
    end_outage,
    expect_back,
    plan_outage,
    put_out_of_order,
    set_photo,
)
from equipment.machines.plate import clear_plate, mark_plate, void_plate_token
from equipment.machines.record import log
from equipment.machines.states import AT_WORK, STREAMED, Driver, Plate, Report
from equipment.sites.queries import require_role
from equipment.sites.states import STAFF_ROLES
from fablab.core.errors import Malformed, NotFound, Problem, Refused
from fablab.core.sealed import seal
from fablab.people.models import User

__all__ = [
    "Lease",
    "add_machine",
    "back_in_service",
    "change_machine",
    "clear_plate",
    "drop_lease",
    "end_outage",
    "expect_back",
    "hear",
    "keep_leases",
    "mark_plate",
    "plan_outage",
    "put_out_of_order",
    "retire_machine",
    "set_photo",
    "settle_key_request",
    "store_key_request",
    "take_lease",
    "void_plate_token",
]

KEY = re.compile(r"[\x21-\x7e]{8,200}")
SIMULATION = " (simulation)"


# --- machines and their connection ------------------------------------------------------------------------


def add_machine(
    *,
    site_id: str,
    model_id: str,
    name: str,
    driver: str = Driver.HANDOVER,
    address: str = "",
    key: str = "",
    actor: User,
    at: datetime,
) -> Machine:
    """Add a machine to a site; its plate is not clear until somebody there says so.

    Raises ``NotFound``, ``NotAllowed`` (staff only), ``Malformed`` with every wrong field, ``Refused``:
    ``machine_name_taken``.
    """
    require_role(actor, site_id, STAFF_ROLES, installation_admin=True)
    problems = [
        *_field_problems(_honest_name(name, driver), model_id),
        *_connection_problems(driver, address, key),
        *_pair_problems(driver, model_id),
    ]
    if problems:
        raise Malformed(*problems)
    machine = Machine(
        site_id=site_id,
        model_id=model_id,
        name=_honest_name(name, driver),
        driver=driver,
        address=address.strip(),
        sealed_key=seal(key),
    )
    with transaction.atomic():
        _save_named(machine, force_insert=True)
        log(machine, "added", actor, at, {"driver": machine.driver, "address": machine.address})
    machine_changed(machine)
    return machine


def change_machine(
    machine_id: str,
    *,
    name: str | None = None,
    model_id: str | None = None,
    driver: str | None = None,
    address: str | None = None,
    key: str | None = None,
    actor: User,
    at: datetime,
) -> Machine:
    """Change what is given; None leaves as it is, an empty key removes it.

    Another driver, scheme, host or port erases the key unless a new one comes with it: no key ever reaches a place
    it was not given for. Raises as ``add_machine``.
    """
    with transaction.atomic():
        machine = _for_staff(machine_id, actor, installation_admin=True)
        before, model = (machine.driver, machine.address), machine.model_id
        machine.model_id = machine.model_id if model_id is None else model_id
        machine.driver = machine.driver if driver is None else driver
        machine.name = _honest_name(machine.name if name is None else name, machine.driver)
        if address is not None:
            machine.address = address.strip()
        elif machine.driver == Driver.HANDOVER:
            machine.address = ""
        problems = [
            *_field_problems(machine.name, machine.model_id),
            *_connection_problems(machine.driver, machine.address, key or ""),
            *_pair_problems(machine.driver, machine.model_id),
        ]
        if problems:
            raise Malformed(*problems)
        moved = machine.driver != before[0] or not connection.same_place(
            machine.address, before[1], machine.driver
        )
        live = machine.attempts.filter(ended_at__isnull=True)
        # The file that lies there is for this model; and of a print that may run, the new place would say
        # "idle", although the old one still prints. What is on its way there is left to nobody.
        ready = live.filter(loaded_at__isnull=False, start_sent_at__isnull=True, started_at__isnull=True)
        if (machine.model_id != model and live.exists()) or (moved and live.exclude(pk__in=ready).exists()):
            raise Refused(Problem("machine_working", {"machine": machine.name}))
        if machine.model_id != model:
            machine.material, machine.nozzle_mm, machine.frame = "", None, ""  # the other model has its own
        machine.auto_start = machine.auto_start and not fitted.why_no_auto_start(machine)
        if moved or key is not None:
            machine.sealed_key = seal(key or "")
            machine.sealed_key_request = ""
            machine.connection_number += 1
            _forget_reports(machine, at)
        machine.version += 1
        _save_named(machine)
        given = {"name": name, "model": model_id, "driver": driver, "address": address, "key": key}
        details: dict[str, Any] = {"fields": [field for field, value in given.items() if value is not None]}
        if moved:
            details |= {"driver": machine.driver, "address": machine.address}
        log(machine, "changed", actor, at, details)
    machine_changed(machine)
    return machine


def retire_machine(machine_id: str, *, actor: User, at: datetime) -> Machine:
    """Take a machine out of use for good; its history stays, its key goes.

    Raises ``NotFound``, ``NotAllowed``, ``Refused``: ``machine_working``, ``machine_has_bookings``.
    """
    with transaction.atomic():
        machine = _for_staff(machine_id, actor, installation_admin=True)
        problems = []
        # Through the tables' own relations: the rooms of bookings and jobs lie above this one.
        if machine.report in AT_WORK or machine.attempts.filter(ended_at__isnull=True).exists():
            problems.append(Problem("machine_working", {"machine": machine.name}))
        booked = machine.bookings.filter(state__in=["confirmed", "in_use"], end__gt=at).count()
        if booked:
            problems.append(Problem("machine_has_bookings", {"count": booked}))
        if problems:
            raise Refused(*problems)
        machine.retired_at = at
        machine.sealed_key = machine.sealed_key_request = machine.plate_token = ""
        machine.lease_owner, machine.lease_until = "", None  # its supervisor lets go at the next look
        machine.connection_number += 1
        machine.version += 1
        machine.save()
        log(machine, "retired", actor, at)
    machine_changed(machine)
    return machine


def store_key_request(machine_id: str, sealed_request: str, *, actor: User, at: datetime) -> None:
    """Keep the sealed token of a request for a key that waits for a person's yes."""
    with transaction.atomic():
        machine = _for_staff(machine_id, actor)
        Machine.objects.filter(pk=machine.pk).update(sealed_key_request=sealed_request)
        log(machine, "key_asked", actor, at)


def settle_key_request(
    machine_id: str, sealed_request: str, sealed_key: str, *, actor: User, at: datetime
) -> bool:
    """Put the key that was granted into the machine; an empty one means that there is none.

    False when the request is not the machine's any more: its address changed meanwhile, or somebody asked anew.
    """
    with transaction.atomic():
        machine = _for_staff(machine_id, actor)
        if machine.sealed_key_request != sealed_request:
            return False
        machine.sealed_key_request = ""
        if sealed_key:
            machine.sealed_key = sealed_key
            machine.connection_number += 1
            _forget_reports(machine, at)
        machine.version += 1
        machine.save()
        log(machine, "key_granted" if sealed_key else "key_refused", actor, at)
    machine_changed(machine)
    return True


# --- inside -----------------------------------------------------------------------------------------------


def _for_staff(machine_id: str, actor: User, *, installation_admin: bool = False) -> Machine:
    """Return the machine, locked, for somebody of its site's staff; retired ones are nobody's."""
    machine = lock_machine(machine_id)
    if machine.retired_at is not None:
        raise NotFound
    require_role(actor, machine.site_id, STAFF_ROLES, installation_admin=installation_admin)
    return machine


def _field_problems(name: str, model_id: str) -> list[Problem]:
    problems = []
    if not name.strip() or len(name.strip()) > 60:
        problems.append(Problem("machine_name_missing", field="name"))
    if not MachineModel.objects.filter(pk=model_id).exists():
        problems.append(Problem("machine_model_unknown", field="model"))
    return problems


def _pair_problems(driver: str, model_id: str) -> list[Problem]:
    """Where sending is starting, it is started from afar: not a machine that is started at itself alone (laser)."""
    if driver in STREAMED and MachineModel.objects.filter(pk=model_id, kind__remote_start=False).exists():
        return [Problem("driver_starts_from_afar", field="driver")]
    return []


def _honest_name(name: str, driver: str) -> str:
    """Return the name as everybody reads it: that of a simulated machine says so, wherever it stands."""
    plain = name.strip().removesuffix(SIMULATION).strip()
    return f"{plain}{SIMULATION}" if plain and driver == Driver.SIMULATED else plain


def _connection_problems(driver: str, address: str, key: str) -> list[Problem]:
    if driver not in set(Driver):
        return [Problem("driver_unknown", field="driver")]
    takes = connection.abilities(driver)
    problems = []
    if not takes.address:
        if address.strip():
            problems.append(Problem("address_without_link", field="address"))
    elif not address.strip():
        problems.append(Problem("address_missing", field="address"))
    elif (forbidden := connection.address_problem(address.strip(), driver)) is not None:
        problems.append(forbidden)
    if key.strip() and not takes.key:
        problems.append(Problem("key_not_taken" if takes.address else "key_without_link", field="key"))
    elif key and not KEY.fullmatch(key):
        problems.append(Problem("key_unusable", field="key"))
    return problems


def _forget_reports(machine: Machine, at: datetime) -> None:
    """What an earlier connection said is not what the new one will say; nobody may start on its word."""
    machine.report, machine.report_path, machine.report_error = Report.NEVER, "", ""
    machine.report_foreign, machine.report_since, machine.seen_at = False, at, None
    machine.plate, machine.plate_token = Plate.TO_CLEAR, ""


def _save_named(machine: Machine, *, force_insert: bool = False) -> None:
    try:
        with transaction.atomic():
            machine.save(force_insert=force_insert)
    except IntegrityError as reason:
        raise Refused(Problem("machine_name_taken", {"name": machine.name}, "name")) from reason
