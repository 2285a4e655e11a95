"""G-code: one pass over a file of any size in flat memory, a fast way for plain moves, `Machine` for all the rest."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ..codes import finding
from ..findings import JSON, Finding, Material, Report
from ..gcode_comments import SECRET, Told
from ..gcode_machine import LINE_BYTES, Machine, Sink
from ..gcode_policy import MARLIN, Policy

BLOCK = 1 << 18
COMMENT_BYTES = 1 << 16  # slicers write their whole configuration as comments, start code in one line
TEXT_BYTES = bytes([9, 10, 13, *range(32, 127), *range(128, 256)])
DENSITY = {
    "PLA": 1.24,
    "PETG": 1.27,
    "PET": 1.27,
    "ABS": 1.04,
    "ASA": 1.07,
    "TPU": 1.21,
    "FLEX": 1.21,
    "PA": 1.14,
}
BOM = b"\xef\xbb\xbf"

_N = rb"(-?(?:\d{1,6}(?:\.\d{1,9})?|\.\d{1,9}))"
_MOVE = re.compile(
    rb"G[01](?: F%b)?(?: X%b)?(?: Y%b)?(?: Z%b)?(?: E%b)?(?: F%b)? *(?:;.*)?" % (_N, _N, _N, _N, _N, _N)
)
_ASIDE = re.compile(rb" *(?:skirt|brim|wipe tower|prime tower)", re.IGNORECASE)
_FIRST = re.compile(rb"\s*(?:;|(?:[Nn]\d+\s*)?[GMTgmt]\s*\d|@|[A-Z][A-Z0-9]*_[A-Z0-9_]+(?:\s|$))")


def sniff(head: bytes) -> bool:
    """Could be G-code: text whose first words are a comment or a command."""
    text = head.removeprefix(BOM)
    if text.translate(None, TEXT_BYTES):
        return False
    first = next((line for line in text.splitlines() if line.strip()), b"")
    return _FIRST.match(first) is not None


def read(path: Path, sink: Sink | None = None, policy: Policy = MARLIN) -> Report:
    """The report of a machine file; `sink` is told every extruded line.

    Facts: lines, commands, slicer, slicer_version, layers, layer_mm, nozzle_c, bed_c, chamber_c (highest asked for),
    moves_mm and print_mm ([[x, y, z], [x, y, z]], lowest and highest place of all moves, and of the object's own lines
    without skirt and nozzle cleaning),
    moves_lines (where those were first reached), filament_mm (counted), least_minutes (without acceleration),
    fastest_mm_s, nozzle_mm, thumbnail ([width, height, kind] of an embedded one), secret_lines. Raises nothing for
    bad content, in any amount of it.
    """
    machine, told = Machine(policy, sink), Told()
    try:
        with path.open("rb") as stream:
            lines = _follow(stream, machine, told)
    except _Stop as stopped:
        return Report("gcode", findings=(stopped.finding,))
    return _report(machine, told, lines)


class _Stop(Exception):
    """Reading on makes no sense; carries the finding that says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding


def _follow(stream: BinaryIO, machine: Machine, told: Told) -> int:
    """Follows every line; returns their number. The one loop where speed matters: plain moves never leave it."""
    move, number = _MOVE.fullmatch, 0
    aside = begun = False
    for lines in _lines(stream):
        plain = machine.plain
        x, y, z, e, feed = machine.x, machine.y, machine.z, machine.e, machine.feed
        fed, most, seconds = machine.fed, machine.filament, machine.seconds
        relative_e = machine.relative_e
        low, high = machine.low, machine.high
        low_x, low_y, high_x, high_y = low[0], low[1], high[0], high[1]
        print_low, print_high = machine.print_low, machine.print_high
        first_x, first_y, last_x, last_y = print_low[0], print_low[1], print_high[0], print_high[1]
        add = machine.sink.add if machine.sink is not None else None
        for line in lines:
            number += 1
            said = move(line) if plain else None
            if said is not None:
                f0, sx, sy, sz, se, f1 = said.groups()
                machine.commands += 1
                if f1 or f0:
                    if f0 and f1:
                        machine.found.setdefault("line_ambiguous", finding("line_ambiguous", line=number))
                    feed = float(f1 or f0)
                    if feed > machine.fastest * 60:
                        machine.fastest = feed / 60
                old_x, old_y = x, y
                if sx:
                    x = float(sx)
                    if x < low_x:
                        low_x, machine.low_line[0] = x, number
                    if x > high_x:
                        high_x, machine.high_line[0] = x, number
                if sy:
                    y = float(sy)
                    if y < low_y:
                        low_y, machine.low_line[1] = y, number
                    if y > high_y:
                        high_y, machine.high_line[1] = y, number
                if sz:
                    old_z, z = z, float(sz)
                    if z < low[2]:
                        low[2], machine.low_line[2] = z, number
                    if z > high[2]:
                        high[2], machine.high_line[2] = z, number
                    length = ((x - old_x) ** 2 + (y - old_y) ** 2 + (z - old_z) ** 2) ** 0.5
                else:
                    length = ((x - old_x) ** 2 + (y - old_y) ** 2) ** 0.5
                if feed > 0:
                    seconds += length / feed * 60
                if se:
                    value = float(se)
                    pushed = value if relative_e else value - e
                    e += pushed
                    fed += pushed
                    if fed > most:
                        most = fed
                    if pushed > 0 and length and (sx or sy):
                        if z != machine.level:
                            machine.rise(z)
                        if not aside:
                            if z > print_high[2] or z < print_low[2]:
                                print_low[2] = min(print_low[2], z)
                                print_high[2] = max(print_high[2], z)
                            if x < first_x or old_x < first_x:
                                first_x = min(x, old_x)
                            if x > last_x or old_x > last_x:
                                last_x = max(x, old_x)
                            if y < first_y or old_y < first_y:
                                first_y = min(y, old_y)
                            if y > last_y or old_y > last_y:
                                last_y = max(y, old_y)
                        if add is not None:
                            add(old_x, old_y, x, y, z)
                continue
            if line[:1] == b";":
                if line[:6].upper() == b";TYPE:":
                    aside = machine.aside = _ASIDE.match(line, 6) is not None
                    continue
                told.hear(line, number)
                if not begun and told.layer_marks:
                    begun = True  # what was laid before the first layer only cleaned the nozzle
                    machine.level = first_x = first_y = print_low[2] = float("inf")
                    last_x = last_y = print_high[2] = -float("inf")
                    machine.levels.clear()
                continue
            # Hand everything to the machine, let it obey, take everything back.
            machine.x, machine.y, machine.z, machine.e, machine.feed = x, y, z, e, feed
            machine.fed, machine.filament, machine.seconds = fed, most, seconds
            low[0], low[1], high[0], high[1] = low_x, low_y, high_x, high_y
            print_low[0], print_low[1], print_high[0], print_high[1] = first_x, first_y, last_x, last_y
            machine.obey(line, number)
            if machine.hopeless:
                raise _Stop(finding("not_gcode"))
            plain = machine.plain
            x, y, z, e, feed = machine.x, machine.y, machine.z, machine.e, machine.feed
            fed, most, seconds = machine.fed, machine.filament, machine.seconds
            relative_e = machine.relative_e
            low_x, low_y, high_x, high_y = low[0], low[1], high[0], high[1]
            first_x, first_y, last_x, last_y = print_low[0], print_low[1], print_high[0], print_high[1]
        machine.x, machine.y, machine.z, machine.e, machine.feed = x, y, z, e, feed
        machine.fed, machine.filament, machine.seconds = fed, most, seconds
        low[0], low[1], high[0], high[1] = low_x, low_y, high_x, high_y
        print_low[0], print_low[1], print_high[0], print_high[1] = first_x, first_y, last_x, last_y
    return number


def _lines(stream: BinaryIO) -> Iterator[list[bytes]]:
    """Lists of whole lines. A lone carriage return ends a line, as it does for the machine and its host.

    Raises _Stop for bytes that are no text and for lines that no machine takes.
    """
    utf8 = codecs.getincrementaldecoder("utf-8")()
    number, rest = 0, b""
    first = True
    while block := stream.read(BLOCK):
        if block.endswith(b"\r"):
            block += stream.read(1)
        if first:
            block, first = block.removeprefix(BOM), False
        try:
            utf8.decode(block)
            strange = block.translate(None, TEXT_BYTES)
        except UnicodeDecodeError:
            strange = block[:1]
        if strange:
            raise _Stop(finding("binary_bytes", line=number + _line_of_strange(rest + block)))
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        if lines and max(map(len, lines)) > LINE_BYTES:
            _measure(lines, number)
        if len(rest) > COMMENT_BYTES:
            _measure([rest], number + len(lines))
        number += len(lines)
        yield lines
    try:
        utf8.decode(b"", final=True)
    except UnicodeDecodeError:
        raise _Stop(finding("binary_bytes", line=number + 1)) from None
    if rest:
        _measure([rest], number)
        yield [rest]


def _measure(lines: list[bytes], before: int) -> None:
    for index, line in enumerate(lines):
        most = COMMENT_BYTES if line.lstrip()[:1] == b";" else LINE_BYTES
        if len(line) > most:
            raise _Stop(finding("line_too_long", line=before + index + 1, most=most))


def _line_of_strange(block: bytes) -> int:
    """Which line of the block, from 1, holds the first byte that is not text."""
    for index, line in enumerate(block.split(b"\n")):
        if line.translate(None, TEXT_BYTES) or not _is_utf8(line):
            return index + 1
    return 1


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _report(machine: Machine, told: Told, lines: int) -> Report:
    found = list(machine.findings())
    printed = machine.print_high[0] > -float("inf") and machine.filament > 0
    if machine.commands == 0:
        return Report("gcode", findings=(finding("not_gcode"), *found))
    if not printed:
        found.append(finding("nothing_printed"))
    minutes = None if told.seconds is None else round(told.seconds / 60, 2)
    least = round(machine.seconds / 60, 2)
    if minutes is None:
        found.append(finding("time_missing"))
    elif minutes * 1.25 < least and least - minutes > 1:
        found.append(finding("time_doubtful", stated_minutes=minutes, least_minutes=least))
    if told.slicer is None:
        found.append(finding("slicer_unknown"))
    if not machine.fan:
        found.append(finding("no_fan"))
    if told.secrets:
        found.append(finding("secrets_inside", count=told.secrets))
    return Report(
        "gcode",
        size_mm=_size(machine, told.nozzle_mm or 0.4) if printed else None,
        minutes=minutes,
        material=_material(machine, told) if printed else None,
        facts=_facts(machine, told, lines, least),
        findings=tuple(found),
    )


def _size(machine: Machine, bead: float) -> tuple[float, float, float]:
    """The head follows the middle of each line, so the object is one line wider than its path."""
    low, high = machine.print_low, machine.print_high
    return (round(high[0] - low[0] + bead, 2), round(high[1] - low[1] + bead, 2), round(high[2], 2))


def _material(machine: Machine, told: Told) -> Material:
    """Metres as counted; grams as told when the told length agrees with the count, else by density."""
    kind = told.kind
    counted = machine.filament
    radius = (told.diameter_mm or 1.75) / 2
    grams = counted * 3.141593 * radius * radius / 1000 * (told.density or DENSITY.get(kind or "PLA", 1.24))
    agrees = told.filament_mm is not None and abs(told.filament_mm - counted) <= 0.1 * counted + 50
    if told.filament_g and agrees:
        grams = told.filament_g
    return Material(grams=round(grams, 2), metres=round(counted / 1000, 4), kind=kind)


def _facts(machine: Machine, told: Told, lines: int, least: float) -> dict[str, JSON]:
    facts: dict[str, JSON] = {
        "lines": lines,
        "commands": machine.commands,
        "slicer": told.slicer,
        "slicer_version": told.version,
        "layers": told.layers or len(machine.levels),
        "layer_mm": told.layer_mm,
        "nozzle_mm": told.nozzle_mm,
        "filament_mm": round(machine.filament, 2),
        "least_minutes": least,
        "fastest_mm_s": round(machine.fastest, 1),
        "thumbnail": told.thumbnail,
        "secret_lines": told.secret_lines,
        **{f"{heater}_c": celsius for heater, celsius in machine.hottest.items()},
    }
    if machine.high[0] > machine.low[0] or machine.high[2] > -float("inf"):
        facts["moves_mm"] = [_bounds(machine.low), _bounds(machine.high)]
        facts["moves_lines"] = [machine.low_line, machine.high_line]
    if machine.print_high[0] > -float("inf"):
        facts["print_mm"] = [_bounds(machine.print_low), _bounds(machine.print_high)]
    return facts


def _bounds(place: list[float]) -> JSON:
    """Three coordinates; 0 for an axis that never moved."""
    return [round(one, 3) if abs(one) != float("inf") else 0.0 for one in place]


def strip_secrets(source: Path, target: Path) -> int:
    """Copies `source` to `target` without the comment lines that hold a key or an address of somebody's printer.

    Streams; every other byte stays as it is. Returns how many lines were left out.
    """
    left_out = 0
    inside = skip = False  # inside: of a very long line, which is read in pieces
    with source.open("rb") as lines, target.open("wb") as out:
        while piece := lines.readline(COMMENT_BYTES):
            if not inside:
                skip = SECRET.match(piece) is not None
                left_out += skip
            inside = not piece.endswith(b"\n")
            if not skip:
                out.write(piece)
    return left_out
