"""The desks in a real browser: keys, live tiles, a connection tried without losing its form; also without scripts."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings

from equipment.machines.models import Machine
from equipment.machines.services import put_out_of_order
from jobs.lifecycle.drafts import change_job
from jobs.lifecycle.models import Job, Order
from jobs.lifecycle.states import State, Verb
from jobs.uploads.models import Upload
from jobs.uploads.services import inspect_next
from tests.builders_jobs import Cast, make_job
from tests.fablab.dashboard.conftest import SignIn, scrolls_sideways
from tests.fablab.dashboard.scene import work
from tests.fixtures.browser import DESKTOP, PHONE
from tests.fixtures.services import wait_until
from tests.samples import printing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def waiting(cast: Cast) -> list[Job]:
    """Four objects that wait, the longest first."""
    now = timezone.now()
    jobs = [make_job(cast, state=State.SUBMITTED, at=now, title=f"Objet {n}") for n in range(1, 5)]
    for number, job in enumerate(jobs):
        Job.objects.filter(pk=job.pk).update(submitted_at=now - timedelta(minutes=40 - number))
    return jobs


def state_of(job: Job) -> str:
    return str(Job.objects.values_list("state", flat=True).get(pk=job.pk))


def title(page: Page) -> str:
    return page.locator("h1").inner_text()


def test_four_objects_are_decided_by_keys_alone(
    signed_in_page: SignIn, cast: Cast, waiting: list[Job]
) -> None:
    page = signed_in_page(cast.person("instructor"), size=DESKTOP)
    page.goto(f"/animateur/{waiting[0].pk}/")
    page.keyboard.press("a")
    expect(page.locator("h1")).to_have_text("Objet 2")
    assert state_of(waiting[0]) == State.QUEUED
    page.keyboard.press("u")
    expect(page.locator("h1")).to_have_text("Objet 1")
    assert state_of(waiting[0]) == State.SUBMITTED
    page.keyboard.press("s")
    expect(page.locator("h1")).to_have_text("Objet 2")
    page.keyboard.press("r")
    page.keyboard.press("3")
    expect(page.locator("h1")).to_have_text("Objet 3")
    assert Job.objects.get(pk=waiting[1].pk).reason == "not_solid"
    assert state_of(waiting[1]) == State.REJECTED
    page.keyboard.press("c")
    page.keyboard.press("1")
    expect(page.locator("h1")).to_have_text("Objet 4")
    assert state_of(waiting[2]) == State.NEEDS_CHANGES
    page.keyboard.press("a")
    expect(page.locator("h1")).to_have_text("À décider")
    assert state_of(waiting[3]) == State.QUEUED


def test_keys_do_nothing_while_somebody_types_and_can_be_switched_off(
    signed_in_page: SignIn, cast: Cast, waiting: list[Job]
) -> None:
    page = signed_in_page(cast.person("instructor"), size=DESKTOP)
    page.goto(f"/animateur/{waiting[0].pk}/")
    page.get_by_label("Avec tes mots").fill("")
    page.get_by_label("Avec tes mots").press_sequentially("a s r 1 u")
    assert title(page) == "Objet 1"
    page.get_by_role("button", name="Arrêter les touches").click()
    page.keyboard.press("s")
    page.reload()
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Utiliser les touches")).to_be_visible()
    assert title(page) == "Objet 1"
    assert {state_of(job) for job in waiting} == {State.SUBMITTED}


def test_without_scripts_an_object_is_approved_taken_back_and_refused(
    signed_in_page: SignIn, cast: Cast, waiting: list[Job]
) -> None:
    page = signed_in_page(cast.person("instructor"), size=PHONE, scripts=False)
    page.goto("/animateur/")
    page.get_by_role("link", name="Commencer").click()
    page.get_by_role("button", name="Valider").click()
    page.get_by_role("button", name="Revenir en arrière").click()
    assert title(page) == "Objet 1"
    page.get_by_label("Parlons-en : viens voir un animateur").check()
    page.get_by_role("button", name="Refuser").click()
    assert title(page) == "Objet 2"
    assert Job.objects.get(pk=waiting[0].pk).reason == "talk"


def test_a_file_sent_from_the_desk_is_checked_and_attached(
    signed_in_page: SignIn, cast: Cast, waiting: list[Job]
) -> None:
    Job.objects.filter(pk=waiting[0].pk).update(machine_file=None)
    page = signed_in_page(cast.person("instructor"), size=DESKTOP)
    page.goto(f"/animateur/{waiting[0].pk}/")
    expect(page.get_by_text("Il manque le fichier pour la machine.")).to_be_visible()
    content = printing.text()
    page.locator("input[type=file]").set_input_files(
        {"name": "objet.gcode", "mimeType": "text/plain", "buffer": content}
    )
    page.get_by_role("button", name="Envoyer le fichier").click()
    expect(page.get_by_text("On vérifie le fichier.").first).to_be_visible()
    assert Upload.objects.get(name="objet.gcode").size == len(content)
    inspect_next(timezone.now())
    page.get_by_role("button", name="Joindre ce fichier").click()
    expect(page.get_by_role("button", name="Valider")).to_be_visible()
    attached = Job.objects.get(pk=waiting[0].pk).machine_file
    assert attached is not None
    assert attached.name == "objet.gcode"


def test_a_change_by_somebody_else_is_told_and_nothing_is_swapped_under_the_eyes(
    signed_in_page: SignIn, cast: Cast, waiting: list[Job]
) -> None:
    page = signed_in_page(cast.person("instructor"), size=DESKTOP)
    page.goto(f"/animateur/{waiting[0].pk}/")
    shown = page.locator("input[name=seen_sha256]").input_value()
    expect(page.locator("[data-live-refresh]")).to_be_hidden()
    change_job(waiting[0].pk, actor=cast.person("owner"), at=timezone.now(), settings={"copies": 2})
    expect(page.get_by_text("Cet objet vient de changer.")).to_be_visible()
    assert page.locator("input[name=seen_sha256]").input_value() == shown


# --- machines -----------------------------------------------------------------------------------------------------


def test_plate_clear_and_start_is_one_tap_and_the_tile_says_what_was_asked(
    signed_in_page: SignIn, cast: Cast
) -> None:
    now = timezone.now()
    work(cast, cast.machine, State.LOADED, "Boîte", now)
    page = signed_in_page(cast.person("staff"), size=PHONE)
    page.goto("/machines/")
    tile = page.locator(f"#machine-{cast.machine.pk}")  # the work list above offers the same
    tile.get_by_role("button", name="Plateau vide, lancer").click()
    expect(tile).to_contain_text("Lancement demandé")
    expect(page.get_by_role("button", name="Plateau vide, lancer")).to_have_count(0)
    order = Order.objects.get()
    assert (order.verb, order.actor) == (Verb.START, cast.person("staff"))


def test_what_somebody_else_does_shows_on_the_board_by_itself(signed_in_page: SignIn, cast: Cast) -> None:
    page = signed_in_page(cast.person("staff"), size=DESKTOP)
    page.goto("/machines/")
    tile = page.locator(f"#machine-{cast.machine.pk}")
    expect(tile).to_contain_text("À vider")
    expect(page.locator("[data-live-refresh]")).to_be_hidden()  # the line is up
    put_out_of_order(
        cast.machine.pk, actor=cast.person("instructor"), reason="Buse bouchée", at=timezone.now()
    )
    expect(tile).to_contain_text("Buse bouchée")
    tile.get_by_role("button", name="Remettre en service").click()
    expect(page.locator(f"#machine-{cast.machine.pk}")).to_contain_text("À vider")


def test_stop_is_one_tap_and_says_to_press_the_machines_own_button(
    signed_in_page: SignIn, cast: Cast
) -> None:
    now = timezone.now()
    Machine.objects.filter(pk=cast.machine.pk).update(report="printing")
    job = work(cast, cast.machine, State.RUNNING, "Vase", now)
    page = signed_in_page(cast.person("staff"), size=PHONE)
    page.goto("/machines/")
    expect(page.get_by_text("Appuie aussi sur le bouton de la machine.").first).to_be_visible()
    expect(page.get_by_role("link", name="Dire ce qui s’est passé")).to_have_count(
        0
    )  # the machine vouches for it
    page.get_by_role("button", name="Arrêter – ").click()
    wait_until(lambda: state_of(job) == State.STOPPING, 10, "a stop was asked for")


def test_a_stuck_job_is_settled_in_three_taps_and_tried_again(signed_in_page: SignIn, cast: Cast) -> None:
    now = timezone.now()
    job = work(cast, cast.machine, State.RUNNING, "Vase", now)
    Machine.objects.filter(pk=cast.machine.pk).update(
        report="silent", report_error="timed_out", seen_at=now - timedelta(minutes=5)
    )
    page = signed_in_page(cast.person("staff"), size=PHONE)
    page.goto("/machines/")
    tile = page.locator(f"#machine-{cast.machine.pk}")  # the work list beside it says so, too
    expect(tile.get_by_text("Personne ne répond. La machine est-elle allumée ?")).to_be_visible()
    tile.get_by_role("link", name="Dire ce qui s’est passé").click()
    page.get_by_role("button", name="Ça s’est décollé.").click()
    expect(page.locator("h1")).to_have_text("Et maintenant ?")
    assert (state_of(job), Job.objects.get(pk=job.pk).reason) == (State.FAILED, "not_sticking")
    page.get_by_role("button", name="Relancer").click()
    expect(page.locator("h1")).to_have_text("Machines")
    assert state_of(job) == State.QUEUED


def test_a_connection_is_tried_and_the_typed_key_stays_where_it_was_typed(
    signed_in_page: SignIn, cast: Cast, settings: Settings
) -> None:
    page = signed_in_page(cast.person("staff"), size=DESKTOP)
    page.goto(f"/machines/{cast.machine.pk}/connexion/")
    page.get_by_label("Adresse").fill("http://8.8.8.8:5000")
    page.get_by_label("Clé", exact=True).fill("une-cle-d-essai")
    page.get_by_role("button", name="Tester la connexion").click()
    expect(page.get_by_text("Cette adresse est hors des réseaux autorisés")).to_be_visible()
    assert page.get_by_label("Clé", exact=True).input_value() == "une-cle-d-essai"
    assert page.get_by_label("Adresse").input_value() == "http://8.8.8.8:5000"


def test_only_what_the_chosen_connection_needs_is_asked_for(signed_in_page: SignIn, cast: Cast) -> None:
    page = signed_in_page(cast.person("staff"), size=PHONE)
    page.goto(f"/machines/{cast.machine.pk}/connexion/")
    address, key = page.get_by_label("Adresse"), page.get_by_label("Clé", exact=True)
    for kind, example, with_key in (
        ("octoprint", "http://192.168.1.20:5000", True),
        ("folder", "/machines/brodeuse", False),
        ("rawtcp", "tcp://192.168.1.20:9100", False),
        ("simulated", "simulated://quick", False),
    ):
        page.get_by_label("Connexion", exact=True).select_option(kind)
        expect(address).to_be_visible()
        expect(key).to_be_visible(visible=with_key)
        shown = page.locator("#machine-address-help > p:visible")
        expect(shown).to_have_count(1)
        expect(shown).to_contain_text(example)
        assert not scrolls_sideways(page)
    page.get_by_label("Connexion", exact=True).select_option("handover")
    expect(address).to_be_hidden()
    expect(key).to_be_hidden()
