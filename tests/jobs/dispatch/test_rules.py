"""Where a job goes, and why it waits: each guard alone, with its own sentence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.dispatch.rules import ALL_CODES, GUARDS, Held, MachineNow, Waiting, choose, why_not
from jobs.dispatch.words import SENTENCES

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return AT + timedelta(minutes=minutes)


MACHINE = MachineNow(
    id="red",
    name="Rouge",
    model_id="mk3",
    formats=frozenset({"gcode"}),
    in_service=True,
    heard=True,
    ready=True,
    foreign=False,
    taken=False,
    closes_at=after(480),
)
JOB = Waiting(
    id="job",
    owner_id="lea",
    model_id="mk3",
    machine_id=None,
    format="gcode",
    approved_at=after(-10),
    length=timedelta(minutes=60),
)
BOOKED = Held("b1", "sam", after(-10), after(50))
SOON = Held("b2", "sam", after(30), after(90))
MINE = Held("b3", "lea", after(30), after(90))

ALONE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("waiting_approval", {"approved_at": None}, {}),
    ("waiting_undo", {"approved_at": AT - timedelta(seconds=9)}, {}),
    ("waiting_closed", {}, {"closes_at": None}),
    ("waiting_out_of_order", {}, {"in_service": False}),
    ("waiting_out_of_order", {}, {"outages": ((after(20), None),)}),
    ("waiting_unreachable", {}, {"heard": False, "ready": False}),
    ("waiting_foreign_print", {}, {"foreign": True, "ready": False}),
    ("waiting_machine_busy", {}, {"taken": True}),
    ("waiting_machine_busy", {}, {"ready": False}),
    ("waiting_own_booking", {"own_booking": MINE, "booked_machine_id": "red"}, {}),
    ("waiting_booking", {}, {"held": (BOOKED,)}),
    ("waiting_next_booking", {}, {"held": (SOON,)}),
    ("waiting_closing_time", {}, {"closes_at": after(59)}),
    ("waiting_closing_time", {"length": None}, {"closes_at": after(20)}),
    ("waiting_format", {"format": "dst"}, {}),
    ("waiting_file_refused", {"put_off": {"red": ("storage_refused", after(5))}}, {}),
]


@pytest.mark.parametrize(("code", "job", "machine"), ALONE)
def test_each_failing_guard_alone_gives_its_own_reason(
    code: str, job: dict[str, Any], machine: dict[str, Any]
) -> None:
    reasons = why_not(replace(JOB, **job), replace(MACHINE, **machine), AT)
    assert [reason.code for reason in reasons] == [code]


def test_every_guard_is_tried_above_and_has_a_sentence() -> None:
    assert {code for code, _, _ in ALONE} == {guard.code for guard in GUARDS}
    assert set(SENTENCES) == ALL_CODES


def test_when_nothing_stands_against_it_the_job_is_claimed() -> None:
    assert why_not(JOB, MACHINE, AT) == ()


@pytest.mark.parametrize(
    ("job", "machine"),
    [
        ({"approved_at": AT - timedelta(seconds=10)}, {}),
        ({}, {"closes_at": after(60)}),
        ({}, {"held": (replace(SOON, start=after(60)),)}),
        ({}, {"held": (replace(BOOKED, person_id="lea"),)}),
        ({"own_booking": replace(MINE, start=AT), "booked_machine_id": "red"}, {}),
        ({"put_off": {"red": ("storage_refused", AT)}}, {}),
        ({}, {"outages": ((after(60), None), (after(-60), AT))}),
    ],
    ids=[
        "undo time over",
        "ends at closing",
        "before a booking",
        "own hold",
        "in a booking",
        "asked again",
        "outage",
    ],
)
def test_what_just_fits_is_claimed(job: dict[str, Any], machine: dict[str, Any]) -> None:
    assert why_not(replace(JOB, **job), replace(MACHINE, **machine), AT) == ()


def test_all_reasons_are_said_at_once() -> None:
    reasons = why_not(replace(JOB, approved_at=None), replace(MACHINE, closes_at=None, taken=True), AT)
    assert [reason.code for reason in reasons] == [
        "waiting_approval",
        "waiting_closed",
        "waiting_machine_busy",
    ]


def test_a_job_that_names_a_machine_goes_there_and_nowhere_else() -> None:
    blue = replace(MACHINE, id="blue", name="Bleue", idle_since=after(-600))
    (choice,) = choose([replace(JOB, machine_id="red")], [blue, replace(MACHINE, taken=True)], AT)
    assert (choice.machine_id, [reason.code for reason in choice.reasons]) == (None, ["waiting_machine_busy"])


def test_a_job_that_names_a_model_goes_to_the_machine_that_was_idle_for_longest() -> None:
    red = replace(MACHINE, idle_since=after(-5))
    blue = replace(MACHINE, id="blue", name="Bleue", idle_since=after(-50))
    new = replace(MACHINE, id="new", name="Neuve", idle_since=None)
    other = replace(MACHINE, id="other", name="Autre", model_id="resin")
    assert choose([JOB], [red, blue, other], AT)[0].machine_id == "blue"
    assert choose([JOB], [red, blue, new, other], AT)[0].machine_id == "new"


def test_a_job_of_a_booking_goes_to_the_booked_machine_when_the_booking_has_begun() -> None:
    booked = replace(JOB, own_booking=replace(MINE, start=AT), booked_machine_id="red")
    blue = replace(MACHINE, id="blue", name="Bleue")
    red = replace(MACHINE, held=(replace(MINE, start=AT),))
    assert choose([booked], [blue, red], AT)[0].machine_id == "red"


def test_two_jobs_never_get_one_machine_and_the_second_says_why_it_waits() -> None:
    first, second = choose([JOB, replace(JOB, id="next")], [MACHINE], AT)
    assert first.machine_id == "red"
    assert [reason.code for reason in second.reasons] == ["waiting_machine_busy"]


def test_a_model_of_which_there_is_no_machine_is_said_so() -> None:
    (choice,) = choose([replace(JOB, model_id="laser")], [MACHINE], AT)
    assert [reason.code for reason in choice.reasons] == ["waiting_no_machine"]


spans = st.tuples(st.integers(-300, 600), st.integers(1, 300)).map(
    lambda pair: (after(pair[0]), after(pair[0] + pair[1]))
)
holds = st.lists(
    st.builds(
        lambda span, person, number: Held(f"b{number}", person, *span),
        spans,
        st.sampled_from(["lea", "sam"]),
        st.integers(),
    ),
    max_size=4,
).map(lambda found: tuple(sorted((hold for hold in found if hold.end > AT), key=lambda hold: hold.start)))
machines = st.builds(
    replace,
    st.just(MACHINE),
    held=holds,
    closes_at=st.none() | st.integers(1, 600).map(after),
    taken=st.booleans(),
    ready=st.booleans(),
    heard=st.booleans(),
    foreign=st.booleans(),
)
jobs = st.builds(
    replace,
    st.just(JOB),
    length=st.none() | st.integers(1, 400).map(lambda number: timedelta(minutes=number)),
)


@given(jobs, machines)
def test_no_claim_whose_estimate_runs_into_a_booking_of_somebody_else_or_past_closing(
    job: Waiting, machine: MachineNow
) -> None:
    if why_not(job, machine, AT):
        return
    end = AT + job.must_fit
    assert machine.closes_at is not None and end <= machine.closes_at
    assert not any(
        hold.person_id != job.owner_id and hold.start < end and hold.end > AT for hold in machine.held
    )
    assert machine.heard and machine.ready and not machine.taken and not machine.foreign


@given(st.lists(jobs, max_size=5), st.lists(machines, max_size=4))
def test_no_machine_is_given_twice_and_who_gets_none_is_told_why(
    waiting: list[Waiting], there: list[MachineNow]
) -> None:
    waiting = [replace(job, id=f"job{number}") for number, job in enumerate(waiting)]
    there = [replace(machine, id=f"m{number}") for number, machine in enumerate(there)]
    choices = choose(waiting, there, AT)
    given_away = [choice.machine_id for choice in choices if choice.machine_id]
    assert len(given_away) == len(set(given_away))
    assert [choice.job_id for choice in choices] == [job.id for job in waiting]
    assert all(choice.machine_id or choice.reasons for choice in choices)
