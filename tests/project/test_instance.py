"""One process for one embedded installation (case 8); the scaled commands want a common layer."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from jobs.management.instance import hold_alone, lock_file

SQLITE = "django.db.backends.sqlite3"
HOLDER = """
import sys
from pathlib import Path
from jobs.management.instance import hold_alone
held = hold_alone(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_the_lock_lies_beside_the_database_so_that_two_folders_cannot_share_it(tmp_path: Path) -> None:
    database = {"ENGINE": SQLITE, "NAME": "/data/lab.sqlite3"}
    assert lock_file(database, tmp_path) == Path("/data/lab.sqlite3.lock")
    assert (
        lock_file({"ENGINE": "django.db.backends.postgresql", "NAME": "lab"}, tmp_path)
        == tmp_path / "serve.lock"
    )


def test_a_second_process_on_the_same_database_is_refused_with_a_sentence_until_the_first_is_killed(
    tmp_path: Path, project_folder: Path
) -> None:
    path = tmp_path / "lab.sqlite3.lock"
    first = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        cwd=project_folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        with pytest.raises(CommandError, match="Another process already serves this installation"):
            hold_alone(path)
        first.kill()
        first.wait(10)
    hold_alone(path).close()


@pytest.mark.parametrize("command", ["work", "supervise"])
def test_scaled_commands_refuse_to_run_where_nobody_would_hear_them(command: str) -> None:
    with pytest.raises(CommandError, match="Set REDIS_URL"):
        call_command(command)
