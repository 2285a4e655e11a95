"""One plain TCP connection to a machine, reached with the same care as its web interface (`web.py`)."""

import asyncio
import errno
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from equipment.drivers.addresses import AllowedAddress, check_address, check_literal
from equipment.drivers.aside import aside
from equipment.drivers.base import Code, DriverError

_NO_ROUTE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}


@dataclass(frozen=True, slots=True)
class Port:
    """Host and port, and nothing else: such a machine has no paths and no users."""

    host: str  # name or address, without brackets
    port: int

    @property
    def text(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}"


def parse_port(address: str, usual: int) -> Port:
    """Take `tcp://host:port` apart; the port may be left out. Raises ValueError with a short English reason."""
    if not address or len(address) > 500 or any(ord(sign) <= 32 or sign == "\\" for sign in address):
        raise ValueError("empty, too long, or with signs that no address has")
    parts = urlsplit(address)  # raises ValueError for broken brackets
    if parts.scheme != "tcp":
        raise ValueError("not tcp")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a user or password in the address")
    if parts.query or parts.fragment or "?" in address or "#" in address or parts.path not in ("", "/"):
        raise ValueError("more than a host and a port")
    if not parts.hostname:
        raise ValueError("no host")
    port = parts.port  # raises ValueError outside 0 to 65535
    if port == 0:
        raise ValueError("port 0")
    return Port(parts.hostname, usual if port is None else port)


def check_port(where: Port, allowed: Iterable[AllowedAddress]) -> None:
    """Refuse a written address before anything is opened; names are checked when they are looked up."""
    refusal = check_literal(where.host, where.port, allowed)
    if refusal is not None:
        raise DriverError(Code.ADDRESS_FORBIDDEN, reason=refusal.value)


async def connect(where: Port, allowed: tuple[AllowedAddress, ...], seconds: float) -> socket.socket:
    """A connection to the first allowed address of the name, looked up once; not blocking, to be closed by the caller.

    Raises DriverError, certain: nothing was sent.
    """
    check_port(where, allowed)
    try:
        async with asyncio.timeout(seconds):
            family, address = await _allowed_address(where, allowed, seconds)
            return await _connected(family, address, where.port)
    except TimeoutError as problem:
        raise DriverError(Code.TIMED_OUT) from problem
    except OSError as problem:
        if problem.errno in _NO_ROUTE:
            raise DriverError(Code.NO_ROUTE) from problem
        raise DriverError(Code.CONNECTION_REFUSED) from problem


async def _connected(family: int, address: str, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, (address, port))
    except BaseException:
        made.close()
        raise
    return made


async def _allowed_address(
    where: Port, allowed: tuple[AllowedAddress, ...], seconds: float
) -> tuple[int, str]:
    refused = "not_listed"
    for family, address in await _look_up(where, seconds):
        refusal = check_address(address, where.port, allowed)
        if refusal is None:
            return family, address
        refused = refusal.value
    raise DriverError(Code.ADDRESS_FORBIDDEN, reason=refused)


async def _look_up(where: Port, seconds: float) -> list[tuple[int, str]]:
    try:
        # Beside the loop: names that lead nowhere take seconds, and other machines must not wait.
        found = await aside(
            where.text,
            seconds,
            lambda: socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM),
        )
    except (socket.gaierror, UnicodeError) as problem:
        raise DriverError(Code.NAME_UNKNOWN) from problem
    return [(family, str(address[0])) for family, _, _, _, address in found]


def cut(line: socket.socket) -> None:
    """Close at once: what the machine has not taken yet is thrown away, not delivered later."""
    with suppress(OSError):  # closed by the other side
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    line.close()
