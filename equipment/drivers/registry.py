"""Which kinds of machine there are. The table is literal so that one can read it."""

from importlib import import_module
from typing import cast

from equipment.drivers.base import Capabilities, Connection, Driver

KINDS: dict[str, str] = {
    "handover": "equipment.drivers.handover.driver.HandoverDriver",
    "octoprint": "equipment.drivers.octoprint.driver.OctoPrintDriver",
    "folder": "equipment.drivers.folder.driver.FolderDriver",
    "rawtcp": "equipment.drivers.rawtcp.driver.RawTcpDriver",
    "simulated": "equipment.drivers.simulated.driver.SimulatedDriver",
}


class UnknownKind(LookupError):
    """No driver is registered under this name."""


def make_driver(kind: str, connection: Connection) -> Driver:
    """A driver for one machine. Connects to nothing yet, and loads only the kind asked for."""
    try:
        module_name, class_name = KINDS[kind].rsplit(".", 1)
    except KeyError:
        raise UnknownKind(kind) from None
    return cast(Driver, getattr(import_module(module_name), class_name)(connection))


def capabilities_of(kind: str) -> Capabilities:
    """What machines of a kind can do, without one of them."""
    return make_driver(kind, Connection("")).capabilities
