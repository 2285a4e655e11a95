"""PostgreSQL is restarted, then locked, under a lab that works (case 11): said in words, nothing half done."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.faults.postgres import postgres
from tests.journeys.lab import Answer, Api, Lab, eventually, open_lab

pytestmark = pytest.mark.killed

BACK_S = 30  # without a person
LOCK_S = 2


def tomorrow(hour: int) -> datetime:
    day = datetime.now(UTC) + timedelta(days=1)
    return day.replace(hour=hour, minute=0, second=0, microsecond=0)


def embroidery(lab: Lab, person: Api) -> str:
    found = person.get(f"/api/v1/machines/?site={lab.site_id(person)}")["results"]
    return next(str(machine["id"]) for machine in found if machine["name"] == "Colette")


def book(person: Api, machine: str, hour: int) -> Answer:
    times = {"start": tomorrow(hour).isoformat(), "end": tomorrow(hour + 1).isoformat()}
    return person.post("/api/v1/bookings/", {"machine": machine, **times})


def said_in_words(answer: Answer) -> None:
    assert answer.status == 503, answer
    assert answer["problems"][0]["code"] == "busy"
    assert "Recommence" in answer["detail"]


def test_case_11_postgresql_restarted_and_locked_is_said_in_words_and_nothing_is_half_done(
    tmp_path: Path,
) -> None:
    with (
        postgres() as server,
        open_lab(tmp_path, [], DATABASE_URL=server.url, DATABASE_LOCK_SECONDS=str(LOCK_S)) as lab,
    ):
        sami = lab.api("sami")
        machine = embroidery(lab, sami)
        assert book(sami, machine, 9).status == 201

        server.kill()
        said_in_words(book(sami, machine, 10))
        server.start()

        def works_again() -> Any:
            return sami.get("/api/v1/bookings/").status == 200 and book(sami, machine, 11).status == 201

        eventually("the lab works again", works_again, BACK_S)
        with server.locked("equipment_booking"), ThreadPoolExecutor(8) as people:
            answers = list(people.map(lambda hour: book(sami, machine, hour), range(13, 19)))
        for answer in answers:
            said_in_words(answer)

        assert book(sami, machine, 13).status == 201
        hours = [tomorrow(hour) for hour in (9, 11, 13)]
        booked = sami.get("/api/v1/bookings/")["results"]
        assert sorted(datetime.fromisoformat(one["start"]) for one in booked) == hours
        assert server.value("SELECT count(*) FROM equipment_booking") == len(hours)
