"""SVG drawings as lines to cut: every outline that is drawn, in millimetres, whatever its colour.

Only shapes count: text must have become paths, pictures are told but not cut. The drawing itself is never shown nor
handed on; what is shown and cut is drawn anew from the lines read here.
"""

import math
import re
from pathlib import Path
from typing import NamedTuple

from .. import signatures
from ..codes import finding
from ..cutting import CutLines, TooMuch, report
from ..drawing_paths import IDENTITY, MOST_NUMBER, Matrix, Pen, numbers, times
from ..drawing_tree import GROUPS, SHAPES, Node, Tree, Unreadable, parse
from ..findings import JSON, Finding, Report

MOST_VISITS = 100_000  # elements drawn, reused ones counted each time
MOST_REUSE = 24  # reuse inside reuse
MOST_SCALE = 1e9
PX_MM = 25.4 / 96
UNITS_MM = {
    "mm": 1.0,
    "cm": 10.0,
    "q": 0.25,
    "in": 25.4,
    "pt": 25.4 / 72,
    "pc": 25.4 / 6,
    "px": PX_MM,
    "": PX_MM,
}
_LENGTH = re.compile(
    r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(mm|cm|q|in|pt|pc|px|%|)\s*$", re.IGNORECASE
)
_TRANSFORM = re.compile(r"(matrix|translate|scale|rotate|skewX|skewY)\s*\(([^()]*)\)")


class Style(NamedTuple):
    """What an element hands down to those inside it."""

    fill: str = "black"
    stroke: str = "none"
    hidden: bool = False
    classed: bool = False  # a style sheet may say otherwise, so it counts as drawn

    @property
    def seen(self) -> bool:
        return not self.hidden and (self.classed or self.fill != "none" or self.stroke != "none")


class Room(NamedTuple):
    """Where an element is drawn: the way to millimetres, and the size that percentages are of, in its own units."""

    matrix: Matrix
    width: float
    height: float


def sniff(head: bytes) -> bool:
    return signatures.looks_like(head) == "svg"


def read(path: Path) -> tuple[Report, CutLines | None]:
    """The report of a drawing and its lines, when there are any.

    Facts: those of `cutting.report`, shapes, pictures, page_mm (None: the drawing does not say), unit of its size.
    Raises nothing for bad content.
    """
    try:
        with path.open("rb") as stream:
            tree = parse(stream)
        drawing = _Drawing(tree)
        drawing.draw()
    except (Unreadable, TooMuch) as bad:
        return Report("svg", findings=(bad.finding,)), None
    except RecursionError:
        return Report("svg", findings=(finding("unreadable", why="too_complex"),)), None
    found: list[Finding] = []
    if tree.texts:
        found.append(finding("text_inside"))
    if tree.pictures:
        found.append(finding("picture_inside"))
    if drawing.broken:
        found.append(finding("path_broken", paths=drawing.broken))
    page: JSON = [round(one, 2) for one in drawing.page] if drawing.page else None
    facts: dict[str, JSON] = {
        "shapes": drawing.shapes,
        "pictures": tree.pictures,
        "page_mm": page,
        "unit": drawing.unit,
    }
    measured = report("svg", drawing.lines, found, facts)
    if measured.size_mm is None:
        return measured, None
    if drawing.unit in ("", "px"):
        width, height, _ = measured.size_mm
        assumed = finding("scale_assumed", width_mm=round(width), height_mm=round(height))
        measured = Report(
            measured.format,
            measured.size_mm,
            measured.minutes,
            measured.material,
            measured.facts,
            (*measured.findings, assumed),
        )
    return measured, drawing.lines


class _Drawing:
    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.lines = CutLines()
        self.shapes = self.broken = self._visits = 0
        self.unit = ""
        self.page: tuple[float, float] | None = None

    def draw(self) -> None:
        """Draw everything. Raises Unreadable, TooMuch."""
        root = self.tree.root
        width, height = _sized(root.attributes.get("width")), _sized(root.attributes.get("height"))
        box = _box(root)
        if width and height:
            self.unit = width[1]
            self.page = (width[0] * UNITS_MM[width[1]], height[0] * UNITS_MM[height[1]])
        elif box:
            self.page = (box[2] * PX_MM, box[3] * PX_MM)
            if width or height:  # one side is said: the other follows
                side, over = (width, box[2]) if width else (height, box[3])
                assert side is not None
                self.unit = side[1]
                share = side[0] * UNITS_MM[side[1]] / over
                self.page = (box[2] * share, box[3] * share)
        across, along = self.page or (0.0, 0.0)
        upright = (
            1.0,
            0.0,
            0.0,
            -1.0,
            0.0,
            along,
        )  # a drawing counts downwards, a cutter away from the person
        if box and self.page:
            inner = times(
                upright, _fitted(box, across, along, root.attributes.get("preserveAspectRatio", ""))
            )
            room = Room(inner, box[2], box[3])
        else:
            room = Room(times(upright, (PX_MM, 0, 0, PX_MM, 0, 0)), across / PX_MM, along / PX_MM)
        style = _styled(Style(), root)
        for child in root.children:
            self._element(child, room, style, ())

    def _element(self, node: Node, room: Room, style: Style, reused: tuple[str, ...]) -> None:
        self._visits += 1
        if self._visits > MOST_VISITS:
            raise TooMuch
        if node.attributes.get("display") == "none":
            return
        style = _styled(style, node)
        room = room._replace(matrix=_moved(room.matrix, node))
        if node.tag in SHAPES:
            if style.seen:
                self.shapes += 1
                self._shape(node, room)
        elif node.tag == "use":
            self._use(node, room, style, reused)
        elif node.tag == "svg":
            self._inside(node, self._nested(node, room, node.attributes), style, reused)
        elif node.tag in GROUPS and node.tag != "symbol":
            self._inside(node, room, style, reused)

    def _inside(self, node: Node, room: Room, style: Style, reused: tuple[str, ...]) -> None:
        children = node.children[:1] if node.tag == "switch" else node.children
        for child in children:
            self._element(child, room, style, reused)

    def _use(self, node: Node, room: Room, style: Style, reused: tuple[str, ...]) -> None:
        name = node.attributes.get("href", "").strip().removeprefix("#")
        target = self.tree.by_id.get(name)
        if target is None:
            return
        if name in reused or len(reused) >= MOST_REUSE:
            raise Unreadable(finding("unreadable", why="too_complex"))
        x, y = (_length(node, side, size) for side, size in (("x", room.width), ("y", room.height)))
        room = room._replace(matrix=times(room.matrix, (1, 0, 0, 1, x, y)))
        inside = (*reused, name)
        if target.tag == "symbol":
            style = _styled(style, target)
            self._inside(target, self._nested(target, room, node.attributes, placed=True), style, inside)
        else:
            self._element(target, room, style, inside)

    def _nested(self, node: Node, room: Room, sized: dict[str, str], *, placed: bool = False) -> Room:
        """The room inside a drawing in the drawing; `sized` says how large it is shown."""
        x = 0.0 if placed else _length(node, "x", room.width)
        y = 0.0 if placed else _length(node, "y", room.height)
        width = _amount(sized.get("width"), room.width, room.width)
        height = _amount(sized.get("height"), room.height, room.height)
        matrix = times(room.matrix, (1, 0, 0, 1, x, y))
        box = _box(node)
        if box is None:
            return Room(matrix, width, height)
        fitted = _fitted(box, width, height, node.attributes.get("preserveAspectRatio", ""))
        return Room(_bounded(times(matrix, fitted)), box[2], box[3])

    def _shape(self, node: Node, room: Room) -> None:
        pen = Pen(self.lines, room.matrix)
        diagonal = math.hypot(room.width, room.height) / math.sqrt(2)

        def of(name: str, size: float) -> float:
            return _length(node, name, size)

        match node.tag:
            case "path":
                if not pen.path(node.attributes.get("d", "")):
                    self.broken += 1
            case "rect":
                width, height = of("width", room.width), of("height", room.height)
                rx = _amount(node.attributes.get("rx"), room.width, -1.0)
                ry = _amount(node.attributes.get("ry"), room.height, -1.0)
                rx, ry = (ry if rx < 0 else rx), (rx if ry < 0 else ry)
                if width > 0 and height > 0:
                    pen.rectangle(of("x", room.width), of("y", room.height), width, height, rx, ry)
            case "circle":
                radius = of("r", diagonal)
                if radius > 0:
                    pen.ellipse(of("cx", room.width), of("cy", room.height), radius, radius)
            case "ellipse":
                rx, ry = of("rx", room.width), of("ry", room.height)
                if rx > 0 and ry > 0:
                    pen.ellipse(of("cx", room.width), of("cy", room.height), rx, ry)
            case "line":
                ends = [(of(f"x{n}", room.width), of(f"y{n}", room.height)) for n in (1, 2)]
                pen.polygon(ends, closed=False)
            case _:
                values = numbers(node.attributes.get("points", ""))
                points = list(zip(values[::2], values[1::2], strict=False))
                pen.polygon(points, closed=node.tag == "polygon")
        self.lines.lift()


def _styled(style: Style, node: Node) -> Style:
    said = node.attributes
    return Style(
        fill=said.get("fill", style.fill).strip().lower() if said.get("fill") != "inherit" else style.fill,
        stroke=said.get("stroke", style.stroke).strip().lower()
        if said.get("stroke") != "inherit"
        else style.stroke,
        hidden=said["visibility"] in ("hidden", "collapse") if "visibility" in said else style.hidden,
        classed=style.classed or node.classed,
    )


def _sized(text: str | None) -> tuple[float, str] | None:
    """A length with its unit, when it is one and more than nothing; a percentage says nothing about a page."""
    match = _LENGTH.match(text or "")
    if match is None or match[2] == "%" or not 0 < float(match[1]) < MOST_NUMBER:
        return None
    return float(match[1]), match[2].lower()


def _length(node: Node, name: str, whole: float) -> float:
    return _amount(node.attributes.get(name), whole, 0.0)


def _amount(text: str | None, whole: float, otherwise: float) -> float:
    """A length in the element's own units; a share of `whole` for a percentage."""
    match = _LENGTH.match(text or "")
    if match is None or abs(float(match[1])) > MOST_NUMBER:
        return otherwise
    if match[2] == "%":
        return float(match[1]) / 100 * whole
    return float(match[1]) * UNITS_MM[match[2].lower()] / PX_MM


def _box(node: Node) -> tuple[float, float, float, float] | None:
    values = numbers(node.attributes.get("viewBox", ""))
    if len(values) != 4 or values[2] <= 0 or values[3] <= 0:
        return None
    return values[0], values[1], values[2], values[3]


def _fitted(box: tuple[float, float, float, float], width: float, height: float, how: str) -> Matrix:
    """From a view box to a field of this size, as `preserveAspectRatio` says."""
    across, along = width / box[2], height / box[3]
    if "none" in how:
        return (across, 0, 0, along, -box[0] * across, -box[1] * along)
    scale = max(across, along) if "slice" in how else min(across, along)
    spare_x, spare_y = width - scale * box[2], height - scale * box[3]
    left = 0.0 if "xMin" in how else 1.0 if "xMax" in how else 0.5
    top = 0.0 if "YMin" in how else 1.0 if "YMax" in how else 0.5
    return (scale, 0, 0, scale, left * spare_x - box[0] * scale, top * spare_y - box[1] * scale)


def _moved(matrix: Matrix, node: Node) -> Matrix:
    for name, text in _TRANSFORM.findall(node.attributes.get("transform", "")):
        matrix = times(matrix, _transform(name, numbers(text)))
    return _bounded(matrix)


def _bounded(matrix: Matrix) -> Matrix:
    if not all(abs(one) < MOST_SCALE for one in matrix):
        raise Unreadable(finding("numbers_absurd", most_mm=MOST_SCALE))
    return matrix


def _transform(name: str, values: list[float]) -> Matrix:
    count = len(values)
    if name == "matrix" and count == 6:
        return (values[0], values[1], values[2], values[3], values[4], values[5])
    if name == "translate" and count in (1, 2):
        return (1, 0, 0, 1, values[0], values[1] if count == 2 else 0)
    if name == "scale" and count in (1, 2):
        return (values[0], 0, 0, values[-1], 0, 0)
    if name == "rotate" and count in (1, 3):
        sin, cos = math.sin(math.radians(values[0])), math.cos(math.radians(values[0]))
        turned = (cos, sin, -sin, cos, 0.0, 0.0)
        if count == 1:
            return turned
        there, back = (1, 0, 0, 1, values[1], values[2]), (1, 0, 0, 1, -values[1], -values[2])
        return times(times(there, turned), back)
    if name == "skewX" and count == 1:
        return (1, 0, math.tan(math.radians(values[0])), 1, 0, 0)
    if name == "skewY" and count == 1:
        return (1, math.tan(math.radians(values[0])), 0, 1, 0, 0)
    return IDENTITY
