"""What a file looks like from its first bytes. Content decides; the name only has to agree."""

import re
import unicodedata
from typing import NamedTuple


class Signature(NamedTuple):
    looks_like: str
    start: re.Pattern[bytes]


def _s(looks_like: str, pattern: bytes) -> Signature:
    return Signature(looks_like, re.compile(pattern, re.DOTALL | re.IGNORECASE))


# Order matters: the first that fits wins. A foreign signature counts even in front of bytes that would otherwise
# parse: a file that two programs read differently is refused.
SIGNATURES: tuple[Signature, ...] = (
    _s("png", rb"\x89PNG\r\n\x1a\n"),
    _s("jpeg", rb"\xff\xd8\xff"),
    _s("gif", rb"GIF8[79]a"),
    _s("webp", rb"RIFF....WEBP"),
    _s("bmp", rb"BM.{4}\0\0\0\0"),
    _s("zip", rb"PK(\x03\x04|\x05\x06|\x07\x08)"),
    _s("rar", rb"Rar!\x1a\x07"),
    _s("7z", rb"7z\xbc\xaf\x27\x1c"),
    _s("gzip", rb"\x1f\x8b\x08"),
    _s("pdf", rb".{0,1000}%PDF-"),
    _s("elf", rb"\x7fELF"),
    _s("exe", rb"MZ.{56,1000}PE\0\0"),
    _s("script", rb"#!\s*/"),
    _s("binary gcode", rb"GCDE"),
    _s(
        "html",
        rb"(\xef\xbb\xbf)?\s*(<!--.{0,400}?-->\s*)?<(!doctype\s+html|html|head|body|script|iframe|table)\b",
    ),
    _s(
        "svg",
        rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml.{0,400}?\?>\s*)?"
        rb"(?:<!--(?:(?!-->).){0,1000}-->\s*)*(?:<!doctype\s+svg\b|<(?:svg:)?svg\b)",
    ),
    _s("xml", rb"(\xef\xbb\xbf)?\s*<\?xml\b"),
    _s("php", rb"\s*<\?php\b"),
)


def looks_like(head: bytes) -> str | None:
    """The name of the foreign or known signature at the start of `head`, or None."""
    return next((one.looks_like for one in SIGNATURES if one.start.match(head)), None)


def misleading(name: str) -> bool:
    """True for a name that reads differently from what it is: direction overrides, control or invisible characters."""
    return any(unicodedata.category(one) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"} for one in name)


def ending(name: str) -> str:
    """The last ending of a name, lower case and without its dot; "" when it has none."""
    stem, dot, last = name.rpartition(".")
    return last.strip().lower() if dot and stem else ""
