"""Embroidery files of our own: writers of the formats' bare bones, designs from a seed, and what goes wrong."""

import math
import random
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from jobs.inspection.limits import Frame, ModelLimits

from .corpus import Sample
from .models import PAGE, small_png

EMBROIDERY = ModelLimits(
    bed_mm=(180.0, 130.0),
    height_mm=1.0,
    formats=("dst", "pes"),
    frames=(Frame("180x130", 180.0, 130.0), Frame("100x100", 100.0, 100.0)),
    max_stitches=60_000,
    max_colours=9,
    rpm=600.0,
)
# A move is (what, dx, dy) in tenths of a millimetre, y away from the person.
Move = tuple[str, int, int]
Design = list[Move]
STITCH, JUMP, CHANGE, TRIM = "stitch", "jump", "change", "trim"
REACH = 121  # of one record of a DST file


def bands(
    width: float = 60.0, height: float = 60.0, colours: int = 3, stitch: float = 2.5, row: float = 0.8
) -> Design:
    """Bands of zigzag rows, one colour each, centred on the start; lengths in millimetres."""
    design: Design = []
    x = y = 0
    columns = max(1, round(width / stitch))
    for colour in range(colours):
        if colour:
            design.append((CHANGE, 0, 0))
        rows = max(1, round(height / colours / row))
        for line in range(rows + 1):
            to_y = round(10 * (-height / 2 + height * (colour + line / rows) / colours))
            order = range(columns + 1) if line % 2 == 0 else range(columns, -1, -1)
            for column in order:
                to_x = round(10 * (-width / 2 + width * column / columns))
                far = not design or design[-1][0] == CHANGE
                design += _reach(to_x - x, to_y - y, jumps=far)
                x, y = to_x, to_y
    return design


def wandering(seed: int, stitches: int = 800) -> Design:
    """A walk of stitches, jumps and colour changes by chance, within 90 mm."""
    chance = random.Random(seed)
    design: Design = []
    x = y = 0
    for _ in range(stitches):
        kind = chance.choices((STITCH, JUMP, CHANGE), (20, 2, 0.1))[0]
        if kind == CHANGE:
            design.append((CHANGE, 0, 0))
            continue
        dx, dy = (chance.randint(-60, 60) for _ in range(2))
        dx, dy = (one if abs(at + one) <= 450 else -one for one, at in ((dx, x), (dy, y)))
        x, y = x + dx, y + dy
        design.append((kind, dx, dy))
    return [*design, *((STITCH, step, 0) for step in (20, -20) * 12)]


def _reach(dx: int, dy: int, *, jumps: bool) -> Design:
    """One move, or several jumps where one record does not reach."""
    pieces = max(1, math.ceil(max(abs(dx), abs(dy)) / REACH))
    ends = [(round(dx * n / pieces), round(dy * n / pieces)) for n in range(pieces + 1)]
    moves = [(JUMP, b[0] - a[0], b[1] - a[1]) for a, b in pairwise(ends)]
    return [*moves, (STITCH, 0, 0)] if jumps or pieces > 1 else [(STITCH, dx, dy)]


def box_of(design: Design) -> tuple[int, int, int, int]:
    """Left, bottom, right, top of all places of the design, the start among them, in tenths of a millimetre."""
    xs, ys, x, y = [0], [0], 0, 0
    for _, dx, dy in design:
        x, y = x + dx, y + dy
        xs.append(x)
        ys.append(y)
    return min(xs), min(ys), max(xs), max(ys)


# --- Tajima ---------------------------------------------------------------------------------------------------------

_DIGITS_X = ((81, 2, 2, 3), (27, 1, 2, 3), (9, 0, 2, 3), (3, 1, 0, 1), (1, 0, 0, 1))
_DIGITS_Y = ((81, 2, 5, 4), (27, 1, 5, 4), (9, 0, 5, 4), (3, 1, 7, 6), (1, 0, 7, 6))
_KINDS = {STITCH: 0x03, JUMP: 0x83, TRIM: 0x83, CHANGE: 0xC3, "sequin": 0x43}
DST_END = b"\x00\x00\xf3"


def dst_record(kind: str, dx: int, dy: int) -> bytes:
    record = [0, 0, _KINDS[kind]]
    for left, digits in ((dx, _DIGITS_X), (dy, _DIGITS_Y)):
        for worth, byte, plus, minus in digits:
            if abs(left) > worth // 2:
                record[byte] |= 1 << (plus if left > 0 else minus)
                left -= worth if left > 0 else -worth
        assert left == 0
    return bytes(record)


def dst(
    design: Design,
    *,
    label: str = "sample",
    announced: int | None = None,
    threads: Sequence[tuple[str, str, str]] = (),
    end: bytes = DST_END,
) -> bytes:
    left, bottom, right, top = box_of(design)
    count = len(design) if announced is None else announced
    changes = sum(kind == CHANGE for kind, _, _ in design)
    header = f"LA:{label:<16.16}\rST:{count:>7}\rCO:{changes:>3}\r+X:{right:>5}\r-X:{-left:>5}\r+Y:{top:>5}\r"
    header += f"-Y:{-bottom:>5}\rAX:+    0\rAY:+    0\rMX:+    0\rMY:+    0\rPD:******\r"
    header += "".join(f"TC:{colour},{name},{code}\r" for colour, name, code in threads)
    body = b"".join(dst_record(*move) for move in design)
    return (header.encode("latin-1") + b"\x1a").ljust(512, b" ") + body + end


# --- Brother --------------------------------------------------------------------------------------------------------


def _pec_number(value: int, flag: int = 0) -> bytes:
    if flag == 0 and -64 <= value <= 63:
        return bytes([value & 0x7F])
    return ((0x8000 | flag << 8) | value & 0xFFF).to_bytes(2, "big")


def pec(design: Design, used: Sequence[int], *, end: bytes = b"\xff", length: int | None = None) -> bytes:
    """The part of the file that the machine sews: header, moves, and a picture of nothing."""
    colours = bytes([len(used) - 1, *used]) if used else b"\xff"
    header = b"LA:" + b"sample".ljust(16) + b"\r" + b" " * 12 + b"\xff\x00\x06\x26" + b" " * 12 + colours
    body = b""
    for kind, dx, dy in design:
        if kind == CHANGE:
            body += b"\xfe\xb0\x01"
        else:
            flag = {STITCH: 0, JUMP: 0x10, TRIM: 0x20}[kind]
            body += _pec_number(dx, flag) + _pec_number(-dy, flag)
    told = len(body) + 17 if length is None else length
    frame = b"\x00\x00" + told.to_bytes(3, "little") + b"\x31\xff\xf0" + bytes(8)
    picture = bytes(6 * 38) * (len(used) + 1)
    return header.ljust(512, b" ") + frame + body + end + picture


def _text(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def pes(
    design: Design,
    *,
    version: int = 1,
    threads: Sequence[tuple[str, str, str, str]] = (),
    used: Sequence[int] | None = None,
    end: bytes = b"\xff",
    length: int | None = None,
) -> bytes:
    """`threads` are (colour, brand, code, name), told from version 5 on; `used` the numbers of the machine's own."""
    changes = sum(kind == CHANGE for kind, _, _ in design)
    numbers = list(used) if used is not None else [5 + index for index in range(changes + 1)]
    header = b""
    if version >= 50:
        header = bytes(4) + b"".join(_text(one) for one in ("sample", "", "", "", ""))
        header += bytes(36 if version >= 60 else 24) + _text("") + bytes(24) + bytes(6)
        header += len(threads).to_bytes(2, "little")
        for colour, brand, code, name in threads:
            header += _text(code) + bytes.fromhex(colour.removeprefix("#")) + bytes(5)
            header += _text(name) + _text(brand) + _text("")
        header += bytes(9)
    start = (12 + len(header)).to_bytes(4, "little")
    sewn = pec(design, numbers, end=end, length=length)
    return b"#PES" + f"{version:04d}".encode() + start + header + sewn


# --- the samples ----------------------------------------------------------------------------------------------------

RED, BLUE = ("#d1481f", "Madeira", "1765", "Brique"), ("#1f3f8b", "Madeira", "1134", "Nuit")


def samples() -> list[Sample]:
    return [*_good(), *_broken(), *_unfit(), *_odd(), *_pictures(), *_disguised()]


def _sample(
    name: str, data: bytes, about: str, *codes: str, asks: Sequence[str] = (), **facts: object
) -> Sample:
    return Sample(
        name, data, about, blocks=frozenset(codes), asks=frozenset(asks), facts=facts, machine=EMBROIDERY
    )


def _good() -> Iterator[Sample]:
    badge = bands()
    whole: dict[str, Any] = {"size_mm": [60, 60, 0], "colours": 3, "changes": 2, "estimated": True}
    yield _sample("badge.dst", dst(badge), "three bands of 60 mm", **whole, label="sample")
    yield _sample(
        "badge_threads.dst",
        dst(badge, threads=[("#d1481f", "Brique", "1765"), ("#1F3F8B", "Nuit", "1134"), ("red", "?", "")]),
        "the late header that names threads, one of them wrongly",
        **whole,
    )
    yield _sample(
        "badge.pes", pes(badge), "the oldest version: the machine's own threads", **whole, version=1
    )
    yield _sample(
        "badge_v5.pes", pes(badge, version=50, threads=[RED, BLUE, RED]), "version 5", **whole, version=50
    )
    yield _sample(
        "badge_v6.pes", pes(badge, version=60, threads=[RED, BLUE, RED]), "version 6", **whole, version=60
    )
    yield _sample(
        "badge_padded.dst", dst(badge, end=DST_END + b"\x1a" * 100), "filled up after its end", **whole
    )
    yield _sample(
        "far.dst",
        dst([*_reach(-200, 300, jumps=True), *bands(40, 40)]),
        "it starts beside its middle",
        size_mm=[40, 40, 0],
    )
    yield _sample(
        "large.pes", pes(bands(178, 128, 2, 3.0, 1.6)), "just inside the large frame", size_mm=[178, 128, 0]
    )
    yield _sample("single.dst", dst(bands(30, 20, 1)), "one colour", colours=1, changes=0)
    for seed in range(3):
        yield _sample(f"walk_{seed}.dst", dst(wandering(seed)), "stitches, jumps and changes by chance")


def _broken() -> Iterator[Sample]:
    badge = bands()
    whole, brother = dst(badge), pes(badge)
    yield _sample("empty.dst", b"", "nothing at all", "empty_file")
    yield _sample("empty.pes", b"", "nothing at all", "empty_file")
    yield _sample("header_only.dst", whole[:512], "a header without stitches", "truncated")
    yield _sample("cut_header.dst", whole[:300], "half a header", "truncated")
    yield _sample("cut.dst", whole[: len(whole) // 2], "a download that stopped", "truncated")
    yield _sample("no_end.dst", dst(badge, end=b""), "without its end", "truncated")
    yield _sample(
        "damaged.dst",
        whole[:899] + b"\x00\x00\x00" + whole[902:],
        "a record that means nothing",
        "data_damaged",
    )
    yield _sample(
        "both_ways.dst", whole[:515] + b"\x03\x00\x03" + whole[518:], "left and right at once", "data_damaged"
    )
    yield _sample("tail.dst", whole + b"and more", "words after the end", "trailing_data")
    yield _sample("no_stitch.dst", dst([(JUMP, 100, 0)] * 30), "it only jumps", "no_stitch")
    yield _sample("no_stitch.pes", pes([(JUMP, 100, 0)] * 30), "it only jumps", "no_stitch")
    yield _sample("cut.pes", brother[: len(brother) // 2], "a download that stopped", "truncated")
    yield _sample("cut_early.pes", brother[:300], "cut before its stitches", "truncated")
    yield _sample("cut_first.pes", brother[:10], "only its first word", "truncated")
    yield _sample("no_end.pes", pes(badge, end=b"")[: -6 * 38 * 4], "without its end", "truncated")
    yield _sample(
        "length_lies.pes", pes(badge, length=9_000_000), "longer by its own word than it is", "truncated"
    )
    yield _sample(
        "elsewhere.pes", brother[:8] + b"\x20\x00\x00\x00" + brother[12:], "it points beside", "data_damaged"
    )
    yield _sample(
        "damaged.pes",
        brother[:700] + b"\xc1\xc1" + brother[702:],
        "a byte that means nothing",
        "data_damaged",
    )
    yield _sample(
        "absurd.dst",
        dst([(JUMP, 121, 0)] * 400 + [(STITCH, 20, 0)] * 30),
        "five metres away",
        "numbers_absurd",
    )


def _unfit() -> Iterator[Sample]:
    wide = bands(190, 60, 1, 6.0, 2.0)
    yield _sample("wide.dst", dst(wide), "190 mm wide", "too_big_for_frames")
    yield _sample("wide.pes", pes(wide), "190 mm wide", "too_big_for_frames")
    yield _sample("square.dst", dst(bands(150, 150, 1, 6.0, 2.0)), "fits no way round", "too_big_for_frames")
    yield _sample(
        "many.dst", dst(bands(95, 95, 1, 1.0, 0.14)), "more stitches than it keeps", "too_many_stitches"
    )


def _odd() -> Iterator[Sample]:
    yield _sample(
        "tall.dst", dst(bands(60, 150, 1, 3.0, 1.5)), "fits once turned", asks=["fits_frame_turned"]
    )
    yield _sample(
        "few.dst", dst([(STITCH, 30, 0), (STITCH, -30, 5)] * 4), "eight stitches", asks=["few_stitches"]
    )
    yield _sample(
        "colourful.dst", dst(bands(60, 60, 12)), "twelve colours", asks=["too_many_colours"], colours=12
    )
    yield _sample(
        "announced.dst",
        dst(bands(), announced=60),
        "its header tells another number",
        asks=["header_differs"],
    )
    yield _sample(
        "long.pes", pes([*bands(), (STITCH, 300, 0)]), "a stitch of 30 mm", asks=["stitch_too_long"]
    )
    knot = [(STITCH, 2, 0), (STITCH, -2, 0)] * 60
    yield _sample(
        "knot.dst", dst([*bands(), *knot]), "a hundred stitches in one place", asks=["stitches_dense"]
    )
    yield _sample(
        "aside.dst",
        dst([(JUMP, 121, 0)] * 15 + bands(40, 40)),
        "it starts far outside any frame",
        asks=["start_outside_frame"],
    )
    yield _sample(
        "sequins.dst",
        dst([*bands(), ("sequin", 0, 0), (JUMP, 20, 0), ("sequin", 0, 0)]),
        "sequins",
        asks=["sequins_inside"],
    )


def _pictures() -> Iterator[Sample]:
    """A picture is no machine file, but somebody can work from it."""
    picture = small_png()
    yield _sample("photo.png", picture, "a picture to work from", asks=["to_digitise"], pixels=[8, 8])
    yield _sample("cut_photo.png", picture[:48], "half of its pixels", "truncated")
    yield _sample("photo.jpg", picture, "a picture of another kind", "wrong_content")
    yield _sample(
        "words.jpg", b"\xff\xd8\xff" + b"no picture" * 20, "a picture's first bytes, then words", "unreadable"
    )
    bomb = picture[:16] + (30_000).to_bytes(4, "big") * 2 + picture[24:]
    yield _sample("bomb.png", bomb, "nine hundred million pixels by its own word", "unreadable")


def _disguised() -> Iterator[Sample]:
    wrong = "wrong_content"
    badge = bands()
    yield _sample("page.dst", PAGE * 8, "a web page", wrong)
    yield _sample("picture.pes", small_png() + bytes(2000), "a picture", wrong)
    yield _sample("tajima.pes", dst(badge), "the other maker's format", wrong)
    yield _sample("brother.dst", pes(badge), "the other maker's format", wrong)
    yield _sample("chance.dst", random.Random(7).randbytes(4000), "bytes by chance", wrong)
    yield _sample("words.dst", b"LA: my favourite design\nwithout a number\n" + b" " * 600, "words", wrong)
    yield _sample("janome.jef", pes(badge), "a format that is not read here", "unknown_format")
