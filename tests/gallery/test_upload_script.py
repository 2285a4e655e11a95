"""Handing in a file: the same form with and without the script (A11Y-3, A11Y-23)."""

import base64
import hashlib
import json

import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from tests.gallery.conftest import OpenGallery

pytestmark = pytest.mark.browser

STAR = FilePayload(name="étoile.stl", mimeType="model/stl", buffer=b"solid star")
REFUSED = """<!doctype html><title>x</title><main id="main"><p id="said" role="alert" tabindex="-1" data-focus>
Fichier illisible</p><form id="upload" data-upload action="/upload/"></form></main>"""


HOME = "**/api/v1/uploads/resumable/**"
PLACE = "/api/v1/uploads/resumable/23456789abcdef/"
DONE = "<title>ok</title><main id=main>Bien</main>"


class Receiver:
    """Stands for the server's part: takes pieces, says how many bytes it has, and loses its line when told to."""

    def __init__(self, page: Page) -> None:
        self.content = b""
        self.asked: list[str] = []
        self.said: dict[str, str] = {}
        self.cut = False
        self.refusal = ""
        page.route(HOME, self._answer)

    def _answer(self, route: Route) -> None:
        request = route.request
        self.asked.append(request.method)
        if self.cut:
            route.abort()
        elif self.refusal:
            body = json.dumps({"code": "too_large", "detail": self.refusal})
            route.fulfill(status=413, content_type="application/problem+json", body=body)
        elif request.method == "POST":
            self.said = request.all_headers()
            self._fulfill(route, 201, Location=PLACE)
        elif request.method == "PATCH" and request.headers["upload-offset"] != str(len(self.content)):
            body = json.dumps({"code": "arriving_moved_on", "detail": "…"})
            route.fulfill(status=409, content_type="application/problem+json", body=body)
        else:
            self.content += (request.post_data_buffer or b"") if request.method == "PATCH" else b""
            self._fulfill(route, 200 if request.method == "HEAD" else 204)

    def _fulfill(self, route: Route, status: int, **headers: str) -> None:
        route.fulfill(status=status, headers={"Upload-Offset": str(len(self.content)), **headers})


def hand_in(page: Page, file: FilePayload = STAR) -> None:
    page.locator("#file").set_input_files([file])
    send(page)


def send(page: Page) -> None:
    page.locator("#upload .actions [type=submit]").click()


def test_without_scripts_the_browser_sends_the_form_with_the_file_in_it(open_gallery: OpenGallery) -> None:
    page = open_gallery(java_script_enabled=False)
    sent: list[bytes] = []

    def receive(route: Route) -> None:
        sent.append(route.request.post_data_buffer or b"")
        route.fulfill(status=200, content_type="text/html", body=DONE)

    page.route("**/upload/", receive)
    page.locator("#file").set_input_files([STAR])
    send(page)
    expect(page.locator("main")).to_have_text("Bien")
    assert len(sent) == 1
    assert b'name="csrfmiddlewaretoken"' in sent[0]
    assert b'name="file"; filename=' in sent[0]


def test_with_scripts_the_file_goes_first_and_the_same_form_says_which_it_was(
    open_gallery: OpenGallery,
) -> None:
    page = open_gallery()
    receiver, forms = Receiver(page), list[bytes]()

    def receive(route: Route) -> None:
        forms.append(route.request.post_data_buffer or b"")
        route.fulfill(status=200, content_type="text/html", body=DONE)

    page.route("**/upload/", receive)
    hand_in(page)
    expect(page.locator("main")).to_have_text("Bien")
    assert (receiver.asked, receiver.content) == (["POST", "PATCH"], STAR["buffer"])
    assert receiver.said["upload-length"] == str(len(STAR["buffer"]))
    assert receiver.said["x-csrftoken"]
    told = dict(pair.split(" ") for pair in receiver.said["upload-metadata"].split(","))
    assert base64.b64decode(told["filename"]).decode() == STAR["name"]
    assert base64.b64decode(told["sha256"]).decode() == hashlib.sha256(STAR["buffer"]).hexdigest()
    [form] = forms
    assert b'name="csrfmiddlewaretoken"' in form
    assert b'name="arrived"\r\n\r\n23456789abcdef\r\n' in form
    assert b"filename=" not in form


def test_a_large_file_goes_in_pieces_in_their_order(open_gallery: OpenGallery) -> None:
    page = open_gallery()
    receiver = Receiver(page)
    page.route("**/upload/", lambda route: route.fulfill(content_type="text/html", body=DONE))
    content = bytes(range(256)) * 10_000
    hand_in(page, FilePayload(name="grand.stl", mimeType="model/stl", buffer=content))
    expect(page.locator("main")).to_have_text("Bien")
    assert receiver.asked == ["POST", "PATCH", "PATCH", "PATCH"]
    assert receiver.content == content


def test_what_is_wrong_is_shown_at_once_and_focused(open_gallery: OpenGallery) -> None:
    page = open_gallery()
    Receiver(page)
    page.route("**/upload/", lambda route: route.fulfill(status=422, content_type="text/html", body=REFUSED))
    hand_in(page)
    expect(page.locator("#said")).to_be_focused()


def test_case_12_a_file_that_found_no_room_at_its_end_is_there_still_and_only_the_form_is_sent_again(
    open_gallery: OpenGallery,
) -> None:
    page = open_gallery()
    receiver, answers = Receiver(page), [(507, page.content()), (200, DONE)]

    def receive(route: Route) -> None:
        status, body = answers.pop(0)
        route.fulfill(status=status, content_type="text/html", body=body)

    page.route("**/upload/", receive)
    hand_in(page)
    expect(page.locator("[data-upload-progress]")).to_be_hidden()
    send(page)
    expect(page.locator("main")).to_have_text("Bien")
    assert receiver.asked == ["POST", "PATCH"]


def test_a_refusal_is_said_in_its_own_words_and_not_tried_again(open_gallery: OpenGallery) -> None:
    page = open_gallery()
    receiver = Receiver(page)
    receiver.refusal = "Le fichier est trop lourd : au plus 5 Mo."
    hand_in(page)
    expect(page.locator("[data-upload-words]")).to_have_text(receiver.refusal)
    expect(page.locator("[data-upload-again]")).to_be_hidden()
    assert receiver.asked == ["POST"]


def test_case_14_a_cut_line_is_said_calmly_and_it_goes_on_by_itself_when_the_line_is_back(
    open_gallery: OpenGallery,
) -> None:
    page = open_gallery()
    page.clock.install()
    receiver = Receiver(page)
    page.route("**/upload/", lambda route: route.fulfill(content_type="text/html", body=DONE))
    receiver.cut = True
    hand_in(page)
    expect(page.locator("[data-upload-words]")).to_have_text(
        "La ligne est coupée. L’envoi reprendra tout seul."
    )
    expect(page.locator("[data-upload-again]")).to_be_hidden()
    receiver.cut = False
    page.clock.run_for(1000)
    expect(page.locator("main")).to_have_text("Bien")
    assert receiver.content == STAR["buffer"]


def test_case_14_when_the_device_says_that_its_line_is_back_it_goes_on_at_once(
    open_gallery: OpenGallery,
) -> None:
    page = open_gallery()
    page.clock.install()
    receiver = Receiver(page)
    page.route("**/upload/", lambda route: route.fulfill(content_type="text/html", body=DONE))
    receiver.cut = True
    hand_in(page)
    expect(page.locator("[data-upload-words]")).to_contain_text("La ligne est coupée")
    receiver.cut = False
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("main")).to_have_text("Bien")


def test_case_14_after_some_tries_the_person_is_asked_and_goes_on_by_a_button(
    open_gallery: OpenGallery,
) -> None:
    page = open_gallery()
    page.clock.install()
    receiver = Receiver(page)
    page.route("**/upload/", lambda route: route.fulfill(content_type="text/html", body=DONE))
    receiver.cut = True
    hand_in(page)
    again = page.get_by_role("button", name="Continuer l’envoi")
    for _ in range(200):  # seconds by the page's clock
        if again.is_visible():
            break
        page.clock.run_for(1000)
    expect(again).to_be_visible()
    expect(page.locator("[data-upload-words]")).to_have_text("L’envoi s’est arrêté. Essaie encore.")
    assert len(receiver.asked) == 7
    receiver.cut = False
    again.click()
    expect(page.locator("main")).to_have_text("Bien")
    assert receiver.content == STAR["buffer"]


def test_a_file_over_the_limit_is_stopped_before_it_is_sent(open_gallery: OpenGallery) -> None:
    page = open_gallery()
    page.evaluate("document.getElementById('file').dataset.limit = '5'")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method != "GET" else None)
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
