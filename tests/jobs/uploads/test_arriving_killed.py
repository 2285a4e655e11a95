"""kill -9 of the server amid an upload: what it acknowledged is there, and the next process takes the rest."""

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fixtures.services import end_with_parent, free_port, wait_until

PROJECT = Path(__file__).resolve().parents[3]
HOME = "/api/v1/uploads/resumable/"
CONTENT = bytes(range(256)) * 4000
FIRST, SECOND = 600_000, 300_000
MEET = """
import django; django.setup()
from django.core.management import call_command
from django.utils import timezone
call_command("migrate", interactive=False, verbosity=0)
from fablab.people.models import User
from fablab.people.services import make_token
print(make_token(person=User.objects.create_user("lea", display_name="Léa"), at=timezone.now())[1])
"""


@contextmanager
def serving(environment: dict[str, str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "fablab.asgi:application", "--port", str(port)],
        cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=end_with_parent,
    )  # fmt: skip

    def answers() -> bool:
        try:
            return call(port, "", "GET", "/healthz")[0] == 200
        except OSError:
            return False

    try:
        wait_until(answers, 60, "the server answers")
        yield process
    finally:
        process.kill()
        process.wait(20)


def call(
    port: int, token: str, method: str, address: str, body: bytes | None = None, **headers: object
) -> tuple[int, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        told = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request(
            method, address, body, {**told, **{k.replace("_", "-"): str(v) for k, v in headers.items()}}
        )
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers
    finally:
        connection.close()


@pytest.mark.killed
def test_case_14_a_killed_server_leaves_what_it_acknowledged_and_the_next_one_takes_the_rest(
    tmp_path: Path,
) -> None:
    environment = {
        **os.environ,
        "FABLAB_VAR": str(tmp_path / "var"),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'lab.sqlite3'}",
        "REDIS_URL": "",
        "DJANGO_SETTINGS_MODULE": "fablab.settings",
    }
    token = subprocess.run(
        [sys.executable, "-c", MEET], cwd=PROJECT, env=environment, check=True, capture_output=True, text=True
    ).stdout.strip()
    port = free_port()
    octets = "application/offset+octet-stream"
    with serving(environment, port) as process:
        status, told = call(port, token, "POST", HOME, Upload_Length=len(CONTENT))
        assert status == 201
        place = told["Location"]
        assert call(port, "", "PATCH", place, CONTENT[:FIRST], Upload_Offset=0, Content_Type=octets)[0] == 401
        status, _ = call(port, token, "PATCH", place, CONTENT[:FIRST], Upload_Offset=0, Content_Type=octets)
        assert status == 204
        half = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        half.putrequest("PATCH", place)
        for name, value in {
            "Authorization": f"Bearer {token}",
            "Upload-Offset": str(FIRST),
            "Content-Type": octets,
            "Content-Length": str(SECOND),
        }.items():
            half.putheader(name, value)
        half.endheaders(CONTENT[FIRST : FIRST + SECOND // 2])
        spool = tmp_path / "var" / "spool"
        wait_until(lambda: holds_files_in(process.pid, spool), 20, "the second piece is being received")
        process.send_signal(signal.SIGKILL)
        process.wait(20)
        half.close()
    with serving(environment, port):
        status, told = call(port, token, "HEAD", place)
        offset = int(told["Upload-Offset"])
        assert (status, offset) == (200, FIRST)
        sent = {"Upload_Offset": offset, "Content_Type": octets}
        assert call(port, token, "PATCH", place, CONTENT[offset:], **sent)[0] == 204
        status, told = call(port, token, "POST", f"{place}finish/")
        assert status == 201
        [stored] = (tmp_path / "var" / "files" / "uploads").rglob("file")
        assert stored.read_bytes() == CONTENT
        assert not any(path.is_file() for path in (tmp_path / "var" / "files" / "arriving").rglob("*"))


def holds_files_in(pid: int, folder: Path) -> bool:
    """Whether this process has a file open in ``folder``, named or not."""
    links = []
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(str(handle.readlink()))
        except FileNotFoundError:  # closed since it was listed
            continue
    return any(link.startswith(f"{folder}/") for link in links)
