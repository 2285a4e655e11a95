"""kill -9 of a worker in the middle of an inspection: nothing stays "inspecting", and the reading child dies too."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.services import end_with_parent, wait_until
from tests.jobs.uploads.builders import GCODE

PROJECT = Path(__file__).resolve().parents[3]
HAND_IN = """
import django; django.setup()
import sys
from pathlib import Path
from django.core.management import call_command
from django.utils import timezone
call_command("migrate", interactive=False, verbosity=0)
from fablab.people.models import User
from jobs.uploads.services import receive
owner = User.objects.create_user("lea", display_name="Léa")
receive(Path(sys.argv[1]), name="long.gcode", owner=owner, at=timezone.now())
"""
WORK = """
import django; django.setup()
import sys
from datetime import timedelta
from django.utils import timezone
from jobs.uploads.services import inspect_next
found = inspect_next(timezone.now() + timedelta(seconds=float(sys.argv[1])))
print(found.state if found else "nothing to do")
"""


def running_children(parent: int) -> set[int]:
    try:
        return {int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()}
    except FileNotFoundError:
        return set()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.killed
def test_a_killed_worker_leaves_its_file_to_the_next_one(tmp_path: Path) -> None:
    base = tmp_path / "lab.sqlite3"
    environment = {
        **os.environ,
        "FABLAB_VAR": str(tmp_path / "var"),
        "DATABASE_URL": f"sqlite:///{base}",
        "REDIS_URL": "",
        "DJANGO_SETTINGS_MODULE": "fablab.settings",
    }
    long = tmp_path / "long.gcode"
    head, tail = GCODE.split(b"G1 Z10\n")
    moves = b"".join(b"G1 X%d.5 Y%d E%d\n" % (50 + n % 40, 50 + n // 40 % 40, 20 + n) for n in range(400_000))
    long.write_bytes(head + moves + b"G1 Z10\n" + tail)

    def run(script: str, *given: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", script, *given], cwd=PROJECT, env=environment, capture_output=True, text=True,
            timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    run(HAND_IN, str(long))
    worker = subprocess.Popen(
        [sys.executable, "-c", WORK, "0"], cwd=PROJECT, env=environment, preexec_fn=end_with_parent
    )
    children = wait_until(lambda: running_children(worker.pid), 60, "the worker reads the file in a child")
    with sqlite3.connect(base) as look:
        assert look.execute("select state, tries from jobs_upload").fetchall() == [("inspecting", 1)]
    worker.send_signal(signal.SIGKILL)
    assert worker.wait(10) == -signal.SIGKILL
    wait_until(
        lambda: not any(alive(pid) for pid in children), 10, "the reading child is gone with its worker"
    )

    assert run(WORK, "0") == "nothing to do"  # the lease still holds
    assert run(WORK, "120") == "ready"
