"""What lies on a plate is put away with the tap that starts the next one; a broken machine gives back what it holds."""

import re

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from equipment.machines.models import Machine
from equipment.machines.states import Driver, Plate
from jobs.lifecycle.models import Job, Order
from jobs.lifecycle.states import State
from tests.builders_jobs import Cast, make_job, make_linked_machine
from tests.fablab.dashboard.lab import as_, text_of
from tests.fablab.dashboard.test_board import board, tile

pytestmark = pytest.mark.django_db
START = "faire/start/"


def at_machine(client: Client, machine: Machine) -> str:
    return text_of(client.get(f"/m/{machine.pk}/"))


def broken_with_an_object(cast: Cast) -> Job:
    job = make_job(cast, state=State.LOADED, at=timezone.now())
    Machine.objects.filter(pk=cast.machine.pk).update(
        driver=Driver.HANDOVER,
        address="",
        plate=Plate.TO_CLEAR,
        out_of_order_since=timezone.now(),
        out_of_order_reason="Buse bouchée",
    )
    cast.machine.refresh_from_db()
    return job


# --- "Plateau vide, lancer" ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("driver", [Driver.HANDOVER, Driver.OCTOPRINT])
@pytest.mark.parametrize("where", ["machine", "object"])
def test_the_tap_that_empties_the_plate_and_starts_says_where_what_lay_there_goes(
    cast: Cast, driver: Driver, where: str
) -> None:
    at, staff = timezone.now(), as_(cast.person("staff"))
    machine = make_linked_machine(cast.site, cast.model, at=at, driver=driver)
    made = make_job(cast, state=State.FINISHED, at=at, on=machine, title="boîte")
    job = make_job(cast, state=State.LOADED, at=at, on=machine)
    fields = {"job": job.pk, "plate_clear": "true", "machine": machine.pk}
    address = f"/m/{machine.pk}/{START}" if where == "machine" else f"/objets/{job.pk}/{START}"

    shown = text_of(staff.post(address, fields, follow=True))

    said = "Lancé." if driver is Driver.HANDOVER else "Lancement demandé."
    assert f"{said} Pose n° {made.number} (boîte, owner) sur A1." in shown


@pytest.mark.parametrize("loaded", [True, False], ids=["lancer", "vide"])
@pytest.mark.parametrize("where", ["/machines/", "/a-faire/", "/m/{machine}/"])
@pytest.mark.parametrize("driver", [Driver.HANDOVER, Driver.OCTOPRINT])
def test_a_page_that_stayed_open_empties_no_plate_that_filled_again(
    cast: Cast, driver: Driver, where: str, loaded: bool
) -> None:
    at, staff = timezone.now(), as_(cast.person("staff"))
    machine = make_linked_machine(cast.site, cast.model, at=at, driver=driver, plate=Plate.TO_CLEAR)
    make_job(cast, state=State.LOADED if loaded else State.FINISHED, at=at, on=machine)
    forms = forms_about_the_plate(staff.get(where.format(machine=machine.pk)).content.decode(), machine)
    assert forms, "the page offers it"
    Machine.objects.filter(pk=machine.pk).update(plate_number=F("plate_number") + 1)

    for address, fields in forms:
        shown = text_of(staff.post(address, fields, follow=True))
        assert "a servi depuis. Regarde encore" in shown, address
    machine.refresh_from_db()
    assert (machine.plate, Order.objects.count()) == (Plate.TO_CLEAR, 0)


def forms_about_the_plate(content: str, machine: Machine) -> list[tuple[str, dict[str, str]]]:
    """The forms of a page that empty this machine's plate, as a browser would send them."""
    found = []
    for form in re.findall(r'<form action="([^"]+)" method="post"[^>]*>(.*?)</form>', content, re.DOTALL):
        address, inside = form
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', inside))
        clears = address.endswith(f"{machine.pk}/faire/clear-plate/")
        if clears or fields.get("plate_clear") == "true":
            found.append((address, fields))
    return found


def test_the_list_names_what_is_to_be_taken_off(cast: Cast) -> None:
    made = make_job(cast, state=State.FINISHED, at=timezone.now(), title="boîte")
    shown = text_of(as_(cast.person("staff")).get("/a-faire/"))
    assert "Plateau à vider" in shown
    assert f"n° {made.number} (boîte, owner)" in shown


# --- out of order -------------------------------------------------------------------------------------------------


def test_the_owner_reads_that_the_machine_is_out_of_order_and_not_that_somebody_starts_it(cast: Cast) -> None:
    job = broken_with_an_object(cast)
    shown = text_of(as_(cast.person("owner")).get(f"/objets/{job.pk}/"))
    assert "En attente – la machine est en panne" in shown
    assert "Un animateur va le remettre en file." in shown
    assert "doit être vidée" not in shown
    assert "Un animateur lance" not in shown


def test_at_a_broken_machine_nothing_starts_and_what_is_there_is_taken_away(cast: Cast) -> None:
    job, staff = broken_with_an_object(cast), as_(cast.person("staff"))
    shown = at_machine(staff, cast.machine)
    assert START not in shown
    assert "Remettre en file" in shown
    assert "Plateau vide" in shown

    staff.post(f"/m/{cast.machine.pk}/faire/clear-plate/")
    staff.post(f"/m/{cast.machine.pk}/faire/release/", {"job": job.pk})

    cast.machine.refresh_from_db()
    job.refresh_from_db()
    assert (cast.machine.plate, job.state) == (Plate.CLEAR, State.QUEUED)


def test_a_start_that_was_pressed_all_the_same_is_refused_with_the_reason(cast: Cast) -> None:
    job, staff = broken_with_an_object(cast), as_(cast.person("staff"))
    answer = staff.post(f"/m/{cast.machine.pk}/{START}", {"job": job.pk, "plate_clear": "true"}, follow=True)
    assert f"{cast.machine.name} est en panne." in text_of(answer)
    job.refresh_from_db()
    assert job.state == State.LOADED


def test_its_tile_offers_what_is_left_to_do_there(cast: Cast) -> None:
    broken_with_an_object(cast)
    shown = tile(board(cast), cast.machine)
    for offered in ("Remettre en service", "Remettre en file", "Plateau vide"):
        assert offered in shown
    assert "lancer" not in shown


def test_the_list_says_that_its_object_goes_back_to_the_queue_in_one_tap(cast: Cast) -> None:
    job, staff = broken_with_an_object(cast), as_(cast.person("staff"))
    shown = text_of(staff.get("/a-faire/"))
    assert "Machine en panne, à remettre en file" in shown
    assert f"/objets/{job.pk}/faire/release/" in shown
    assert START not in shown
