"""Who may fill the spool, and how far: somebody who is signed in, so much at once, and never the database's room."""

import json
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from fablab.live.signin import person_at
from fablab.people.models import User
from fablab.people.services import make_token
from tests.fablab.front.conftest import PATIENCE, Running, Starter, read_answer, request
from tests.fixtures.services import wait_until

MORE_THAN_ANY_DISK = 2**70
PLACE = "/api/v1/uploads/resumable/23456789abcdef/"


@pytest.mark.parametrize("address", ["/api/v1/uploads/", PLACE, "/objets/upload/", "/x/upload/", "/page"])
def test_who_is_not_signed_in_is_refused_before_the_first_byte_and_nothing_of_it_is_spooled(
    server: Running, several: ExitStack, address: str
) -> None:
    status, headers, body = server.asks(
        f"PATCH {address}\nContent-Length: 90000\nCookie: nobody\nExpect: 100-continue\nAccept-Language: fr"
    )
    problem = json.loads(body)
    assert (status, problem["code"], headers["www-authenticate"]) == (401, "not_signed_in", "Bearer")
    assert problem["detail"] == "Connecte-toi d’abord."
    told_nothing = several.enter_context(server.connects())
    told_nothing.sendall(
        request(f"PATCH {address}\nTransfer-Encoding: chunked\nCookie: nobody")
        + b"%x\r\n%s\r\n0\r\n\r\n" % (90_000, b"x" * 90_000)
    )
    assert read_answer(told_nothing)[0] == 401
    assert (server.application.calls, server.spooled(), server.named_files()) == ([], 0, [])


def test_a_small_form_needs_nobody_to_be_known_here(server: Running) -> None:
    status, _, _ = server.asks("POST /connexion/\nContent-Length: 60000\nCookie: nobody", b"x" * 60_000)
    assert (status, server.application.calls[0]["size"]) == (200, 60_000)


def test_a_person_whose_session_ran_out_reads_so_what_is_lost_and_where_to_sign_in_and_come_back(
    server: Running,
) -> None:
    """Not by a redirect: a browser whose line is cut while it still sends takes only a refusal."""
    status, headers, body = server.asks(
        "POST /objets/upload/\nContent-Length: 90000\nCookie: nobody\nExpect: 100-continue\nAccept: text/html\n"
        "Accept-Language: fr"
    )
    page = body.decode()
    assert (status, "location" in headers) == (401, False)
    assert "Connecte-toi d’abord." in page
    assert "Ce que tu as envoyé n’est pas gardé : recommence ensuite." in page
    assert '<a href="/connexion/?next=/objets/upload/">Me connecter</a>' in page


def test_all_together_spool_so_much_and_what_is_more_waits(start: Starter, several: ExitStack) -> None:
    server = start(spool_bytes=1_000_000)
    first = [several.enter_context(server.connects()) for _ in range(3)]
    for number, client in enumerate(first):
        client.sendall(
            request(f"POST /x/upload/\nCookie: person{number}\nContent-Length: 300001") + b"x" * 300_000
        )
    wait_until(lambda: server.spooled() > 700_000, PATIENCE, "three are being received")
    status, headers, body = server.asks(
        "POST /x/upload/\nCookie: another\nContent-Length: 400000", b"x" * 400_000
    )
    assert (status, json.loads(body)["code"], headers["retry-after"]) == (503, "busy", "5")
    for client in first:
        client.sendall(b"x")
        assert read_answer(client)[0] == 200
    assert server.asks("POST /x/upload/\nContent-Length: 900000", b"x" * 900_000)[0] == 200
    assert server.spooled() == 0


def test_one_person_takes_nobody_elses_room(start: Starter, several: ExitStack) -> None:
    server = start(person_spool_bytes=500_000)
    greedy = several.enter_context(server.connects())
    greedy.sendall(request("POST /x/upload/\nCookie: greedy\nContent-Length: 500000") + b"x" * 400_000)
    wait_until(lambda: server.spooled() > 300_000, PATIENCE, "the first is being received")
    for who, status in {"greedy": 503, "other": 200}.items():
        answer = server.asks(f"POST /x/upload/\nCookie: {who}\nContent-Length: 300000", b"x" * 300_000)
        assert answer[0] == status, who
    greedy.close()
    wait_until(lambda: server.spooled() == 0, PATIENCE, "its room is given back")
    again = server.asks("POST /x/upload/\nCookie: greedy\nContent-Length: 400000", b"x" * 400_000)
    assert again[0] == 200


def test_case_12_room_that_the_database_needs_is_given_to_no_body_announced_or_not(
    server: Running, settings: Settings, tmp_path: Path
) -> None:
    settings.VAR_DIR = tmp_path
    settings.DISK_LOW_BYTES = MORE_THAN_ANY_DISK
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (90_000, b"x" * 90_000)
    for text, body in (
        ("Content-Length: 90000\nExpect: 100-continue", b""),
        ("Transfer-Encoding: chunked", chunk),
    ):
        status, _, answer = server.asks(f"POST /x/upload/\n{text}", body)
        assert (status, json.loads(answer)["code"]) == (507, "storage_full")
    assert server.asks("POST /page\nContent-Length: 5", b"small")[0] == 200
    assert (server.spooled(), server.named_files()) == (0, [])


def test_case_12_a_form_whose_file_has_no_room_at_its_end_is_refused_before_it_is_sent_and_a_piece_is_not(
    start: Starter, settings: Settings, tmp_path: Path
) -> None:
    disk = os.statvfs(tmp_path)
    part = disk.f_bavail * disk.f_frsize * 3 // 10
    settings.VAR_DIR, settings.MEDIA_ROOT = tmp_path, tmp_path
    # A fifth of it is the database's: two parts are left, a form takes three
    settings.DISK_LOW_BYTES = 5 * part
    server = start(upload_bytes=part)
    for address, status in {"/objets/upload/": 507, "/api/v1/uploads/": 507, PLACE: 100}.items():
        asked = server.asks(f"PATCH {address}\nContent-Length: {part}\nExpect: 100-continue")
        assert asked[0] == status, address


def test_a_disk_that_fills_up_amid_a_body_ends_it_before_the_database_suffers(
    server: Running, settings: Settings, tmp_path: Path
) -> None:
    settings.VAR_DIR = tmp_path
    with server.connects() as client:
        client.sendall(request("POST /x/upload/\nContent-Length: 900000") + b"x" * 300_000)
        wait_until(lambda: server.spooled() > 0, PATIENCE, "it is being received")
        settings.DISK_LOW_BYTES = MORE_THAN_ANY_DISK
        client.sendall(b"x" * 600_000)
        assert read_answer(client)[0] == 507
    assert server.spooled() == 0


def test_case_11_while_the_database_is_away_an_upload_hears_that_it_may_try_again(
    server: Running,
) -> None:
    status, headers, body = server.asks(
        "POST /x/upload/\nContent-Length: 90000\nExpect: 100-continue\nCookie: away"
    )
    assert (status, json.loads(body)["code"], headers["retry-after"]) == (503, "busy", "5")


@pytest.fixture
def lea(db: None) -> User:
    return User.objects.create_user("lea", display_name="Léa")


def cookie_of(person: User) -> str:
    client = Client()
    client.force_login(person)
    return f"sessionid={client.cookies['sessionid'].value}"


def scope_with(*headers: tuple[str, str]) -> dict[str, Any]:
    return {"headers": [(name.encode(), value.encode()) for name, value in headers]}


def test_somebody_is_known_by_their_session_however_cookies_come(lea: User) -> None:
    cookie = cookie_of(lea)
    for headers in (
        [("cookie", cookie)],
        [("cookie", "theirs=1"), ("cookie", cookie)],
        [("cookie", f'a[b]={{"x":"é"}}; {cookie}')],
        [("cookie", cookie), ("authorization", "Basic bGVhOngx")],
    ):
        assert person_at(scope_with(*headers)) == lea.pk, headers


def test_somebody_is_known_by_a_token_that_holds_and_by_nothing_else(lea: User) -> None:
    _, token = make_token(person=lea, at=timezone.now())
    assert person_at(scope_with(("authorization", f"Bearer {token}"))) == lea.pk
    for headers in (
        [],
        [("cookie", "sessionid=invented")],
        [("authorization", "Bearer invented"), ("cookie", cookie_of(lea))],
    ):
        assert person_at(scope_with(*headers)) is None, headers
    cookie = cookie_of(lea)
    User.objects.update(is_active=False)
    assert person_at(scope_with(("cookie", cookie))) is None
    assert person_at(scope_with(("authorization", f"Bearer {token}"))) is None
