"""HPGL, the language of plotters and cutters, by an allow-list: lines, arcs, tools. Whatever else it asks is refused.

40 units are a millimetre. Commands that scale, turn or label would make the lines mean something else, and escape
sequences speak to the machine itself, so none of them passes.
"""

import math
import re
from pathlib import Path

from ..codes import finding
from ..cutting import CutLines, Points, TooMuch, arc_points, report
from ..findings import JSON, Finding, Report

UNITS_MM = 40.0
MOST_BYTES = 40_000_000
MOST_COMMANDS = 1_500_000
_COMMAND = re.compile(rb"[;\s]*([A-Za-z]{2})([-+0-9.,\s]*)")
_NUMBER = re.compile(rb"[-+]?(?:\d{1,7}(?:\.\d{0,6})?|\.\d{1,6})")
_BETWEEN = re.compile(rb"[\s,]+")
_FIRST = re.compile(
    rb"[;\s]*(?:(?:IN|DF)\s*;|(?:IN|DF)?\s*(?:SP|PU|PD|PA|PR|VS|FS)\s*(?:;|[-+.]?\d))", re.IGNORECASE
)
_TEXT = bytes([9, 10, 13, *range(32, 127)])
ESCAPE = 27
DRAWING = frozenset({"PU", "PD", "PA", "PR", "AA", "AR", "CI"})
PLAIN = frozenset({"IN", "DF", "SP", "LT"})  # LT only bare: a line, not dashes
SETTINGS = frozenset({"VS", "FS"})  # speed and force: an instructor looks
_COUNTS = {"AA": (3, 4), "AR": (3, 4), "CI": (1, 2)}


class Unreadable(Exception):
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding


def sniff(head: bytes) -> bool:
    """Text whose first words are commands of a plotter; an escape sequence before them too, so that it is told."""
    if head[:1] == b"\x1b":
        return b";" in head and not head.translate(None, _TEXT + b"\x1b")
    return not head.translate(None, _TEXT + b"\x1b\x03") and _FIRST.match(head) is not None


def read(path: Path) -> tuple[Report, CutLines | None]:
    """The report of an HPGL file and its lines, when there are any.

    Facts: those of `cutting.report`, commands, travel_box_mm (of all places, blade up or down). Raises nothing for
    bad content.
    """
    with path.open("rb") as stream:
        data = stream.read(MOST_BYTES + 1)
    plotter = _Plotter()
    try:
        if len(data) > MOST_BYTES:
            raise TooMuch
        plotter.follow(data)
    except (Unreadable, TooMuch) as bad:
        return Report("hpgl", findings=(bad.finding,)), None
    facts: dict[str, JSON] = {"commands": plotter.commands, "travel_box_mm": plotter.box()}
    measured = report("hpgl", plotter.lines, plotter.findings(), facts)
    return measured, (plotter.lines if measured.size_mm is not None else None)


class _Plotter:
    """What a plotter does with one command after the other."""

    def __init__(self) -> None:
        self.lines = CutLines()
        self.commands = 0
        self.down = False
        self.relative = False
        self.low = [0.0, 0.0]
        self.high = [0.0, 0.0]
        self._asked: dict[str, list[int]] = {}  # command -> [first line, count]
        self._refused: dict[str, list[int]] = {}

    def follow(self, data: bytes) -> None:
        """Obey the whole file. Raises Unreadable, TooMuch."""
        escape = data.find(ESCAPE)
        if escape >= 0:
            raise Unreadable(finding("device_command", line=_line(data, escape)))
        end = len(data.rstrip(b"\x00\x1a;\x03\r\n\t "))
        at = 0
        while at < end:
            match = _COMMAND.match(data, at, end)
            if match is None:
                raise Unreadable(finding("line_unreadable", line=_line(data, at)))
            name = match[1].decode("ascii").upper()
            if not (
                match.end() == end
                or data[match.end()] in b";"
                or data[match.end() : match.end() + 1].isalpha()
            ):
                raise Unreadable(finding("line_unreadable", line=_line(data, match.end())))
            self._obey(name, match[2], data, match.start(1))
            at = match.end()

    def _obey(self, name: str, text: bytes, data: bytes, at: int) -> None:
        self.commands += 1
        if self.commands > MOST_COMMANDS:
            raise TooMuch
        values = _values(text)
        if values is None:
            raise Unreadable(finding("line_unreadable", line=_line(data, at)))
        if name in DRAWING:
            if not self._draw(name, values):
                raise Unreadable(finding("line_unreadable", line=_line(data, at)))
        elif name == "SP":
            self._tool(values)
        elif name == "IN" or name == "DF":
            self.down, self.relative = False, False
            self.lines.lift()
        elif name in SETTINGS:
            _count(self._asked, name, data, at)
        elif name != "LT" or values:
            if name == "LB":
                raise Unreadable(finding("text_inside"))
            _count(self._refused, name, data, at)

    def _tool(self, values: list[float]) -> None:
        self.down = False
        self.lines.lift()
        if values and 1 <= values[0] < 100:
            self.lines.use(int(values[0]))

    def _draw(self, name: str, values: list[float]) -> bool:
        """False when the numbers do not go with the command."""
        if name in _COUNTS:
            least, most = _COUNTS[name]
            if not least <= len(values) <= most:
                return False
            if name == "CI":
                self._circle(values[0] / UNITS_MM)
            else:
                self._arc(name == "AR", values)
            return True
        if name in ("PU", "PD"):
            self.down = name == "PD"
            if not self.down:
                self.lines.lift()
        else:
            self.relative = name == "PR"
        if len(values) % 2:
            return False
        for x, y in zip(values[::2], values[1::2], strict=True):
            self._go(x / UNITS_MM, y / UNITS_MM)
        return True

    def _go(self, x: float, y: float) -> None:
        if self.relative:
            x, y = self.lines.x + x, self.lines.y + y
        self._to(x, y)

    def _to(self, x: float, y: float, draws: bool | None = None) -> None:
        self.low = [min(self.low[0], x), min(self.low[1], y)]
        self.high = [max(self.high[0], x), max(self.high[1], y)]
        if self.down if draws is None else draws:
            self.lines.cut(x, y)
        else:
            self.lines.move(x, y)

    def _arc(self, relative: bool, values: list[float]) -> None:
        x, y = self.lines.x, self.lines.y
        centre_x, centre_y = values[0] / UNITS_MM, values[1] / UNITS_MM
        if relative:
            centre_x, centre_y = x + centre_x, y + centre_y
        degrees = math.copysign(min(abs(values[2]), 360.0), values[2])
        for one in arc_points(x, y, centre_x, centre_y, degrees):
            self._to(*one)

    def _circle(self, radius: float) -> None:
        x, y = self.lines.x, self.lines.y
        self._to(x + radius, y, draws=False)
        for one in arc_points(x + radius, y, x, y, 360.0):
            self._to(*one, draws=True)
        self._to(x, y, draws=False)

    def box(self) -> list[list[float]]:
        return [[round(one, 2) for one in self.low], [round(one, 2) for one in self.high]]

    def findings(self) -> tuple[Finding, ...]:
        refused = [
            finding("command_refused", command=name, line=line, count=count)
            for name, (line, count) in self._refused.items()
        ]
        asked = [
            finding("command_asked", command=name, line=line, count=count)
            for name, (line, count) in self._asked.items()
        ]
        return (*refused[:20], *asked)


def _count(counts: dict[str, list[int]], name: str, data: bytes, at: int) -> None:
    """Count a command; the line is looked for only where it is met first."""
    if name not in counts:
        counts[name] = [_line(data, at), 0]
    counts[name][1] += 1


def _line(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1


def _values(text: bytes) -> list[float] | None:
    words = [one for one in _BETWEEN.split(text) if one]
    if any(_NUMBER.fullmatch(one) is None for one in words):
        return None
    return [float(one) for one in words]


def written(paths: list[tuple[int, Points]]) -> bytes:
    """HPGL of lines (tool, points (n, 2) in millimetres), in their order; only what `read` allows."""
    words = ["IN;"]
    tool = 0
    for of, points in paths:
        if of != tool:
            words.append(f"SP{of};")
            tool = of
        units = [f"{round(x * UNITS_MM)},{round(y * UNITS_MM)}" for x, y in points]
        words.append(f"PU{units[0]};\nPD{','.join(units[1:])};")
    words.append("PU;SP0;\n")
    return "\n".join(words).encode("ascii")
