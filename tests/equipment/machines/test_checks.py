"""A list of places that cannot be read stops the start, and says which line and how to write it."""

import pytest
from pytest_django.fixtures import Settings

from equipment.machines.checks import lists_of_places_can_be_read


def test_the_lists_of_a_new_installation_can_be_read() -> None:
    assert lists_of_places_can_be_read(None) == []


@pytest.mark.parametrize(
    ("name", "line", "number"),
    [
        ("MACHINE_NETWORKS", "192.168.1.0/24", "equipment.E002"),
        ("MACHINE_NETWORKS", "192.168.1.20:http", "equipment.E002"),
        ("MACHINE_FOLDERS", "machines", "equipment.E003"),
        ("MACHINE_FOLDERS", "/", "equipment.E003"),
        ("MACHINE_FOLDERS", "/srv/../etc", "equipment.E003"),
    ],
)
def test_a_line_that_is_not_understood_is_named(
    name: str, line: str, number: str, settings: Settings
) -> None:
    setattr(settings, name, [line])
    (found,) = lists_of_places_can_be_read(None)
    assert found.id == number
    assert line in found.msg
    assert found.hint
