"""Handing in a file: the same form with and without the script (A11Y-3, A11Y-23)."""

import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from tests.gallery.conftest import OpenGallery

pytestmark = pytest.mark.browser

STAR = FilePayload(name="étoile.stl", mimeType="model/stl", buffer=b"solid star")
REFUSED = """<!doctype html><title>x</title><main id="main"><p id="said" role="alert" tabindex="-1" data-focus>
Fichier illisible</p><form id="upload" data-upload action="/upload/"></form></main>"""


def hand_in(page: Page) -> None:
    page.locator("#file").set_input_files([STAR])
    page.locator("#upload button").click()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_the_file_is_sent_by_the_same_form(open_gallery: OpenGallery, scripts: bool) -> None:
    page = open_gallery(java_script_enabled=scripts)
    sent: list[bytes] = []

    def receive(route: Route) -> None:
        sent.append(route.request.post_data_buffer or b"")
        route.fulfill(status=200, content_type="text/html", body="<title>ok</title><main id=main>Bien</main>")

    page.route("**/upload/", receive)
    hand_in(page)
    expect(page.locator("main")).to_have_text("Bien")
    assert len(sent) == 1
    assert b'name="csrfmiddlewaretoken"' in sent[0]
    assert b'name="file"; filename=' in sent[0]


def test_what_is_wrong_is_shown_at_once_and_focused(open_gallery: OpenGallery) -> None:
    page = open_gallery()
    page.route("**/upload/", lambda route: route.fulfill(status=422, content_type="text/html", body=REFUSED))
    hand_in(page)
    expect(page.locator("#said")).to_be_focused()


def test_a_broken_line_says_so_and_the_file_can_be_sent_again(open_gallery: OpenGallery) -> None:
    page = open_gallery()
    page.route("**/upload/", lambda route: route.abort())
    hand_in(page)
    expect(page.locator("[data-upload-words]")).to_have_text("L’envoi s’est arrêté. Essaie encore.")
    page.unroute("**/upload/")
    page.route("**/upload/", lambda route: route.fulfill(status=422, content_type="text/html", body=REFUSED))
    page.locator("#upload button").click()
    expect(page.locator("#said")).to_be_visible()


def test_a_file_over_the_limit_is_stopped_before_it_is_sent(open_gallery: OpenGallery) -> None:
    page = open_gallery()
    page.evaluate("document.getElementById('file').dataset.limit = '5'")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/upload/") else None)
    hand_in(page)
    assert page.evaluate("document.getElementById('file').validationMessage") == "Ce fichier est trop gros."
    assert sent == []


def test_accepted_types_and_limit_stand_before_the_field(open_gallery: OpenGallery) -> None:
    page = open_gallery(java_script_enabled=False)
    said, field = page.locator("#file-help"), page.locator("#file")
    expect(field).to_be_visible()
    above, below = said.bounding_box(), field.bounding_box()
    assert above
    assert below
    assert above["y"] + above["height"] <= below["y"]
    assert field.get_attribute("aria-describedby") == "file-help"
