"""Put a release of OctoPrint into a folder of its own.

OctoPrint is another program under another licence (AGPL-3.0) with old dependencies: it never enters
this project's environment. Only the standard library is used, so that this runs before anything is
installed.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

RELEASE = "1.11.8"
CACHE_VARIABLE = "FABLAB_OCTOPRINT_CACHE"
PYTHON_VARIABLE = "FABLAB_OCTOPRINT_PYTHON"
INSTALL_SECONDS = 900  # for one step, on a slow line


class Failure(Exception):
    """Something a person can act on; the text says what."""


def say(text: str) -> None:
    """A line for a person: standard output is for programs."""
    sys.stderr.write(f"octoprint: {text}\n")
    sys.stderr.flush()


def cache_folder() -> Path:
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "fablab-octoprint"


def run(arguments: Sequence[str | Path]) -> str:
    """Run a command to its end and return what it said. Raises Failure with its last lines."""
    words = [str(word) for word in arguments]
    try:
        # Arguments are our own, no shell is involved.
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise Failure(f"{words[0]}: {problem}") from problem
    if done.returncode != 0:
        last = "\n".join(done.stdout.splitlines()[-20:])
        raise Failure(f"{' '.join(words[:5])} ... ended with {done.returncode}:\n{last}")
    return done.stdout


def installed_python(release: str = RELEASE, *, afresh: bool = False) -> Path:
    """The Python of an environment that holds this release; made when it is not there yet.

    Several may ask at once: one installs, the others wait. An installation that was broken off is made
    again, because its marker is written last.
    """
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"octoprint-{release}"
    python = folder / "bin" / "python"
    marker = folder / "installed"
    with (cache / f"octoprint-{release}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if afresh or not marker.exists() or not _works(python):
            marker.unlink(missing_ok=True)
            say(f"installing {release} in {folder}, once; this takes about a minute")
            _make_environment(folder)
            _add_netifaces(python)
            run([python, "-m", "pip", "install", "--quiet", "--no-input", f"OctoPrint=={release}"])
            marker.write_text(f"{release}\n")
    return python


def is_installed(release: str = RELEASE) -> bool:
    """Say whether this release was installed before; whether it still runs is seen when it is used."""
    return (cache_folder() / f"octoprint-{release}" / "installed").exists()


def _works(python: Path) -> bool:
    """Whether the environment still runs: the Python it was made with may have been removed."""
    try:
        run([python, "-c", "import octoprint"])
    except Failure:
        return False
    return True


def _make_environment(folder: Path) -> None:
    python = os.environ.get(PYTHON_VARIABLE) or sys.executable
    ways: list[list[str | Path]] = [[python, "-m", "venv", "--clear", folder]]
    if virtualenv := shutil.which("virtualenv"):
        ways.append([virtualenv, "--clear", "--python", python, folder])
    if uv := shutil.which("uv"):
        ways.append([uv, "venv", "--seed", "--clear", "--python", python, folder])
    problems = []
    for way in ways:
        try:
            run(way)
        except Failure as problem:
            problems.append(str(problem))
        else:
            return
    raise Failure(
        "no environment could be made (Debian has the package python3-venv):\n" + "\n".join(problems)
    )


def _add_netifaces(python: Path) -> None:
    """The one dependency without ready-made files for current Pythons.

    OctoPrint asks it which networks are local. Servers that listen on loopback need no more than a
    module that knows loopback, where no compiler is at hand.
    """
    install: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--no-input"]
    for extra in (["--only-binary=:all:"], []):
        try:
            run([*install, *extra, "netifaces"])
        except Failure:
            continue
        return
    say("netifaces cannot be compiled here; a loopback-only one takes its place")
    with tempfile.TemporaryDirectory() as folder:
        run([*install, "--no-index", _loopback_netifaces(Path(folder))])


def _loopback_netifaces(folder: Path) -> Path:
    code = '''"""Stands in for netifaces: this computer has loopback and nothing else."""
import socket

AF_INET = socket.AF_INET
AF_INET6 = socket.AF_INET6
AF_LINK = 17


def interfaces():
    return ["lo"]


def ifaddresses(name):
    return {AF_INET: [{"addr": "127.0.0.1", "netmask": "255.0.0.0"}]}


def gateways():
    return {"default": {}}
'''
    about = "netifaces-0.11.0.dist-info"
    files = {
        "netifaces.py": code,
        f"{about}/METADATA": "Metadata-Version: 2.1\nName: netifaces\nVersion: 0.11.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: fablab\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{name},,\n" for name in (*files, f"{about}/RECORD"))
    wheel = folder / "netifaces-0.11.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return wheel
