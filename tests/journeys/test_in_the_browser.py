"""The main job as people see it: a phone, a desk and a board, on the real server process and a real OctoPrint."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fakes.faulty_proxy import Fault, FaultyProxy
from tests.fixtures.browser import DESKTOP, PHONE, TakePicture, pages_of
from tests.fixtures.octoprint import running, starts_in_log
from tests.journeys.floor import our_files
from tests.journeys.lab import PASSWORD, Api, Lab, open_lab
from tests.journeys.shapes import square_lasting, vase
from tests.journeys.steps import approved, hand_in, press_start, wait_state

pytestmark = [pytest.mark.browser, pytest.mark.octoprint]

MADE_MS = 120_000  # until the vase is printed
SENT_MS = 40_000  # until an approved object is on the machine: 10 s to change one's mind, and the sending


def sign_in(page: Page, username: str) -> None:
    page.goto("/connexion/")
    page.get_by_label(re.compile("^(Nom|Identifiant|اسم)")).first.fill(username)
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("main form button[type=submit]").click()
    expect(page).not_to_have_url(re.compile("/connexion/"))


def keep_words(page: Page) -> None:
    """Note on the page itself every sentence its state says from now on; a reload would forget them."""
    page.evaluate(
        """() => {
            const said = window.said = [];
            const note = () => {
                const word = document.querySelector("#object .band .word");
                if (word && said[said.length - 1] !== word.textContent) said.push(word.textContent);
            };
            note();
            new MutationObserver(note).observe(document.body, {subtree: true, childList: true, characterData: true});
        }"""
    )


def percent_on(page: Page) -> float:
    text = page.locator("#object .band .aside").inner_text()
    return float(re.sub(r"[^0-9]", "", text))


def another_object_runs(lab: Lab, sami: Api) -> dict[str, Any]:
    """Have Sami's objects about: one that Blaise prints, one that waits for Blaise."""
    machines = sami.get(f"/api/v1/machines/?site={lab.site_id(sami)}")["results"]
    blaise = next(machine["id"] for machine in machines if machine["name"] == "Blaise")
    jobs = []
    for name, seconds in (("Engrenage.gcode", 300), ("Support de téléphone.gcode", 301)):
        job = hand_in(lab, sami, name, square_lasting(seconds, f"; {name}"), machine=blaise)
        assert sami.post(f"/api/v1/jobs/{job['id']}/submit/").status == 200
        approved(lab, job["id"])
        jobs.append(job)
    return jobs[0]


def test_a_member_an_instructor_and_staff_make_an_object_and_watch_it_live(
    browser: Browser, picture: TakePicture, tmp_path: Path
) -> None:
    model = tmp_path / "Vase.stl"
    model.write_bytes(vase())
    with (
        running(2, ambient=60) as (printers, _),
        FaultyProxy(printers[0].port) as proxy,
        open_lab(tmp_path, printers, addresses=[proxy.url, printers[1].url]) as lab,
        pages_of(browser, lab.url) as open_page,
    ):
        for printer in printers:
            printer.gcode("M140 S60", "M104 S205")  # warm before anybody waits for it
        # The workshop's network is slow, so that "sending" is long enough for a person to read.
        proxy.fault("POST /api/files/local HTTP", Fault.DELAY, times=None, seconds=3)
        sami = lab.api("sami")
        other = another_object_runs(lab, sami)
        phone, desk, board = open_page(PHONE), open_page(DESKTOP), open_page(DESKTOP)

        # Léa books.
        sign_in(phone, "lea")
        phone.get_by_role("navigation").get_by_role("link", name="Réserver").tap()
        phone.get_by_role("link", name="Imprimante 3D").tap()
        phone.get_by_role("radio").nth(2).check()
        picture(phone, "journey-book-fr-phone", whole=False)
        phone.get_by_role("button", name="Confirmer").tap()
        expect(phone.locator("#code")).to_be_visible()

        # Her model is checked and sliced while she looks, then she hands it in.
        phone.goto("/objets/nouveau/")
        phone.locator("input[type=file]").set_input_files(model)
        phone.get_by_role("button", name="Vérifier mon fichier").tap()
        word = phone.locator("#object .band .word")
        submit = phone.get_by_role("button", name=re.compile("^Envoyer – "))
        expect(submit).to_be_visible(timeout=60_000)
        expect(word).to_have_text("Prêt à envoyer")
        picture(phone, "journey-object-draft-fr-phone", whole=False)
        job_id = phone.url.rstrip("/").rpartition("/")[2]
        submit.tap()
        expect(word).to_have_text("Fichier reçu – un animateur va le regarder")
        keep_words(phone)

        # Inès looks and approves; ten seconds remain to change her mind.
        wait_state(sami, other["id"], "loaded", seconds=60)
        press_start(lab, other["id"])
        sign_in(desk, "ines")
        desk.goto("/animateur/")
        desk.get_by_role("link", name=re.compile("vase", re.IGNORECASE)).click()
        expect(desk.get_by_role("button", name="Valider")).to_be_visible()
        picture(desk, "journey-decide-fr-desktop")
        desk.get_by_role("button", name="Valider").click()

        # On another phone she reads Arabic.
        arabic = open_page(PHONE, "fr")
        sign_in(arabic, "lea")
        arabic.locator("details.menu summary").tap()
        arabic.locator("details.menu button[lang=ar]").tap()
        expect(arabic.locator("html")).to_have_attribute("dir", "rtl")

        # The object goes to the machine, and Karim, who stands there, starts it.
        sign_in(board, "karim")
        board.goto("/machines/")
        expect(word).to_have_text("Ça démarre", timeout=SENT_MS)
        ada = board.locator(".staff-tile").filter(has=board.get_by_role("link", name="Ada", exact=True))
        start = ada.get_by_role("button", name="Plateau vide, lancer")
        expect(start).to_be_visible(timeout=SENT_MS)
        ours = our_files(printers[0])
        start.click()

        # Léa's phone follows without a reload.
        expect(word).to_have_text("Ça imprime", timeout=20_000)
        aside = phone.locator("#object .band .aside")
        expect(aside).to_have_text(re.compile("[1-9]"), timeout=30_000)
        first = percent_on(phone)
        expect(aside).not_to_have_text(aside.inner_text(), timeout=30_000)
        second = percent_on(phone)
        assert 0 < first < second <= 100, (first, second)
        expect(aside).to_have_text(re.compile("[3-9][0-9]"), timeout=MADE_MS)
        picture(phone, "journey-object-running-fr-phone", whole=False)
        board.goto("/machines/")
        expect(ada.get_by_role("progressbar")).to_be_visible()
        picture(board, "journey-board-fr-desktop")
        arabic.goto(f"/objets/{job_id}/")
        expect(arabic.locator("html")).to_have_attribute("dir", "rtl")
        picture(arabic, "journey-object-running-ar-phone", whole=False)
        expect(word).to_have_text(re.compile("^Terminé – viens le chercher"), timeout=MADE_MS)

        # Cleared, it names the shelf.
        ada.get_by_role("button", name=re.compile("^Plateau vide – ")).click()
        expect(phone.locator("#shelf")).to_be_visible()
        expect(phone.locator("#shelf")).to_contain_text("A1")
        picture(phone, "journey-object-ready-fr-phone", whole=False)
        said = phone.evaluate("() => window.said")
        assert [sentence for sentence in WAY if sentence in said] == list(WAY), said
        assert [said.index(sentence) for sentence in WAY] == sorted(map(said.index, WAY)), said

        _history_names_every_step(phone, board, job_id)
        starts = [start.path for start in starts_in_log(printers[0])]
        assert starts == ours, "exactly one start of exactly our file"


WAY = ("Fichier reçu – un animateur va le regarder", "Ça démarre", "Ça imprime")
STEPS = (  # newest first, as pages show them
    ("Posé sur l’étagère", "le fab lab"),
    ("Terminé", "la machine"),
    ("Lancé", "la machine"),
    ("Fichier sur la machine", "le fab lab"),
    ("Machine choisie", "le fab lab"),
    ("Validé", "Inès"),
    ("Envoyé à un animateur", "Léa"),
    ("Objet créé", "Léa"),
)


def _history_names_every_step(phone: Page, board: Page, job_id: str) -> None:
    """Léa reads what happened; those who help read also who did it."""
    expect(phone.locator("#history .history .strong")).to_have_text([step for step, _ in STEPS])
    board.goto(f"/objets/{job_id}/")
    lines = board.locator("#history .history li")
    expect(lines.locator(".strong")).to_have_text([step for step, _ in STEPS])
    expect(lines.locator(".soft")).to_have_text([re.compile(f"· {who}$") for _, who in STEPS])
