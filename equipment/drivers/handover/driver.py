"""The handover driver: no line leads to the machine, a person carries the file and says what happens."""

from equipment.drivers.base import Capabilities, Code, Connection, DriverError
from equipment.drivers.unable import Unable

CAPABILITIES = Capabilities()


class HandoverDriver(Unable):
    """A machine that only people reach. Every call is refused, so that nobody takes silence for an answer."""

    def __init__(self, connection: Connection) -> None:
        self._address = connection.address

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def place(self) -> str:
        """As promised: nowhere. An address is a mistake, for nothing would ever go there."""
        if self._address:
            raise DriverError(Code.ADDRESS_INVALID, reason="a machine without a link has no address")
        return ""
