"""Asks `manage.py` of many installations in one process: all of Python stays, settings are read anew for each.

Reads lines of JSON from standard input, {"words", "environment"}, and answers each with one: {"returncode", "stderr"}.
Each is asked in a child that has this process's modules, its own environment and nothing of the one before.
"""

import importlib
import json
import os
import sys
import tempfile

import django
from django.conf import Settings, settings
from django.core.management import execute_from_command_line

MODULE = "fablab.settings"


def ask(words: list[str], environment: dict[str, str]) -> int:
    """Return the exit status of `manage.py` with these words, settings read from this environment."""
    os.environ.clear()
    os.environ.update(environment)
    try:
        importlib.reload(sys.modules[MODULE])
        settings._wrapped = Settings(MODULE)
        execute_from_command_line(["manage.py", *words])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except Exception as error:  # noqa: BLE001  # said and ended with, as Python itself does
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    return 0


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", MODULE)
    django.setup()
    for line in sys.stdin:
        asked = json.loads(line)
        with tempfile.TemporaryFile("w+") as said:
            child = os.fork()
            if child == 0:
                os.dup2(said.fileno(), 1)
                os.dup2(said.fileno(), 2)
                status = ask(asked["words"], asked["environment"])
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
            _, ended = os.waitpid(child, 0)
            said.seek(0)
            answer = {"returncode": os.waitstatus_to_exitcode(ended), "stderr": said.read()}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
