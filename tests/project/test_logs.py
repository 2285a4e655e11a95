"""What stands in the log, and what a page may ask for."""

import io
import logging
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.utils.log import CallbackFilter

from fablab.core.logs import not_a_probe, without_a_trace
from tests.fixtures.browser import leaves


def record(path: str | None) -> logging.LogRecord:
    made = logging.LogRecord("django.request", logging.ERROR, __file__, 1, "Service Unavailable", None, None)
    if path is not None:
        made.request = SimpleNamespace(path=path)
    return made


@pytest.mark.parametrize(
    ("path", "kept"), [("/readyz", False), ("/healthz", False), ("/api/v1/jobs/", True), (None, True)]
)
def test_an_answer_to_a_probe_is_no_error_and_everything_else_is_kept(path: str | None, kept: bool) -> None:
    assert not_a_probe(record(path)) is kept


@pytest.mark.parametrize(
    ("name", "status", "traced"),
    [("django.request", 403, False), ("django.request", 500, True), ("jobs.supervision", 403, True)],
)
def test_a_page_that_somebody_may_not_open_is_one_line_and_a_fault_of_ours_keeps_its_trace(
    name: str, status: int, traced: bool
) -> None:
    refusal = ValueError("no")
    made = logging.LogRecord(
        name, logging.WARNING, __file__, 1, "Forbidden", None, (ValueError, refusal, None)
    )
    made.status_code = status
    assert without_a_trace(made)
    assert (made.exc_info is not None) is traced


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/agenda/a1b2.secret-C3.ics", "Not Found: /agenda/….ics"),
        ("/reservations/agenda/", "Not Found: /reservations/agenda/"),
    ],
)
def test_the_secret_address_of_a_calendar_feed_never_stands_in_the_log(path: str, said: str) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    for name in settings.LOGGING["handlers"]["stderr"]["filters"]:
        handler.addFilter(CallbackFilter(settings.LOGGING["filters"][name]["callback"]))
    handler.handle(
        logging.LogRecord("django.request", logging.WARNING, __file__, 1, "%s: %s", ("Not Found", path), None)
    )
    assert written.getvalue() == f"{said}\n"


@pytest.mark.parametrize(
    ("url", "foreign"),
    [
        ("http://127.0.0.1:8000/page/", False),
        ("ws://127.0.0.1:8000/ws/v1/live/", False),
        ("data:image/png;base64,AAAA", False),
        ("blob:http://127.0.0.1:8000/1", False),
        ("http://127.0.0.1:8001/", True),
        ("https://fonts.example/face.woff2", True),
        ("wss://live.example/", True),
    ],
)
def test_a_request_that_leaves_our_own_site_is_told_apart(url: str, foreign: bool) -> None:
    assert leaves(url, "127.0.0.1:8000") is foreign
