"""At which level a test proves something, and how a case names its proofs."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """What stands around the code under test."""

    U = "U"  # nothing: pure or property test
    D = "D"  # Django, database and HTTP in one process
    F = "F"  # a machine that answers as it is told to, with recorded answers and faults to order
    R = "R"  # a real OctoPrint with its virtual printer
    K = "K"  # real processes killed, frozen, starved, or many at once
    B = "B"  # a headless browser


@dataclass(frozen=True)
class Proof:
    """One test that proves a case at a level.

    ``test``: node id below ``tests/`` without parameters. ``count``: how often in the soak, told to the test by the
    environment variable ``counted_by``, ``at_once`` in one run. ``both``: on PostgreSQL as well as on SQLite.
    """

    level: Level
    test: str
    count: int = 1
    counted_by: str = ""
    at_once: int = 1
    both: bool = False

    @property
    def path(self) -> str:
        return f"tests/{self.test}"

    @property
    def file(self) -> str:
        return self.path.partition("::")[0]


@dataclass(frozen=True)
class Case:
    """One fault, or one rule of reliability. ``lacking``: what is asked for and has no test yet, empty: nothing."""

    name: str
    what: str
    levels: str
    proofs: tuple[Proof, ...]
    lacking: str = ""


def proof(level: str, test: str, *, both: bool = False) -> Proof:
    """Return a proof that runs once, also in the soak."""
    return Proof(Level(level), test, both=both)


def counted(level: str, test: str, times: int, variable: str, at_once: int, *, both: bool = False) -> Proof:
    """Return a proof that runs ``times`` in the soak, ``at_once`` in one run, named by an environment variable."""
    return Proof(Level(level), test, times, variable, at_once, both)
