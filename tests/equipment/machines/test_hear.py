"""What supervision keeps of a machine's words, and which supervisor it belongs to."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from equipment.machines.models import Machine
from equipment.machines.queries import is_stale, watched_machines
from equipment.machines.services import Lease, drop_lease, hear, keep_leases, retire_machine, take_lease
from equipment.machines.states import Plate, Report
from equipment.sites.states import Role
from fablab.core.errors import NotFound
from tests.builders import MONDAY, hours, make_linked_machine, make_machine, make_person, make_site, minutes

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def test_a_new_word_is_kept_with_its_time_and_makes_the_version_grow() -> None:
    machine = make_linked_machine(version=7)
    assert hear(
        machine.pk, report=Report.PRINTING, path="fl/a.gcode", foreign=True, error="", at=MONDAY + minutes(1)
    )
    machine.refresh_from_db()
    assert (machine.report, machine.report_path, machine.report_foreign) == (
        Report.PRINTING,
        "fl/a.gcode",
        True,
    )
    assert machine.report_since == machine.seen_at == MONDAY + minutes(1)
    assert machine.version > 7
    assert machine.events.filter(source="machine").get().details == {
        "from": "ready",
        "to": "printing",
        "error": "",
    }


def test_the_same_word_again_is_written_only_as_a_sign_of_life_every_thirty_seconds() -> None:
    machine = make_linked_machine(at=MONDAY)
    with CaptureQueriesContext(connection) as queries:
        assert not hear(machine.pk, report=Report.READY, at=MONDAY + 29 * SECOND)
    assert len(queries) == 1
    machine.refresh_from_db()
    assert (machine.seen_at, machine.version) == (MONDAY, 0)
    assert not hear(machine.pk, report=Report.READY, at=MONDAY + 30 * SECOND)
    machine.refresh_from_db()
    assert (machine.seen_at, machine.version) == (MONDAY + 30 * SECOND, 0)
    assert not machine.events.exists()


def test_silence_is_no_sign_of_life() -> None:
    machine = make_linked_machine(at=MONDAY)
    assert hear(machine.pk, report=Report.SILENT, error="timed_out", at=MONDAY + minutes(1))
    assert not hear(machine.pk, report=Report.SILENT, error="timed_out", at=MONDAY + minutes(9))
    machine.refresh_from_db()
    assert (machine.seen_at, machine.report_since) == (MONDAY, MONDAY + minutes(1))


def test_another_path_or_error_is_news_and_the_state_keeps_its_age() -> None:
    machine = make_linked_machine(report=Report.PRINTING, report_path="fl/a.gcode", at=MONDAY)
    assert hear(machine.pk, report=Report.PRINTING, path="fl/b.gcode", at=MONDAY + minutes(1))
    machine.refresh_from_db()
    assert (machine.report_path, machine.report_since) == ("fl/b.gcode", MONDAY)


def test_a_machines_own_text_is_cut_and_holds_nothing_that_a_database_refuses() -> None:
    machine = make_linked_machine()
    hear(machine.pk, report=Report.ERROR, path="x" * 999, error="MAXTEMP\0" + "!" * 999, at=MONDAY)
    machine.refresh_from_db()
    assert (len(machine.report_path), len(machine.report_error)) == (255, 300)
    assert machine.report_error.startswith("MAXTEMP!")


def test_a_word_that_is_not_ours_or_a_machine_that_is_gone_is_an_error() -> None:
    with pytest.raises(ValueError, match="dancing"):
        hear(make_linked_machine().pk, report="dancing", at=MONDAY)
    with pytest.raises(NotFound):
        hear("nobody", report=Report.READY, at=MONDAY)


def test_a_sign_of_life_older_than_fifteen_seconds_is_stale_unless_a_fresher_one_is_known() -> None:
    machine = make_linked_machine(at=MONDAY)
    assert not is_stale(machine, MONDAY + 15 * SECOND)
    assert is_stale(machine, MONDAY + 16 * SECOND)
    assert not is_stale(machine, MONDAY + 25 * SECOND, heard_at=MONDAY + 20 * SECOND)
    assert is_stale(make_linked_machine(seen_at=None), MONDAY)


def test_supervision_watches_linked_machines_in_use() -> None:
    linked = make_linked_machine()
    make_machine()
    gone = make_linked_machine()
    Machine.objects.filter(pk=gone.pk).update(retired_at=MONDAY)
    assert list(watched_machines()) == [linked]


# --- leases -----------------------------------------------------------------------------------------------


def lease_of(machine: Machine) -> Lease:
    machine.refresh_from_db()
    return Lease(machine.lease_owner, machine.lease_number, machine.lease_until)


def test_one_supervisor_owns_a_machine_until_another_has_seen_its_lease_lapse() -> None:
    machine = make_machine()
    assert take_lease(machine.pk, owner="a", at=MONDAY, seconds=30) == 1
    assert take_lease(machine.pk, owner="b", at=MONDAY + 31 * SECOND, seconds=30) is None
    seen = lease_of(machine)
    assert take_lease(machine.pk, owner="b", at=MONDAY + 31 * SECOND, seconds=30, lapsed=seen) == 2
    assert take_lease(machine.pk, owner="a", at=MONDAY + 32 * SECOND, seconds=30) is None
    assert take_lease(machine.pk, owner="c", at=MONDAY + 99 * SECOND, seconds=30, lapsed=seen) is None


def test_a_lease_that_shows_a_sign_of_life_meanwhile_is_not_taken_over() -> None:
    machine = make_machine()
    take_lease(machine.pk, owner="a", at=MONDAY, seconds=30)
    seen = lease_of(machine)
    keep_leases("a", [machine.pk], at=MONDAY + 20 * SECOND, seconds=30)
    assert take_lease(machine.pk, owner="b", at=MONDAY + 21 * SECOND, seconds=30, lapsed=seen) is None


def test_case_20_no_jump_of_the_clock_gives_a_machine_a_second_owner_or_keeps_it_from_one() -> None:
    machine = make_machine()
    take_lease(machine.pk, owner="a", at=MONDAY, seconds=30)
    assert take_lease(machine.pk, owner="b", at=MONDAY + hours(1), seconds=30) is None
    # Put back by an hour: written in the future, and dead all the same.
    seen = lease_of(machine)
    assert take_lease(machine.pk, owner="b", at=MONDAY - hours(1), seconds=30, lapsed=seen) == 2


def test_the_owner_keeps_its_number_as_long_as_nobody_else_was_between() -> None:
    machine = make_machine()
    assert take_lease(machine.pk, owner="a", at=MONDAY, seconds=30) == 1
    assert take_lease(machine.pk, owner="a", at=MONDAY + 20 * SECOND, seconds=30) == 1
    assert keep_leases("a", [machine.pk], at=MONDAY + 80 * SECOND, seconds=30) == {machine.pk: 1}
    take_lease(machine.pk, owner="b", at=MONDAY, seconds=30, lapsed=lease_of(machine))
    assert keep_leases("a", [machine.pk], at=MONDAY + 81 * SECOND, seconds=30) == {}


def test_a_dropped_lease_is_free_at_once_and_its_number_still_grows() -> None:
    machine = make_machine()
    take_lease(machine.pk, owner="a", at=MONDAY, seconds=30)
    assert not drop_lease(machine.pk, owner="b")
    assert drop_lease(machine.pk, owner="a")
    assert take_lease(machine.pk, owner="b", at=MONDAY, seconds=30) == 2


def test_a_retired_machine_is_nobodys() -> None:
    site = make_site()
    machine = make_linked_machine(site)
    take_lease(machine.pk, owner="a", at=MONDAY, seconds=3600)
    retire_machine(machine.pk, actor=make_person("K", Role.STAFF, site=site), at=MONDAY)
    assert keep_leases("a", [machine.pk], at=MONDAY + hours(0.5), seconds=30) == {}
    assert take_lease(machine.pk, owner="b", at=MONDAY + hours(2), seconds=30) is None


# --- a time in which nobody heard it ----------------------------------------------------------------------

LONG = hours(2)
Spells = list[tuple[timedelta, Report]]


@pytest.mark.parametrize(
    "heard",
    [
        [(minutes(1), Report.SILENT), (LONG, Report.READY)],
        # A small computer that boots says it step by step.
        [(minutes(1), Report.SILENT), (LONG, Report.DISCONNECTED), (LONG + 10 * SECOND, Report.READY)],
        [(minutes(1), Report.SILENT), (minutes(2), Report.ERROR), (minutes(3), Report.READY)],
        # This program was off, and the machine says what it said before.
        [(LONG, Report.READY)],
        [(LONG, Report.SILENT), (LONG + 10 * SECOND, Report.READY)],
    ],
)
def test_after_it_a_page_from_before_shows_another_filling(heard: Spells) -> None:
    machine = make_linked_machine(at=MONDAY)
    shown = machine.plate_number
    for after, report in heard:
        hear(machine.pk, report=report, at=MONDAY + after)
    machine.refresh_from_db()
    assert machine.plate_number > shown


def test_a_sign_of_life_from_ahead_of_the_clock_proves_nothing() -> None:
    machine = make_linked_machine(at=MONDAY + hours(6), plate=Plate.CLEAR, plate_token="t")
    hear(machine.pk, report=Report.READY, at=MONDAY)
    machine.refresh_from_db()
    assert (machine.seen_at, machine.plate_token) == (MONDAY, "")


def test_a_plate_that_was_cleared_ahead_of_the_clock_is_not_another_one_at_each_look() -> None:
    machine = make_linked_machine(
        at=MONDAY, plate=Plate.CLEAR, plate_token="t", plate_cleared_at=MONDAY + hours(1)
    )
    for number in range(5):
        hear(machine.pk, report=Report.READY, at=MONDAY + number * 10 * SECOND)
    machine.refresh_from_db()
    assert (machine.plate_number, machine.version) == (0, 0)


def test_who_clears_a_plate_and_then_switches_the_machine_on_need_not_clear_it_again() -> None:
    machine = make_linked_machine(report=Report.SILENT, report_since=MONDAY - LONG, seen_at=MONDAY - LONG)
    Machine.objects.filter(pk=machine.pk).update(
        plate=Plate.CLEAR, plate_token="t", plate_cleared_at=MONDAY, plate_number=3
    )
    hear(machine.pk, report=Report.DISCONNECTED, at=MONDAY + 30 * SECOND)
    hear(machine.pk, report=Report.READY, at=MONDAY + 40 * SECOND)
    machine.refresh_from_db()
    assert (machine.plate_token, machine.plate_number) == ("t", 4)


def test_a_word_lost_on_the_way_is_no_other_filling() -> None:
    machine = make_linked_machine(at=MONDAY)
    for after, report in ((minutes(1), Report.SILENT), (minutes(1.5), Report.READY)):
        hear(machine.pk, report=report, at=MONDAY + after)
    machine.refresh_from_db()
    assert machine.plate_number == 0


def test_a_machine_that_was_cleared_long_before_it_was_first_heard_has_no_right() -> None:
    machine = make_linked_machine(
        report=Report.NEVER, seen_at=None, plate=Plate.CLEAR, plate_token="t", plate_cleared_at=MONDAY
    )
    hear(machine.pk, report=Report.READY, at=MONDAY + LONG)
    machine.refresh_from_db()
    assert machine.plate_token == ""


def test_a_right_does_not_outlive_one_lost_word_after_the_other() -> None:
    machine = make_linked_machine(
        report=Report.DISCONNECTED, at=MONDAY, plate=Plate.CLEAR, plate_token="t", plate_cleared_at=MONDAY
    )
    for number in range(1, 5):
        lost = Report.ERROR if number % 2 else Report.DISCONNECTED
        hear(machine.pk, report=lost, at=MONDAY + number * minutes(1))
    hear(machine.pk, report=Report.READY, at=MONDAY + minutes(5))
    machine.refresh_from_db()
    assert machine.plate_token == ""
