"""What may be chosen for an object: complete, checked, the kind's own, and an approval is bound to all of it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from equipment.machines.models import MachineModel
from equipment.management.demo_guides import CUTTER, EMBROIDERY
from fablab.core.errors import Malformed, Problem
from jobs.lifecycle.services import change_job
from jobs.lifecycle.settings import settings_for
from jobs.lifecycle.states import State
from tests.builders import make_kind, make_machine, make_model
from tests.builders_jobs import Cast, make_cast, make_job

NOW = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def embroidery() -> MachineModel:
    return make_model(make_kind(guide=EMBROIDERY), materials=["Fil polyester", "Fil coton"])


@pytest.fixture
def cutter() -> MachineModel:
    return make_model(make_kind(guide=CUTTER), materials=["Vinyle", "Flex"])


@pytest.fixture
def cast() -> Cast:
    return make_cast(at=NOW)


def chosen(model: MachineModel, **given: Any) -> dict[str, Any]:
    problems: list[Problem] = []
    found = settings_for(model, given, problems)
    assert not problems, problems
    return found


def test_nothing_chosen_is_the_first_of_everything_that_the_kind_offers(embroidery: MachineModel) -> None:
    assert chosen(embroidery) == {
        "copies": 1,
        "supports": "auto",
        "material": "Fil polyester",
        "quality": "",
        "workpiece": "tshirt",
        "workpiece_from": "lab",
        "fabric": "",
        "place": "chest",
        "frame": "180x130",
        "stabiliser": "tear",
    }


def test_what_is_ironed_on_is_mirrored_unless_somebody_says_otherwise(cutter: MachineModel) -> None:
    assert chosen(cutter)["mirror"] is False
    assert chosen(cutter, workpiece="transfer")["mirror"] is True
    assert chosen(cutter, material="Flex")["mirror"] is True
    assert chosen(cutter, workpiece="transfer", mirror=False)["mirror"] is False


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"workpiece": "car"}, "not_a_choice"),
        ({"workpiece_from": "neighbour"}, "not_a_choice"),
        ({"frame": 180}, "not_a_choice"),
        ({"fabric": "x" * 41}, "text_too_long"),
        ({"fabric": 3}, "text_too_long"),
        ({"mirror": True}, "unknown_field"),
        ({"copies": True}, "copies_out_of_range"),
        ({"nozzle": 1}, "unknown_field"),
    ],
)
def test_what_the_kind_does_not_offer_is_a_problem_with_its_field(
    embroidery: MachineModel, given: dict[str, Any], code: str
) -> None:
    problems: list[Problem] = []
    settings_for(embroidery, given, problems)
    assert [(one.code, one.field) for one in problems] == [(code, next(iter(given)))]


@pytest.mark.parametrize("value", [1, 0, "true"])
def test_a_mirror_is_yes_or_no(cutter: MachineModel, value: object) -> None:
    problems: list[Problem] = []
    settings_for(cutter, {"mirror": value}, problems)
    assert [one.code for one in problems] == ["not_a_choice"]


def test_another_model_keeps_what_it_knows_and_takes_its_own_first_choice_for_the_rest(
    embroidery: MachineModel, cutter: MachineModel
) -> None:
    before = chosen(cutter, material="Flex", workpiece="stencil", mirror=True, copies=3, fabric="velours")
    problems: list[Problem] = []
    after = settings_for(embroidery, {}, problems, kept=before)
    assert not problems
    assert after == {**chosen(embroidery), "copies": 3, "fabric": "velours"}


def test_a_change_of_workpiece_voids_the_approval(cast: Cast) -> None:
    cast.kind.guide = EMBROIDERY
    cast.kind.save()
    job = make_job(cast, state=State.QUEUED, at=NOW)
    owner = cast.person("owner")
    changed = change_job(job.pk, actor=owner, at=NOW, settings={"workpiece": "cap"})
    assert (changed.state, changed.settings["workpiece"]) == (State.SUBMITTED, "cap")


def test_a_job_moves_to_a_machine_of_another_kind_without_naming_everything_anew(
    cast: Cast, cutter: MachineModel
) -> None:
    job = make_job(cast, at=NOW)
    django = make_machine(cast.site, "Django", model=cutter)
    changed = change_job(job.pk, actor=cast.person("owner"), at=NOW, machine_id=django.pk)
    assert changed.settings == chosen(cutter)
    with pytest.raises(Malformed):
        change_job(job.pk, actor=cast.person("owner"), at=NOW, settings={"quality": "fine"})
