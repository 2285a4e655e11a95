"""Which kinds of machine there are. The table is literal so that one can read it."""

from importlib import import_module
from typing import cast

from equipment.drivers.base import Connection, Driver

KINDS: dict[str, str] = {
    "octoprint": "equipment.drivers.octoprint.driver.OctoPrintDriver",
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
