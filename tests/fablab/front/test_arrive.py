"""Pieces of files: what came before the line was cut is handed on, and who asks how far it is hears the truth."""

import http.client

from tests.fablab.front.conftest import PATIENCE, Running, Starter, read_answer, request
from tests.fixtures.services import wait_until

PLACE = "/api/v1/uploads/resumable/23456789abcdef/"


def how_far(server: Running, address: str) -> int:
    """Ask with HEAD; return the status."""
    asking = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    try:
        asking.request("HEAD", address)
        return asking.getresponse().status
    finally:
        asking.close()


def pieces(server: Running) -> list[int]:
    """Return how many bytes of each piece the application was given."""
    return [call["size"] for call in server.application.calls if call["REQUEST_METHOD"] == "PATCH"]


def test_case_14_a_piece_whose_line_is_cut_is_handed_on_as_far_as_it_came(server: Running) -> None:
    with server.connects() as client:
        client.sendall(request(f"PATCH {PLACE}\nContent-Length: 400000") + b"x" * 396_000)
        wait_until(lambda: server.spooled() > 300_000, PATIENCE, "most of it has come")
    wait_until(lambda: pieces(server), PATIENCE, "the application hears of it")
    assert 300_000 < pieces(server)[0] <= 396_000
    assert server.application.calls[0]["CONTENT_LENGTH"] == str(pieces(server)[0])
    wait_until(lambda: server.spooled() == 0, PATIENCE, "its room is given back")


def test_a_small_piece_that_is_cut_is_handed_on_too_and_one_without_a_byte_ends_nothing(
    server: Running,
) -> None:
    with server.connects() as client:
        client.sendall(request(f"PATCH {PLACE}\nContent-Length: 400000") + b"x" * 100)
        status, _, _ = server.asks(f"GET {PLACE}")  # by now the piece has begun
    assert status == 200
    wait_until(lambda: pieces(server), PATIENCE, "the application hears of it")
    assert server.asks(f"PATCH {PLACE}\nContent-Length: 5", b"solid")[0] == 200
    assert pieces(server)[-1] == 5


def test_who_asks_how_far_it_is_ends_the_piece_that_only_seems_to_come_and_hears_of_it(
    server: Running,
) -> None:
    with server.connects() as silent:
        silent.sendall(request(f"PATCH {PLACE}\nContent-Length: 400000") + b"x" * 200_000)
        wait_until(lambda: server.spooled() >= 150_000, PATIENCE, "it is being received")
        assert how_far(server, "/api/v1/uploads/resumable/another2345678/") == 200
        assert pieces(server) == []
        assert how_far(server, PLACE) == 200
        assert [call["REQUEST_METHOD"] for call in server.application.calls] == ["HEAD", "PATCH", "HEAD"]
        assert 150_000 <= pieces(server)[0] <= 200_000
        assert read_answer(silent)[0] == 408


def test_a_piece_that_trickles_to_a_halt_is_handed_on_and_its_sender_told(start: Starter) -> None:
    server = start(idle=0.5)
    with server.connects() as client:
        client.sendall(request(f"PATCH {PLACE}\nContent-Length: 400000\nAccept-Language: fr") + b"x" * 500)
        status, _, _ = read_answer(client)
    assert (status, pieces(server)) == (408, [500])


def test_elsewhere_and_by_another_verb_half_a_body_is_nothing(server: Running) -> None:
    for line in (f"POST {PLACE}", "PATCH /api/v1/uploads/"):
        with server.connects() as client:
            client.sendall(request(f"{line}\nContent-Length: 4000") + b"x" * 2000)
        assert server.asks("GET /page")[0] == 200  # after the cut was heard
    assert {call["REQUEST_METHOD"] for call in server.application.calls} == {"GET"}


def test_a_piece_is_limited_like_any_upload(start: Starter) -> None:
    server = start(upload_bytes=1_000_000)
    status, _, _ = server.asks(f"PATCH {PLACE}\nContent-Length: 1000001\nExpect: 100-continue")
    assert (status, pieces(server)) == (413, [])
    with server.connects() as client:
        client.sendall(request(f"PATCH {PLACE}\nTransfer-Encoding: chunked"))
        for _ in range(30):
            client.sendall(b"%x\r\n%s\r\n" % (50_000, b"x" * 50_000))
        client.sendall(b"0\r\n\r\n")
        assert read_answer(client)[0] == 413
    assert (pieces(server), server.spooled()) == ([], 0)


def test_a_piece_that_is_long_on_its_way_is_told_of_while_it_comes_and_not_at_each_byte(
    start: Starter,
) -> None:
    server = start(window=0.2, window_bytes=1)
    with server.connects() as client:
        client.sendall(request(f"PATCH {PLACE}\nContent-Length: 400000\nCookie: sami") + b"x" * 10)
        wait_until(lambda: server.told, PATIENCE, "it is told once")
        assert server.told == [("sami", PLACE)]

        def told_again() -> bool:
            client.sendall(b"x")
            return len(server.told) > 2

        wait_until(told_again, PATIENCE, "it is told again and again")
    assert {*server.told} == {("sami", PLACE)}


def test_what_comes_whole_to_another_address_keeps_nobodys_file(server: Running) -> None:
    server.asks("POST /x/upload/\nContent-Length: 200000", b"x" * 200_000)
    assert server.told == []
