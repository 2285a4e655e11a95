"""A whole lab for tests: the real server process, a real OctoPrint, the demonstration's people."""

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings

from tests.fixtures.octoprint import PROJECT, OctoPrint, free_ports

T = TypeVar("T")
PASSWORD = "un long mot de passe"
READY_SECONDS = 60
SITE = "Saint-Ouen"


def eventually(what: str, look: Callable[[], T | None], seconds: float = 30) -> T:
    """Return what ``look`` finds, once it finds something that is not None or False."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}; last: {found!r}")
        time.sleep(0.1)


class Answer(dict[str, Any]):
    """A JSON answer with its status."""

    status: int = 0


class Api:
    """One person's program, by bearer token."""

    def __init__(self, url: str, username: str) -> None:
        self.url = url
        self.token = ""
        self.token = self.post("/api/v1/auth/token/", {"username": username, "password": PASSWORD})["token"]

    def get(self, path: str) -> Answer:
        return self._send("GET", path, None, {})

    def post(self, path: str, body: object = None) -> Answer:
        return self._send("POST", path, json.dumps(body or {}).encode(), {"Content-Type": "application/json"})

    def patch(self, path: str, body: object) -> Answer:
        return self._send("PATCH", path, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def upload(self, name: str, content: bytes) -> Answer:
        mark = "a-line-between-parts"
        body = (
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            f"Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        return self._send(
            "POST",
            "/api/v1/uploads/",
            body + content + f"\r\n--{mark}--\r\n".encode(),
            {"Content-Type": f"multipart/form-data; boundary={mark}"},
        )

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        if self.token:
            headers = {**headers, "Authorization": f"Bearer {self.token}"}
        question = urllib.request.Request(self.url + path, data=body, headers=headers, method=method)
        try:
            with urllib.request.urlopen(question, timeout=30) as given:
                status, text = given.status, given.read()
        except urllib.error.HTTPError as given:
            status, text = given.code, given.read()
        answer = Answer(json.loads(text) if text else {})
        answer.status = status
        return answer


def fill(environment: dict[str, str], printers: list[dict[str, str]]) -> None:
    """Do what `make demo` does first: tables, styles, people and machines, these printers connected."""
    subprocess.run(
        [sys.executable, "manage.py", "seed_demo"],
        cwd=PROJECT,
        env=environment,
        input=json.dumps({"password": PASSWORD, "printers": printers}).encode(),
        stdout=subprocess.DEVNULL,
        check=True,
    )


@functools.cache
def filled_once() -> Path:
    """Return a data folder with the demonstration's people and no printers, made at the first call of a run."""
    folder = Path(settings.VAR_DIR) / "a-filled-lab"
    plain = {
        name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "DATABASE_"))
    }
    fill({**plain, "FABLAB_VAR": str(folder), "FABLAB_DEMO": "1"}, [])
    return folder


class Lab:
    """The server on data of its own, with the given OctoPrint servers as Ada and Blaise."""

    def __init__(
        self,
        folder: Path,
        printers: list[OctoPrint],
        *,
        addresses: list[str] | None = None,
        more_networks: tuple[str, ...] = (),
        **environment: str,
    ) -> None:
        self.port = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.printers = printers
        # Addresses differ from the servers' own where a proxy stands between.
        self.addresses = addresses or [printer.url for printer in printers]
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")},
            "FABLAB_VAR": str(folder / "var"),
            "FABLAB_DEMO": "1",
            "MACHINE_NETWORKS": ",".join(
                [*(address.removeprefix("http://") for address in self.addresses), *more_networks]
            ),
            "DEBUG_FAILPOINTS": "1",
            "PYTHONUNBUFFERED": "1",
            **environment,
        }
        self.inside: list[str] = []  # a command that runs the server in surroundings of its own
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder / "server.log"
        self._apis: dict[str, Api] = {}
        self._seed()

    def _seed(self) -> None:
        """Fill the data: a copy of what one filling made for all labs of this run, then the machines' addresses.

        A database on a server of its own is filled there, from nothing.
        """
        printers = [
            {"url": address, "api_key": printer.operator_key}
            for address, printer in zip(self.addresses, self.printers, strict=True)
        ]
        if self.environment.get("DATABASE_URL"):
            fill(self.environment, printers)
            return
        shutil.copytree(filled_once(), self.folder / "var", dirs_exist_ok=True)
        if printers:
            fill(self.environment, printers)

    def start(self, **environment: str) -> "Lab":
        """Start the server and wait until it can serve."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.inside, sys.executable, "manage.py", "serve", "--port", str(self.port)],
                cwd=PROJECT,
                env={**self.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        eventually("the site is ready", self._is_ready, READY_SECONDS)
        return self

    def _is_ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended:\n{self.tail()}")
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5):
                return True
        except OSError:
            return False

    def kill(self) -> None:
        """kill -9 of the process: nothing gets a chance to tidy up."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def killed_itself(self) -> bool:
        """Whether it came by its failpoint."""
        return self.process is not None and self.process.poll() == -signal.SIGKILL

    def children(self) -> list[str]:
        """Return the processes that it runs now: those that read or slice a stranger's file."""
        assert self.process is not None
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [pid for task in tasks for pid in task.read_text().split()]

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        if self.process is not None and self.is_running():
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"the server did not end:\n{self.tail()}") from None

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-60:])

    def api(self, username: str) -> Api:
        """One person's program; its token outlives the server."""
        if username not in self._apis:
            self._apis[username] = Api(self.url, username)
        return self._apis[username]

    def site_id(self, api: Api) -> str:
        return next(str(site["id"]) for site in api.get("/api/v1/sites/")["results"] if site["name"] == SITE)


@contextmanager
def open_lab(folder: Path, printers: list[OctoPrint], **options: Any) -> Iterator[Lab]:
    """A lab that is ready, ended whole at the end; its log is shown when a test fails."""
    lab = Lab(folder, printers, **options)
    try:
        yield lab.start()
    except BaseException:
        sys.stderr.write(lab.tail() + "\n")
        raise
    finally:
        lab.stop()
