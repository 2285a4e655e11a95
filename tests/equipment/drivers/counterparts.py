"""For each kind of machine a real counterpart: how to reach it, how to miss it, and what it can be given.

The example of docs/drivers.md is one of the kinds here: it is taken from the page as it stands, so that whoever
follows the page has a driver that passes.
"""

import re
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from types import ModuleType

from equipment.drivers.addresses import AllowedAddress, parse_allowed
from equipment.drivers.base import Capabilities, Code, Connection, Driver
from equipment.drivers.registry import KINDS, capabilities_of, make_driver
from tests.fakes.cutter import Cutter
from tests.fixtures.octoprint import PROJECT, OctoPrint, gcode_lasting

PAGE = PROJECT / "docs" / "drivers.md"
EXAMPLE = "engraver"

Made = Callable[[Connection], Driver]


@dataclass(frozen=True)
class Counterpart:
    """A real machine of one kind."""

    good: Connection
    wrong_key: Connection | None = None  # for kinds with keys
    nobody: Connection | None = None  # an allowed address with nothing behind it
    said_of_nobody: Code = Code.CONNECTION_REFUSED
    mute: Connection | None = None  # somebody who accepts and never says a word
    invalid: tuple[str, ...] = ()  # addresses that are none of this kind
    other_spelling: str = ""  # of the same address
    file: bytes = b""  # takes long enough to be seen and stopped
    name: str = "contract-0a1b2c3d.gcode"
    received: Callable[[], bytes] = bytes  # what a machine that keeps no files was given

    @property
    def forbidden(self) -> Connection:
        """The same place, in an installation that allows none."""
        return replace(self.good, allowed=(), folders=())


@dataclass(frozen=True)
class Kind:
    """One line of the contract's table."""

    made: Made
    can: Capabilities
    counterpart: Callable[[Path, Callable[[], OctoPrint]], AbstractContextManager[Counterpart]]
    limited_to_places: bool = True  # the installation says where machines of this kind may be


def _unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _allowed(*ports: int) -> tuple[AllowedAddress, ...]:
    return parse_allowed([f"127.0.0.1:{port}" for port in ports])


@contextmanager
def _web(port: int, key: str, file: bytes) -> Iterator[Counterpart]:
    """What all machines with a web interface have in common."""
    off = _unused_port()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent_port = silent.getsockname()[1]

        def at(port: int, key: str = key) -> Connection:
            return Connection(f"http://127.0.0.1:{port}", key, _allowed(port))

        yield Counterpart(
            good=at(port),
            wrong_key=at(port, "wrong-key"),
            nobody=at(off),
            mute=at(silent_port),
            invalid=("", "127.0.0.1", f"ftp://127.0.0.1:{port}", f"http://user:pass@127.0.0.1:{port}"),
            other_spelling=f"http://127.0.0.1:{port}/",
            file=file,
        )


@contextmanager
def _octoprint(tmp_path: Path, server: Callable[[], OctoPrint]) -> Iterator[Counterpart]:
    real = server()
    with _web(real.port, real.operator_key, gcode_lasting(30)) as counterpart:
        yield counterpart


@contextmanager
def _handover(tmp_path: Path, server: Callable[[], OctoPrint]) -> Iterator[Counterpart]:
    yield Counterpart(good=Connection(""), invalid=("http://127.0.0.1:80",))


@contextmanager
def _folder(tmp_path: Path, server: Callable[[], OctoPrint]) -> Iterator[Counterpart]:
    watched = tmp_path / "machines" / "colette"
    watched.mkdir(parents=True)
    good = Connection(str(watched), folders=(PurePosixPath(tmp_path / "machines"),))
    yield Counterpart(
        good=good,
        nobody=replace(good, address=str(watched.with_name("nobody"))),
        said_of_nobody=Code.FOLDER_MISSING,
        invalid=("", "machines/colette", f"{watched}/../colette", f"file://{watched}", "C:\\machines"),
        other_spelling=f"{watched}/",
        file=b"LA:colette\r" + bytes(range(256)) * 4000,
        name="contract-0a1b2c3d.dst",
    )


@contextmanager
def _rawtcp(tmp_path: Path, server: Callable[[], OctoPrint]) -> Iterator[Counterpart]:
    with Cutter() as cutter:
        off = _unused_port()
        yield Counterpart(
            good=Connection(cutter.address, "", _allowed(cutter.port)),
            nobody=Connection(f"tcp://127.0.0.1:{off}", "", _allowed(off)),
            invalid=("", "127.0.0.1:9100", f"http://127.0.0.1:{cutter.port}", f"{cutter.address}/path"),
            other_spelling=f"TCP://127.0.0.1:{cutter.port}/",
            file=b"IN;SP1;" + b"PU0,0;PD4000,0,4000,4000;" * 20_000 + b"PU;SP0;",
            name="contract-0a1b2c3d.plt",
            received=lambda: bytes(cutter.received),
        )


@contextmanager
def _simulated(tmp_path: Path, server: Callable[[], OctoPrint]) -> Iterator[Counterpart]:
    yield Counterpart(
        good=Connection("simulated://60", machine=f"contract {tmp_path.name}"),
        invalid=("", "simulated://", "simulated://warp", "simulated://0", "http://127.0.0.1"),
        file=b";TIME:3600\nG28\n",
    )


@contextmanager
def _example(tmp_path: Path, server: Callable[[], OctoPrint]) -> Iterator[Counterpart]:
    counterpart = sys.modules[f"{EXAMPLE}.counterpart"]
    with counterpart.running() as port, _web(port, counterpart.KEY, b"LINE 0 0 10 10\n" * 2000) as found:
        yield found


def _read_the_page() -> Made:
    """Make a package of the page's two pieces of code, as a person would with an editor."""
    driver, counterpart = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    package = ModuleType(EXAMPLE)
    sys.modules[EXAMPLE] = package
    for name, code in (("driver", driver), ("counterpart", counterpart)):
        module = ModuleType(f"{EXAMPLE}.{name}")
        sys.modules[module.__name__] = module
        exec(compile(code, f"{PAGE.name}: {name}", "exec"), module.__dict__)
    made: Made = sys.modules[f"{EXAMPLE}.driver"].EngraverDriver
    return made


def _registered(kind: str) -> Made:
    return lambda connection: make_driver(kind, connection)


_COUNTERPARTS = {
    "handover": _handover,
    "octoprint": _octoprint,
    "folder": _folder,
    "rawtcp": _rawtcp,
    "simulated": _simulated,
}
ANYWHERE = {"handover", "simulated"}  # no address leads out of this process


def _table() -> dict[str, Kind]:
    assert set(_COUNTERPARTS) == set(KINDS), "every kind has a counterpart, and every counterpart is a kind"
    found = {
        kind: Kind(_registered(kind), capabilities_of(kind), _COUNTERPARTS[kind], kind not in ANYWHERE)
        for kind in KINDS
    }
    made = _read_the_page()
    return {**found, EXAMPLE: Kind(made, made(Connection("")).capabilities, _example)}


TABLE = _table()
