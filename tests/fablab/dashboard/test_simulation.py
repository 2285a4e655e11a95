"""A simulated machine says so wherever it is shown: nobody waits at the shelf for what was never made."""

from datetime import datetime

import pytest

from equipment.machines.models import Machine
from equipment.machines.services import change_machine
from jobs.lifecycle.states import State
from tests.builders_jobs import Cast, make_job
from tests.fablab.dashboard.lab import as_, open_lab, text_of

pytestmark = pytest.mark.django_db
CHIP = "Simulation : rien n’est fabriqué"


@pytest.fixture
def lab() -> tuple[Cast, datetime]:
    """The lab, whose machine has become a simulation by the hands of its staff."""
    cast, now = open_lab()
    change_machine(
        cast.machine.pk,
        driver="simulated",
        address="simulated://quick",
        actor=cast.person("staff"),
        at=now,
    )
    cast.machine.refresh_from_db()
    Machine.objects.filter(pk=cast.machine.pk).update(report="ready", seen_at=now)
    return cast, now


@pytest.mark.parametrize(
    ("part", "address", "chip"),
    [
        ("owner", "/", True),
        ("owner", "/machines/{machine}/", True),
        ("staff", "/machines/", True),
        ("staff", "/machines/ecran/", True),
        ("staff", "/machines/{machine}/", True),
        ("staff", "/machines/{machine}/connexion/", False),
        ("owner", "/objets/{job}/", False),
        ("instructor", "/objets/{job}/", False),
        ("owner", "/objets/", False),
    ],
)
def test_its_name_says_so_on_every_page_and_a_chip_where_it_is_a_machine_among_others(
    lab: tuple[Cast, datetime], part: str, address: str, chip: bool
) -> None:
    cast, now = lab
    job = make_job(cast, state=State.RUNNING, at=now)
    page = text_of(as_(cast.person(part)).get(address.format(machine=cast.machine.pk, job=job.pk)))
    assert f"{cast.machine.name}" in page
    assert cast.machine.name.endswith(" (simulation)")
    assert (CHIP in page) == chip


def test_a_real_machine_says_nothing_of_the_kind() -> None:
    cast, _now = open_lab()
    assert CHIP not in text_of(as_(cast.person("staff")).get("/machines/"))
