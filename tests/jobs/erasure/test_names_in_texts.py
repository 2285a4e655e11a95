"""Somebody's names in what others wrote: what is searched for, and where. The text around them stays."""

import pytest

from jobs.erasure.rules import called, without_names


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Rose et ROSE", "… et …"),
        ("PLA rose, Rosette, Roses", "PLA rose, Rosette, Roses"),
        ("vois ROSE.2-b ou rose.2-b", "vois … ou …"),
        ("Rose.", "…."),
    ],
)
def test_names_are_found_as_they_are_written(text: str, left: str) -> None:
    who = called("Rose", "rose.2-b")
    assert who is not None
    assert without_names(text, who) == left


@pytest.mark.parametrize(
    ("display_name", "username", "text", "left"),
    [
        ("ليلى", "laila", "حذار، ليلى كسرت الفوهة", "حذار، … كسرت الفوهة"),
        ("ليلى", "laila", "مع سليم وليلى، ثم لليلى", "مع سليم و…، ثم ل…"),
        ("بلال", "bilal", "بلال وبلالة", "… وبلالة"),
        ("王伟", "wei", "avec 王伟", "avec …"),
        ("kevin93", "kevin", "kevin93, Kevin93 et KEVIN", "…, … et …"),
        ("ليلى b", "laila", "ليلى B", "…"),
    ],
)
def test_a_name_without_capitals_or_with_digits_is_found_too(
    display_name: str, username: str, text: str, left: str
) -> None:
    who = called(display_name, username)
    assert who is not None
    assert without_names(text, who) == left


@pytest.mark.parametrize("username", ["anne-marie", "anne"])
def test_the_longest_form_of_a_name_goes_first_so_that_nothing_of_it_is_left(username: str) -> None:
    who = called("Anne-Marie Dupont", username)
    assert who is not None
    assert without_names("Anne-Marie Dupont l’a vu", who) == "… l’a vu"


def test_who_is_called_nothing_or_by_a_mere_figure_is_searched_for_nowhere() -> None:
    assert called("", "") is None
    assert called("0.4", "215") is None
