"""A file's name is shown to people and must not lie to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.uploads.names import NAME_BYTES, NAMELESS, clean_name


@pytest.mark.parametrize("point", [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
def test_each_direction_control_is_removed(point: int) -> None:
    assert clean_name(f"cube{chr(point)}lts.stl") == "cubelts.stl"


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("Mon cube.stl", "Mon cube.stl"),
        ("مكعب.stl", "مكعب.stl"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\lea\\cube.stl", "cube.stl"),
        ("a\0b\nc.stl", "abc.stl"),
        ("Boîte %22test%22.stl", 'Boîte "test".stl'),
        ("100%25.stl", "100%25.stl"),
        ("", NAMELESS),
        ("...", NAMELESS),
        ("dossier/", NAMELESS),
    ],
)
def test_names_are_shown_without_paths_and_unseen_signs(given_name: str, shown: str) -> None:
    assert clean_name(given_name) == shown


def test_a_name_that_is_too_long_keeps_its_ending() -> None:
    shown = clean_name("é" * 400 + ".stl")
    assert shown.endswith("é.stl")
    assert len(shown.encode()) <= NAME_BYTES


@given(st.text() | st.text(alphabet='%20D\u200b ".'))
def test_any_text_becomes_a_name_that_is_stable(text: str) -> None:
    shown = clean_name(text)
    assert shown
    assert len(shown.encode()) <= NAME_BYTES
    assert clean_name(shown) == shown
