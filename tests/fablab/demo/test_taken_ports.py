"""A port that another program takes between our look and the printer's own costs a retry, never a traceback."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fablab.demo import __main__ as demo
from fablab.demo.octoprint_install import Failure
from fablab.demo.octoprint_server import HOST, Options, PortTaken, Server, is_free
from fablab.demo.places import Places, read_kept


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        yield other.getsockname()[1]


class PrintersThatFindTheirPort:
    """Stands for the thread with the servers: it starts each, without the minute that OctoPrint takes."""

    ended = 0

    def __init__(self, where: Places, ports: list[int]) -> None:
        self._ports = ports

    def start(self) -> None:
        """Nothing: ``wait`` looks."""

    def wait(self, asked: threading.Event) -> list[dict[str, Any]]:
        for port in self._ports:
            if not is_free(port):
                raise PortTaken(port)
        return [{"name": str(port)} for port in self._ports]

    def end(self) -> None:
        type(self).ended += 1


class SeedThatWaits:
    def __init__(self, settings: dict[str, str]) -> None:
        self.settings = settings

    def end(self) -> None:
        """Nothing was begun."""


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setattr(demo, "Printers", PrintersThatFindTheirPort)
    monkeypatch.setattr(demo, "Seed", SeedThatWaits)
    monkeypatch.setattr(PrintersThatFindTheirPort, "ended", 0)
    (tmp_path / "demo").mkdir()
    return Places(tmp_path)


def free() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def test_a_server_whose_port_is_taken_says_which_one(taken: int, tmp_path: Path) -> None:
    server = Server("printer-1", taken, tmp_path, Path("/nowhere/python"), Options())

    with pytest.raises(PortTaken, match=str(taken)):
        server.start()


def test_the_printers_get_other_ports_and_everything_knows_them(
    where: Places, taken: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = free()
    wishes = iter([[taken, other], [free(), other]])
    monkeypatch.setattr(demo, "printer_ports", lambda kept: next(wishes))
    beginning = demo.Beginning(where, "secret", [])

    found = beginning.begin(threading.Event())

    ports = [int(printer["name"]) for printer in found]
    assert taken not in ports
    assert read_kept(where)["ports"] == ports
    assert beginning.settings["MACHINE_NETWORKS"] == ",".join(f"{HOST}:{port}" for port in ports)
    assert PrintersThatFindTheirPort.ended == 1
    assert f"Port {taken} was just taken" in capsys.readouterr().out


def test_when_no_port_stays_free_one_sentence_says_so(
    where: Places, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "printer_ports", lambda kept: [taken])

    with pytest.raises(Failure) as refusal:
        demo.Beginning(where, "secret", []).begin(threading.Event())

    assert str(taken) in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert PrintersThatFindTheirPort.ended == demo.PORT_TRIES
