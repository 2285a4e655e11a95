"""Answers: taken whole off the page thread, files sent by the loop, with ranges."""

import json
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from fablab.front.ranges import Unsatisfiable, asked_part
from tests.fablab.front.conftest import (
    PATIENCE,
    Running,
    Starter,
    open_files,
    read_answer,
    request,
    seconds_for,
)
from tests.fixtures.services import wait_until

MODEL = bytes(range(256)) * 40


def test_fifty_trickling_downloads_hold_no_page_thread(start: Starter, several: ExitStack) -> None:
    server = start(page_threads=2)
    (server.application.folder / "big").write_bytes(b"g" * 20_000_000)
    idle = sorted(seconds_for(server, 20))
    clients = []
    for number in range(50):
        client = several.enter_context(socket.socket())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(PATIENCE)
        client.connect(("127.0.0.1", server.port))
        client.sendall(request(f"GET {'/sent/big' if number % 2 else '/long'}"))
        assert client.recv(100).startswith(b"HTTP/1.1 200 OK")
        clients.append(client)
    for _ in range(5):
        for client in clients:
            assert client.recv(100)
        busy = sorted(seconds_for(server, 4))
        assert busy[-1] < max(1.0, 10 * idle[-1])
    several.close()
    wait_until(lambda: server.spooled() == 0, PATIENCE, "the room of answers nobody reads is given back")


def test_a_file_is_sent_under_the_views_headers_and_its_path_is_not_told(server: Running) -> None:
    status, headers, body = server.asks("GET /sent/model.stl")
    assert (status, body) == (200, MODEL)
    assert headers["content-type"] == "text/plain"
    assert headers["content-length"] == str(len(MODEL))
    assert headers["accept-ranges"] == "bytes"
    assert "x-send-file" not in headers


@pytest.mark.parametrize(
    ("asked", "part", "place"),
    [
        ("bytes=0-0", MODEL[:1], "bytes 0-0/10240"),
        ("bytes=100-199", MODEL[100:200], "bytes 100-199/10240"),
        ("bytes=10000-", MODEL[10_000:], "bytes 10000-10239/10240"),
        ("bytes=-5", MODEL[-5:], "bytes 10235-10239/10240"),
        ("bytes=10000-999999", MODEL[10_000:], "bytes 10000-10239/10240"),
    ],
)
def test_a_part_of_a_file(server: Running, asked: str, part: bytes, place: str) -> None:
    status, headers, body = server.asks(f"GET /sent/model.stl\nRange: {asked}")
    assert (status, body, headers["content-range"]) == (206, part, place)


def test_a_part_behind_the_end_is_416(server: Running) -> None:
    status, headers, body = server.asks("GET /sent/model.stl\nRange: bytes=10240-")
    assert (status, headers["content-range"], body) == (416, "bytes */10240", b"")


def test_a_download_goes_on_only_with_the_same_file(server: Running) -> None:
    etag = server.asks("GET /sent/model.stl")[1]["etag"]
    ask = "GET /sent/model.stl\nRange: bytes=5-\nIf-Range: "
    assert server.asks(ask + etag)[0] == 206
    assert server.asks(ask + '"another"')[0] == 200


def test_head_tells_the_size_and_sends_nothing(server: Running) -> None:
    with server.connects() as client:
        client.sendall(request("HEAD /sent/model.stl\nConnection: close"))
        data = b""
        while more := client.recv(65_536):
            data += more
    head, _, body = data.partition(b"\r\n\r\n")
    assert b"content-length: 10240" in head.lower()
    assert body == b""


@pytest.mark.parametrize("name", ["../secret", "link", "nothing", "folder", "../files/../secret"])
def test_nothing_outside_the_folders_and_nothing_but_plain_files_is_sent(
    server: Running, tmp_path: Path, name: str
) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (server.application.folder / "folder").mkdir()
    (server.application.folder / "link").symlink_to(tmp_path / "secret")
    status, _, body = server.asks(f"GET /sent/{name}")
    assert status in {404, 500}
    assert body == b""


def test_a_file_that_django_wraps_is_sent_whole(server: Running) -> None:
    status, headers, body = server.asks("GET /wrapped")
    assert (status, headers["content-length"], body) == (200, "10240", MODEL)


def test_a_long_answer_is_sent_whole(server: Running) -> None:
    status, headers, body = server.asks("GET /long")
    assert (status, headers["content-length"], len(body)) == (200, str(256 * 65_536), 256 * 65_536)
    wait_until(lambda: server.spooled() == 0, PATIENCE, "its room is given back")


def test_who_takes_nothing_is_left(start: Starter) -> None:
    server = start(idle=0.3)
    (server.application.folder / "big").write_bytes(b"g" * 20_000_000)
    with server.connects() as client:
        client.sendall(request("GET /sent/big"))

        wait_until(lambda: open_files(server.application.folder), PATIENCE, "the file is being sent")
        wait_until(lambda: not open_files(server.application.folder), PATIENCE, "the client is left")


def test_a_page_that_breaks_is_a_500_in_words_and_the_next_one_works(server: Running) -> None:
    status, _, body = server.asks("GET /broken")
    assert (status, json.loads(body)["code"]) == (500, "internal_error")
    assert seconds_for(server, 1)


def test_an_answer_without_a_body_has_no_length(server: Running) -> None:
    with server.connects() as client:
        client.sendall(request("GET /none"))
        status, headers, _ = read_answer(client)
        assert (status, "content-length" in headers) == (204, False)
        client.sendall(request("GET /page"))
        assert read_answer(client)[2] == b"a page"


@pytest.mark.parametrize(
    "asked", [None, "", "bytes=-", "bytes=1-2,4-5", "lines=1-2", "bytes=5-2", "bytes=a-b"]
)
def test_what_is_not_understood_means_the_whole_file(asked: str | None) -> None:
    assert asked_part(asked, 10) is None


@pytest.mark.parametrize(("asked", "size"), [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=0-", 0)])
def test_what_lies_behind_the_end_cannot_be_had(asked: str, size: int) -> None:
    with pytest.raises(Unsatisfiable):
        asked_part(asked, size)
