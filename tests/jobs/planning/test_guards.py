"""Why a job waits: each guard alone, with its own sentence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fablab.core.clock import Span
from jobs.planning.facts import Held, MachineNow, Waiting
from jobs.planning.guards import ALL_CODES, BY_PLAN, GUARDS, could_take, why_not
from jobs.planning.words import SENTENCES

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return AT + timedelta(minutes=minutes)


def opened(*ends: float) -> tuple[Span, ...]:
    """Opening hours from now on until ``ends`` minutes, and for as long each day after."""
    return tuple(Span(after(day * 1440), after(day * 1440 + minutes)) for day in range(3) for minutes in ends)


MACHINE = MachineNow(id="red", name="Rouge", model_id="mk3", formats=frozenset({"gcode"}), open=opened(480))
JOB = Waiting(
    id="job",
    owner_id="lea",
    model_id="mk3",
    queued_at=after(-10),
    approved_at=after(-10),
    length=timedelta(minutes=60),
)
BOOKED = Held("b1", "sam", after(-10), after(50))
SOON = Held("b2", "sam", after(30), after(90))
MINE = Held("b3", "lea", after(30), after(90))
TOMORROW = (Span(after(1440), after(1920)),)

ALONE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("waiting_approval", {"approved_at": None}, {}),
    ("waiting_undo", {"approved_at": AT - timedelta(seconds=9)}, {}),
    ("waiting_closed", {}, {"open": TOMORROW}),
    ("waiting_out_of_order", {}, {"in_service": False}),
    ("waiting_out_of_order", {}, {"outages": ((after(-20), after(20)),)}),
    ("waiting_next_outage", {}, {"outages": ((after(20), None),)}),
    ("waiting_needs_help", {}, {"needs_help": True}),
    ("waiting_unreachable", {}, {"heard": False, "ready": False}),
    ("waiting_foreign_print", {}, {"foreign": True, "ready": False}),
    ("waiting_machine_busy", {}, {"taken": True}),
    ("waiting_machine_busy", {}, {"ready": False}),
    ("waiting_own_booking", {"own_booking": MINE, "booked_machine_id": "red"}, {}),
    ("waiting_booking", {}, {"held": (BOOKED,)}),
    ("waiting_next_booking", {}, {"held": (SOON,)}),
    ("waiting_closing_time", {}, {"open": (Span(after(-60), after(59)), *TOMORROW)}),
    ("waiting_closing_time", {"length": None}, {"open": (Span(after(-60), after(20)), *TOMORROW)}),
    ("waiting_too_long", {"length": timedelta(minutes=481)}, {}),
    ("waiting_power_cut", {}, {"cuts": (Span(after(59), after(90)),)}),
    ("waiting_format", {"format": "dst"}, {}),
    ("waiting_material", {"material": "PETG"}, {"material": "PLA"}),
    ("waiting_nozzle", {"nozzle_mm": 0.4}, {"nozzle_mm": 0.6}),
    ("waiting_frame", {"frame": "10x10"}, {"frame": "13x18"}),
    ("waiting_unreachable", {"put_off": {"red": ("waiting_unreachable", after(5))}}, {}),
    ("waiting_file_refused", {"put_off": {"red": ("storage_refused", after(5))}}, {}),
]


@pytest.mark.parametrize(("code", "job", "machine"), ALONE)
def test_each_failing_guard_alone_gives_its_own_reason(
    code: str, job: dict[str, Any], machine: dict[str, Any]
) -> None:
    reasons = why_not(replace(JOB, **job), replace(MACHINE, **machine), AT)
    assert [reason.code for reason in reasons] == [code]


def test_every_guard_is_tried_above_and_each_has_a_sentence_whose_places_it_fills() -> None:
    assert {code for code, _, _ in ALONE} == {guard.code for guard in GUARDS} == ALL_CODES - BY_PLAN
    assert {code for code in SENTENCES if code.startswith("waiting_")} == ALL_CODES
    for code, job, machine in ALONE:
        (reason,) = why_not(replace(JOB, **job), replace(MACHINE, **machine), AT)
        assert "{" not in str(SENTENCES[code]).format_map(dict(reason.params))


def test_when_nothing_stands_against_it_the_job_may_be_made() -> None:
    assert why_not(JOB, MACHINE, AT) == ()


@pytest.mark.parametrize(
    ("job", "machine"),
    [
        ({"approved_at": AT - timedelta(seconds=10)}, {}),
        ({}, {"open": (Span(after(-60), after(60)),)}),
        ({}, {"held": (SOON._replace(start=after(60)),)}),
        ({}, {"held": (BOOKED._replace(person_id="lea"),)}),
        ({"own_booking": MINE._replace(start=AT), "booked_machine_id": "red"}, {}),
        ({"put_off": {"red": ("storage_refused", AT)}}, {}),
        ({}, {"outages": ((after(60), None), (after(-60), AT))}),
        ({}, {"cuts": (Span(after(60), after(90)),)}),
        ({"material": "PLA"}, {}),
        ({}, {"material": "PLA"}),
        ({"nozzle_mm": 0.4}, {"nozzle_mm": 0.4, "frame": "10x10"}),
        ({}, {"may_overrun": True, "open": (Span(after(-60), after(5)),), "held": (SOON,)}),
    ],
    ids=[
        "undo time over",
        "ends at closing",
        "before a booking",
        "own hold",
        "in a booking",
        "asked again",
        "outage",
        "before a power cut",
        "nobody said what is in the machine",
        "nobody said what the job needs",
        "the right nozzle, and no frame asked for",
        "a machine that may overrun",
    ],
)
def test_what_just_fits_may_be_made(job: dict[str, Any], machine: dict[str, Any]) -> None:
    assert why_not(replace(JOB, **job), replace(MACHINE, **machine), AT) == ()


def test_a_machine_that_may_overrun_still_does_not_start_before_a_power_cut_or_while_the_lab_is_closed() -> (
    None
):
    machine = replace(MACHINE, may_overrun=True, open=TOMORROW, cuts=(Span(after(30), after(40)),))
    assert [reason.code for reason in why_not(JOB, machine, AT)] == ["waiting_closed", "waiting_power_cut"]


def test_all_reasons_are_said_at_once() -> None:
    reasons = why_not(replace(JOB, approved_at=None), replace(MACHINE, open=TOMORROW, taken=True), AT)
    assert [reason.code for reason in reasons] == [
        "waiting_approval",
        "waiting_closed",
        "waiting_machine_busy",
    ]


def test_what_was_approved_for_one_model_never_goes_to_another_whatever_was_booked_or_wished() -> None:
    assert could_take(JOB, MACHINE)
    assert not could_take(replace(JOB, model_id="laser", machine_id="red"), MACHINE)
    assert not could_take(replace(JOB, machine_id="blue"), MACHINE)
    assert not could_take(replace(JOB, booked_machine_id="blue"), MACHINE)


def test_a_machine_that_takes_only_what_names_it_is_offered_nothing_else() -> None:
    simulation = replace(MACHINE, only_named=True)
    assert not could_take(JOB, simulation)
    assert could_take(replace(JOB, machine_id="red"), simulation)
    assert could_take(replace(JOB, booked_machine_id="red"), simulation)
