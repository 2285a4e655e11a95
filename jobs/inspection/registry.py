"""From bytes and a name to the reader that takes them: a literal table, content first, the ending second."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from . import pictures, signatures
from .codes import finding
from .findings import Finding, Report
from .formats import gcode, stl
from .mesh import Triangles, write_stl
from .toolpath import Toolpath

HEAD_BYTES = 4096

Reader = Callable[[Path, Path | None, Path | None], Report]


class Format(NamedTuple):
    name: str
    endings: tuple[str, ...]
    sniff: Callable[[bytes], bool]  # could these first bytes be this format?
    read: Reader  # path, where to draw, where to write the bare triangles


def _solid(reader: Callable[[Path], tuple[Report, Triangles | None]]) -> Reader:
    """A model's reader: its triangles can be drawn and written out clean."""

    def read(path: Path, picture_to: Path | None, mesh_to: Path | None) -> Report:
        report, triangles = reader(path)
        if triangles is None:
            return report
        if mesh_to is not None and not report.blocked:
            write_stl(triangles, mesh_to)
        if picture_to is not None:
            picture_to.write_bytes(pictures.draw_mesh(triangles))
        return report

    return read


def _read_gcode(path: Path, picture_to: Path | None, mesh_to: Path | None) -> Report:
    if picture_to is None:
        return gcode.read(path)
    toolpath = Toolpath()
    report = gcode.read(path, toolpath)
    if toolpath.segments:
        picture_to.write_bytes(pictures.draw_toolpath(toolpath))
    return report


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


def read(path: Path, name: str, picture_to: Path | None = None, mesh_to: Path | None = None) -> Report:
    """Reads one file and says what is in it.

    Draws its picture (PNG) to `picture_to`, and writes a sound model's bare triangles (binary STL, standing on the
    plate) to `mesh_to`, where these are given and possible.

    Never raises for bad input: what cannot be read comes back as a report with a blocking finding. Call it through
    `sandbox.inspect_file`, which also bounds time and memory.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except OSError:
        return Report("", findings=(finding("unreadable", why="missing"),))
    sniffed = sniff(head, name)
    if isinstance(sniffed, Finding):
        return Report("", findings=(sniffed,))
    reader = next(one.read for one in FORMATS if one.name == sniffed)
    try:
        return reader(path, picture_to, mesh_to)
    except MemoryError:
        return Report(sniffed, findings=(finding("unreadable", why="too_complex"),))
