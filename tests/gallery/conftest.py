"""The gallery, served once for all tests of this folder, and pages that open on it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.fixtures.browser import LANGUAGES
from tests.gallery.server import gallery_server

OpenGallery = Callable[..., Page]


@pytest.fixture(scope="session")
def gallery() -> Iterator[str]:
    with gallery_server() as address:
        yield address


@pytest.fixture
def open_gallery(browser: Browser, gallery: str) -> Iterator[OpenGallery]:
    """Return a function that opens a page; afterwards no script error and no refusal of the page's own policy."""
    contexts = []
    broken: list[str] = []

    def note(line: ConsoleMessage) -> None:
        if "Content Security" in line.text:
            broken.append(line.text)

    def open_one(
        path: str = "/", width: int = 360, height: int = 740, language: str = "fr", **options: Any
    ) -> Page:
        context = browser.new_context(
            base_url=gallery,
            viewport={"width": width, "height": height},
            locale=LANGUAGES[language],
            reduced_motion=options.pop("reduced_motion", "reduce"),
            **options,
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        context.on("weberror", lambda met: broken.append(str(met.error)))
        page = context.new_page()
        page.on("console", note)
        if path:
            page.route_web_socket("**/ws/v1/live/", lambda line: None)
            page.goto(path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not broken, f"errors of the page's own scripts or policy: {broken}"
