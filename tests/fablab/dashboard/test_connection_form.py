"""A connection is tried in its form before it is saved; the key is never shown, and leaves with the address."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from equipment.machines.models import Machine
from fablab.core.sealed import unseal
from tests.builders_jobs import Cast
from tests.fablab.dashboard.lab import as_, open_lab, text_of
from tests.fakes import hostile_machine as hostile
from tests.fakes.cutter import Cutter
from tests.fakes.hostile_machine import HostileMachine
from tests.fixtures.octoprint import OctoPrint, running

pytestmark = pytest.mark.django_db
CANARY = "canari-9f2c7e51d0"


@pytest.fixture
def desk() -> tuple[Cast, Client, str]:
    """The lab, its staff's browser, and the address of the form of its machine."""
    cast, _now = open_lab()
    return cast, as_(cast.person("staff")), f"/machines/{cast.machine.pk}/connexion/"


def form(cast: Cast, **given: str) -> dict[str, str]:
    return {
        "name": "Rouge",
        "model": cast.model.pk,
        "driver": "octoprint",
        "address": "http://10.1.2.3:5000",
        "key": CANARY,
        **given,
    }


def test_an_address_outside_the_networks_is_said_and_the_form_keeps_everything_but_shows_no_key(
    desk: tuple[Cast, Client, str],
) -> None:
    cast, staff, address = desk
    answer = staff.post(f"{address}essai/", form(cast, name="Rouge du fond", address="http://8.8.8.8:5000"))
    page = text_of(answer)
    assert answer.status_code == 200
    assert "Cette adresse est hors des réseaux autorisés" in page
    assert 'value="Rouge du fond"' in page
    assert 'value="http://8.8.8.8:5000"' in page
    assert "La clé que tu as tapée est gardée." in page
    assert CANARY not in page
    machine = Machine.objects.get(pk=cast.machine.pk)
    assert (machine.name, machine.address) == (cast.machine.name, cast.machine.address)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("imprimante", "Écris l’adresse ainsi : http://192.168.1.20:5000"),
        ("", "Écris l’adresse ainsi : http://192.168.1.20:5000"),
        ("ftp://10.0.0.1", "Écris l’adresse ainsi : http://192.168.1.20:5000"),
        ("http://169.254.169.254", "Cette adresse est hors des réseaux autorisés"),
        ("http://127.0.0.1:22", "Cette adresse est hors des réseaux autorisés"),
        ("http://cette-machine-n-existe-pas.invalid:5000", "Personne ne connaît ce nom sur le réseau."),
    ],
)
def test_a_wrong_address_has_its_own_sentence(
    desk: tuple[Cast, Client, str], address: str, sentence: str
) -> None:
    cast, staff, place = desk
    assert sentence in text_of(staff.post(f"{place}essai/", form(cast, address=address)))


def test_a_machine_that_is_off_and_something_that_is_no_octoprint_are_told_apart(
    desk: tuple[Cast, Client, str], settings: Settings
) -> None:
    cast, staff, place = desk
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        off = probe.getsockname()[1]
    with HostileMachine() as other:
        other.behaves(hostile.html)
        settings.MACHINE_NETWORKS = [f"127.0.0.1:{off}", f"127.0.0.1:{other.port}"]
        said = text_of(staff.post(f"{place}essai/", form(cast, address=f"http://127.0.0.1:{off}")))
        assert "Un ordinateur est là, mais rien n’y répond. Vérifie le port." in said
        said = text_of(staff.post(f"{place}essai/", form(cast, address=f"http://127.0.0.1:{other.port}")))
        assert "La connexion marche." not in said
        assert "Quelque chose répond, mais ce n’est pas OctoPrint." in said


def test_a_key_that_was_typed_before_a_test_is_saved_after_it_without_being_typed_again(
    desk: tuple[Cast, Client, str],
) -> None:
    cast, staff, address = desk
    tried = staff.post(f"{address}essai/", form(cast, address="http://8.8.8.8:5000"))
    kept = tried.context["kept"]
    assert CANARY not in kept
    staff.post(address, form(cast, key="", kept=kept))
    assert unseal(Machine.objects.get(pk=cast.machine.pk).sealed_key) == CANARY


def test_a_machines_own_sealed_key_slipped_into_the_form_opens_nothing(
    desk: tuple[Cast, Client, str],
) -> None:
    cast, staff, address = desk
    staff.post(address, form(cast))
    sealed = Machine.objects.get(pk=cast.machine.pk).sealed_key
    staff.post(address, form(cast, address="http://10.9.9.9:5000", key="", kept=sealed))
    assert Machine.objects.get(pk=cast.machine.pk).sealed_key == ""


def test_an_empty_field_keeps_the_key_and_another_address_erases_it_and_says_so(
    desk: tuple[Cast, Client, str],
) -> None:
    cast, staff, address = desk
    staff.post(address, form(cast))
    page = text_of(staff.get(address))
    assert "Une clé est gardée. Laisse vide pour la garder." in page
    assert CANARY not in page
    staff.post(address, form(cast, key="", name="Verte"))
    assert unseal(Machine.objects.get(pk=cast.machine.pk).sealed_key) == CANARY
    answer = staff.post(address, form(cast, key="", address="http://10.1.2.4:5000"), follow=True)
    assert "L’adresse a changé : la clé est effacée. Donnes-en une autre." in text_of(answer)
    assert Machine.objects.get(pk=cast.machine.pk).sealed_key == ""


def test_what_cannot_be_saved_is_said_beside_its_field_and_nothing_typed_is_lost(
    desk: tuple[Cast, Client, str],
) -> None:
    cast, staff, address = desk
    answer = staff.post(address, form(cast, name="", address="http://8.8.8.8:5000"))
    page = text_of(answer)
    assert answer.status_code == 400
    assert 'href="#machine-name">Donne un nom à la machine.' in page
    assert 'id="machine-address-error"' in page
    assert 'value="http://8.8.8.8:5000"' in page
    assert CANARY not in page


def test_a_machine_is_added_and_retired(desk: tuple[Cast, Client, str]) -> None:
    cast, staff, _address = desk
    answer = staff.post(
        "/machines/nouvelle/", form(cast, name="Neuve", driver="handover", address="", key="")
    )
    added = Machine.objects.get(name="Neuve")
    assert answer["Location"] == f"/machines/{added.pk}/"
    staff.post(f"/machines/{added.pk}/faire/retire/", {})
    added.refresh_from_db()
    assert added.retired_at is not None
    assert staff.get(f"/machines/{added.pk}/").status_code == 404
    assert "Neuve" not in text_of(staff.get("/machines/")).replace("Neuve est retirée.", "")


# --- a real OctoPrint ---------------------------------------------------------------------------------------------


@pytest.mark.octoprint
def test_a_real_octoprint_is_reached_with_the_right_key_and_refuses_another(
    desk: tuple[Cast, Client, str], octoprint: OctoPrint, settings: Settings
) -> None:
    cast, staff, address = desk
    settings.MACHINE_NETWORKS = [f"127.0.0.1:{octoprint.port}"]
    right = form(cast, address=octoprint.url, key=octoprint.operator_key)
    page = text_of(staff.post(f"{address}essai/", right))
    assert "La connexion marche." in page
    assert octoprint.version in page
    assert octoprint.operator_key not in page
    assert "OctoPrint refuse cette clé." in text_of(staff.post(f"{address}essai/", {**right, "key": CANARY}))
    missing = text_of(staff.post(f"{address}essai/", {**right, "key": octoprint.viewer_key}))
    assert "La clé marche, mais il manque des droits" in missing
    # Saved, then tried again with the field left empty: the key that is kept is the one that is tried.
    staff.post(address, right)
    assert "La connexion marche." in text_of(staff.post(f"{address}essai/", {**right, "key": ""}))
    moved = text_of(staff.post(f"{address}essai/", {**right, "key": "", "address": "http://8.8.8.8:5000"}))
    assert "Cette adresse est hors des réseaux autorisés" in moved


@pytest.fixture(scope="module")
def asked() -> Iterator[OctoPrint]:
    """A server of this file's own: asking for keys is limited for each address."""
    with running() as (servers, _):
        yield servers[0]


@pytest.mark.octoprint
def test_a_key_is_asked_for_agreed_to_in_octoprint_and_kept(
    desk: tuple[Cast, Client, str], asked: OctoPrint, settings: Settings
) -> None:
    cast, staff, address = desk
    settings.MACHINE_NETWORKS = [f"127.0.0.1:{asked.port}"]
    staff.post(address, form(cast, address=asked.url, key=""))
    page = f"/machines/{cast.machine.pk}/cle/"
    assert staff.post(f"{page}demander/", {})["Location"] == page
    assert f'href="{asked.url}/plugin/appkeys/auth/' in text_of(staff.get(page))
    waits = staff.post(f"{page}reponse/", {}, headers={"accept": "application/json"}).json()
    assert (waits["state"], waits["sentence"]) == ("waiting", "On attend ton oui dans OctoPrint.")
    (dialog,) = asked.ask("/api/plugin/appkeys", key=asked.operator_key)["pending"]
    asked.ask(f"/plugin/appkeys/decision/{dialog}", {"decision": True}, key=asked.operator_key)
    granted = staff.post(f"{page}reponse/", {}, headers={"accept": "application/json"}).json()
    assert (granted["state"], granted["url"]) == ("granted", address)
    key = unseal(Machine.objects.get(pk=cast.machine.pk).sealed_key)
    after = text_of(staff.get(address))
    assert key
    assert key not in after
    assert "Une clé est gardée." in after
    tried = text_of(staff.post(f"{address}essai/", form(cast, address=asked.url, key="")))
    assert "La connexion marche." in tried


# --- machines that are reached in other ways ------------------------------------------------------------------------


@pytest.fixture
def lab_folder(tmp_path: Path, settings: Settings) -> Path:
    watched = tmp_path / "machines" / "colette"
    watched.mkdir(parents=True)
    settings.MACHINE_FOLDERS = [str(watched.parent)]
    return watched


def test_a_machine_that_reads_a_folder_is_tried_added_and_changed_and_never_keeps_a_key(
    desk: tuple[Cast, Client, str], lab_folder: Path
) -> None:
    cast, staff, _address = desk
    given = form(cast, name="Colette", driver="folder", address=str(lab_folder))
    assert "La connexion marche." in text_of(staff.post("/machines/nouvelle/essai/", given))
    staff.post("/machines/nouvelle/", given)
    added = Machine.objects.get(name="Colette")
    assert (added.driver, added.address, added.sealed_key) == ("folder", str(lab_folder), "")
    page = text_of(staff.get(f"/machines/{added.pk}/"))
    assert "Dossier que la machine lit" in page
    lab_folder.rmdir()
    tried = text_of(staff.post(f"/machines/{added.pk}/connexion/essai/", given))
    assert "Ce dossier n’est pas là. Le partage est-il monté ?" in tried


def test_a_folder_elsewhere_is_refused_with_the_folders_that_are_allowed(
    desk: tuple[Cast, Client, str], lab_folder: Path
) -> None:
    cast, staff, address = desk
    for outside in ("/etc", f"{lab_folder}2/../../etc", str(lab_folder.parent.parent)):
        given = form(cast, driver="folder", address=outside)
        for answer in (staff.post(f"{address}essai/", given), staff.post(address, given)):
            page = text_of(answer)
            assert (
                f"Ce dossier est hors des dossiers autorisés : {lab_folder.parent}." in page
                or f"Écris l’adresse ainsi : {lab_folder.parent}/brodeuse" in page
            )
    assert Machine.objects.get(pk=cast.machine.pk).driver == "octoprint"


def test_a_cutters_port_is_tried_by_connecting_and_nothing_is_cut(
    desk: tuple[Cast, Client, str], settings: Settings
) -> None:
    cast, staff, address = desk
    with Cutter() as cutter:
        settings.MACHINE_NETWORKS = [f"127.0.0.1:{cutter.port}"]
        given = form(cast, driver="rawtcp", address=cutter.address)
        assert "La connexion marche." in text_of(staff.post(f"{address}essai/", given))
        assert cutter.received == b""
    off = text_of(staff.post(f"{address}essai/", given))
    assert "Un ordinateur est là, mais rien n’y répond. Vérifie le port." in off
    web = text_of(staff.post(f"{address}essai/", form(cast, driver="rawtcp", address="http://10.1.2.3")))
    assert f"Écris l’adresse ainsi : tcp://127.0.0.1:{cutter.port}" in web


def test_a_refused_address_is_told_with_the_networks_that_are_allowed_and_an_example_that_would_do(
    desk: tuple[Cast, Client, str], settings: Settings
) -> None:
    cast, staff, address = desk
    settings.MACHINE_NETWORKS = ["10.20.0.0/16:5000-5100", "127.0.0.1:5001"]
    said = text_of(staff.post(f"{address}essai/", form(cast, address="http://192.168.1.20:5000")))
    assert "Cette adresse est hors des réseaux autorisés : 10.20.0.0/16:5000-5100, 127.0.0.1:5001." in said
    assert "http://10.20.0.20:5000" in text_of(staff.get(address))
    said = text_of(staff.post(f"{address}essai/", form(cast, address="imprimante")))
    assert "Écris l’adresse ainsi : http://10.20.0.20:5000" in said


def test_a_simulated_machine_says_so_in_its_name_and_stops_saying_so_when_it_is_real(
    desk: tuple[Cast, Client, str],
) -> None:
    cast, staff, _address = desk
    given = form(cast, name="Bac à sable", driver="simulated", address="simulated://quick", key="")
    assert "La connexion marche." in text_of(staff.post("/machines/nouvelle/essai/", given))
    staff.post("/machines/nouvelle/", given)
    added = Machine.objects.get(driver="simulated")
    assert added.name == "Bac à sable (simulation)"
    place = f"/machines/{added.pk}/connexion/"
    staff.post(place, {**given, "name": added.name})
    added.refresh_from_db()
    assert added.name == "Bac à sable (simulation)"
    staff.post(place, form(cast, name=added.name, driver="handover", address=""))
    added.refresh_from_db()
    assert (added.name, added.address) == ("Bac à sable", "")


def test_a_connection_that_nobody_knows_is_refused_and_nothing_is_tried(
    desk: tuple[Cast, Client, str],
) -> None:
    cast, staff, address = desk
    assert "Cette machine n’a pas de connexion." in text_of(
        staff.post(f"{address}essai/", form(cast, driver="teleporter"))
    )
    refused = staff.post(address, form(cast, driver="teleporter"))
    assert refused.status_code == 400
    assert "Choisis une connexion de la liste." in text_of(refused)
