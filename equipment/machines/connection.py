"""From a machine's row to a driver. The only file that unseals keys (REQUIREMENTS 4.3).

What enters the network here is asynchronous; callers run it, never inside a transaction.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from typing import Any

from django.conf import settings

from equipment.drivers.addresses import AllowedAddress, check_address, parse_allowed, parse_target
from equipment.drivers.base import Connection, Driver, DriverError
from equipment.drivers.octoprint.appkeys import Decision, KeyDesk, KeyRequest
from equipment.drivers.registry import KINDS, make_driver
from equipment.machines.models import Machine
from fablab.core.errors import Problem, Refused
from fablab.core.sealed import seal, unseal

APP = "Fab lab"  # what people read in OctoPrint when it asks them
OK = "ok"
TYPED = "typed in a form: "


@dataclass(frozen=True)
class ConnectionTest:
    """What came of trying. ``code`` is ``ok`` or why not, for ``words.CONNECTION``; ``params`` for its sentence."""

    ok: bool
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""  # of what answered, where it said so


@dataclass(frozen=True)
class KeyAsked:
    """A person opens ``dialog_url`` and agrees; meanwhile ask about every second, or OctoPrint forgets it."""

    dialog_url: str
    sealed_request: str


class KeyState(StrEnum):
    WAITING = "waiting"
    GRANTED = "granted"
    REFUSED = "refused"  # or forgotten: OctoPrint does not tell which


_STATES = {
    Decision.WAITING: KeyState.WAITING,
    Decision.GRANTED: KeyState.GRANTED,
    Decision.GONE: KeyState.REFUSED,
}


def allowed_networks() -> tuple[AllowedAddress, ...]:
    """Return where machines of this installation may live. Set in deployment, not in a page."""
    return parse_allowed(settings.MACHINE_NETWORKS)


def driver_for(machine: Machine) -> Driver:
    """Return a driver for a linked machine; it connects to nothing yet.

    Raises ``LookupError`` for a machine without a link, ``ValueError`` for a key sealed elsewhere.
    """
    return make_driver(
        machine.driver, Connection(machine.address, unseal(machine.sealed_key), allowed_networks())
    )


def address_problem(address: str) -> Problem | None:
    """Say what is wrong with an address before anything is asked there; names are looked up only later."""
    try:
        target = parse_target(address)
    except ValueError:
        return Problem("address_invalid", {"address": address[:200]}, "address")
    with suppress(ValueError):
        literal = ip_address(target.host)
        refusal = check_address(literal, target.port, allowed_networks())
        if refusal is not None:
            return Problem(
                "address_forbidden", {"address": address[:200], "reason": refusal.value}, "address"
            )
    return None


def same_place(one: str, other: str) -> bool:
    """Say whether two addresses lead to the same scheme, host, port and path: then a key may stay."""
    try:
        return parse_target(one) == parse_target(other)
    except ValueError:
        return one == other


async def try_connection(driver_kind: str, address: str, key: str) -> ConnectionTest:
    """Reach for a machine before it is saved, and say exactly why it does not work. Changes nothing there."""
    if driver_kind not in KINDS:
        return ConnectionTest(False, "no_link")
    driver = make_driver(driver_kind, Connection(address, key, allowed_networks()))
    try:
        return await _try(driver)
    finally:
        await driver.close()


async def try_machine(machine: Machine) -> ConnectionTest:
    """Do as ``try_connection`` with the stored address and key."""
    try:
        key = unseal(machine.sealed_key)
    except ValueError:
        return ConnectionTest(False, "key_unreadable")
    return await try_connection(machine.driver, machine.address, key)


async def _try(driver: Driver) -> ConnectionTest:
    version = ""
    try:
        probe = await driver.probe()
        version = probe.version
        if probe.permissions_missing:
            return ConnectionTest(
                False, "not_allowed", {"missing": ", ".join(probe.permissions_missing)}, version
            )
        seen = await driver.observe()
    except DriverError as problem:
        return ConnectionTest(False, problem.code.value, dict(problem.params), version)
    if seen.is_away:
        return ConnectionTest(False, "printer_disconnected", {}, version)
    return ConnectionTest(True, OK, {}, version)


def keep_typed(key: str) -> str:
    """Return a key that somebody typed, sealed: a form comes back with it and never shows it."""
    return seal(TYPED + key) if key else ""


def typed_key(kept: str) -> str:
    """Return what ``keep_typed`` sealed; nothing for anything else, a machine's own sealed key included."""
    try:
        text = unseal(kept)
    except ValueError:
        return ""
    return text[len(TYPED) :] if text.startswith(TYPED) else ""


# --- a key without copying secrets ------------------------------------------------------------------------


async def ask_for_key(address: str) -> KeyAsked:
    """Ask an OctoPrint for a key. Raises ``Refused``: ``connection_...`` with the reason."""
    try:
        async with KeyDesk(Connection(address, "", allowed_networks())) as desk:
            request = await desk.request(APP)
    except DriverError as problem:
        raise _refused(problem) from problem
    return KeyAsked(request.dialog_url, seal(request.token))


async def poll_for_key(address: str, sealed_request: str) -> tuple[KeyState, str]:
    """Ask once whether the person agreed; the key comes sealed, and only once. Raises as ``ask_for_key``."""
    try:
        async with KeyDesk(Connection(address, "", allowed_networks())) as desk:
            answer = await desk.poll(KeyRequest(unseal(sealed_request), ""))
    except DriverError as problem:
        raise _refused(problem) from problem
    return _STATES[answer.decision], seal(answer.key or "")


def _refused(problem: DriverError) -> Refused:
    return Refused(Problem(f"connection_{problem.code.value}", dict(problem.params)))
