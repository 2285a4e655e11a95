"""The words people read, as REQUIREMENTS 1.2 fixes them, and a sentence for every code that a service raises."""

import ast
from pathlib import Path

from equipment.bookings.states import BookingState
from equipment.bookings.words import STATES
from equipment.machines.guide import PLATE_WORDS
from equipment.machines.states import Condition
from equipment.machines.words import CONDITIONS, EMPTY, TO_EMPTY
from equipment.sites.states import Role
from equipment.sites.words import ROLES, WEEKDAYS
from fablab.core.words import SENTENCES

PROJECT = Path(__file__).resolve().parents[2]
RAISED = {"Problem", "Refused", "NotAllowed", "Malformed", "Conflict"}


def test_a_machines_condition_reads_as_fixed() -> None:
    assert {condition: str(word) for condition, word in CONDITIONS.items()} == {
        Condition.FREE: "Libre",
        Condition.BUSY: "Occupée",
        Condition.BUSY_ELSEWHERE: "Occupée hors file",
        Condition.NEEDS_CLEARING: "À vider",
        Condition.NEEDS_HELP: "Besoin d’aide",
        Condition.OUT_OF_ORDER: "En panne",
        Condition.UNREACHABLE: "On vérifie la machine – un animateur regarde",
    }


def test_a_bookings_state_reads_as_fixed() -> None:
    assert {state: str(word) for state, word in STATES.items()} == {
        BookingState.HELD: "Gardé pour toi",
        BookingState.CONFIRMED: "Réservé",
        BookingState.IN_USE: "En cours",
        BookingState.DONE: "Fini",
        BookingState.CANCELLED: "Annulé",
        BookingState.NO_SHOW: "Créneau rendu",
    }


def test_every_plate_role_and_day_has_a_word() -> None:
    assert set(EMPTY) == set(TO_EMPTY) == set(PLATE_WORDS)
    assert set(ROLES) == set(Role)
    assert len(WEEKDAYS) == 7


def literal_codes(path: Path) -> set[str]:
    """Return the codes that a module names where it makes or raises a problem."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(), filename=str(path))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISED:
            given = (
                node.args[:1] if node.func.id == "Problem" else node.args
            )  # after its code: params and field
            found |= {
                one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)
            }
    return found


def test_every_code_that_equipment_or_people_raise_has_a_sentence() -> None:
    modules = [*(PROJECT / "equipment").rglob("*.py"), *(PROJECT / "fablab" / "people").rglob("*.py")]
    codes = {code for path in modules if "drivers" not in path.parts for code in literal_codes(path)}
    assert {"slot_taken", "not_on_site", "username_taken"} <= codes  # the search finds them
    assert codes - set(SENTENCES) == set()


def imports_unseal(path: Path) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "fablab.core.sealed"
        and any(name.name == "unseal" for name in node.names)
        for node in ast.walk(ast.parse(path.read_text(), filename=str(path)))
    )


def test_only_the_room_of_connections_can_read_a_machines_key() -> None:
    modules = [path for root in ("equipment", "jobs", "fablab") for path in (PROJECT / root).rglob("*.py")]
    assert [path.relative_to(PROJECT).as_posix() for path in modules if imports_unseal(path)] == [
        "equipment/machines/connection.py"
    ]
