"""A whole lab to try: real OctoPrint servers, people, machines, and the site. ``make demo`` runs it.

python -m fablab.demo [--port 8000]    starts everything, ends everything at Ctrl-C
python -m fablab.demo --reset          forgets the demonstration's data
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from fablab.demo.ending import asked_to_end
from fablab.demo.octoprint_install import Failure, is_installed
from fablab.demo.octoprint_server import (
    HOST,
    Options,
    PortTaken,
    Server,
    ask_to_end_with_parent,
    end,
    is_free,
    look_after,
    make_servers,
    write_private,
)
from fablab.demo.places import PROJECT, Places, empty, hold, keep, places, printer_ports, read_kept

READY_SECONDS = 60
PORT_TRIES = 3
END_SECONDS = 15
# An installation's settings do not reach the demonstration.
NOT_INHERITED = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "MACHINE_",
    "ALLOWED_HOSTS",
    "HTTPS",
    "DEBUG",
    "WEB_CONC",
)


class Ended(Exception):
    """Somebody asked for the end before everything was up."""


def say(text: str) -> None:
    print(text, flush=True)


def environment(where: Places, ports: list[int]) -> dict[str, str]:
    """Return the environment of the site: own data, and exactly the demonstration's printers within reach."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    return {
        **inherited,
        "FABLAB_VAR": str(where.data),
        "FABLAB_DEMO": "1",
        "MACHINE_NETWORKS": ",".join(f"{HOST}:{port}" for port in ports),
        "PYTHONUNBUFFERED": "1",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),  # the accounts are what people came to read
    }


class Printers:
    """The OctoPrint servers and the thread that looks after them. A server that ends is started again."""

    def __init__(self, where: Places, ports: list[int]) -> None:
        self._where, self._ports = where, ports
        self._ended = threading.Event()
        self._changed = threading.Condition()
        self._ready: dict[str, dict[str, Any]] = {}
        self._problem: Failure | None = None
        # The kernel ends a child with the *thread* that started it, so this one lives as long as they do.
        self._thread = threading.Thread(target=self._look_after, name="octoprint")

    def start(self) -> None:
        self._thread.start()

    def _look_after(self) -> None:
        servers: list[Server] = []
        try:
            servers = make_servers(self._where.octoprint, self._ports, Options(respawn=True))
            if not self._ended.is_set():
                look_after(servers, self._announce, self._ended)
        except Failure as problem:
            with self._changed:
                self._problem = problem
                self._changed.notify_all()
        finally:
            end(servers)

    def _announce(self, server: dict[str, Any]) -> None:
        with self._changed:
            self._ready[server["name"]] = server
            self._changed.notify_all()

    def wait(self, asked: threading.Event) -> list[dict[str, Any]]:
        """Return every server once it is ready.

        :raises PortTaken: when another program was quicker on a port. :raises Failure: when one does not get ready.
        :raises Ended: when somebody asks for the end meanwhile.
        """
        with self._changed:
            while len(self._ready) < len(self._ports):
                if isinstance(self._problem, PortTaken):
                    raise self._problem
                if self._problem:
                    raise Failure(f"OctoPrint does not start: {self._problem}")
                if asked.is_set():
                    raise Ended
                self._changed.wait(0.2)
            return [self._ready[name] for name in sorted(self._ready)]

    def end(self) -> None:
        self._ended.set()
        self._thread.join()


class Seed:
    """The command that fills the database. It migrates while the printers start, then waits for their keys."""

    def __init__(self, settings: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "seed_demo"],
            cwd=PROJECT,
            env=settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=ask_to_end_with_parent,
        )

    def finish(self, content: object) -> list[dict[str, str]]:
        """Hand over what the command waits for and return the accounts.

        :raises Failure: when it fails; its own words stand above.
        """
        said, _ = self._process.communicate(json.dumps(content))
        if self._process.returncode != 0:
            raise Failure("The demonstration's data could not be written; the reason stands above.")
        accounts: list[dict[str, str]] = json.loads(said)["accounts"]
        return accounts

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own address on loopback
            return True
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code != 503  # not ready to serve yet
    except OSError:
        return False


def wait_for_site(site: "subprocess.Popen[bytes]", url: str, asked: threading.Event) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not answers(url):
        if site.poll() is not None:
            raise Failure("The site did not start; the reason stands above.")
        if asked.wait(0.1):
            raise Ended
        if time.monotonic() > deadline:
            raise Failure(f"The site does not answer after {READY_SECONDS} s.")


def table(accounts: list[dict[str, str]]) -> list[str]:
    widths = [max(len(account[part]) for account in accounts) for part in ("username", "role", "site")]
    return [
        f"  {account['username']:<{widths[0]}}  {account['role']:<{widths[1]}}  {account['site']:<{widths[2]}}"
        f"  {account.get('about', '')}".rstrip()
        for account in accounts
    ]


class Beginning:
    """The printers and the seed, on ports that were free a moment ago; begun anew when somebody was quicker."""

    def __init__(self, where: Places, password: str, kept_ports: list[int]) -> None:
        self._where, self._password, self._ports = where, password, kept_ports
        self.settings: dict[str, str] = {}
        self.printers: Printers | None = None
        self.filling: Seed | None = None

    def begin(self, asked: threading.Event) -> list[dict[str, Any]]:
        """Return the printers once they are ready. Raises as ``Printers.wait``, ``PortTaken`` only at the last try."""
        for left in reversed(range(PORT_TRIES)):
            ports = printer_ports(self._ports)
            keep(self._where, password=self._password, ports=ports)
            self.settings = environment(self._where, ports)
            self.printers = Printers(self._where, ports)
            self.printers.start()
            self.filling = Seed(self.settings)
            try:
                return self.printers.wait(asked)
            except PortTaken as taken:
                self.end()
                if not left:
                    raise Failure(f"A printer found no free port: {taken}. Start make demo again.") from taken
                say(f"Port {taken.port} was just taken by another program; the printers get other ones.")
        raise AssertionError("the last try returns or raises")

    def end(self) -> None:
        if self.filling is not None:
            self.filling.end()
        if self.printers is not None:
            self.printers.end()


def run(port: int) -> int:
    began = time.monotonic()
    asked = asked_to_end()
    where = places()
    lock = hold(where)
    if not is_free(port):
        raise Failure(f"Port {port} is taken by another program. Another one:  PORT={port + 1} make demo")
    where.data.mkdir(parents=True, exist_ok=True)
    known = read_kept(where)
    kept_ports = known.get("ports")
    password = str(known.get("password") or secrets.token_hex(5))
    beginning = Beginning(where, password, kept_ports if isinstance(kept_ports, list) else [])
    url = f"http://{HOST}:{port}"

    site: subprocess.Popen[bytes] | None = None
    try:
        first = "" if is_installed() else " (OctoPrint is installed first, about a minute)"
        say(f"Two OctoPrint servers start{first} ...")
        found = beginning.begin(asked)
        assert beginning.filling is not None  # it began with the printers
        connections = [{part: printer[part] for part in ("name", "url", "api_key")} for printer in found]
        people = beginning.filling.finish({"password": password, "printers": connections})
        site = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--host", HOST, "--port", str(port)],
            cwd=PROJECT,
            env=beginning.settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C ends this command, which then ends everything in order
            preexec_fn=ask_to_end_with_parent,
        )
        wait_for_site(site, f"{url}/readyz", asked)
        accounts = [{**account, "password": password} for account in people]
        write_summary(where, url, accounts, connections)
        say_what_there_is(url, password, accounts, found, time.monotonic() - began)
        while not asked.wait(0.3):
            if site.poll() is not None:
                raise Failure("The site ended by itself; the reason stands above.")
    except Ended:
        pass
    finally:
        say("Ending ...")
        end_site(site)
        beginning.end()
        lock.close()
    return 0


def write_summary(where: Places, url: str, accounts: list[dict[str, str]], printers: object) -> None:
    parts = ("username", "password", "role", "site")
    write_private(
        where.summary,
        {
            "url": url,
            "accounts": [{part: account[part] for part in parts} for account in accounts],
            "printers": printers,
        },
    )


def say_what_there_is(
    url: str, password: str, accounts: list[dict[str, str]], printers: list[dict[str, Any]], seconds: float
) -> None:
    say(f"\nThe lab is open (after {seconds:.0f} s):  {url}\n")
    say(f"Accounts, all with the password  {password}")
    for line in table(accounts):
        say(line)
    say("\nOctoPrint's own pages, user lab:")
    for printer in printers:
        say(f"  {printer['name']}  {printer['url']}  password {printer['password']}")
    say("\nCtrl-C ends everything; data stays for the next start. make demo-reset forgets it.")


def end_site(site: "subprocess.Popen[bytes] | None") -> None:
    if site is None or site.poll() is not None:
        return
    site.terminate()
    try:
        site.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        site.kill()
        site.wait()


def reset() -> int:
    where = places()
    with hold(where):
        empty(where)
    say("The demonstration is empty. make demo fills it again.")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fablab.demo", description="A whole lab to try.")
    parser.add_argument("--port", type=int, default=8000, help="where the site listens on 127.0.0.1 (8000)")
    parser.add_argument("--reset", action="store_true", help="forget the demonstration's data")
    given = parser.parse_args()
    doing: Callable[[], int] = reset if given.reset else lambda: run(given.port)
    try:
        return doing()
    except Failure as problem:
        sys.stderr.write(f"{problem}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
