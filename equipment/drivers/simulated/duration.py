"""How long a file takes, as its slicer wrote into it. A guess by its size where nothing is said."""

import re
from typing import BinaryIO

LOOKED_AT = 256 * 1024  # bytes at each end: slicers write it first or last
BYTES_A_SECOND = 512  # of a file that says nothing
SHORTEST_S, LONGEST_S = 10, 7 * 24 * 3600

_CURA = re.compile(rb"^;TIME:(\d{1,7})", re.MULTILINE)
_PRUSA = re.compile(
    rb"^; estimated printing time[^=\n]*=(?: *(\d{1,3})d)?(?: *(\d{1,2})h)?(?: *(\d{1,2})m)?(?: *(\d{1,2})s)?",
    re.MULTILINE,
)
_UNITS = (24 * 3600, 3600, 60, 1)


def seconds_of(file: BinaryIO, size: int) -> int:
    """Seconds of work, between ten and a week."""
    file.seek(0)
    text = file.read(LOOKED_AT)
    if size > LOOKED_AT:
        file.seek(max(LOOKED_AT, size - LOOKED_AT))
        text += b"\n" + file.read(LOOKED_AT)
    found = 0
    if match := _CURA.search(text):
        found = int(match[1])
    elif match := _PRUSA.search(text):
        found = sum(int(part or 0) * unit for part, unit in zip(match.groups(), _UNITS, strict=True))
    return min(max(found or size // BYTES_A_SECOND, SHORTEST_S), LONGEST_S)
