"""An upload whose line is cut at 99 % (case 14): no job; with scripts it goes on where it was."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from jobs.lifecycle.models import Job
from jobs.uploads.models import Upload
from tests.builders_jobs import Cast
from tests.fakes.faulty_proxy import Fault, FaultyProxy
from tests.faults.conftest import PageFor

pytestmark = pytest.mark.browser

SIZE = 900_000  # one piece
NEARLY = SIZE * 99 // 100
PIECE = "PATCH /api/v1/uploads/resumable/"
FORM = "POST /objets/upload/"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "grand.stl"
    made.write_bytes(b"solid a\n" + b" " * (SIZE - 20) + b"\nendsolid a\n")
    return made


def choose_and_send(page: Page, file: Path) -> None:
    page.get_by_label("Ton fichier").set_input_files(file)
    page.get_by_role("button", name="Vérifier mon fichier").tap()


def arrived_whole(page: Page, file: Path) -> None:
    expect(page.get_by_text("On vérifie le fichier").first).to_be_visible(timeout=20_000)
    kept = Upload.objects.get()
    assert Job.objects.get().upload_id == kept.pk
    assert kept.path.read_bytes() == file.read_bytes()


def test_case_14_with_scripts_only_the_missing_bytes_are_sent_again_and_nobody_does_anything(
    page_for: PageFor, bad_line: FaultyProxy, cast: Cast, file: Path
) -> None:
    page = page_for(cast.person("owner"))
    page.goto("/objets/nouveau/")
    cut = bad_line.fault(PIECE, Fault.CUT_REQUEST, after=NEARLY)
    bad_line.cut_all()  # what the browser kept open of the page; servers end that after some seconds

    choose_and_send(page, file)

    assert cut.hit.wait(20)
    arrived_whole(page, file)
    asked = [re.sub(r"/[2-9a-z]{14}/", "/ID/", line).removesuffix(" HTTP/1.1") for line in bad_line.requests]
    begun = asked.index("POST /api/v1/uploads/resumable/")
    assert [line for line in asked[begun:] if not line.startswith("GET ")] == [
        "POST /api/v1/uploads/resumable/",
        "PATCH /api/v1/uploads/resumable/ID/",
        "HEAD /api/v1/uploads/resumable/ID/",
        "PATCH /api/v1/uploads/resumable/ID/",
        FORM,
    ]
    first, second = bad_line.bytes_of(PIECE)
    assert first == NEARLY
    # What the server's side of the line still held when it was cut is sent once more, with the head of its request.
    assert SIZE - NEARLY < second < SIZE // 2
    [form] = bad_line.bytes_of(FORM)
    assert form < 5_000


def test_case_14_with_scripts_nothing_is_made_while_the_line_is_cut_and_the_page_says_that_it_goes_on(
    page_for: PageFor, bad_line: FaultyProxy, cast: Cast, file: Path
) -> None:
    page = page_for(cast.person("owner"))
    page.goto("/objets/nouveau/")
    cut = bad_line.fault(PIECE, Fault.CUT_REQUEST, times=None, after=NEARLY)
    gone = bad_line.fault("HEAD /api/", Fault.DROP_REQUEST, times=None)

    choose_and_send(page, file)

    assert cut.hit.wait(20)
    expect(page.get_by_text("La ligne est coupée. L’envoi reprendra tout seul.")).to_be_visible()
    assert gone.hit.wait(20)
    assert (Upload.objects.count(), Job.objects.count()) == (0, 0)
    bad_line.heal()
    page.evaluate("dispatchEvent(new Event('online'))")
    arrived_whole(page, file)


def test_case_14_without_scripts_a_cut_upload_makes_no_job_and_is_sent_again(
    page_for: PageFor, bad_line: FaultyProxy, cast: Cast, file: Path
) -> None:
    page = page_for(cast.person("owner"), scripts=False)
    page.goto("/objets/nouveau/")
    cut = bad_line.fault(FORM, Fault.CUT_REQUEST, times=None, after=NEARLY)
    bad_line.cut_all()  # what the browser kept open was not cut

    choose_and_send(page, file)

    assert cut.hit.wait(20)
    expect(page).to_have_url(
        re.compile("^chrome-error:"), timeout=20_000
    )  # it gave up, after sending once more itself
    bad_line.heal()
    assert (Upload.objects.count(), Job.objects.count()) == (0, 0)
    page.goto("/objets/nouveau/")
    choose_and_send(page, file)
    arrived_whole(page, file)
