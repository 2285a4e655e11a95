"""Bodies: received by the loop, limited, spooled; a page thread is taken when everything is there."""

import json
import os
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fablab.core.disk import Short, short_of_room
from tests.fablab.front.conftest import (
    PATIENCE,
    Running,
    SmallFiles,
    Starter,
    read_answer,
    request,
    seconds_for,
)
from tests.fixtures.services import wait_until


def test_fifty_trickling_uploads_hold_no_page_thread(start: Starter, several: ExitStack) -> None:
    server = start(page_threads=2)
    idle = sorted(seconds_for(server, 20))
    clients = [several.enter_context(server.connects()) for _ in range(50)]
    for client in clients:
        client.sendall(request("POST /api/v1/uploads/\nContent-Length: 300000") + b"x" * 200_000)
    wait_until(lambda: server.spooled() > 50 * 65_536, PATIENCE, "every upload is being spooled")
    for _ in range(5):
        for client in clients:
            client.sendall(b"x")
        busy = sorted(seconds_for(server, 4))
        assert busy[-1] < max(1.0, 10 * idle[-1])
    assert not [call for call in server.application.calls if call["PATH_INFO"] != "/page"]
    for client in clients:
        client.sendall(b"x" * 99_995)
        assert read_answer(client)[0] == 200
    received = [call for call in server.application.calls if call["PATH_INFO"] != "/page"]
    assert [call["size"] for call in received] == [300_000] * 50
    assert server.spooled() == 0


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 262_144, 5_000_001])
def test_a_body_arrives_whole_whatever_its_size(server: Running, size: int) -> None:
    status, _, _ = server.asks(f"POST /api/v1/uploads/\nContent-Length: {size}", b"z" * size)
    call = server.application.calls[-1]
    assert (status, call["size"], call["CONTENT_LENGTH"]) == (200, size, str(size))


def test_a_body_in_chunks_without_a_length_arrives_whole(server: Running) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [b"solid", b"y" * 300_000, b"end"])
    status, _, _ = server.asks("POST /api/v1/uploads/\nTransfer-Encoding: chunked", chunks + b"0\r\n\r\n")
    call = server.application.calls[-1]
    assert (status, call["size"], call["beginning"][:5]) == (200, 300_008, b"solid")
    assert call["CONTENT_LENGTH"] == "300008"
    assert "HTTP_TRANSFER_ENCODING" not in call


def test_what_is_declared_too_large_is_refused_before_it_is_sent(server: Running) -> None:
    status, headers, body = server.asks(
        "POST /api/v1/uploads/\nContent-Length: 60000000\nExpect: 100-continue\nAccept-Language: fr"
    )
    problem = json.loads(body)
    assert (status, headers["content-type"]) == (413, "application/problem+json")
    assert problem["code"] == "too_large"
    assert problem["problems"][0]["params"] == {"limit_bytes": 50_000_000}
    assert problem["detail"] == "C'est trop gros : 50 Mo au plus."
    assert server.application.calls == []


def test_what_turns_out_too_large_without_a_length_is_refused_and_leaves_nothing(start: Starter) -> None:
    server = start(upload_bytes=1_000_000)
    with server.connects() as client:
        client.sendall(request("POST /api/v1/uploads/\nTransfer-Encoding: chunked"))
        for _ in range(30):
            client.sendall(b"%x\r\n%s\r\n" % (50_000, b"x" * 50_000))
        client.sendall(b"0\r\n\r\n")
        assert read_answer(client)[0] == 413
    assert server.application.calls == []
    assert (server.spooled(), server.named_files()) == (0, [])


def test_only_upload_addresses_take_large_bodies(server: Running) -> None:
    for path, status in {
        "/api/v1/uploads/": 200,
        "/objets/nouveau/deposer/": 200,
        "/jobs/new/upload/": 200,
        "/api/v1/jobs/": 413,
        "/api/v1/uploads/7/": 413,
        "/": 413,
    }.items():
        assert server.asks(f"POST {path}\nContent-Length: 200000", b"x" * 200_000)[0] == status, path


@pytest.mark.parametrize(
    ("language", "sentence", "direction"),
    [("fr-FR,fr;q=0.9", "C&#x27;est trop gros : 50 Mo au plus.", "ltr"), ("ar", "", "rtl")],
)
def test_a_person_reads_a_page_in_their_language(
    server: Running, language: str, sentence: str, direction: str
) -> None:
    status, headers, body = server.asks(
        f"POST /deposer/\nContent-Length: 60000000\nAccept: text/html\nAccept-Language: {language}\n"
        "Expect: 100-continue"
    )
    page = body.decode()
    assert (status, headers["content-type"]) == (413, "text/html; charset=utf-8")
    assert f'dir="{direction}"' in page
    assert sentence in page
    assert '<a href="/deposer/">' in page


def test_a_client_that_is_still_sending_reads_why_it_is_refused(server: Running) -> None:
    with server.connects() as client:
        client.sendall(request("POST /api/v1/uploads/\nContent-Length: 60000000"))
        for _ in range(60):
            client.sendall(b"x" * 1_000_000)
        assert read_answer(client)[0] == 413


def test_an_upload_that_is_cut_off_leaves_nothing_and_is_not_told_to_the_application(server: Running) -> None:
    client = server.connects()
    client.sendall(request("POST /api/v1/uploads/\nContent-Length: 9000000") + b"x" * 8_900_000)
    wait_until(lambda: server.spooled() > 8_000_000, PATIENCE, "the upload is nearly there")
    client.close()
    wait_until(lambda: server.spooled() == 0, PATIENCE, "its room is given back")
    assert server.named_files() == []
    assert seconds_for(server, 1)
    assert [call["PATH_INFO"] for call in server.application.calls] == ["/page"]


def test_a_client_that_falls_silent_is_told_so_and_leaves_nothing(start: Starter) -> None:
    server = start(idle=0.3)
    with server.connects() as client:
        client.sendall(request("POST /api/v1/uploads/\nContent-Length: 900000") + b"x" * 300_000)
        status, _, body = read_answer(client)
    assert (status, json.loads(body)["code"]) == (408, "too_slow")
    wait_until(lambda: server.spooled() == 0, PATIENCE, "its room is given back")


def test_a_client_that_sends_next_to_nothing_is_told_so(start: Starter) -> None:
    server = start(idle=5.0, window=0.3, window_bytes=1000)
    with server.connects() as client:
        client.sendall(request("POST /api/v1/uploads/\nContent-Length: 900000"))
        client.setblocking(False)
        deadline = time.monotonic() + PATIENCE
        answered = b""
        while not answered:
            assert time.monotonic() < deadline
            client.send(b"x")
            time.sleep(0.05)  # this is the trickle
            try:
                answered = client.recv(64)
            except BlockingIOError:
                answered = b""
    assert answered.startswith(b"HTTP/1.1 408 ")


@pytest.mark.killed
def test_a_full_disk_is_said_in_words_and_nobody_else_suffers(
    server: Running, small_files: SmallFiles
) -> None:
    with small_files(1_000_000), server.connects() as other:
        other.sendall(request("POST /api/v1/uploads/\nContent-Length: 400000") + b"x" * 300_000)
        wait_until(lambda: server.spooled() > 0, PATIENCE, "the other upload is under way")
        status, _, body = server.asks("POST /api/v1/uploads/\nContent-Length: 3000000", b"x" * 3_000_000)
        problem = json.loads(body)
        assert (status, problem["code"]) == (507, "storage_full")
        assert problem["detail"] == "Il n'y a plus de place ici. Préviens l'équipe."
        other.sendall(b"x" * 100_000)
        assert read_answer(other)[0] == 200
    assert (server.spooled(), server.named_files()) == (0, [])
    assert seconds_for(server, 1)
    refused = short_of_room(datetime.now(UTC))
    assert refused is not None and refused[0] is Short.REFUSED, "the work list tells those on duty"


def test_memory_stays_flat_for_six_hundred_megabytes(start: Starter) -> None:
    server = start(upload_bytes=700_000_000)

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    before = resident()
    block = b"x" * 1_000_000
    most = 0
    with server.connects() as client:
        client.sendall(request("POST /api/v1/uploads/\nContent-Length: 600000000"))
        for _ in range(600):
            client.sendall(block)
            most = max(most, resident())
        client.settimeout(60)
        assert read_answer(client)[0] == 200
    assert server.application.calls[-1]["size"] == 600_000_000
    assert most - before < 50_000_000


def test_what_an_earlier_run_left_is_swept_at_start_and_what_is_new_stays(
    start: Starter, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    for name, age in {"old.upload": 90_000, "new.upload": 60}.items():
        (spool / name).write_bytes(b"x")
        os.utime(spool / name, (time.time() - age, time.time() - age))
    assert start().named_files() == ["new.upload"]


def test_a_header_with_an_underscore_cannot_pose_as_one_with_a_dash(server: Running) -> None:
    server.asks("GET /page\nX_Forwarded_Proto: https\nX-Real: yes\nCookie: a=1\nCookie: b=2")
    call = server.application.calls[-1]
    assert "HTTP_X_FORWARDED_PROTO" not in call
    assert (call["HTTP_X_REAL"], call["HTTP_COOKIE"]) == ("yes", "a=1; b=2")


def test_an_address_reaches_the_application_as_it_was_meant(server: Running) -> None:
    server.asks("GET /caf%C3%A9/x?a=%C3%A9&b=1")
    call = server.application.calls[-1]
    assert call["PATH_INFO"].encode("latin-1").decode() == "/café/x"
    assert (call["QUERY_STRING"], call["REQUEST_METHOD"]) == ("a=%C3%A9&b=1", "GET")
    assert call["REMOTE_ADDR"] == "127.0.0.1"


def test_several_requests_share_a_connection(server: Running) -> None:
    with server.connects() as client:
        for _ in range(3):
            client.sendall(request("GET /page"))
            assert read_answer(client)[2] == b"a page"
