"""From a machine's row to a driver. The only file that unseals keys (REQUIREMENTS 4.3).

What enters the network here is asynchronous; callers run it, never inside a transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings

from equipment.drivers.addresses import AllowedAddress, check_address, parse_allowed
from equipment.drivers.base import Capabilities, Code, Connection, Driver, DriverError
from equipment.drivers.folders import parse_folders
from equipment.drivers.octoprint.appkeys import Decision, KeyDesk, KeyRequest
from equipment.drivers.registry import KINDS, capabilities_of, make_driver
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


def allowed_folders() -> tuple[PurePosixPath, ...]:
    """Return the folders below which files may be laid for machines. Set in deployment, not in a page."""
    return parse_folders(settings.MACHINE_FOLDERS)


def abilities(driver_kind: str) -> Capabilities:
    """Return what machines of a kind can do, and whether they have an address and a key. Raises ``LookupError``."""
    return capabilities_of(driver_kind)


def driver_for(machine: Machine) -> Driver:
    """Return a driver for a machine; it connects to nothing yet. One without a link refuses every call.

    Raises ``ValueError`` for a key sealed elsewhere.
    """
    return _driver(machine.driver, machine.address, unseal(machine.sealed_key), machine.pk)


def _driver(kind: str, address: str, key: str = "", machine_id: str = "") -> Driver:
    return make_driver(kind, Connection(address, key, allowed_networks(), allowed_folders(), machine_id))


def address_problem(address: str, driver_kind: str = "octoprint") -> Problem | None:
    """Say what is wrong with an address before anything is asked there; names are looked up only later.

    Without a kind it is judged as a web address.
    """
    try:
        _driver(driver_kind, address).place()
    except DriverError as problem:
        code, params = _explained(
            driver_kind, problem.code.value, {"address": address[:200], **problem.params}
        )
        return Problem(code, params, "address")
    return None


def same_place(one: str, other: str, driver_kind: str) -> bool:
    """Say whether two addresses of a kind lead to the same place: then a key may stay."""
    try:
        return _driver(driver_kind, one).place() == _driver(driver_kind, other).place()
    except DriverError:
        return one == other


async def try_connection(driver_kind: str, address: str, key: str) -> ConnectionTest:
    """Reach for a machine before it is saved, and say exactly why it does not work. Changes nothing there."""
    if driver_kind not in KINDS:
        return ConnectionTest(False, "no_link")
    driver = _driver(driver_kind, address, key)
    try:
        found = await _try(driver)
    finally:
        await driver.close()
    if found.ok:
        return found
    code, params = _explained(driver_kind, found.code, found.params)
    return replace(found, code=code, params=params)


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
        seen = await driver.observe() if driver.capabilities.observe else None
    except DriverError as problem:
        code = "no_link" if problem.code is Code.NOT_SUPPORTED else problem.code.value
        return ConnectionTest(False, code, dict(problem.params), version)
    if seen is not None and seen.is_away:
        return ConnectionTest(False, "printer_disconnected", {}, version)
    return ConnectionTest(True, OK, {}, version)


def _explained(driver_kind: str, code: str, params: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Add what a person needs in order to do better: what this installation allows, and an address that it takes."""
    if code == Code.ADDRESS_FORBIDDEN:
        return (
            "folder_forbidden" if driver_kind == "folder" else code,
            {**params, "allowed": ", ".join(allowed_places(driver_kind)) or "–"},
        )
    if code == Code.ADDRESS_INVALID:
        return code, {**params, "example": example(driver_kind)}
    return code, dict(params)


def allowed_places(driver_kind: str) -> tuple[str, ...]:
    """Return what the deployment allows for machines of a kind, as it is written in its settings."""
    if driver_kind == "folder":
        return tuple(str(folder) for folder in allowed_folders())
    return tuple(settings.MACHINE_NETWORKS) if driver_kind in ("octoprint", "rawtcp") else ()


def example(driver_kind: str) -> str:
    """Return an address of a kind as this installation would take it."""
    match driver_kind:
        case "octoprint":
            return f"http://{_some_address(5000)}"
        case "rawtcp":
            return f"tcp://{_some_address(9100)}"
        case "folder":
            return f"{next(iter(allowed_folders()), '/srv/machines')}/brodeuse"
        case "simulated":
            return "simulated://quick"
    return ""


def _some_address(port: int) -> str:
    """An address and port in the allowed networks; the most usual one when it is among them."""
    allowed = allowed_networks()
    usual = f"192.168.1.20:{port}"
    if not allowed or check_address("192.168.1.20", port, allowed) is None:
        return usual
    best = next((one for one in allowed if one.first_port <= port <= one.last_port), allowed[0])
    first = best.network.network_address
    host = first if best.network.num_addresses == 1 else first + min(20, best.network.num_addresses - 2)
    shown = f"[{host}]" if host.version == 6 else str(host)
    return f"{shown}:{port if best.first_port <= port <= best.last_port else best.first_port}"


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
