"""Every finding has its sentence and its next step in three languages, short and in the lab's words."""

import re
from pathlib import Path

import pytest

from jobs.inspection import codes
from jobs.inspection.findings import Reason

README = Path(codes.__file__).with_name("README.md")
COLUMNS = ("code", "fr", "en", "ar", "fr_next", "en_next", "ar_next")
ROWS = {
    cells[0].strip("`"): dict(zip(COLUMNS, cells, strict=True))
    for line in README.read_text().splitlines()
    if line.startswith("| `")
    and len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == len(COLUMNS)
}
UNTOLD = re.compile(r"\b(STL|G-code|gcode|slicer|token|buffer|API|error|null)\b", re.IGNORECASE)


def test_the_table_holds_every_code_and_no_other() -> None:
    assert ROWS.keys() == codes.CODES.keys()


@pytest.mark.parametrize("code", sorted(ROWS))
def test_sentences_are_short_plain_and_say_the_same_numbers(code: str) -> None:
    row = ROWS[code]
    for column in COLUMNS[1:]:
        sentence = row[column]
        assert sentence and not UNTOLD.search(sentence), column
        assert len(sentence.split()) <= 12, (column, sentence)
    for kind in ("", "_next"):
        placed = [sorted(re.findall(r"\{(\w+)\}", row[one + kind])) for one in ("fr", "en", "ar")]
        assert placed[0] == placed[1] == placed[2]


def test_every_reason_a_file_check_can_give_is_one_of_the_seven() -> None:
    used = {codes.reason_of(code) for code in codes.CODES}
    assert used == {
        Reason.TOO_BIG,
        Reason.NOT_SOLID,
        Reason.UNREADABLE,
        Reason.NOT_ALLOWED,
        Reason.TALK,
        None,
    }
