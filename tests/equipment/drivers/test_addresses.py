"""Which addresses may be reached (SEC-3): the decision itself, without any network."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipment.drivers.addresses import Refusal, check_address, parse_allowed, parse_target

LAB = parse_allowed(
    ["192.168.1.0/24:80-65535", "10.20.0.7:5000", "127.0.0.1:5100", "[::1]:5100", "[fd12:3456::/32]:80"]
)
# Whoever lists too much must still not open what is refused always.
EVERYTHING = parse_allowed(["0.0.0.0/0:1-65535", "[::/0]:1-65535"])

REFUSED = [
    # another spelling of this computer, and other ways to it
    ("127.0.0.1", 5101, Refusal.LOOPBACK),
    ("127.0.0.1", 80, Refusal.LOOPBACK),
    ("127.0.0.2", 5100, Refusal.LOOPBACK),
    ("127.255.255.254", 5100, Refusal.LOOPBACK),
    ("::1", 5432, Refusal.LOOPBACK),
    ("0x7f000001", 5100, Refusal.NOT_AN_ADDRESS),
    ("2130706433", 5100, Refusal.NOT_AN_ADDRESS),
    ("017700000001", 5100, Refusal.NOT_AN_ADDRESS),
    ("0177.0.0.1", 5100, Refusal.NOT_AN_ADDRESS),
    ("127.1", 5100, Refusal.NOT_AN_ADDRESS),
    ("127.0.0.1 ", 5100, Refusal.NOT_AN_ADDRESS),
    ("localhost", 5100, Refusal.NOT_AN_ADDRESS),
    ("", 5100, Refusal.NOT_AN_ADDRESS),
    ("0.0.0.0", 5100, Refusal.UNSPECIFIED),
    ("0.1.2.3", 80, Refusal.UNSPECIFIED),
    ("::", 80, Refusal.UNSPECIFIED),
    # IPv4 inside IPv6
    ("::ffff:127.0.0.1", 5100, Refusal.EMBEDDED_IPV4),
    ("::ffff:7f00:1", 5100, Refusal.EMBEDDED_IPV4),
    ("::ffff:192.168.1.5", 80, Refusal.EMBEDDED_IPV4),
    ("::127.0.0.1", 5100, Refusal.EMBEDDED_IPV4),
    ("::ffff:0:127.0.0.1", 80, Refusal.EMBEDDED_IPV4),
    ("64:ff9b::7f00:1", 80, Refusal.EMBEDDED_IPV4),
    ("64:ff9b:1::a00:1", 80, Refusal.EMBEDDED_IPV4),
    ("2002:7f00:1::", 80, Refusal.EMBEDDED_IPV4),
    ("2001:0:53aa:64c:0:5efe:7f00:1", 80, Refusal.EMBEDDED_IPV4),
    # metadata of clouds
    ("169.254.169.254", 80, Refusal.METADATA),
    ("100.100.100.200", 80, Refusal.METADATA),
    ("168.63.129.16", 80, Refusal.METADATA),
    ("fd00:ec2::254", 80, Refusal.METADATA),
    ("fd20:ce::254", 80, Refusal.METADATA),
    # links, groups, nobody
    ("169.254.0.1", 80, Refusal.LINK_LOCAL),
    ("fe80::1", 80, Refusal.LINK_LOCAL),
    ("fe80::1%eth0", 80, Refusal.LINK_LOCAL),
    ("fd12:3456::1%eth0", 80, Refusal.LINK_LOCAL),
    ("224.0.0.251", 5353, Refusal.MULTICAST),
    ("239.255.255.250", 1900, Refusal.MULTICAST),
    ("ff02::1", 80, Refusal.MULTICAST),
    ("255.255.255.255", 80, Refusal.RESERVED),
    ("240.0.0.1", 80, Refusal.RESERVED),
]
NOT_LISTED = [
    ("192.168.2.1", 80),
    ("192.168.1.5", 79),
    ("192.168.1.5", 22),
    ("10.20.0.7", 5001),
    ("10.20.0.8", 5000),
    ("8.8.8.8", 80),
    ("fd12:3457::1", 80),
    ("fd12:3456::1", 81),
    ("2606:4700:4700::1111", 443),
]


@pytest.mark.parametrize(("ip", "port", "why"), REFUSED)
def test_dangerous_addresses_are_refused_whatever_the_list_says(ip: str, port: int, why: Refusal) -> None:
    assert check_address(ip, port, LAB) is why
    assert check_address(ip, port, EVERYTHING) is why


@pytest.mark.parametrize(("ip", "port"), NOT_LISTED)
def test_what_no_line_names_is_refused(ip: str, port: int) -> None:
    assert check_address(ip, port, LAB) is Refusal.NOT_LISTED


@pytest.mark.parametrize(
    ("ip", "port"),
    [
        ("192.168.1.1", 80),
        ("192.168.1.254", 65535),
        ("10.20.0.7", 5000),
        ("127.0.0.1", 5100),
        ("::1", 5100),
        ("fd12:3456:1::9", 80),
    ],
)
def test_what_a_line_names_is_allowed(ip: str, port: int) -> None:
    assert check_address(ip, port, LAB) is None


@pytest.mark.parametrize("line", ["127.0.0.0/8:5100", "127.0.0.1:5000-6000", "0.0.0.0/0:1-65535"])
def test_loopback_is_opened_by_one_address_with_one_port_only(line: str) -> None:
    assert check_address("127.0.0.1", 5100, parse_allowed([line])) is Refusal.LOOPBACK


def test_an_empty_list_allows_nothing() -> None:
    assert check_address("192.168.1.5", 80, parse_allowed(["", "  "])) is Refusal.NOT_LISTED


@pytest.mark.parametrize(
    "line",
    [
        "192.168.1.0/24",
        "192.168.1.0/24:",
        "192.168.1.0/24:0",
        "192.168.1.0/24:65536",
        "192.168.1.0/24:90-80",
        "192.168.1.5/24:80",  # a network's address has no bits beyond its mask
        "192.168.1.0/33:80",
        "fd12::/64:80",
        "[192.168.1.0/24]:80",
        "octopi.local:80",
        "*:80",
        "192.168.1.0/24:80 10.0.0.0/8:80",
    ],
)
def test_a_line_that_cannot_be_read_is_an_error_that_names_it(line: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_allowed([line])


@given(st.ip_addresses(), st.integers(1, 65535))
def test_whatever_is_allowed_is_named_by_the_list(ip: object, port: int) -> None:
    if check_address(str(ip), port, LAB) is None:
        assert any(entry.holds(ip, port) for entry in LAB)  # type: ignore[arg-type]  # what hypothesis gives


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("http://192.168.1.5", "http://192.168.1.5:80"),
        ("https://octopi.local", "https://octopi.local:443"),
        ("http://192.168.1.5:5000/", "http://192.168.1.5:5000"),
        ("http://lab/octoprint1/", "http://lab:80/octoprint1"),
        ("http://[fd12::5]:8080", "http://[fd12::5]:8080"),
    ],
)
def test_an_address_is_taken_apart_and_put_together(address: str, base: str) -> None:
    assert parse_target(address).base == base


@pytest.mark.parametrize(
    "address",
    [
        "",
        "192.168.1.5",
        "ftp://192.168.1.5",
        "file:///etc/passwd",
        "gopher://192.168.1.5",
        "http://",
        "http://user:secret@192.168.1.5",
        "http://192.168.1.5@127.0.0.1",
        "http://192.168.1.5/?key=1",
        "http://192.168.1.5/?",
        "http://192.168.1.5/#part",
        "http://192.168.1.5:0",
        "http://192.168.1.5:70000",
        "http://192.168.1.5\\@127.0.0.1",
        "http://192.168.1.5/\r\nX-Api-Key: stolen",
        "http://192.168.1.5/../api",
        "http://192.168.1.5/%2e%2e/api",
        "http://[fd12::5",
        "http://" + "a" * 600,
    ],
)
def test_an_address_with_more_than_scheme_host_port_and_path_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_target(address)
