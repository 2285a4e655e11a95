"""From bytes and a name to the reader that takes them: a literal table, content first, the ending second."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from . import flat_pictures, pictures, signatures
from .codes import finding
from .cutting import CutLines
from .endings import ENDINGS
from .findings import Finding, Report
from .formats import dst, gcode, hpgl, pes, photo, stl, svg
from .layout import Layout, lay_out
from .limits import Frame
from .mesh import Triangles, write_stl
from .stitches import Design
from .toolpath import Toolpath

HEAD_BYTES = 4096


class Content(NamedTuple):
    """What was found in a file, beside its report. An embroidery is drawn in the smallest of the frames it fits."""

    draw: Callable[[Sequence[Frame]], bytes]  # makes the picture, a PNG; may take longer than the reading
    write: Callable[[Path, Layout], None] | None = None  # its bare geometry: triangles as STL, lines as HPGL


Reader = Callable[[Path, bool], tuple[Report, Content | None]]  # the file, whether a picture is wanted


class Format(NamedTuple):
    name: str
    endings: tuple[str, ...]
    sniff: Callable[[bytes], bool]  # could these first bytes be this format?
    read: Reader


def _solid(reader: Callable[[Path], tuple[Report, Triangles | None]]) -> Reader:
    """A model's reader: its triangles can be drawn and written out clean."""

    def read(path: Path, pictured: bool) -> tuple[Report, Content | None]:
        report, triangles = reader(path)
        if triangles is None:
            return report, None
        return report, Content(
            lambda _frames: pictures.draw_mesh(triangles), lambda to, _layout: write_stl(triangles, to)
        )

    return read


def _sewn(reader: Callable[[Path], tuple[Report, Design | None]]) -> Reader:
    def read(path: Path, pictured: bool) -> tuple[Report, Content | None]:
        report, design = reader(path)
        return report, Content(partial(flat_pictures.draw_stitches, design)) if design else None

    return read


def _cut(reader: Callable[[Path], tuple[Report, CutLines | None]]) -> Reader:
    """A drawing's reader: its lines can be laid out anew and written in a cutter's language."""

    def read(path: Path, pictured: bool) -> tuple[Report, Content | None]:
        report, lines = reader(path)
        if lines is None:
            return report, None

        def write(to: Path, layout: Layout) -> None:
            to.write_bytes(hpgl.written(lay_out(list(lines.paths()), layout)))

        return report, Content(lambda _frames: flat_pictures.draw_lines(lines), write)

    return read


def _read_gcode(path: Path, pictured: bool) -> tuple[Report, Content | None]:
    toolpath = Toolpath() if pictured else None
    report = gcode.read(path, toolpath)
    if toolpath is None or not toolpath.segments:
        return report, None
    return report, Content(lambda _frames: pictures.draw_toolpath(toolpath))


def _painted(kind: str) -> Format:
    def read(path: Path, pictured: bool) -> tuple[Report, Content | None]:
        report, draw = photo.read(path, kind)
        return report, Content(lambda _frames: draw()) if draw else None

    return Format(kind, ENDINGS[kind], lambda head: signatures.looks_like(head) == kind, read)


FORMATS: tuple[Format, ...] = (
    Format("stl", ENDINGS["stl"], stl.sniff, _solid(stl.read)),
    Format("gcode", ENDINGS["gcode"], gcode.sniff, _read_gcode),
    Format("dst", ENDINGS["dst"], dst.sniff, _sewn(dst.read)),
    Format("pes", ENDINGS["pes"], pes.sniff, _sewn(pes.read)),
    Format("hpgl", ENDINGS["hpgl"], hpgl.sniff, _cut(hpgl.read)),
    Format("svg", ENDINGS["svg"], svg.sniff, _cut(svg.read)),
    _painted("png"),
    _painted("jpeg"),
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
    if foreign is not None and foreign != claimed.name:
        return finding("wrong_content", ending=ending, looks_like=foreign)
    if not claimed.sniff(head):
        other = next((one.name for one in FORMATS if one is not claimed and one.sniff(head)), "")
        return finding("wrong_content", ending=ending, looks_like=other)
    return claimed.name


def examine(path: Path, name: str, pictured: bool = False) -> tuple[Report, Content | None]:
    """Reads one file: its report, and what it holds, if anything (a machine file's only when `pictured`).

    Never raises for bad input: what cannot be read comes back as a report with a blocking finding. Call it through
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
        return reader(path, pictured)
    except MemoryError:
        return Report(sniffed, findings=(finding("unreadable", why="too_complex"),)), None


def read(path: Path, name: str, picture_to: Path | None = None) -> Report:
    """`examine`, with the picture drawn at once to `picture_to` where that is given and possible."""
    report, content = examine(path, name, pictured=picture_to is not None)
    if picture_to is not None and content is not None:
        picture_to.write_bytes(content.draw(()))
    return report
