"""An SVG drawing as a small tree: the elements and attributes that say what is drawn, and nothing else.

Read with the standard library's parser as a stream. No entity is ever declared or fetched, nothing outside is
opened, scripts are told and forgotten.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

from .codes import finding
from .findings import Finding

BLOCK = 1 << 16
MOST_BYTES = 40_000_000
MOST_NODES = 200_000
MOST_DEPTH = 100
SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
SHAPES = frozenset({"path", "rect", "circle", "ellipse", "line", "polyline", "polygon"})
GROUPS = frozenset({"svg", "g", "a", "symbol", "switch"})
TEXTS = frozenset({"text", "tspan", "textPath", "tref", "flowRoot", "flowRegion", "flowPara"})
SCRIPTS = frozenset(
    {"script", "foreignObject", "handler", "listener", "iframe", "object", "embed", "audio", "video"}
)
# Drawn only where something else names them, or never.
UNDRAWN = frozenset(
    {"defs", "clipPath", "mask", "pattern", "marker", "linearGradient", "radialGradient", "filter"}
)
KEPT = SHAPES | GROUPS | UNDRAWN | {"use"}
_ATTRIBUTES = frozenset(
    (
        *(
            "id",
            "d",
            "points",
            "x",
            "y",
            "x1",
            "y1",
            "x2",
            "y2",
            "cx",
            "cy",
            "r",
            "rx",
            "ry",
            "width",
            "height",
        ),
        *("transform", "viewBox", "preserveAspectRatio", "display", "visibility", "fill", "stroke", "href"),
    )
)
_STYLED = frozenset({"display", "visibility", "fill", "stroke"})
_STYLE = re.compile(r"([a-z-]+)\s*:\s*([^;]*)")
_OUTSIDE = re.compile(r"\s*[^#\s]")
_CSS_OUTSIDE = re.compile(r"@import|url\(\s*['\"]?\s*(?!#|['\"]?\s*data:image/)", re.IGNORECASE)
_PROGRAM = re.compile(r"\s*(?:javascript|vbscript|data:(?!image/))", re.IGNORECASE)


@dataclass(slots=True)
class Node:
    """One element; attributes are those that matter, style properties among them. `classed`: CSS may say more."""

    tag: str
    attributes: dict[str, str]
    classed: bool = False
    children: list["Node"] = field(default_factory=list)


@dataclass(slots=True)
class Tree:
    root: Node
    by_id: dict[str, Node]
    texts: int = 0
    pictures: int = 0


class Unreadable(Exception):
    """Not a drawing that we read; carries the finding that says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding


def parse(stream: BinaryIO) -> Tree:
    """The tree of a drawing. Raises Unreadable for what is broken, too large, or reaches for something else."""
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    parser.EntityDeclHandler = builder.entity
    parser.ExternalEntityRefHandler = builder.outside
    parser.ProcessingInstructionHandler = builder.instruction
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    size = 0
    try:
        while block := stream.read(BLOCK):
            size += len(block)
            if size > MOST_BYTES:
                raise Unreadable(finding("unreadable", why="too_complex"))
            parser.Parse(block, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        ended = error.code in _ENDED
        raise Unreadable(finding("truncated") if ended else finding("unreadable", why="xml")) from None
    if builder.root is None:
        raise Unreadable(finding("wrong_content", ending="svg", looks_like="xml"))
    return Tree(builder.root, builder.by_id, builder.texts, builder.pictures)


_ENDED = frozenset(
    (
        expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],
        expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
        expat.errors.codes[expat.errors.XML_ERROR_PARTIAL_CHAR],
        expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION],
    )
)


class _Builder:
    def __init__(self) -> None:
        self.root: Node | None = None
        self.by_id: dict[str, Node] = {}
        self.texts = self.pictures = 0
        self._open: list[Node] = []
        self._skipped = 0  # how deep inside what is not kept
        self._in_style = self._in_text = 0
        self._style: list[str] = []
        self._nodes = 0

    def start(self, full_name: str, attributes: Mapping[str, str]) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES or len(self._open) + self._skipped > MOST_DEPTH:
            raise Unreadable(finding("unreadable", why="too_complex"))
        space, _, tag = full_name.rpartition(" ")
        ours = space in ("", SVG)
        if ours:
            self._refuse(tag, attributes)
        if self.root is None and (tag != "svg" or not ours):
            raise Unreadable(finding("wrong_content", ending="svg", looks_like="xml"))
        if self._skipped or not ours or tag not in KEPT:
            self._skipped += 1
            self._in_style += ours and tag == "style"
            self._in_text += ours and tag in TEXTS
            self.pictures += ours and tag == "image"
            return
        node = Node(tag, _kept(attributes), "class" in attributes)
        name = node.attributes.get("id")
        if name:
            self.by_id.setdefault(name, node)
        if self._open:
            self._open[-1].children.append(node)
        self.root = self.root or node
        self._open.append(node)

    def end(self, full_name: str) -> None:
        space, _, tag = full_name.rpartition(" ")
        ours = space in ("", SVG)
        if not self._skipped:
            self._open.pop()
            return
        self._skipped -= 1
        if ours and tag == "style":
            self._in_style -= 1
            if _CSS_OUTSIDE.search("".join(self._style)):
                raise Unreadable(finding("outside_reference"))
            self._style.clear()
        self._in_text -= ours and tag in TEXTS

    def characters(self, text: str) -> None:
        if self._in_style:
            self._style.append(text)
        elif self._in_text and text.strip():
            self.texts += 1

    def entity(self, *_said: object) -> None:
        raise Unreadable(finding("unreadable", why="entities"))

    def outside(self, *_said: object) -> int:
        raise Unreadable(finding("outside_reference"))

    def instruction(self, target: str, _data: str) -> None:
        if target.lower() != "xpacket":  # what a program noted for itself; a style sheet would be fetched
            raise Unreadable(finding("outside_reference"))

    def _refuse(self, tag: str, attributes: Mapping[str, str]) -> None:
        """What a drawing for a blade has no business with."""
        if tag in SCRIPTS:
            raise Unreadable(finding("script_inside"))
        for full_name, value in attributes.items():
            name = full_name.rpartition(" ")[2].lower()
            if full_name.lower().startswith("on"):
                raise Unreadable(finding("script_inside"))
            if name == "href":
                if _PROGRAM.match(value):
                    raise Unreadable(finding("script_inside"))
                embedded = value.lstrip().lower().startswith("data:image/")
                if tag != "a" and not embedded and _OUTSIDE.match(value):
                    raise Unreadable(finding("outside_reference"))
            elif name == "style" and _CSS_OUTSIDE.search(value):
                raise Unreadable(finding("outside_reference"))


def _kept(attributes: Mapping[str, str]) -> dict[str, str]:
    kept: dict[str, str] = {}
    for full_name, value in attributes.items():
        name = full_name.rpartition(" ")[2]
        if name in _ATTRIBUTES and (" " not in full_name or full_name == f"{XLINK} href"):
            kept.setdefault(name, value)
    for name, value in _STYLE.findall(attributes.get("style", "")):
        if name in _STYLED:
            kept[name] = value.strip()
    return kept
