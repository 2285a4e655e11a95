"""Every component in a real browser: axe, reflow, targets, direction, policy, weight."""

from io import BytesIO
from itertools import product
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page

from tests.gallery.conftest import OpenGallery

pytestmark = pytest.mark.browser

OUR_TARGET, LEAST_TARGET = 44, 24
PAGES = ["/", "/board/", "/refused/404/", "/refused/500/"]


def axe_violations(page: Page) -> list[Any]:
    options = {
        "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        "rules": {"target-size": {"enabled": True}},
    }
    found: list[Any] = Axe().run(page, options=options).response["violations"]
    return [(one["id"], one["help"], [node["html"][:200] for node in one["nodes"]][:4]) for one in found]


@pytest.mark.parametrize(
    ("width", "scheme", "language"), [*product([360, 1280], ["light", "dark"], ["fr", "ar"])]
)
def test_axe_finds_nothing_on_any_component(
    open_gallery: OpenGallery, width: int, scheme: str, language: str
) -> None:
    page = open_gallery(width=width, language=language, color_scheme=scheme)
    assert axe_violations(page) == []


@pytest.mark.parametrize("path", PAGES[1:])
def test_axe_finds_nothing_on_the_board_and_the_pages_of_refusal(
    open_gallery: OpenGallery, path: str
) -> None:
    page = open_gallery(path, width=1280)
    assert axe_violations(page) == []


@pytest.mark.parametrize(("width", "language"), [*product([320, 360, 768, 1280], ["fr", "en", "ar"])])
def test_nothing_scrolls_sideways(open_gallery: OpenGallery, width: int, language: str) -> None:
    page = open_gallery(width=width, language=language)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_nothing_scrolls_sideways_with_text_twice_as_large_and_forced_spacing(
    open_gallery: OpenGallery,
) -> None:
    page = open_gallery(width=640, bypass_csp=True)
    page.add_style_tag(
        content="html { font-size: 200% } * { line-height: 1.5 !important; letter-spacing: 0.12em !important;"
        " word-spacing: 0.16em !important } p { margin-bottom: 2em !important }"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 640


def test_every_control_is_large_enough_for_a_thumb(open_gallery: OpenGallery) -> None:
    page = open_gallery()
    small = page.evaluate(
        """([ours, least]) => Array.from(document.querySelectorAll(
            'a[href], button, summary, input:not([type=hidden]), select, textarea'))
          .map(one => [one, (one.closest('label') || one).getBoundingClientRect()])
          .filter(([one, box]) => box.width > 1 && box.height > 0)
          .filter(([one, box]) => {
            const inText = one.matches('a:not([class])') && one.closest('main, li');
            return Math.min(box.width, box.height) < (inText || one.matches('.card-link') ? least * 0.75 : ours - 0.5);
          })
          .map(([one, box]) => one.outerHTML.slice(0, 120) + ' ' + box.width + '×' + box.height)""",
        [OUR_TARGET, LEAST_TARGET],
    )
    assert small == []


@pytest.mark.parametrize(("language", "direction"), [("fr", "ltr"), ("en", "ltr"), ("ar", "rtl")])
def test_language_and_direction_are_said(open_gallery: OpenGallery, language: str, direction: str) -> None:
    page = open_gallery(language=language)
    assert page.get_attribute("html", "lang") == language
    assert page.get_attribute("html", "dir") == direction


def test_bars_fill_from_the_side_where_reading_begins(open_gallery: OpenGallery) -> None:
    """A pixel near each end of a bar at 42 %, in both directions."""
    for language, filled in (("fr", "start"), ("ar", "end")):
        page = open_gallery(language=language, color_scheme="light")
        bar = page.locator("#machine-m2 progress")
        bar.scroll_into_view_if_needed()
        image = Image.open(BytesIO(bar.screenshot())).convert("L")
        width, height = image.size
        row = image.crop((0, height // 2, width, height // 2 + 1)).tobytes()
        at_left, at_right = row[width // 10], row[width * 9 // 10]
        assert (at_left < at_right) == (filled == "start"), language


def test_without_scripts_everything_is_said_and_the_refresh_link_is_there(open_gallery: OpenGallery) -> None:
    page = open_gallery(java_script_enabled=False)
    assert page.locator("[data-live-refresh]").is_visible()
    assert page.locator("#machine-m2").inner_text().count("205 / 210 °C") == 1
    assert not page.locator("[data-live-pause]").is_visible()
    assert page.locator("#live-polite").inner_text() == ""


def test_the_language_changes_by_a_plain_form(open_gallery: OpenGallery) -> None:
    page = open_gallery(java_script_enabled=False)
    page.locator("details.menu summary").click()
    page.locator("button[value=ar]").click()
    assert page.get_attribute("html", "dir") == "rtl"
    assert page.locator(".ask").inner_text().strip() == "مساعدة من مشرف"


def test_help_is_at_the_same_place_on_every_page(open_gallery: OpenGallery) -> None:
    boxes = []
    for path in ("/", "/refused/404/", "/refused/500/"):
        page = open_gallery(path, width=1280)
        boxes.append(page.locator(".ask").bounding_box())
    assert boxes[0] == boxes[1] == boxes[2]


def test_states_differ_in_grey(open_gallery: OpenGallery) -> None:
    """UX-14: the band of each state, without colour and without its word."""
    page = open_gallery(width=1280, color_scheme="light")
    seen: dict[bytes, str] = {}
    for machine in ("m1", "m2", "m3", "m5", "m6", "m7", "m8"):
        icon = page.locator(f"#machine-{machine} .band .icon")
        image = (
            Image.open(BytesIO(icon.screenshot())).convert("L").point(lambda grey: 255 if grey > 128 else 0)
        )
        assert image.tobytes() not in seen, f"{machine} looks like {seen[image.tobytes()]}"
        seen[image.tobytes()] = machine


def test_the_board_can_be_read_from_across_the_room(open_gallery: OpenGallery) -> None:
    page = open_gallery("/board/", width=1920, height=1080)
    for part in (".board-tile h2", ".board-tile .word"):
        sizes = page.locator(part).evaluate_all(
            "all => all.map(one => parseFloat(getComputedStyle(one).fontSize))"
        )
        assert min(sizes) >= 40
    assert page.evaluate("document.documentElement.scrollHeight") <= 1080
