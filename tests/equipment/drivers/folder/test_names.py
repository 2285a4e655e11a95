"""Names that every machine can read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipment.drivers.base import Code, DriverError
from equipment.drivers.folder.names import short_name
from tests.equipment.drivers.folder.helpers import LIES_AS, NAME

SHORT = re.compile(r"[A-Z0-9]{1,8}\.[A-Z0-9]{1,3}")


def test_a_name_is_always_shortened_in_the_same_way_and_a_short_one_stays() -> None:
    assert short_name(NAME) == LIES_AS
    assert short_name(f"fl/{NAME}") == LIES_AS
    assert short_name(LIES_AS) == LIES_AS
    assert short_name(f"8-{NAME[2:]}") != LIES_AS


@pytest.mark.parametrize(
    ("ending", "short"),
    [
        ("dst", "DST"),
        ("PES", "PES"),
        ("hpgl", "PLT"),
        ("gcode", "GCO"),
        ("jpeg", "JPG"),
        ("vp3", "VP3"),
        ("tap", "TAP"),
    ],
)
def test_an_ending_is_the_one_that_machines_know(ending: str, short: str) -> None:
    assert short_name(f"7-0a1b2c3d.{ending}").endswith(f".{short}")


@pytest.mark.parametrize("name", ["", "dst", ".dst", "a.", "a.d/st", "a.é", "a." + "x" * 20])
def test_a_name_without_an_ending_is_refused(name: str) -> None:
    with pytest.raises(DriverError) as refused:
        short_name(name)
    assert refused.value.code is Code.STORAGE_REFUSED


# A slash ends a folder's name, which is not shortened.
stems = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), max_size=80)


@given(stems, st.sampled_from(["dst", "pes", "hpgl", "gcode", "svg"]))
def test_whatever_it_is_called_the_name_is_short_plain_and_shortening_it_again_changes_nothing(
    stem: str, ending: str
) -> None:
    found = short_name(f"a{stem}.{ending}")
    assert SHORT.fullmatch(found)
    assert short_name(found) == found
