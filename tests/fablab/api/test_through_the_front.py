"""Files through the server as it really runs: streamed by the front, in parts when asked, without telling a path."""

import http.client
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from fablab.people.models import User
from fablab.people.services import make_token
from jobs.uploads.models import Upload
from tests.builders import make_person, make_site
from tests.fixtures.services import LiveServer
from tests.jobs.uploads.builders import CUBE


@pytest.fixture
def media(settings: Any) -> Path:
    """The front reads its folders when it starts: files lie in the installation's own folder here."""
    return Path(settings.MEDIA_ROOT)


def call(
    site: LiveServer, person: User, method: str, address: str, body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    _, token = make_token(person=person, at=timezone.now())
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=20)
    try:
        told = {
            "Authorization": f"Bearer {token}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        connection.request(method, address, body or None, told)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_a_file_goes_up_and_comes_down_whole_and_in_parts(live_server: LiveServer) -> None:
    person = make_person(site=make_site())
    form = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="cube.stl"\r\n\r\n'
        + CUBE
        + b"\r\n--x--\r\n"
    )
    status, headers, _ = call(
        live_server, person, "POST", "/api/v1/uploads/", form, Content_Type="multipart/form-data; boundary=x"
    )
    assert status == 201
    address = f"{headers['location']}file/"

    status, headers, body = call(live_server, person, "GET", address)
    assert (status, body) == (200, CUBE)
    assert headers["content-disposition"] == 'attachment; filename="cube.stl"'
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]
    assert "x-send-file" not in headers
    assert headers["accept-ranges"] == "bytes"  # streamed by the front, not by a page's thread

    status, _, part = call(live_server, person, "GET", address, Range="bytes=80-83")
    assert (status, part) == (206, CUBE[80:84])
    assert call(live_server, make_person(site=make_site()), "GET", address)[0] == 404


def test_a_file_that_is_too_large_is_refused_in_the_same_format(
    live_server: LiveServer, settings: Any
) -> None:
    person = make_person(site=make_site())
    body = b'{"present": "' + b"x" * 1_500_000 + b'"}'
    status, headers, told = call(
        live_server, person, "POST", "/api/v1/bookings/", body, Content_Type="application/json"
    )
    assert status == 413
    assert headers["content-type"] == "application/problem+json"
    assert b'"code": "too_large"' in told or b'"code":"too_large"' in told
    assert not Upload.objects.exists()
