"""What each kind says it can do, beside what the rest of the system and its page believe of it."""

import re

import pytest

from equipment.drivers.base import Capabilities
from equipment.drivers.registry import KINDS, capabilities_of
from equipment.machines.states import FED, LINKED, STARTED_BY_LINE, STREAMED, WATCHED, Driver
from tests.equipment.drivers.counterparts import PAGE

ALL = {kind: capabilities_of(kind) for kind in KINDS}


def those_that(can: str) -> set[str]:
    return {kind for kind, what in ALL.items() if getattr(what, can)}


def test_every_connection_that_a_machine_may_have_is_a_driver_and_the_other_way_round() -> None:
    assert set(KINDS) == {driver.value for driver in Driver}


def test_the_named_sets_are_what_the_drivers_can_do() -> None:
    assert set(LINKED) == those_that("observe")
    assert set(FED) == those_that("send")
    assert set(STARTED_BY_LINE) == those_that("start")
    assert set(STREAMED) == those_that("streams")
    assert set(WATCHED) == those_that("address")


@pytest.mark.parametrize("order", ["pause", "resume", "stop"])
def test_whoever_reports_itself_takes_every_order_by_line(order: str) -> None:
    """Pages offer orders to every linked machine; a kind that lacks one needs a set of its own."""
    assert those_that(order) == set(LINKED)


def test_the_page_about_drivers_says_of_each_kind_what_it_says_of_itself() -> None:
    head, *rows = [
        [cell.strip().strip("`") for cell in line.strip("|\n").split("|")]
        for line in re.findall(r"^\|.*\|$", PAGE.read_text(), re.MULTILINE)
        if "---" not in line
    ]
    told = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    assert set(told) == set(KINDS)
    for kind, row in told.items():
        can = {name: row[name] == "yes" for name in head[2:-1]}
        assert can == {name: getattr(ALL[kind], name) for name in can}, kind
        assert bool(row["address"]) == ALL[kind].address


def test_a_capability_that_nobody_has_is_a_promise_that_nobody_tests() -> None:
    unused = {name for name in Capabilities.__slots__ if not those_that(name)}
    assert unused == {"camera"}, "stills come by an address of their own, beside the driver"
