"""What RFC 5545 asks of a calendar of events, read by hand: a second opinion beside the library that wrote it."""

import re
from collections.abc import Iterator

NAME = r"[A-Z0-9-]+"
VALUE = r'(?:"[^"\x00-\x08\x0a-\x1f\x7f]*"|[^";:,\x00-\x08\x0a-\x1f\x7f]*)'
LINE = re.compile(rf"({NAME})((?:;{NAME}={VALUE}(?:,{VALUE})*)*):([^\x00-\x08\x0a-\x1f\x7f]*)")
UTC = re.compile(r"\d{8}T\d{6}Z")
TEXT = re.compile(r"(?:[^\\;,]|\\[\\;,nN])*")  # 3.3.11: what is set off by a backslash, and nothing else
TEXTS = ("SUMMARY", "LOCATION", "DESCRIPTION", "UID", "NAME", "X-WR-CALNAME")
TIMES = ("DTSTAMP", "DTSTART", "DTEND", "CREATED", "LAST-MODIFIED")
STATUSES = ("TENTATIVE", "CONFIRMED", "CANCELLED")  # 3.8.1.11
OCTETS = 75  # 3.1: of a line, without its end


class Wrong(Exception):
    """What is wrong with a calendar."""


def events_in(body: bytes) -> list[dict[str, str]]:
    """Return each event's properties as they stand there. Raises ``Wrong``."""
    lines = list(_lines(body))
    _must(lines[0] == ("BEGIN", "VCALENDAR") and lines[-1] == ("END", "VCALENDAR"), "one calendar")
    inside: list[str] = []
    found: list[dict[str, str]] = []
    own: list[str] = []
    for name, value in lines:
        if name == "BEGIN":
            inside.append(value)
            if value == "VEVENT":
                _must(inside == ["VCALENDAR", "VEVENT"], "an event stands in a calendar")
                found.append({})
        elif name == "END":
            _must(inside.pop() == value, f"{value} ends that did not begin")
        elif inside[-1] == "VEVENT":
            _must(name not in found[-1], f"{name} stands there once")
            found[-1][name] = value
        elif inside == ["VCALENDAR"]:
            own.append(name)
    _must(own.count("PRODID") == own.count("VERSION") == 1, "3.6: PRODID and VERSION, once each")
    _must(sum(name == "BEGIN" for name, _ in lines) > 1, "3.6: one component at least")
    for event in found:
        _look_at(event)
    _must(len({event["UID"] for event in found}) == len(found), "3.8.4.7: each its own UID")
    return found


def _lines(body: bytes) -> Iterator[tuple[str, str]]:
    _must(body.endswith(b"\r\n"), "3.1: every line ends")
    rows = body[:-2].split(b"\r\n")
    for row in rows:
        _must(len(row) <= OCTETS, "3.1: 75 octets")
        _must(not set(row) & {10, 13}, "3.1: lines end with CRLF and nothing else")
        row.decode()  # 3.1 lets a sign be cut in two, and programs stumble
    for line in re.sub(rb"\r\n[ \t]", b"", body[:-2]).split(b"\r\n"):
        matched = LINE.fullmatch(line.decode())
        _must(matched is not None, f"a line: {line!r}")
        assert matched is not None
        if matched[1] in TEXTS:
            _must(TEXT.fullmatch(matched[3]) is not None, f"a text: {line!r}")
        yield matched[1], matched[3]


def _look_at(event: dict[str, str]) -> None:
    _must({"UID", "DTSTAMP", "DTSTART"} <= event.keys(), "3.6.1: UID, DTSTAMP and DTSTART")
    for name in TIMES:
        _must(UTC.fullmatch(event.get(name, "20310101T000000Z")) is not None, f"3.3.5: {name} in UTC")
    _must(event["DTSTART"] < event["DTEND"], "3.8.2.2: it ends after it begins")
    _must(event["STATUS"] in STATUSES, "3.8.1.11: STATUS")
    _must(event["TRANSP"] in {"OPAQUE", "TRANSPARENT"}, "3.8.2.7: TRANSP")
    _must(event["SEQUENCE"].isdigit(), "3.8.7.4: SEQUENCE")
    _must(event["URL"].startswith(("https://", "http://")), "3.8.4.6: URL")


def _must(holds: bool, what: str) -> None:
    if not holds:
        raise Wrong(what)
