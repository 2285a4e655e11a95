"""Labs with real machines, as the tests of supervision have them; browsers, some of them behind a bad line."""

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page

from fablab.people.models import User
from tests.fakes.faulty_proxy import FaultyProxy
from tests.fixtures.browser import PHONE, pages_of
from tests.fixtures.services import LiveServer
from tests.jobs.supervision.conftest import cast, lab, make_lab

__all__ = ["bad_line", "cast", "lab", "make_lab", "page_for"]

PageFor = Callable[..., Page]


@pytest.fixture
def bad_line(live_server: LiveServer) -> Iterator[FaultyProxy]:
    """The network between people and our site."""
    with FaultyProxy(int(live_server.url.rpartition(":")[2])) as proxy:
        yield proxy


@pytest.fixture
def page_for(browser: Browser, bad_line: FaultyProxy) -> Iterator[PageFor]:
    """Return a function that opens a browser behind the bad line, in which a person has signed in already."""
    with pages_of(browser, bad_line.url) as open_one:

        def open_for(person: User, *, scripts: bool = True) -> Page:
            page = open_one(PHONE, scripts=scripts)
            client = Client()
            client.force_login(person)
            cookie = client.cookies[settings.SESSION_COOKIE_NAME]
            page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": bad_line.url}])
            return page

        yield open_for
