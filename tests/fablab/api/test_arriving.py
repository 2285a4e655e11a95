"""Files in pieces through the API, as tus 1.0 has it: programs with a token, pages with their session."""

import base64
import hashlib
from typing import Any

import pytest
from django.test import Client

from jobs.uploads.models import Upload
from jobs.uploads.states import UploadState
from tests.builders_jobs import Cast
from tests.fablab.api.callers import Answer, Caller
from tests.fablab.api.conftest import As
from tests.jobs.uploads.builders import CUBE

pytestmark = pytest.mark.django_db
HOME = "uploads/resumable/"
HALF = len(CUBE) // 2


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def begin(caller: Caller, size: int = len(CUBE), **said: str) -> Answer:
    told = {"filename": "étoile.stl", **said}
    metadata = ",".join(f"{name} {in_base64(value)}" for name, value in told.items())
    return caller.send("POST", HOME, "", Upload_Length=str(size), Upload_Metadata=metadata)


def piece(caller: Caller, address: str, content: bytes, offset: object) -> Answer:
    return caller.send(
        "PATCH", address, content, "application/offset+octet-stream", Upload_Offset=str(offset)
    )


def test_a_file_begun_continued_asked_after_and_finished_is_an_upload_like_any_other(as_: As) -> None:
    owner = as_("owner")
    begun = begin(owner, sha256=hashlib.sha256(CUBE).hexdigest())
    assert (begun.status, begun.headers["Upload-Offset"], begun.headers["Tus-Resumable"]) == (
        201,
        "0",
        "1.0.0",
    )
    address = begun.headers["Location"]
    assert begun.body == {
        "id": address.split("/")[-2],
        "name": "étoile.stl",
        "size": len(CUBE),
        "offset": 0,
    }
    first = piece(owner, address, CUBE[:HALF], 0)
    assert (first.status, first.headers["Upload-Offset"]) == (204, str(HALF))
    assert owner.post(f"{address}finish/").codes == ["arriving_incomplete"]
    asked = owner.client.head(address, headers=owner.headers)
    assert (asked.status_code, asked.headers["Upload-Offset"], asked.headers["Upload-Length"]) == (
        200,
        str(HALF),
        str(len(CUBE)),
    )
    assert asked.headers["Cache-Control"] == "no-store"
    assert piece(owner, address, CUBE[HALF:], HALF).status == 204
    finished = owner.post(f"{address}finish/")
    assert (finished.status, finished.body["name"], finished.body["state"]) == (
        201,
        "étoile.stl",
        UploadState.INSPECTING,
    )
    assert owner.get(f"{finished.headers['Location']}file/").body == CUBE
    assert owner.client.head(address, headers=owner.headers).status_code == 404


def test_finishing_twice_with_one_key_makes_one_upload(as_: As) -> None:
    owner = as_("owner")
    address = begin(owner).headers["Location"]
    piece(owner, address, CUBE, 0)
    answers = [owner.post(f"{address}finish/", Idempotency_Key="k") for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].body == answers[1].body
    assert Upload.objects.count() == 1


@pytest.mark.parametrize("offset", ["", "-1", "x", "1.5", "١", "9" * 30])
def test_an_offset_that_is_none_is_not_understood(as_: As, offset: str) -> None:
    owner = as_("owner")
    address = begin(owner).headers["Location"]
    assert piece(owner, address, CUBE, offset).status == 400


def test_wrong_places_wrong_types_and_wrong_words_are_refused_in_sentences(as_: As) -> None:
    owner = as_("owner")
    address = begin(owner).headers["Location"]
    assert piece(owner, address, CUBE, 1).codes == ["arriving_moved_on"]
    assert owner.send("PATCH", address, "{}", Upload_Offset="0").status == 415
    assert piece(owner, address, CUBE + b"x", 0).codes == ["arriving_too_long"]
    assert owner.send("POST", HOME, "", Upload_Length="5", Upload_Metadata="filename ?").status == 400
    assert owner.send("POST", HOME, "").codes == ["field_required"]
    assert begin(owner, 10**12).status == 413
    assert begin(owner, 0).codes == ["empty_file"]


def test_one_that_is_no_longer_wanted_is_dropped_and_too_many_are_refused(as_: As) -> None:
    owner = as_("owner")
    addresses = [begin(owner).headers["Location"] for _ in range(5)]
    refused = begin(owner)
    assert (refused.status, refused.codes) == (429, ["too_many_arriving"])
    assert refused.body["detail"] == "Trop d’envois commencés. Attends dix minutes."
    assert owner.delete(addresses[0]).status == 204
    assert owner.delete(addresses[0]).status == 404
    assert begin(owner).status == 201


def test_a_page_sends_with_its_session_and_its_token_against_forgery_and_not_without(cast: Cast) -> None:
    page: Any = Client(enforce_csrf_checks=True)
    page.force_login(cast.person("owner"))
    told = {"Upload-Length": "5"}
    assert page.generic("POST", f"/api/v1/{HOME}", headers=told).status_code == 403
    page.get("/objets/nouveau/")
    token = page.cookies["csrftoken"].value
    begun = page.generic("POST", f"/api/v1/{HOME}", headers={**told, "X-CSRFToken": token})
    assert begun.status_code == 201
    sent = {"Upload-Offset": "0"}
    octets = "application/offset+octet-stream"
    address = begun.headers["Location"]
    assert page.patch(address, b"solid", content_type=octets, headers=sent).status_code == 403
    assert (
        page.patch(address, b"solid", content_type=octets, headers={**sent, "X-CSRFToken": token}).status_code
        == 204
    )
