"""What every test stands on: real counterparts, printed seeds, a folder of its own that ends with the run."""

import functools
import gc
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db.backends.postgresql.operations import DatabaseOperations
from hypothesis import settings as hypothesis_settings
from whitenoise.middleware import WhiteNoiseMiddleware

pytest_plugins = [
    "tests.fixtures.services",
    "tests.fixtures.browser",
    "tests.fixtures.octoprint",
    "tests.fixtures.readings",
]

hypothesis_settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis_settings.register_profile("random", deadline=None, print_blob=True)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci")
hypothesis_settings.load_profile(PROFILE)


DATABASE_FIXTURES = frozenset({"db", "transactional_db", "live_server"})


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database-only",
        action="store_true",
        help="only tests that touch the database: what a second database can change",
    )
    parser.addoption(
        "--thorough",
        action="store_true",
        help="with --database-only: every parameter of a page's test too, and rules of ours (make soak)",
    )


# Pages are rendered alike from either database: a test of theirs asks the second one once, with its first parameters.
PAGES = Path(__file__).parent / "fablab" / "dashboard"

# What waits for browsers and printers runs apart, and only the files that say so are read for it (.ci/test).
APART = ("browser", "octoprint")


@functools.cache
def text_of(path: Path) -> str:
    return path.read_text()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        for mark in APART:
            if item.get_closest_marker(mark) is not None and f"mark.{mark}" not in text_of(item.path):
                raise pytest.UsageError(f"{item.nodeid} is marked {mark}: that has to stand in its own file")
    if not config.getoption("--database-only"):
        return
    thorough: bool = config.getoption("--thorough")

    def touches_database(item: pytest.Item) -> bool:
        if item.get_closest_marker("rules_alone") is not None and not thorough:
            return False
        fixtures = getattr(item, "fixturenames", ())
        return item.get_closest_marker("django_db") is not None or not DATABASE_FIXTURES.isdisjoint(fixtures)

    seen: set[str] = set()

    def asks_again(item: pytest.Item) -> bool:
        name = item.nodeid.partition("[")[0]
        again = name in seen and PAGES in item.path.parents and not thorough
        seen.add(name)
        return again

    kept = [item for item in items if touches_database(item) and not asks_again(item)]
    chosen = set(kept)
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = kept


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Print what makes this run repeatable, and what it runs on."""
    seed = config.getoption("--hypothesis-seed", default=None)
    engine = settings.DATABASES["default"]["ENGINE"].rpartition(".")[2]
    return [
        f"seeds: PYTHONHASHSEED={os.environ.get('PYTHONHASHSEED', 'not set')}, "
        f"hypothesis profile {PROFILE}, seed {seed if seed is not None else 'derandomized'}",
        f"database: {engine}, time zones: {settings.TIME_ZONE_TABLES}",
    ]


def pytest_configure(config: pytest.Config) -> None:
    # WhiteNoise warns when the folder is missing, and warnings are errors.
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    # A million rounds for each password of each test would be most of the run.
    PBKDF2PasswordHasher.iterations = 1000
    find_static_files_once()
    empty_tables_row_by_row()


def find_static_files_once() -> None:
    """Let the middleware of every test's client share what the first one found.

    Each client makes its middleware anew, and looking at some two hundred files again took a fifth of the tests' time.
    """
    found: dict[str, dict[str, Any]] = {}
    look = WhiteNoiseMiddleware.add_files_from_finders

    def look_once(middleware: WhiteNoiseMiddleware) -> None:
        if middleware.static_prefix not in found:
            look(middleware)
            found[middleware.static_prefix] = dict(middleware.files)
        middleware.files.update(found[middleware.static_prefix])

    WhiteNoiseMiddleware.add_files_from_finders = look_once


def empty_tables_row_by_row() -> None:
    """Empty PostgreSQL's tables after a test by DELETE.

    TRUNCATE makes new files for every table and index, which costs far more than the few rows of a test.
    """

    def sql_flush(
        operations: DatabaseOperations, style: object, tables: list[str], **options: object
    ) -> list[str]:
        return [f"DELETE FROM {operations.quote_name(table)};" for table in tables]

    DatabaseOperations.sql_flush = sql_flush  # type: ignore[assignment]  # it takes every option


def pytest_collection_finish() -> None:
    """Keep the collector of garbage from walking through all modules and tests again and again: they stay anyway."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(settings.VAR_DIR, ignore_errors=True)
