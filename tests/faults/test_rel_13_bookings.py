"""Bookings under kills (REL-13): no overlap ever, what was confirmed exists, what was refused does not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from tests.faults.bookings import Crowd, Row, Wish, overlaps, rows_of_sqlite
from tests.faults.postgres import Postgres, postgres
from tests.faults.runs import first_seed, keeping_seeds, times
from tests.journeys.lab import Lab, open_lab

SECONDS = times("FABLAB_BOOKING_SECONDS", 5)
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


def rows_of(server: Postgres) -> list[Row]:
    with psycopg.connect(server.url) as connection:
        return connection.execute(
            'SELECT id, machine_id, start, "end", state FROM equipment_booking'
        ).fetchall()


@pytest.mark.killed
def test_rel_13_every_answer_about_a_booking_is_true_whoever_is_killed_on_sqlite(tmp_path: Path) -> None:
    seed = first_seed(13)
    with keeping_seeds("bookings", [seed]), open_lab(tmp_path, [], **FAST) as lab:
        crowd = Crowd(lab, seed, machines_of(lab), lambda chance: restart(lab))
        crowd.rage(SECONDS)
        print(crowd.said())
        assert crowd.found_wrong(rows_of_sqlite(tmp_path / "var" / "fablab.sqlite3")) == []
        assert crowd.told and crowd.kills and crowd.refused["slot_taken"]


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

        crowd = Crowd(lab, seed, machines_of(lab), kill)
        crowd.rage(SECONDS)
        print(crowd.said())
        assert crowd.found_wrong(rows_of(server)) == []
        assert crowd.told and crowd.kills and crowd.refused["slot_taken"]


# --- the judge itself -------------------------------------------------------------------------------------------------


def row(name: str, start: int, state: str = "confirmed", machine: str = "m") -> Row:
    begins = AT + timedelta(minutes=start)
    return name, machine, begins, begins + timedelta(minutes=60), state


def judge(told: dict[str, Wish], rows: list[Row], unanswered: int = 0) -> list[str]:
    nobody = Crowd.__new__(Crowd)
    nobody.told, nobody.unanswered, nobody.surprises = told, unanswered, []
    return nobody.found_wrong(rows)


def test_the_judge_sees_overlaps_of_live_bookings_of_one_machine() -> None:
    assert overlaps([row("a", 0), row("b", 59)]) == ["a and b overlap"]
    assert overlaps([row("a", 0), row("b", 60), row("c", 30, "cancelled"), row("d", 30, machine="n")]) == []


def test_the_judge_sees_what_was_promised_and_is_not_there_and_what_nobody_was_promised() -> None:
    assert judge({"a": Wish("confirmed", AT)}, [row("a", 0)]) == []
    assert len(judge({"a": Wish("confirmed", AT)}, [])) == 1
    assert len(judge({"a": Wish("cancelled", AT)}, [row("a", 0)])) == 1
    assert len(judge({}, [row("a", 0)])) == 1
    assert judge({}, [row("a", 0)], unanswered=1) == []


def test_the_judge_lets_both_be_true_where_nobody_was_answered() -> None:
    later = AT + timedelta(minutes=60)
    unsure = Wish("confirmed", later, sure=False, before=("confirmed", AT))
    assert judge({"a": unsure}, [row("a", 0)]) == []
    assert judge({"a": unsure}, [row("a", 60)]) == []
    assert len(judge({"a": unsure}, [row("a", 30)])) == 1
