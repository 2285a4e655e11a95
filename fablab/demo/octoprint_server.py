"""Real OctoPrint servers with virtual printers, for the demonstration and for tests.

    python -m fablab.demo.octoprint_server --count 2 --base-port 5100

Each server writes one JSON line to standard output when its printer is connected: name, url, api_key
(administrator), operator_key, viewer_key, user, password, version, pid, basedir, starts, ready_after_s.
Servers listen on 127.0.0.1 only, call nobody, and end with the command that started them.
Exit status: 0 when asked to end, 1 when every server ended by itself, 2 when something failed.
"""

import argparse
import ctypes
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from types import FrameType
from typing import Any

from fablab.demo.octoprint_install import RELEASE, Failure, installed_python, run, say

HOST = "127.0.0.1"
READY_SECONDS = 120
END_SECONDS = 15
LOOK_SECONDS = 0.1
KEY_NAME = "fablab"
GROUPS = {"lab": "admins", "operator": "users", "viewer": "readonly"}
# Bundled plugins that call home or that a virtual printer has no use for.
SILENCED = (
    "achievements",
    "announcements",
    "backup",
    "discovery",
    "errortracking",
    "firmware_check",
    "health_check",
    "pi_support",
    "pluginmanager",
    "softwareupdate",
    "tracking",
)
LINE_ERRORS = ("100:resend", "105:resend_with_timeout", "110:missing_lineno", "115:checksum_mismatch")


@dataclass(frozen=True, slots=True)
class Options:
    """How servers behave; every fault is off."""

    release: str = RELEASE
    connect: bool = True  # False leaves the printers disconnected
    line_errors: bool = False  # four errors on the line early in each print, as OctoPrint ships it
    resend_percent: int = 0  # lines that the printer asks for again
    silence: float | None = None  # seconds until a silent printer is given up, plus about five, twice
    ambient: float = 21.3  # degrees Celsius at the start; near the target it spares heating time
    max_upload: int = 1024**3  # bytes; OctoPrint's own limit
    respawn: bool = False  # start a server again that ended


class PortTaken(Failure):
    """Another program holds the port that a server was to listen on."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} is taken by another program")
        self.port = port


def is_free(port: int) -> bool:
    """Say whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


@dataclass(slots=True)
class Server:
    """One OctoPrint: its folder, its keys, its process."""

    name: str
    port: int
    folder: Path
    python: Path
    options: Options
    starts: int = 0
    ready: bool = False
    process: subprocess.Popen[bytes] | None = None
    began: float = 0.0
    password: str = field(default="", repr=False)
    keys: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def prepare(self) -> None:
        """Write accounts, keys and settings, unless a kept folder has them: then they stay the same."""
        kept = self.folder / "keys.json"
        if kept.exists():
            content = json.loads(kept.read_text())
            self.password, self.keys = content["password"], content["keys"]
            return
        self.password = secrets.token_urlsafe(12)
        self.keys = {account: secrets.token_urlsafe(24) for account in GROUPS}
        hashed = run(
            [
                self.python,
                "-c",
                "import sys, argon2; print(argon2.PasswordHasher().hash(sys.argv[1]))",
                self.password,
            ]
        ).strip()
        account: dict[str, Any] = {
            "active": True,
            "apikey": None,
            "password": hashed,
            "permissions": [],
            "settings": {},
        }
        users = {name: {**account, "groups": [group]} for name, group in GROUPS.items()}
        write_private(self.folder / "config.yaml", settings_of(self.name, self.options))
        write_private(self.folder / "users.yaml", {"_version": 2, **users})
        write_private(
            self.folder / "data" / "appkeys" / "keys.yaml",
            {name: [{"app_id": KEY_NAME, "api_key": key}] for name, key in self.keys.items()},
        )
        write_private(kept, {"password": self.password, "keys": self.keys})

    def start(self) -> None:
        if not is_free(self.port):
            raise PortTaken(self.port)
        command = [str(self.python), "-m", "octoprint", "serve", "--no-color"]
        command += ["--basedir", str(self.folder), "--host", HOST, "--port", str(self.port)]
        if os.geteuid() == 0:
            command.append("--iknowwhatimdoing")  # it asks everybody else not to run it as root
        with (self.folder / "console.log").open("ab") as console:
            # Arguments are our own, no shell is involved.
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C ends this command, which then ends its servers
                preexec_fn=ask_to_end_with_parent,
            )
        self.starts += 1
        self.ready = False
        self.began = time.monotonic()

    def answers(self) -> bool:
        """Whether the server works and its printer is as it should be."""
        # The address is loopback with a port of our own.
        question = urllib.request.Request(  # noqa: S310
            f"{self.url}/api/connection", headers={"X-Api-Key": self.keys["lab"]}
        )
        try:
            with urllib.request.urlopen(question, timeout=5) as answer:  # noqa: S310
                state = json.load(answer)["current"]["state"]
        except (OSError, HTTPException, ValueError, KeyError):
            # While it starts it refuses, then says "Not found" in no protocol, then resets.
            return False
        return not self.options.connect or state == "Operational"

    def announcement(self) -> dict[str, Any]:
        if self.process is None:
            raise Failure(f"{self.name} was not started")
        return {
            "name": self.name,
            "url": self.url,
            "api_key": self.keys["lab"],
            "operator_key": self.keys["operator"],
            "viewer_key": self.keys["viewer"],
            "user": "lab",
            "password": self.password,
            "version": self.options.release,
            "pid": self.process.pid,
            "basedir": str(self.folder),
            "starts": self.starts,
            "ready_after_s": round(time.monotonic() - self.began, 2),
        }

    def last_words(self) -> str:
        text = (self.folder / "console.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-20:])


def settings_of(name: str, options: Options) -> dict[str, Any]:
    """OctoPrint's settings for a server nobody has to set up. JSON is YAML too."""
    serial: dict[str, Any] = {"port": "VIRTUAL", "baudrate": 115200, "autoconnect": options.connect}
    if options.silence is not None:
        serial["timeout"] = {"communication": options.silence, "communicationBusy": options.silence}
        serial["maxCommunicationTimeouts"] = {"idle": 1, "printing": 1, "long": 1}
    printer = {
        "enabled": True,
        "simulated_errors": list(LINE_ERRORS) if options.line_errors else [],
        "resend_ratio": options.resend_percent,
        "ambientTemperature": options.ambient,
    }
    return {
        "appearance": {"name": name},
        "api": {"allowCrossOrigin": False},
        "plugins": {"_disabled": list(SILENCED), "virtual_printer": printer},
        "serial": serial,
        "server": {
            "firstRun": False,
            "ignoreIncompleteStartup": True,  # a server that was killed must not come back in safe mode
            "onlineCheck": {"enabled": False},
            "pluginBlacklist": {"enabled": False},
            "pythonEolCheck": {"enabled": False},
            "uploads": {"maxSize": options.max_upload},
        },
        "temperature": {"profiles": []},
        "webcam": {"timelapse": {"type": "off"}},
    }


def write_private(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, indent=1))


def ask_to_end_with_parent() -> None:
    """Called in the child: the kernel is to end it when its parent dies, however that happens (Linux)."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


def make_servers(
    folder: Path, ports: Sequence[int], options: Options, *, prefix: str = "printer", afresh: bool = False
) -> list[Server]:
    """Install what is missing and prepare one server for each port. None is started."""
    python = installed_python(options.release, afresh=afresh)
    servers = []
    for number, port in enumerate(ports, start=1):
        name = f"{prefix}-{number}"
        server = Server(name, port, folder / name, python, options)
        server.folder.mkdir(parents=True, exist_ok=True)
        server.prepare()
        servers.append(server)
    return servers


def look_after(
    servers: Sequence[Server], announce: Callable[[dict[str, Any]], None], ended: threading.Event
) -> bool:
    """Start servers, announce each as it gets ready. True when asked to end, False when all have ended.

    Raises Failure when one does not get ready.
    """
    for server in servers:
        server.start()
    living = list(servers)
    while living:
        if ended.wait(LOOK_SECONDS):
            return True
        for server in list(living):
            if not _look_at(server, announce):
                living.remove(server)
    return False


def _look_at(server: Server, announce: Callable[[dict[str, Any]], None]) -> bool:
    """One look; False when this server is gone for good."""
    code = server.process.poll() if server.process is not None else None
    if code is not None:
        if not server.ready and server.starts == 1:
            if not is_free(server.port):
                raise PortTaken(server.port)  # between our look and its own
            raise Failure(f"{server.name} ended with {code} before it was ready:\n{server.last_words()}")
        say(f"{server.name} ended with {code}")
        if not server.options.respawn:
            return False
        server.start()
    elif not server.ready:
        if server.answers():
            server.ready = True
            announce(server.announcement())
        elif time.monotonic() - server.began > READY_SECONDS:
            raise Failure(f"{server.name} is not ready after {READY_SECONDS} s:\n{server.last_words()}")
    return True


def end(servers: Sequence[Server]) -> None:
    """Ask all to end at once, wait for each, kill what does not."""
    running = [server.process for server in servers if server.process and server.process.poll() is None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + END_SECONDS
    for process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(END_SECONDS)


def write_line(content: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m fablab.demo.octoprint_server",
        description="Real OctoPrint servers with virtual printers.",
    )
    add = parser.add_argument
    add("--count", type=int, default=1, help="how many (1)")
    add("--base-port", type=int, default=5100, help="port of the first, the others follow (5100)")
    add("--name-prefix", default="printer", help="they are called PREFIX-1, PREFIX-2 (printer)")
    add("--data-dir", type=Path, help="keep keys and files here, and use what is there (a temporary folder)")
    add("--octoprint-version", default=RELEASE, help=f"release to install ({RELEASE})")
    add("--install-only", action="store_true", help="install, write the Python's path, end")
    add("--reinstall", action="store_true", help="install afresh")
    add("--respawn", action="store_true", help="start a server again that ended, with the same files")
    add("--no-connect", action="store_true", help="leave the printers disconnected")
    add("--simulated-errors", action="store_true", help="four line errors early in each print")
    add("--resend-ratio", type=int, default=0, metavar="PERCENT", help="lines asked for again (0)")
    add("--silence", type=float, metavar="SECONDS", help="give a silent printer up sooner (minutes)")
    add("--ambient", type=float, default=21.3, metavar="CELSIUS", help="temperature at the start (21.3)")
    add("--max-upload", type=int, default=1024**3, metavar="BYTES", help="largest upload accepted (1 GiB)")
    found = parser.parse_args(arguments)
    if found.count < 1 or not 0 < found.base_port <= 65536 - found.count:
        parser.error("at least one server, and ports from 1 to 65535")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    given = read_arguments(arguments)
    options = Options(
        release=given.octoprint_version,
        connect=not given.no_connect,
        line_errors=given.simulated_errors,
        resend_percent=given.resend_ratio,
        silence=given.silence,
        ambient=given.ambient,
        max_upload=given.max_upload,
        respawn=given.respawn,
    )
    asked = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        asked.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, on_signal)
    ask_to_end_with_parent()
    servers: list[Server] = []
    scratch: Path | None = None
    try:
        if given.install_only:
            sys.stdout.write(f"{installed_python(options.release, afresh=given.reinstall)}\n")
            return 0
        if given.data_dir is None:
            scratch = Path(tempfile.mkdtemp(prefix="fablab-octoprint-"))
        folder = scratch or given.data_dir.expanduser().resolve()
        ports = range(given.base_port, given.base_port + given.count)
        servers = make_servers(folder, ports, options, prefix=given.name_prefix, afresh=given.reinstall)
        return 0 if look_after(servers, write_line, asked) else 1
    except Failure as problem:
        say(str(problem))
        return 2
    finally:
        end(servers)
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
