"""The live scripts against a websocket that this test plays, with a clock that it moves (A11Y-4, A11Y-5, UX-16)."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.gallery.conftest import OpenGallery

pytestmark = pytest.mark.browser

JOB = "job:j1"


class Server:
    """The other end of the line: keeps what the page sent, sends what the test says."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.lines: list[WebSocketRoute] = []
        self.received: list[dict[str, Any]] = []
        page.route_web_socket("**/ws/v1/live/", self._opened)

    def _opened(self, line: WebSocketRoute) -> None:
        self.lines.append(line)
        line.on_message(lambda text: self.received.append(json.loads(text)))

    def send(self, **message: Any) -> None:
        self.lines[-1].send(json.dumps(message))

    def snapshot(self, version: int, percent: float, state: str = "running") -> None:
        self.send(
            type="snapshot",
            topic=JOB,
            version=version,
            data={"state": state, "progress": {"percent": percent}},
        )

    def change(self, after: int, version: int, **data: Any) -> None:
        self.send(type="change", topic=JOB, after=after, version=version, data=data)

    def asked(self, topic: str) -> int:
        return sum(one == {"type": "subscribe", "topic": topic} for one in self.received)

    def wait_for_asked(self, topic: str, times: int) -> None:
        for _ in range(200):
            if self.asked(topic) >= times:
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(f"{topic} was asked for {self.asked(topic)} times, not {times}")


@pytest.fixture
def page(open_gallery: OpenGallery, gallery: str) -> Page:
    return open_gallery("")


@pytest.fixture
def server(page: Page) -> Server:
    server = Server(page)
    page.goto("/")
    server.wait_for_asked(JOB, 1)
    return server


def percent_of(page: Page) -> Any:
    return page.locator("#job-j1 progress")


def replace_on_next_fetch(page: Page, old: str, new: str) -> None:
    """The server's next pages say ``new``; only what the script fetches, not what the person loads."""

    def answer(route: Route) -> None:
        if route.request.headers.get("x-requested-with") != "live":
            route.continue_()
            return
        fetched = route.fetch()
        route.fulfill(response=fetched, body=fetched.text().replace(old, new))

    page.route("**/", answer)


def test_every_topic_on_the_page_is_asked_for_once(server: Server) -> None:
    for topic in [JOB, *(f"machine:m{number}" for number in range(1, 9))]:
        server.wait_for_asked(topic, 1)
        assert server.asked(topic) == 1


def test_figures_follow_snapshot_and_changes(page: Page, server: Server) -> None:
    server.snapshot(7, 42.9)
    expect(percent_of(page)).to_have_attribute("value", "42.9")
    expect(page.locator("#job-j1 .band [data-bind]")).to_have_text("42")
    server.change(7, 8, progress={"percent": 57})
    expect(percent_of(page)).to_have_attribute("value", "57")


def test_a_gap_asks_for_a_new_snapshot_and_changes_nothing(page: Page, server: Server) -> None:
    server.snapshot(7, 42)
    server.change(9, 10, progress={"percent": 90})
    server.wait_for_asked(JOB, 2)
    expect(percent_of(page)).to_have_attribute("value", "42")
    server.snapshot(10, 90)
    expect(percent_of(page)).to_have_attribute("value", "90")


def test_a_change_of_state_brings_the_servers_words(page: Page, server: Server) -> None:
    replace_on_next_fetch(page, "Ça imprime", "Ça s&#x27;arrête")
    server.snapshot(7, 42)
    server.change(7, 8, state="stopping")
    expect(page.locator("#job-j1 .word")).to_have_text("Ça s'arrête")


def test_a_piece_that_changes_keeps_the_focus_on_the_same_control(page: Page, server: Server) -> None:
    replace_on_next_fetch(page, "Grace", "Grace H.")
    link = page.locator("#machine-m2 .card-link")
    link.focus()
    server.send(type="snapshot", topic="machine:m2", version=1, data={"state": "free"})
    expect(link).to_have_text("Grace H.")
    expect(link).to_be_focused()


def test_the_live_region_is_empty_at_load_and_hears_quarters_and_states_only(
    page: Page, server: Server
) -> None:
    said = page.locator("#live-polite")
    expect(said).to_be_empty()
    server.snapshot(1, 42)
    server.change(1, 2, progress={"percent": 44})
    server.change(2, 3, progress={"percent": 51})
    expect(said).to_have_text("Porte-clés étoile : 50 %")


def test_at_most_one_message_in_ten_seconds_and_the_newest_wins(open_gallery: OpenGallery) -> None:
    page = open_gallery("")
    page.clock.install()
    server = Server(page)
    page.goto("/")
    page.clock.run_for(1000)
    server.wait_for_asked(JOB, 1)
    said = page.locator("#live-polite")
    server.snapshot(1, 10)
    server.change(1, 2, progress={"percent": 26})
    expect(percent_of(page)).to_have_attribute("value", "26")
    page.clock.run_for(500)
    expect(said).to_have_text("Porte-clés étoile : 25 %")
    server.change(2, 3, progress={"percent": 50})
    server.change(3, 4, progress={"percent": 75})
    expect(percent_of(page)).to_have_attribute("value", "75")
    page.clock.run_for(8000)
    expect(said).to_have_text("Porte-clés étoile : 25 %")
    page.clock.run_for(3000)
    expect(said).to_have_text("Porte-clés étoile : 75 %")


def test_a_failure_is_one_alert(page: Page, server: Server) -> None:
    def answer(route: Route) -> None:
        fetched = route.fetch()
        text = fetched.text().replace(
            'data-speak="Porte-clés étoile : Ça imprime"', 'data-speak="Raté" data-speak-alert'
        )
        route.fulfill(response=fetched, body=text)

    page.route("**/", answer)
    server.snapshot(1, 42)
    server.change(1, 2, state="failed")
    expect(page.locator("#live-alert")).to_have_text("Raté")


def test_a_machine_that_goes_silent_is_hatched_and_says_so(open_gallery: OpenGallery) -> None:
    page = open_gallery("")
    page.clock.install()
    Server(page)
    page.goto("/")
    tile = page.locator("#machine-m1")
    expect(tile).not_to_have_attribute("data-stale", "")
    page.clock.run_for(16_000)
    expect(tile).to_have_attribute("data-stale", "")
    expect(tile.locator(".age")).to_have_text("Vu il y a 15 s")


def test_without_a_line_the_page_says_so_and_looks_again_by_itself(open_gallery: OpenGallery) -> None:
    page = open_gallery("")
    page.clock.install()
    page.route_web_socket("**/ws/v1/live/", lambda line: line.close())
    page.goto("/")
    page.clock.run_for(6_000)
    expect(page.locator("[data-live-status]")).to_have_text("Mise à jour ralentie")
    expect(page.locator("[data-live-refresh]")).to_be_visible()
    replace_on_next_fetch(page, "Katherine", "Katherine J.")
    page.clock.run_for(11_000)
    expect(page.locator("#machine-m3 h3")).to_have_text("Katherine J.")


def test_with_a_line_the_refresh_link_is_put_away(page: Page, server: Server) -> None:
    expect(page.locator("[data-live-refresh]")).to_be_hidden()
    expect(page.locator("[data-live-status]")).to_be_hidden()


def test_updates_can_be_stopped_and_started_again(page: Page, server: Server) -> None:
    server.snapshot(1, 42)
    expect(percent_of(page)).to_have_attribute("value", "42")
    button = page.locator("[data-live-pause]")
    button.click()
    server.change(1, 2, progress={"percent": 60})
    expect(page.locator("[data-live-status]")).to_have_text("Mises à jour arrêtées")
    expect(percent_of(page)).to_have_attribute("value", "42")
    button.click()
    expect(percent_of(page)).to_have_attribute("value", "60")


def test_what_is_refused_is_not_asked_for_again(page: Page, server: Server) -> None:
    server.send(type="refused", topic=JOB, code="not_found")
    server.snapshot(1, 99)
    expect(page.locator("#job-j1")).to_have_attribute("data-live-refused", "")
    assert percent_of(page).get_attribute("value") == "42"
    assert server.asked(JOB) == 1


def test_focus_stays_while_all_tiles_change(page: Page, server: Server) -> None:
    page.locator("#name").focus()
    for number in range(1, 9):
        server.send(type="snapshot", topic=f"machine:m{number}", version=1, data={"state": "out_of_order"})
    with page.expect_response(lambda answer: answer.request.headers.get("x-requested-with") == "live"):
        pass
    expect(page.locator("#name")).to_be_focused()


def test_a_form_counts_once_however_often_it_is_pressed(page: Page, server: Server) -> None:
    page.evaluate(
        """() => { window.swallowed = [];
        window.addEventListener('submit', event => {
            window.swallowed.push(event.defaultPrevented); event.preventDefault(); }); }"""
    )
    button = page.locator("#machine-m3 button")
    button.click()
    button.click()
    expect(page.locator("#machine-m3 form")).to_have_attribute("aria-busy", "true")
    assert page.evaluate("window.swallowed") == [False, True]


def test_the_time_to_change_ones_mind_counts_down_and_ends(open_gallery: OpenGallery) -> None:
    page = open_gallery("")
    page.clock.install()
    Server(page)
    page.goto("/")
    page.clock.run_for(3_000)
    assert 5 <= int(page.locator("[data-undo-count]").inner_text()) <= 7
    page.clock.run_for(8_000)
    expect(page.locator(".undo form")).to_have_count(0)
