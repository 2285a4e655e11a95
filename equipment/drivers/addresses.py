"""Which addresses may be reached, decided without asking anybody.

Machines live on private networks, so "no private address" would forbid all of them. Instead each
installation lists networks and ports. Some addresses are refused whatever the list says: they lead to
the computer itself by another spelling, to a cloud's metadata, or to everybody at once.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Refusal(StrEnum):
    NOT_AN_ADDRESS = "not_an_address"
    LINK_LOCAL = "link_local"
    METADATA = "metadata"
    MULTICAST = "multicast"
    UNSPECIFIED = "unspecified"
    RESERVED = "reserved"
    EMBEDDED_IPV4 = "embedded_ipv4"  # an IPv4 address inside an IPv6 one
    LOOPBACK = "loopback"  # not named exactly, with its port
    NOT_LISTED = "not_listed"


# Tunnels and translations: the address written is not the address reached.
_EMBEDDING = tuple(
    IPv6Network(text)
    for text in (
        "::ffff:0:0/96",
        "::ffff:0:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
    )
)
_COMPATIBLE = IPv6Network("::/96")  # besides :: and ::1, old IPv4-compatible addresses
_THIS_NETWORK = IPv4Network("0.0.0.0/8")  # 0.x reaches the computer itself on Linux
_METADATA: frozenset[Address] = frozenset(
    ip_address(text)
    for text in ("169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254")
)


@dataclass(frozen=True, slots=True)
class AllowedAddress:
    """One line of the list: a network and a range of ports, both ends included."""

    network: Network
    first_port: int
    last_port: int

    def holds(self, ip: Address, port: int) -> bool:
        return ip in self.network and self.first_port <= port <= self.last_port

    def names_exactly(self, ip: Address, port: int) -> bool:
        return (
            self.network.num_addresses == 1
            and ip == self.network.network_address
            and self.first_port == self.last_port == port
        )


_ENTRY = re.compile(
    r"(?:\[(?P<six>[0-9a-fA-F:./]+)\]|(?P<four>[0-9./]+)):(?P<first>\d{1,5})(?:-(?P<last>\d{1,5}))?"
)


def parse_allowed(entries: Iterable[str]) -> tuple[AllowedAddress, ...]:
    """Read lines such as `192.168.1.0/24:80-65535`, `127.0.0.1:5100`, `[fd12::/64]:80`.

    Raises ValueError, naming the line, for anything else: a list that is half understood is no list.
    """
    return tuple(_parse_entry(entry.strip()) for entry in entries if entry.strip())


def _parse_entry(entry: str) -> AllowedAddress:
    match = _ENTRY.fullmatch(entry)
    if match is None:
        raise ValueError(f"not of the form network:port or network:port-port: {entry!r}")
    network: Network = ip_network(match["six"] or match["four"])
    if (match["six"] is None) != isinstance(network, IPv4Network):
        raise ValueError(f"only IPv6 networks stand in brackets: {entry!r}")
    first = int(match["first"])
    last = int(match["last"] or first)
    if not 1 <= first <= last <= 65535:
        raise ValueError(f"ports go from 1 to 65535, the smaller first: {entry!r}")
    return AllowedAddress(network, first, last)


def check_address(ip: str | Address, port: int, allowed: Iterable[AllowedAddress]) -> Refusal | None:
    """`None` when a connection to this address and port may be made, else why not.

    A text must be an address in its ordinary spelling; names, hexadecimal and octal are not addresses.
    """
    if isinstance(ip, str):
        try:
            ip = ip_address(ip)
        except ValueError:
            return Refusal.NOT_AN_ADDRESS
    refusal = _refused_always(ip)
    if refusal is not None:
        return refusal
    if ip.is_loopback:
        # A whole network of loopback addresses would open every service of this computer.
        return None if any(entry.names_exactly(ip, port) for entry in allowed) else Refusal.LOOPBACK
    return None if any(entry.holds(ip, port) for entry in allowed) else Refusal.NOT_LISTED


def check_literal(host: str, port: int, allowed: Iterable[AllowedAddress]) -> Refusal | None:
    """As `check_address` for an address that is written out; `None` for a name, checked when it is looked up."""
    refusal = check_address(host, port, allowed)
    return None if refusal is Refusal.NOT_AN_ADDRESS else refusal


def _refused_always(ip: Address) -> Refusal | None:
    if ip in _METADATA:
        return Refusal.METADATA
    if isinstance(ip, IPv6Address):
        if ip.scope_id is not None:
            return Refusal.LINK_LOCAL
        if any(ip in network for network in _EMBEDDING):
            return Refusal.EMBEDDED_IPV4
        if ip in _COMPATIBLE and not (ip.is_loopback or ip.is_unspecified):
            return Refusal.EMBEDDED_IPV4
    if ip.is_unspecified or (isinstance(ip, IPv4Address) and ip in _THIS_NETWORK):
        return Refusal.UNSPECIFIED
    if ip.is_link_local:
        return Refusal.LINK_LOCAL
    if ip.is_multicast:
        return Refusal.MULTICAST
    if ip.is_reserved and not ip.is_loopback:  # Python counts ::1 among the reserved
        return Refusal.RESERVED
    return None


@dataclass(frozen=True, slots=True)
class Target:
    """A machine's address, taken apart and put together again without surprises."""

    scheme: str  # http or https
    host: str  # name or address, without brackets
    port: int
    prefix: str  # path before the machine's own paths, without a slash at its end

    @property
    def base(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.prefix}"


def parse_target(address: str) -> Target:
    """Take `http://host:port/prefix` apart. Raises ValueError with a short English reason.

    Only http and https; no user, password, query, fragment, spaces or control characters.
    """
    if not address or len(address) > 500 or any(ord(sign) <= 32 or sign == "\\" for sign in address):
        raise ValueError("empty, too long, or with signs that no address has")
    parts = urlsplit(address)  # raises ValueError for broken brackets
    if parts.scheme not in ("http", "https"):
        raise ValueError("neither http nor https")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a user or password in the address")
    if parts.query or parts.fragment or "?" in address or "#" in address:
        raise ValueError("a query or fragment in the address")
    if not parts.hostname:
        raise ValueError("no host")
    port = parts.port  # raises ValueError outside 0 to 65535
    if port is None:
        port = 443 if parts.scheme == "https" else 80
    if port == 0:
        raise ValueError("port 0")
    prefix = parts.path.rstrip("/")
    if any(piece in (".", "..") for piece in prefix.split("/")) or "%" in prefix:
        raise ValueError("a path that leads elsewhere")
    return Target(parts.scheme, parts.hostname, port, prefix)
