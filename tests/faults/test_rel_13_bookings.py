"""Bookings under kills (REL-13): no overlap ever, what was confirmed exists, what was refused does not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.faults.booking_people import DUTIES, WISHES, Client
from tests.faults.bookings import Crowd
from tests.faults.postgres import postgres
from tests.faults.runs import first_seed, keeping_seeds, times
from tests.faults.told import (
    NEVER,
    Outage,
    OutageRow,
    Row,
    Said,
    Told,
    overlaps,
    rows_of_postgresql,
    rows_of_sqlite,
)
from tests.journeys.lab import Lab, open_lab

CALLS = times("FABLAB_BOOKING_CALLS", 150)
MANY = 2000  # then everything has been done by somebody
FAST: dict[str, Any] = {
    "API_READS_PER_MINUTE": "100000",
    "API_WRITES_PER_MINUTE": "100000",
    "DATABASE_LOCK_SECONDS": "10",
}
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def machines_of(lab: Lab) -> list[str]:
    sami = lab.api("sami")
    found = sami.get(f"/api/v1/machines/?site={lab.site_id(sami)}")["results"]
    return [machine["id"] for machine in found if machine["name"] in ("Ada", "Colette", "Django")]


def restart(lab: Lab) -> None:
    lab.kill()
    lab.start()


def check(crowd: Crowd, rows: tuple[list[Row], list[OutageRow]]) -> None:
    print(crowd.said())
    wrong = crowd.told.found_wrong(*rows)
    print("\n".join(wrong))
    assert wrong == []
    assert crowd.told.bookings and crowd.kills and any("slot_taken" in codes for codes in crowd.refused)
    if CALLS >= MANY:
        assert len(crowd.done) >= len({*WISHES, *DUTIES}), crowd.done


@pytest.mark.killed
def test_rel_13_every_answer_about_a_booking_is_true_whoever_is_killed_on_sqlite(tmp_path: Path) -> None:
    seed = first_seed(13)
    with keeping_seeds("bookings", [seed]), open_lab(tmp_path, [], **FAST) as lab:
        crowd = Crowd(lab, seed, machines_of(lab), lambda chance: restart(lab), Client)
        crowd.rage(CALLS)
        check(crowd, rows_of_sqlite(tmp_path / "var" / "fablab.sqlite3"))


@pytest.mark.killed
def test_rel_13_every_answer_about_a_booking_is_true_whoever_is_killed_on_postgresql(tmp_path: Path) -> None:
    seed = first_seed(13)
    with (
        keeping_seeds("bookings", [seed]),
        postgres() as server,
        open_lab(tmp_path, [], DATABASE_URL=server.url, **FAST) as lab,
    ):

        def kill(chance: Random) -> None:
            if chance.random() < 0.5:
                restart(lab)
            else:
                server.kill()
                server.start()

        crowd = Crowd(lab, seed, machines_of(lab), kill, Client)
        crowd.rage(CALLS)
        check(crowd, rows_of_postgresql(server.url))


# --- the judge itself -------------------------------------------------------------------------------------------------

HOUR = timedelta(minutes=60)


def row(name: str, start: int, state: str = "confirmed", machine: str = "m", by: str | None = "lea") -> Row:
    begins = AT + timedelta(minutes=start)
    return Row(name, machine, begins, begins + HOUR, begins, begins + HOUR + timedelta(minutes=10), state, by)


def said(state: str, asked: float, start: int | None = 0, *, sure: bool = True) -> Said:
    """Answered a second after it was asked."""
    begins = None if start is None else AT + timedelta(minutes=start)
    return Said(state, None, begins, None, asked, asked + 1 if sure else NEVER, sure)


def judge(told: list[Said], rows: list[Row]) -> list[str]:
    return Told({"a": told}).found_wrong(rows, [])


def test_the_judge_sees_whatever_holds_one_machine_at_one_time_with_its_buffer() -> None:
    assert overlaps([row("a", 0), row("b", 69, "held")]) == ["a and b overlap"]
    assert overlaps([row("a", 0), row("b", 70), row("c", 30, "cancelled"), row("d", 30, machine="n")]) == []


def test_the_judge_sees_what_was_promised_and_is_not_there_and_what_nobody_was_promised() -> None:
    assert judge([said("confirmed", 0)], [row("a", 0)]) == []
    assert len(judge([said("confirmed", 0)], [])) == 1
    assert len(judge([said("confirmed", 0), said("cancelled", 2)], [row("a", 0)])) == 1
    assert len(judge([said("confirmed", 0)], [row("a", 0), row("b", 120)])) == 1
    asked = Told(lost=[lambda one: one.start == AT])
    assert asked.found_wrong([row("b", 0)], []) == []
    assert len(asked.found_wrong([row("b", 60)], [])) == 1
    offered = [row("c", 0, "held", by=None), row("d", 120, "cancelled", by=None)]
    assert Told().found_wrong(offered, []) == []
    assert len(Told().found_wrong([row("c", 0, by=None)], [])) == 1


def test_the_judge_lets_both_be_true_where_nobody_was_answered_or_two_asked_at_once() -> None:
    unsure = [said("confirmed", 0), said("confirmed", 5, 60, sure=False)]
    assert judge(unsure, [row("a", 0)]) == judge(unsure, [row("a", 60)]) == []
    assert len(judge(unsure, [row("a", 30)])) == 1
    at_once = [said("confirmed", 0), said("confirmed", 5, 60), said("confirmed", 5.5, 120)]
    assert judge(at_once, [row("a", 60)]) == judge(at_once, [row("a", 120)]) == []
    assert len(judge(at_once, [row("a", 0)])) == 1
    one_after_the_other = [said("confirmed", 0), said("confirmed", 5, 60), said("confirmed", 7, 120)]
    assert len(judge(one_after_the_other, [row("a", 60)])) == 1
    # Seen in the way by somebody, and perhaps cancelled for them: a row of a call that was not answered.
    perhaps = Told({"a": [said("cancelled", 5, None, sure=False)]}, lost=[lambda one: one.start == AT])
    assert perhaps.found_wrong([row("a", 0)], []) == []
    assert len(perhaps.found_wrong([row("a", 60)], [])) == 1
    # What is cancelled is so, whoever else was answered at the same moment.
    assert len(judge([said("cancelled", 5, None), said("confirmed", 5)], [row("a", 0)])) == 1


def test_the_judge_sees_a_time_that_was_let_in_into_an_outage_and_outages_that_are_not_as_told() -> None:
    outage = Outage("m", AT, AT + HOUR, answered=10)
    stands = OutageRow("1", "m", AT, AT + HOUR)
    booked = Said("confirmed", "m", AT, AT + HOUR, 9, 12, judged=True)
    assert Told({"a": [booked]}, {"1": outage}).found_wrong([row("a", 0)], [stands]) == []
    later = Said("confirmed", "m", AT, AT + HOUR, 11, 12, judged=True)
    assert len(Told({"a": [later]}, {"1": outage}).found_wrong([row("a", 0)], [stands])) == 1
    assert len(Told(outages={"1": outage}).found_wrong([], [])) == 1
    assert len(Told().found_wrong([], [stands])) == 1
    gone = stands._replace(start=AT - HOUR, end=AT - HOUR)
    assert len(Told(outages={"1": outage}).found_wrong([], [gone])) == 1
    outage.over = AT - HOUR
    assert Told(outages={"1": outage}).found_wrong([], [gone]) == []
    assert len(Told(outages={"1": outage}).found_wrong([], [stands])) == 1
