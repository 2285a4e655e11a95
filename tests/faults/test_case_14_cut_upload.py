"""An upload whose line is cut at 99 % (case 14): no job, a sentence, and the file can be sent again."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from jobs.lifecycle.models import Job
from jobs.uploads.models import Upload
from tests.builders_jobs import Cast
from tests.fakes.faulty_proxy import Fault, FaultyProxy
from tests.faults.conftest import PageFor

pytestmark = pytest.mark.browser

UPLOAD = "POST /objets/"
SIZE = 400_000


def choose_and_send(page: Page, file: Path) -> None:
    page.get_by_label("Ton fichier").set_input_files(file)
    page.get_by_role("button", name="Vérifier mon fichier").tap()


@pytest.mark.parametrize("scripts", [True, False])
def test_case_14_an_upload_cut_at_99_percent_makes_no_job_and_can_be_sent_again(
    page_for: PageFor, bad_line: FaultyProxy, cast: Cast, tmp_path: Path, scripts: bool
) -> None:
    file = tmp_path / "grand.stl"
    file.write_bytes(b"solid a\n" + b" " * SIZE + b"\nendsolid a\n")
    page = page_for(cast.person("owner"), scripts=scripts)
    page.goto("/objets/nouveau/")
    cut = bad_line.fault(UPLOAD, Fault.CUT_REQUEST, times=None, after=SIZE * 99 // 100)
    bad_line.cut_all()  # what the browser kept open was not cut

    choose_and_send(page, file)

    assert cut.hit.wait(20)
    if scripts:
        expect(page.locator("[data-upload-words]").first).not_to_be_empty()
        expect(page.get_by_role("button", name="Vérifier mon fichier")).to_be_enabled()
    else:
        page.goto("about:blank")  # or the browser itself sends it once more
    bad_line.heal()
    assert (Upload.objects.count(), Job.objects.count()) == (0, 0)

    if not scripts:
        page.goto("/objets/nouveau/")
    choose_and_send(page, file)
    expect(page.get_by_text("On vérifie le fichier").first).to_be_visible()
    kept = Upload.objects.get()
    assert Job.objects.get().upload_id == kept.pk
    assert kept.path.read_bytes() == file.read_bytes()
