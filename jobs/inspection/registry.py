"""From bytes and a name to the reader that takes them: a literal table, content first, the ending second."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from . import pictures, signatures
from .codes import finding
from .findings import Finding, Report
from .formats import gcode, stl
from .mesh import Triangles, write_stl
from .toolpath import Toolpath

HEAD_BYTES = 4096

Draw = Callable[[], bytes]  # makes the picture, a PNG; may take longer than the reading
Reader = Callable[[Path, Path | None, bool], tuple[Report, Draw | None]]


class Format(NamedTuple):
    name: str
    endings: tuple[str, ...]
    sniff: Callable[[bytes], bool]  # could these first bytes be this format?
    read: Reader  # the file, where to write its bare triangles, whether a picture is wanted


def _solid(reader: Callable[[Path], tuple[Report, Triangles | None]]) -> Reader:
    """A model's reader: its triangles can be drawn and written out clean."""

    def read(path: Path, mesh_to: Path | None, pictured: bool) -> tuple[Report, Draw | None]:
        report, triangles = reader(path)
        if triangles is None:
            return report, None
        if mesh_to is not None and not report.blocked:
            write_stl(triangles, mesh_to)
        return report, partial(pictures.draw_mesh, triangles) if pictured else None

    return read


def _read_gcode(path: Path, mesh_to: Path | None, pictured: bool) -> tuple[Report, Draw | None]:
    toolpath = Toolpath() if pictured else None
    report = gcode.read(path, toolpath)
    return report, partial(pictures.draw_toolpath, toolpath) if toolpath and toolpath.segments else None


FORMATS: tuple[Format, ...] = (
    Format("stl", ("stl",), stl.sniff, _solid(stl.read)),
    Format("gcode", ("gcode", "gco", "g"), gcode.sniff, _read_gcode),
)


def sniff(head: bytes, name: str) -> str | Finding:
    """The format name of a file from its first bytes (give `HEAD_BYTES` of them) and its name, or why there is none.

    Content and ending must agree; a web page, picture, archive or document under a model's name is told by content.
    """
    if not head:
        return finding("empty_file")
    if signatures.misleading(name):
        return finding("misleading_name")
    ending = signatures.ending(name)
    claimed = next((one for one in FORMATS if ending in one.endings), None)
    if claimed is None:
        return finding("unknown_format", ending=ending[:20])
    foreign = signatures.looks_like(head)
    if foreign is not None:
        return finding("wrong_content", ending=ending, looks_like=foreign)
    if not claimed.sniff(head):
        other = next((one.name for one in FORMATS if one is not claimed and one.sniff(head)), "")
        return finding("wrong_content", ending=ending, looks_like=other)
    return claimed.name


def examine(
    path: Path, name: str, mesh_to: Path | None = None, pictured: bool = False
) -> tuple[Report, Draw | None]:
    """Reads one file: its report, and when `pictured` what draws it, if it can be drawn.

    Writes a sound model's bare triangles (binary STL, standing on the plate) to `mesh_to`. Never raises for bad
    input: what cannot be read comes back as a report with a blocking finding. Call it through
    `sandbox.inspect_file`, which also bounds time and memory.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except OSError:
        return Report("", findings=(finding("unreadable", why="missing"),)), None
    sniffed = sniff(head, name)
    if isinstance(sniffed, Finding):
        return Report("", findings=(sniffed,)), None
    reader = next(one.read for one in FORMATS if one.name == sniffed)
    try:
        return reader(path, mesh_to, pictured)
    except MemoryError:
        return Report(sniffed, findings=(finding("unreadable", why="too_complex"),)), None


def read(path: Path, name: str, picture_to: Path | None = None) -> Report:
    """`examine`, with the picture drawn at once to `picture_to` where that is given and possible."""
    report, draw = examine(path, name, pictured=picture_to is not None)
    if picture_to is not None and draw is not None:
        picture_to.write_bytes(draw())
    return report
