"""Files of forms while they are parsed: below the installation's own folder, and a full disk is said in words."""

import errno
import io
import os
import re
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as installed
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test import Client, RequestFactory
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from pytest_django.fixtures import Settings

from fablab.core.disk import Short, short_of_room
from fablab.core.errors import NoRoom
from fablab.dashboard.urls import urlpatterns
from fablab.front.forms import NO_ROOM
from fablab.front.limits import UPLOAD_ADDRESSES
from fablab.people.models import User
from tests.fablab.front.conftest import Running, SmallFiles


@pytest.fixture
def lea(db: None) -> Client:
    """Somebody's browser, with what a form of ours needs."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.create_user("lea", display_name="Léa"))
    browser.get("/objets/nouveau/")
    return browser


@pytest.fixture
def full(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    settings.VAR_DIR = tmp_path  # what is noted of it is not for other tests
    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", no_room)


def form(lea: Client) -> bytes:
    file = io.BytesIO(b"solid")
    file.name = "cube.stl"
    token = lea.cookies["csrftoken"].value
    return encode_multipart(BOUNDARY, {"csrfmiddlewaretoken": token, "file": file})


def sends(lea: Client, path: str) -> Any:
    lea.raise_request_exception = False  # as a server, which answers 500
    token = lea.cookies["csrftoken"].value
    return lea.generic(
        "POST", path, form(lea), content_type=MULTIPART_CONTENT, headers={"X-CSRFToken": token}
    )


def form_addresses() -> list[str]:
    """Return every address of our pages to which a form with a file goes."""
    routes = [f"/{pattern.pattern}" for pattern in urlpatterns]
    return [
        re.sub(r"<.*?>", "23456789abcdef", route)
        for route in routes
        if any(fnmatchcase(route, address) for address in UPLOAD_ADDRESSES)
    ]


def test_who_comes_back_to_where_a_form_was_sent_is_led_to_its_page(lea: Client) -> None:
    assert {address: lea.get(address).headers.get("Location") for address in form_addresses()} == {
        "/objets/upload/": "/objets/nouveau/",
        "/objets/23456789abcdef/upload/": "/objets/23456789abcdef/",
        "/animateur/23456789abcdef/upload/": "/animateur/23456789abcdef/",
        "/importer/upload/": "/importer/",
        "/machines/23456789abcdef/arrets/upload/": "/machines/23456789abcdef/arrets/",
        "/machines/23456789abcdef/arrets/23456789abcdef/upload/": "/machines/23456789abcdef/arrets/",
    }


def left_in_the_spool() -> list[Path]:
    return list(Path(installed.FILE_UPLOAD_TEMP_DIR).glob("*.upload*"))


def test_a_forms_file_lies_in_the_spool_while_it_is_parsed_and_nowhere_after(
    lea: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    places: list[Path] = []
    writing = TemporaryFileUploadHandler.receive_data_chunk

    def noted(handler: Any, raw_data: bytes, start: int) -> None:
        places.append(Path(handler.file.temporary_file_path()))
        writing(handler, raw_data, start)

    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", noted)
    assert sends(lea, "/api/v1/uploads/").status_code == 201
    assert {place.parent for place in places} == {installed.VAR_DIR / "spool"}
    assert not any(place.exists() for place in places)


@pytest.mark.usefixtures("full")
def test_case_12_a_form_that_finds_no_room_leaves_nothing_is_noted_for_the_front_and_told_to_those_on_duty(
    lea: Client,
) -> None:
    answered = sends(lea, "/objets/upload/")
    assert (answered.status_code, answered.wsgi_request.META[NO_ROOM]) == (500, True)
    assert left_in_the_spool() == []
    refused = short_of_room(datetime.now(UTC))
    assert refused is not None and refused[0] is Short.REFUSED


@pytest.mark.usefixtures("small_files")
def test_case_12_a_page_that_could_not_be_made_for_lack_of_room_is_507_in_words(server: Running) -> None:
    status, _, page = server.asks(
        "POST /no-room\nContent-Length: 5\nAccept: text/html\nAccept-Language: fr", b"solid"
    )
    assert status == 507
    assert "plus de place" in page.decode()


@pytest.mark.usefixtures("full")
def test_case_12_the_api_answers_507_where_a_form_finds_no_room(lea: Client) -> None:
    answered = sends(lea, "/api/v1/uploads/")
    assert (answered.status_code, answered.json()["code"]) == (507, "storage_full")


@pytest.mark.parametrize(("path", "status"), [("/objets/upload/", 500), ("/api/v1/uploads/", 507)])
def test_case_12_room_that_the_database_needs_is_given_to_no_forms_file(
    lea: Client,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    status: int,
) -> None:
    written: list[bytes] = []
    monkeypatch.setattr(
        TemporaryFileUploadHandler, "receive_data_chunk", lambda handler, data, start: written.append(data)
    )
    settings.VAR_DIR, settings.DISK_LOW_BYTES = tmp_path, 2**70
    answered = sends(lea, path)
    assert (answered.status_code, answered.wsgi_request.META[NO_ROOM]) == (status, True)
    assert (written, left_in_the_spool()) == ([], [])


@pytest.mark.parametrize(
    ("size", "room"),
    [
        pytest.param(3_000, 1_000, id="when the last bytes of a small file are written at its end"),
        pytest.param(200_000, 63_000, id="when it is written, and again when it is closed"),
    ],
)
def test_case_12_a_disk_that_is_full_is_no_room_whenever_it_says_so(
    small_files: SmallFiles, size: int, room: int
) -> None:
    file = io.BytesIO(b"x" * size)
    file.name = "cube.stl"
    asked = RequestFactory().post("/objets/upload/", {"file": file})
    with small_files(room), pytest.raises(NoRoom):
        assert asked.FILES
    assert asked.META[NO_ROOM]
    assert left_in_the_spool() == []
