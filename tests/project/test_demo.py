"""`make demo` as a visitor has it: real OctoPrint servers, the site, accounts that work, and an end that is whole."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.services import free_port, wait_until

pytestmark = [pytest.mark.octoprint, pytest.mark.killed]

Start = Callable[..., "Demo"]
OPEN = "The lab is open"


class Demo:
    """A started `make demo` with its output and its data."""

    def __init__(self, project: Path, var: Path, port: int, log: Path) -> None:
        self.port, self.var, self.log = port, var, log
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "MAKE", "MFLAGS", "DJANGO_"))
        }
        with log.open("wb") as output:
            self.make = subprocess.Popen(
                ["make", "demo"],
                cwd=project,
                env={**inherited, "FABLAB_VAR": str(var), "PORT": str(port)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a terminal of its own, so to say: Ctrl-C goes to its group alone
            )

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_until_open(self) -> dict[str, Any]:
        def is_open() -> bool:
            assert self.make.poll() is None, self.said()
            return OPEN in self.said() and (self.var / "demo.json").exists()

        wait_until(is_open, 240, f"the lab opens:\n{self.said()}")
        content: dict[str, Any] = json.loads((self.var / "demo.json").read_text())
        return content

    def processes(self) -> list[str]:
        """Every process that works for this demonstration, known by its data folder or its port."""
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                settings = (folder / "environ").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if words and (str(self.var) in words or str(self.var) in settings):
                found.append(words)
        return found

    def wait_until_gone(self) -> None:
        self.make.wait(30)
        wait_until(lambda: not self.processes(), 10, f"no process is left: {self.processes()}")


@pytest.fixture
def start(project_folder: Path, tmp_path: Path) -> Iterator[Start]:
    started: list[Demo] = []

    def start_one(var: Path = tmp_path / "var", port: int | None = None) -> Demo:
        demo = Demo(project_folder, var, port or free_port(), tmp_path / f"log-{len(started)}")
        started.append(demo)
        return demo

    yield start_one
    for demo in started:
        if demo.make.poll() is None:
            os.killpg(demo.make.pid, signal.SIGKILL)
            demo.make.wait()


def answers(url: str) -> bool:
    with socket.socket() as connection:
        parts = urllib.parse.urlsplit(url)
        return connection.connect_ex((str(parts.hostname), parts.port or 80)) == 0


def printer_state(printer: dict[str, str]) -> str:
    request = urllib.request.Request(
        printer["url"] + "/api/connection", headers={"X-Api-Key": printer["api_key"]}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return str(json.load(response)["current"]["state"])


def sign_in(url: str, account: dict[str, str]) -> dict[str, Any]:
    """Sign in as a program does and return what the site knows about this person."""
    request = urllib.request.Request(
        f"{url}/api/v1/auth/token/",
        data=json.dumps({part: account[part] for part in ("username", "password")}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        token = json.load(response)["token"]
    request = urllib.request.Request(f"{url}/api/v1/me/", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as response:
        person: dict[str, Any] = json.load(response)
    return person


def test_a_lab_with_real_printers_opens_keeps_its_data_and_ends_whole(
    start: Start, project_folder: Path
) -> None:
    first = start()
    lab = first.wait_until_open()

    summary = first.var / "demo.json"
    assert summary.stat().st_mode & 0o777 == 0o600
    assert lab["url"] == f"http://127.0.0.1:{first.port}"
    assert {frozenset(account) for account in lab["accounts"]} == {
        frozenset({"username", "password", "role", "site"})
    }
    assert {account["role"] for account in lab["accounts"]} == {"member", "instructor", "staff", "manager"}
    assert {frozenset(printer) for printer in lab["printers"]} == {frozenset({"name", "url", "api_key"})}
    assert [printer_state(printer) for printer in lab["printers"]] == ["Operational", "Operational"]
    for account in lab["accounts"]:
        assert account["username"] in first.said()
    for account in lab["accounts"]:
        assert account["username"] in json.dumps(sign_in(lab["url"], account))
    with pytest.raises(urllib.error.HTTPError) as refused:
        sign_in(lab["url"], {**lab["accounts"][0], "password": "not the password"})
    with refused.value as answer:
        assert answer.code in {400, 401, 403}

    # Ctrl-C in a terminal goes to make and to everything it started.
    os.killpg(first.make.pid, signal.SIGINT)
    first.wait_until_gone()
    assert not any(answers(printer["url"]) for printer in lab["printers"])

    began = time.monotonic()
    second = start(port=first.port)
    assert second.wait_until_open() == lab  # the same accounts, passwords, printers and keys
    assert time.monotonic() - began < 30

    # SIGINT to make alone: make keeps it to itself and waits.
    second.make.send_signal(signal.SIGINT)
    second.wait_until_gone()

    third = start(port=first.port)
    third.wait_until_open()
    # Nobody can answer a kill -9, so the kernel tells the others.
    third.make.kill()
    third.wait_until_gone()

    reset = subprocess.run(
        ["make", "demo-reset"],
        cwd=project_folder,
        env={**os.environ, "FABLAB_VAR": str(first.var)},
        capture_output=True,
        text=True,
    )
    assert reset.returncode == 0, reset.stderr
    assert not summary.exists()
    assert not (first.var / "demo").exists()


def test_a_taken_port_is_named_with_a_way_out_before_anything_starts(start: Start) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        demo = start(port=other.getsockname()[1])
        assert demo.make.wait(60) != 0
    assert f"Port {demo.port} is taken by another program" in demo.said()
    assert f"PORT={demo.port + 1} make demo" in demo.said()
    assert OPEN not in demo.said()
    assert not (demo.var / "demo.json").exists()
