"""Reading what a stranger wrote: JSON, numbers, texts, paths. Pure, and for every driver."""

import json
import math
import unicodedata
from typing import Any, Never


def read_json(text: bytes | str) -> Any:
    """Parse JSON from a stranger. Raises ValueError for everything that is not plain JSON."""
    try:
        # Made once: every report of every machine comes through here.
        return _JSON.decode(text if isinstance(text, str) else text.decode())
    except RecursionError as problem:
        raise ValueError("nested too deeply") from problem


def _no_number(word: str) -> Never:
    raise ValueError(f"{word} is not a number of JSON")


_JSON = json.JSONDecoder(parse_constant=_no_number)


def finite(value: object) -> float | None:
    """A number of a stranger as a float; `None` for anything else, also for infinite ones and booleans."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


_UNREADABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})  # control characters, halves of characters, line ends
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # make text read differently


def _readable(sign: str) -> bool:
    return unicodedata.category(sign) not in _UNREADABLE and sign not in _TURNING


def _all_readable(text: str) -> bool:
    return (text.isascii() and text.isprintable()) or all(map(_readable, text))


def text_of(value: object, longest: int) -> str | None:
    """A stranger's text, shortened and made harmless; `None` for anything else or nothing."""
    if not isinstance(value, str):
        return None
    cut = value[:longest]
    if _all_readable(cut):
        return cut.strip() or None
    return "".join(sign if _readable(sign) else " " for sign in cut).strip() or None


def path_of(value: object, longest: int = 1024) -> str | None:
    """A stranger's path, unchanged because it has to be given back as it came; `None` if that is unsafe."""
    if not isinstance(value, str) or not 0 < len(value) <= longest or not _all_readable(value):
        return None
    return value
