"""kill -9 of the server and of OctoPrint, at the worst moments: nothing starts twice, nothing is lost."""

import os
import signal

import pytest

from jobs.supervision.failpoints import AFTER_START_ACCEPTED, AFTER_UPLOAD, BEFORE_START_SENT
from tests.journeys.floor import Floor, our_files
from tests.journeys.lab import eventually
from tests.journeys.shapes import square_lasting, tile
from tests.journeys.steps import wait_machine, wait_state

WORKS_AGAIN_S = 30  # after a kill -9, without a person

pytestmark = [pytest.mark.octoprint, pytest.mark.killed]
# `make test` asks the same of supervision alone (tests/jobs/supervision); of the whole lab the soak does.
AGAIN = pytest.mark.soak


def dies_at(floor: Floor, failpoint: str) -> None:
    """Have the running server replaced by one that kills itself there."""
    floor.lab.kill()
    floor.lab.start(FABLAB_FAILPOINT=failpoint)


def dead(floor: Floor) -> None:
    eventually("the server killed itself", floor.lab.killed_itself)


def test_case_3_killed_between_upload_and_start_the_file_is_found_and_there_is_one_of_it(
    floor: Floor,
) -> None:
    before = floor.loaded("Ada")
    following = floor.jobs("Ada", "queued")[-1]["id"]  # the oldest
    dies_at(floor, AFTER_UPLOAD)
    # The loaded file makes room: the next one is claimed and sent, and the server dies before it can say so.
    given_up = floor.sami.post(f"/api/v1/jobs/{before.id}/ask-stop/")
    assert (given_up.status, given_up["state"]) == (200, "cancelled")
    dead(floor)
    eventually(
        "the file lies there once",
        lambda: len(our_files(floor.printers["Ada"], floor.contents[following])) == 1,
    )

    floor.lab.start()

    wait_state(floor.sami, following, "loaded")
    job = floor.named("Ada", following)
    assert floor.steps(job)[-2:] == ["claim", "load"]
    assert [one["number"] for one in floor.job(job)["attempts"]] == [1]
    assert job.starts() == 0
    floor.start(job)
    assert job.starts() == 1


def test_case_3_killed_right_before_the_start_leaves_the_next_process_asks_a_person_again(
    floor: Floor,
) -> None:
    job = floor.loaded("Ada")
    dies_at(floor, BEFORE_START_SENT)
    assert floor.press(job).status == 202
    dead(floor)
    assert job.starts() == 0

    floor.lab.start()

    # The order is over and was not sent: what the machine went through meanwhile nobody saw.
    eventually("the order is settled", lambda: not floor.job(job)["orders"])
    assert (floor.job(job)["state"], job.starts()) == ("loaded", 0)
    floor.start(job)
    assert job.starts() == 1


def test_case_4_killed_between_the_accepted_start_and_our_commit_the_print_is_adopted(floor: Floor) -> None:
    job = floor.loaded("Blaise")
    dies_at(floor, AFTER_START_ACCEPTED)
    assert floor.press(job).status == 202
    dead(floor)
    floor.printers["Blaise"].await_state("Printing")

    floor.lab.start()

    found = wait_state(floor.sami, job.id, "running")
    assert [one["number"] for one in found["attempts"]] == [1]
    assert job.starts() == 1
    eventually("the order is settled", lambda: not floor.job(job)["orders"])


def test_killed_in_mid_print_the_print_goes_on_and_what_then_happens_to_it_is_heard(floor: Floor) -> None:
    job = floor.started("Ada")
    eventually("it advances", lambda: floor.job(job)["progress"]["percent"])

    floor.lab.kill()
    floor.printers["Ada"].await_state("Printing")
    floor.lab.start()

    found = wait_state(floor.sami, job.id, "running")
    assert not found["unsure"]
    assert job.starts() == 1
    floor.printers["Ada"].ask("/api/job", {"command": "cancel"})
    assert wait_state(floor.sami, job.id, "cancelled")["reason"] == "cancelled_at_machine"
    assert floor.machine("Ada")["plate"] == "to_clear"


def test_an_end_that_nobody_saw_is_found_after_the_restart(floor: Floor) -> None:
    wanted = floor.queue("Blaise", 4)
    for other in floor.jobs("Blaise", "loaded", "queued"):
        if other["id"] != wanted:
            stopped = "ask-stop" if other["state"] == "loaded" else "cancel"
            assert floor.sami.post(f"/api/v1/jobs/{other['id']}/{stopped}/").status == 200
    wait_state(floor.sami, wanted, "loaded")
    job = floor.named("Blaise", wanted)
    floor.start(job)
    floor.lab.kill()
    floor.printers["Blaise"].await_state("Operational")

    floor.lab.start()

    wait_state(floor.sami, job.id, "finished")
    assert floor.machine("Blaise")["plate"] == "to_clear"
    assert job.starts() == 1


def test_killed_while_a_file_is_judged_the_verdict_comes_after_the_restart(floor: Floor) -> None:
    moves = b"".join(b"G1 X%d.5 Y%d E%d\n" % (50 + n % 40, 50 + n // 40 % 40, 20 + n) for n in range(60_000))
    long = floor.sami.upload("long.gcode", square_lasting(1) + moves)
    assert (long.status, long["state"]) == (201, "inspecting")
    eventually("it is being read in a child", floor.lab.children)

    floor.lab.kill()
    assert floor.lab.start().api("sami").get(f"/api/v1/uploads/{long['id']}/")["state"] == "inspecting"

    def judged() -> bool:
        return bool(floor.sami.get(f"/api/v1/uploads/{long['id']}/")["state"] != "inspecting")

    eventually("the file is judged", judged, WORKS_AGAIN_S)


def test_killed_while_a_model_is_sliced_the_machine_file_comes_after_the_restart(floor: Floor) -> None:
    model = floor.sami.upload("grand.stl", tile(60, 60, 20))
    job = floor.sami.post("/api/v1/jobs/", {"upload": model["id"], "machine": floor.machine_ids["Ada"]})
    assert job.status == 201, job

    def prepared(state: str) -> bool:
        return bool(floor.job(job["id"])["preparation"]["state"] == state)

    eventually("it is being sliced", lambda: prepared("running") and floor.lab.children())

    floor.lab.kill()
    floor.lab.start()

    eventually("it is sliced", lambda: prepared("ready"), WORKS_AGAIN_S)


@AGAIN
def test_case_2_octoprint_killed_in_mid_print_is_first_unsure_then_lost_and_nothing_is_restarted(
    floor: Floor,
) -> None:
    job = floor.started("Ada")
    behind = floor.jobs("Ada", "queued")[-1]["id"]

    os.kill(floor.printers["Ada"].pid, signal.SIGKILL)

    eventually("people read that nobody knows", lambda: floor.job(job)["unsure"], 15)
    assert floor.job(job)["state"] == "running"
    assert wait_machine(floor.sami, job.machine, "unreachable")["progress"] is None
    floor.printers["Ada"] = floor.starter.next_server()

    lost = wait_state(floor.sami, job.id, "failed", seconds=60)
    assert lost["reason"] == "lost"
    assert lost["attempts"][-1]["outcome"] == "failed"
    assert floor.machine("Ada")["plate"] == "to_clear"
    assert job.starts() == 1
    assert floor.job(behind)["state"] in ("queued", "sending", "loaded")


@AGAIN
def test_case_1_a_printer_that_is_unplugged_is_first_unsure_then_failed_and_nobody_connects_it(
    floor: Floor,
) -> None:
    job = floor.started("Blaise")

    floor.printers["Blaise"].gcode("!!DEBUG:drop_connection")

    failed = wait_state(floor.sami, job.id, "failed")
    assert failed["reason"] == "connection"
    machine = floor.machine("Blaise")
    assert (machine["state"], machine["plate"]) == ("unreachable", "to_clear")
    floor.printers["Blaise"].await_state("Offline", "Closed", "Offline after error")
    assert job.starts() == 1
