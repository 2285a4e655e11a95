"""A table of bookings as a spreadsheet saves it (CSV), read into rows. Pure.

Columns in any order: machine, person (the name typed at sign-in), start, end, and perhaps title. Times are as the
clock on the place's wall shows them (``2026-11-24 14:00``), or ISO 8601 with their offset. Comma or semicolon, UTF-8
with or without a mark at its beginning. Everything that is wrong is found at once, each with its lines.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fablab.core.clock import FIRST_YEAR, LAST_YEAR, local_to_utc
from fablab.core.errors import Malformed, Problem

NEEDED = ("machine", "person", "start", "end")
COLUMNS = (*NEEDED, "title")
MOST_ROWS = 500
MOST_BYTES = 1024 * 1024
NAMED = 5  # wrong words that are repeated to the person


@dataclass(frozen=True)
class Row:
    """One line: what was typed, and the times in UTC."""

    line: int
    machine: str
    person: str
    start: datetime
    end: datetime
    title: str


class Findings:
    """Problems gathered by code: one for each, with all its lines and some of the words that were wrong."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[Problem, list[int], list[str]]] = {}

    def add(self, problem: Problem, line: int, what: str = "") -> None:
        _first, lines, words = self._found.setdefault(problem.code, (problem, [], []))
        if line not in lines:
            lines.append(line)
        if what and what not in words:
            words.append(what)

    def problems(self) -> list[Problem]:
        """Return one problem for each code; ``lines`` in its parameters are the file's."""
        return [
            Problem(
                first.code,
                {**first.params, "lines": sorted(lines), "what": _listed(words)},
                "file",
            )
            for first, lines, words in self._found.values()
        ]

    def __bool__(self) -> bool:
        return bool(self._found)


def read(content: bytes, zone: str, findings: Findings) -> list[Row]:
    """Return the rows that make sense; what is wrong with the others goes to ``findings``.

    Raises ``Malformed`` where it is no such table at all.
    """
    if len(content) > MOST_BYTES:
        raise Malformed(Problem("import_too_large", {"most_mb": MOST_BYTES // 1024**2}, "file"))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed(Problem("import_not_utf8", field="file")) from error
    lines = _lines(text)
    names = _columns([cell.strip().lower() for cell in lines[0][1]] if lines else [])
    body = lines[1:]
    if not body:
        raise Malformed(Problem("import_empty", field="file"))
    if len(body) > MOST_ROWS:
        raise Malformed(Problem("import_too_many_rows", {"most": MOST_ROWS, "rows": len(body)}, "file"))
    return list(_rows(body, names, zone, findings))


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """Return the lines that hold anything, with their numbers in the file."""
    if "\0" in text:
        raise Malformed(Problem("import_not_csv", {"line": 1}, "file"))
    head = text.lstrip().partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=";" if head.count(";") > head.count(",") else ",",
        strict=True,
    )
    found, begins = [], 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found.append((begins, cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise Malformed(Problem("import_not_csv", {"line": begins}, "file")) from error
    return found


def _columns(names: Sequence[str]) -> Sequence[str]:
    missing = [name for name in NEEDED if name not in names]
    unknown = [name for number, name in enumerate(names) if name not in COLUMNS or name in names[:number]]
    problems = []
    if missing:
        problems.append(Problem("import_columns_missing", {"what": _listed(missing)}, "file"))
    if unknown:
        problems.append(
            Problem("import_columns_unknown", {"what": _listed([one[:30] for one in unknown])}, "file")
        )
    if problems:
        raise Malformed(*problems)
    return names


def _rows(
    body: Sequence[tuple[int, list[str]]], names: Sequence[str], zone: str, findings: Findings
) -> Iterator[Row]:
    for line, cells in body:
        if len(cells) != len(names):
            findings.add(Problem("import_cells"), line)
            continue
        said = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
        for name in ("machine", "person"):
            if not said[name]:
                findings.add(Problem("import_cell_empty"), line, name)
        start = _moment(said["start"], zone, line, findings)
        end = _moment(said["end"], zone, line, findings)
        if start is None or end is None or not said["machine"] or not said["person"]:
            continue
        if end <= start:
            findings.add(Problem("end_before_start"), line)
            continue
        yield Row(line, said["machine"], said["person"].lower(), start, end, said.get("title", "")[:80])


def _moment(text: str, zone: str, line: int, findings: Findings) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        findings.add(Problem("import_time"), line, text[:30])
        return None
    if len(text) < len("2026-11-24 14:00"):  # a day alone is midnight to Python
        findings.add(Problem("import_time"), line, text[:30])
        return None
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        findings.add(
            Problem("series_year_out_of_range", {"first": FIRST_YEAR, "last": LAST_YEAR}), line, text[:30]
        )
        return None
    at = at.replace(microsecond=0)
    if at.tzinfo is not None:
        return at.astimezone(UTC)
    try:
        return local_to_utc(at, zone)
    except Malformed as error:
        for problem in error.problems:
            findings.add(problem, line)
        return None


def _listed(words: Sequence[str]) -> str:
    more = " …" if len(words) > NAMED else ""
    return ", ".join(words[:NAMED]) + more
