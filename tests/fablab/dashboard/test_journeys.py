"""J3 as people do it: on a phone with counted taps, by keyboard alone, without scripts; and how pages look."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from equipment.machines.models import Machine
from jobs.lifecycle.models import Job
from jobs.lifecycle.states import State
from jobs.management.workers import inspect
from tests.builders import make_booking, make_kind, make_machine
from tests.builders_jobs import Cast, make_linked_machine
from tests.fablab.dashboard.conftest import SignIn, axe_violations, scrolls_sideways
from tests.fablab.dashboard.test_show_states import in_state
from tests.fixtures.browser import DESKTOP, PHONE, TakePicture
from tests.samples import shapes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
J3_TAPS = 4
KEYS = 80  # more than any page has stops


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "etoile.stl"
    path.write_bytes(shapes.binary_stl(shapes.box(20, 20, 20)))
    return path


class Thumb:
    """Taps, and counts them."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.taps = 0

    def tap(self, what: Locator) -> None:
        self.taps += 1
        what.tap()


def tab_to(page: Page, what: Locator) -> None:
    """Walk with the Tab key until ``what`` has the focus."""
    wanted = what.element_handle()
    for _ in range(KEYS):
        page.keyboard.press("Tab")
        if wanted is not None and wanted.evaluate("one => one === document.activeElement"):
            return
    pytest.fail("the Tab key does not reach it")


def test_a_lost_slot_is_said_with_the_focus_on_it_and_another_is_one_tap_away(
    signed_in_page: SignIn, cast: Cast, picture: TakePicture
) -> None:
    page = signed_in_page(cast.person("owner"))
    page.goto(f"/reserver/{cast.kind.slug}/?minutes=60")
    machine_id, start, _end = page.get_by_role("radio").nth(2).get_attribute("value").split("|")  # type: ignore[union-attr]  # every slot has one
    page.get_by_role("radio").nth(2).check()
    make_booking(
        Machine.objects.get(pk=machine_id), cast.person("other_member"), start=datetime.fromisoformat(start)
    )
    page.get_by_role("button", name="Confirmer").tap()
    alert = page.get_by_role("alert").filter(has_text="Quelqu’un vient de prendre ce créneau.")
    expect(alert).to_be_focused()
    picture(page, "lost-slot-fr-phone")
    expect(page.locator("#near").get_by_role("radio")).to_have_count(3)
    page.get_by_role("button", name="Confirmer").tap()
    expect(page.locator("#code")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_model_is_sent_in_four_taps(
    signed_in_page: SignIn, cast: Cast, model: Path, scripts: bool, picture: TakePicture
) -> None:
    thumb = Thumb(signed_in_page(cast.person("owner"), scripts=scripts))
    page = thumb.page
    page.goto("/")
    thumb.tap(page.get_by_role("link", name="Imprimer un objet"))
    thumb.taps += 1  # the file field, which opens the system's picker
    page.get_by_label("Ton fichier").set_input_files(model)
    thumb.tap(page.get_by_role("button", name="Vérifier mon fichier"))
    expect(page.get_by_text("On vérifie le fichier").first).to_be_visible()
    finish_checking()
    if not scripts:
        page.get_by_role("link", name="Mettre à jour").click()
    expect(page.get_by_text("2 × 2 × 2").first).to_be_visible()
    send = page.get_by_role("button", name="Envoyer", exact=False).first
    expect(send).to_be_visible()
    picture(page, f"checked-fr-phone-{'live' if scripts else 'plain'}")
    thumb.tap(send)
    expect(page.get_by_text("Fichier reçu – un animateur va le regarder").first).to_be_visible()
    assert Job.objects.get().state == State.SUBMITTED
    assert thumb.taps <= J3_TAPS


def finish_checking() -> None:
    """Do what the installation's worker does; no slicer is needed to hand an object to an instructor."""
    assert inspect(timezone.now())
    job = Job.objects.get()
    if job.preparation is not None:
        type(job.preparation).objects.filter(pk=job.preparation.pk).update(state="needs_slicing")


def test_a_model_is_sent_by_keyboard_alone(signed_in_page: SignIn, cast: Cast, model: Path) -> None:
    page = signed_in_page(cast.person("owner"), size=DESKTOP)
    page.goto("/objets/nouveau/")
    tab_to(page, page.get_by_label("Ton fichier"))
    page.get_by_label("Ton fichier").set_input_files(model)
    tab_to(page, page.get_by_role("button", name="Vérifier mon fichier"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("On vérifie le fichier").first).to_be_visible()
    finish_checking()
    page.reload()
    tab_to(page, page.get_by_role("button", name="Envoyer").first)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Fichier reçu – un animateur va le regarder").first).to_be_visible()


def test_a_file_that_cannot_be_used_says_so_and_the_person_is_told_without_reloading(
    signed_in_page: SignIn, cast: Cast, tmp_path: Path, picture: TakePicture
) -> None:
    disguised = tmp_path / "cube.stl"
    disguised.write_bytes(b"<!doctype html><html><body>hello</body></html>")
    page = signed_in_page(cast.person("owner"))
    page.goto("/objets/nouveau/")
    page.get_by_label("Ton fichier").set_input_files(disguised)
    page.get_by_role("button", name="Vérifier mon fichier").tap()
    expect(page.get_by_text("On vérifie le fichier").first).to_be_visible()
    assert inspect(timezone.now())
    expect(page.get_by_text("Ce n’est pas un vrai fichier .stl.")).to_be_visible()
    expect(page.get_by_text("À corriger – voici pourquoi").first).to_be_visible()
    picture(page, "disguised-fr-phone")


SIZES = {"phone": PHONE, "desktop": DESKTOP}


@pytest.mark.parametrize("language", ["fr", "ar"])
@pytest.mark.parametrize("size", list(SIZES))
def test_axe_finds_nothing_on_any_page_and_nothing_scrolls_sideways(
    signed_in_page: SignIn, cast: Cast, picture: TakePicture, language: str, size: str
) -> None:
    addresses = furnish(cast)
    page = signed_in_page(cast.person("owner"), size=SIZES[size], language=language)
    found: list[Any] = []
    for name, address in addresses.items():
        page.goto(address)
        picture(page, f"member-{name}-{language}-{size}")
        found += [(name, violation) for violation in axe_violations(page)]
        found += [(name, "scrolls sideways")] if scrolls_sideways(page) else []
    page.context.clear_cookies()
    for name, address in {"welcome": "/", "sign-in": "/connexion/"}.items():
        page.goto(address)
        picture(page, f"member-{name}-{language}-{size}")
        found += [(name, violation) for violation in axe_violations(page)]
    assert found == []


def furnish(cast: Cast) -> dict[str, str]:
    """Fill the lab; return every member's page by name."""
    names = {"fr": "Imprimante 3D", "en": "3D printer", "ar": "طابعة ثلاثية الأبعاد"}
    type(cast.kind).objects.filter(pk=cast.kind.pk).update(names=names)
    Machine.objects.filter(pk=cast.machine.pk).update(name="Ada")
    hoop = {"fr": "Brodeuse", "en": "Embroidery machine", "ar": "آلة تطريز"}
    make_machine(cast.site, "Colette", kind=make_kind("brodeuse", icon="hoop", names=hoop))
    blaise = make_linked_machine(cast.site, cast.model, at=timezone.now(), name="Blaise", plate="clear")
    start = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=3)
    booking = make_booking(blaise, cast.person("owner"), start=start)
    kind = f"/reserver/{cast.kind.slug}/"
    pages = {
        "home": "/",
        "objects": "/objets/",
        "new": "/objets/nouveau/",
        "book": "/reserver/",
        "kind": kind,
        "day": f"{kind}?jour={(start + timedelta(days=1)).date()}",
        "bookings": "/reservations/",
        "booking": f"/reservations/{booking.pk}/",
        "help": "/aide/",
        "privacy": "/donnees/",
        "account": "/compte/",
    }
    shown = (
        State.RUNNING,
        State.DRAFT,
        State.QUEUED,
        State.READY,
        State.NEEDS_CHANGES,
        State.FAILED,
        State.REJECTED,
    )
    return pages | {f"object-{state}": f"/objets/{in_state(cast, state).pk}/" for state in shown}
