"""How often a test of faults repeats itself and with which seeds: little in ``make test``, much in ``make soak``.

``FABLAB_SEED`` gives the first seed; each test has its own fixed one otherwise. Seeds that failed are kept in a file
(``FABLAB_FAILING_SEEDS``, else ``var/soak/failing-seeds.txt``): one line each, with the checker's name.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
KEPT = Path(os.environ.get("FABLAB_FAILING_SEEDS", PROJECT / "var" / "soak" / "failing-seeds.txt"))


def times(name: str, ordinary: int) -> int:
    """Return how often, from the environment variable ``name``; ``ordinary`` in ``make test``."""
    return int(os.environ.get(name, ordinary))


def first_seed(ordinary: int) -> int:
    """Return the first seed of this run."""
    return int(os.environ.get("FABLAB_SEED", ordinary))


@contextmanager
def keeping_seeds(checker: str, seeds: Iterable[int]) -> Iterator[None]:
    """Keep these seeds when the block fails, so that they can be had again."""
    try:
        yield
    except BaseException:
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        with KEPT.open("a") as file:
            file.writelines(f"{checker} {seed}\n" for seed in seeds)
        raise
