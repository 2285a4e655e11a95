"""The starter of real OctoPrint servers, by its own command line."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fixtures.octoprint import PROJECT, free_ports, gcode_lasting, running, starts_in_log

pytestmark = pytest.mark.octoprint
COMMAND = [sys.executable, "-m", "fablab.demo.octoprint_server"]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def await_gone(pid: int, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while is_alive(pid):
        assert time.monotonic() < deadline, f"process {pid} outlived its starter by {seconds} s"
        time.sleep(0.1)


def test_it_needs_nothing_but_the_standard_library() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-m", "fablab.demo.octoprint_server", "--help"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert "--base-port" in done.stdout


def test_several_servers_have_ports_keys_and_accounts_of_their_own() -> None:
    with running(2) as (servers, _):
        first, second = servers
        assert second.port == first.port + 1
        assert (first.name, second.name) == ("printer-1", "printer-2")
        keys = {key for server in servers for key in (server.api_key, server.operator_key, server.viewer_key)}
        assert len(keys) == 6
        for server in servers:
            assert server.ask("/api/version")["server"] == server.version
            who = {key: server.ask("/api/currentuser", key=key)["name"] for key in sorted(keys) if key}
            assert sorted(name for name in who.values() if name) == ["lab", "operator", "viewer"]
        folders = [server.basedir for server in servers]
    assert not any(folder.exists() for folder in folders), "temporary folders are removed"


def test_a_kept_folder_keeps_keys_and_files(tmp_path: Path) -> None:
    with running(data_dir=tmp_path) as ((first,), _):
        first.upload("kept.gcode", gcode_lasting(1))
    with running(data_dir=tmp_path) as ((second,), _):
        assert (second.operator_key, second.password) == (first.operator_key, first.password)
        assert second.ask("/api/files/local/kept.gcode")["size"] == len(gcode_lasting(1))


def test_the_log_is_a_witness_of_every_start() -> None:
    with running() as ((server,), _):
        assert starts_in_log(server) == []
        server.upload("one.gcode", gcode_lasting(0.3))
        for _ in range(2):
            server.ask("/api/files/local/one.gcode", {"command": "select", "print": True})
            server.await_state("Printing", "Finishing")
            server.await_state("Operational")
        starts = starts_in_log(server)
    assert [(start.path, start.origin, start.user) for start in starts] == [("one.gcode", "local", "lab")] * 2
    assert starts[0].at < starts[1].at


def test_a_port_that_is_taken_is_said_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*COMMAND, "--base-port", str(port)], cwd=PROJECT, capture_output=True, text=True, timeout=120
        )
    assert (done.returncode, done.stdout) == (2, "")
    assert f"port {port} is taken" in done.stderr


@pytest.mark.parametrize("with_signal", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_servers_end_with_their_starter_however_it_ends(with_signal: signal.Signals, tmp_path: Path) -> None:
    starter = subprocess.Popen(
        [*COMMAND, "--base-port", str(free_ports(1)), "--data-dir", str(tmp_path)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert starter.stdout is not None
        server = json.loads(starter.stdout.readline())
        assert is_alive(server["pid"])
        starter.send_signal(with_signal)
        status = starter.wait(30)
    finally:
        starter.kill()
        starter.wait(30)
        if starter.stdout is not None:
            starter.stdout.close()
    await_gone(server["pid"])
    assert status == (-signal.SIGKILL if with_signal is signal.SIGKILL else 0)


def test_a_server_that_is_not_asked_back_stays_away() -> None:
    with running() as ((server,), starter):
        os.kill(server.pid, signal.SIGKILL)
        assert starter.wait(30) == 1
