"""What needs a hand, and in which order (``jobs.worklist.rules``)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.lifecycle.states import State
from jobs.worklist.rules import CallNow, JobNow, MachineNow, SiteNow, TryNow, entries
from jobs.worklist.states import URGENCY, Need
from tests.builders import MONDAY, hours, minutes

AN_HOUR_AGO = MONDAY - hours(1)


def job(state: State, *, name: str = "j", since: datetime = AN_HOUR_AGO) -> JobNow:
    return JobNow(name, 7, "Vase", "Zoé", state, since)


def on(state: State, **fields: Any) -> TryNow:
    return replace(TryNow(job(state)), **fields)


ADA = MachineNow("m", "Ada", linked=True)
BY_HAND = MachineNow("h", "Colette", linked=False, carried=True)


THERE = (job(State.FINISHED, name="o"),)


def needs(*machines: MachineNow, **site: Any) -> list[Need]:
    return [one.need for one in entries("s", replace(SiteNow(MONDAY, machines), **site))]


@pytest.mark.parametrize(
    ("machine", "need"),
    [
        (replace(ADA, on_it=on(State.RUNNING, unsure_since=MONDAY)), Need.UNSURE),
        (replace(ADA, on_it=on(State.RUNNING, unsure_since=MONDAY), unreachable_since=MONDAY), Need.UNSURE),
        (replace(ADA, help_since=MONDAY), Need.HELP),
        (replace(ADA, on_it=on(State.PAUSED)), Need.PAUSED),
        (replace(ADA, on_it=on(State.LOADED, refused="busy")), Need.NOT_STARTED),
        (replace(ADA, unreachable_since=MONDAY), Need.UNREACHABLE),
        (replace(ADA, on_it=on(State.RUNNING, overruns_at=MONDAY)), Need.OVERRUN),
        (replace(BY_HAND, on_it=on(State.RUNNING, ends_at=MONDAY - minutes(20))), Need.OVERDUE),
        (replace(ADA, on_it=on(State.LOADED), plate_to_clear=True), Need.PLATE_WAITED),
        (replace(ADA, plate_to_clear=True, waited_by=1), Need.PLATE_WAITED),
        (replace(ADA, on_it=on(State.LOADED)), Need.LOADED),
        (replace(ADA, on_it=on(State.LOADED), plate_to_clear=True, out_of_order=True), Need.PUT_BACK),
        (replace(ADA, plate_to_clear=True, lies_there=THERE, out_of_order=True), Need.PLATE),
        (replace(ADA, on_it=on(State.PAUSED), out_of_order=True), Need.PAUSED),
        (replace(BY_HAND, on_it=on(State.RUNNING, ends_at=AN_HOUR_AGO), out_of_order=True), Need.OVERDUE),
        (replace(BY_HAND, next_job=job(State.QUEUED)), Need.TO_TAKE),
        (replace(ADA, plate_to_clear=True), Need.PLATE),
        (replace(ADA, maintenance_due=True), Need.MAINTENANCE),
    ],
)
def test_a_machine_asks_for_a_hand(machine: MachineNow, need: Need) -> None:
    assert needs(machine) == [need]


def test_who_asks_for_somebody_is_named_before_every_machine_and_after_what_stops_the_whole_place() -> None:
    called = CallNow("c", "Lina", AN_HOUR_AGO, "m", "Ada")
    (clock, call, help_) = entries(
        "s", SiteNow(MONDAY, (replace(ADA, help_since=AN_HOUR_AGO),), clock_why="stepped", calls=(called,))
    )
    assert [clock.need, call.need, help_.need] == [Need.CLOCK, Need.ASKED, Need.HELP]
    assert (call.key, call.why, call.machine_name) == ("asked:c", "Lina", "Ada")


@pytest.mark.parametrize(
    "machine",
    [
        ADA,
        replace(ADA, on_it=on(State.RUNNING)),
        replace(ADA, on_it=on(State.SENDING)),
        replace(ADA, on_it=on(State.RUNNING), plate_to_clear=True),  # what lies there is being made
        replace(ADA, at_work=True, plate_to_clear=True),
        replace(ADA, out_of_order=True, plate_to_clear=True, unreachable_since=MONDAY, maintenance_due=True),
        replace(ADA, on_it=on(State.RUNNING, ends_at=AN_HOUR_AGO)),  # the machine itself tells its end
        replace(BY_HAND, on_it=on(State.RUNNING, ends_at=MONDAY - minutes(5))),
        replace(ADA, on_it=on(State.LOADED, asked=True), plate_to_clear=True),  # somebody has just pressed it
        replace(ADA, next_job=job(State.QUEUED)),  # the file goes there by itself
    ],
)
def test_a_machine_that_goes_on_by_itself_asks_for_nobody(machine: MachineNow) -> None:
    assert needs(machine) == []


def test_objects_wait_for_a_decision_for_their_owner_and_for_another_try() -> None:
    assert needs(failed=[(job(State.FAILED), "m", "Ada")]) == [Need.FAILED]
    assert needs(on_shelf=[job(State.READY, since=MONDAY - timedelta(days=8))]) == [Need.PICK_UP]
    assert needs(on_shelf=[job(State.READY, since=MONDAY - timedelta(days=6))]) == []
    assert needs(to_decide=3, to_decide_since=MONDAY) == [Need.DECIDE]


def test_a_disk_that_is_nearly_full_comes_before_every_machine() -> None:
    waits = replace(ADA, on_it=on(State.RUNNING, unsure_since=MONDAY))
    assert needs(waits, disk_why="disk_low") == [Need.DISK, Need.UNSURE]


def test_what_the_screen_after_the_cut_settles_is_one_entry() -> None:
    unsure = replace(ADA, on_it=on(State.RUNNING, unsure_since=MONDAY))
    failed = [(job(State.FAILED, name="f"), "m", "Ada")]
    found = needs(unsure, failed=failed, interrupted_since=MONDAY, interrupted=frozenset({"j", "f"}))
    assert found == [Need.INTERRUPTED]


def test_the_most_urgent_comes_first_and_among_equals_what_waits_longest() -> None:
    later = replace(ADA, id="b", name="Blaise", plate_to_clear=True, plate_since=MONDAY)
    earlier = replace(ADA, id="z", name="Zoé", plate_to_clear=True, plate_since=MONDAY - hours(3))
    never = replace(ADA, id="n", name="Neuve", plate_to_clear=True)
    unsure = replace(ADA, id="u", on_it=on(State.RUNNING, unsure_since=MONDAY))
    found = entries("s", SiteNow(MONDAY, [never, later, earlier, unsure], clock_why="stepped", to_decide=1))
    assert [(one.need, one.about) for one in found] == [
        (Need.CLOCK, "s"),
        (Need.UNSURE, "u"),
        (Need.PLATE, "z"),
        (Need.PLATE, "b"),
        (Need.PLATE, "n"),
        (Need.DECIDE, "s"),
    ]


@pytest.mark.parametrize("machine", [ADA, replace(ADA, on_it=on(State.LOADED))])
def test_an_entry_about_a_plate_names_what_is_to_be_taken_off(machine: MachineNow) -> None:
    (entry,) = entries("s", SiteNow(MONDAY, [replace(machine, plate_to_clear=True, lies_there=THERE)]))
    assert entry.lies_there == THERE


def test_a_plate_stays_the_same_entry_when_somebody_begins_to_wait_for_it() -> None:
    (idle,) = entries("s", SiteNow(MONDAY, [replace(ADA, plate_to_clear=True)]))
    (waited,) = entries("s", SiteNow(MONDAY, [replace(ADA, plate_to_clear=True, waited_by=1)]))
    assert idle.need is not waited.need
    assert idle.key == waited.key


MACHINES = st.builds(
    MachineNow,
    id=st.sampled_from("abcdef"),
    name=st.just("M"),
    linked=st.booleans(),
    out_of_order=st.booleans(),
    plate_to_clear=st.booleans(),
    lies_there=st.sampled_from([(), THERE]),
    unreachable_since=st.none() | st.just(MONDAY),
    help_since=st.none() | st.just(MONDAY),
    on_it=st.none() | st.builds(on, st.sampled_from([State.LOADED, State.RUNNING, State.PAUSED])),
    waited_by=st.integers(0, 2),
    maintenance_due=st.booleans(),
)


@given(st.lists(MACHINES, unique_by=lambda machine: machine.id))
def test_every_key_stands_once_in_order_of_urgency_whatever_comes_first(machines: list[MachineNow]) -> None:
    found = entries("s", SiteNow(MONDAY, machines))
    keys = [one.key for one in found]
    assert len(keys) == len(set(keys))
    assert [URGENCY[one.need] for one in found] == sorted(URGENCY[one.need] for one in found)
    assert entries("s", SiteNow(MONDAY, machines[::-1])) == found
