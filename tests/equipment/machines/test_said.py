"""What hands do at a machine that says nothing of itself ends the right to start on what was looked at before."""

from collections.abc import Callable

import pytest

from equipment.bookings.walk_up import walk_up
from equipment.machines.models import Machine
from equipment.machines.said import take_in_use
from equipment.machines.states import Driver
from tests.builders import MONDAY
from tests.builders_jobs import Cast, clear, make_cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    cast = make_cast(at=MONDAY)
    clear(cast.machine, at=MONDAY)
    return cast


def said_so(cast: Cast) -> None:
    take_in_use(cast.machine.pk, actor=cast.person("staff"), at=MONDAY)


def walked_up(cast: Cast) -> None:
    walk_up(person=cast.person("owner"), machine_id=cast.machine.pk, at=MONDAY)


@pytest.mark.parametrize("used", [said_so, walked_up])
def test_who_uses_a_cutter_by_hand_ends_the_right_to_start_it_by_line(
    cast: Cast, used: Callable[[Cast], None]
) -> None:
    Machine.objects.update(driver=Driver.RAWTCP)
    used(cast)
    assert Machine.objects.get(pk=cast.machine.pk).plate_token == ""


def test_a_machine_that_tells_of_itself_keeps_it_until_it_is_seen_at_work(cast: Cast) -> None:
    walked_up(cast)
    assert Machine.objects.get(pk=cast.machine.pk).plate_token
