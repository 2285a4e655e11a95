"""Brother PES, versions 1 to 10: what the machine sews stands in its PEC part; later versions name the threads."""

import re
from pathlib import Path

import numpy as np

from ..codes import finding
from ..findings import Finding, Report
from ..stitches import MOST_RECORDS, Design, Move, report
from ..threads import Thread, clean, thread

MOST_BYTES = 32_000_000
PEC_HEADER, PEC_STITCHES = 512, 528  # of the PEC part: its header ends, its moves begin
MOST_THREADS = 256
_MAGIC = re.compile(rb"#PES[0-9]{4}")
BRAND = "Brother"
# The machine's own threads by number, from 1: three bytes a colour.
PALETTE = bytes.fromhex(
    "0e1f7c 0a55a3 008777 4b6baf ed171f d15c00 913697 e49acb 915fac 9ed67d e8a900 feba35 ffff00 70bc1f "
    "ba9800 a8a8a8 7d6f00 ffffb3 4f5556 000000 0b3d91 770176 293133 2a1301 f64a8a b27624 fcbbc5 fe370f "
    "f0f0f0 6a1c8a a8ddc4 2584bb feb343 fff36b d0a660 d15400 66ba49 134a46 878787 d8ccc6 435607 fdd9de "
    "f993bc 003822 b2afd4 686ab0 efe3b9 f73866 b54b64 132b1a c70156 fe9e32 a8deeb 00673e 4e2990 2f7e20 "
    "ffcccc ffd911 095ba6 f0f970 e3f35b ff9900 fff08d ffc8c8 "
)
# Where the header's texts lie: bytes to skip before and after the name of the hoop (from version 9), before and after
# the name of the picture.
_SKIPS: dict[int, tuple[int, int, int]] = {50: (0, 24, 24), 55: (0, 24, 24), 56: (0, 24, 24), 60: (0, 36, 24),
          70: (0, 36, 24), 80: (0, 38, 26), 90: (14, 30, 34), 100: (14, 38, 34)}  # fmt: skip


class Unreadable(Exception):
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding


def sniff(head: bytes) -> bool:
    return _MAGIC.match(head) is not None


def read(path: Path) -> tuple[Report, Design | None]:
    """The report of a PES file and its design, when it could be read.

    Facts: those of `stitches.report`, label, version. Raises nothing for bad content.
    """
    with path.open("rb") as stream:
        data = stream.read(MOST_BYTES + 1)
    try:
        if len(data) > MOST_BYTES:
            raise Unreadable(finding("unreadable", why="too_complex"))
        design = _design(data)
    except Unreadable as bad:
        return Report("pes", findings=(bad.finding,)), None
    measured = report("pes", design)
    return measured, (design if measured.size_mm is not None else None)


def _design(data: bytes) -> Design:
    start = int.from_bytes(data[8:12], "little")
    if len(data) < 12 or start + PEC_STITCHES >= len(data):
        raise Unreadable(finding("truncated"))
    pec = data[start:]
    if not pec.startswith(b"LA:"):
        raise Unreadable(finding("data_damaged", record=0))
    block_end = PEC_HEADER + int.from_bytes(pec[514:517], "little")
    if block_end > len(pec):
        raise Unreadable(finding("truncated"))
    x, y, moves = _moves(pec)
    version = int(data[4:8])
    used = list(pec[49 : 49 + pec[48] + 1]) if pec[48] != 0xFF else []
    threads = _threads(used, _named(data, version, start))
    label = clean(pec[3:19].decode("latin-1"))
    return Design(
        np.array(x, dtype=np.int64),
        -np.array(y, dtype=np.int64),  # the file counts towards the person
        np.array(moves, dtype=np.uint8),
        threads,
        {"label": label, "version": version},
    )


def _moves(pec: bytes) -> tuple[list[int], list[int], list[int]]:
    """Every move to the end mark. Raises Unreadable when there is none, or a byte that means nothing."""
    xs, ys, moves = [0], [0], [int(Move.JUMP)]
    x = y = 0
    at, end = PEC_STITCHES, len(pec)
    while at < end:
        first = pec[at]
        if first == 0xFF:
            return xs, ys, moves
        if first == 0xFE and pec[at + 1 : at + 2] == b"\xb0":
            xs.append(x)
            ys.append(y)
            moves.append(Move.CHANGE)
            at += 3
            continue
        kind = Move.STITCH
        step = [0, 0]
        for axis in (0, 1):
            value = pec[at] if at < end else -1
            if value >= 0x80:
                if value & 0x40:
                    raise Unreadable(finding("data_damaged", record=len(moves)))
                if value & 0x20:
                    kind = Move.TRIM
                elif value & 0x10:
                    kind = Move.JUMP
                value = (value & 0x0F) << 8 | (pec[at + 1] if at + 1 < end else 0)
                step[axis] = value - 0x1000 if value > 0x7FF else value
                at += 2
            else:
                step[axis] = value - 0x80 if value > 63 else value
                at += 1
        x, y = x + step[0], y + step[1]
        xs.append(x)
        ys.append(y)
        moves.append(kind)
        if len(moves) > MOST_RECORDS:
            raise Unreadable(finding("too_many_stitches", stitches=len(moves), most=MOST_RECORDS))
    raise Unreadable(finding("truncated"))


def _threads(used: list[int], named: list[Thread]) -> tuple[Thread, ...]:
    """One thread a block: as named in the header, in order or one for each number, else the machine's own."""
    if used and len(named) >= len(used):
        return tuple(named[: len(used)])
    spare = iter(named)
    of: dict[int, Thread] = {}
    for number in used:
        if number not in of:
            of[number] = next(spare, None) or _own(number)
    return tuple(of[number] for number in used)


def _own(number: int) -> Thread:
    index = number % (len(PALETTE) // 3 + 1)
    colour = PALETTE[3 * (index - 1) : 3 * index].hex()
    return thread(f"#{colour}", brand=BRAND, code=f"{index:03d}") if index else Thread()


def _named(data: bytes, version: int, end: int) -> list[Thread]:
    """The threads that the header of version 5 and later names; none when it holds what is not understood."""
    skips = _SKIPS.get(version)
    if skips is None:
        return []
    header = _Header(data, 16, end)
    for _ in range(5):  # name, category, author, keywords, comments
        header.text()
    hoop, picture, rest = skips
    if hoop:
        header.skip(hoop)
        header.text()
    header.skip(picture)
    header.text()
    header.skip(rest)
    if any(
        header.number(2) for _ in range(3)
    ):  # fills, motifs, feathers of its own: their length is not told
        return []
    count = header.number(2)
    if count > MOST_THREADS:
        return []
    threads = []
    for _ in range(count):
        code = header.text()
        colour = header.bytes(3)
        header.skip(5)
        name, brand, _chart = header.text(), header.text(), header.text()
        threads.append(thread(f"#{colour.hex()}", brand=brand, code=code, name=name))
    return [] if header.beyond else threads


class _Header:
    """Reads fields one after the other; past the end everything is empty and `beyond` is true."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self._data, self._at, self._end = data, at, end
        self.beyond = False

    def bytes(self, count: int) -> bytes:
        piece = self._data[self._at : min(self._at + count, self._end)]
        self._at += count
        self.beyond = self.beyond or len(piece) < count
        return piece

    def skip(self, count: int) -> None:
        self.bytes(count)

    def number(self, count: int) -> int:
        return int.from_bytes(self.bytes(count), "little")

    def text(self) -> str:
        """A text behind a byte that says its length."""
        return self.bytes(self.number(1)).decode("utf-8", "replace")
