"""A bad installation does not start, and says why (SEC-20)."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import pytest

PROJECT = Path(__file__).resolve().parents[2]
OURS = (
    "SECRET_KEY",
    "MACHINE_KEY",
    "DATABASE_URL",
    "REDIS_URL",
    "DEBUG",
    "ALLOWED_HOSTS",
    "HTTPS",
    "FABLAB_",
    "DJANGO_",
)


@dataclass(frozen=True)
class Done:
    returncode: int
    stderr: str


# manage(folder, "check", DEBUG="1")
Manage = Callable[..., Done]


def surroundings(folder: Path, environment: dict[str, str]) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**plain, "FABLAB_VAR": str(folder), **environment}


@pytest.fixture(scope="module")
def manage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Manage]:
    """Return what runs manage.py with an installation's folder and settings of its own.

    All in one process that reads the settings anew each time: loading Python's modules costs two seconds.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "tests.project.many_installations"],
        cwd=PROJECT,
        env=surroundings(tmp_path_factory.mktemp("first"), {}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        asking, answering = cast(IO[str], process.stdin), cast(IO[str], process.stdout)

        def ask(folder: Path, *words: str, **environment: str) -> Done:
            asked = {"words": words, "environment": surroundings(folder, environment)}
            asking.write(json.dumps(asked) + "\n")
            asking.flush()
            return Done(**json.loads(answering.readline()))

        yield ask
        asking.close()


def test_a_new_installation_needs_no_settings_and_makes_its_own_secrets_readable_by_itself_alone(
    tmp_path: Path,
) -> None:
    # As a person would: a process that nobody has prepared.
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=PROJECT,
        env=surroundings(tmp_path, {}),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    made = sorted((tmp_path / "secrets").iterdir())
    assert [path.name for path in made] == ["machine_keys", "secret_key"]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in made)
    assert len({path.read_text() for path in made}) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "changeme"),
        ("SECRET_KEY", "secret"),
        ("SECRET_KEY", "django-insecure-" + "x1y2z3" * 10),
        ("SECRET_KEY", "short"),
        ("MACHINE_KEY_SECRETS", "insecure"),
        ("MACHINE_KEY_SECRETS", "short"),
    ],
)
def test_a_placeholder_in_place_of_a_secret_is_refused(
    name: str, value: str, manage: Manage, tmp_path: Path
) -> None:
    done = manage(tmp_path, "check", **{name: value})
    assert done.returncode != 0
    assert name in done.stderr
    assert value not in done.stderr.replace(name, "") or value in {"secret", "short"}


def test_a_secret_file_that_others_can_read_is_refused(manage: Manage, tmp_path: Path) -> None:
    assert manage(tmp_path, "check").returncode == 0
    (tmp_path / "secrets" / "secret_key").chmod(0o644)
    done = manage(tmp_path, "check")
    assert done.returncode != 0
    assert "fablab.E006" in done.stderr
    assert "chmod 600" in done.stderr


def test_debug_on_a_public_host_is_refused(manage: Manage, tmp_path: Path) -> None:
    done = manage(tmp_path, "check", DEBUG="1", ALLOWED_HOSTS="lab.example.org,127.0.0.1")
    assert done.returncode != 0
    assert "fablab.E002" in done.stderr
    assert manage(tmp_path, "check", DEBUG="1").returncode == 0


def test_several_processes_without_a_common_layer_are_refused(manage: Manage, tmp_path: Path) -> None:
    done = manage(tmp_path, "check", WEB_CONCURRENCY="2")
    assert done.returncode != 0
    assert "fablab.E005" in done.stderr
    assert (
        manage(tmp_path, "check", WEB_CONCURRENCY="2", REDIS_URL="redis://127.0.0.1:6379/0").returncode == 0
    )


def test_sqlite_without_immediate_transactions_or_wal_is_refused() -> None:
    from fablab.core.checks import sqlite_problems

    engine = "django.db.backends.sqlite3"
    good = {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL;"}
    assert sqlite_problems({"ENGINE": engine, "OPTIONS": good}) == []
    assert [
        problem.id
        for problem in sqlite_problems({"ENGINE": engine, "OPTIONS": {**good, "transaction_mode": None}})
    ] == ["fablab.E003"]
    assert [
        problem.id for problem in sqlite_problems({"ENGINE": engine, "OPTIONS": {**good, "init_command": ""}})
    ] == ["fablab.E004"]
    assert sqlite_problems({"ENGINE": "django.db.backends.postgresql", "OPTIONS": {}}) == []


def test_the_deployment_check_is_clean_behind_https(manage: Manage, tmp_path: Path) -> None:
    done = manage(
        tmp_path, "check", "--deploy", "--fail-level", "WARNING", HTTPS="1", ALLOWED_HOSTS="lab.example.org"
    )
    assert done.returncode == 0, done.stderr


def test_a_public_host_without_https_is_named_by_the_deployment_check(manage: Manage, tmp_path: Path) -> None:
    done = manage(tmp_path, "check", "--deploy", ALLOWED_HOSTS="lab.example.org")
    assert "fablab.W007" in done.stderr
