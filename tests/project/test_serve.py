"""`manage.py serve`: one process for a whole lab. It starts only when it can, and ends in seconds."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.fixtures.services import end_with_parent, free_port, wait_until

pytestmark = pytest.mark.killed

PROJECT = Path(__file__).resolve().parents[2]
Manage = Callable[..., "subprocess.Popen[str]"]
OURS = (
    "SECRET_KEY",
    "MACHINE_",
    "DATABASE_URL",
    "REDIS_URL",
    "DEBUG",
    "ALLOWED_HOSTS",
    "HTTPS",
    "FABLAB_",
    "DJANGO_",
)


def plain_environment(var: Path, **settings: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**inherited, "FABLAB_VAR": str(var), **settings}


@pytest.fixture(scope="session")
def new_installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an up to date database and styles, made once."""
    var = tmp_path_factory.mktemp("installation")
    for words in (["migrate", "--verbosity", "0"], ["collectstatic", "--noinput", "--verbosity", "0"]):
        subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=PROJECT,
            env=plain_environment(var),
            check=True,
            timeout=120,
        )
    return var


@pytest.fixture
def installed(new_installation: Path, tmp_path: Path) -> Path:
    """An installation of this test's own."""
    return shutil.copytree(new_installation, tmp_path / "var")


@pytest.fixture
def manage(tmp_path: Path) -> Iterator[Manage]:
    """Return a function that starts a command of manage.py on this test's installation."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str, **settings: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "manage.py", *words],
            cwd=PROJECT,
            env=plain_environment(tmp_path / "var", **settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=end_with_parent,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def status(url: str) -> int:
    """Return the HTTP status, 0 when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code
    except OSError:
        return 0


def wait_until_ready(process: "subprocess.Popen[str]", port: int) -> None:
    def ready() -> bool:
        assert process.poll() is None, process.communicate()[0]
        return status(f"http://127.0.0.1:{port}/readyz") == 200

    wait_until(ready, 30, "the site is ready to serve")


def ended_with(process: "subprocess.Popen[str]", seconds: float) -> tuple[int, str]:
    """Return status and output of a process that has to end by itself within ``seconds``."""
    said, _ = process.communicate(timeout=seconds)
    return process.returncode, said


def test_it_serves_pages_and_websockets_and_ends_within_seconds_with_a_page_open(
    manage: Manage, installed: Path
) -> None:
    port = free_port()
    site = manage("serve", "--port", str(port))
    wait_until_ready(site, port)
    assert status(f"http://127.0.0.1:{port}/healthz") == 200
    # Somebody's browser keeps a connection and says nothing.
    with socket.create_connection(("127.0.0.1", port)):
        began = time.monotonic()
        site.send_signal(signal.SIGTERM)
        code, said = ended_with(site, 15)
    assert code == 0, said
    assert time.monotonic() - began < 8
    assert "Traceback" not in said


def test_without_an_account_the_websocket_is_refused_and_the_site_goes_on(
    manage: Manage, installed: Path
) -> None:
    port = free_port()
    site = manage("serve", "--port", str(port))
    wait_until_ready(site, port)
    with (
        pytest.raises(Exception, match=r"403|401|4401|rejected"),
        connect(
            f"ws://127.0.0.1:{port}/ws/v1/live/",
            origin=Origin(f"http://127.0.0.1:{port}"),
        ) as line,
    ):
        line.recv(timeout=5)
    assert status(f"http://127.0.0.1:{port}/readyz") == 200


def test_a_second_process_on_the_same_database_is_refused_and_the_first_goes_on(
    manage: Manage, installed: Path
) -> None:
    port = free_port()
    first = manage("serve", "--port", str(port))
    wait_until_ready(first, port)
    code, said = ended_with(manage("serve", "--port", str(free_port())), 30)
    assert code != 0
    assert "Another process already serves this installation" in said
    assert status(f"http://127.0.0.1:{port}/readyz") == 200


def test_after_a_kill_it_starts_again_at_once(manage: Manage, installed: Path) -> None:
    port = free_port()
    first = manage("serve", "--port", str(port))
    wait_until_ready(first, port)
    first.kill()
    first.wait(10)
    wait_until_ready(manage("serve", "--port", str(port)), port)


def test_missing_migrations_keep_it_from_starting_unless_it_may_apply_them(
    manage: Manage, installed: Path
) -> None:
    code, said = ended_with(manage("migrate", "notices", "zero", "--verbosity", "0"), 60)
    assert code == 0, said
    code, said = ended_with(manage("serve", "--port", str(free_port())), 30)
    assert code != 0
    assert "migrations are missing" in said
    assert "--migrate" in said
    port = free_port()
    wait_until_ready(manage("serve", "--migrate", "--port", str(port)), port)


def test_a_taken_port_is_named_with_a_way_out(manage: Manage, installed: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        code, said = ended_with(manage("serve", "--port", str(other.getsockname()[1])), 30)
    assert code != 0
    assert "Another port" in said
    assert "Traceback" not in said


def test_a_placeholder_secret_keeps_it_from_starting(manage: Manage, installed: Path) -> None:
    code, said = ended_with(manage("serve", "--port", str(free_port()), SECRET_KEY="changeme"), 30)
    assert code != 0
    assert "SECRET_KEY is a placeholder" in said


def test_an_installation_without_a_manager_says_how_to_make_one(manage: Manage, installed: Path) -> None:
    port = free_port()
    site = manage("serve", "--port", str(port))
    wait_until_ready(site, port)
    site.send_signal(signal.SIGINT)
    code, said = ended_with(site, 15)
    assert code == 0, said
    assert "manage.py create_manager" in said


@pytest.mark.parametrize("command", ["supervise", "work"])
def test_the_parts_of_a_scaled_installation_end_within_seconds_too(
    command: str, manage: Manage, installed: Path, redis_server: str
) -> None:
    process = manage(command, REDIS_URL=redis_server)
    status_file = Path(f"/proc/{process.pid}/status")

    def listens_to_sigterm() -> bool:
        assert process.poll() is None, process.communicate()[0]
        caught = next(line for line in status_file.read_text().splitlines() if line.startswith("SigCgt:"))
        return bool(int(caught.split()[1], 16) & (1 << (signal.SIGTERM - 1)))

    wait_until(listens_to_sigterm, 30, f"{command} listens to SIGTERM")
    process.send_signal(signal.SIGTERM)
    code, said = ended_with(process, 10)
    assert code == 0, said
    assert "Traceback" not in said
