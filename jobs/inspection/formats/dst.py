"""Tajima DST: 512 bytes of header, records of three bytes, an end. It names no colour but in a late extension."""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..codes import finding
from ..findings import JSON, Finding, Report
from ..stitches import MOST_RECORDS, Design, Move, report
from ..threads import Thread, clean, thread

HEADER, RECORD = 512, 3
PADDING = b"\x00\x1a \r\n"
_LABEL = re.compile(rb"LA:[^\r\n]{0,60}[\r\n]")
_FIELD = re.compile(rb"([A-Z+-][A-Z]):([^\r\n\x1a]*)")
# How far each bit of the three bytes moves, x and y, in tenths of a millimetre: the ternary digits of the format.
_X = ((0, 0, 1), (0, 1, -1), (0, 2, 9), (0, 3, -9), (1, 0, 3), (1, 1, -3), (1, 2, 27), (1, 3, -27), (2, 2, 81),
      (2, 3, -81))  # fmt: skip
_Y = ((0, 7, 1), (0, 6, -1), (0, 5, 9), (0, 4, -9), (1, 7, 3), (1, 6, -3), (1, 5, 27), (1, 4, -27), (2, 5, 81),
      (2, 4, -81))  # fmt: skip
_KIND, _END = 0b1100_0011, 0b1111_0011
_STITCH, _JUMP, _CHANGE, _SEQUIN = 0b0000_0011, 0b1000_0011, 0b1100_0011, 0b0100_0011


def sniff(head: bytes) -> bool:
    """A header of printable text that begins with a label and tells the number of stitches."""
    text = head[:HEADER]
    return (
        _LABEL.match(text) is not None
        and b"ST:" in text
        and not any(b < 32 and b not in PADDING for b in text)
    )


def read(path: Path) -> tuple[Report, Design | None]:
    """The report of a DST file and its design, when it could be read.

    Facts: those of `stitches.report`, label, announced (stitches, by the header; None when it is silent). Raises
    nothing for bad content.
    """
    with path.open("rb") as stream:
        header = stream.read(HEADER)
        body = stream.read(RECORD * (MOST_RECORDS + 1))
    if len(header) < HEADER or len(body) < RECORD:
        return Report("dst", findings=(finding("truncated"),)), None
    if len(body) > RECORD * MOST_RECORDS:
        too_many = finding("too_many_stitches", stitches=len(body) // RECORD, most=MOST_RECORDS)
        return Report("dst", findings=(too_many,)), None
    records, bad = _records(body)
    if bad is not None:
        return Report("dst", findings=(bad,)), None
    told = {name.decode("ascii"): value for name, value in _FIELD.findall(header)}
    design, found = _design(records)
    announced = _number(told.get("ST", b""))
    facts: dict[str, JSON] = {"label": clean(told.get("LA", b"").decode("latin-1")), "announced": announced}
    counted = len(records)
    if announced is not None and abs(announced - counted) > 0.1 * counted + 20:
        found.append(finding("header_differs", announced=announced, found=counted))
    threads = _threads(header)
    design = Design(design.x, design.y, design.moves, threads, facts)
    measured = report("dst", design, found)
    return measured, (design if measured.size_mm is not None else None)


def _records(body: bytes) -> tuple[NDArray[np.uint8], Finding | None]:
    """The records before the end (n, 3), or what is wrong with them: no end, something after it, no records."""
    table = np.frombuffer(body[: len(body) - len(body) % RECORD], dtype=np.uint8).reshape(-1, RECORD)
    ends = np.flatnonzero((table[:, 2] & _END) == _END)
    whole = table[: ends[0]] if len(ends) else table
    wrong = (whole[:, 2] & 3) != 3
    for byte in (0, 1):
        wrong |= (whole[:, byte] & (whole[:, byte] >> 1) & 0b0101_0101) != 0
    wrong |= ((whole[:, 2] & 0b0000_1100) == 0b0000_1100) | ((whole[:, 2] & 0b0011_0000) == 0b0011_0000)
    if wrong.any():
        return whole, finding("data_damaged", record=int(np.argmax(wrong)) + 1)
    if not len(ends):
        return whole, finding("truncated")
    if body[(int(ends[0]) + 1) * RECORD :].strip(PADDING):
        return whole, finding("trailing_data")
    return whole, None


def _design(records: NDArray[np.uint8]) -> tuple[Design, list[Finding]]:
    bits = np.unpackbits(records, axis=1, bitorder="little").reshape(-1, RECORD, 8).astype(np.int64)
    dx, dy = (sum((bits[:, byte, bit] * far for byte, bit, far in table), np.zeros(len(records), np.int64))
              for table in (_X, _Y))  # fmt: skip
    kinds = records[:, 2] & _KIND
    moves = np.full(len(records), Move.STITCH, dtype=np.uint8)
    moves[kinds == _JUMP] = Move.JUMP
    moves[kinds == _CHANGE] = Move.CHANGE
    sequins = kinds == _SEQUIN
    moves[sequins] = Move.JUMP
    found = [finding("sequins_inside")] if sequins.any() else []
    return Design(np.cumsum(dx), np.cumsum(dy), moves), found


def _number(text: bytes) -> int | None:
    digits = text.strip()
    return int(digits) if digits.isdigit() and len(digits) < 10 else None


def _threads(header: bytes) -> tuple[Thread, ...]:
    """The threads of the extended header: `TC:#RRGGBB,name,number`."""
    threads = []
    for name, value in _FIELD.findall(header):
        if name == b"TC":
            parts = [*value.decode("utf-8", "replace").split(","), "", ""]
            threads.append(thread(parts[0].strip(), name=parts[1], code=parts[2]))
    return tuple(threads)
