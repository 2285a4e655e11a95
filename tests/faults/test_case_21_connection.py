"""The live line drops and returns, or never comes (case 21, REL-11): pages read again and say things once."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from jobs.lifecycle import services as lifecycle
from jobs.lifecycle.models import AttemptJob, Job
from jobs.lifecycle.states import Source, State
from jobs.lifecycle.table import Action
from tests.builders_jobs import Cast, make_job
from tests.fakes.faulty_proxy import Fault, FaultyProxy
from tests.faults.conftest import PageFor
from tests.fixtures.browser import DESKTOP, pages_of
from tests.journeys.lab import PASSWORD, Lab, open_lab

pytestmark = pytest.mark.browser

AWAY_MS = 40_000  # polls come every 10 s, and a lost line is tried again ever more seldom
SLOW = "Mise à jour ralentie"
COUNT_WORDS = """() => {
  window.heard = [];
  document.querySelectorAll('[aria-live], [role=status], [role=alert]').forEach(region =>
    new MutationObserver(() => region.textContent.trim() && window.heard.push(region.textContent.trim()))
      .observe(region, {childList: true, characterData: true, subtree: true}));
}"""


@pytest.fixture
def running(cast: Cast) -> Iterator[Job]:
    job = make_job(cast, state=State.RUNNING, at=timezone.now(), title="Vase")
    type(cast.machine).objects.filter(pk=cast.machine.pk).update(report="printing")
    yield job


def report(job: Job, action: Action, reason: str = "") -> None:
    """What supervision says of the job's attempt."""
    attempt = AttemptJob.objects.get(job=job).attempt_id
    assert lifecycle.step_attempt(attempt, action, source=Source.MACHINE, at=timezone.now(), reason=reason)


def state_on(page: Page) -> str:
    return page.locator("main").inner_text()


def test_case_21_a_page_whose_network_was_gone_shows_what_happened_meanwhile_and_says_it_once(
    page_for: PageFor, bad_line: FaultyProxy, cast: Cast, running: Job
) -> None:
    page = page_for(cast.person("owner"))
    page.goto(f"/objets/{running.pk}/")
    expect(page.locator("[data-live-refresh]")).to_be_hidden()  # the line is up
    page.evaluate(COUNT_WORDS)
    bad_line.fault(" ", Fault.DROP_REQUEST, times=None)
    bad_line.cut_all()
    expect(page.get_by_text(SLOW)).to_be_visible(timeout=AWAY_MS)

    report(running, Action.FINISH)
    bad_line.heal()

    expect(
        page.get_by_text("À vider", exact=False).or_(page.get_by_text("À prendre", exact=False)).first
    ).to_be_visible(timeout=AWAY_MS)
    expect(page.get_by_text(SLOW)).to_be_hidden(timeout=AWAY_MS)
    heard = page.evaluate("window.heard")
    about = [line for line in heard if "Vase" in line]
    assert len(about) == len(set(about)) <= 1, heard


def test_rel_11_with_sockets_blocked_a_print_is_followed_to_its_end(
    page_for: PageFor, cast: Cast, running: Job
) -> None:
    page = page_for(cast.person("owner"))
    page.route_web_socket("**/ws/**", lambda line: line.close())
    page.goto(f"/objets/{running.pk}/")
    expect(page.get_by_text(SLOW)).to_be_visible(timeout=AWAY_MS)
    seen = state_on(page)

    for action in (Action.PAUSE, Action.RESUME, Action.FINISH):
        report(running, action)
        page.wait_for_function(
            "before => document.querySelector('main').innerText !== before", arg=seen, timeout=AWAY_MS
        )
        seen = state_on(page)

    running.refresh_from_db()
    assert running.state == State.FINISHED
    page.reload()
    assert state_on(page)


@pytest.fixture
def lab_alone(tmp_path: Path) -> Iterator[Lab]:
    with open_lab(tmp_path, []) as lab:
        yield lab


@pytest.mark.killed
def test_case_21_a_page_whose_server_was_killed_comes_back_by_itself(
    browser: Browser, lab_alone: Lab
) -> None:
    with pages_of(browser, lab_alone.url) as open_one:
        page = open_one(DESKTOP)
        page.goto("/connexion/")
        page.get_by_label(re.compile("^(Nom|Identifiant)")).first.fill("karim")
        page.get_by_label("Mot de passe").first.fill(PASSWORD)
        page.get_by_label("Mot de passe").first.press("Enter")
        expect(page).not_to_have_url(re.compile("/connexion/"))
        page.goto("/machines/")
        expect(page.locator("[data-live-refresh]")).to_be_hidden()

        lab_alone.kill()
        expect(page.get_by_text(SLOW)).to_be_visible(timeout=AWAY_MS)
        lab_alone.start()

        expect(page.get_by_text(SLOW)).to_be_hidden(timeout=AWAY_MS)
        karim = lab_alone.api("karim")
        found = karim.get(f"/api/v1/machines/?site={lab_alone.site_id(karim)}")["results"]
        machine = next(one["id"] for one in found if one["name"] == "Colette")
        karim.post(f"/api/v1/machines/{machine}/out-of-order/", {"reason": "Aiguille cassée"})
        expect(page.locator(f"#machine-{machine}")).to_contain_text("Aiguille cassée")
