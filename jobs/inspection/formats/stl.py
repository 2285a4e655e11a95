"""STL models, binary and text: our own strict reader. Size arithmetic first, every number finite, text to its end."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..codes import finding
from ..findings import Finding, Report
from ..mesh import MOST_TRIANGLES, Triangles, examine

HEADER, RECORD = 84, 50
BLOCK = 1 << 20
TOKENS = 21  # words of one facet in a text file
_BINARY = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_SOLID = re.compile(rb"\s*solid\b", re.IGNORECASE)
_TEXT = re.compile(rb"\s*solid\b[^\r\n]*[\r\n]\s*(facet\s+normal|endsolid)\b", re.IGNORECASE)
_ENDSOLID = re.compile(rb"^[ \t]*endsolid\b[^\n]*$", re.MULTILINE)
_WORDS = ((0, b"facet"), (1, b"normal"), (5, b"outer"), (6, b"loop"), (7, b"vertex"), (11, b"vertex"),
          (15, b"vertex"), (19, b"endloop"), (20, b"endfacet"))  # fmt: skip
_NUMBERS = (8, 9, 10, 12, 13, 14, 16, 17, 18)


class Unreadable(Exception):
    """The file is not what an STL file must be; carries the finding that says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding


def sniff(head: bytes) -> bool:
    """Could be STL: text that begins a facet, or 84 bytes of header and count that are not plain text throughout.

    Binary STL has no signature; `read` checks it by arithmetic.
    """
    if _TEXT.match(head):
        return True
    if _SOLID.match(head) and len(head) < HEADER:
        return True  # a text file cut very early: the reader says "truncated"
    # A count of 1 to 16 million always holds a byte below a space in these four; text never does.
    return len(head) >= HEADER and any(byte < 9 or byte > 126 for byte in head[80:84])


def read(path: Path) -> tuple[Report, Triangles | None]:
    """The report of an STL file, and its triangles (n, 3, 3) in millimetres when it could be read.

    Facts: triangles, encoding, and those of `mesh.examine`. Raises nothing for bad content.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            head = stream.read(HEADER)
            announced = int.from_bytes(head[80:84], "little") if len(head) == HEADER else -1
            is_binary = announced >= 0 and size == HEADER + RECORD * announced
            stream.seek(0)
            if is_binary:
                triangles = _read_binary(stream, announced)
            elif _TEXT.match(head + stream.read(BLOCK)[HEADER:]) or _SOLID.match(head):
                stream.seek(0)
                triangles = _read_text(stream)
            else:
                raise Unreadable(_size_wrong(size, announced))
    except Unreadable as bad:
        return Report("stl", findings=(bad.finding,)), None
    encoding = "binary" if is_binary else "text"
    measured = examine(triangles)
    report = Report(
        "stl",
        size_mm=measured.size_mm,
        facts={"encoding": encoding, **measured.facts},
        findings=measured.findings,
    )
    return report, (triangles if measured.size_mm is not None else None)


def _size_wrong(size: int, announced: int) -> Finding:
    found = (size - HEADER) // RECORD
    if announced < 0:
        return finding("truncated")
    if announced > found and announced < 100 * max(found, 1):
        return finding("truncated")  # the usual case: a download that stopped
    return finding("count_wrong", announced=announced, found=found)


def _read_binary(stream: BinaryIO, count: int) -> Triangles:
    _bounded(count)
    stream.seek(HEADER)
    records = np.fromfile(stream, dtype=_BINARY, count=count)
    if len(records) != count:
        raise Unreadable(finding("truncated"))
    return np.ascontiguousarray(records["corners"])


def _bounded(count: int) -> None:
    if count == 0:
        raise Unreadable(finding("no_triangle"))
    if count > MOST_TRIANGLES:
        raise Unreadable(finding("too_many_triangles", triangles=count, most=MOST_TRIANGLES))


def _read_text(stream: BinaryIO) -> Triangles:
    """Facets of one or several solids, to the very end of the file."""
    pieces: list[NDArray[np.float32]] = []
    count = 0
    for words in _facet_words(stream):
        piece = _facets(words)
        count += len(piece)
        if count > MOST_TRIANGLES:
            _bounded(count)
        pieces.append(piece)
    _bounded(count)
    return np.concatenate(pieces)


def _facet_words(stream: BinaryIO) -> Iterator[list[bytes]]:
    """Lists of words, a whole number of facets each, with the solid and endsolid lines taken out."""
    words: list[bytes] = []
    inside = False
    solids = 0
    for block in _whole_lines(stream):
        while block:
            if not inside:
                start = _SOLID.match(block)
                if not start:
                    if block.strip():
                        raise Unreadable(finding("trailing_data"))
                    break
                inside, solids = True, solids + 1
                _, _, block = block.partition(b"\n")
                block = block.lstrip()
                continue
            end = _ENDSOLID.search(block)
            words += block[: end.start() if end else len(block)].split()
            block = block[end.end() :].lstrip() if end else b""
            if end:
                inside = False
                if len(words) % TOKENS:
                    raise Unreadable(finding("truncated"))
        whole = len(words) - len(words) % TOKENS
        if whole:
            yield words[:whole]
            words = words[whole:]
    if inside or words or not solids:
        raise Unreadable(finding("truncated"))


def _whole_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Blocks of about a megabyte that end at a line's end, in lower case."""
    rest = b""
    while piece := stream.read(BLOCK):
        block = (rest + piece).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        cut = block.rfind(b"\n") + 1
        if cut == 0 and len(block) > BLOCK:
            raise Unreadable(finding("unreadable", why="too_complex"))
        rest = block[cut:]
        yield block[:cut].lower()
    yield rest.lower()


def _facets(words: list[bytes]) -> NDArray[np.float32]:
    facets = len(words) // TOKENS
    for place, word in _WORDS:
        if words[place::TOKENS].count(word) != facets:
            raise Unreadable(finding("truncated"))
    try:
        columns = [np.array(list(map(float, words[place::TOKENS])), dtype=np.float32) for place in _NUMBERS]
    except (ValueError, OverflowError):
        raise Unreadable(finding("truncated")) from None
    return np.stack(columns, axis=1).reshape(facets, 3, 3)
