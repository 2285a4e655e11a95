"""Fault cases of REQUIREMENTS 5.2 with a real OctoPrint: each ends as it is said there, and nothing starts twice."""

import asyncio
import logging
import os
import signal
import urllib.request
from datetime import timedelta

import pytest
from django.utils import timezone

from equipment.machines.states import Plate
from jobs.lifecycle import services as lifecycle
from jobs.lifecycle.states import OrderState, State
from jobs.lifecycle.table import Action
from tests.fakes.faulty_proxy import Fault, FaultyProxy
from tests.fixtures.octoprint import OctoPrint, StartServers, gcode_lasting
from tests.jobs.supervision.conftest import MakeLab
from tests.jobs.supervision.lab import Lab

pytestmark = pytest.mark.octoprint

START = "POST /api/files/local/fl/"  # the request that selects and prints; an upload has no path


async def test_case_1_a_pulled_cable_is_first_unsure_then_failed_and_the_plate_is_to_clear(lab: Lab) -> None:
    await lab.watch()
    job = await lab.started(60)
    path = (await lab.attempt(job)).remote_path

    await asyncio.to_thread(lab.server.gcode, "!!DEBUG:drop_connection")

    failed = await lab.until_state(job, State.FAILED)
    assert failed.reason == "connection"
    assert (await lab.machine()).plate == Plate.TO_CLEAR
    assert lab.starts(path) == 1
    machine = await lab.until(lab.machine, lambda found: found.report in ("disconnected", "error"))
    assert machine.out_of_order_since is None


async def test_case_1_a_printer_that_falls_silent_ends_when_octoprint_gives_it_up(
    make_lab: MakeLab, octoprint_servers: StartServers
) -> None:
    (server,) = octoprint_servers(silence=1)
    lab = await make_lab(server)
    await lab.watch()
    job = await lab.started(60)

    await asyncio.to_thread(server.gcode, "!!DEBUG:go_awol")

    failed = await lab.until_state(job, State.FAILED, seconds=60)
    assert failed.reason == "connection"
    assert (await lab.machine()).plate == Plate.TO_CLEAR


async def test_case_2_octoprint_killed_in_mid_print_and_back_without_a_record_is_lost(
    make_lab: MakeLab, octoprint_servers: StartServers
) -> None:
    (server,) = octoprint_servers(respawn=True)
    lab = await make_lab(server)
    await lab.watch()
    job = await lab.started(60)
    path = (await lab.attempt(job)).remote_path

    os.kill(server.pid, signal.SIGKILL)
    await lab.until_unsure(job, "silent")
    assert (await lab.job(job)).state == State.RUNNING
    await asyncio.to_thread(octoprint_servers.next_server)

    await lab.until_unsure(job, "idle_unexplained")
    failed = await lab.until_state(job, State.FAILED, seconds=60)
    assert failed.reason == "lost"
    assert (await lab.machine()).plate == Plate.TO_CLEAR
    assert lab.starts(path) == 1


async def test_case_5_the_answer_to_a_start_is_lost_and_the_print_is_adopted(
    make_lab: MakeLab, octoprint: OctoPrint
) -> None:
    with FaultyProxy(octoprint.port) as proxy:
        lab = await make_lab(octoprint, port=proxy.port)
        await lab.watch()
        job = await lab.loaded(60)
        path = (await lab.attempt(job)).remote_path
        rule = proxy.fault(START, Fault.DROP_REPLY)

        await lab.press(job, Action.START, plate_clear=True)
        await lab.until_state(job, State.RUNNING)

        assert rule.hits == 1
        assert lab.starts(path) == 1
        # The machine tells its start before our own note of it is settled.
        await lab.until(lambda: lab.order(job), lambda found: found.state == OrderState.DONE)
        await lab.until(lambda: lab.attempt(job), lambda found: found.unsure_since is None)


async def test_case_6_a_start_request_that_is_lost_is_sent_once_more_while_its_order_holds(
    make_lab: MakeLab, octoprint: OctoPrint
) -> None:
    with FaultyProxy(octoprint.port) as proxy:
        lab = await make_lab(octoprint, port=proxy.port)
        await lab.watch()
        job = await lab.loaded(60)
        path = (await lab.attempt(job)).remote_path
        rule = proxy.fault(START, Fault.DROP_REQUEST)

        await lab.press(job, Action.START, plate_clear=True)
        await lab.until_state(job, State.RUNNING)

        assert rule.hits == 1
        assert len([line for line in proxy.requests if START in line]) == 2
        assert lab.starts(path) == 1


async def test_rel_2_after_three_starts_that_never_happened_the_job_has_failed_and_the_machine_is_held(
    make_lab: MakeLab, octoprint: OctoPrint
) -> None:
    with FaultyProxy(octoprint.port) as proxy:
        lab = await make_lab(octoprint, port=proxy.port)
        await lab.watch()
        job = await lab.loaded(60)
        path = (await lab.attempt(job)).remote_path
        rule = proxy.fault(START, Fault.DROP_REQUEST, times=None)

        for time in (1, 2, 3):
            assert (await lab.job(job)).state == State.LOADED
            order = await lab.press(job, Action.START, plate_clear=True)
            assert order is not None
            await lab.until(lambda: lab.order(job), lambda found: found.state == OrderState.UNKNOWN)
            assert rule.hits == 2 * time  # for each press one, and one that was sent again of itself

        failed = await lab.until_state(job, State.FAILED)
        machine = await lab.until(lab.machine, lambda found: found.out_of_order_since is not None)
        assert (failed.reason, lab.starts(path)) == ("never_started", 0)
        assert machine.plate == "clear"  # nothing was ever on it


async def test_rel_17_silence_since_the_start_ends_the_right_to_send_it_once_more(
    make_lab: MakeLab, octoprint: OctoPrint
) -> None:
    with FaultyProxy(octoprint.port) as proxy:
        lab = await make_lab(octoprint, port=proxy.port)
        await lab.watch()
        job = await lab.loaded(60)
        path = (await lab.attempt(job)).remote_path
        rule = proxy.fault(START, Fault.DROP_REQUEST)

        await lab.press(job, Action.START, plate_clear=True)
        assert await asyncio.to_thread(rule.hit.wait, 20)
        proxy.fault(" ", Fault.DROP_REQUEST, times=None)
        order = await lab.until(lambda: lab.order(job), lambda found: found.state == OrderState.UNKNOWN)
        assert order.outcome == "contact_lost"
        proxy.heal()

        # Heard again, idle and proven not started: a person looks at the plate again.
        await lab.until(lambda: lab.attempt(job), lambda found: found.start_sent_at is None)
        assert ((await lab.job(job)).state, rule.hits, lab.starts(path)) == (State.LOADED, 1, 0)


async def test_case_6_when_the_second_start_is_lost_too_a_person_is_asked_again(
    make_lab: MakeLab, octoprint: OctoPrint
) -> None:
    with FaultyProxy(octoprint.port) as proxy:
        lab = await make_lab(octoprint, port=proxy.port)
        await lab.watch()
        job = await lab.loaded(60)
        path = (await lab.attempt(job)).remote_path
        rule = proxy.fault(START, Fault.DROP_REQUEST, times=None)

        await lab.press(job, Action.START, plate_clear=True)
        order = await lab.until(lambda: lab.order(job), lambda found: found.state == OrderState.UNKNOWN)
        assert (order.outcome, rule.hits, lab.starts(path)) == ("start_not_seen", 2, 0)
        assert (await lab.job(job)).state == State.LOADED

        proxy.heal()
        await lab.press(job, Action.START, plate_clear=True)
        await lab.until_state(job, State.RUNNING)
        assert lab.starts(path) == 1


async def test_case_22_a_cancel_in_octoprints_own_pages_is_counted_once(lab: Lab) -> None:
    await lab.watch()
    job = await lab.started(60)
    path = (await lab.attempt(job)).remote_path

    await lab.ask("/api/job", {"command": "cancel"})

    cancelled = await lab.until_state(job, State.CANCELLED)
    assert cancelled.reason == "cancelled_at_machine"
    assert await lab.history(job) == ["claim", "load", "start", "stopped"]
    assert (await lab.machine()).plate == Plate.TO_CLEAR
    assert lab.starts(path) == 1


async def test_case_23_a_foreign_print_makes_the_queue_wait_and_its_end_releases_nothing(lab: Lab) -> None:
    await lab.watch()
    job = await lab.loaded(20)
    path = (await lab.attempt(job)).remote_path
    second = await lab.queue(20)
    await _print_something_else(lab, 2)

    machine = await lab.until(lab.machine, lambda found: found.report_foreign)
    assert machine.plate == Plate.TO_CLEAR
    with pytest.raises(Exception, match="machine_working"):
        await lab.press(job, Action.START, plate_clear=True)
    await lab.until(lab.machine, lambda found: found.report == "ready")

    assert ((await lab.machine()).plate, (await lab.machine()).plate_token) == (Plate.TO_CLEAR, "")
    assert (await lab.job(job)).state == State.LOADED
    assert (await lab.job(second)).state == State.QUEUED
    assert lab.starts(path) == 0


async def test_case_23_a_job_waits_in_the_queue_for_a_foreign_print_and_says_so(lab: Lab) -> None:
    await lab.watch()
    await _print_something_else(lab, 60)
    await lab.until(lab.machine, lambda found: found.report_foreign)

    job = await lab.queue(20)
    await lab.supervisor.tick()

    waiting = await lab.job(job)
    assert [reason["code"] for reason in waiting.waiting_for] == ["waiting_foreign_print"]


async def test_what_somebody_starts_in_octoprints_own_pages_of_our_file_is_adopted(lab: Lab) -> None:
    await lab.watch()
    job = await lab.loaded(60)
    path = (await lab.attempt(job)).remote_path

    await lab.ask(f"/api/files/local/{path}", {"command": "select", "print": True})

    await lab.until_state(job, State.RUNNING)
    assert (await lab.machine()).plate == Plate.TO_CLEAR


async def test_case_25_another_file_in_our_files_place_is_not_started(lab: Lab) -> None:
    await lab.watch()
    job = await lab.loaded(20)
    path = (await lab.attempt(job)).remote_path
    await asyncio.to_thread(_overwrite, lab.server, path)

    await lab.press(job, Action.START, plate_clear=True)

    order = await lab.until(lambda: lab.order(job), lambda found: found.settled_at is not None)
    assert (order.state, order.outcome) == (OrderState.REFUSED, "file_differs")
    assert lab.starts(path) == 0
    await lab.until_state(job, State.QUEUED)


async def test_case_26_without_a_printer_nothing_is_claimed_and_the_reason_is_said(
    make_lab: MakeLab, octoprint_servers: StartServers
) -> None:
    (server,) = octoprint_servers(no_connect=True)
    lab = await make_lab(server)
    await lab.watch()
    job = await lab.queue(20)

    await lab.supervisor.tick()

    waiting = await lab.job(job)
    assert waiting.state == State.QUEUED
    assert [reason["code"] for reason in waiting.waiting_for] == ["waiting_unreachable"]


async def test_case_26_a_printer_that_is_disconnected_when_start_is_pressed_is_not_started(lab: Lab) -> None:
    await lab.watch()
    job = await lab.loaded(20)
    path = (await lab.attempt(job)).remote_path
    await lab.db(_press_without_looking, lab, job)
    await lab.ask("/api/connection", {"command": "disconnect"})
    await asyncio.to_thread(lab.server.await_state, "Offline", "Closed")

    await lab.supervisor.tick()

    order = await lab.until(lambda: lab.order(job), lambda found: found.settled_at is not None)
    assert order.state == OrderState.REFUSED
    assert order.outcome in ("printer_disconnected", "plate_token")
    assert lab.starts(path) == 0
    assert (await lab.job(job)).state == State.LOADED


async def test_case_27_a_pause_that_the_printer_asks_for_is_a_pause_and_no_failure(lab: Lab) -> None:
    await lab.watch()
    job = await lab.started(60)

    await asyncio.to_thread(lab.server.gcode, "!!DEBUG:action_pause")

    await lab.until_state(job, State.PAUSED)


@pytest.mark.parametrize(
    "halt", ["!!DEBUG:trigger_fatal_error_marlin", "!!DEBUG:maxtemp_error", "!!DEBUG:mintemp_error"]
)
async def test_case_28_a_firmware_halt_fails_the_job_and_the_machine_waits_for_staff(
    lab: Lab, halt: str
) -> None:
    await lab.watch()
    job = await lab.started(60)

    await asyncio.to_thread(lab.server.gcode, halt)

    failed = await lab.until_state(job, State.FAILED)
    assert failed.reason == "firmware"
    machine = await lab.until(lab.machine, lambda found: found.out_of_order_since is not None)
    assert machine.plate == Plate.TO_CLEAR
    second = await lab.queue(20)
    await lab.supervisor.tick()
    assert "waiting_out_of_order" in [reason["code"] for reason in (await lab.job(second)).waiting_for]


async def test_a_wrong_key_is_said_once_in_the_log_and_kept_with_the_machine(
    make_lab: MakeLab, octoprint: OctoPrint, caplog: pytest.LogCaptureFixture
) -> None:
    lab = await make_lab(octoprint, key="WRONGKEY")
    with caplog.at_level(logging.INFO, "jobs.supervision"):
        await lab.watch()
        machine = await lab.until(lab.machine, lambda found: found.report == "silent")
        assert machine.report_error == "bad_key"
        for _ in range(3):
            await lab.watcher.look()

    lines = [record.getMessage() for record in caplog.records if "contact lost" in record.getMessage()]
    assert len(lines) == 1
    assert "WRONGKEY" not in caplog.text


async def test_a_press_while_the_machine_cannot_be_reached_is_refused_and_nothing_is_kept_for_later(
    make_lab: MakeLab, octoprint: OctoPrint
) -> None:
    with FaultyProxy(octoprint.port) as proxy:
        lab = await make_lab(octoprint, port=proxy.port)
        await lab.watch()
        job = await lab.loaded(60)
        path = (await lab.attempt(job)).remote_path
        proxy.fault(" ", Fault.DROP_REQUEST, times=None)
        proxy.cut_all()
        await lab.until(lab.machine, lambda found: found.report == "silent")
        assert (await lab.machine()).plate_token == ""

        with pytest.raises(Exception, match="machine_unreachable"):
            await lab.press(job, Action.START, plate_clear=True)
        proxy.heal()

        await lab.until(lab.machine, lambda found: found.report == "ready")
        assert lab.starts(path) == 0


async def _print_something_else(lab: Lab, seconds: float) -> None:
    name = "autre.gcode"
    await asyncio.to_thread(_overwrite, lab.server, name, gcode_lasting(seconds))
    await lab.ask(f"/api/files/local/{name}", {"command": "select", "print": True})


def _overwrite(server: OctoPrint, path: str, content: bytes = b"G28\nG4 P100\n") -> None:
    """Another client's upload, which replaces what was there."""
    folder, _, name = path.rpartition("/")
    mark = "a-boundary-for-tests"
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="path"\r\n\r\n{folder}\r\n',
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n',
    ]
    body = "".join(parts).encode() + content + f"\r\n--{mark}--\r\n".encode()
    headers = {"X-Api-Key": server.api_key, "Content-Type": f"multipart/form-data; boundary={mark}"}
    question = urllib.request.Request(server.url + "/api/files/local", data=body, headers=headers)
    with urllib.request.urlopen(question, timeout=10) as answer:
        answer.read()


def _press_without_looking(lab: Lab, job: str) -> None:
    lifecycle.press(job, Action.START, actor=lab.cast.person("staff"), at=timezone.now(), plate_clear=True)


async def test_case_20_a_clock_that_jumps_an_hour_sends_no_start_that_was_asked_for_before(lab: Lab) -> None:
    await lab.watch()
    job = await lab.loaded(20)
    path = (await lab.attempt(job)).remote_path
    await lab.db(_press_without_looking, lab, job)
    lab.bench.clock = lambda: timezone.now() + timedelta(hours=1)

    await lab.supervisor.tick()

    order = await lab.until(lambda: lab.order(job), lambda found: found.settled_at is not None)
    assert (order.state, order.outcome) == (OrderState.EXPIRED, "expired")
    assert lab.starts(path) == 0
