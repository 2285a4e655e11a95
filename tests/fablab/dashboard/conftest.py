"""A lab with everybody in it, and browsers that are signed in to it."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page

from fablab.people.models import User
from tests.builders_jobs import Cast, make_cast
from tests.fixtures.browser import PHONE, OpenPage
from tests.fixtures.services import LiveServer

SignIn = Callable[..., Page]


@pytest.fixture
def cast(db: None) -> Cast:
    """A lab that is open all day, its people present, its members trained."""
    return make_cast(at=timezone.now())


@pytest.fixture
def signed_in_page(open_page: OpenPage, live_server: LiveServer) -> SignIn:
    """Return a function that opens a browser in which a person has signed in already."""

    def open_for(person: User, **options: Any) -> Page:
        page = open_page(**options)
        client = Client()
        client.force_login(person)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
        return page

    return open_for


def axe_violations(page: Page) -> list[Any]:
    """Return what axe finds against WCAG A and AA and its best practice."""
    options = {
        "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        "rules": {"target-size": {"enabled": True}},
    }
    found: list[Any] = Axe().run(page, options=options).response["violations"]
    return [(one["id"], one["help"], [node["html"][:200] for node in one["nodes"]][:4]) for one in found]


def scrolls_sideways(page: Page) -> bool:
    width = page.viewport_size["width"] if page.viewport_size else PHONE["width"]
    return bool(page.evaluate("document.documentElement.scrollWidth") > width)
