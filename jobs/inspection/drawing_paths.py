"""The outlines of a drawing's shapes: the grammar of paths, curves made of short straight lines."""

import math
import re
from collections.abc import Iterator, Sequence

from .cutting import CURVE_MM, CutLines

Matrix = tuple[float, float, float, float, float, float]  # a c e / b d f, as SVG writes it: a b c d e f
Point = tuple[float, float]
IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
MOST_PARTS = 400  # straight lines of one curve
MOST_NUMBER = 1e9
_TOKEN = re.compile(r"[\s,]*(?:([MmZzLlHhVvCcSsQqTtAa])|([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?))")
_FLAG = re.compile(r"[\s,]*([01])")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_COUNTS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
KAPPA = 4 / 3 * math.tan(math.pi / 8)  # of a quarter circle as one curve


def times(outer: Matrix, inner: Matrix) -> Matrix:
    a, b, c, d, e, f = outer
    g, h, i, j, k, m = inner
    return (a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * m + e, b * k + d * m + f)


def placed(matrix: Matrix, x: float, y: float) -> Point:
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


def numbers(text: str) -> list[float]:
    """Every number in a list of points or a view box, none of them beyond `MOST_NUMBER`."""
    return [max(-MOST_NUMBER, min(MOST_NUMBER, float(one))) for one in _NUMBER.findall(text)]


class Pen:
    """Draws outlines into `lines` through a matrix. Curves are split as finely as they come out, not as written."""

    def __init__(self, lines: CutLines, matrix: Matrix) -> None:
        self.lines = lines
        self.matrix = matrix
        self.at: Point = (0.0, 0.0)

    def move(self, to: Point) -> None:
        self.at = to
        self.lines.move(*placed(self.matrix, *to))

    def line(self, to: Point) -> None:
        self.at = to
        self.lines.cut(*placed(self.matrix, *to))

    def curve(self, first: Point, second: Point, to: Point) -> None:
        """A cubic curve by its two handles."""
        p0, p1, p2, p3 = (placed(self.matrix, *one) for one in (self.at, first, second, to))
        bend = max(
            math.hypot(p0[0] - 2 * p1[0] + p2[0], p0[1] - 2 * p1[1] + p2[1]),
            math.hypot(p1[0] - 2 * p2[0] + p3[0], p1[1] - 2 * p2[1] + p3[1]),
        )
        wanted = math.sqrt(0.75 * bend / CURVE_MM) if bend < 1e12 else MOST_PARTS
        parts = max(1, min(MOST_PARTS, math.ceil(wanted)))
        for part in range(1, parts + 1):
            t = part / parts
            s = 1 - t
            k0, k1, k2, k3 = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
            self.lines.cut(
                k0 * p0[0] + k1 * p1[0] + k2 * p2[0] + k3 * p3[0],
                k0 * p0[1] + k1 * p1[1] + k2 * p2[1] + k3 * p3[1],
            )
        self.at = to

    def arc(self, rx: float, ry: float, turned: float, large: bool, sweep: bool, to: Point) -> None:
        """An elliptic arc as SVG writes it."""
        for first, second, end in _arc_curves(self.at, rx, ry, turned, large, sweep, to):
            self.curve(first, second, end)
        self.at = to

    def polygon(self, points: Sequence[Point], closed: bool) -> None:
        if not points:
            return
        self.move(points[0])
        for one in points[1:]:
            self.line(one)
        if closed:
            self.line(points[0])

    def ellipse(self, cx: float, cy: float, rx: float, ry: float) -> None:
        self.move((cx + rx, cy))
        for x0, y0, x1, y1 in ((1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0)):
            self.curve(
                (cx + rx * (x0 + KAPPA * x1), cy + ry * (y0 + KAPPA * y1)),
                (cx + rx * (x1 + KAPPA * x0), cy + ry * (y1 + KAPPA * y0)),
                (cx + rx * x1, cy + ry * y1),
            )

    def rectangle(self, x: float, y: float, width: float, height: float, rx: float, ry: float) -> None:
        rx, ry = min(rx, width / 2), min(ry, height / 2)
        if rx <= 0 or ry <= 0:
            self.polygon([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], closed=True)
            return
        right, bottom = x + width, y + height
        self.move((x + rx, y))
        for corner, (cx, cy), end in (
            ((right - rx, y), (right, y), (right, y + ry)),
            ((right, bottom - ry), (right, bottom), (right - rx, bottom)),
            ((x + rx, bottom), (x, bottom), (x, bottom - ry)),
            ((x, y + ry), (x, y), (x + rx, y)),
        ):
            self.line(corner)
            self.curve(
                (corner[0] + (cx - corner[0]) * KAPPA, corner[1] + (cy - corner[1]) * KAPPA),
                (end[0] + (cx - end[0]) * KAPPA, end[1] + (cy - end[1]) * KAPPA),
                end,
            )

    def path(self, text: str) -> bool:
        """Draw path data; False when it breaks off in something that is no path (what came before is drawn)."""
        start: Point = (0.0, 0.0)
        handle: Point | None = None  # of the curve before, for S and T
        before = ""
        self.at = (0.0, 0.0)
        for command, values in _commands(text):
            if not command:
                return False
            name, x, y = command.upper(), *self.at
            dx, dy = (x, y) if command.islower() else (0.0, 0.0)
            if name == "M":
                start = (values[0] + dx, values[1] + dy)
                self.move(start)
            elif not before:
                return False  # a path begins with a move
            elif name == "Z":
                self.line(start)
                self.lines.lift()
            elif name == "L":
                self.line((values[0] + dx, values[1] + dy))
            elif name == "H":
                self.line((values[0] + dx, y))
            elif name == "V":
                self.line((x, values[0] + dy))
            elif name == "A":
                rx, ry, turned, large, sweep = values[:5]
                self.arc(rx, ry, turned, bool(large), bool(sweep), (values[5] + dx, values[6] + dy))
            else:
                handle = self._curved(name, [(values[i] + dx, values[i + 1] + dy) for i in range(0, len(values), 2)],
                                      handle if before in _FOLLOWED[name] else None)  # fmt: skip
            before = name
        return True

    def _curved(self, name: str, points: list[Point], handle: Point | None) -> Point:
        """Draw C, S, Q or T; returns the handle that the next one may mirror."""
        x, y = self.at
        mirrored = (2 * x - handle[0], 2 * y - handle[1]) if handle else (x, y)
        if name == "C":
            self.curve(*points)
            return points[1]
        if name == "S":
            self.curve(mirrored, *points)
            return points[0]
        middle, to = (mirrored, points[0]) if name == "T" else (points[0], points[1])
        self.curve(
            (x + 2 / 3 * (middle[0] - x), y + 2 / 3 * (middle[1] - y)),
            (to[0] + 2 / 3 * (middle[0] - to[0]), to[1] + 2 / 3 * (middle[1] - to[1])),
            to,
        )
        return middle


_FOLLOWED = {"C": "CS", "S": "CS", "Q": "QT", "T": "QT"}


def _commands(text: str) -> Iterator[tuple[str, list[float]]]:
    """Each command with its numbers, repeated ones made explicit; ("", []) where the text is no path."""
    at, command, values = 0, "", list[float]()
    end = len(text.rstrip(" \t\r\n,"))
    while at < end:
        in_arc = command.upper() == "A" and len(values) in (3, 4)
        match = (_FLAG if in_arc else _TOKEN).match(text, at)
        if match is None:
            yield "", []
            return
        at = match.end()
        if in_arc:
            values.append(float(match[1]))
        elif match[1]:
            if values:
                yield "", []
                return
            command = match[1]
            if command in "Zz":
                yield command, []
        elif command in ("", "Z", "z"):
            yield "", []
            return
        else:
            value = float(match[2])
            if abs(value) > MOST_NUMBER:
                yield "", []
                return
            values.append(value)
        if command and command not in "Zz" and len(values) == _COUNTS[command.upper()]:
            yield command, values
            values = []
            command = {"M": "L", "m": "l"}.get(command, command)
    if values:
        yield "", []


def _arc_curves(
    start: Point, rx: float, ry: float, turned: float, large: bool, sweep: bool, to: Point
) -> Iterator[tuple[Point, Point, Point]]:
    """An arc as cubic curves of at most a quarter turn (SVG 1.1, appendix F.6)."""
    rx, ry = abs(rx), abs(ry)
    (x0, y0), (x1, y1) = start, to
    if start == to:
        return
    if rx < 1e-9 or ry < 1e-9:
        yield start, to, to
        return
    cos_t, sin_t = math.cos(math.radians(turned)), math.sin(math.radians(turned))
    mx, my = (x0 - x1) / 2, (y0 - y1) / 2
    ux, uy = cos_t * mx + sin_t * my, -sin_t * mx + cos_t * my
    ratio = (ux / rx) ** 2 + (uy / ry) ** 2
    if ratio > 1:  # too small to reach: grown until they do
        rx, ry = rx * math.sqrt(ratio), ry * math.sqrt(ratio)
        ratio = 1.0
    root = math.sqrt(max(0.0, 1 / max(ratio, 1e-18) - 1))
    root = -root if large == sweep else root
    vx, vy = root * rx * uy / ry, -root * ry * ux / rx
    centre = (cos_t * vx - sin_t * vy + (x0 + x1) / 2, sin_t * vx + cos_t * vy + (y0 + y1) / 2)
    begin = math.atan2((uy - vy) / ry, (ux - vx) / rx)
    turn = math.atan2((-uy - vy) / ry, (-ux - vx) / rx) - begin
    if sweep and turn < 0:
        turn += 2 * math.pi
    elif not sweep and turn > 0:
        turn -= 2 * math.pi
    parts = max(1, math.ceil(abs(turn) / (math.pi / 2) - 1e-9))
    step = turn / parts
    reach = 4 / 3 * math.tan(step / 4)

    def on(angle: float, out: float = 0.0) -> Point:
        cos_a, sin_a = math.cos(angle), math.sin(angle)
        ex, ey = rx * (cos_a - out * sin_a), ry * (sin_a + out * cos_a)
        return centre[0] + cos_t * ex - sin_t * ey, centre[1] + sin_t * ex + cos_t * ey

    for part in range(parts):
        one, two = begin + part * step, begin + (part + 1) * step
        yield on(one, reach), on(two, -reach), to if part == parts - 1 else on(two)
