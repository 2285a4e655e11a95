"""Lost answers, foreign hands, wrong keys, full disks, many hands: each ends in words, and nothing starts twice."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.fakes.faulty_proxy import Fault
from tests.faults.storm import database_locked
from tests.fixtures.octoprint import gcode_lasting
from tests.journeys.floor import Floor, Loaded, our_files
from tests.journeys.lab import Answer, eventually
from tests.journeys.steps import wait_state

pytestmark = pytest.mark.octoprint
# `make test` asks the same of supervision alone (tests/jobs/supervision); of the whole lab the soak does.
AGAIN = pytest.mark.soak

START = "POST /api/files/local/fl/"  # the request that selects and prints; an upload names no file
PEOPLE = 50


def refusals(answer: Answer) -> set[str]:
    """Return the codes of a refusal, each of which has a sentence."""
    assert answer.status == 409, answer
    assert all(problem["detail"] and problem["detail"] != problem["code"] for problem in answer["problems"])
    return {problem["code"] for problem in answer["problems"]}


def waits_for(floor: Floor, job_id: str, code: str) -> str:
    """Wait until a queued job says that it waits for this. Returns the sentence."""

    def look() -> str | None:
        return next((why["detail"] for why in floor.job(job_id)["waiting_for"] if why["code"] == code), None)

    return eventually(f"{job_id} waits: {code}", look)


def becomes(floor: Floor, machine: str, **wanted: str) -> dict[str, Any]:
    """Wait until staff see the machine so."""

    def look() -> dict[str, Any] | None:
        found = floor.machine(machine)
        return found if all(found[name] == value for name, value in wanted.items()) else None

    return eventually(f"{machine} is {wanted}", look)


# --- bad lines ----------------------------------------------------------------------------------------------------


@AGAIN
def test_case_5_the_answer_to_a_start_is_lost_and_the_print_is_adopted(floor: Floor) -> None:
    job = floor.loaded("Blaise")
    rule = floor.proxy.fault(START, Fault.DROP_REPLY)

    floor.start(job)

    assert rule.hits == 1
    assert job.starts() == 1
    eventually("nobody doubts", lambda: not floor.job(job)["unsure"] and not floor.job(job)["orders"])
    assert floor.steps(job)[-1] == "start"


@AGAIN
def test_case_6_a_lost_start_request_is_sent_once_more_then_a_person_is_asked(floor: Floor) -> None:
    job = floor.loaded("Blaise")
    rule = floor.proxy.fault(START, Fault.DROP_REQUEST, times=2)

    assert floor.press(job).status == 202

    eventually("the order is settled", lambda: rule.hits == 2 and not floor.job(job)["orders"], 60)
    asked = floor.job(job)
    assert (asked["state"], asked["unsure"], job.starts()) == ("loaded", False, 0)
    # The clearing of the plate was used up: a person looks again.
    assert refusals(floor.press(job, plate_clear=False)) == {"plate_to_clear"}
    floor.start(job)
    assert job.starts() == 1


def test_case_11_sqlite_locked_by_another_program_is_said_in_words_and_nothing_is_sent(floor: Floor) -> None:
    job = floor.loaded("Ada")
    floor.lab.stop()
    floor.lab.start(DATABASE_LOCK_SECONDS="2")
    floor.lab.api("karim")  # has signed in before
    with database_locked(floor.lab.folder / "var" / "fablab.sqlite3"):
        answer = floor.press(job)
        assert (answer.status, answer["code"]) == (503, "busy")
        assert "Recommence" in answer["detail"]
        assert floor.job(job)["state"] == "loaded"  # reading goes on
        assert job.starts() == 0

    becomes(floor, "Ada", report="ready")
    _starts_as_if_nothing_had_been(floor, job)


# --- foreign hands ------------------------------------------------------------------------------------------------


@AGAIN
def test_case_22_a_cancel_in_octoprints_own_pages_by_another_person_is_counted_once(floor: Floor) -> None:
    job = floor.started("Ada")

    job.printer.ask("/api/job", {"command": "cancel"})

    cancelled = wait_state(floor.sami, job.id, "cancelled")
    assert cancelled["reason"] == "cancelled_at_machine"
    becomes(floor, "Ada", state="needs_clearing", plate="to_clear")
    following = floor.loaded("Ada")
    assert (following.starts(), job.starts()) == (0, 1)
    assert floor.steps(job)[-2:] == ["start", "stopped"]


@AGAIN
def test_case_23_a_foreign_print_makes_the_queue_wait_and_its_end_releases_nothing(floor: Floor) -> None:
    job = floor.loaded("Ada")
    behind = floor.jobs("Ada", "queued")[0]["id"]
    cleared = floor.lab.api("karim").post(f"/api/v1/machines/{job.machine}/clear-plate/")
    assert (cleared.status, cleared["plate"]) == (200, "clear")
    job.printer.upload("autre.gcode", gcode_lasting(60))
    job.printer.ask("/api/files/local/autre.gcode", {"command": "select", "print": True})

    assert becomes(floor, "Ada", state="busy_elsewhere")["plate"] == "to_clear"
    assert waits_for(floor, behind, "waiting_foreign_print") == "La machine est occupée hors file."
    assert refusals(floor.press(job)) == {"machine_working"}
    assert floor.job(job)["state"] == "loaded"
    job.printer.ask("/api/job", {"command": "cancel"})

    # A loaded job waits for the plate: it is to be cleared, whoever printed.
    becomes(floor, "Ada", state="needs_clearing", plate="to_clear")
    assert refusals(floor.press(job, plate_clear=False)) == {"plate_to_clear"}
    assert job.starts() == 0
    floor.start(job)
    assert job.starts() == 1


@AGAIN
def test_case_25_another_file_in_our_files_place_is_not_started_and_the_job_goes_back(floor: Floor) -> None:
    job = floor.loaded("Blaise")
    job.printer.upload(job.path.removeprefix("fl/"), gcode_lasting(2), folder="fl")

    assert floor.press(job).status == 202

    eventually("it goes back", lambda: "release" in floor.steps(job))
    assert job.starts() == 0


# --- many hands ---------------------------------------------------------------------------------------------------


@AGAIN
def test_case_7_fifty_people_press_at_once_and_one_start_happens(floor: Floor) -> None:
    job = floor.loaded("Ada")
    persons = [floor.lab.api("karim"), floor.lab.api("ines")]

    def press(number: int) -> Answer:
        return persons[number % 2].post(f"/api/v1/jobs/{job.id}/start/", {"plate_clear": True})

    with ThreadPoolExecutor(PEOPLE) as people:
        answers = list(people.map(press, range(PEOPLE)))

    wait_state(floor.sami, job.id, "running")
    assert Counter(answer.status for answer in answers) == {202: 1, 409: PEOPLE - 1}
    codes = {code for answer in answers if answer.status == 409 for code in refusals(answer)}
    assert codes <= {"already_asked", "already_started", "machine_working", "wrong_state"}, codes
    assert job.starts() == 1


@AGAIN
def test_case_24_a_start_on_a_plate_to_clear_is_refused_then_there_is_exactly_one(floor: Floor) -> None:
    before = floor.started("Ada")
    before.printer.ask("/api/job", {"command": "cancel"})
    wait_state(floor.sami, before.id, "cancelled")
    job = floor.loaded("Ada")

    assert refusals(floor.press(job, plate_clear=False)) == {"plate_to_clear"}
    assert job.starts() == 0

    cleared = floor.lab.api("karim").post(f"/api/v1/machines/{job.machine}/clear-plate/")
    assert (cleared.status, cleared["plate"]) == (200, "clear")
    assert floor.press(job, plate_clear=False).status == 202
    wait_state(floor.sami, job.id, "running")
    assert job.starts() == 1


# --- machines that cannot ------------------------------------------------------------------------------------------


def connect(floor: Floor, machine: str, **connection: str) -> Answer:
    """Change a machine's connection, as Karim."""
    path = f"/api/v1/machines/{floor.machine_ids[machine]}/"
    return floor.lab.api("karim").patch(path, connection)


def connection_test(floor: Floor, machine: str) -> Any:
    path = f"/api/v1/machines/{floor.machine_ids[machine]}/test-connection/"
    return floor.lab.api("karim").post(path)


def test_a_wrong_key_is_said_in_words_and_the_right_one_makes_the_loaded_job_startable_again(
    floor: Floor,
) -> None:
    job = floor.loaded("Ada")
    assert connect(floor, "Ada", key="WRONGKEYWRONGKEY").status == 200

    assert becomes(floor, "Ada", state="unreachable", trouble="bad_key")
    test = connection_test(floor, "Ada")
    assert (test["ok"], test["code"], test["detail"]) == (False, "bad_key", "OctoPrint refuse cette clé.")
    assert refusals(floor.press(job)) == {"machine_unreachable"}
    assert connect(floor, "Ada", key=job.printer.operator_key).status == 200

    becomes(floor, "Ada", report="ready")
    _starts_as_if_nothing_had_been(floor, job)


def test_a_machine_whose_computer_is_off_is_unreachable_and_its_job_waits(floor: Floor) -> None:
    job = floor.loaded("Ada")
    behind = floor.jobs("Ada", "queued")[0]["id"]
    key = job.printer.operator_key
    assert connect(floor, "Ada", address=floor.closed_address, key=key).status == 200

    becomes(floor, "Ada", report="silent", trouble="connection_refused")
    test = connection_test(floor, "Ada")
    assert (test["ok"], test["code"]) == (False, "connection_refused")
    assert test["detail"] == "Un ordinateur est là, mais rien n’y répond. Vérifie le port."
    assert refusals(floor.press(job)) == {"machine_unreachable"}
    assert waits_for(floor, behind, "waiting_unreachable")
    assert connect(floor, "Ada", address=job.printer.url, key=key).status == 200

    becomes(floor, "Ada", report="ready")
    _starts_as_if_nothing_had_been(floor, job)


def _starts_as_if_nothing_had_been(floor: Floor, job: Loaded) -> None:
    """What was loaded is loaded still, the file is there once, and one start makes it run."""
    assert floor.job(job)["state"] == "loaded"
    assert our_files(job.printer, floor.contents[job.id]) == [job.path]
    floor.start(job)
    assert job.starts() == 1


def test_an_address_outside_the_allowed_networks_is_refused_and_the_connection_stays(floor: Floor) -> None:
    before = floor.machine("Ada")["address"]

    refused = connect(floor, "Ada", address="http://192.0.2.7:5000", key="A" * 32)

    assert refused.status == 400
    assert [problem["code"] for problem in refused["problems"]] == ["address_forbidden"]
    assert "hors des réseaux autorisés" in refused["detail"]
    assert floor.machine("Ada")["address"] == before
    assert connection_test(floor, "Ada")["ok"]


@AGAIN
def test_case_26_a_printer_that_is_not_connected_is_not_started_and_a_clearing_from_before_does_not_count(
    floor: Floor,
) -> None:
    job = floor.loaded("Blaise")
    cleared = floor.lab.api("karim").post(f"/api/v1/machines/{job.machine}/clear-plate/")
    assert cleared.status == 200
    job.printer.ask("/api/connection", {"command": "disconnect"})

    becomes(floor, "Blaise", state="unreachable", report="disconnected")
    assert connection_test(floor, "Blaise")["code"] == "printer_disconnected"
    assert refusals(floor.press(job)) == {"machine_unreachable"}
    job.printer.ask("/api/connection", {"command": "connect"})

    becomes(floor, "Blaise", report="ready")
    assert refusals(floor.press(job, plate_clear=False)) == {"plate_to_clear"}
    assert job.starts() == 0
    floor.start(job)
    assert job.starts() == 1


@AGAIN
def test_case_13_a_file_that_the_machine_has_no_room_for_stays_queued_with_a_sentence_and_others_go_on(
    floor: Floor,
) -> None:
    before = floor.loaded("Blaise")
    too_large = floor.queue("Blaise", 5, padding=30_000)
    fits = floor.queue("Blaise", 5)
    for waiting in floor.jobs("Blaise", "queued"):
        if waiting["id"] not in (too_large, fits):
            assert floor.sami.post(f"/api/v1/jobs/{waiting['id']}/cancel/").status == 200
    assert floor.sami.post(f"/api/v1/jobs/{before.id}/ask-stop/")["state"] == "cancelled"

    assert waits_for(floor, too_large, "waiting_file_refused") == "La machine refuse le fichier."
    wait_state(floor.sami, fits, "loaded")
    job = floor.named("Blaise", fits)
    floor.start(job)
    found = floor.job(too_large)
    assert (found["state"], found["attempts"][0]["outcome"]) == ("queued", "released")
    assert our_files(job.printer, floor.contents[too_large]) == []
    assert floor.sami.post(f"/api/v1/jobs/{too_large}/cancel/").status == 200
