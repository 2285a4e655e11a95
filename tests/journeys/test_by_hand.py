"""Machines without a link, as people see them: embroidery and a cut, from a phone's file to the shelf, watched live.

The real server process, real files, no printer: whoever stands at the machine is its link.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fixtures.browser import DESKTOP, PHONE, OpenPage, TakePicture, pages_of
from tests.journeys.lab import PASSWORD, Lab, open_lab
from tests.samples import cutting, sewing

pytestmark = pytest.mark.browser

READY_MS = 60_000  # until a file is looked at, and prepared
UNDO_MS = 20_000  # an approval may be undone for ten seconds: only then the object is offered at the machine
LIVE_MS = 5_000  # another page shows a step within this time (UX-2)


@dataclass(frozen=True)
class Work:
    """One object made by hand: its file, its machine, and what is chosen and read on its way."""

    file: str
    content: bytes
    machine: str
    empty: str  # what its plate is called
    chosen: dict[str, str]
    told: tuple[str, ...]  # read at the machine
    finishes: str = "C’est terminé"


EMBROIDERY = Work(
    file="Renard.dst",
    content=sewing.dst(
        sewing.bands(40, 30, 2), label="Renard", threads=(("#b01030", "Rouge", "1"), ("#20509a", "Bleu", "2"))
    ),
    machine="Colette",
    empty="Cadre vide",
    chosen={"Sur quoi ?": "Casquette", "Qui l’apporte ?": "Je l’apporte", "À quel endroit ?": "Au milieu"},
    told=(
        "Casquette · apporté",
        "Au milieu",
        "Cadre 180 × 130",
        "Fils, dans l’ordre",
        "Essai sur chute fait.",
    ),
)
CUT = Work(
    file="Étoile.svg",
    content=cutting.svg(cutting.outline(cutting.star(50, 40, 25))),
    machine="Django",
    empty="Tapis vide",
    chosen={"Sur quoi ?": "Transfert pour textile"},
    told=("Transfert pour textile", "Oui, déjà dans le fichier", "Tapis 30 cm", "(HPGL)"),
)
# As a print's: the machine's part is the person's who stands there.
STEPS = (
    ("Récupéré", "Léa"),
    ("Posé sur l’étagère", "le fab lab"),
    ("Terminé", "Karim"),
    ("Lancé", "Karim"),
    ("Fichier sur la machine", "Karim"),
    ("Machine choisie", "Karim"),
    ("Validé", "Inès"),
    ("Envoyé à un animateur", "Léa"),
    ("Objet modifié", "Léa"),
    ("Objet créé", "Léa"),
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with open_lab(tmp_path_factory.mktemp("by-hand"), []) as found:
        yield found


def sign_in(open_page: OpenPage, username: str, **options: object) -> Page:
    page = open_page(**options)
    page.goto("/connexion/")
    page.get_by_label(re.compile("^(Nom|Identifiant|اسم)")).first.fill(username)
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("main form button[type=submit]").click()
    expect(page).not_to_have_url(re.compile("/connexion/"))
    return page


@pytest.mark.parametrize("work", [EMBROIDERY, CUT], ids=["embroidery", "cutter"])
def test_an_object_made_by_hand_goes_from_upload_to_collected_live_with_the_history_of_a_print(
    browser: Browser, lab: Lab, picture: TakePicture, tmp_path: Path, work: Work
) -> None:
    path = tmp_path / work.file
    path.write_bytes(work.content)
    name = work.machine.lower()
    with pages_of(browser, lab.url) as open_page:
        phone = sign_in(open_page, "lea", size=PHONE)
        desk = sign_in(open_page, "ines", size=DESKTOP)
        floor = sign_in(open_page, "karim", size=PHONE)
        board = sign_in(open_page, "karim", size=DESKTOP)

        # Léa hands in and says what it is to be made on.
        phone.goto("/objets/nouveau/")
        phone.locator("input[type=file]").set_input_files(path)
        phone.get_by_role("button", name="Vérifier mon fichier").tap()
        submit = phone.get_by_role("button", name=re.compile("^Envoyer – "))
        expect(submit).to_be_visible(timeout=READY_MS)
        job_id = phone.url.rstrip("/").rpartition("/")[2]
        phone.locator("#settings summary").tap()
        for label, choice in work.chosen.items():
            phone.get_by_label(label).select_option(label=choice)
        picture(phone, f"by-hand-{name}-settings-fr", whole=False)
        phone.get_by_role("button", name="Garder ces réglages").tap()
        expect(phone.get_by_text("C’est noté.")).to_be_visible()
        expect(submit).to_be_visible(timeout=READY_MS)
        submit.tap()
        word = phone.locator("#object .band .word")
        expect(word).to_have_text("Fichier reçu – un animateur va le regarder")

        # Inès sees what it is for and approves exactly that.
        desk.goto(f"/animateur/{job_id}/")
        for choice in work.chosen.values():
            expect(desk.locator("dl.facts").first).to_contain_text(
                choice if choice != "Je l’apporte" else "apporté"
            )
        picture(desk, f"by-hand-{name}-desk-fr")
        desk.get_by_role("button", name="Valider").click()
        expect(word).to_have_text(re.compile("^En attente"), timeout=LIVE_MS)

        # Karim takes it at the machine; everybody sees each step without a reload.
        board.goto("/machines/")
        tile = board.locator(".staff-tile").filter(
            has=board.get_by_role("link", name=work.machine, exact=True)
        )
        tile.get_by_role("link", name=re.compile("^À la machine")).click()
        address = board.url
        board.goto("/machines/")
        floor.goto(address)
        take = floor.get_by_role("button", name=re.compile("^Prendre"))
        expect(take).to_be_visible(timeout=UNDO_MS)
        take.tap()
        expect(word).to_have_text("Prêt sur la machine", timeout=LIVE_MS)
        for said in work.told:
            expect(floor.locator("#work")).to_contain_text(said)
        picture(floor, f"by-hand-{name}-taken-fr")
        with floor.expect_download() as download:
            floor.get_by_role("link", name=re.compile("^Fichier pour la machine")).tap()
        assert Path(download.value.path()).stat().st_size > 0

        floor.get_by_role("button", name=re.compile("c’est lancé$", re.IGNORECASE)).tap()
        expect(word).to_have_text("Ça travaille", timeout=LIVE_MS)
        expect(tile.locator(".band .word")).to_have_text("Occupée", timeout=LIVE_MS)
        expect(phone.locator("#object")).to_contain_text("environ")
        picture(phone, f"by-hand-{name}-working-fr", whole=False)
        picture(floor, f"by-hand-{name}-running-fr")
        floor.get_by_role("button", name=work.finishes).tap()
        expect(word).to_have_text("Terminé – viens le chercher", timeout=LIVE_MS)
        expect(tile.locator(".band .word")).to_have_text("À vider", timeout=LIVE_MS)
        expect(tile).to_contain_text("Léa")

        # Emptied, it has a place on the shelf, and who empties reads which.
        floor.get_by_role("button", name=re.compile(f"^{work.empty}")).tap()
        expect(floor.get_by_text(re.compile("^.*Pose n° .*Léa.* sur A[0-9]"))).to_be_visible()
        expect(phone.locator("#shelf")).to_be_visible(timeout=LIVE_MS)
        expect(tile.locator(".band .word")).to_have_text("Libre", timeout=LIVE_MS)
        phone.get_by_role("button", name=re.compile("^Récupéré")).tap()
        expect(word).to_have_text("Récupéré")

        phone.goto(f"/objets/{job_id}/")
        expect(phone.locator("#history .history .strong")).to_have_text([step for step, _ in STEPS])
        board.goto(f"/objets/{job_id}/")
        lines = board.locator("#history .history li")
        expect(lines.locator(".soft")).to_have_text([re.compile(f"· {who}$") for _, who in STEPS])

        arabic = sign_in(open_page, "karim", size=PHONE)
        arabic.locator("details.menu summary").tap()
        arabic.locator("details.menu button[lang=ar]").tap()
        expect(arabic.locator("html")).to_have_attribute("dir", "rtl")
        arabic.goto(address)
        expect(arabic.locator("#state .band .word")).to_be_visible()
        picture(arabic, f"by-hand-{name}-ar")
