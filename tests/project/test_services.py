"""The services beside the tests are real ones, answer, and leave nothing behind."""

import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import psycopg
import pytest
import redis

from tests.fixtures.services import LiveServer, wait_until

SHOW_ADDRESS = "import os; print(os.environ['DATABASE_URL'], flush=True); input()"


def with_postgres(project: Path, *command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [str(project / ".ci" / "with-postgres"), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def is_there(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_redis_is_a_real_one_and_keeps_nothing_on_disk(redis_server: str) -> None:
    with redis.Redis.from_url(redis_server) as connection:
        assert connection.set("a", "b", ex=5)
        assert connection.get("a") == b"b"
        assert connection.config_get("save") == {"save": ""}


@pytest.mark.killed
def test_postgresql_runs_beside_a_command_and_ends_with_it(project_folder: Path) -> None:
    with with_postgres(project_folder, sys.executable, "-c", SHOW_ADDRESS) as process:
        assert process.stdin is not None and process.stdout is not None
        url = process.stdout.readline().strip()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION btree_gist")  # the booking guard needs it
            row = connection.execute("SELECT current_setting('TimeZone')").fetchone()
        assert row is not None and row[0] == "UTC"
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.wait(30) == 0
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


@pytest.mark.killed
def test_the_status_of_the_command_is_handed_on(project_folder: Path) -> None:
    with with_postgres(project_folder, "false") as process:
        assert process.wait(60) == 1


@pytest.mark.killed
def test_postgresql_and_the_command_end_even_when_the_program_between_them_is_killed(
    project_folder: Path,
) -> None:
    show = "import os; print(os.getpid(), os.environ['DATABASE_URL'], flush=True); input()"
    with with_postgres(project_folder, sys.executable, "-c", show) as process:
        assert process.stdout is not None
        number, url = process.stdout.readline().split()
        with psycopg.connect(url) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
        assert row is not None
        server = int((Path(row[0]) / "postmaster.pid").read_text().splitlines()[0])
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        wait_until(lambda: not is_there(server), 20, "PostgreSQL has ended")
        wait_until(lambda: not is_there(int(number)), 20, "the command has ended")
    subprocess.run(["rm", "-rf", str(Path(row[0]).parent)], check=True)


@pytest.mark.django_db
def test_the_database_of_the_tests_lets_several_connections_write_as_in_an_installation() -> None:
    from django.db import connection

    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode")
            assert cursor.fetchone() == ("wal",)
            assert re.search(r"test\.sqlite3$", str(connection.settings_dict["NAME"]))
    else:
        assert connection.vendor == "postgresql"


def test_the_site_of_the_tests_serves_the_real_application(live_server: LiveServer) -> None:
    with urllib.request.urlopen(f"{live_server.url}/healthz", timeout=10) as response:
        assert response.status == 200
