"""Outages: at once, planned, with a guess; ended early; and what they say about the machine meanwhile."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from equipment.bookings.finding import free_intervals
from equipment.machines.models import Machine, Outage
from equipment.machines.outages import (
    back_in_service,
    end_outage,
    is_out_of_order,
    outage_for,
    plan_outage,
    put_out_of_order,
    running,
    set_photo,
    to_come,
    turned,
)
from equipment.machines.photos import forget_old, forget_without_rows, new_name, path_of
from equipment.machines.plate import right_holds
from equipment.machines.states import Plate
from equipment.sites.states import Role
from fablab.core.clock import Span
from fablab.core.errors import DomainError, Malformed, NotAllowed, NotFound, Refused
from fablab.people.models import User
from tests.builders import ALWAYS, MONDAY, hours, make_linked_machine, make_machine, make_person, make_site

pytestmark = pytest.mark.django_db
TWO, FOUR = MONDAY + hours(2), MONDAY + hours(4)


@pytest.fixture
def machine() -> Machine:
    return make_linked_machine(make_site(opens=ALWAYS), "Ada")


@pytest.fixture
def ines(machine: Machine) -> User:
    return make_person("Inès", Role.INSTRUCTOR, site=machine.site)


def plan(machine: Machine, actor: User, start: datetime = TWO, end: datetime = FOUR, **given: Any) -> Outage:
    given = {"reason": "Révision", "at": MONDAY, **given}
    return plan_outage(machine.pk, start=start, end=end, actor=actor, **given)


def free(machine: Machine) -> list[Span]:
    machine.refresh_from_db()
    return free_intervals(machine, MONDAY, MONDAY + hours(6))


def test_a_planned_outage_takes_its_time_and_no_other_and_ends_by_itself(
    machine: Machine, ines: User
) -> None:
    outage = plan(machine, ines)
    assert free(machine) == [Span(MONDAY, TWO), Span(FOUR, MONDAY + hours(6))]
    said = [is_out_of_order(machine, MONDAY + hours(hour)) for hour in (1.99, 2, 3.99, 4)]
    assert said == [False, True, True, False]
    assert running([machine.pk], MONDAY + hours(3)) == {machine.pk: outage}
    assert machine.out_of_order_since is None
    assert to_come(machine, MONDAY) == [outage]
    assert to_come(machine, FOUR) == []
    assert [list(turned(MONDAY, MONDAY + hours(hour))) for hour in (1, 2, 5)] == [[], [machine], [machine]]


def test_back_early_frees_the_rest_and_what_has_not_begun_never_will(machine: Machine, ines: User) -> None:
    outage, later = plan(machine, ines), plan(machine, ines, MONDAY + hours(5), MONDAY + hours(6))
    with pytest.raises(Malformed):
        end_outage(outage.pk, end=FOUR, actor=ines, at=MONDAY)
    end_outage(outage.pk, end=MONDAY + hours(3), actor=ines, at=MONDAY)
    end_outage(later.pk, actor=ines, at=MONDAY)
    assert free(machine) == [Span(MONDAY, TWO), Span(MONDAY + hours(3), MONDAY + hours(6))]
    back_in_service(machine.pk, actor=ines, at=MONDAY + hours(2.5))
    assert not is_out_of_order(machine, MONDAY + hours(2.5))
    for again in (lambda: end_outage(outage.pk, actor=ines, at=FOUR), lambda: back_again(machine, ines)):
        with pytest.raises(Refused):
            again()
    actions = ["outage_planned"] * 2 + ["outage_ended"] * 2 + ["back_in_service"]
    assert list(machine.events.values_list("action", flat=True)) == actions


def back_again(machine: Machine, actor: User) -> None:
    back_in_service(machine.pk, actor=actor, at=FOUR)


def test_a_guess_opens_the_time_after_it_only_while_it_is_to_come_and_nobody_is_back_by_a_guess(
    machine: Machine, ines: User
) -> None:
    put_out_of_order(machine.pk, actor=ines, reason="Carte mère", at=MONDAY, expected_end=TWO)
    assert free(machine) == [Span(TWO, MONDAY + hours(6))]
    assert free_intervals(machine, TWO, MONDAY + hours(6)) == []
    assert is_out_of_order(machine, MONDAY + hours(3))
    (outage,) = to_come(machine, MONDAY)
    end_outage(outage.pk, actor=ines, at=MONDAY + hours(3))
    machine.refresh_from_db()
    assert (machine.out_of_order_since, machine.out_of_order_reason) == (None, "")
    assert free(machine) == [Span(MONDAY + hours(3), MONDAY + hours(6))]


@pytest.mark.parametrize(
    ("start", "end", "codes"),
    [
        (FOUR, TWO, ["outage_ends_before_it_begins", "reason_missing"]),
        (MONDAY - hours(2), MONDAY, ["outage_is_over", "reason_missing"]),
        (TWO, TWO + hours(24 * 367), ["outage_too_long", "reason_missing"]),
    ],
)
def test_all_that_is_wrong_is_said_at_once(
    machine: Machine, ines: User, start: datetime, end: datetime, codes: list[str]
) -> None:
    with pytest.raises(Malformed) as refusal:
        plan(machine, ines, start, end, reason=" ")
    assert refusal.value.codes == codes
    guess = MONDAY if codes[0] != "outage_too_long" else end
    with pytest.raises(Malformed) as refusal:
        put_out_of_order(machine.pk, actor=ines, reason="", at=MONDAY, expected_end=guess)
    expected = "outage_is_over" if guess == MONDAY else "outage_too_long"
    assert set(refusal.value.codes) == {expected, "reason_missing"}
    assert not Outage.objects.exists()


def test_only_those_on_duty_at_its_place_say_so(machine: Machine, ines: User) -> None:
    outage = plan(machine, ines)
    member = make_person("Léa", site=machine.site)
    elsewhere = make_person("Zoé", *Role, site=make_site())
    assert outage_for(member, str(outage.pk)) == outage
    for actor, error in ((member, NotAllowed), (elsewhere, NotFound)):
        for verb in (
            lambda actor=actor: plan(machine, actor),
            lambda actor=actor: end_outage(outage.pk, actor=actor, at=MONDAY),
            lambda actor=actor: set_photo(outage.pk, photo="x", actor=actor, at=MONDAY),
        ):
            with pytest.raises(error):
                verb()
    with pytest.raises(NotFound):
        outage_for(elsewhere, str(outage.pk))
    for strange in ("", "-1", "none", "9" * 30, "٣"):
        with pytest.raises(NotFound):
            outage_for(member, strange)


def test_the_right_to_start_does_not_outlive_an_outage(machine: Machine, ines: User) -> None:
    Machine.objects.filter(pk=machine.pk).update(
        plate=Plate.CLEAR, plate_token="t", plate_cleared_at=MONDAY, plate_cleared_by=ines
    )
    machine.refresh_from_db()
    plan(machine, ines)
    assert right_holds(machine, MONDAY + hours(1))
    assert not right_holds(machine, FOUR)


@pytest.mark.parametrize("written_down", [MONDAY, MONDAY + hours(3.5)], ids=["planned", "begun already"])
def test_a_plate_cleared_in_the_middle_of_an_outage_gives_no_right_after_it(
    machine: Machine, ines: User, written_down: datetime
) -> None:
    plan(machine, ines, at=written_down)

    def right_of_who_cleared_it(cleared: datetime) -> bool:
        Machine.objects.filter(pk=machine.pk).update(
            plate=Plate.CLEAR, plate_token="t", plate_cleared_at=cleared, plate_cleared_by=ines
        )
        machine.refresh_from_db()
        return right_holds(machine, FOUR + hours(1))

    assert not right_of_who_cleared_it(MONDAY + hours(3))
    assert right_of_who_cleared_it(FOUR)


def test_a_picture_goes_a_month_after_its_outage_and_so_does_what_a_killed_process_left(
    machine: Machine, ines: User, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    names = [new_name() for _ in range(3)]
    for name in names:
        path_of(name).parent.mkdir(parents=True, exist_ok=True)
        path_of(name).write_bytes(b"\xff\xd8\xff")
    outage = plan(machine, ines, photo=names[0])
    open_one = Outage.objects.create(machine=make_machine(), start=MONDAY, photo=names[1])
    assert forget_old(FOUR + hours(24 * 30 - 1)) == 0
    assert forget_old(FOUR + hours(24 * 30)) == 1
    outage.refresh_from_db()
    assert (outage.photo, outage.reason) == ("", "Révision")
    assert [path_of(name).exists() for name in names] == [False, True, True]
    written = datetime.fromtimestamp(path_of(names[2]).stat().st_mtime, MONDAY.tzinfo)
    assert forget_without_rows(written + hours(1)) == 0
    assert forget_without_rows(written + hours(25)) == 1
    assert [path_of(name).exists() for name in names] == [False, True, False]
    assert open_one.photo == names[1]
    with pytest.raises(DomainError):
        path_of("../secret.jpg")
