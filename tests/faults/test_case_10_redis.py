"""Redis is gone for a while (case 10): what it carries may be lost, and nothing that matters stands in it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fixtures.octoprint import OctoPrint, starts_in_log
from tests.fixtures.services import OwnRedis
from tests.journeys.lab import Api, Lab, eventually, open_lab
from tests.journeys.shapes import square_lasting
from tests.journeys.steps import approved, hand_in, press_start, wait_state

pytestmark = [pytest.mark.octoprint, pytest.mark.killed]


def machine(lab: Lab, person: Api, name: str) -> str:
    found = person.get(f"/api/v1/machines/?site={lab.site_id(person)}")["results"]
    return next(str(one["id"]) for one in found if one["name"] == name)


def our_starts(printer: OctoPrint) -> list[str]:
    return [start.path for start in starts_in_log(printer) if start.path.startswith("fl/")]


def test_case_10_without_redis_people_book_hand_in_approve_and_print_and_no_old_start_comes_back(
    tmp_path: Path, octoprint: OctoPrint, own_redis: OwnRedis
) -> None:
    before = our_starts(octoprint)
    with open_lab(tmp_path, [octoprint], REDIS_URL=own_redis.url) as lab:
        sami = lab.api("sami")
        day = (datetime.now(UTC) + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
        own_redis.stop()

        times = {"start": day.isoformat(), "end": (day + timedelta(hours=1)).isoformat()}
        booked = sami.post("/api/v1/bookings/", {"machine": machine(lab, sami, "Colette"), **times})
        assert booked.status == 201, booked
        job = hand_in(lab, sami, "carre.gcode", square_lasting(2), machine=machine(lab, sami, "Ada"))
        assert sami.post(f"/api/v1/jobs/{job['id']}/submit/").status == 200
        approved(lab, job["id"])
        wait_state(sami, job["id"], "loaded", seconds=60)
        press_start(lab, job["id"])
        wait_state(sami, job["id"], "finished", seconds=60)
        started = our_starts(octoprint)[len(before) :]
        assert len(started) == 1

        own_redis.start()
        eventually("the lab is whole again", lambda: lab.api("karim").get("/api/v1/me/").status == 200)
        second = hand_in(lab, sami, "rond.gcode", square_lasting(2, "; 2"), machine=machine(lab, sami, "Ada"))
        assert sami.post(f"/api/v1/jobs/{second['id']}/submit/").status == 200
        approved(lab, second["id"])
        wait_state(sami, second["id"], "loaded", seconds=60)
        # What was asked for while Redis was away was done once, and nothing of it comes back.
        assert our_starts(octoprint)[len(before) :] == started
