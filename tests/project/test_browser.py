"""The browser of the tests: phones and desks, one origin, pictures."""

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.fixtures.browser import DESKTOP, PHONE, OpenPage, TakePicture

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize(("language", "direction"), [("fr", "ltr"), ("en", "ltr"), ("ar", "rtl")])
def test_the_sign_in_page_fits_reads_the_right_way_and_asks_nobody_else_for_anything(
    open_page: OpenPage, picture: TakePicture, size: ViewportSize, language: str, direction: str
) -> None:
    page = open_page(size, language)
    answer = page.goto("/")
    assert answer is not None and answer.status == 200
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("html")).to_have_attribute("dir", direction)
    expect(page.locator("main")).to_be_visible()
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider == 0, f"{wider} px stick out at the side"
    taken = picture(page, f"sign-in-{language}-{'phone' if size is PHONE else 'desktop'}")
    assert taken.stat().st_size > 2_000
